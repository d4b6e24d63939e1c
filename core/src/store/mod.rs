//! Where the phone keeps things: a journal for what must never be lost (each commit on the medium before it returns) and a cache
//! for what the platform can tell again. Sensitive columns of both are sealed under one master key that the phone's keystore
//! wraps. A damaged file is put aside, never deleted. One process at a time has the store.

mod database;
mod journal;
mod seal;
mod snapshots;
#[cfg(test)]
mod tests;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::ports::{KeyError, KeyWrap};
use database::Kind;
use journal::{JOURNAL, Journal};

pub(crate) use journal::{Changes, Record};
pub(crate) use seal::{Place, Sealer};
pub(crate) use snapshots::Snapshot;
use snapshots::{get_snapshot, put_snapshot, remove_snapshot};

const CACHE: Kind = Kind {
    name: "cache",
    migrations: &[
        include_str!("migrations/cache_0001.sql"),
        include_str!("migrations/cache_0002.sql"),
    ],
    durable: false,
    // A larger one is not read through at each open: damage shows when it is met, and then it is rebuilt as well.
    checked_up_to: 4 << 20,
};

/// Why the store could not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error("another process has the store open; close it first")]
    Busy,
    /// No space is left.
    #[error("no storage space is left; free some")]
    Full,
    /// The file, or a sealed value in it, is not what was written.
    #[error("the file is damaged")]
    Damaged,
    /// A newer version of the library wrote it.
    #[error("a newer version wrote the store; update the app")]
    Newer,
    /// Anything else that the system refused.
    #[error("the storage failed ({operation}); try again")]
    Failed {
        /// What was being done.
        operation: &'static str,
    },
    /// A value could not be encoded.
    #[error("a value could not be encoded")]
    Encoding,
    /// No random bytes.
    #[error("no random bytes")]
    Random,
    /// The master key could not be wrapped or unwrapped.
    #[error("the master key cannot be unwrapped")]
    Key(KeyError),
}

impl StoreError {
    fn io(error: &io::Error, operation: &'static str) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Failed { operation },
        }
    }
}

/// That an earlier journal could not be used any more. Stays in the new one until a card is bound again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Loss {
    pub cause: LossCause,
    /// Where the earlier file was put.
    pub kept: Option<PathBuf>,
}

/// Why an earlier journal could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LossCause {
    Damaged,
    /// The key that wraps the master key is gone.
    KeyInvalidated,
}

impl Record for Loss {
    const NAME: &'static str = "loss";
}

/// The open store.
pub(crate) struct Store {
    folder: PathBuf,
    key_wrap: Arc<dyn KeyWrap>,
    journal: Mutex<Option<Journal>>,
    cache: Mutex<Option<Connection>>,
    /// Held as long as the store is open; the system releases it when the process dies.
    _lock: File,
}

