//! The SQL of operations. An operation's row is its outbox too: what is to be said to the bank, when, and who is at it.

use super::booking::Parts;
use super::flow::{Next, Stage};
use super::stored::{kind, phase, stored_kind, stored_phase};
use crate::db::{
    Connection, ROWS, StoredEnum as _, assembled, bytes, int, optional_uuid, placeholders, uuid, variant,
};
use crate::error::{Error, Result};
use crate::ledger::AccountId;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use std::collections::HashMap;
use std::ops::Range;
use uuid::Uuid;
use yika_api::bank::{Authority, OrderDirection};
use yika_api::operation::{Funding, Operation, Phase, Step};
use yika_api::wallet::SealedField;
use yika_api::{Fen, UnixMillis};

/// An operation, as the platform works on it.
#[derive(Clone, Debug)]
pub(super) struct OperationRow {
    pub(super) id: Uuid,
    pub(super) holder: i64,
    /// The holder at the bank; absent where the bank has no part in it.
    pub(super) customer: Option<Uuid>,
    pub(super) request_hash: [u8; 32],
    pub(super) parts: Parts,
    pub(super) card: Option<Uuid>,
    pub(super) account: Option<AccountId>,
    /// The place of a utility that gets it.
    pub(super) place: Option<Place>,
    /// Why the bank may carry it out. A password is gone once the order can't be sent any more.
    pub(super) authority: Option<Authority>,
    pub(super) stage: Stage,
    pub(super) next: Next,
    pub(super) attempts: i64,
    pub(super) leased_until: UnixMillis,
    pub(super) overdue_at: UnixMillis,
    pub(super) number: i64,
    pub(super) version: i64,
}

/// Where a credit goes.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) id: Uuid,
    pub(super) provider: String,
    pub(super) code: String,
}

impl OperationRow {
    /// What a receipt shows. The bill in the card account has the same.
    pub(super) fn reference(&self) -> String {
        reference(self.number)
    }
}

pub(super) fn reference(number: i64) -> String {
    format!("T{number}")
}

/// A new operation.
#[derive(Clone, Debug)]
pub(super) struct NewOperation {
    pub(super) id: Uuid,
    pub(super) holder: i64,
    pub(super) request_hash: [u8; 32],
    pub(super) parts: Parts,
    pub(super) card: Option<Uuid>,
    pub(super) account: Option<AccountId>,
    pub(super) place: Option<Uuid>,
    pub(super) authority: Option<Authority>,
    pub(super) stage: Stage,
    pub(super) number: i64,
    pub(super) change: i64,
    pub(super) now: UnixMillis,
    pub(super) leased_until: UnixMillis,
    pub(super) overdue_at: UnixMillis,
}

pub(super) async fn insert(tx: &mut Connection, new: &NewOperation) -> Result<()> {
    let (password, mandate) = match &new.authority {
        Some(Authority::Password { password }) => (Some(password), None),
        Some(Authority::Mandate { mandate }) => (None, Some(mandate.to_string())),
        None => (None, None),
    };
    sqlx::query(
        "INSERT INTO operation (id, holder, request_hash, kind, amount, wallet_part, bank_part, fee, bank_card, account, \
         password_kid, password, due_at, leased_until, overdue_at, reference, change, account_part, place, stage, phase, \
         next, mandate, version, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
         $18, $19, $20, $21, $22, $23, 1, $13)",
    )
    .bind(new.id.to_string())
    .bind(new.holder)
    .bind(new.request_hash.to_vec())
    .bind(stored_kind(new.parts.kind)?.to_stored())
    .bind(new.parts.amount.get())
    .bind(new.parts.wallet.get())
    .bind(new.parts.bank.get())
    .bind(new.parts.fee.get())
    .bind(new.card.map(|card| card.to_string()))
    .bind(new.account.map(|account| account.0))
    .bind(password.map(|password| i64::from(password.kid)))
    .bind(password.map(|password| password.bytes.0.clone()))
    .bind(new.now.0)
    .bind(new.leased_until.0)
    .bind(new.overdue_at.0)
    .bind(new.number)
    .bind(new.change)
    .bind(new.parts.account.get())
    .bind(new.place.map(|place| place.to_string()))
    .bind(new.stage.to_stored().to_stored())
    .bind(stored_phase(new.stage.phase())?.to_stored())
    .bind(new.stage.resume().to_stored())
    .bind(mandate)
    .execute(&mut *tx)
    .await?;
    insert_step(tx, new.id, 1, new.stage.phase(), new.now).await
}

