//! The SQL of bound places. A place that was forgotten keeps its row: operations and bills name it.

use crate::db::{Connection, StoredEnum as _, stored_enum, uuid, variant};
use crate::error::Result;
use crate::random::new_id;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;
use yika_api::utility::{BoundPlace, MeterBalance, Place, Provider, UtilityKind};
use yika_api::{Fen, LocalizedText, UnixMillis};

stored_enum!(UtilityKind {
    UtilityKind::Electricity = "electricity",
    UtilityKind::Network = "network",
    UtilityKind::Water = "water",
    UtilityKind::Other = "other",
});

fn bound(row: &AnyRow) -> Result<BoundPlace> {
    Ok(BoundPlace {
        id: uuid(row, "id")?,
        provider: row.try_get("provider")?,
        kind: variant(row, "kind")?,
        code: row.try_get("code")?,
        name: LocalizedText {
            zh: row.try_get("name_zh")?,
            en: row.try_get("name_en")?,
        },
    })
}

/// The places that a holder has bound, the last one first.
pub(super) async fn bound_places(db: &mut Connection, holder: i64) -> Result<Vec<BoundPlace>> {
    let rows = sqlx::query(
        "SELECT id, provider, kind, code, name_zh, name_en FROM utility_place \
         WHERE holder = $1 AND forgotten_at IS NULL ORDER BY bound_at DESC, id DESC",
    )
    .bind(holder)
    .fetch_all(db)
    .await?;
    rows.iter().map(bound).collect()
}

/// A place that the holder has bound.
pub(crate) async fn bound_place(db: &mut Connection, holder: i64, id: Uuid) -> Result<Option<BoundPlace>> {
    let row = sqlx::query(
        "SELECT id, provider, kind, code, name_zh, name_en FROM utility_place \
         WHERE id = $1 AND holder = $2 AND forgotten_at IS NULL",
    )
    .bind(id.to_string())
    .bind(holder)
    .fetch_optional(db)
    .await?;
    row.map(|row| bound(&row)).transpose()
}

/// Binds a place, or binds it again; its name is the newest.
pub(super) async fn bind(
    tx: &mut Connection,
    holder: i64,
    provider: &Provider,
    place: &Place,
    now: UnixMillis,
) -> Result<BoundPlace> {
    let row = sqlx::query(
        "INSERT INTO utility_place (id, holder, provider, kind, code, name_zh, name_en, bound_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (holder, provider, code) DO UPDATE \
         SET name_zh = $6, name_en = $7, bound_at = $8, forgotten_at = NULL \
         RETURNING id, provider, kind, code, name_zh, name_en",
    )
    .bind(new_id(now).to_string())
    .bind(holder)
    .bind(&provider.code)
    .bind(provider.kind.to_stored())
    .bind(&place.code)
    .bind(&place.name.zh)
    .bind(&place.name.en)
    .bind(now.0)
    .fetch_one(tx)
    .await?;
    bound(&row)
}

/// Forgets a place.
pub(super) async fn forget(tx: &mut Connection, id: Uuid, now: UnixMillis) -> Result<()> {
    sqlx::query("UPDATE utility_place SET forgotten_at = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(now.0)
        .execute(tx)
        .await?;
    Ok(())
}

/// The newest balance of a place that was ever told.
pub(super) async fn known_balance(db: &mut Connection, id: Uuid) -> Result<Option<MeterBalance>> {
    let row = sqlx::query("SELECT balance, balance_at FROM utility_place WHERE id = $1")
        .bind(id.to_string())
        .fetch_one(db)
        .await?;
    let (amount, as_of): (Option<i64>, Option<i64>) = (row.try_get("balance")?, row.try_get("balance_at")?);
    Ok(amount.zip(as_of).map(|(amount, as_of)| MeterBalance {
        amount: Fen::new(amount),
        as_of: UnixMillis(as_of),
    }))
}

/// Keeps a balance, unless a newer one is known.
pub(super) async fn keep_balance(tx: &mut Connection, id: Uuid, balance: MeterBalance) -> Result<()> {
    sqlx::query(
        "UPDATE utility_place SET balance = $2, balance_at = $3 \
         WHERE id = $1 AND (balance_at IS NULL OR balance_at <= $3)",
    )
    .bind(id.to_string())
    .bind(balance.amount.get())
    .bind(balance.as_of.0)
    .execute(tx)
    .await?;
    Ok(())
}
