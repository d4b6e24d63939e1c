//! Automatic top-up (圈存): the platform tops an account up by itself when its balance falls below what the holder said.
//!
//! `PUT /v1/accounts/{id}/auto-top-up` takes [`SetAutoTopUp`] under an idempotency key, `DELETE` ends it at once and needs
//! nothing; both answer the [`crate::account::AccountList`]. The payment password that the holder gives once becomes a
//! mandate at the bank: to the school, never more than the rule's amount at once and its cap a day. Each top-up is an
//! [`crate::operation::Operation`] like any other, from the wallet and, where that is short, from the default bank card.

use crate::operation::RefusalReason;
use crate::wallet::SealedField;
use crate::{Fen, UnixMillis};
use serde::{Deserialize, Serialize};

/// The version of the text that holders agree to. Another one is refused: the holder has to be shown the new text.
pub const CONSENT_VERSION: u32 = 1;

/// `PUT /v1/accounts/{id}/auto-top-up`. It replaces the rule before it, with the mandate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAutoTopUp {
    /// Below which balance the account is topped up, above zero.
    pub below: Fen,
    /// What arrives each time.
    pub add: Fen,
    /// The most of a day, in the school's time zone; not below `add`.
    pub day_cap: Fen,
    /// The version of the text that the holder agreed to, [`CONSENT_VERSION`].
    pub consent: u32,
    /// The payment password, sealed for the bank to this request's idempotency key and an amount of `day_cap`.
    pub password: SealedField,
}

/// The rule of an account, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AutoTopUp {
    /// Below which balance the account is topped up.
    pub below: Fen,
    /// What arrives each time.
    pub add: Fen,
    /// The most of a day.
    pub day_cap: Fen,
    /// What it has added today, top-ups under way included.
    pub day_used: Fen,
    /// When the holder agreed.
    pub since: UnixMillis,
    /// Why it does nothing for now, or any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<AutoTopUpProblem>,
}

/// Why a rule does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AutoTopUpProblem {
    /// What the last top-up failed for, or would.
    pub reason: RefusalReason,
    /// When it tries again; absent where the holder has to agree anew.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_at: Option<UnixMillis>,
}
