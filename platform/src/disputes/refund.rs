//! Giving money of a payment back: off the merchant's account, first against what the holder owes, then onto the account.

use super::store::{self, PaymentRow};
use crate::accounts::{NewPayment, add_payments, card_account_by_id};
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::ledger::{Booking, Posting, TransactionKind, account_of_merchant, book};
use crate::{Platform, issuer, merchants};
use uuid::Uuid;
use yika_api::payment::{PaymentKind, PaymentStatus};
use yika_api::{Fen, ProblemCode, UnixMillis};

/// Gives `amount` of a payment back, with a bill of this id; says which transaction it is.
pub(crate) async fn refund(
    tx: &mut Connection,
    platform: &Platform,
    payment: &PaymentRow,
    id: Uuid,
    amount: Fen,
    now: UnixMillis,
) -> Result<i64> {
    let merchant = payment.refundable();
    let merchant = merchant.ok_or_else(|| Error::refused(ProblemCode::NotDisputable))?;
    if !amount.is_positive() || amount > payment.left {
        return Err(Error::refused_amount(ProblemCode::AmountOutOfRange, payment.left));
    }
    let missing = || Error::StoredValue {
        what: "ledger_account.merchant",
        value: merchant.to_string(),
    };
    let merchant_account = account_of_merchant(tx, merchant).await?.ok_or_else(missing)?;
    let mut funds = card_account_by_id(tx, payment.account).await?.funds;
    let was_in_debt = funds.is_in_debt();
    let mut postings = funds.credit(amount)?;
    postings.push(Posting {
        account: merchant_account,
        amount: amount.checked_neg()?,
    });
    let transaction = book(tx, &[Booking::new(TransactionKind::Refund, now, postings)?]).await?;
    let bill = NewPayment {
        id,
        holder: payment.holder,
        account: payment.account,
        kind: PaymentKind::Refund,
        status: PaymentStatus::Posted,
        amount,
        merchant: Some(merchant),
        terminal: None,
        place: None,
        occurred_at: now,
        posted_at: now,
        reference: format!("R{}", transaction.0),
        refund_of: Some(payment.id),
    };
    add_payments(tx, &[bill]).await?;
    store::add_refunded(tx, payment, amount).await?;
    merchants::count_refund(tx, platform, payment, amount, now).await?;
    if was_in_debt != funds.is_in_debt() {
        issuer::mark_holder_dirty(tx, payment.holder).await?;
    }
    Ok(transaction.0)
}
