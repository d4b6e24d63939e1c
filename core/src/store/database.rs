//! One SQLite file: how it is opened, checked and brought to the newest schema, how SQLite's errors are told apart, and how a damaged
//! file is put aside. Nothing here knows what the tables mean.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::StoreError;

/// A file's kind: its schema, and what its commits promise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// The file's name without extension.
    pub name: &'static str,
    /// In order; the first makes version 1.
    pub migrations: &'static [&'static str],
    /// Whether a commit outlives a loss of power (`synchronous=FULL`), or only the process.
    pub durable: bool,
    /// The file is checked at open up to this many bytes: what is checked each time must stay small.
    pub checked_up_to: u64,
}

impl Kind {
    fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.db", self.name))
    }

    /// Opens the file, making it if it is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] where SQLite finds it so.
    pub(super) fn open(&self, folder: &Path) -> Result<Connection, StoreError> {
        let path = self.path(folder);
        let mut connection = Connection::open(&path)?;
        self.configure(&connection)?;
        if fs::metadata(&path).is_ok_and(|file| file.len() <= self.checked_up_to) {
            let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
            if verdict != "ok" {
                return Err(StoreError::Damaged);
            }
        }
        self.migrate(&mut connection)?;
        Ok(connection)
    }

    fn configure(&self, connection: &Connection) -> Result<(), StoreError> {
        // One process owns the store (a lock file sees to that), so SQLite needs no shared memory.
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", if self.durable { "FULL" } else { "NORMAL" })?;
        // Apple's fsync alone does not reach the medium.
        connection.pragma_update(None, "fullfsync", self.durable)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        if self.durable {
            // A checkpoint costs fsyncs of its own: it's done on purpose (see `checkpoint`), never in the way of a code.
            connection.query_row("PRAGMA wal_autocheckpoint = 0", [], |_| Ok(()))?;
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        }
        Ok(())
    }

    fn migrate(&self, connection: &mut Connection) -> Result<(), StoreError> {
        let done: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let missing = usize::try_from(done)
            .ok()
            .and_then(|done| self.migrations.get(done..));
        for (version, migration) in (done + 1..).zip(missing.ok_or(StoreError::Newer)?) {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", version)?;
            yika_fault::commit!("phone.schema", transaction.commit())?;
        }
        Ok(())
    }

    /// Where its write-ahead log is.
    pub(super) fn log_path(&self, folder: &Path) -> PathBuf {
        with_suffix(&self.path(folder), "-wal")
    }

    /// Puts the file aside under a name of its own, and returns that; `None` where there is no file.
    pub(super) fn quarantine(&self, folder: &Path) -> Result<Option<PathBuf>, StoreError> {
        let path = self.path(folder);
        if !path.exists() {
            return Ok(None);
        }
        let kept = (1u32..)
            .map(|number| folder.join(format!("{}.damaged-{number}.db", self.name)))
            .find(|kept| !kept.exists())
            .ok_or(StoreError::Failed {
                operation: "quarantine",
            })?;
        // The log first: without it the file alone might look whole, but old.
        for suffix in ["-wal", "-shm", ""] {
            let from = with_suffix(&path, suffix);
            if from.exists() {
                fs::rename(from, with_suffix(&kept, suffix))
                    .map_err(|error| StoreError::io(&error, "quarantine"))?;
            }
        }
        Ok(Some(kept))
    }

    /// Deletes the file and all copies that were put aside.
    pub(super) fn delete(&self, folder: &Path) -> Result<(), StoreError> {
        let entries = fs::read_dir(folder).map_err(|error| StoreError::io(&error, "wipe"))?;
        let (file, aside) = (format!("{}.db", self.name), format!("{}.damaged-", self.name));
        for entry in entries {
            let entry = entry.map_err(|error| StoreError::io(&error, "wipe"))?;
            let name = entry.file_name();
            let ours = name
                .to_str()
                .is_some_and(|name| name.starts_with(&file) || name.starts_with(&aside));
            if ours {
                fs::remove_file(entry.path()).map_err(|error| StoreError::io(&error, "wipe"))?;
            }
        }
        Ok(())
    }
}

/// Moves what the log holds into the file, once the log has grown beyond `limit` bytes.
pub(super) fn checkpoint(connection: &Connection, log: &Path, limit: u64) -> Result<(), StoreError> {
    if fs::metadata(log).is_ok_and(|log| log.len() > limit) {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(_) => Self::Failed {
                operation: "database",
            },
            // No error of SQLite's own: a column is not of its type, so somebody else wrote it.
            None => Self::Damaged,
        }
    }
}
