//! Private keys in files that their owner alone can read.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file cannot be made or read.
    #[error("cannot use the key file {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No key could be made.
    #[error("the system gave no random bytes for a key")]
    Random,
}

/// Reads the key, or makes one.
pub(crate) fn read_or_make(
    path: &Path,
    make: impl FnOnce() -> Option<Vec<u8>>,
) -> Result<Vec<u8>, KeyFileError> {
    let failed = |source| KeyFileError::File {
        path: path.to_owned(),
        source,
    };
    if path.exists() {
        return std::fs::read(path).map_err(failed);
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let key = make().ok_or(KeyFileError::Random)?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(&key).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(key)
}

/// A new signing key on P-256, as PKCS #8.
pub(crate) fn new_signer() -> Option<Vec<u8>> {
    EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .ok()
        .map(|pkcs8| pkcs8.as_ref().to_vec())
}
