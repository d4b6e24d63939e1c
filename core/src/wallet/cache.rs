//! The SQL of the wallet: one sealed row.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::model::WalletRecord;
use crate::store::{Place, Sealer, StoreError};

/// Keeps the wallet, unless what is kept is newer.
pub(super) fn put(cache: &mut Connection, sealer: &Sealer, record: &WalletRecord) -> Result<(), StoreError> {
    let transaction = cache.transaction()?;
    let known: Option<i64> = transaction
        .query_row("SELECT version FROM wallet WHERE id = 1", [], |row| row.get(0))
        .optional()?;
    let version = i64::try_from(record.version()).map_err(|_| StoreError::Encoding)?;
    if known.is_some_and(|known| known > version) {
        return Ok(());
    }
    let plain = serde_json::to_vec(record).map_err(|_| StoreError::Encoding)?;
    let sealed = sealer.seal(place(record.version()), &plain)?;
    transaction.execute(
        "INSERT INTO wallet (id, version, sealed) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, sealed = excluded.sealed",
        params![version, sealed],
    )?;
    Ok(yika_fault::commit!("phone.cache", transaction.commit())?)
}

/// The wallet as last told.
pub(super) fn get(cache: &Connection, sealer: &Sealer) -> Result<Option<WalletRecord>, StoreError> {
    let row: Option<(i64, Vec<u8>)> = cache
        .query_row("SELECT version, sealed FROM wallet WHERE id = 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let Some((version, sealed)) = row else {
        return Ok(None);
    };
    let version = u64::try_from(version).map_err(|_| StoreError::Damaged)?;
    let plain = sealer.open(place(version), &sealed)?;
    serde_json::from_slice(&plain)
        .map(Some)
        .map_err(|_| StoreError::Damaged)
}

/// Forgets it: the school offers none any more.
pub(super) fn remove(cache: &Connection) -> Result<(), StoreError> {
    cache.execute("DELETE FROM wallet", [])?;
    Ok(())
}

fn place(version: u64) -> Place<'static> {
    Place {
        table: "wallet",
        column: "sealed",
        row: b"1",
        version,
    }
}
