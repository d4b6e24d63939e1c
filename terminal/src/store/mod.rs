//! What a terminal must not forget: one SQLite file, every commit on the disk before it counts (`synchronous=FULL`).
//!
//! Opening checks the file. A damaged one is moved aside, whole, and the caller is told where: nothing is repaired, since
//! a journal with a hole is worse than a terminal that must be enrolled anew. The laws that matter most (numbers
//! without gaps, sequences and versions that only rise) are constraints and triggers, so that no mistake here breaks them.

mod approvals;
mod enrolment;
mod lists;
mod uploads;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

pub(crate) use approvals::NewApproval;
pub(crate) use enrolment::Enrolment;
pub(crate) use lists::{Known, ListKind};

use crate::error::StoreError;
use crate::home::Home;

/// Numbered from 1, forward only; never changed once released.
const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001_terminal.sql")];
/// The schema after all of them.
const NEWEST: u32 = 1;
/// Statements kept prepared: all there are.
const STATEMENTS: usize = 64;

/// An open store.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
}

impl Store {
    /// Opens the store of this home, making or migrating it if need be. A damaged one is moved aside.
    pub(crate) fn open(home: &Home) -> Result<Self, StoreError> {
        match Self::open_file(&home.database()) {
            Err(StoreError::Corrupt) => Err(StoreError::Damaged {
                aside: home.quarantine()?,
            }),
            other => other,
        }
    }

    fn open_file(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        // A reader beside this process, such as a backup, is waited for.
        connection.busy_timeout(Duration::from_secs(2))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(StoreError::Corrupt);
        }
        let mut store = Self { connection };
        store.migrate()?;
        Ok(store)
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        let found: u32 = self
            .connection
            .pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > NEWEST {
            return Err(StoreError::Newer { found, known: NEWEST });
        }
        for (version, migration) in (1..=NEWEST)
            .zip(MIGRATIONS)
            .filter(|(version, _)| *version > found)
        {
            let transaction = self.begin()?;
            transaction.execute_batch(migration)?;
            transaction.pragma_update(None, "user_version", version)?;
            yika_fault::commit!("terminal.schema", transaction.commit())?;
        }
        Ok(())
    }

    /// Makes every write fail, as a disk would that is full or read-only.
    #[cfg(test)]
    pub(crate) fn forbid_writing(&self, forbid: bool) {
        self.connection.pragma_update(None, "query_only", forbid).unwrap();
    }

    fn begin(&mut self) -> Result<Transaction<'_>, StoreError> {
        Ok(self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        // The index of the write-ahead log needs room too, as soon as the store is opened.
        let no_room_for_index = rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
        if error
            .sqlite_error()
            .is_some_and(|error| error.extended_code == no_room_for_index)
        {
            return Self::Full;
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt,
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Database(error),
        }
    }
}

/// A number as SQLite stores it. Versions, times and sums stay far below its limit.
fn to_sql(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Number)
}

/// A number as SQLite stored it.
fn from_sql(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt)
}

/// Bytes of a fixed length as SQLite stored them.
fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt)
}