async fn insert_step(
    tx: &mut Connection,
    operation: Uuid,
    line: i64,
    phase: Phase,
    at: UnixMillis,
) -> Result<()> {
    sqlx::query("INSERT INTO operation_step (operation, line, phase, at) VALUES ($1, $2, $3, $4)")
        .bind(operation.to_string())
        .bind(line)
        .bind(stored_phase(phase)?.to_stored())
        .bind(at.0)
        .execute(tx)
        .await?;
    Ok(())
}

const ROW: &str = "SELECT o.*, w.customer, u.provider, u.code FROM operation o LEFT JOIN wallet w ON w.holder = o.holder \
     LEFT JOIN utility_place u ON u.id = o.place WHERE ";

fn fen(row: &AnyRow, column: &'static str) -> Result<Fen> {
    Ok(Fen::new(row.try_get(column)?))
}

fn parts(row: &AnyRow) -> Result<Parts> {
    Ok(Parts {
        kind: kind(row)?,
        amount: fen(row, "amount")?,
        wallet: fen(row, "wallet_part")?,
        bank: fen(row, "bank_part")?,
        account: fen(row, "account_part")?,
        fee: fen(row, "fee")?,
    })
}

fn place(row: &AnyRow) -> Result<Option<Place>> {
    let Some(id) = optional_uuid(row, "place")? else {
        return Ok(None);
    };
    Ok(Some(Place {
        id,
        provider: row.try_get("provider")?,
        code: row.try_get("code")?,
    }))
}

fn authority(row: &AnyRow) -> Result<Option<Authority>> {
    if let Some(mandate) = optional_uuid(row, "mandate")? {
        return Ok(Some(Authority::Mandate { mandate }));
    }
    let (kid, sealed): (Option<i64>, Option<Vec<u8>>) =
        (row.try_get("password_kid")?, row.try_get("password")?);
    let kid = kid.and_then(|kid| u16::try_from(kid).ok());
    Ok(kid.zip(sealed).map(|(kid, sealed)| Authority::Password {
        password: SealedField {
            kid,
            bytes: sealed.into(),
        },
    }))
}

fn operation_row(row: &AnyRow) -> Result<OperationRow> {
    Ok(OperationRow {
        id: uuid(row, "id")?,
        holder: row.try_get("holder")?,
        customer: optional_uuid(row, "customer")?,
        request_hash: bytes(row, "request_hash")?,
        parts: parts(row)?,
        card: optional_uuid(row, "bank_card")?,
        account: row.try_get::<Option<i64>, _>("account")?.map(AccountId),
        place: place(row)?,
        authority: authority(row)?,
        stage: Stage::of_row(row)?,
        next: variant(row, "next")?,
        attempts: row.try_get("attempts")?,
        leased_until: UnixMillis(row.try_get("leased_until")?),
        overdue_at: UnixMillis(row.try_get("overdue_at")?),
        number: row.try_get("reference")?,
        version: row.try_get("version")?,
    })
}

pub(super) async fn find(db: &mut Connection, id: Uuid) -> Result<Option<OperationRow>> {
    let row = sqlx::query(assembled(format!("{ROW} o.id = $1")))
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    row.map(|row| operation_row(&row)).transpose()
}

/// What a step leaves behind.
#[derive(Clone, Debug)]
pub(super) struct Update {
    pub(super) stage: Stage,
    pub(super) next: Next,
    pub(super) due_at: UnixMillis,
    pub(super) leased_until: UnixMillis,
    pub(super) overdue_at: UnixMillis,
    pub(super) moved_at: Option<UnixMillis>,
    pub(super) returned_at: Option<UnixMillis>,
    /// The change number of its holder and the instant, where the holder sees another phase.
    pub(super) seen: Option<(i64, UnixMillis)>,
}

/// Stores a step. Once the bank has decided, the sealed password goes.
pub(super) async fn update(tx: &mut Connection, row: &OperationRow, update: &Update) -> Result<()> {
    let phase = update.stage.phase();
    let refusal = update.stage.refusal().map(serde_json::to_string).transpose()?;
    let version = row.version + i64::from(update.seen.is_some());
    sqlx::query(
        "UPDATE operation SET stage = $2, phase = $3, refusal = $4, next = $5, attempts = attempts + 1, due_at = $6, \
         leased_until = $7, moved_at = COALESCE($8, moved_at), returned_at = COALESCE($9, returned_at), version = $10, \
         change = COALESCE($11, change), password = CASE WHEN $12 = 1 THEN NULL ELSE password END, \
         password_kid = CASE WHEN $12 = 1 THEN NULL ELSE password_kid END, overdue_at = $13 WHERE id = $1",
    )
    .bind(row.id.to_string())
    .bind(update.stage.to_stored().to_stored())
    .bind(stored_phase(phase)?.to_stored())
    .bind(refusal)
    .bind(update.next.to_stored())
    .bind(update.due_at.0)
    .bind(update.leased_until.0)
    .bind(update.moved_at.map(|at| at.0))
    .bind(update.returned_at.map(|at| at.0))
    .bind(version)
    .bind(update.seen.map(|(change, _)| change))
    .bind(i64::from(!update.stage.needs_password()))
    .bind(update.overdue_at.0)
    .execute(&mut *tx)
    .await?;
    match update.seen {
        Some((_, at)) => insert_step(tx, row.id, version, phase, at).await,
        None => Ok(()),
    }
}

