//! Checking proofs of possession (RFC 9449, section 4.3): that a proof is for this request and of now, and whose it is.

use super::nonces::Nonces;
use crate::clock::SECOND;
use crate::config::PublicOrigin;
use crate::random::sha256;
use axum::http::{Method, Uri};
use yika_api::dpop::UnverifiedProof;
use yika_api::{Base64Url, UnixMillis};
use yika_format::{ExpandedKey, Signature};

/// How far a proof's own time may be off: the nonce already shows that it is fresh.
const MAX_SKEW_MS: i64 = 300 * SECOND;
/// Why a proof is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProofError {
    /// There is none, there are several, or it is no proof.
    #[error("send exactly one DPoP proof with ES256")]
    Malformed,
    /// It carries no nonce, or not one of now.
    #[error("repeat the request with the nonce of the DPoP-Nonce header")]
    Nonce,
    /// It is for another method or URL.
    #[error("the proof is for another method or URL")]
    Target,
    /// Its time is too far off.
    #[error("the proof's time is too far from the server's")]
    Time,
    /// Its signature does not verify.
    #[error("the proof's signature does not verify")]
    Signature,
    /// It is for another access token, or for none where one was sent.
    #[error("the proof is for another access token")]
    AccessToken,
    /// It was used before.
    #[error("the proof was used before; make a new one for each request")]
    Replayed,
}

/// Who made a proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProofKey {
    /// The key.
    pub(crate) key: ExpandedKey,
    /// Its thumbprint (RFC 7638), base64url.
    pub(crate) thumbprint: String,
}

/// A request as a proof must name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) origin: &'a PublicOrigin,
    /// The access token that came with it.
    pub(crate) access_token: Option<&'a str>,
}

/// What is remembered of a proof: a digest of its key and name.
pub(super) type UsedProof = [u8; 16];

/// Checks a proof against its request. What it returns beside the key may be used once.
pub(super) fn check(
    nonces: &Nonces,
    proof: Option<&str>,
    target: Target<'_>,
    now: UnixMillis,
) -> Result<(ProofKey, UsedProof), ProofError> {
    let proof = proof
        .and_then(UnverifiedProof::parse)
        .ok_or(ProofError::Malformed)?;
    let claims = &proof.claims;
    let point = proof.header.jwk.to_uncompressed().ok_or(ProofError::Malformed)?;
    let key = ExpandedKey::from_uncompressed(&point).map_err(|_| ProofError::Malformed)?;
    let signature = Signature::from_raw(proof.signature).map_err(|_| ProofError::Signature)?;
    key.verify(proof.signing_input.as_bytes(), &signature)
        .map_err(|_| ProofError::Signature)?;
    let url = format!("{}{}", target.origin.as_str(), target.uri.path());
    if claims.htm != target.method.as_str() || claims.htu != url {
        return Err(ProofError::Target);
    }
    let expected_ath = target
        .access_token
        .map(|token| Base64Url::from(sha256(token.as_bytes())).encode());
    if claims.ath != expected_ath {
        return Err(ProofError::AccessToken);
    }
    if !claims
        .nonce
        .as_deref()
        .is_some_and(|nonce| nonces.is_current(nonce, now))
    {
        return Err(ProofError::Nonce);
    }
    if (now.0 - claims.iat.saturating_mul(1000)).saturating_abs() > MAX_SKEW_MS {
        return Err(ProofError::Time);
    }
    let thumbprint = Base64Url::from(sha256(proof.header.jwk.thumbprint_input().as_bytes())).encode();
    let hash = sha256(format!("{thumbprint}.{}", claims.jti).as_bytes());
    let mut used = [0; 16];
    used.copy_from_slice(&hash[..16]);
    Ok((ProofKey { key, thumbprint }, used))
}

#[cfg(test)]
mod tests {
    use super::super::nonces::WINDOW_MS;
    use super::*;
    use crate::error::Error;
    use crate::testing::TestKey;
    use yika_api::dpop::ProofClaims;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

    struct Bench {
        nonces: Nonces,
        key: TestKey,
        origin: PublicOrigin,
    }

    impl Bench {
        fn new() -> Self {
            let origin = PublicOrigin::parse("https://card.campus.example").unwrap();
            Self {
                nonces: Nonces::own().unwrap(),
                key: TestKey::new(),
                origin,
            }
        }

