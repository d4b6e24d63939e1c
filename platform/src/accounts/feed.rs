//! The feed of bills, ordered by change.
//!
//! Each change of a bill takes the next number of its holder, within the transaction that makes it; the holder's row is
//! locked meanwhile, so numbers become visible in their order and a phone that follows them misses none.

use crate::db::{
    Connection, ROWS, StoredEnum as _, assembled, optional_uuid, placeholders, stored_enum, uuid, variant,
};
use crate::disputes::dispute;
use crate::error::{Error, Result};
use crate::ledger::AccountId;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;
use uuid::Uuid;
use yika_api::payment::{Payment, PaymentKind, PaymentPage, PaymentQuery, PaymentStatus};
use yika_api::{Fen, LocalizedText, ProblemCode, UnixMillis};

const DEFAULT_LIMIT: u16 = 100;
const MAX_LIMIT: u16 = 500;

/// A bill to be added.
#[derive(Clone, Debug)]
pub(crate) struct NewPayment {
    pub(crate) id: Uuid,
    pub(crate) holder: i64,
    pub(crate) account: AccountId,
    pub(crate) kind: PaymentKind,
    pub(crate) status: PaymentStatus,
    pub(crate) amount: Fen,
    pub(crate) merchant: Option<i64>,
    pub(crate) terminal: Option<i64>,
    /// The place that a utility was paid for.
    pub(crate) place: Option<Uuid>,
    pub(crate) occurred_at: UnixMillis,
    pub(crate) posted_at: UnixMillis,
    pub(crate) reference: String,
    /// The payment that a refund gives back.
    pub(crate) refund_of: Option<Uuid>,
}

/// The kinds that this version stores; [`PaymentKind::Other`] is for readers of newer servers.
#[derive(Clone, Copy)]
enum StoredKind {
    Purchase,
    LibraryFee,
    Deposit,
    TopUp,
    Recharge,
    Withdrawal,
    Utility,
    Refund,
}
stored_enum!(StoredKind {
    StoredKind::Purchase = "purchase",
    StoredKind::LibraryFee = "library_fee",
    StoredKind::Deposit = "deposit",
    StoredKind::TopUp = "top_up",
    StoredKind::Recharge = "recharge",
    StoredKind::Withdrawal = "withdrawal",
    StoredKind::Utility = "utility",
    StoredKind::Refund = "refund",
});

#[derive(Clone, Copy)]
enum StoredStatus {
    Posted,
    Voided,
    Disputed,
}
stored_enum!(StoredStatus {
    StoredStatus::Posted = "posted",
    StoredStatus::Voided = "voided",
    StoredStatus::Disputed = "disputed",
});

fn stored_kind(kind: PaymentKind) -> Result<StoredKind> {
    match kind {
        PaymentKind::Purchase => Ok(StoredKind::Purchase),
        PaymentKind::LibraryFee => Ok(StoredKind::LibraryFee),
        PaymentKind::Deposit => Ok(StoredKind::Deposit),
        PaymentKind::TopUp => Ok(StoredKind::TopUp),
        PaymentKind::Recharge => Ok(StoredKind::Recharge),
        PaymentKind::Withdrawal => Ok(StoredKind::Withdrawal),
        PaymentKind::Utility => Ok(StoredKind::Utility),
        PaymentKind::Refund => Ok(StoredKind::Refund),
        PaymentKind::Other => Err(Error::StoredValue {
            what: "payment.kind",
            value: "other".to_owned(),
        }),
    }
}

fn stored_status(status: PaymentStatus) -> Result<StoredStatus> {
    match status {
        PaymentStatus::Posted => Ok(StoredStatus::Posted),
        PaymentStatus::Voided => Ok(StoredStatus::Voided),
        PaymentStatus::Disputed => Ok(StoredStatus::Disputed),
        PaymentStatus::Other => Err(Error::StoredValue {
            what: "payment.status",
            value: "other".to_owned(),
        }),
    }
}

