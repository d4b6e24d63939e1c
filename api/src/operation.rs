//! Operations on money: what the phone names before it sends, and how the platform says where each one stands.
//!
//! `POST /v1/operations` takes [`OperationRequest`] under the operation's id as idempotency key and answers [`Operation`];
//! sent again, it answers with how the same operation stands by then. `GET /v1/operations/{id}` answers [`Operation`],
//! `GET /v1/operations` a part of the feed ([`OperationPage`]), ordered by change like that of bills. An operation that
//! was taken always reaches one of its three ends; until then *unknown* is a phase of its own, [`Phase::Confirming`].

use crate::approval::StepUp;
use crate::wallet::SealedField;
use crate::{Fen, LocalizedText, UnixMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is to be done. The amounts are those that the holder saw when confirming: where they no longer hold, the
/// operation is refused instead of becoming another one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum OperationRequest {
    /// Money onto a card account, from the wallet and, where that is short, from a bound bank card.
    TopUp {
        /// The card account.
        account_id: Uuid,
        /// What arrives on it.
        amount: Fen,
        /// How it is paid; the parts and the fee together are amount and fee.
        funding: Funding,
        /// The payment password, sealed for the bank.
        password: SealedField,
    },
    /// Money from a bank card into the wallet.
    Recharge {
        /// What arrives in the wallet.
        amount: Fen,
        /// The bank card.
        card_id: Uuid,
        /// The payment password, sealed for the bank.
        password: SealedField,
    },
    /// Money from the wallet onto a bank card.
    Withdraw {
        /// What leaves the wallet.
        amount: Fen,
        /// The bank card.
        card_id: Uuid,
        /// The payment password, sealed for the bank.
        password: SealedField,
    },
    /// Money for a room's electricity or a network account.
    Utility {
        /// The bound place that gets it.
        place_id: Uuid,
        /// What arrives there.
        amount: Fen,
        /// How it is paid.
        paid_by: UtilityPayment,
    },
}

/// How a utility is paid.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "from", rename_all = "snake_case", deny_unknown_fields)]
pub enum UtilityPayment {
    /// Off a card account, at once: never more than is on it.
    Account {
        /// The card account.
        account_id: Uuid,
        /// Needed above the limits that the holder has set, never above the school's.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        step_up: Option<StepUp>,
    },
    /// Like a top-up: from the wallet and, where that is short, from a bound bank card.
    Wallet {
        /// The parts; they and the fee together are amount and fee.
        funding: Funding,
        /// The payment password, sealed for the bank.
        password: SealedField,
    },
}

impl std::fmt::Debug for OperationRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OperationRequest::{:?}({})", self.kind(), self.amount())
    }
}

impl OperationRequest {
    /// What it is.
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::TopUp { .. } => OperationKind::TopUp,
            Self::Recharge { .. } => OperationKind::Recharge,
            Self::Withdraw { .. } => OperationKind::Withdraw,
            Self::Utility { .. } => OperationKind::Utility,
        }
    }

    /// What arrives where it is to go.
    pub const fn amount(&self) -> Fen {
        match self {
            Self::TopUp { amount, .. }
            | Self::Recharge { amount, .. }
            | Self::Withdraw { amount, .. }
            | Self::Utility { amount, .. } => *amount,
        }
    }
}

/// Where the money of a top-up, or of a utility payment by way of the bank, comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Funding {
    /// Out of the wallet, zero or more.
    pub wallet: Fen,
    /// Off the bank card, fee included, zero or more. The bank takes both parts in one payment, or neither.
    pub bank: Fen,
    /// The bank card; needed where `bank` isn't zero.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub card_id: Option<Uuid>,
    /// The bank's fee, part of `bank`.
    pub fee: Fen,
}

/// What an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Onto a card account.
    TopUp,
    /// From a bank card into the wallet.
    Recharge,
    /// From the wallet onto a bank card.
    Withdraw,
    /// For a room's electricity or a network account.
    Utility,
    /// A kind of a newer server.
    #[serde(other)]
    Other,
}

