//! What the platform told whole and will tell whole again: one sealed row a thing, in the cache.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Place, Sealer, StoreError};

/// Something that is kept as it was told last.
pub(crate) trait Snapshot: Serialize + DeserializeOwned {
    /// The name of its row. Part of the file's format.
    const NAME: &'static str;

    /// Rises where what is told tells it: an answer with a lower one is old news. 0 for things without.
    fn version(&self) -> u64 {
        0
    }
}

/// Keeps a snapshot, unless what is kept is newer.
pub(crate) fn put_snapshot<T: Snapshot>(
    cache: &mut Connection,
    sealer: &Sealer,
    snapshot: &T,
) -> Result<(), StoreError> {
    let transaction = cache.transaction()?;
    let known: Option<i64> = transaction
        .query_row(
            "SELECT version FROM snapshots WHERE name = ?1",
            [T::NAME],
            |row| row.get(0),
        )
        .optional()?;
    let version = i64::try_from(snapshot.version()).map_err(|_| StoreError::Encoding)?;
    if known.is_some_and(|known| known > version) {
        return Ok(());
    }
    let plain = serde_json::to_vec(snapshot).map_err(|_| StoreError::Encoding)?;
    let sealed = sealer.seal(place::<T>(snapshot.version()), &plain)?;
    transaction.execute(
        "INSERT INTO snapshots (name, version, sealed) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET version = excluded.version, sealed = excluded.sealed",
        params![T::NAME, version, sealed],
    )?;
    Ok(yika_fault::commit!("phone.cache", transaction.commit())?)
}

/// A snapshot as it was told last.
pub(crate) fn get_snapshot<T: Snapshot>(
    cache: &Connection,
    sealer: &Sealer,
) -> Result<Option<T>, StoreError> {
    let row: Option<(i64, Vec<u8>)> = cache
        .query_row(
            "SELECT version, sealed FROM snapshots WHERE name = ?1",
            [T::NAME],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((version, sealed)) = row else {
        return Ok(None);
    };
    let version = u64::try_from(version).map_err(|_| StoreError::Damaged)?;
    let plain = sealer.open(place::<T>(version), &sealed)?;
    serde_json::from_slice(&plain)
        .map(Some)
        .map_err(|_| StoreError::Damaged)
}

/// Forgets a snapshot: there is no such thing any more.
pub(crate) fn remove_snapshot<T: Snapshot>(cache: &Connection) -> Result<(), StoreError> {
    cache.execute("DELETE FROM snapshots WHERE name = ?1", [T::NAME])?;
    Ok(())
}

fn place<T: Snapshot>(version: u64) -> Place<'static> {
    Place {
        table: "snapshots",
        column: "sealed",
        row: T::NAME.as_bytes(),
        version,
    }
}