/// Whether something is due that nobody is at.
pub(super) async fn is_something_due(db: &mut Connection, now: UnixMillis) -> Result<bool> {
    let row = sqlx::query(
        "SELECT id FROM operation WHERE next <> 'rest' AND due_at <= $1 AND leased_until <= $1 LIMIT 1",
    )
    .bind(now.0)
    .fetch_optional(db)
    .await?;
    Ok(row.is_some())
}

/// Takes on what is due and nobody is at, at most so many.
pub(super) async fn claim_due(
    tx: &mut Connection,
    now: UnixMillis,
    until: UnixMillis,
    most: i64,
) -> Result<Vec<Uuid>> {
    let rows = sqlx::query(
        "UPDATE operation SET leased_until = $2 WHERE id IN (SELECT id FROM operation WHERE next <> 'rest' \
         AND due_at <= $1 AND leased_until <= $1 ORDER BY due_at LIMIT $3) RETURNING id",
    )
    .bind(now.0)
    .bind(until.0)
    .bind(most)
    .fetch_all(tx)
    .await?;
    rows.iter().map(|row| uuid(row, "id")).collect()
}

/// What a holder's top-ups, and utility payments by way of the bank, since an instant come to, but for those that ended
/// without effect.
pub(crate) async fn top_ups_since(db: &mut Connection, holder: i64, since: UnixMillis) -> Result<Fen> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS sum FROM operation WHERE holder = $1 \
         AND kind IN ('top_up', 'utility') AND account_part = 0 AND created_at >= $2 AND phase NOT IN ('refused', 'refunded')",
    )
    .bind(holder)
    .bind(since.0)
    .fetch_one(db)
    .await?;
    fen(&row, "sum")
}

/// What automatic top-ups of an account since an instant come to, but for those that ended without effect.
pub(crate) async fn automatic_since(
    db: &mut Connection,
    account: AccountId,
    since: UnixMillis,
) -> Result<Fen> {
    let row = sqlx::query(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS sum FROM operation WHERE account = $1 \
         AND mandate IS NOT NULL AND created_at >= $2 AND phase NOT IN ('refused', 'refunded')",
    )
    .bind(account.0)
    .bind(since.0)
    .fetch_one(db)
    .await?;
    fen(&row, "sum")
}

/// How many operations of a holder are under way at the bank, and what they hold of the wallet.
pub(crate) async fn under_way(db: &mut Connection, holder: i64) -> Result<(u64, Fen)> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS count, \
         CAST(COALESCE(SUM(CASE WHEN kind = 'recharge' THEN 0 ELSE wallet_part END), 0) AS BIGINT) AS held \
         FROM operation WHERE holder = $1 AND account_part = 0 AND phase NOT IN ('credited', 'refunded', 'refused')",
    )
    .bind(holder)
    .fetch_one(db)
    .await?;
    Ok((int(&row, "count")?, fen(&row, "held")?))
}

const SHOWN: &str =
    "SELECT o.*, a.public_id FROM operation o LEFT JOIN ledger_account a ON a.id = o.account WHERE ";

