//! The phone's signing keys, wherever they live. Keys of a keystore are called on one thread of their own, with a limit on the wait;
//! what it signs is normalised to r‖s and verified under the enrolled key before anybody sees it. Software keys are
//! parsed once and called in place: ring checks nothing that we'd have to.

use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::Base64Url;
use yika_api::credential::KeyStorage;
use yika_format::{ExpandedKey, PublicKey, Signature};

use crate::error::{CoreError, InternalFault};
use crate::ports::{DeviceKey, DeviceSigner, KeyError, KeyLabel, KeyPurpose, KeySource};
use crate::secret::SecretBytes;
use crate::worker::Worker;

/// How long a keystore may think. Some secure elements need seconds; beyond this the user is told.
const KEYSTORE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a user may think, who is asked for a finger.
const USER_TIMEOUT: Duration = Duration::from_secs(120);

/// Why there is no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The keystore said why.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The keystore answered something that doesn't verify under the enrolled key.
    #[error("the keystore's signature does not verify")]
    BadSignature,
    /// The keystore's public key is not on P-256, or no random bytes could be had.
    #[error("the key is not usable")]
    Unusable,
}

impl From<SignError> for CoreError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Key(error) => error.into(),
            SignError::BadSignature => Self::Internal {
                fault: InternalFault::BadSignature,
            },
            SignError::Unusable => Self::KeyUnavailable,
        }
    }
}

/// What the journal keeps of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredKey {
    pub label: KeyLabel,
    /// The uncompressed point.
    public_key: Base64Url,
    pub storage: KeyStorage,
    /// The private key, where it lives in the store (RFC 5958).
    pkcs8: Option<SecretBytes>,
}

impl StoredKey {
    /// The public key as an uncompressed point.
    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public_key.0
    }
}

/// Makes, finds and removes keys.
pub(crate) struct Keys {
    source: KeySource,
    calls: Calls,
    /// Apart, so that codes go on while the user is asked.
    approvals: Calls,
}

impl Keys {
    pub(crate) fn new(source: KeySource) -> Self {
        Self::with_timeout(source, KEYSTORE_TIMEOUT)
    }

    fn with_timeout(source: KeySource, timeout: Duration) -> Self {
        Self {
            source,
            calls: Calls {
                thread: Worker::new("yika-keystore"),
                timeout,
            },
            approvals: Calls {
                thread: Worker::new("yika-approval"),
                timeout: USER_TIMEOUT,
            },
        }
    }

    /// Makes a key under a new label. Blocks.
    pub(crate) fn create(&self, purpose: KeyPurpose) -> Result<StoredKey, SignError> {
        let prefix = match purpose {
            KeyPurpose::Session => "session",
            KeyPurpose::Code => "code",
            KeyPurpose::Approval => "approval",
        };
        let label = KeyLabel(format!("{prefix}-{}", Uuid::new_v4()));
        match &self.source {
            KeySource::Software => software_key(label),
            KeySource::Device(signer) => {
                let (signer, name) = (Arc::clone(signer), label.clone());
                let DeviceKey { public_key, storage } =
                    self.calls.call(move || signer.create(purpose, &name))?;
                ExpandedKey::from_uncompressed(&public_key).map_err(|_| SignError::Unusable)?;
                Ok(StoredKey {
                    label,
                    public_key: public_key.as_slice().into(),
                    storage,
                    pkcs8: None,
                })
            }
        }
    }

    /// What signs with a stored key.
    pub(crate) fn signer(self: &Arc<Self>, key: &StoredKey) -> Result<Arc<Signer>, SignError> {
        self.signer_by(key, |keys| &keys.calls)
    }

    /// What signs with a stored key for which the keystore asks the user.
    pub(crate) fn approver(self: &Arc<Self>, key: &StoredKey) -> Result<Arc<Signer>, SignError> {
        self.signer_by(key, |keys| &keys.approvals)
    }

