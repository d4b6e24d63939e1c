//! The SQL of suspensions, and of what the school's card system is told.

use super::office::CardChange;
use crate::db::{
    Connection, StoredEnum as _, assembled, int, optional_uuid, stored_enum, take_numbers, uuid, variant,
};
use crate::error::{Error, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::lost::{Lost, SuspendedBy, Suspension};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Card,
    Phone,
    All,
}
stored_enum!(Scope { Scope::Card = "card", Scope::Phone = "phone", Scope::All = "all" });
stored_enum!(SuspendedBy { SuspendedBy::Holder = "self", SuspendedBy::Office = "office" });

/// A suspension, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct SuspensionRow {
    pub(super) holder: i64,
    pub(super) suspension: Suspension,
}

fn scope(lost: Lost) -> (Scope, Option<Uuid>) {
    match lost {
        Lost::Card => (Scope::Card, None),
        Lost::Phone { device_id } => (Scope::Phone, Some(device_id)),
        Lost::All => (Scope::All, None),
    }
}

const SUSPENSION: &str = "SELECT id, holder, scope, device, by_whom, decided_at, online_from, offline_by, \
     offline_identity_by, ended_at FROM suspension ";

fn suspension_row(row: &AnyRow) -> Result<SuspensionRow> {
    let device = optional_uuid(row, "device")?;
    let lost = match (variant::<Scope>(row, "scope")?, device) {
        (Scope::Card, None) => Lost::Card,
        (Scope::Phone, Some(device_id)) => Lost::Phone { device_id },
        (Scope::All, None) => Lost::All,
        (scope, _) => {
            return Err(Error::StoredValue {
                what: "scope",
                value: scope.to_stored().to_owned(),
            });
        }
    };
    Ok(SuspensionRow {
        holder: row.try_get("holder")?,
        suspension: Suspension {
            id: uuid(row, "id")?,
            lost,
            by: variant(row, "by_whom")?,
            decided_at: UnixMillis(row.try_get("decided_at")?),
            online_from: UnixMillis(row.try_get("online_from")?),
            offline_by: UnixMillis(row.try_get("offline_by")?),
            offline_identity_by: UnixMillis(row.try_get("offline_identity_by")?),
            ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(UnixMillis),
        },
    })
}

/// A suspension, open or ended.
pub(super) async fn suspension(db: &mut Connection, id: Uuid) -> Result<Option<SuspensionRow>> {
    let row = sqlx::query(assembled(format!("{SUSPENSION} WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    row.map(|row| suspension_row(&row)).transpose()
}

/// What is suspended of a holder, in the order in which it was reported.
pub(super) async fn open(db: &mut Connection, holder: i64) -> Result<Vec<Suspension>> {
    let sql = assembled(format!(
        "{SUSPENSION} WHERE holder = $1 AND ended_at IS NULL ORDER BY number"
    ));
    let rows = sqlx::query(sql).bind(holder).fetch_all(db).await?;
    rows.iter()
        .map(|row| suspension_row(row).map(|row| row.suspension))
        .collect()
}

/// How much began and ended: rises with each change of what a holder is told.
pub(super) async fn version(db: &mut Connection, holder: i64) -> Result<u64> {
    let sql = "SELECT COALESCE(MAX(COALESCE(ended_number, number)), 0) AS version FROM suspension WHERE holder = $1";
    int(&sqlx::query(sql).bind(holder).fetch_one(db).await?, "version")
}

pub(super) async fn insert(
    tx: &mut Connection,
    holder: i64,
    new: &Suspension,
    reported_from: Option<Uuid>,
    now: UnixMillis,
) -> Result<()> {
    let number = take_numbers(tx, "suspension", 1).await?;
    let (scope, device) = scope(new.lost);
    sqlx::query(
        "INSERT INTO suspension (id, number, holder, scope, device, by_whom, reported_from, decided_at, recorded_at, \
         online_from, offline_by, offline_identity_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(new.id.to_string())
    .bind(number)
    .bind(holder)
    .bind(scope.to_stored())
    .bind(device.map(|device| device.to_string()))
    .bind(new.by.to_stored())
    .bind(reported_from.map(|device| device.to_string()))
    .bind(new.decided_at.0)
    .bind(now.0)
    .bind(new.online_from.0)
    .bind(new.offline_by.0)
    .bind(new.offline_identity_by.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// When the holder last reported this, of the reports that are open.
pub(super) async fn last_reported_at(db: &mut Connection, holder: i64, lost: Lost) -> Result<UnixMillis> {
    let (scope, device) = scope(lost);
    let row = sqlx::query(
        "SELECT COALESCE(MAX(recorded_at), 0) AS recorded_at FROM suspension WHERE holder = $1 AND scope = $2 \
         AND COALESCE(device, '') = $3 AND by_whom = 'self' AND ended_at IS NULL",
    )
    .bind(holder)
    .bind(scope.to_stored())
    .bind(device.map(|device| device.to_string()).unwrap_or_default())
    .fetch_one(db)
    .await?;
    Ok(UnixMillis(row.try_get("recorded_at")?))
}

/// Ends an open suspension.
pub(super) async fn end(tx: &mut Connection, id: Uuid, by: SuspendedBy, now: UnixMillis) -> Result<()> {
    let number = take_numbers(tx, "suspension", 1).await?;
    sqlx::query(
        "UPDATE suspension SET ended_at = $2, ended_by = $3, ended_number = $4 WHERE id = $1 AND ended_at IS NULL",
    )
    .bind(id.to_string())
    .bind(now.0)
    .bind(by.to_stored())
    .bind(number)
    .execute(tx)
    .await?;
    Ok(())
}

/// Whether the school's card system was last told that a holder's plastic card is suspended.
pub(super) async fn is_card_suspended(db: &mut Connection, holder: i64) -> Result<bool> {
    let sql = "SELECT suspended FROM card_change WHERE holder = $1 ORDER BY number DESC LIMIT 1";
    let row = sqlx::query(sql).bind(holder).fetch_optional(db).await?;
    Ok(match row {
        Some(row) => int::<u8>(&row, "suspended")? != 0,
        None => false,
    })
}

/// Tells the school's card system.
pub(super) async fn note_card_change(
    tx: &mut Connection,
    holder: i64,
    is_suspended: bool,
    now: UnixMillis,
) -> Result<()> {
    let number = take_numbers(tx, "card_change", 1).await?;
    sqlx::query("INSERT INTO card_change (number, holder, suspended, at) VALUES ($1, $2, $3, $4)")
        .bind(number)
        .bind(holder)
        .bind(i64::from(is_suspended))
        .bind(now.0)
        .execute(tx)
        .await?;
    Ok(())
}

/// What the school's card system has to know that it was not told yet.
pub(super) async fn card_changes(db: &mut Connection, after: u64, limit: i64) -> Result<Vec<CardChange>> {
    let rows = sqlx::query(
        "SELECT c.number, h.number AS holder, c.suspended, c.at FROM card_change c JOIN holder h ON h.id = c.holder \
         WHERE c.number > $1 ORDER BY c.number LIMIT $2",
    )
    .bind(i64::try_from(after).unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(CardChange {
                number: int(row, "number")?,
                holder: row.try_get("holder")?,
                is_suspended: int::<u8>(row, "suspended")? != 0,
                at: UnixMillis(row.try_get("at")?),
            })
        })
        .collect()
}
