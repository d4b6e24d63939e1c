//! The SQL of disputes.

use crate::accounts::take_change;
use crate::db::{Connection, StoredEnum as _, assembled, stored_enum, uuid, variant};
use crate::error::{Error, Result};
use crate::ledger::AccountId;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;
use yika_api::dispute::{Dispute, DisputePhase, DisputeReason, OpenDispute};
use yika_api::{Fen, UnixMillis};

stored_enum!(DisputeReason {
    DisputeReason::WrongAmount = "wrong_amount",
    DisputeReason::Twice = "twice",
    DisputeReason::NotMe = "not_me",
    DisputeReason::Other = "other",
});

/// The phases that this version stores; [`DisputePhase::Other`] is for readers of newer servers.
#[derive(Clone, Copy)]
enum StoredPhase {
    Open,
    Review,
    Refunded,
    Refused,
    Withdrawn,
}
stored_enum!(StoredPhase {
    StoredPhase::Open = "open",
    StoredPhase::Review = "review",
    StoredPhase::Refunded = "refunded",
    StoredPhase::Refused = "refused",
    StoredPhase::Withdrawn = "withdrawn",
});

fn stored(phase: DisputePhase) -> Result<StoredPhase> {
    match phase {
        DisputePhase::Open => Ok(StoredPhase::Open),
        DisputePhase::Review => Ok(StoredPhase::Review),
        DisputePhase::Refunded => Ok(StoredPhase::Refunded),
        DisputePhase::Refused => Ok(StoredPhase::Refused),
        DisputePhase::Withdrawn => Ok(StoredPhase::Withdrawn),
        DisputePhase::Other => Err(Error::StoredValue {
            what: "dispute.phase",
            value: "other".to_owned(),
        }),
    }
}

/// The dispute of this id in a row that has a dispute's columns; `refunded` as `dispute_refunded`.
pub(crate) fn dispute(id: Uuid, row: &AnyRow) -> Result<Dispute> {
    Ok(Dispute {
        id,
        payment_id: uuid(row, "payment")?,
        reason: variant(row, "reason")?,
        text: row.try_get("text")?,
        phase: match variant(row, "phase")? {
            StoredPhase::Open => DisputePhase::Open,
            StoredPhase::Review => DisputePhase::Review,
            StoredPhase::Refunded => DisputePhase::Refunded,
            StoredPhase::Refused => DisputePhase::Refused,
            StoredPhase::Withdrawn => DisputePhase::Withdrawn,
        },
        reply: row.try_get("reply")?,
        refunded: Fen::new(row.try_get("dispute_refunded")?),
        opened_at: UnixMillis(row.try_get("opened_at")?),
        changed_at: UnixMillis(row.try_get("changed_at")?),
    })
}

const DISPUTE: &str = "SELECT d.id, d.holder, d.payment, d.reason, d.text, d.phase, d.reply, \
     d.refunded AS dispute_refunded, d.opened_at, d.changed_at FROM dispute d ";

/// A dispute with the number of its holder.
#[derive(Clone, Debug)]
pub(super) struct DisputeRow {
    pub(super) holder: i64,
    pub(super) dispute: Dispute,
}

fn row(row: &AnyRow) -> Result<DisputeRow> {
    Ok(DisputeRow {
        holder: row.try_get("holder")?,
        dispute: dispute(uuid(row, "id")?, row)?,
    })
}

pub(super) async fn find(db: &mut Connection, id: Uuid) -> Result<Option<DisputeRow>> {
    let found = sqlx::query(assembled(format!("{DISPUTE} WHERE d.id = $1")))
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    found.map(|found| row(&found)).transpose()
}

/// A holder's newest disputes.
pub(super) async fn of_holder(db: &mut Connection, holder: i64, most: i64) -> Result<Vec<Dispute>> {
    let sql = format!("{DISPUTE} WHERE d.holder = $1 ORDER BY d.opened_at DESC, d.id DESC LIMIT $2");
    let rows = sqlx::query(assembled(sql))
        .bind(holder)
        .bind(most)
        .fetch_all(db)
        .await?;
    rows.iter().map(|found| Ok(row(found)?.dispute)).collect()
}

/// The disputes that the card office has to decide, the oldest first.
pub(super) async fn live(db: &mut Connection) -> Result<Vec<DisputeRow>> {
    let sql = format!("{DISPUTE} WHERE d.phase IN ('open', 'review') ORDER BY d.opened_at, d.id");
    let rows = sqlx::query(assembled(sql)).fetch_all(db).await?;
    rows.iter().map(row).collect()
}

/// Keeps a new dispute, and shows the payment again.
pub(super) async fn insert(
    tx: &mut Connection,
    id: Uuid,
    payment: &PaymentRow,
    request: &OpenDispute,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO dispute (id, payment, holder, reason, text, phase, opened_at, changed_at) \
         VALUES ($1, $2, $3, $4, $5, 'open', $6, $6)",
    )
    .bind(id.to_string())
    .bind(payment.id.to_string())
    .bind(payment.holder)
    .bind(request.reason.to_stored())
    .bind(&request.text)
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    let change = take_change(tx, payment.holder).await?;
    sqlx::query("UPDATE payment SET dispute = $2, change = $3 WHERE id = $1")
        .bind(payment.id.to_string())
        .bind(id.to_string())
        .bind(change)
        .execute(tx)
        .await?;
    Ok(())
}

