//! Giving money back from a stall: voids, as if a sale had not been, and refunds.
//!
//! Both go to the account that paid, and never more than was paid: the payment's row decides, within the transaction.
//! What terminals and the card office give back meets them there.

use super::access::{Place, place};
use super::audit::{self, Deed as Done, What};
use super::payments;
use super::takings::{self, Counted, SoldKind, Taking};
use crate::Platform;
use crate::accounts::{card_account_by_id, void_payment};
use crate::db::{Connection, transact};
use crate::disputes::{self, PaymentRow};
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::idempotency::{Deed, Operation};
use crate::issuer;
use crate::ledger::{Booking, Posting, TransactionKind, account_of_merchant, book};
use sqlx::Row as _;
use uuid::Uuid;
use yika_api::merchant::{MOST_REASON, RefundPayment, VoidPayment};
use yika_api::terminal::MerchantId;
use yika_api::{Fen, ProblemCode, UnixMillis};

/// A payment at a stall that somebody there names.
struct Named {
    merchant: MerchantId,
    payment: Uuid,
}

/// Takes the last sale of a terminal back whole.
pub(super) async fn void(
    platform: &Platform,
    holder: i64,
    key: IdempotencyKey,
    (merchant, payment): (MerchantId, Uuid),
    request: &VoidPayment,
) -> Result<String> {
    let reason = checked_reason(request.reason.as_deref())?;
    let named = Named { merchant, payment };
    let deed = Deed::new("merchant.void", holder, key, &(merchant, payment, request))?;
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        let (place, row) = find(tx, holder, &named).await?;
        place.check_may_void(&platform.config().merchants)?;
        let sale = voidable(tx, platform, &row, now).await?;
        let transaction = take_back(tx, platform, &place, &row, &sale, now).await?;
        let done = Done {
            what: What::Voided,
            payment: Some(row.id),
            amount: Some(row.left),
            note: reason,
            transaction: Some(transaction),
            ..Done::of(place.id, holder)
        };
        audit::record(tx, &done, now).await?;
        let shown = payments::one(tx, place.id, row.id).await?;
        slot.store(tx, &shown, now).await
    })
}

/// Gives a sale back, or a part of it.
pub(super) async fn refund(
    platform: &Platform,
    holder: i64,
    key: IdempotencyKey,
    (merchant, payment): (MerchantId, Uuid),
    request: &RefundPayment,
) -> Result<String> {
    let reason = checked_reason(request.reason.as_deref())?;
    let named = Named { merchant, payment };
    let deed = Deed::new("merchant.refund", holder, key, &(merchant, payment, request))?;
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        let (place, row) = find(tx, holder, &named).await?;
        place.check_may_refund(&platform.config().merchants)?;
        if row.refundable().is_none() {
            return Err(Error::refused(ProblemCode::NotRefundable));
        }
        let id = crate::random::new_id(now);
        let transaction = disputes::refund(tx, platform, &row, id, request.amount, now).await?;
        if request.amount == row.left {
            disputes::end_by_refund(tx, row.id, request.amount, now).await?;
        }
        let done = Done {
            what: What::Refunded,
            payment: Some(id),
            amount: Some(request.amount),
            note: reason,
            transaction: Some(transaction),
            ..Done::of(place.id, holder)
        };
        audit::record(tx, &done, now).await?;
        let shown = payments::one(tx, place.id, row.id).await?;
        slot.store(tx, &shown, now).await
    })
}

fn checked_reason(reason: Option<&str>) -> Result<Option<&str>> {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let is_fine = reason.is_none_or(|reason| reason.chars().count() <= MOST_REASON && !reason.contains('\0'));
    match is_fine {
        true => Ok(reason),
        false => Err(Error::refused_because(
            ProblemCode::InvalidRequest,
            "a reason has at most 200 characters",
        )),
    }
}

/// The holder's stall, and the payment that was made there.
async fn find(tx: &mut Connection, holder: i64, named: &Named) -> Result<(Place, PaymentRow)> {
    let place = place(tx, holder, named.merchant).await?;
    let row = disputes::payment(tx, named.payment).await?;
    let row = row.filter(|row| row.merchant == Some(place.id));
    let row = row.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    Ok((place, row))
}

