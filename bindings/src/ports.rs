//! What the shell provides, as traits that Kotlin and Swift implement, and the adapters that the core calls them through. All are
//! synchronous and answer `Result`: what a shell throws without declaring it becomes the port's `Unavailable`, and its
//! text goes nowhere, because nobody knows what is in it.

use std::sync::Arc;

use yika_core::ports;

pub use yika_api::credential::KeyStorage;
pub use yika_core::ports::KeyPurpose;

use crate::types::UnixMillis;

/// Everything that the shell provides. The library calls the ports from its own threads, never while it holds a lock, and
/// from the caller's only for `clock_quality` (the clock) and `show_blocking`; a port must not call back into the library.
#[derive(Clone, uniffi::Record)]
pub struct Ports {
    /// The phone's clocks.
    pub clock: Arc<dyn DeviceClock>,
    /// The phone's keystore. Without one, signing keys live in the store, sealed: for desktops and tests, and for phones
    /// whose keystore does not work. Codes of such keys have lower limits.
    #[uniffi(default = None)]
    pub signer: Option<Arc<dyn DeviceSigner>>,
    /// Wraps the store's master key.
    pub key_wrap: Arc<dyn KeyWrap>,
    /// Remembers outside backups how far the codes' counter has come.
    pub witness: Arc<dyn Witness>,
}

impl Ports {
    pub(crate) fn into_core(self) -> ports::Ports {
        ports::Ports {
            clock: Arc::new(Foreign(self.clock)),
            keys: match self.signer {
                Some(signer) => ports::KeySource::Device(Arc::new(Foreign(signer))),
                None => ports::KeySource::Software,
            },
            key_wrap: Arc::new(Foreign(self.key_wrap)),
            witness: Arc::new(Foreign(self.witness)),
        }
    }
}

/// A port of the shell, as the core calls it.
struct Foreign<T: ?Sized>(Arc<T>);

/// The phone's clocks. Android: `System.currentTimeMillis`, `SystemClock.elapsedRealtime`, `Settings.Global.BOOT_COUNT`.
/// Apple: `Date`, `mach_continuous_time`, `kern.bootsessionuuid`.
#[uniffi::export(foreign)]
pub trait DeviceClock: Send + Sync {
    /// Reads all clocks at one moment. Must be quick: each code reads them.
    fn sample(&self) -> Result<ClockSample, DeviceClockError>;
}

/// One reading of the phone's clocks.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ClockSample {
    /// The wall clock, which the user can set.
    pub wall: UnixMillis,
    /// Milliseconds of a clock that never goes back while the phone is up and goes on while it sleeps.
    pub monotonic_ms: u64,
    /// What the system names this start of the phone with. Two starts must never have the same name.
    pub boot_name: String,
}

/// Why the clocks could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Debug, Display)]
pub enum DeviceClockError {
    /// The system does not tell them.
    #[error("the phone's clocks cannot be read")]
    Unavailable,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for DeviceClockError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable
    }
}

impl ports::SystemClock for Foreign<dyn DeviceClock> {
    fn sample(&self) -> Result<ports::ClockSample, ports::ClockError> {
        let ClockSample {
            wall,
            monotonic_ms,
            boot_name,
        } = self.0.sample().map_err(|_| ports::ClockError)?;
        Ok(ports::ClockSample {
            wall,
            monotonic_ms,
            boot_id: ports::BootId::of(boot_name.as_bytes()),
        })
    }
}

/// The phone's keystore: P-256 keys that stay in it. It is called on a thread of its own, one call at a time, and given up
/// after ten seconds; to sign an approval, which waits for the user, beside that and after two minutes.
#[uniffi::export(foreign)]
pub trait DeviceSigner: Send + Sync {
    /// Makes a key under a label of lower-case letters, digits and hyphens. One that is there already is replaced.
    fn create(&self, purpose: KeyPurpose, label: String) -> Result<DeviceKey, DeviceKeyError>;

    /// ECDSA over the SHA-256 of `message`, as DER or as raw r‖s. What does not verify under the key is never shown.
    fn sign(&self, label: String, message: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError>;

    /// Removes a key; one that isn't there is no error.
    fn remove(&self, label: String) -> Result<(), DeviceKeyError>;
}

/// What a key is for, and so how the keystore must guard it.
#[uniffi::remote(Enum)]
pub enum KeyPurpose {
    /// Proves the session's requests: usable without the user.
    Session,
    /// Signs codes: by the school's policy unlocked by the user for a while, never for each code.
    Code,
    /// Approves what the session alone must not do: asks for the user (finger, face, screen lock) at each signature, and is
    /// gone once another finger or face is added. Android: `setUserAuthenticationParameters(0, …)`; Apple:
    /// `biometryCurrentSet` or `userPresence`.
    Approval,
}

/// A key just made.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DeviceKey {
    /// The P-256 key as an uncompressed SEC1 point of 65 bytes: `04`, x, y. (The end of Java's X.509 encoding; what
    /// `SecKeyCopyExternalRepresentation` answers.)
    pub public_key: Vec<u8>,
    /// Where it really lives.
    pub storage: KeyStorage,
}

/// Where a key lives.
#[uniffi::remote(Enum)]
pub enum KeyStorage {
    /// In the app's memory and files.
    Software,
    /// In a trusted execution environment.
    Tee,
    /// In a secure element of its own: StrongBox, Secure Enclave.
    SecureElement,
}

