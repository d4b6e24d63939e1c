//! What the shell provides: time, keys in hardware, a wrapping key and a little storage that backups leave out. All are plain
//! synchronous traits that answer `Result`. The core calls them from its own threads, one call to a key at a time (an approval, which waits for
//! the user, beside others), and
//! never while it holds a lock that another call into the core would need. [`software`] has what a desktop can offer.

use std::fmt;
use std::sync::Arc;

use ring::digest;
use serde::{Deserialize, Serialize};
use yika_api::UnixMillis;
use yika_api::credential::KeyStorage;

pub mod software;

/// Everything that the shell provides.
#[derive(Clone)]
pub struct Ports {
    /// The phone's clocks.
    pub clock: Arc<dyn SystemClock>,
    /// Where the phone's signing keys live.
    pub keys: KeySource,
    /// Wraps the store's master key.
    pub key_wrap: Arc<dyn KeyWrap>,
    /// Remembers outside backups how far the counter has come.
    pub witness: Arc<dyn Witness>,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// One reading of the phone's clocks, all taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSample {
    /// The wall clock, which the user can set.
    pub wall: UnixMillis,
    /// Milliseconds of a clock that never goes back while the phone is up and goes on while it sleeps
    /// (`CLOCK_BOOTTIME`, `SystemClock.elapsedRealtime`, `mach_continuous_time`).
    pub monotonic_ms: u64,
    /// Which start of the phone this is.
    pub boot_id: BootId,
}

/// Names one start of the phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BootId([u8; 16]);

impl BootId {
    /// From whatever the system names a start with (`/proc/sys/kernel/random/boot_id`, `kern.bootsessionuuid`,
    /// `Settings.Global.BOOT_COUNT`): two starts must never give the same bytes.
    pub fn of(name: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, name);
        let mut id = [0; 16];
        id.copy_from_slice(&digest.as_ref()[..16]);
        Self(id)
    }
}

/// The phone's clocks.
pub trait SystemClock: Send + Sync {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// [`ClockError`] where the system does not tell them.
    fn sample(&self) -> Result<ClockSample, ClockError>;
}

/// The phone's clocks can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the phone's clocks cannot be read")]
pub struct ClockError;

/// Where signing keys live.
#[derive(Clone)]
pub enum KeySource {
    /// In the store, sealed: for phones without a keystore, desktops and tests.
    Software,
    /// In the phone's keystore.
    Device(Arc<dyn DeviceSigner>),
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Software => "Software",
            Self::Device(_) => "Device",
        })
    }
}

/// What a key is for, and so how the keystore must guard it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPurpose {
    /// Proves the session's requests: usable without the user.
    Session,
    /// Signs codes: by the school's policy unlocked by the user for a while, never for each code.
    Code,
    /// Approves what the session alone must not do: asks for the user (finger, face, screen lock) at each signature, and is
    /// gone once another finger or face is added.
    Approval,
}

/// Names a key in the keystore. The core makes it: lower-case letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyLabel(pub String);

/// A key just made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKey {
    /// The P-256 key as an uncompressed SEC1 point: `04`, x, y.
    pub public_key: [u8; 65],
    /// Where it really lives. Never [`KeyStorage::Software`] for a key that cannot be taken out of hardware.
    pub storage: KeyStorage,
}

/// The phone's keystore: P-256 keys that stay in it.
pub trait DeviceSigner: Send + Sync {
    /// Makes a key. One of that label that is there already is replaced.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoScreenLock`], [`KeyError::Busy`] or [`KeyError::Unavailable`].
    fn create(&self, purpose: KeyPurpose, label: &KeyLabel) -> Result<DeviceKey, KeyError>;

    /// ECDSA over the SHA-256 of `message`, as DER or as raw r‖s. With a key for [`KeyPurpose::Approval`] it waits for the user.
    ///
    /// # Errors
    ///
    /// Any [`KeyError`]; each leads the user somewhere else, so don't fold them.
    fn sign(&self, label: &KeyLabel, message: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Removes a key; one that isn't there is no error.
    ///
    /// # Errors
    ///
    /// [`KeyError::Busy`] or [`KeyError::Unavailable`].
    fn delete(&self, label: &KeyLabel) -> Result<(), KeyError>;
}

/// Why the keystore could not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key is gone for good because the way to unlock the phone changed.
    #[error("the key was invalidated")]
    Invalidated,
    /// The user cancelled.
    #[error("cancelled by the user")]
    Cancelled,
    /// The user must unlock the key (or the phone for the first time since it started).
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

/// Wraps the store's master key under a key that never leaves the phone. It must be usable without the user and must
/// not be bound to biometrics: else a new finger would destroy the store.
pub trait KeyWrap: Send + Sync {
    /// Seals `key`, bound to `aad`.
    ///
    /// # Errors
    ///
    /// Any [`KeyError`].
    fn wrap(&self, key: &[u8; 32], aad: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Opens what [`KeyWrap::wrap`] sealed for the same `aad`.
    ///
    /// # Errors
    ///
    /// Any [`KeyError`]; [`KeyError::Invalidated`] where `wrapped` was made by another key or changed.
    fn unwrap(&self, wrapped: &[u8], aad: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Forgets the wrapping key: whatever it wrapped is lost.
    ///
    /// # Errors
    ///
    /// Any [`KeyError`].
    fn forget(&self) -> Result<(), KeyError>;
}

/// A few bytes that no backup takes along (a no-backup file, a this-device-only keychain item). They tell a restored
/// store from the one that the phone really used.
pub trait Witness: Send + Sync {
    /// The bytes stored last; `None` where there are none.
    ///
    /// # Errors
    ///
    /// [`WitnessError`].
    fn load(&self) -> Result<Option<Vec<u8>>, WitnessError>;

    /// Replaces the bytes (at most 64), durably and atomically.
    ///
    /// # Errors
    ///
    /// [`WitnessError`].
    fn store(&self, bytes: &[u8]) -> Result<(), WitnessError>;

    /// Removes the bytes.
    ///
    /// # Errors
    ///
    /// [`WitnessError`].
    fn clear(&self) -> Result<(), WitnessError>;
}

/// Why the witness could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// No space is left.
    #[error("no space is left")]
    Full,
    /// The storage does not answer.
    #[error("the witness storage is unavailable")]
    Unavailable,
}
