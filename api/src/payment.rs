//! `GET /v1/payments`: the holder's bills, as a feed that a phone can follow.
//!
//! The feed is ordered by change: a bill that changes (a void, a refund, a dispute) appears again, with the same id. A phone that
//! keeps the last cursor and applies page after page therefore ends with what the platform has.

use crate::dispute::Dispute;
use crate::{Fen, LocalizedText, UnixMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The query of `GET /v1/payments`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PaymentQuery {
    /// The `cursor` of the page before; without it, from the beginning.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<String>,
    /// At most so many bills, 1–500; 100 if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

/// A part of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PaymentPage {
    /// Oldest change first.
    pub payments: Vec<Payment>,
    /// Where the next page begins, to be kept for the next sync even where the page is empty.
    pub cursor: String,
    /// Whether there is more right now.
    pub more: bool,
    /// The time of this answer.
    pub as_of: UnixMillis,
}

/// One bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Payment {
    /// The bill, for ever.
    pub id: Uuid,
    /// The account that it moved money on.
    pub account_id: Uuid,
    /// What it was.
    pub kind: PaymentKind,
    /// How it stands.
    pub status: PaymentStatus,
    /// What it changed on the account: below zero for money that left. A disputed one changed nothing: what it would have.
    pub amount: Fen,
    /// The merchant's name; absent where nobody was paid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub merchant: Option<LocalizedText>,
    /// The terminal's label, such as `Stall 2, left till`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub terminal: Option<String>,
    /// The place that a utility was paid for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place: Option<LocalizedText>,
    /// When it happened, by the terminal's clock.
    pub occurred_at: UnixMillis,
    /// When the platform booked it.
    pub posted_at: UnixMillis,
    /// The number that a receipt shows and the card office asks for.
    pub reference: String,
    /// Which payment a refund gives back, or a part of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refund_of: Option<Uuid>,
    /// What of this payment was given back, each time with a bill of its own.
    #[serde(default)]
    pub refunded: Fen,
    /// The newest dispute of this payment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dispute: Option<Dispute>,
}

/// What a bill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    /// A payment at a POS.
    Purchase,
    /// A fee at the library desk.
    LibraryFee,
    /// Money that came onto the account.
    Deposit,
    /// A top-up: onto a card account, and off the wallet as far as it paid.
    TopUp,
    /// From a bank card into the wallet.
    Recharge,
    /// From the wallet onto a bank card.
    Withdrawal,
    /// A utility, off a card account or off the wallet as far as it paid.
    Utility,
    /// Money of a payment that the merchant gave back.
    Refund,
    /// A kind of a newer server.
    #[serde(other)]
    Other,
}

/// How a bill stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Booked.
    Posted,
    /// Taken back, by the terminal or the bank: the account is as if it had not been.
    Voided,
    /// A second use of one code: not charged, the card office looks at it.
    Disputed,
    /// A status of a newer server.
    #[serde(other)]
    Other,
}