        fn claims(&self) -> ProofClaims {
            ProofClaims {
                jti: "one".into(),
                htm: "GET".into(),
                htu: "https://card.campus.example/v1/accounts".into(),
                iat: NOW.0 / 1000,
                nonce: Some(self.nonces.issue(NOW)),
                ath: Some(Base64Url::from(sha256(b"token")).encode()),
            }
        }

        async fn verify(&self, claims: &ProofClaims, now: UnixMillis) -> Result<ProofKey, ProofError> {
            self.verify_text(Some(&self.key.proof(claims)), now).await
        }

        async fn verify_text(&self, proof: Option<&str>, now: UnixMillis) -> Result<ProofKey, ProofError> {
            let uri = Uri::from_static("/v1/accounts?after=7");
            let target = Target {
                method: &Method::GET,
                uri: &uri,
                origin: &self.origin,
                access_token: Some("token"),
            };
            match self.nonces.verify(proof, target, now).await {
                Ok(key) => Ok(key),
                Err(Outcome::Refused(error)) => Err(error),
                Err(Outcome::Failed(error)) => panic!("{error}"),
            }
        }
    }

    /// What verifying ends with, told apart.
    enum Outcome {
        Refused(ProofError),
        Failed(Error),
    }

    impl From<ProofError> for Outcome {
        fn from(error: ProofError) -> Self {
            Self::Refused(error)
        }
    }

    impl From<Error> for Outcome {
        fn from(error: Error) -> Self {
            Self::Failed(error)
        }
    }

    #[tokio::test]
    async fn a_proof_for_anything_else_is_refused() {
        type Change = fn(&mut ProofClaims);
        let bench = Bench::new();
        let cases: [(ProofError, Change); 9] = [
            (ProofError::Target, |claims| claims.htm = "POST".into()),
            (ProofError::Target, |claims| {
                claims.htu = "https://other.example/v1/accounts".into();
            }),
            (ProofError::Target, |claims| {
                claims.htu = "https://card.campus.example/v1/payments".into();
            }),
            (ProofError::AccessToken, |claims| claims.ath = None),
            (ProofError::AccessToken, |claims| {
                claims.ath = Some(Base64Url::from(sha256(b"other")).encode());
            }),
            (ProofError::Nonce, |claims| claims.nonce = None),
            (ProofError::Nonce, |claims| claims.nonce = Some("made-up".into())),
            (ProofError::Time, |claims| claims.iat += 301),
            (ProofError::Time, |claims| claims.iat -= 301),
        ];
        for (refusal, change) in cases {
            let mut claims = bench.claims();
            change(&mut claims);
            assert_eq!(bench.verify(&claims, NOW).await, Err(refusal), "{claims:?}");
        }
        assert_eq!(bench.verify_text(None, NOW).await, Err(ProofError::Malformed));
        let proof = bench.key.proof(&bench.claims());
        let other = TestKey::new().proof(&bench.claims());
        let foreign_signature = format!(
            "{}.{}",
            proof.rsplit_once('.').unwrap().0,
            other.rsplit_once('.').unwrap().1
        );
        assert_eq!(
            bench.verify_text(Some(&foreign_signature), NOW).await,
            Err(ProofError::Signature)
        );
    }

    #[tokio::test]
    async fn a_proof_is_good_once_as_long_as_its_nonce_lives() {
        let bench = Bench::new();
        let claims = bench.claims();
        assert!(bench.verify(&claims, NOW).await.is_ok());
        assert_eq!(bench.verify(&claims, NOW).await, Err(ProofError::Replayed));
        assert_eq!(
            bench.verify(&claims, NOW.plus_millis(WINDOW_MS - 1000)).await,
            Err(ProofError::Replayed)
        );
        assert_eq!(
            bench.verify(&claims, NOW.plus_millis(2 * WINDOW_MS)).await,
            Err(ProofError::Nonce)
        );
    }

    #[tokio::test]
    async fn a_nonce_of_before_a_restart_is_refused() {
        let (before, mut after) = (Bench::new(), Bench::new());
        after.key = TestKey::new();
        assert_eq!(after.verify(&before.claims(), NOW).await, Err(ProofError::Nonce));
    }

    #[tokio::test]
    async fn the_same_name_under_another_key_is_another_proof() {
        let mut bench = Bench::new();
        assert!(bench.verify(&bench.claims(), NOW).await.is_ok());
        bench.key = TestKey::new();
        assert!(bench.verify(&bench.claims(), NOW).await.is_ok());
    }
}
