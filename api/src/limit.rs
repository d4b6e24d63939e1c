//! Limits that holders set for themselves, below the school's.
//!
//! `GET /v1/limits` answers [`SpendLimits`], `PUT /v1/limits` takes [`SetLimits`] under an idempotency key and answers them as
//! they are then; `PUT /v1/wallet/limits` does the same for top-ups and answers the [`crate::wallet::Wallet`]. Lowering a
//! limit works at once. Raising one needs a [`StepUp`]; who has no wallet asks the card office.

use crate::Fen;
use crate::approval::StepUp;
use serde::{Deserialize, Serialize};

/// Limits of payments off card accounts.
///
/// Online, both are enforced whole; a payment above them and within the school's takes a [`StepUp`]. A terminal that is
/// offline knows the holder's credential alone: it approves no payment above `single`, and no more than `day` until its
/// payments are settled. A credential with lower limits is issued at the next renewal, which is due then, and ends the one
/// before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SpendLimits {
    /// The most of one payment. Terminals count in tenths of a yuan, rounded down.
    pub single: Fen,
    /// The most of a day, in the school's time zone.
    pub day: Fen,
    /// Above which `single` can't be set.
    pub most_single: Fen,
    /// Above which `day` can't be set.
    pub most_day: Fen,
    /// What is used of today's, as far as it is booked; what was given back doesn't count.
    pub day_used: Fen,
}

/// `PUT /v1/limits` and `PUT /v1/wallet/limits`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetLimits {
    /// The most at once.
    pub single: Fen,
    /// The most of a day, not below `single`.
    pub day: Fen,
    /// Needed where either is raised.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step_up: Option<StepUp>,
}
