//! What a holder does about a wrong payment.

use super::store::{self, DisputeRow};
use crate::Platform;
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::idempotency::{Deed, Operation};
use crate::random::new_id;
use uuid::Uuid;
use yika_api::dispute::{Dispute, DisputeList, DisputePhase, DisputeReason, MAX_TEXT, OpenDispute};
use yika_api::{Fen, ProblemCode};

/// Disputes of a list.
const MOST_SHOWN: i64 = 200;

/// Opens a dispute of a payment that was charged, unless one is live.
pub(super) async fn open(
    platform: &Platform,
    holder: i64,
    key: IdempotencyKey,
    payment: Uuid,
    request: &OpenDispute,
) -> Result<String> {
    let is_needed = request.reason == DisputeReason::Other;
    check_text(&request.text, is_needed)?;
    let deed = Deed::new("dispute.open", holder, key, &(payment, request))?;
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        let found = store::payment(tx, payment).await?;
        let payment = found.filter(|payment| payment.holder == holder);
        let payment = payment.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        if payment.has_live_dispute {
            return Err(Error::refused(ProblemCode::DisputeUnderWay));
        }
        if payment.refundable().is_none() {
            return Err(Error::refused(ProblemCode::NotDisputable));
        }
        let id = new_id(now);
        store::insert(tx, id, &payment, request, now).await?;
        let dispute = shown(tx, id).await?;
        slot.store(tx, &dispute, now).await
    })
}

/// Takes a dispute back.
pub(super) async fn withdraw(
    platform: &Platform,
    holder: i64,
    key: IdempotencyKey,
    id: Uuid,
) -> Result<String> {
    let (deed, now) = (Deed::new("dispute.withdraw", holder, key, &id)?, platform.now());
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        let found = store::find(tx, id).await?;
        let row = live(found.filter(|row| row.holder == holder))?;
        store::advance(tx, &row, DisputePhase::Withdrawn, None, Fen::ZERO, now).await?;
        let dispute = shown(tx, id).await?;
        slot.store(tx, &dispute, now).await
    })
}

/// A holder's disputes.
pub(super) async fn list(platform: &Platform, holder: i64) -> Result<DisputeList> {
    let mut reader = platform.db().read().await?;
    let disputes = store::of_holder(&mut reader, holder, MOST_SHOWN).await?;
    Ok(DisputeList { disputes })
}

/// A dispute that was found and is still to be decided.
pub(super) fn live(found: Option<DisputeRow>) -> Result<DisputeRow> {
    let row = found.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    match row.dispute.phase.is_live() {
        true => Ok(row),
        false => Err(Error::refused(ProblemCode::DisputeEnded)),
    }
}

/// Refuses what is too long, or nothing where something is needed.
pub(super) fn check_text(text: &str, is_needed: bool) -> Result<()> {
    let invalid = |why: &str| Err(Error::refused_because(ProblemCode::InvalidRequest, why));
    if is_needed && text.trim().is_empty() {
        return invalid("say what is wrong");
    }
    match text.chars().count() <= MAX_TEXT && !text.contains('\0') {
        true => Ok(()),
        false => invalid("a text has at most 500 characters"),
    }
}

async fn shown(db: &mut Connection, id: Uuid) -> Result<Dispute> {
    let found = store::find(db, id).await?;
    let dispute = found.map(|row| row.dispute);
    dispute.ok_or_else(|| Error::refused(ProblemCode::NotFound))
}
