//! The portraits' keys: one file each, in a folder that no backup has.

use crate::error::{Error, Result};
use crate::files::{remove_durably, write_durably};
use crate::random::random_bytes;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::io;
use std::path::{Path, PathBuf};
use uuid::Uuid;
use zeroize::Zeroizing;

const KEY_LEN: usize = 32;

/// Where the portraits' keys are.
#[derive(Clone, Debug)]
pub(crate) struct PhotoKeys {
    folder: PathBuf,
}

/// A portrait's key.
pub(super) struct PhotoKey {
    photo: Uuid,
    key: LessSafeKey,
}

impl PhotoKeys {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    fn path(&self, photo: Uuid) -> PathBuf {
        self.folder.join(photo.simple().to_string()).with_extension("key")
    }

    /// The portrait's key, made where there is none. It is on the disk before anything is sealed under it.
    pub(super) async fn get_or_create(&self, photo: Uuid) -> Result<PhotoKey> {
        let path = self.path(photo);
        let bytes = tokio::task::spawn_blocking(move || {
            if !path.exists() {
                let key = Zeroizing::new(random_bytes::<KEY_LEN>()?);
                yika_fault::commit!("platform.photo-key", write_durably(&path, &*key))?;
            }
            Ok::<_, Error>(Zeroizing::new(std::fs::read(&path)?))
        })
        .await??;
        PhotoKey::new(photo, &bytes)
    }

    /// The portrait's key, where it has not been destroyed.
    pub(super) async fn get(&self, photo: Uuid) -> Result<Option<PhotoKey>> {
        match tokio::fs::read(self.path(photo)).await.map(Zeroizing::new) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => PhotoKey::new(photo, &read?).map(Some),
        }
    }

    /// Destroys the portrait's key.
    pub(super) async fn destroy(&self, photo: Uuid) -> Result<()> {
        let path = self.path(photo);
        Ok(tokio::task::spawn_blocking(move || remove_durably(&path)).await??)
    }
}

impl PhotoKey {
    fn new(photo: Uuid, bytes: &[u8]) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| {
            io::Error::other(format!("the key of portrait {photo} has {} bytes", bytes.len()))
        })?;
        Ok(Self {
            photo,
            key: LessSafeKey::new(key),
        })
    }

    /// What a part is bound to: its portrait, and where in it it begins.
    fn place(&self, start: u32) -> Aad<[u8; 20]> {
        let mut place = [0; 20];
        place[..16].copy_from_slice(self.photo.as_bytes());
        place[16..].copy_from_slice(&start.to_be_bytes());
        Aad::from(place)
    }

    /// A part, sealed: its nonce, and what it became.
    pub(super) fn seal(&self, start: u32, part: &[u8]) -> Result<Vec<u8>> {
        let nonce = random_bytes::<NONCE_LEN>()?;
        let mut sealed = part.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                self.place(start),
                &mut sealed,
            )
            .map_err(|_| Error::Random)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// What was sealed. Nothing where it was changed, or is of another place.
    pub(super) fn open(&self, start: u32, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut bytes = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .key
            .open_in_place(nonce, self.place(start), &mut bytes)
            .ok()?;
        Some(opened.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_opens_at_its_place_in_its_portrait_until_the_key_is_destroyed() {
        let folder = tempfile::tempdir().unwrap();
        let keys = PhotoKeys::new(&folder.path().join("photo-keys"));
        let (photo, other) = (Uuid::new_v4(), Uuid::new_v4());
        let key = keys.get_or_create(photo).await.unwrap();
        let sealed = key.seal(5, b"part").unwrap();
        let again = keys.get(photo).await.unwrap().unwrap();
        assert_eq!(again.open(5, &sealed).unwrap(), b"part");
        assert_eq!(again.open(6, &sealed), None);
        let stranger = keys.get_or_create(other).await.unwrap();
        assert_eq!(stranger.open(5, &sealed), None);
        assert_eq!(again.open(5, &sealed[..11]), None);
        keys.destroy(photo).await.unwrap();
        keys.destroy(photo).await.unwrap();
        assert!(keys.get(photo).await.unwrap().is_none());
        assert!(keys.get(other).await.unwrap().is_some());
    }
}
