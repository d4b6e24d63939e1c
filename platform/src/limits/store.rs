//! The SQL of holders' limits.

use super::Bounds;
use crate::db::{Connection, StoredEnum as _, stored_enum};
use crate::error::Result;
use sqlx::Row as _;
use yika_api::{Fen, UnixMillis};

/// What limits are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Money that comes by way of the bank.
    TopUp,
    /// Payments off card accounts.
    Spend,
}
stored_enum!(Purpose { Purpose::TopUp = "top_up", Purpose::Spend = "spend" });

/// What the holder has set.
pub(super) async fn own(db: &mut Connection, holder: i64, purpose: Purpose) -> Result<Option<Bounds>> {
    let row = sqlx::query("SELECT single, day FROM holder_limit WHERE holder = $1 AND purpose = $2")
        .bind(holder)
        .bind(purpose.to_stored())
        .fetch_optional(db)
        .await?;
    row.map(|row| {
        Ok(Bounds {
            single: Fen::new(row.try_get("single")?),
            day: Fen::new(row.try_get("day")?),
        })
    })
    .transpose()
}

/// Keeps what the holder sets.
pub(super) async fn set(
    tx: &mut Connection,
    holder: i64,
    purpose: Purpose,
    bounds: Bounds,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO holder_limit (holder, purpose, single, day, changed_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (holder, purpose) DO UPDATE SET single = $3, day = $4, changed_at = $5",
    )
    .bind(holder)
    .bind(purpose.to_stored())
    .bind(bounds.single.get())
    .bind(bounds.day.get())
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets what the holder has set: the school's limits hold.
pub(crate) async fn clear(tx: &mut Connection, holder: i64) -> Result<()> {
    sqlx::query("DELETE FROM holder_limit WHERE holder = $1")
        .bind(holder)
        .execute(tx)
        .await?;
    Ok(())
}

/// What a holder has paid off card accounts since an instant, less what was given back.
pub(super) async fn spent_since(db: &mut Connection, holder: i64, since: UnixMillis) -> Result<Fen> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(-p.amount - p.refunded), 0) AS BIGINT) AS spent FROM payment p \
         JOIN ledger_account a ON a.id = p.account WHERE p.holder = $1 AND a.kind = 'card' AND p.posted_at >= $2 \
         AND p.status = 'posted' AND p.kind IN ('purchase', 'library_fee', 'utility')",
    )
    .bind(holder)
    .bind(since.0)
    .fetch_one(db)
    .await?;
    Ok(Fen::new(row.try_get("spent")?))
}
