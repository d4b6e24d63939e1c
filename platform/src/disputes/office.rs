//! What the card office does about disputes, and refunds of its own accord.

use super::refund::refund;
use super::service::{check_text, live};
use super::store;
use crate::accounts::holder_by_id;
use crate::admin::Admin;
use crate::db::transact;
use crate::error::{Error, Result};
use crate::random::new_id;
use uuid::Uuid;
use yika_api::dispute::{Dispute, DisputePhase};
use yika_api::{Fen, ProblemCode};

/// A dispute that is to be decided.
#[derive(Clone, Debug)]
pub struct DisputeView {
    /// The holder's student or staff number.
    pub number: String,
    /// What of the payment is not back.
    pub amount: Fen,
    /// The dispute.
    pub dispute: Dispute,
}

impl Admin<'_> {
    /// The disputes that are to be decided, the oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn disputes(&self) -> Result<Vec<DisputeView>> {
        let mut snapshot = self.platform().db().snapshot().await?;
        let mut views = Vec::new();
        for row in store::live(&mut snapshot).await? {
            let holder = holder_by_id(&mut snapshot, row.holder).await?;
            let payment = store::payment(&mut snapshot, row.dispute.payment_id).await?;
            let (Some(holder), Some(payment)) = (holder, payment) else {
                continue;
            };
            views.push(DisputeView {
                number: holder.number,
                amount: payment.left,
                dispute: row.dispute,
            });
        }
        Ok(views)
    }

    /// Says that somebody looks at a dispute.
    ///
    /// # Errors
    /// Where there is no such dispute, it has ended, or the database fails.
    pub async fn review_dispute(&self, id: Uuid) -> Result<()> {
        let now = self.platform().now();
        transact!(self.platform().db().writer(), |tx| {
            let row = live(store::find(tx, id).await?)?;
            store::advance(tx, &row, DisputePhase::Review, None, Fen::ZERO, now).await
        })
    }

    /// Ends a dispute without money, and says why.
    ///
    /// # Errors
    /// Where there is no such dispute, it has ended, the reply is empty or longer than 500 characters, or the database
    /// fails.
    pub async fn refuse_dispute(&self, id: Uuid, reply: &str) -> Result<()> {
        check_text(reply, true)?;
        let now = self.platform().now();
        transact!(self.platform().db().writer(), |tx| {
            let row = live(store::find(tx, id).await?)?;
            store::advance(tx, &row, DisputePhase::Refused, Some(reply), Fen::ZERO, now).await
        })
    }

    /// Ends a dispute by giving back this much, or all that is left of the payment.
    ///
    /// # Errors
    /// Where there is no such dispute, it has ended, the amount is not above zero or above what is left, the reply is longer
    /// than 500 characters, or the database fails.
    pub async fn refund_dispute(&self, id: Uuid, amount: Option<Fen>, reply: Option<&str>) -> Result<()> {
        check_text(reply.unwrap_or_default(), false)?;
        let now = self.platform().now();
        transact!(self.platform().db().writer(), |tx| {
            let row = live(store::find(tx, id).await?)?;
            let payment = store::payment(tx, row.dispute.payment_id).await?;
            let payment = payment.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
            let amount = amount.unwrap_or(payment.left);
            refund(tx, self.platform(), &payment, new_id(now), amount, now).await?;
            store::advance(tx, &row, DisputePhase::Refunded, reply, amount, now).await
        })
    }

    /// Gives back this much of a payment, without a dispute. `id` names the refund: named again, it has no second effect.
    ///
    /// # Errors
    /// Where there is no such payment, it can't be given back, the amount is not above zero or above what is left, the id is
    /// of another refund, or the database fails.
    pub async fn refund_payment(&self, id: Uuid, payment: Uuid, amount: Fen) -> Result<()> {
        let now = self.platform().now();
        transact!(self.platform().db().writer(), |tx| {
            if let Some(known) = store::refund_of(tx, id).await? {
                return match known == (payment, amount) {
                    true => Ok(()),
                    false => Err(Error::refused(ProblemCode::IdempotencyConflict)),
                };
            }
            let payment = store::payment(tx, payment).await?;
            let payment = payment.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
            refund(tx, self.platform(), &payment, id, amount, now)
                .await
                .map(drop)
        })
    }
}
