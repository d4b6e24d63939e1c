//! The journal: what the phone must never forget, one sealed record a name. A commit is on the medium when it returns.

use std::collections::HashMap;
use std::path::PathBuf;

use ring::rand::{SecureRandom as _, SystemRandom};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use zeroize::Zeroizing;

use super::StoreError;
use super::database::{self, Kind};
use super::seal::{Place, Sealer};
use crate::ports::{KeyError, KeyWrap};

pub(super) const JOURNAL: Kind = Kind {
    name: "journal",
    migrations: &[include_str!("migrations/journal_0001.sql")],
    durable: true,
    checked_up_to: u64::MAX,
};

/// What the wrapping of the master key is bound to.
const MASTER_KEY_AAD: &[u8] = b"yika-store-1|master-key";
/// The log is emptied when it is larger, so that opening stays fast.
const LOG_LIMIT: u64 = 128 * 1024;

/// Something that the journal keeps.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The name of its row. Part of the file's format.
    const NAME: &'static str;
}

/// Changes to be made together or not at all.
#[derive(Default)]
pub(crate) struct Changes {
    records: Vec<(&'static str, Option<Zeroizing<Vec<u8>>>)>,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Replaces a record.
    pub(crate) fn put<R: Record>(mut self, record: &R) -> Result<Self, StoreError> {
        let plain = serde_json::to_vec(record).map_err(|_| StoreError::Encoding)?;
        self.records.push((R::NAME, Some(Zeroizing::new(plain))));
        Ok(self)
    }

    /// Removes a record.
    pub(crate) fn remove<R: Record>(mut self) -> Self {
        self.records.push((R::NAME, None));
        self
    }
}

/// The open journal.
pub(super) struct Journal {
    connection: Connection,
    pub(super) sealer: Arc<Sealer>,
    /// Versions of the rows there are: they only rise while a row lives.
    versions: HashMap<String, u64>,
    log: PathBuf,
}

impl Journal {
    /// Opens the file and its master key, and every record once: what doesn't open is found now, not in front of a till.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`], [`StoreError::Key`] where the master key does not unwrap, and others.
    pub(super) fn open(folder: &std::path::Path, key_wrap: &dyn KeyWrap) -> Result<Self, StoreError> {
        let connection = JOURNAL.open(folder)?;
        let sealer = Arc::new(Sealer::new(master_key(&connection, key_wrap)?));
        let mut journal = Self {
            connection,
            sealer,
            versions: HashMap::new(),
            log: JOURNAL.log_path(folder),
        };
        journal.read_all()?;
        Ok(journal)
    }

    fn read_all(&mut self) -> Result<(), StoreError> {
        let mut statement = self
            .connection
            .prepare("SELECT name, version, sealed FROM records")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (name, version, sealed): (String, i64, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let version = u64::try_from(version).map_err(|_| StoreError::Damaged)?;
            self.sealer.open(place(&name, version), &sealed)?;
            self.versions.insert(name, version);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn is_new(&self) -> bool {
        self.versions.is_empty()
    }

    pub(super) fn get<R: Record>(&self) -> Result<Option<R>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT version, sealed FROM records WHERE name = ?1")?;
        let row: Option<(i64, Vec<u8>)> = statement
            .query_row([R::NAME], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((version, sealed)) = row else {
            return Ok(None);
        };
        let version = u64::try_from(version).map_err(|_| StoreError::Damaged)?;
        let plain = self.sealer.open(place(R::NAME, version), &sealed)?;
        serde_json::from_slice(&plain)
            .map(Some)
            .map_err(|_| StoreError::Damaged)
    }

    pub(super) fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut written = Vec::with_capacity(changes.records.len());
        for (name, plain) in &changes.records {
            let Some(plain) = plain else {
                transaction
                    .prepare_cached("DELETE FROM records WHERE name = ?1")?
                    .execute([name])?;
                continue;
            };
            let version = self.versions.get(*name).copied().unwrap_or(0) + 1;
            let sealed = self.sealer.seal(place(name, version), plain)?;
            transaction
                .prepare_cached(
                    "INSERT INTO records (name, version, sealed) VALUES (?1, ?2, ?3)
                     ON CONFLICT (name) DO UPDATE SET version = excluded.version, sealed = excluded.sealed",
                )?
                .execute(params![
                    name,
                    i64::try_from(version).map_err(|_| StoreError::Encoding)?,
                    sealed
                ])?;
            written.push((*name, version));
        }
        yika_fault::commit!("phone.journal", transaction.commit())?;
        for (name, version) in written {
            self.versions.insert(name.to_owned(), version);
        }
        Ok(())
    }

    /// Empties the log where it has grown. Costs fsyncs, so never between a tap and a code.
    pub(super) fn tidy(&self) -> Result<(), StoreError> {
        database::checkpoint(&self.connection, &self.log, LOG_LIMIT)
    }
}

fn place(name: &str, version: u64) -> Place<'_> {
    Place {
        table: "records",
        column: "sealed",
        row: name.as_bytes(),
        version,
    }
}

/// The master key of this file, made at first open.
fn master_key(connection: &Connection, key_wrap: &dyn KeyWrap) -> Result<Zeroizing<[u8; 32]>, StoreError> {
    let wrapped: Option<Vec<u8>> = connection
        .query_row("SELECT wrapped FROM master_key WHERE id = 1", [], |row| {
            row.get(0)
        })
        .optional()?;
    if let Some(wrapped) = wrapped {
        let plain = Zeroizing::new(
            key_wrap
                .unwrap(&wrapped, MASTER_KEY_AAD)
                .map_err(StoreError::Key)?,
        );
        let mut key = Zeroizing::new([0; 32]);
        if plain.len() != key.len() {
            return Err(StoreError::Key(KeyError::Invalidated));
        }
        key.copy_from_slice(&plain);
        return Ok(key);
    }
    let mut key = Zeroizing::new([0; 32]);
    SystemRandom::new()
        .fill(key.as_mut_slice())
        .map_err(|_| StoreError::Random)?;
    let wrapped = key_wrap.wrap(&key, MASTER_KEY_AAD).map_err(StoreError::Key)?;
    let insert = "INSERT INTO master_key (id, wrapped) VALUES (1, ?1)";
    yika_fault::commit!("phone.master-key", connection.execute(insert, [wrapped]))?;
    Ok(key)
}