/// Brings a dispute on, and shows its payment again.
pub(super) async fn advance(
    tx: &mut Connection,
    row: &DisputeRow,
    phase: DisputePhase,
    reply: Option<&str>,
    refunded: Fen,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "UPDATE dispute SET phase = $2, reply = COALESCE($3, reply), refunded = $4, changed_at = $5 WHERE id = $1",
    )
    .bind(row.dispute.id.to_string())
    .bind(stored(phase)?.to_stored())
    .bind(reply)
    .bind(refunded.get())
    // A clock that was set back doesn't bring a dispute to before its beginning.
    .bind(now.max(row.dispute.opened_at).0)
    .execute(&mut *tx)
    .await?;
    let change = take_change(tx, row.holder).await?;
    sqlx::query("UPDATE payment SET change = $2 WHERE id = $1")
        .bind(row.dispute.payment_id.to_string())
        .bind(change)
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends the live dispute of a payment that its terminal has taken back as a whole, where there is one. The payment appears
/// again for its void.
pub(crate) async fn end_by_void(tx: &mut Connection, payment: Uuid, now: UnixMillis) -> Result<()> {
    sqlx::query(
        "UPDATE dispute SET phase = 'refunded', refunded = (SELECT -p.amount FROM payment p WHERE p.id = $1), \
         changed_at = CASE WHEN opened_at > $2 THEN opened_at ELSE $2 END \
         WHERE payment = $1 AND phase IN ('open', 'review')",
    )
    .bind(payment.to_string())
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends the live dispute of a payment that its merchant has given back to the last fen, where there is one: with what was
/// given back at the end.
pub(crate) async fn end_by_refund(
    tx: &mut Connection,
    payment: Uuid,
    amount: Fen,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "UPDATE dispute SET phase = 'refunded', refunded = $2, \
         changed_at = CASE WHEN opened_at > $3 THEN opened_at ELSE $3 END \
         WHERE payment = $1 AND phase IN ('open', 'review')",
    )
    .bind(payment.to_string())
    .bind(amount.get())
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// A payment as far as it can be disputed and given back.
#[derive(Clone, Debug)]
pub(crate) struct PaymentRow {
    pub(crate) id: Uuid,
    pub(crate) holder: i64,
    pub(crate) account: AccountId,
    /// The merchant who was paid, where one was.
    pub(crate) merchant: Option<i64>,
    pub(super) is_posted: bool,
    /// What was paid and is not back.
    pub(crate) left: Fen,
    pub(super) has_live_dispute: bool,
}

impl PaymentRow {
    /// The merchant of a payment that was charged and is not back as a whole.
    pub(crate) fn refundable(&self) -> Option<i64> {
        self.merchant
            .filter(|_| self.is_posted && self.left.is_positive())
    }
}

/// A payment; a refund is none.
pub(crate) async fn payment(db: &mut Connection, id: Uuid) -> Result<Option<PaymentRow>> {
    let found = sqlx::query(
        "SELECT p.holder, p.account, p.merchant, p.status, -p.amount - p.refunded AS amount_left, \
         (SELECT COUNT(*) FROM dispute d WHERE d.payment = p.id AND d.phase IN ('open', 'review')) AS live \
         FROM payment p WHERE p.id = $1 AND p.kind <> 'refund'",
    )
    .bind(id.to_string())
    .fetch_optional(db)
    .await?;
    let Some(row) = found else { return Ok(None) };
    Ok(Some(PaymentRow {
        id,
        holder: row.try_get("holder")?,
        account: AccountId(row.try_get("account")?),
        merchant: row.try_get("merchant")?,
        is_posted: row.try_get::<String, _>("status")? == "posted",
        left: Fen::new(row.try_get("amount_left")?),
        has_live_dispute: row.try_get::<i64, _>("live")? > 0,
    }))
}

/// Adds to what was given back of a payment, and shows it again.
pub(super) async fn add_refunded(tx: &mut Connection, payment: &PaymentRow, amount: Fen) -> Result<()> {
    let change = take_change(tx, payment.holder).await?;
    sqlx::query("UPDATE payment SET refunded = refunded + $2, change = $3 WHERE id = $1")
        .bind(payment.id.to_string())
        .bind(amount.get())
        .bind(change)
        .execute(tx)
        .await?;
    Ok(())
}

/// The refund of this id: of which payment, and how much.
pub(super) async fn refund_of(db: &mut Connection, id: Uuid) -> Result<Option<(Uuid, Fen)>> {
    let found = sqlx::query("SELECT refund_of, amount FROM payment WHERE id = $1 AND kind = 'refund'")
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    found
        .map(|row| Ok((uuid(&row, "refund_of")?, Fen::new(row.try_get("amount")?))))
        .transpose()
}
