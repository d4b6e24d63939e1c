//! Disputes: a holder says that a payment is wrong, and the card office looks at it.
//!
//! `POST /v1/payments/{id}/disputes` opens one ([`OpenDispute`], answers [`Dispute`]), `POST /v1/disputes/{id}/withdraw` ends it;
//! both take an idempotency key. `GET /v1/disputes` answers [`DisputeList`]. A bill in the feed of payments carries its
//! newest dispute, and appears again whenever that changes.

use crate::{Fen, UnixMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most characters of what the holder says, and of what the card office answers.
pub const MAX_TEXT: usize = 500;

/// `POST /v1/payments/{id}/disputes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenDispute {
    /// What is wrong.
    pub reason: DisputeReason,
    /// What the holder says, at most 500 characters; needed where the reason is `other`.
    pub text: String,
}

/// What is wrong with a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputeReason {
    /// Another amount was agreed on.
    WrongAmount,
    /// It was charged twice.
    Twice,
    /// The holder did not pay there.
    NotMe,
    /// Something else, or a reason of a newer server.
    #[serde(other)]
    Other,
}

/// A dispute, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Dispute {
    /// The dispute.
    pub id: Uuid,
    /// The payment that it is about.
    pub payment_id: Uuid,
    /// What is wrong.
    pub reason: DisputeReason,
    /// What the holder said.
    pub text: String,
    /// Where it stands.
    pub phase: DisputePhase,
    /// What the card office answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reply: Option<String>,
    /// What was given back for it: nothing, a part, or all.
    #[serde(default)]
    pub refunded: Fen,
    /// When it was opened.
    pub opened_at: UnixMillis,
    /// When it came to where it stands.
    pub changed_at: UnixMillis,
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisputePhase {
    /// The card office has it.
    Open,
    /// Somebody looks at it.
    Review,
    /// Money was given back. An end.
    Refunded,
    /// The card office found nothing wrong. An end.
    Refused,
    /// The holder took it back. An end.
    Withdrawn,
    /// A phase of a newer server.
    #[serde(other)]
    Other,
}

impl DisputePhase {
    /// Whether it is still to be decided.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Open | Self::Review)
    }
}

/// The holder's disputes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DisputeList {
    /// The newest first, at most 200.
    pub disputes: Vec<Dispute>,
}
