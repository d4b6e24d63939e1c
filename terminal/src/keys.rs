//! The terminal's own key, and the memory of holders' keys that were expanded before.
//!
//! The key is a P-256 key in a file that only its owner can read; it signs records of sales and proofs of possession. The
//! memory is bounded: a holder's key takes a tenth of a verification to expand, and the same holders come every day.

use std::fmt;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use lru::LruCache;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use yika_api::dpop::Jwk;
use yika_format::verifier::ExpandKeys;
use yika_format::{ExpandedKey, KeyError, PublicKey, Signature};
use zeroize::Zeroizing;

use crate::home::write_durably;

/// How many expanded keys a terminal remembers.
pub const REMEMBERED_KEYS: usize = 65_536;

/// Why the terminal's key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TerminalKeyError {
    /// The file can't be read or written.
    #[error("the terminal's key file cannot be read or written: {0}")]
    Io(#[from] io::Error),
    /// The file holds no key.
    #[error("the terminal's key file is damaged; move the home folder aside and enrol the terminal anew")]
    Damaged,
    /// The file holds another key than the one that was enrolled, or is gone.
    #[error(
        "the terminal's key is not the one that was enrolled; move the home folder aside and enrol it anew"
    )]
    NotEnrolled,
    /// The system gave no randomness, or the key did not sign.
    #[error("the terminal's key could not be made or did not sign")]
    Failed,
}

/// The terminal's own key.
pub struct TerminalKey {
    pair: EcdsaKeyPair,
    public: ExpandedKey,
    random: SystemRandom,
}

impl fmt::Debug for TerminalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TerminalKey({:?})", self.public.compress())
    }
}

impl TerminalKey {
    /// The key in this file; `None` where there is no file.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, TerminalKeyError> {
        match fs::read(path) {
            Ok(bytes) => Self::from_pkcs8(&Zeroizing::new(bytes)).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The key in this file; a new one where there is no file. It is durable when this returns.
    pub(crate) fn load_or_make(path: &Path) -> Result<Self, TerminalKeyError> {
        if let Some(key) = Self::load(path)? {
            return Ok(key);
        }
        let random = SystemRandom::new();
        let bytes = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| TerminalKeyError::Failed)?;
        write_durably(path, bytes.as_ref())?;
        Self::from_pkcs8(bytes.as_ref())
    }

    fn from_pkcs8(bytes: &[u8]) -> Result<Self, TerminalKeyError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes, &random)
            .map_err(|_| TerminalKeyError::Damaged)?;
        let public = ExpandedKey::from_uncompressed(pair.public_key().as_ref())
            .map_err(|_| TerminalKeyError::Damaged)?;
        Ok(Self { pair, public, random })
    }

    /// The public half.
    pub const fn public(&self) -> &ExpandedKey {
        &self.public
    }

    /// The public half as proofs of possession carry it.
    pub(crate) fn jwk(&self) -> Option<Jwk> {
        Jwk::from_uncompressed(self.public.as_bytes())
    }

    /// Signs (ECDSA with SHA-256).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Signature, TerminalKeyError> {
        let signature = self
            .pair
            .sign(&self.random, message)
            .map_err(|_| TerminalKeyError::Failed)?;
        Signature::from_raw_or_der(signature.as_ref()).map_err(|_| TerminalKeyError::Failed)
    }
}

/// Remembers the [`REMEMBERED_KEYS`] holders' keys that were used last, expanded.
pub struct KeyCache(Mutex<LruCache<PublicKey, ExpandedKey>>);

impl Default for KeyCache {
    fn default() -> Self {
        let capacity = NonZeroUsize::new(REMEMBERED_KEYS).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(LruCache::new(capacity)))
    }
}

impl ExpandKeys for KeyCache {
    fn expand(&self, key: &PublicKey) -> Result<ExpandedKey, KeyError> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(expanded) = cache.get(key) {
            return Ok(*expanded);
        }
        let expanded = key.expand()?;
        cache.put(*key, expanded);
        Ok(expanded)
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "KeyCache({} of {})", cache.len(), cache.cap())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yika_testkit::TestKey;

    #[test]
    fn a_damaged_key_file_is_told_apart_from_a_missing_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("terminal.key");
        assert!(TerminalKey::load(&path).unwrap().is_none());
        fs::write(&path, b"no key").unwrap();
        assert!(matches!(TerminalKey::load(&path), Err(TerminalKeyError::Damaged)));
    }

    #[test]
    fn a_key_stays_the_same_and_its_signatures_verify() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("terminal.key");
        let made = TerminalKey::load_or_make(&path).unwrap();
        let loaded = TerminalKey::load_or_make(&path).unwrap();
        assert_eq!(made.public(), loaded.public());
        let signature = loaded.sign(b"message").unwrap();
        assert_eq!(made.public().verify(b"message", &signature), Ok(()));
    }

    #[test]
    fn a_key_off_the_curve_is_refused_and_not_remembered() {
        let cache = KeyCache::default();
        let mut bytes = [0xff; 33];
        bytes[0] = 2;
        let off_curve = PublicKey::from_compressed(bytes).unwrap();
        assert_eq!(cache.expand(&off_curve), Err(KeyError::NotOnCurve));
        assert_eq!(format!("{cache:?}"), "KeyCache(0 of 65536)");
    }

    #[test]
    fn a_key_seen_before_is_remembered_once() {
        let cache = KeyCache::default();
        let key = TestKey::named("a phone");
        for _ in 0..2 {
            assert_eq!(cache.expand(&key.public()), Ok(key.expanded()));
        }
        assert_eq!(format!("{cache:?}"), "KeyCache(1 of 65536)");
    }
}