/// What a void needs to know of a sale.
struct LastSale {
    terminal: i64,
    kind: SoldKind,
    occurred_at: UnixMillis,
}

/// Refuses what is not the last sale of its terminal, was long ago, was not its holder's to pay, or is back in part.
async fn voidable(
    tx: &mut Connection,
    platform: &Platform,
    row: &PaymentRow,
    now: UnixMillis,
) -> Result<LastSale> {
    let refused = |why: &str| Error::refused_because(ProblemCode::NotVoidable, why);
    let found = sqlx::query(
        "SELECT p.terminal, p.kind, p.occurred_at, p.refunded, (SELECT s.payment FROM sale s WHERE s.terminal = p.terminal \
         AND s.transaction_id IS NOT NULL AND s.void_of IS NULL ORDER BY s.sequence DESC LIMIT 1) AS newest \
         FROM payment p WHERE p.id = $1",
    )
    .bind(row.id.to_string())
    .fetch_one(tx)
    .await?;
    let newest: Option<String> = found.try_get("newest")?;
    let (terminal, refunded): (Option<i64>, i64) = (found.try_get("terminal")?, found.try_get("refunded")?);
    let terminal = terminal.filter(|_| row.refundable().is_some() && refunded == 0);
    let terminal = terminal.ok_or_else(|| refused("it is back already, or was the school's to pay"))?;
    if newest != Some(row.id.to_string()) {
        return Err(refused("its terminal has sold something since; refund it"));
    }
    let occurred_at = UnixMillis(found.try_get("occurred_at")?);
    if now.0 - occurred_at.0 > platform.config().merchants.void_within_ms {
        return Err(refused("it was too long ago; refund it"));
    }
    let kind: String = found.try_get("kind")?;
    Ok(LastSale {
        terminal,
        kind: takings::sold_kind(&kind)?,
        occurred_at,
    })
}

/// Books a void, and says which transaction it is.
async fn take_back(
    tx: &mut Connection,
    platform: &Platform,
    place: &Place,
    row: &PaymentRow,
    sale: &LastSale,
    now: UnixMillis,
) -> Result<i64> {
    let missing = || Error::StoredValue {
        what: "ledger_account.merchant",
        value: place.id.to_string(),
    };
    let merchant = account_of_merchant(tx, place.id).await?.ok_or_else(missing)?;
    let mut funds = card_account_by_id(tx, row.account).await?.funds;
    let was_in_debt = funds.is_in_debt();
    let mut postings = funds.credit(row.left)?;
    postings.push(Posting {
        account: merchant,
        amount: row.left.checked_neg()?,
    });
    let transaction = book(tx, &[Booking::new(TransactionKind::Void, now, postings)?]).await?;
    void_payment(tx, row.id, row.holder).await?;
    disputes::end_by_void(tx, row.id, now).await?;
    if was_in_debt != funds.is_in_debt() {
        issuer::mark_holder_dirty(tx, row.holder).await?;
    }
    let counted = Counted {
        merchant: place.id,
        terminal: sale.terminal,
        kind: sale.kind,
        what: Taking::Void,
        amount: row.left,
        at: sale.occurred_at,
    };
    takings::add(tx, platform, &[counted], now).await?;
    Ok(transaction.0)
}

/// Counts a refund of a payment, within the transaction that books it.
pub(crate) async fn count_refund(
    tx: &mut Connection,
    platform: &Platform,
    payment: &PaymentRow,
    amount: Fen,
    now: UnixMillis,
) -> Result<()> {
    let row = sqlx::query("SELECT merchant, terminal, kind FROM payment WHERE id = $1")
        .bind(payment.id.to_string())
        .fetch_one(&mut *tx)
        .await?;
    let kind: String = row.try_get("kind")?;
    let counted = Counted {
        merchant: row.try_get("merchant")?,
        terminal: row.try_get("terminal")?,
        kind: takings::sold_kind(&kind)?,
        what: Taking::Refund,
        amount,
        at: now,
    };
    takings::add(tx, platform, &[counted], now).await
}