    fn signer_by(
        self: &Arc<Self>,
        key: &StoredKey,
        calls: fn(&Self) -> &Calls,
    ) -> Result<Arc<Signer>, SignError> {
        let public_key =
            ExpandedKey::from_uncompressed(&key.public_key.0).map_err(|_| SignError::Unusable)?;
        let means = match (&key.pkcs8, &self.source) {
            (Some(pkcs8), _) => {
                let random = SystemRandom::new();
                let pair =
                    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.expose(), &random)
                        .map_err(|_| SignError::Unusable)?;
                Means::Software {
                    pair: Box::new(pair),
                    random,
                }
            }
            (None, KeySource::Device(signer)) => Means::Device {
                signer: Arc::clone(signer),
                label: key.label.clone(),
                keys: Arc::clone(self),
                calls,
            },
            (None, KeySource::Software) => return Err(KeyError::Missing.into()),
        };
        Ok(Arc::new(Signer { public_key, means }))
    }

    /// Removes a key from the keystore; a software key goes with its record. Blocks.
    pub(crate) fn delete(&self, key: &StoredKey) -> Result<(), SignError> {
        match (&key.pkcs8, &self.source) {
            (None, KeySource::Device(signer)) => {
                let (signer, label) = (Arc::clone(signer), key.label.clone());
                Ok(self.calls.call(move || signer.delete(&label))?)
            }
            _ => Ok(()),
        }
    }
}

fn software_key(label: KeyLabel) -> Result<StoredKey, SignError> {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
        .map_err(|_| SignError::Unusable)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
        .map_err(|_| SignError::Unusable)?;
    Ok(StoredKey {
        label,
        public_key: pair.public_key().as_ref().into(),
        storage: KeyStorage::Software,
        pkcs8: Some(pkcs8.as_ref().into()),
    })
}

/// Signs with one key.
pub(crate) struct Signer {
    public_key: ExpandedKey,
    means: Means,
}

enum Means {
    Software {
        pair: Box<EcdsaKeyPair>,
        random: SystemRandom,
    },
    Device {
        signer: Arc<dyn DeviceSigner>,
        label: KeyLabel,
        keys: Arc<Keys>,
        calls: fn(&Keys) -> &Calls,
    },
}

