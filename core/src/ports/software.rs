//! Ports for a machine without a phone's hardware: Linux clocks, and files beside the store that stand in for a keystore's
//! wrapping key and for storage outside backups. Files are no hardware: who can read the device folder can read the store.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::{KeyError, KeyWrap, Witness, WitnessError};

#[cfg(target_os = "linux")]
pub use linux::LinuxClock;

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::time::{SystemTime, UNIX_EPOCH};

    use rustix::time::{ClockId, clock_gettime};
    use yika_api::UnixMillis;

    use crate::ports::{BootId, ClockError, ClockSample, SystemClock};

    /// The clocks of a Linux machine: the one place in the workspace's core that asks the system for the time.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct LinuxClock;

    impl SystemClock for LinuxClock {
        fn sample(&self) -> Result<ClockSample, ClockError> {
            let boot_id = fs::read("/proc/sys/kernel/random/boot_id").map_err(|_| ClockError)?;
            let up = clock_gettime(ClockId::Boottime);
            let up_ms = up
                .tv_sec
                .checked_mul(1000)
                .and_then(|ms| ms.checked_add(up.tv_nsec / 1_000_000));
            let wall = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_err(|_| ClockError)?;
            Ok(ClockSample {
                wall: UnixMillis(i64::try_from(wall.as_millis()).map_err(|_| ClockError)?),
                monotonic_ms: up_ms.and_then(|ms| u64::try_from(ms).ok()).ok_or(ClockError)?,
                boot_id: BootId::of(&boot_id),
            })
        }
    }
}

/// Wraps under a key in a file that only its owner can read.
#[derive(Clone, Debug)]
pub struct FileKeyWrap {
    path: PathBuf,
}

impl FileKeyWrap {
    /// The key lives in `path`, made at first use.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn key(&self) -> Result<LessSafeKey, KeyError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(KeyError::Invalidated),
            Err(_) => return Err(KeyError::Unavailable),
        };
        parse(&bytes)
    }

    fn create(&self) -> Result<LessSafeKey, KeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        SystemRandom::new()
            .fill(bytes.as_mut_slice())
            .map_err(|_| KeyError::Unavailable)?;
        replace_file(&self.path, bytes.as_slice()).map_err(key_error)?;
        parse(bytes.as_slice())
    }
}

fn parse(bytes: &[u8]) -> Result<LessSafeKey, KeyError> {
    UnboundKey::new(&AES_256_GCM, bytes)
        .map(LessSafeKey::new)
        .map_err(|_| KeyError::Invalidated)
}

impl KeyWrap for FileKeyWrap {
    fn wrap(&self, key: &[u8; 32], aad: &[u8]) -> Result<Vec<u8>, KeyError> {
        let wrapping = match self.key() {
            Err(KeyError::Invalidated) => self.create()?,
            other => other?,
        };
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new()
            .fill(&mut nonce)
            .map_err(|_| KeyError::Unavailable)?;
        let mut sealed = key.to_vec();
        wrapping
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed)
            .map_err(|_| KeyError::Unavailable)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn unwrap(&self, wrapped: &[u8], aad: &[u8]) -> Result<Vec<u8>, KeyError> {
        let wrapping = self.key()?;
        let (nonce, sealed) = wrapped
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(KeyError::Invalidated)?;
        let mut opened = Zeroizing::new(sealed.to_vec());
        let key = wrapping
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut opened)
            .map_err(|_| KeyError::Invalidated)?;
        Ok(key.to_vec())
    }

    fn forget(&self) -> Result<(), KeyError> {
        remove_file(&self.path).map_err(|_| KeyError::Unavailable)
    }
}

/// Keeps the witness in a file. It must lie outside what is backed up.
#[derive(Clone, Debug)]
pub struct FileWitness {
    path: PathBuf,
}

impl FileWitness {
    /// The witness lives in `path`, made at first use.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl Witness for FileWitness {
    fn load(&self) -> Result<Option<Vec<u8>>, WitnessError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(_) => Err(WitnessError::Unavailable),
        }
    }

    fn store(&self, bytes: &[u8]) -> Result<(), WitnessError> {
        replace_file(&self.path, bytes).map_err(witness_error)
    }

    fn clear(&self) -> Result<(), WitnessError> {
        remove_file(&self.path).map_err(witness_error)
    }
}

// Taken by value because `map_err` gives it so; the next one too.
#[expect(clippy::needless_pass_by_value)]
fn key_error(error: io::Error) -> KeyError {
    if is_full(&error) {
        KeyError::Full
    } else {
        KeyError::Unavailable
    }
}

#[expect(clippy::needless_pass_by_value)]
fn witness_error(error: io::Error) -> WitnessError {
    if is_full(&error) {
        WitnessError::Full
    } else {
        WitnessError::Unavailable
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Replaces a file atomically and durably, readable by its owner only.
fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    yika_fault::commit!("phone.file", replace(path, bytes))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    yika_fault::reach("phone.file.before-rename");
    fs::rename(&new, path)?;
    // The rename itself is durable once the folder is.
    fs::File::open(directory)?.sync_all()
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_foreign_wrapping_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let wrap = FileKeyWrap::new(folder.path().join("a"));
        let wrapped = wrap.wrap(&[7; 32], b"aad").unwrap();
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert_eq!(
                wrap.unwrap(&changed, b"aad"),
                Err(KeyError::Invalidated),
                "byte {at}"
            );
        }
        assert_eq!(wrap.unwrap(&wrapped, b"other"), Err(KeyError::Invalidated));
        assert_eq!(wrap.unwrap(&wrapped[..5], b"aad"), Err(KeyError::Invalidated));
        let other = FileKeyWrap::new(folder.path().join("b"));
        assert_eq!(other.unwrap(&wrapped, b"aad"), Err(KeyError::Invalidated));
        assert_eq!(wrap.unwrap(&wrapped, b"aad"), Ok(vec![7; 32]));
    }

    #[test]
    fn a_forgotten_wrapping_key_opens_nothing_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let wrap = FileKeyWrap::new(folder.path().join("key"));
        let wrapped = wrap.wrap(&[7; 32], b"aad").unwrap();
        wrap.forget().unwrap();
        wrap.wrap(&[8; 32], b"aad").unwrap();
        assert_eq!(wrap.unwrap(&wrapped, b"aad"), Err(KeyError::Invalidated));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_what_is_kept() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness");
        FileWitness::new(&path).store(b"bytes").unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_witness_has_what_was_stored_last_until_it_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let witness = FileWitness::new(folder.path().join("deep").join("witness"));
        assert_eq!(witness.load(), Ok(None));
        witness.clear().unwrap();
        witness.store(b"one").unwrap();
        witness.store(b"two").unwrap();
        assert_eq!(witness.load(), Ok(Some(b"two".to_vec())));
        witness.clear().unwrap();
        assert_eq!(witness.load(), Ok(None));
    }
}
