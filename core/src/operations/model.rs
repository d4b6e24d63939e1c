//! Operations as the phone knows them: those that the platform has told of, and those that it may not know yet.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::operation::{Operation as Told, Phase as ToldPhase};
use yika_api::{Fen, LocalizedText, UnixMillis};

pub use yika_api::operation::{Funding, OperationKind, RefusalReason};

use super::plan::Plan;
use crate::secret::SecretBytes;
use crate::store::Record;

/// One operation on money, as far as the phone knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its id, from before it was sent.
    pub id: Uuid,
    /// What it is.
    pub kind: OperationKind,
    /// What arrives where it is to go.
    pub amount: Fen,
    /// Where the money comes from.
    pub funding: Funding,
    /// The card account that gets the money, or that pays for a utility.
    pub account_id: Option<Uuid>,
    /// The bound place, for a utility.
    pub place_id: Option<Uuid>,
    /// The platform began it, by the holder's rule for the account.
    pub is_automatic: bool,
    /// Where it stands.
    pub phase: Phase,
    /// How it came there, oldest first; the last is `phase`.
    pub steps: Vec<Step>,
    /// Why it was refused or refunded.
    pub refusal: Option<OperationRefusal>,
    /// The number that a receipt shows; absent until the platform has it.
    pub reference: Option<String>,
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Written down here, and never sent. It can still be taken back.
    Created,
    /// Sent, or with the platform, which tells the bank.
    Sent,
    /// The bank, or the utility, did not answer: whether money moved is being found out. Nobody needs to do anything.
    Confirming,
    /// The money has been taken; it is on its way.
    Paid,
    /// The money arrived. An end.
    Credited,
    /// The money had left and is back where it came from. An end.
    Refunded,
    /// Nothing was charged. An end.
    Refused,
    /// A phase of a newer platform: update the app to see more.
    Other,
}

impl Phase {
    /// Whether nothing more will happen, but for what the bank itself takes back.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Credited | Self::Refunded | Self::Refused)
    }
}

impl From<ToldPhase> for Phase {
    fn from(told: ToldPhase) -> Self {
        match told {
            ToldPhase::Sent => Self::Sent,
            ToldPhase::Confirming => Self::Confirming,
            ToldPhase::Paid => Self::Paid,
            ToldPhase::Credited => Self::Credited,
            ToldPhase::Refunded => Self::Refunded,
            ToldPhase::Refused => Self::Refused,
            ToldPhase::Other => Self::Other,
        }
    }
}

/// A phase that an operation reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub phase: Phase,
    /// When: by the platform's clock, and for [`Phase::Created`] by the phone's.
    pub at: UnixMillis,
}

/// Why an operation was refused or refunded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationRefusal {
    /// The bank's reason; absent where it was the platform that refused.
    pub reason: Option<RefusalReason>,
    /// The stable code of the reason, the bank's or the platform's.
    pub code: String,
    /// What the bank says to a person, where it says something.
    pub message: Option<LocalizedText>,
    /// The amount that it is about, such as a limit.
    pub amount: Option<Fen>,
    /// Tries that are left, for a wrong password.
    pub tries_left: Option<u8>,
    /// Until when the password is locked.
    pub until: Option<UnixMillis>,
}

/// An operation that the platform may not know, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Draft {
    pub plan: Plan,
    pub created_at: UnixMillis,
    /// From when on it may have arrived.
    pub sent_at: Option<UnixMillis>,
    /// The request as it is sent each time, the sealed password in it; gone once it has ended.
    pub request: Option<SecretBytes>,
    /// How it ended without the platform having taken it.
    pub refused: Option<(UnixMillis, OperationRefusal)>,
}

impl Draft {
    pub(super) fn new(plan: Plan, request: SecretBytes, now: UnixMillis) -> Self {
        Self {
            plan,
            created_at: now,
            sent_at: None,
            request: Some(request),
            refused: None,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.request.is_some()
    }

    pub(super) fn shown(&self) -> Operation {
        let created = Step {
            phase: Phase::Created,
            at: self.created_at,
        };
        let sent = self.sent_at.map(|at| Step {
            phase: Phase::Sent,
            at,
        });
        let refused = self.refused.as_ref().map(|(at, _)| Step {
            phase: Phase::Refused,
            at: *at,
        });
        let steps: Vec<Step> = [Some(created), sent, refused].into_iter().flatten().collect();
        let Plan {
            id,
            kind,
            amount,
            funding,
            account_id,
            place_id,
            ..
        } = self.plan;
        Operation {
            id,
            kind,
            amount,
            funding,
            account_id,
            place_id,
            is_automatic: false,
            phase: steps.last().map_or(Phase::Created, |step| step.phase),
            steps,
            refusal: self.refused.as_ref().map(|(_, refusal)| refusal.clone()),
            reference: None,
        }
    }
}

/// All drafts, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drafts {
    pub(super) drafts: Vec<Draft>,
}

impl Record for Drafts {
    const NAME: &'static str = "operation_drafts";
}

/// An operation that the platform told of, for the screen.
pub(super) fn shown(told: &Told) -> Operation {
    let step = |step: &yika_api::operation::Step| Step {
        phase: step.phase.into(),
        at: step.at,
    };
    let refusal = told.refusal.as_ref().map(|refusal| OperationRefusal {
        reason: Some(refusal.reason),
        code: refusal.reason.as_str().to_owned(),
        message: refusal.message.clone(),
        amount: None,
        tries_left: refusal.tries_left,
        until: refusal.until,
    });
    Operation {
        id: told.id,
        kind: told.kind,
        amount: told.amount,
        funding: told.funding,
        account_id: told.account_id,
        place_id: told.place_id,
        is_automatic: told.is_automatic,
        phase: told.phase.into(),
        steps: told.steps.iter().map(step).collect(),
        refusal,
        reference: Some(told.reference.clone()),
    }
}

/// Where a page of operations ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationCursor {
    /// When the last one began.
    pub began_at: UnixMillis,
    /// The last one.
    pub id: Uuid,
}

/// Operations, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationPage {
    /// At most as many as were asked for.
    pub operations: Vec<Operation>,
    /// Where the next page begins; absent at the end of what the phone has.
    pub next: Option<OperationCursor>,
}