impl Signer {
    /// ECDSA over the SHA-256 of `message`. Blocks, with a keystore for seconds.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        match &self.means {
            Means::Software { pair, random } => {
                let signature = pair.sign(random, message).map_err(|_| SignError::Unusable)?;
                Signature::from_raw_or_der(signature.as_ref()).map_err(|_| SignError::BadSignature)
            }
            Means::Device {
                signer,
                label,
                keys,
                calls,
            } => {
                let (signer, label, owned) = (Arc::clone(signer), label.clone(), message.to_vec());
                let bytes = calls(keys).call(move || signer.sign(&label, &owned))?;
                let signature = Signature::from_raw_or_der(&bytes).map_err(|_| SignError::BadSignature)?;
                self.public_key
                    .verify(message, &signature)
                    .map_err(|_| SignError::BadSignature)?;
                Ok(signature)
            }
        }
    }

    /// Whether signing takes no longer than a few microseconds.
    pub(crate) fn is_fast(&self) -> bool {
        matches!(self.means, Means::Software { .. })
    }

    pub(crate) fn public_key(&self) -> &ExpandedKey {
        &self.public_key
    }

    pub(crate) fn compressed_key(&self) -> PublicKey {
        self.public_key.compress()
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

/// Calls of the keystore, one after the other, with a limit on the wait.
struct Calls {
    thread: Worker,
    timeout: Duration,
}

impl Calls {
    /// Calls `work` on the thread and waits for it, but not for ever. A call given up before it began is never made.
    fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, KeyError> + Send + 'static,
    ) -> Result<T, KeyError> {
        let (answer, answers) = mpsc::sync_channel(1);
        let given_up = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&given_up);
        let started = self.thread.start(move || {
            if !seen.load(Ordering::Acquire) {
                let result =
                    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(KeyError::Unavailable));
                // Nobody waits any more after a time-out.
                let _ = answer.send(result);
            }
        });
        started.map_err(|_| KeyError::Unavailable)?;
        answers.recv_timeout(self.timeout).unwrap_or_else(|_| {
            given_up.store(true, Ordering::Release);
            Err(KeyError::Busy)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::FakeKeystore;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED};

    fn device(keystore: &Arc<FakeKeystore>) -> Arc<Keys> {
        Arc::new(Keys::new(KeySource::Device(
            Arc::clone(keystore) as Arc<dyn DeviceSigner>
        )))
    }

    fn verifies(signer: &Signer, message: &[u8], signature: &Signature) -> bool {
        ring::signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, signer.public_key().as_bytes())
            .verify(message, signature.as_bytes())
            .is_ok()
    }

    #[test]
    fn every_failure_of_the_keystore_keeps_its_own_name() {
        let codes: std::collections::BTreeSet<&str> = FakeKeystore::ERRORS
            .iter()
            .map(|&error| {
                let keystore = Arc::new(FakeKeystore::default());
                let keys = device(&keystore);
                let signer = keys.signer(&keys.create(KeyPurpose::Code).unwrap()).unwrap();
                keystore.fail_with(Some(error));
                let failure = signer.sign(b"message").unwrap_err();
                assert_eq!(failure, SignError::Key(error));
                CoreError::from(failure).code()
            })
            .collect();
        assert_eq!(codes.len(), FakeKeystore::ERRORS.len(), "{codes:?}");
    }

    #[test]
    fn a_signature_under_another_key_is_never_released() {
        let keystore = Arc::new(FakeKeystore::default());
        let keys = device(&keystore);
        let first = keys.create(KeyPurpose::Code).unwrap();
        let second = keys.create(KeyPurpose::Code).unwrap();
        let mixed_up = StoredKey {
            label: second.label,
            ..first
        };
        assert_eq!(
            keys.signer(&mixed_up).unwrap().sign(b"m"),
            Err(SignError::BadSignature)
        );
    }

    #[test]
    fn bytes_that_are_no_signature_are_never_released() {
        let keystore = Arc::new(FakeKeystore::default());
        let keys = device(&keystore);
        let signer = keys.signer(&keys.create(KeyPurpose::Code).unwrap()).unwrap();
        for bytes in [vec![], vec![0; 64], vec![0x30; 70], vec![0xff; 64]] {
            keystore.answer_with(Some(bytes));
            assert_eq!(signer.sign(b"m"), Err(SignError::BadSignature));
        }
    }

    #[test]
    fn der_and_raw_signatures_both_become_raw() {
        for algorithm in [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P256_SHA256_FIXED_SIGNING] {
            let keystore = Arc::new(FakeKeystore::with_algorithm(algorithm));
            let keys = device(&keystore);
            let signer = keys.signer(&keys.create(KeyPurpose::Code).unwrap()).unwrap();
            assert!(verifies(&signer, b"message", &signer.sign(b"message").unwrap()));
        }
    }

    #[test]
    fn a_keystore_that_hangs_is_given_up_and_its_late_calls_are_not_made() {
        let keystore = Arc::new(FakeKeystore::default());
        let source = KeySource::Device(Arc::clone(&keystore) as Arc<dyn DeviceSigner>);
        let keys = Arc::new(Keys::with_timeout(source, Duration::from_millis(20)));
        let signer = keys.signer(&keys.create(KeyPurpose::Code).unwrap()).unwrap();
        let release = keystore.hang();
        assert_eq!(signer.sign(b"hangs"), Err(SignError::Key(KeyError::Busy)));
        assert_eq!(
            signer.sign(b"queued behind it"),
            Err(SignError::Key(KeyError::Busy))
        );
        drop(release);
        keys.calls.thread.finish();
        assert_eq!(keystore.messages(), [b"hangs".to_vec()]);
    }

    #[test]
    fn a_keystore_that_panics_is_an_error_and_answers_again_later() {
        let keystore = Arc::new(FakeKeystore::default());
        let keys = device(&keystore);
        let signer = keys.signer(&keys.create(KeyPurpose::Code).unwrap()).unwrap();
        keystore.panic_once();
        assert_eq!(signer.sign(b"m"), Err(SignError::Key(KeyError::Unavailable)));
        assert!(signer.sign(b"m").is_ok());
    }

    #[test]
    fn a_software_key_signs_what_its_public_key_verifies_and_shows_nothing_in_debug() {
        let keys = Arc::new(Keys::new(KeySource::Software));
        let stored = keys.create(KeyPurpose::Code).unwrap();
        let signer = keys.signer(&stored).unwrap();
        assert!(verifies(&signer, b"message", &signer.sign(b"message").unwrap()));
        assert!(format!("{stored:?}").contains("SecretBytes(…)"));
    }

    #[test]
    fn a_key_of_a_keystore_that_is_not_there_any_more_is_missing() {
        let keystore = Arc::new(FakeKeystore::default());
        let stored = device(&keystore).create(KeyPurpose::Code).unwrap();
        let software = Arc::new(Keys::new(KeySource::Software));
        assert_eq!(
            software.signer(&stored).unwrap_err(),
            SignError::Key(KeyError::Missing)
        );
    }
}