/// Why the keystore could not. Each leads the holder somewhere else, so don't fold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Debug, Display)]
pub enum DeviceKeyError {
    /// The key is gone for good because the way to unlock the phone changed; or what was to be unwrapped is not genuine.
    #[error("the key was invalidated")]
    Invalidated,
    /// The user cancelled.
    #[error("cancelled by the user")]
    Cancelled,
    /// The user must unlock the key, or the phone for the first time since it started.
    #[error("the key is locked")]
    Locked,
    /// Too many wrong fingers or faces.
    #[error("biometrics are locked out")]
    LockedOut,
    /// The phone has no screen lock.
    #[error("the phone has no screen lock")]
    NoScreenLock,
    /// No answer in time.
    #[error("the keystore is busy")]
    Busy,
    /// No such key.
    #[error("no such key")]
    Missing,
    /// No space is left to keep a key.
    #[error("no space is left for the key")]
    Full,
    /// No usable keystore.
    #[error("the keystore is unavailable")]
    Unavailable,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for DeviceKeyError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable
    }
}

impl From<DeviceKeyError> for ports::KeyError {
    fn from(error: DeviceKeyError) -> Self {
        match error {
            DeviceKeyError::Invalidated => Self::Invalidated,
            DeviceKeyError::Cancelled => Self::Cancelled,
            DeviceKeyError::Locked => Self::Locked,
            DeviceKeyError::LockedOut => Self::LockedOut,
            DeviceKeyError::NoScreenLock => Self::NoScreenLock,
            DeviceKeyError::Busy => Self::Busy,
            DeviceKeyError::Missing => Self::Missing,
            DeviceKeyError::Full => Self::Full,
            DeviceKeyError::Unavailable => Self::Unavailable,
        }
    }
}

impl ports::DeviceSigner for Foreign<dyn DeviceSigner> {
    fn create(
        &self,
        purpose: KeyPurpose,
        label: &ports::KeyLabel,
    ) -> Result<ports::DeviceKey, ports::KeyError> {
        let DeviceKey { public_key, storage } = self.0.create(purpose, label.0.clone())?;
        let public_key = public_key.try_into().map_err(|_| ports::KeyError::Unavailable)?;
        Ok(ports::DeviceKey { public_key, storage })
    }

    fn sign(&self, label: &ports::KeyLabel, message: &[u8]) -> Result<Vec<u8>, ports::KeyError> {
        Ok(self.0.sign(label.0.clone(), message.to_vec())?)
    }

    fn delete(&self, label: &ports::KeyLabel) -> Result<(), ports::KeyError> {
        Ok(self.0.remove(label.0.clone())?)
    }
}

/// Wraps the store's master key under a key that never leaves the phone. That key must be usable without the user and must
/// not be bound to biometrics: else a new finger would destroy the store.
#[uniffi::export(foreign)]
pub trait KeyWrap: Send + Sync {
    /// Seals a key of 32 bytes, bound to `aad`.
    fn wrap(&self, key: Vec<u8>, aad: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError>;

    /// Opens what `wrap` sealed for the same `aad`. `Invalidated` where it was sealed by another key, or changed.
    fn unwrap(&self, wrapped: Vec<u8>, aad: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError>;

    /// Forgets the wrapping key: whatever it wrapped is lost.
    fn forget(&self) -> Result<(), DeviceKeyError>;
}

impl ports::KeyWrap for Foreign<dyn KeyWrap> {
    fn wrap(&self, key: &[u8; 32], aad: &[u8]) -> Result<Vec<u8>, ports::KeyError> {
        Ok(self.0.wrap(key.to_vec(), aad.to_vec())?)
    }

    fn unwrap(&self, wrapped: &[u8], aad: &[u8]) -> Result<Vec<u8>, ports::KeyError> {
        Ok(self.0.unwrap(wrapped.to_vec(), aad.to_vec())?)
    }

    fn forget(&self) -> Result<(), ports::KeyError> {
        Ok(self.0.forget()?)
    }
}

/// A few bytes that no backup takes along: Android's no-backup folder, a this-device-only keychain item. They tell a
/// restored store from the one that the phone really used.
#[uniffi::export(foreign)]
pub trait Witness: Send + Sync {
    /// The bytes stored last; none where there are none.
    fn load(&self) -> Result<Option<Vec<u8>>, WitnessError>;

    /// Replaces the bytes (at most 64), durably and atomically.
    fn store(&self, bytes: Vec<u8>) -> Result<(), WitnessError>;

    /// Removes the bytes.
    fn clear(&self) -> Result<(), WitnessError>;
}

/// Why the witness could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Debug, Display)]
pub enum WitnessError {
    /// No space is left.
    #[error("no space is left")]
    Full,
    /// The storage does not answer.
    #[error("the witness storage is unavailable")]
    Unavailable,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for WitnessError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable
    }
}

impl From<WitnessError> for ports::WitnessError {
    fn from(error: WitnessError) -> Self {
        match error {
            WitnessError::Full => Self::Full,
            WitnessError::Unavailable => Self::Unavailable,
        }
    }
}

impl ports::Witness for Foreign<dyn Witness> {
    fn load(&self) -> Result<Option<Vec<u8>>, ports::WitnessError> {
        Ok(self.0.load()?)
    }

    fn store(&self, bytes: &[u8]) -> Result<(), ports::WitnessError> {
        Ok(self.0.store(bytes.to_vec())?)
    }

    fn clear(&self) -> Result<(), ports::WitnessError> {
        Ok(self.0.clear()?)
    }
}