impl Store {
    /// Opens the store in `folder`, making it if it is not there. A journal that can't be used is put aside, and a new
    /// one begun that says so ([`Loss`]).
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`], [`StoreError::Full`], [`StoreError::Newer`], [`StoreError::Key`] where the keystore may
    /// answer later, or [`StoreError::Failed`].
    pub(crate) fn open(folder: &Path, key_wrap: Arc<dyn KeyWrap>) -> Result<Self, StoreError> {
        create_private(folder).map_err(|error| StoreError::io(&error, "create folder"))?;
        let lock = lock(folder)?;
        let journal = match Journal::open(folder, key_wrap.as_ref()) {
            Err(StoreError::Damaged) => begin_again(folder, key_wrap.as_ref(), LossCause::Damaged)?,
            Err(StoreError::Key(KeyError::Invalidated | KeyError::Missing)) => {
                begin_again(folder, key_wrap.as_ref(), LossCause::KeyInvalidated)?
            }
            other => other?,
        };
        let (journal, cache) = (Mutex::new(Some(journal)), Mutex::new(None));
        Ok(Self {
            folder: folder.to_owned(),
            key_wrap,
            journal,
            cache,
            _lock: lock,
        })
    }

    /// Whether the journal has nothing in it.
    pub(crate) fn is_new(&self) -> bool {
        lock_of(&self.journal).as_ref().is_none_or(Journal::is_new)
    }

    /// A record of the journal.
    pub(crate) fn get<R: Record>(&self) -> Result<Option<R>, StoreError> {
        open_of(&mut lock_of(&self.journal))?.get()
    }

    /// Makes `changes` durable: on the medium when this returns.
    pub(crate) fn commit(&self, changes: &Changes) -> Result<(), StoreError> {
        open_of(&mut lock_of(&self.journal))?.commit(changes)
    }

    /// Keeps the journal's log short. To be called when nobody waits.
    pub(crate) fn tidy(&self) -> Result<(), StoreError> {
        open_of(&mut lock_of(&self.journal))?.tidy()
    }

    /// Works on the cache, which is opened at first use. A damaged one is put aside, and the work done on a new one.
    pub(crate) fn with_cache<T>(
        &self,
        work: impl Fn(&mut Connection, &Sealer) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let sealer = Arc::clone(&open_of(&mut lock_of(&self.journal))?.sealer);
        let mut cache = lock_of(&self.cache);
        match self
            .open_cache(&mut cache)
            .and_then(|connection| work(connection, &sealer))
        {
            Err(StoreError::Damaged) => {
                *cache = None;
                CACHE.quarantine(&self.folder)?;
                work(self.open_cache(&mut cache)?, &sealer)
            }
            other => other,
        }
    }

    /// Keeps what was told, unless something newer is kept.
    pub(crate) fn put_snapshot<T: Snapshot>(&self, snapshot: &T) -> Result<(), StoreError> {
        self.with_cache(|cache, sealer| put_snapshot(cache, sealer, snapshot))
    }

    /// What was told last; `None` where that was never or is lost.
    pub(crate) fn snapshot<T: Snapshot>(&self) -> Result<Option<T>, StoreError> {
        self.with_cache(|cache, sealer| get_snapshot(cache, sealer))
    }

    /// Forgets what was told.
    pub(crate) fn remove_snapshot<T: Snapshot>(&self) -> Result<(), StoreError> {
        self.with_cache(|cache, _| remove_snapshot::<T>(cache))
    }

    fn open_cache<'a>(&self, cache: &'a mut Option<Connection>) -> Result<&'a mut Connection, StoreError> {
        if cache.is_none() {
            *cache = Some(CACHE.open(&self.folder)?);
        }
        open_of(cache)
    }

    /// Forgets everything, beginning with the key without which the rest is noise; then begins anew.
    pub(crate) fn wipe(&self) -> Result<(), StoreError> {
        let forgotten = self.key_wrap.forget();
        (*lock_of(&self.journal), *lock_of(&self.cache)) = (None, None);
        JOURNAL.delete(&self.folder)?;
        CACHE.delete(&self.folder)?;
        // Asks the keystore for a new key, so not under the lock.
        let journal = Journal::open(&self.folder, self.key_wrap.as_ref())?;
        *lock_of(&self.journal) = Some(journal);
        forgotten.map_err(StoreError::Key)
    }

    /// Forgets what the platform can tell again.
    pub(crate) fn drop_cache(&self) -> Result<(), StoreError> {
        let mut cache = lock_of(&self.cache);
        *cache = None;
        CACHE.delete(&self.folder)
    }
}

fn begin_again(folder: &Path, key_wrap: &dyn KeyWrap, cause: LossCause) -> Result<Journal, StoreError> {
    let kept = JOURNAL.quarantine(folder)?;
    let mut journal = Journal::open(folder, key_wrap)?;
    journal.commit(&Changes::new().put(&Loss { cause, kept })?)?;
    Ok(journal)
}

/// A thread that panicked left either the state before or the state after its transaction.
fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_of<T>(open: &mut Option<T>) -> Result<&mut T, StoreError> {
    open.as_mut().ok_or(StoreError::Failed { operation: "reopen" })
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join("lock"))
        .map_err(|error| StoreError::io(&error, "lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy),
        Err(TryLockError::Error(error)) => Err(StoreError::io(&error, "lock")),
    }
}

/// Makes a folder that only its owner can enter.
fn create_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
