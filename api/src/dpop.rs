//! Proofs of possession (RFC 9449): how one is put together and taken apart. Who signs and who checks lives elsewhere.
//!
//! Phones prove their session key with each request. Terminals use the same proofs under their enrolled key, and need
//! no token besides: the platform knows a terminal by its key.

use crate::Base64Url;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A P-256 public key as a JSON Web Key (RFC 7518, section 6.2).
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Jwk {
    /// `EC`.
    pub kty: String,
    /// `P-256`.
    pub crv: String,
    /// The x coordinate, 32 bytes.
    pub x: Base64Url,
    /// The y coordinate, 32 bytes.
    pub y: Base64Url,
}

impl Jwk {
    /// The key of an uncompressed SEC1 point (`04`, x, y); `None` for any other form.
    pub fn from_uncompressed(point: &[u8]) -> Option<Self> {
        match point {
            [0x04, xy @ ..] if xy.len() == 64 => Some(Self {
                kty: "EC".to_owned(),
                crv: "P-256".to_owned(),
                x: xy[..32].into(),
                y: xy[32..].into(),
            }),
            _ => None,
        }
    }

    /// The uncompressed SEC1 point; `None` where this isn't a P-256 key of the right sizes.
    pub fn to_uncompressed(&self) -> Option<[u8; 65]> {
        if self.kty != "EC" || self.crv != "P-256" {
            return None;
        }
        let (x, y) = (self.x.to_array::<32>()?, self.y.to_array::<32>()?);
        let mut point = [4; 65];
        point[1..33].copy_from_slice(&x);
        point[33..].copy_from_slice(&y);
        Some(point)
    }

    /// The text whose SHA-256 is the key's thumbprint (RFC 7638, section 3.2).
    pub fn thumbprint_input(&self) -> String {
        let (x, y) = (self.x.encode(), self.y.encode());
        format!(
            r#"{{"crv":"{}","kty":"{}","x":"{x}","y":"{y}"}}"#,
            self.crv, self.kty
        )
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwk({} {})", self.kty, self.crv)
    }
}

/// The header of a proof (RFC 9449, section 4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofHeader {
    /// `dpop+jwt`.
    pub typ: String,
    /// `ES256`.
    pub alg: String,
    /// The public key that the proof is made with.
    pub jwk: Jwk,
}

/// The claims of a proof (RFC 9449, section 4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofClaims {
    /// Never used twice.
    pub jti: String,
    /// The HTTP method.
    pub htm: String,
    /// The request's URL without query and fragment, from the configured origin.
    pub htu: String,
    /// When the proof was made, Unix seconds.
    pub iat: i64,
    /// The nonce that the server gave last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub nonce: Option<String>,
    /// Base64url of the SHA-256 of the access token, where one is sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ath: Option<String>,
}

/// A proof taken apart, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedProof {
    /// The header.
    pub header: ProofHeader,
    /// The claims.
    pub claims: ProofClaims,
    /// What the signature covers.
    pub signing_input: String,
    /// r‖s.
    pub signature: [u8; 64],
}

/// The text that a proof's signature covers: header and claims, encoded and joined (RFC 7515, section 5.1).
pub fn signing_input(jwk: &Jwk, claims: &ProofClaims) -> Result<String, serde_json::Error> {
    let header = ProofHeader {
        typ: "dpop+jwt".to_owned(),
        alg: "ES256".to_owned(),
        jwk: jwk.clone(),
    };
    let part = |json: Vec<u8>| Base64Url(json).encode();
    Ok(format!(
        "{}.{}",
        part(serde_json::to_vec(&header)?),
        part(serde_json::to_vec(claims)?)
    ))
}

/// The finished proof.
pub fn attach_signature(signing_input: &str, signature: &[u8; 64]) -> String {
    format!("{signing_input}.{}", Base64Url::from(*signature).encode())
}

impl UnverifiedProof {
    /// Takes a proof apart. `None` unless it is a compact JWS of type `dpop+jwt` with `ES256` and a P-256 key.
    pub fn parse(text: &str) -> Option<Self> {
        let (signing_input, signature) = text.rsplit_once('.')?;
        let (header, claims) = signing_input.split_once('.')?;
        let header: ProofHeader = serde_json::from_slice(&Base64Url::decode(header)?.0).ok()?;
        let claims = serde_json::from_slice(&Base64Url::decode(claims)?.0).ok()?;
        let signature = Base64Url::decode(signature)?.to_array()?;
        let right_form =
            header.typ == "dpop+jwt" && header.alg == "ES256" && header.jwk.to_uncompressed().is_some();
        right_form.then(|| Self {
            header,
            claims,
            signing_input: signing_input.to_owned(),
            signature,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Jwk {
        let mut point = [7; 65];
        point[0] = 4;
        Jwk::from_uncompressed(&point).unwrap()
    }

    fn claims() -> ProofClaims {
        ProofClaims {
            jti: "j".into(),
            htm: "POST".into(),
            htu: "https://campus.example/v1/x".into(),
            iat: 1,
            nonce: None,
            ath: None,
        }
    }

    #[test]
    fn what_is_not_a_proof_is_refused() {
        let proof = attach_signature(&signing_input(&key(), &claims()).unwrap(), &[1; 64]);
        let parts: Vec<&str> = proof.split('.').collect();
        let none = Base64Url::from(br#"{"typ":"dpop+jwt","alg":"none"}"#.as_slice()).encode();
        for text in [
            String::new(),
            "..".to_owned(),
            proof.replace('.', " "),
            format!("{proof}.x"),
            format!("{}.{}", parts[0], parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.AAAA", parts[0], parts[1]),
        ] {
            assert_eq!(UnverifiedProof::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn a_proof_comes_apart_as_it_was_put_together() {
        let input = signing_input(&key(), &claims()).unwrap();
        let proof = UnverifiedProof::parse(&attach_signature(&input, &[9; 64])).unwrap();
        assert_eq!(
            (proof.claims, proof.signing_input, proof.signature),
            (claims(), input, [9; 64])
        );
        assert_eq!(proof.header.jwk, key());
    }
}