/// Takes the next change numbers of each holder; returns the first of each.
async fn take_changes(tx: &mut Connection, counts: &BTreeMap<i64, i64>) -> Result<BTreeMap<i64, i64>> {
    let (counts_list, mut firsts) = (counts.iter().collect::<Vec<_>>(), BTreeMap::new());
    for chunk in counts_list.chunks(ROWS) {
        let sql = format!(
            "WITH change (id, bills) AS (VALUES {}) UPDATE holder SET feed_change = feed_change + change.bills \
             FROM change WHERE holder.id = change.id RETURNING holder.id, holder.feed_change",
            placeholders(tx, 1, chunk.len(), 2)
        );
        let mut update = sqlx::query(assembled(sql));
        for (holder, count) in chunk {
            update = update.bind(**holder).bind(**count);
        }
        for row in update.fetch_all(&mut *tx).await? {
            let (holder, last): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            firsts.insert(
                holder,
                last - counts.get(&holder).copied().unwrap_or_default() + 1,
            );
        }
    }
    Ok(firsts)
}

/// The next change number of a holder, for another feed than that of bills: each sees some of the numbers.
pub(crate) async fn take_change(tx: &mut Connection, holder: i64) -> Result<i64> {
    let changes = take_changes(tx, &BTreeMap::from([(holder, 1)])).await?;
    changes
        .get(&holder)
        .copied()
        .ok_or(sqlx::Error::RowNotFound.into())
}

/// Adds bills to the feeds of their holders.
pub(crate) async fn add_payments(tx: &mut Connection, payments: &[NewPayment]) -> Result<()> {
    let mut counts = BTreeMap::new();
    for payment in payments {
        *counts.entry(payment.holder).or_insert(0) += 1;
    }
    let mut next = take_changes(tx, &counts).await?;
    for chunk in payments.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO payment (id, holder, account, kind, status, amount, merchant, terminal, occurred_at, \
             posted_at, reference, place, refund_of, change) VALUES {}",
            placeholders(tx, 1, chunk.len(), 14)
        );
        let mut insert = sqlx::query(assembled(sql));
        for payment in chunk {
            let change = next.entry(payment.holder).or_insert(1);
            insert = insert
                .bind(payment.id.to_string())
                .bind(payment.holder)
                .bind(payment.account.0)
                .bind(stored_kind(payment.kind)?.to_stored())
                .bind(stored_status(payment.status)?.to_stored())
                .bind(payment.amount.get())
                .bind(payment.merchant)
                .bind(payment.terminal)
                .bind(payment.occurred_at.0)
                .bind(payment.posted_at.0)
                .bind(&payment.reference)
                .bind(payment.place.map(|place| place.to_string()))
                .bind(payment.refund_of.map(|payment| payment.to_string()))
                .bind(*change);
            *change += 1;
        }
        insert.execute(&mut *tx).await?;
    }
    Ok(())
}

/// Marks a bill as taken back; it appears again in its holder's feed.
pub(crate) async fn void_payment(tx: &mut Connection, id: Uuid, holder: i64) -> Result<()> {
    let change = take_change(tx, holder).await?;
    sqlx::query("UPDATE payment SET status = 'voided', change = $2 WHERE id = $1")
        .bind(id.to_string())
        .bind(change)
        .execute(tx)
        .await?;
    Ok(())
}

/// Marks the bill of this reference as taken back, where there is one.
pub(crate) async fn void_payment_of(tx: &mut Connection, reference: &str, holder: i64) -> Result<()> {
    let change = take_change(tx, holder).await?;
    sqlx::query("UPDATE payment SET status = 'voided', change = $2 WHERE reference = $1")
        .bind(reference)
        .bind(change)
        .execute(tx)
        .await?;
    Ok(())
}

