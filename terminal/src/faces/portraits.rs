//! The folder of the portraits: a file each, named by its reference, and nothing else for long.
//!
//! A file is written aside, made durable and renamed, so one with a portrait's name is whole. What is deleted is gone
//! from the folder durably when that returns.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use yika_format::FaceReference;
use yika_format::lists::FaceEntry;

use super::MAX_PORTRAIT;
use crate::error::StoreError;
use crate::home::{make_private_dir, sync_dir, write_durably};

const EXTENSION: &str = "jpg";

/// The portraits of one terminal.
#[derive(Debug)]
pub(crate) struct Portraits {
    dir: PathBuf,
}

/// Whether these bytes are the portrait that is listed. No bytes are none, whatever the digest.
pub(super) fn is_of(entry: &FaceEntry, jpeg: &[u8]) -> bool {
    !jpeg.is_empty() && digest(&SHA256, jpeg).as_ref() == entry.digest
}

impl Portraits {
    /// In this folder, which need not be there yet.
    pub(crate) const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    fn path(&self, reference: FaceReference) -> PathBuf {
        self.dir.join(format!("{reference}.{EXTENSION}"))
    }

    /// Which portraits are here.
    pub(super) fn kept(&self) -> Result<BTreeSet<FaceReference>, StoreError> {
        let files = self.files()?;
        Ok(files.iter().filter_map(|path| reference_of(path)).collect())
    }

    /// Everything in the folder.
    fn files(&self) -> Result<Vec<PathBuf>, StoreError> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(StoreError::io(&self.dir))?,
        };
        entries
            .map(|entry| Ok(entry.map_err(StoreError::io(&self.dir))?.path()))
            .collect()
    }

    /// The portrait that is listed, where it is here. One with other bytes is deleted.
    pub(super) fn read(&self, entry: &FaceEntry) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(entry.reference);
        let jpeg = match read_portrait(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(StoreError::io(&path))?,
        };
        if is_of(entry, &jpeg) {
            return Ok(Some(jpeg));
        }
        tracing::warn!(reference = %entry.reference, "a kept portrait is damaged; sync to fetch it anew");
        fs::remove_file(&path).map_err(StoreError::io(&path))?;
        Ok(None)
    }

    /// Keeps a portrait, checked before. It is durable when this returns.
    pub(super) fn keep(&self, reference: FaceReference, jpeg: &[u8]) -> Result<(), StoreError> {
        make_private_dir(&self.dir).map_err(StoreError::io(&self.dir))?;
        let path = self.path(reference);
        write_durably(&path, jpeg).map_err(StoreError::io(&path))
    }

    /// Deletes everything but these portraits, half-written files too; returns how many portraits went. They are gone
    /// durably when this returns, also those that went before a crash.
    pub(crate) fn remove_but(&self, is_listed: impl Fn(FaceReference) -> bool) -> Result<usize, StoreError> {
        let files = self.files()?;
        if files.is_empty() && !self.dir.exists() {
            return Ok(0);
        }
        let mut removed = 0;
        for path in files {
            let reference = reference_of(&path);
            if !reference.is_some_and(&is_listed) {
                fs::remove_file(&path).map_err(StoreError::io(&path))?;
                removed += usize::from(reference.is_some());
            }
        }
        sync_dir(&self.dir).map_err(StoreError::io(&self.dir))?;
        Ok(removed)
    }
}

/// Whose portrait a file is; `None` where its name is not one of those that are given here.
fn reference_of(path: &Path) -> Option<FaceReference> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(EXTENSION)?.strip_suffix('.')?.parse().ok()
}

/// The bytes of a file, of which no more are read than a portrait may have, and one.
fn read_portrait(path: &Path) -> io::Result<Vec<u8>> {
    let limit = u64::try_from(MAX_PORTRAIT).unwrap_or(u64::MAX);
    let mut jpeg = Vec::new();
    File::open(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut jpeg)?;
    Ok(jpeg)
}
