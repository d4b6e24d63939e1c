//! Disputing a payment. What a holder says is written down here before it is sent, so that it needs no network and is one dispute
//! however often it is sent. How it stands then comes with its bill, as the feed tells it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::dispute::{MAX_TEXT, OpenDispute};

pub use yika_api::dispute::{Dispute, DisputePhase, DisputeReason};

use crate::error::CoreError;
use crate::http::{Call, HttpError};
use crate::session::{HttpOrCore, Sessions};
use crate::store::{Changes, Record, Store};
use crate::wallet::{InputField, MoneyReason};

/// Drafts that may wait for a network at once.
const MAX_WAITING: usize = 20;

/// A dispute that the platform may not have yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeDraft {
    /// Its name, until it is a dispute.
    pub id: Uuid,
    /// The payment that it is about.
    pub payment_id: Uuid,
    /// What is wrong.
    pub reason: DisputeReason,
    /// What the holder said.
    pub text: String,
    /// When the holder said it.
    pub created_at: UnixMillis,
    /// The stable code of why the platform did not take it; absent while it waits for a network.
    pub refusal: Option<String>,
}

/// All drafts, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DisputeDrafts {
    drafts: Vec<DisputeDraft>,
}

impl Record for DisputeDrafts {
    const NAME: &'static str = "dispute_drafts";
}

/// What is written down, oldest first.
pub(super) fn drafts(store: &Store) -> Result<Vec<DisputeDraft>, CoreError> {
    Ok(store.get::<DisputeDrafts>()?.unwrap_or_default().drafts)
}

/// Writes a dispute down. One that waits for this payment already is the same once more.
pub(super) fn write_down(
    store: &Store,
    payment_id: Uuid,
    reason: DisputeReason,
    text: &str,
    created_at: UnixMillis,
) -> Result<DisputeDraft, CoreError> {
    let text = text.trim();
    let is_needed = reason == DisputeReason::Other;
    if text.chars().count() > MAX_TEXT || (is_needed && text.is_empty()) {
        return Err(InputField::Text.into());
    }
    let mut drafts = drafts(store)?;
    // What was refused is said anew.
    drafts.retain(|draft| draft.payment_id != payment_id || draft.refusal.is_none());
    if drafts.iter().any(|draft| draft.payment_id == payment_id) {
        return Err(MoneyReason::DisputeUnderWay.into());
    }
    if drafts.len() >= MAX_WAITING {
        return Err(MoneyReason::TooManyWaiting.into());
    }
    let draft = DisputeDraft {
        id: Uuid::now_v7(),
        payment_id,
        reason,
        text: text.to_owned(),
        created_at,
        refusal: None,
    };
    drafts.push(draft.clone());
    keep(store, drafts)?;
    Ok(draft)
}

/// Forgets a draft. Where it has reached the platform nevertheless, its bill says so, and it can be withdrawn.
pub(super) fn discard(store: &Store, id: Uuid) -> Result<(), CoreError> {
    let mut drafts = drafts(store)?;
    let count = drafts.len();
    drafts.retain(|draft| draft.id != id);
    match drafts.len() == count {
        true => Err(MoneyReason::OperationUnknown.into()),
        false => keep(store, drafts),
    }
}

/// What came of sending a draft.
pub(super) enum Sent {
    /// The platform has it, and it is no draft any more.
    Opened(Box<Dispute>),
    /// Nobody knows, or nobody was reached.
    Waits,
    /// The platform looked at it, and it is no draft any more.
    Refused(CoreError),
}

/// Sends a draft.
pub(super) async fn send(
    store: &Store,
    sessions: &Sessions,
    draft: &DisputeDraft,
) -> Result<Sent, CoreError> {
    let request = OpenDispute {
        reason: draft.reason,
        text: draft.text.clone(),
    };
    let call = Call::post(format!("/v1/payments/{}/disputes", draft.payment_id)).json(&request)?;
    let answer = sessions.send(&call.operation(draft.id)).await;
    match answer.and_then(|answer| Ok(answer.json()?)) {
        Ok(dispute) => {
            discard(store, draft.id)?;
            Ok(Sent::Opened(Box::new(dispute)))
        }
        Err(HttpOrCore::Http(HttpError::Problem(refusal))) if refusal.is_final() => {
            discard(store, draft.id)?;
            Ok(Sent::Refused((*refusal).into()))
        }
        Err(error) => {
            let error = CoreError::from(error);
            tracing::debug!(%error, "a dispute waits");
            Ok(Sent::Waits)
        }
    }
}

/// Sends what waits. What is refused stays, with why.
pub(super) async fn send_waiting(store: &Store, sessions: &Sessions) -> Result<(), CoreError> {
    let waiting = drafts(store)?.into_iter().filter(|draft| draft.refusal.is_none());
    for draft in waiting {
        if let Sent::Refused(error) = send(store, sessions, &draft).await? {
            let mut drafts = drafts(store)?;
            drafts.push(DisputeDraft {
                refusal: Some(error.code().to_owned()),
                ..draft
            });
            keep(store, drafts)?;
        }
    }
    Ok(())
}

fn keep(store: &Store, drafts: Vec<DisputeDraft>) -> Result<(), CoreError> {
    Ok(store.commit(&Changes::new().put(&DisputeDrafts { drafts })?)?)
}

/// Takes a dispute back.
pub(super) async fn withdraw(sessions: &Sessions, dispute: Uuid) -> Result<Dispute, CoreError> {
    let call = Call::post(format!("/v1/disputes/{dispute}/withdraw"));
    Ok(sessions.send(&call.operation(Uuid::now_v7())).await?.json()?)
}