/// One operation, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Operation {
    /// The id that the phone gave it.
    pub id: Uuid,
    /// What it is.
    pub kind: OperationKind,
    /// What arrives where it is to go.
    pub amount: Fen,
    /// Where the money comes from. Nothing in it where a card account pays.
    pub funding: Funding,
    /// The card account that gets the money, or that pays a utility.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account_id: Option<Uuid>,
    /// The bound place that gets it, where it is for a utility.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub place_id: Option<Uuid>,
    /// The platform began it, by the holder's rule for the account.
    #[serde(default)]
    pub is_automatic: bool,
    /// Where it stands.
    pub phase: Phase,
    /// How it came there, oldest first; the last is `phase`.
    pub steps: Vec<Step>,
    /// Why it was refused or refunded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refusal: Option<Refusal>,
    /// The number that a receipt shows and bank and card office ask for.
    pub reference: String,
    /// Rises with each change; an answer with a lower one is old.
    pub version: u64,
}

/// A phase that an operation reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Step {
    /// Which.
    pub phase: Phase,
    /// When, by the platform's clock.
    pub at: UnixMillis,
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The platform has it and tells the bank.
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
    /// A phase of a newer server.
    #[serde(other)]
    Other,
}

impl Phase {
    /// Whether nothing more will happen, but for what the bank itself takes back.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Credited | Self::Refunded | Self::Refused)
    }
}

/// Why an operation was refused or refunded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Refusal {
    /// The stable reason.
    pub reason: RefusalReason,
    /// What the bank says to a person, where it says something.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<LocalizedText>,
    /// Tries that are left, for a wrong password.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tries_left: Option<u8>,
    /// Until when the password is locked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<UnixMillis>,
}

impl Refusal {
    /// A refusal for this reason, with nothing more to say.
    pub const fn of(reason: RefusalReason) -> Self {
        Self {
            reason,
            message: None,
            tries_left: None,
            until: None,
        }
    }
}

/// The reasons for which the bank, or the utility, says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The payment password is wrong.
    PasswordWrong,
    /// The payment password is locked for now.
    PasswordLocked,
    /// The new payment password is one that others guess.
    PasswordWeak,
    /// The code is not the one of the bank's message.
    CodeWrong,
    /// The code is too old or was tried too often: another one is needed.
    CodeExpired,
    /// Name, identity number, card or phone are not those that the bank knows.
    IdentityMismatch,
    /// There is not enough money where it should come from.
    Insufficient,
    /// The bank's own limit for this card or wallet is reached.
    BankLimit,
    /// The bank card is not bound, or not any more.
    CardUnusable,
    /// The wallet is closed or frozen at the bank.
    WalletUnusable,
    /// The limit of the day, or the cap of an automatic top-up, is reached.
    LimitReached,
    /// The holder's mandate for automatic top-ups is gone, or not for this.
    MandateUnusable,
    /// The sealed fields don't belong to this operation or the bank's key.
    SealRefused,
    /// The account that should get it can't.
    AccountUnusable,
    /// Nothing was heard of it in time, so it was called off.
    TimedOut,
    /// The bank took it back after it had succeeded.
    ReversedByBank,
    /// The bank refused for a reason of its own.
    BankRefused,
    /// The utility refused for a reason of its own.
    UtilityRefused,
    /// A reason of a newer server.
    #[serde(other)]
    Other,
}

impl RefusalReason {
    /// The stable text form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordWrong => "password_wrong",
            Self::PasswordLocked => "password_locked",
            Self::PasswordWeak => "password_weak",
            Self::CodeWrong => "code_wrong",
            Self::CodeExpired => "code_expired",
            Self::IdentityMismatch => "identity_mismatch",
            Self::Insufficient => "insufficient",
            Self::BankLimit => "bank_limit",
            Self::CardUnusable => "card_unusable",
            Self::WalletUnusable => "wallet_unusable",
            Self::LimitReached => "limit_reached",
            Self::MandateUnusable => "mandate_unusable",
            Self::SealRefused => "seal_refused",
            Self::AccountUnusable => "account_unusable",
            Self::TimedOut => "timed_out",
            Self::ReversedByBank => "reversed_by_bank",
            Self::BankRefused => "bank_refused",
            Self::UtilityRefused => "utility_refused",
            Self::Other => "other",
        }
    }
}

/// The query of `GET /v1/operations`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OperationQuery {
    /// The `cursor` of the page before; without it, from the beginning.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<String>,
    /// At most so many operations, 1–500; 100 if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

/// A part of the feed of operations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OperationPage {
    /// Oldest change first.
    pub operations: Vec<Operation>,
    /// Where the next page begins, to be kept for the next sync even where the page is empty.
    pub cursor: String,
    /// Whether there is more right now.
    pub more: bool,
    /// The time of this answer.
    pub as_of: UnixMillis,
}
