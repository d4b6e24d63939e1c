//! Proofs of possession (RFC 9449) under the session key: a fresh one for each time a request is sent.

use std::sync::Arc;

use ring::digest;
use url::Url;
use uuid::Uuid;
use yika_api::dpop::{Jwk, ProofClaims, attach_signature, signing_input};
use yika_api::{Base64Url, UnixMillis};

use super::HttpError;
use crate::keys::Signer;
use crate::secret::SecretText;

/// Who sends a request.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// The session key.
    pub key: Arc<Signer>,
    /// Absent where the request is to get one.
    pub access_token: Option<SecretText>,
}

/// What the proof is about.
pub(super) struct Subject<'a> {
    pub method: &'a str,
    /// Of the configured origin, without query.
    pub url: &'a Url,
    pub nonce: Option<String>,
    pub now: UnixMillis,
}

/// A proof for `subject`. Blocks while the keystore signs.
pub(super) fn proof(sender: &Sender, subject: Subject<'_>) -> Result<String, HttpError> {
    let jwk = Jwk::from_uncompressed(sender.key.public_key().as_bytes()).ok_or(HttpError::Client)?;
    let claims = ProofClaims {
        jti: Uuid::new_v4().to_string(),
        htm: subject.method.to_owned(),
        htu: subject.url.as_str().to_owned(),
        iat: subject.now.0.div_euclid(1000),
        nonce: subject.nonce,
        ath: sender.access_token.as_ref().map(token_hash),
    };
    let input = signing_input(&jwk, &claims).map_err(|_| HttpError::Client)?;
    let signature = sender.key.sign(input.as_bytes()).map_err(HttpError::Sign)?;
    Ok(attach_signature(&input, signature.as_bytes()))
}

fn token_hash(token: &SecretText) -> String {
    Base64Url::from(digest::digest(&digest::SHA256, token.expose().as_bytes()).as_ref()).encode()
}
