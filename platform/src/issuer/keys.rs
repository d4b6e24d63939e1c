//! Server keys: made at first start, one file each, readable by their owner only.
//!
//! The root key signs nothing but the keyset and lies in a folder of its own, so that a school can take it offline; the
//! others sign while the platform runs. All signing goes through [`KeySigner`], so that a key can live in an HSM.

use crate::clock::HOUR;
use crate::error::Result;
use crate::files::write_durably;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use std::fmt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yika_api::UnixMillis;
use yika_format::lists::{KeysetEntry, Role};
use yika_format::{ExpandedKey, KeyId, Signature};

/// Signs with a key that it does not give out.
pub trait KeySigner: Send + Sync {
    /// The public half.
    fn public_key(&self) -> ExpandedKey;
    /// ECDSA on P-256 with SHA-256 over the message.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;
}

/// Why a server key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The file cannot be made, read or protected.
    #[error("cannot use key file {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others than its owner can read the file.
    #[error("others can read key file {0}; take their rights away, and replace the key if they had them")]
    Exposed(PathBuf),
    /// The file holds no P-256 key in PKCS #8.
    #[error("key file {0} holds no P-256 private key")]
    Unreadable(PathBuf),
    /// The file's key is not the one that the database knows.
    #[error(
        "key file {0} holds another key than the database knows; restore the folder that belongs to the database"
    )]
    Mismatch(PathBuf),
    /// The keyset has to be signed anew, and the root key is not here.
    #[error("the keyset has to be signed anew; bring the root key back to {0} for one start")]
    RootAway(PathBuf),
    /// No key of this role is in date.
    #[error("no {0} key is in date; make one with `yika-platform rotate-key --role {0}`")]
    OutOfDate(&'static str),
    /// The key could not sign.
    #[error("the key could not sign")]
    Sign,
}

/// A key in a file.
pub(crate) struct FileSigner {
    pair: EcdsaKeyPair,
    public: ExpandedKey,
    random: SystemRandom,
}

impl fmt::Debug for FileSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileSigner({:?})", self.public)
    }
}

impl FileSigner {
    /// Reads the key, or makes it where there is none.
    pub(crate) fn open_or_create(path: &Path) -> Result<Self, SignerError> {
        if !path.exists() {
            create_key(path)?;
        }
        Self::open(path)
    }

    /// Reads the key. Refuses a file that others can read.
    pub(crate) fn open(path: &Path) -> Result<Self, SignerError> {
        let failed = |source| SignerError::File {
            path: path.to_owned(),
            source,
        };
        let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(SignerError::Exposed(path.to_owned()));
        }
        let pkcs8 = zeroize::Zeroizing::new(std::fs::read(path).map_err(failed)?);
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &random)
            .map_err(|_| SignerError::Unreadable(path.to_owned()))?;
        let public = ExpandedKey::from_uncompressed(pair.public_key().as_ref())
            .map_err(|_| SignerError::Unreadable(path.to_owned()))?;
        Ok(Self { pair, public, random })
    }
}

/// Makes a key and keeps it. Before anything signed by it is given out, it is on the disk.
fn create_key(path: &Path) -> Result<(), SignerError> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| SignerError::Sign)?;
    yika_fault::commit!("platform.key", write(path, pkcs8.as_ref()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), SignerError> {
    write_durably(path, bytes).map_err(|source| SignerError::File {
        path: path.to_owned(),
        source,
    })
}

impl KeySigner for FileSigner {
    fn public_key(&self) -> ExpandedKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        let raw = self
            .pair
            .sign(&self.random, message)
            .map_err(|_| SignerError::Sign)?;
        let raw = raw.as_ref().try_into().map_err(|_| SignerError::Sign)?;
        Signature::from_raw(raw).map_err(|_| SignerError::Sign)
    }
}

/// A key of the keyset together with who signs with it.
#[derive(Clone)]
pub(crate) struct OnlineKey {
    pub(crate) entry: KeysetEntry,
    pub(crate) signer: Arc<dyn KeySigner>,
}

/// From when on a key signs: an hour after it is valid, because what it certifies may begin an hour before.
pub(super) fn starts_at(entry: &KeysetEntry) -> UnixMillis {
    UnixMillis(i64::from(entry.from.0) * 1000 + HOUR)
}

impl OnlineKey {
    /// Whether it signs at this time.
    pub(super) fn signs_at(&self, at: UnixMillis) -> bool {
        starts_at(&self.entry) <= at && at.0 < i64::from(self.entry.to.0) * 1000
    }
}

impl fmt::Debug for OnlineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OnlineKey({:?})", self.entry.id)
    }
}

/// The roles of online keys, each with its name in files; their first keys are numbered in this order.
pub(super) const ONLINE_ROLES: [(Role, &str); 3] = [
    (Role::Credential, "credential"),
    (Role::Table, "table"),
    (Role::Time, "time"),
];

/// What a role is called in files and messages.
pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Credential => "credential",
        Role::Table => "table",
        Role::Time => "time",
    }
}

/// The file of an online key.
pub(super) fn online_path(data_dir: &Path, name: &str, id: KeyId) -> PathBuf {
    data_dir
        .join("keys")
        .join("online")
        .join(format!("{name}-{}.p8", id.0))
}

/// The file of the root key.
pub(super) fn root_path(data_dir: &Path) -> PathBuf {
    data_dir.join("keys").join("root").join("root.p8")
}

/// Leaves a word beside the root key.
pub(super) fn explain_root(path: &Path) -> Result<(), SignerError> {
    let note = path.with_file_name("README.txt");
    if note.exists() {
        return Ok(());
    }
    let text = "root.p8 signs the school's keyset and nothing else; every terminal and phone pins its public half.\n\
        In production, keep this folder offline: the platform runs without it until the keyset has to be signed anew.\n";
    std::fs::write(&note, text).map_err(|source| SignerError::File { path: note, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/online/table-2.p8");
        FileSigner::open_or_create(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            FileSigner::open_or_create(&path),
            Err(SignerError::Exposed(_))
        ));
    }

    #[test]
    fn a_file_without_a_key_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k.p8");
        std::fs::write(&path, b"not a key").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(
            FileSigner::open_or_create(&path),
            Err(SignerError::Unreadable(_))
        ));
        assert_eq!(std::fs::read(&path).unwrap(), b"not a key");
    }

    #[test]
    fn a_key_is_made_once_and_signs_after_it_was_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k.p8");
        let made = FileSigner::open_or_create(&path).unwrap();
        let read = FileSigner::open_or_create(&path).unwrap();
        let signature = read.sign(b"message").unwrap();
        assert!(made.public_key().verify(b"message", &signature).is_ok());
    }
}