/// A page of the feed.
pub(super) async fn page(
    db: &mut Connection,
    holder: i64,
    query: &PaymentQuery,
    now: UnixMillis,
) -> Result<PaymentPage> {
    let invalid = |why: &str| Error::refused_because(ProblemCode::InvalidRequest, why);
    let after: i64 = match &query.after {
        None => 0,
        Some(cursor) => cursor
            .parse()
            .ok()
            .filter(|&after| after >= 0)
            .ok_or_else(|| invalid("`after` is not a cursor of this feed; begin without it"))?,
    };
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(invalid("`limit` must be 1 to 500"));
    }
    let rows = sqlx::query(
        "SELECT p.id, a.public_id AS account, p.kind, p.status, p.amount, m.name_zh, m.name_en, t.label, \
         u.name_zh AS place_zh, u.name_en AS place_en, p.occurred_at, p.posted_at, p.reference, p.change, p.refund_of, \
         p.refunded, p.dispute, d.payment, d.reason, d.text, d.phase, d.reply, d.refunded AS dispute_refunded, \
         d.opened_at, d.changed_at FROM payment p \
         JOIN ledger_account a ON a.id = p.account LEFT JOIN merchant m ON m.id = p.merchant \
         LEFT JOIN terminal t ON t.id = p.terminal LEFT JOIN utility_place u ON u.id = p.place \
         LEFT JOIN dispute d ON d.id = p.dispute WHERE p.holder = $1 AND p.change > $2 ORDER BY p.change LIMIT $3",
    )
    .bind(holder)
    .bind(after)
    .bind(i64::from(limit) + 1)
    .fetch_all(db)
    .await?;
    let more = rows.len() > usize::from(limit);
    let shown = &rows[..rows.len().min(usize::from(limit))];
    let cursor = shown.last().map_or(Ok(after), |row| row.try_get("change"))?;
    let payments = shown.iter().map(payment).collect::<Result<_>>()?;
    Ok(PaymentPage {
        payments,
        cursor: cursor.to_string(),
        more,
        as_of: now,
    })
}

fn optional_text(row: &AnyRow, zh: &'static str, en: &'static str) -> Result<Option<LocalizedText>> {
    let (zh, en): (Option<String>, Option<String>) = (row.try_get(zh)?, row.try_get(en)?);
    Ok(zh.zip(en).map(|(zh, en)| LocalizedText { zh, en }))
}

fn payment(row: &AnyRow) -> Result<Payment> {
    Ok(Payment {
        id: uuid(row, "id")?,
        account_id: uuid(row, "account")?,
        kind: match variant(row, "kind")? {
            StoredKind::Purchase => PaymentKind::Purchase,
            StoredKind::LibraryFee => PaymentKind::LibraryFee,
            StoredKind::Deposit => PaymentKind::Deposit,
            StoredKind::TopUp => PaymentKind::TopUp,
            StoredKind::Recharge => PaymentKind::Recharge,
            StoredKind::Withdrawal => PaymentKind::Withdrawal,
            StoredKind::Utility => PaymentKind::Utility,
            StoredKind::Refund => PaymentKind::Refund,
        },
        status: match variant(row, "status")? {
            StoredStatus::Posted => PaymentStatus::Posted,
            StoredStatus::Voided => PaymentStatus::Voided,
            StoredStatus::Disputed => PaymentStatus::Disputed,
        },
        amount: Fen::new(row.try_get("amount")?),
        merchant: optional_text(row, "name_zh", "name_en")?,
        terminal: row.try_get("label")?,
        place: optional_text(row, "place_zh", "place_en")?,
        occurred_at: UnixMillis(row.try_get("occurred_at")?),
        posted_at: UnixMillis(row.try_get("posted_at")?),
        reference: row.try_get("reference")?,
        refund_of: optional_uuid(row, "refund_of")?,
        refunded: Fen::new(row.try_get("refunded")?),
        dispute: match optional_uuid(row, "dispute")? {
            Some(id) => Some(dispute(id, row)?),
            None => None,
        },
    })
}
