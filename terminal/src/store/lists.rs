//! Which lists the terminal has, and the newest version that it has ever seen of each.

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{Store, from_sql, to_sql};
use crate::error::StoreError;

/// The lists that are kept, by their message types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ListKind {
    Keyset = 1,
    Table = 2,
    Revocations = 4,
    Directory = 6,
    Faces = 8,
}

/// What is known of one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// The newest version seen; 0 for none. Older ones are refused for good.
    pub(crate) version: u64,
    /// The version of the whole list that is kept.
    pub(crate) base: u64,
    /// The whole list; empty for the table, which is a file.
    pub(crate) bytes: Vec<u8>,
}

impl Store {
    /// What is known of a list; nothing where it never came.
    pub(crate) fn list(&self, kind: ListKind) -> Result<Known, StoreError> {
        let sql = "SELECT version, base, bytes FROM list WHERE kind = ?1";
        let row = self
            .connection
            .query_row(sql, [kind as u8], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<Vec<u8>>>(2)?))
            })
            .optional()?;
        row.map_or_else(
            || Ok(Known::default()),
            |(version, base, bytes)| {
                Ok(Known {
                    version: from_sql(version)?,
                    base: from_sql(base)?,
                    bytes: bytes.unwrap_or_default(),
                })
            },
        )
    }

    /// Keeps a whole list. For a table the bytes are in its file already, and the deltas on the old one go.
    pub(crate) fn keep_list(
        &mut self,
        kind: ListKind,
        version: u64,
        bytes: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        keep(&transaction, kind, version, bytes)?;
        if kind == ListKind::Table {
            transaction.execute("DELETE FROM delta", [])?;
        }
        Ok(yika_fault::commit!("terminal.lists", transaction.commit())?)
    }

    /// Keeps deltas on the table, each with the version that it leads to.
    pub(crate) fn keep_deltas(&mut self, deltas: &[(u64, Vec<u8>)]) -> Result<(), StoreError> {
        let Some((newest, _)) = deltas.last() else {
            return Ok(());
        };
        let transaction = self.begin()?;
        for (version, bytes) in deltas {
            transaction.execute(
                "INSERT INTO delta (version, bytes) VALUES (?1, ?2)",
                params![to_sql(*version)?, bytes],
            )?;
        }
        transaction.execute(
            "UPDATE list SET version = ?1 WHERE kind = ?2",
            params![to_sql(*newest)?, ListKind::Table as u8],
        )?;
        Ok(yika_fault::commit!("terminal.lists", transaction.commit())?)
    }

    /// The deltas on the table, in their order.
    pub(crate) fn deltas(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut statement = self
            .connection
            .prepare("SELECT bytes FROM delta ORDER BY version")?;
        let deltas = statement.query_map([], |row| row.get(0))?;
        Ok(deltas.collect::<Result<_, _>>()?)
    }
}

pub(super) fn keep(
    transaction: &Transaction<'_>,
    kind: ListKind,
    version: u64,
    bytes: Option<&[u8]>,
) -> Result<(), StoreError> {
    transaction.execute(
        "INSERT INTO list (kind, version, base, bytes) VALUES (?1, ?2, ?2, ?3)
         ON CONFLICT (kind) DO UPDATE SET version = excluded.version, base = excluded.base, bytes = excluded.bytes",
        params![kind as u8, to_sql(version)?, bytes],
    )?;
    Ok(())
}
