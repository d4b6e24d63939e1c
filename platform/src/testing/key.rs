//! A key as phones, terminals and hosts have one.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use yika_api::dpop::{Jwk, ProofClaims, attach_signature, signing_input};
use yika_format::{ExpandedKey, Signature};

/// A P-256 key that signs.
pub(crate) struct TestKey {
    pair: EcdsaKeyPair,
    pkcs8: Vec<u8>,
}

impl TestKey {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Self {
            pair,
            pkcs8: pkcs8.as_ref().to_vec(),
        }
    }

    /// The same key once more.
    pub(crate) fn copy(&self) -> Self {
        let (pkcs8, random) = (self.pkcs8.clone(), SystemRandom::new());
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &random).unwrap();
        Self { pair, pkcs8 }
    }

    pub(crate) fn expanded(&self) -> ExpandedKey {
        ExpandedKey::from_uncompressed(self.pair.public_key().as_ref()).unwrap()
    }

    /// The private key, as JWT libraries take it.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(crate) fn jwk(&self) -> Jwk {
        Jwk::from_uncompressed(self.pair.public_key().as_ref()).unwrap()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        let raw = self.pair.sign(&SystemRandom::new(), message).unwrap();
        Signature::from_raw(raw.as_ref().try_into().unwrap()).unwrap()
    }

    pub(crate) fn proof(&self, claims: &ProofClaims) -> String {
        let input = signing_input(&self.jwk(), claims).unwrap();
        attach_signature(&input, self.sign(input.as_bytes()).as_bytes())
    }
}
