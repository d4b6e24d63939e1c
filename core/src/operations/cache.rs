//! The SQL of operations. What a row is found by is in the clear, all else is sealed.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::operation::{Operation as Told, OperationPage as ToldPage};

use super::flow::is_newer;
use super::model::OperationCursor;
use crate::store::{Place, Sealer, StoreError};

/// How far the feed was followed.
pub(super) fn feed_cursor(cache: &Connection) -> Result<Option<String>, StoreError> {
    Ok(cache
        .query_row("SELECT cursor FROM operation_feed WHERE id = 1", [], |row| {
            row.get(0)
        })
        .optional()?)
}

/// Applies a page of the feed that follows `after`. Answers whether it did, as for bills.
pub(super) fn put_page(
    cache: &mut Connection,
    sealer: &Sealer,
    after: Option<&str>,
    page: &ToldPage,
) -> Result<bool, StoreError> {
    let transaction = cache.transaction()?;
    if feed_cursor(&transaction)?.as_deref() != after {
        return Ok(false);
    }
    for told in &page.operations {
        put_one(&transaction, sealer, told)?;
    }
    transaction.execute(
        "INSERT INTO operation_feed (id, cursor) VALUES (1, ?1)
         ON CONFLICT (id) DO UPDATE SET cursor = excluded.cursor",
        [&page.cursor],
    )?;
    yika_fault::commit!("phone.cache", transaction.commit())?;
    Ok(true)
}

/// Keeps one operation, unless what is kept is newer.
pub(super) fn put(cache: &mut Connection, sealer: &Sealer, told: &Told) -> Result<(), StoreError> {
    let transaction = cache.transaction()?;
    put_one(&transaction, sealer, told)?;
    Ok(yika_fault::commit!("phone.cache", transaction.commit())?)
}

fn put_one(transaction: &Transaction<'_>, sealer: &Sealer, told: &Told) -> Result<(), StoreError> {
    let known: Option<i64> = transaction
        .prepare_cached("SELECT version FROM operations WHERE id = ?1")?
        .query_row([told.id.as_bytes()], |row| row.get(0))
        .optional()?;
    let known = known
        .map(|version| u64::try_from(version).map_err(|_| StoreError::Damaged))
        .transpose()?;
    if !is_newer(known, told) {
        return Ok(());
    }
    let plain = serde_json::to_vec(told).map_err(|_| StoreError::Encoding)?;
    let sealed = sealer.seal(place(told.id.as_bytes(), told.version), &plain)?;
    transaction
        .prepare_cached(
            "INSERT INTO operations (id, began_at, version, sealed) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET version = excluded.version, sealed = excluded.sealed",
        )?
        .execute(params![
            told.id.as_bytes(),
            began_at(told).0,
            i64::try_from(told.version).map_err(|_| StoreError::Encoding)?,
            sealed
        ])?;
    Ok(())
}

/// One operation.
pub(super) fn find(cache: &Connection, sealer: &Sealer, id: Uuid) -> Result<Option<Told>, StoreError> {
    cache
        .prepare_cached("SELECT id, version, sealed FROM operations WHERE id = ?1")?
        .query_row([id.as_bytes()], sealed_row)
        .optional()?
        .map(|row| open(sealer, &row))
        .transpose()
}

/// At most so many operations that began before `after`, newest first.
pub(super) fn read(
    cache: &Connection,
    sealer: &Sealer,
    after: Option<OperationCursor>,
    limit: u16,
) -> Result<Vec<Told>, StoreError> {
    let (began_at, id) = after.map_or((i64::MAX, Uuid::max()), |after| (after.began_at.0, after.id));
    let mut statement = cache.prepare_cached(
        "SELECT id, version, sealed FROM operations WHERE (began_at, id) < (?1, ?2)
         ORDER BY began_at DESC, id DESC LIMIT ?3",
    )?;
    let rows = statement.query_map(params![began_at, id.as_bytes(), limit], sealed_row)?;
    rows.map(|row| open(sealer, &row?)).collect()
}

type SealedRow = ([u8; 16], i64, Vec<u8>);

fn sealed_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<SealedRow> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

fn open(sealer: &Sealer, (id, version, sealed): &SealedRow) -> Result<Told, StoreError> {
    let version = u64::try_from(*version).map_err(|_| StoreError::Damaged)?;
    let plain = sealer.open(place(id, version), sealed)?;
    serde_json::from_slice(&plain).map_err(|_| StoreError::Damaged)
}

/// When it began: its first step.
pub(super) fn began_at(told: &Told) -> UnixMillis {
    told.steps.first().map_or(UnixMillis(0), |step| step.at)
}

fn place(id: &[u8; 16], version: u64) -> Place<'_> {
    Place {
        table: "operations",
        column: "sealed",
        row: id,
        version,
    }
}