/// An operation as its holder sees it.
pub(super) async fn shown(db: &mut Connection, holder: i64, id: Uuid) -> Result<Option<Operation>> {
    let row = sqlx::query(assembled(format!("{SHOWN} o.id = $1 AND o.holder = $2")))
        .bind(id.to_string())
        .bind(holder)
        .fetch_optional(&mut *db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(with_steps(db, &[row])
        .await?
        .pop()
        .map(|(_, operation)| operation))
}

/// A holder's operations in the order of their changes, each with its change number.
pub(super) async fn changed_since(
    db: &mut Connection,
    holder: i64,
    after: i64,
    most: i64,
) -> Result<Vec<(i64, Operation)>> {
    let sql = format!("{SHOWN} o.holder = $1 AND o.change > $2 ORDER BY o.change LIMIT $3");
    let rows = sqlx::query(assembled(sql))
        .bind(holder)
        .bind(after)
        .bind(most)
        .fetch_all(&mut *db)
        .await?;
    with_steps(db, &rows).await
}

async fn with_steps(db: &mut Connection, rows: &[AnyRow]) -> Result<Vec<(i64, Operation)>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT operation, phase, at FROM operation_step WHERE operation IN {} ORDER BY operation, line",
        placeholders(db, 1, 1, rows.len())
    );
    let mut query = sqlx::query(assembled(sql));
    for row in rows {
        query = query.bind(row.try_get::<String, _>("id")?);
    }
    let mut steps: HashMap<Uuid, Vec<Step>> = HashMap::new();
    for row in query.fetch_all(db).await? {
        let step = Step {
            phase: phase(&row)?,
            at: UnixMillis(row.try_get("at")?),
        };
        let operation = uuid(&row, "operation")?;
        steps.entry(operation).or_default().push(step);
    }
    rows.iter()
        .map(|row| {
            let id = uuid(row, "id")?;
            let Parts {
                kind,
                amount,
                wallet,
                bank,
                fee,
                account: _,
            } = parts(row)?;
            let operation = Operation {
                id,
                kind,
                amount,
                funding: Funding {
                    wallet,
                    bank,
                    card_id: optional_uuid(row, "bank_card")?,
                    fee,
                },
                account_id: optional_uuid(row, "public_id")?,
                place_id: optional_uuid(row, "place")?,
                is_automatic: optional_uuid(row, "mandate")?.is_some(),
                phase: phase(row)?,
                steps: steps.remove(&id).unwrap_or_default(),
                refusal: Stage::of_row(row)?.refusal().cloned(),
                reference: reference(row.try_get("reference")?),
                version: int(row, "version")?,
            };
            Ok((row.try_get("change")?, operation))
        })
        .collect()
}

/// Leaves word for the card office.
pub(super) async fn insert_alarm(
    tx: &mut Connection,
    kind: &'static str,
    row: &OperationRow,
    now: UnixMillis,
) -> Result<()> {
    let id = crate::db::take_numbers(tx, "alarm", 1).await?;
    sqlx::query("INSERT INTO alarm (id, at, kind, holder, operation) VALUES ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(now.0)
        .bind(kind)
        .bind(row.holder)
        .bind(row.id.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

/// What the bank moved for an operation, as the books have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Movement {
    pub(super) id: Uuid,
    pub(super) direction: OrderDirection,
    pub(super) wallet: Fen,
    pub(super) card_amount: Fen,
    pub(super) fee: Fen,
    pub(super) moved_at: Option<UnixMillis>,
    pub(super) returned_at: Option<UnixMillis>,
}

fn movement(row: &AnyRow) -> Result<Movement> {
    let parts = parts(row)?;
    let (direction, wallet, card_amount) = parts.order();
    let at = |column| Ok::<_, Error>(row.try_get::<Option<i64>, _>(column)?.map(UnixMillis));
    Ok(Movement {
        id: uuid(row, "id")?,
        direction,
        wallet,
        card_amount,
        fee: parts.fee,
        moved_at: at("moved_at")?,
        returned_at: at("returned_at")?,
    })
}

/// What was moved for these operations, as far as they are known.
pub(super) async fn movements(db: &mut Connection, ids: &[Uuid]) -> Result<HashMap<Uuid, Movement>> {
    let mut found = HashMap::new();
    for chunk in ids.chunks(ROWS) {
        let sql = format!(
            "SELECT * FROM operation WHERE id IN {}",
            placeholders(db, 1, 1, chunk.len())
        );
        let mut query = sqlx::query(assembled(sql));
        for id in chunk {
            query = query.bind(id.to_string());
        }
        for row in query.fetch_all(&mut *db).await? {
            let movement = movement(&row)?;
            found.insert(movement.id, movement);
        }
    }
    Ok(found)
}

/// What was moved, or moved back, within a day, by the bank's clock.
pub(super) async fn movements_within(db: &mut Connection, day: &Range<UnixMillis>) -> Result<Vec<Movement>> {
    let rows = sqlx::query(
        "SELECT * FROM operation WHERE (moved_at >= $1 AND moved_at < $2) OR (returned_at >= $1 AND returned_at < $2) \
         ORDER BY created_at, id",
    )
    .bind(day.start.0)
    .bind(day.end.0)
    .fetch_all(db)
    .await?;
    rows.iter().map(movement).collect()
}
