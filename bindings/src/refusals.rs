//! Why money does not move, and what of an input is not right: parts of errors.

use crate::types::{Fen, LocalizedText, UnixMillis};

pub use yika_api::operation::{Refusal as BankRefusal, RefusalReason};
pub use yika_core::wallet::{InputField, MoneyReason, MoneyRefusal};

/// Why something with money is not possible. Nothing was charged.
#[uniffi::remote(Record)]
pub struct MoneyRefusal {
    /// The reason.
    pub reason: MoneyReason,
    /// The amount that it is about: the limit that is passed, what is left of a day, what is free, today's fee.
    pub amount: Option<Fen>,
    /// What the bank said, for `BankRefused`.
    pub bank: Option<BankRefusal>,
}

/// The reasons for which money does not move.
#[uniffi::remote(Enum)]
pub enum MoneyReason {
    /// The school offers no wallet.
    WalletNotOffered,
    /// There is no open wallet: open it first.
    WalletNotOpen,
    /// There is an open wallet already.
    WalletAlreadyOpen,
    /// Money or operations under way stand against closing the wallet: its `close_blockers` say which.
    WalletInUse,
    /// Other terms are in force: show them, and ask again.
    TermsChanged,
    /// The bank card is not bound.
    CardNotBound,
    /// The account can't get money.
    AccountNotOpen,
    /// Below the least or above the most; `amount` is that limit.
    AmountOutOfRange,
    /// The day's limit is passed; `amount` is what is left of it.
    DayLimitReached,
    /// The parts don't hold any more, as after a change of the fee; `amount` is the fee of today. Plan again.
    FundingMismatch,
    /// Not enough in the wallet or on the account, and no bank card to pay the rest; `amount` is what is free.
    InsufficientFunds,
    /// A step-up is needed: a limit is raised, or a payment is above one; `amount` is up to where it would not be.
    StepUpRequired,
    /// This phone may not approve, or not any more: take the payment password, and turn approvals on anew.
    ApprovalRefused,
    /// The payment can't be disputed: it is none at a merchant, was not charged, or is back already.
    NotDisputable,
    /// There is a dispute of this payment that is not decided yet.
    DisputeUnderWay,
    /// The dispute was decided or taken back before.
    DisputeEnded,
    /// The sale can't be refunded: it was voided, was the school's to pay, or is back already.
    NotRefundable,
    /// The sale can't be voided: it is not the last one of its terminal, too long ago, or back already. Refund it.
    NotVoidable,
    /// A void or refund of this sale waits for an answer already.
    RefundUnderWay,
    /// The school offers no utilities.
    UtilityNotOffered,
    /// The utility does not answer; nothing was changed. Try again.
    UtilityUnavailable,
    /// There is that much on the account already; `amount` is its balance.
    TargetReached,
    /// What is in the wallet, or on the account, is not known yet: synchronise first.
    BalanceUnknown,
    /// Too many operations wait for a network: let them end first.
    TooManyWaiting,
    /// This phone knows no such operation.
    OperationUnknown,
    /// It was sent, so it can't be taken back here.
    AlreadySent,
    /// The bank does not answer: whether something was done is not known. Try again.
    BankUnavailable,
    /// The bank refused; `bank` says why.
    BankRefused,
}

/// What the bank said when it refused.
#[uniffi::remote(Record)]
pub struct BankRefusal {
    /// The stable reason.
    pub reason: RefusalReason,
    /// What the bank says to a person, where it says something.
    pub message: Option<LocalizedText>,
    /// Tries that are left, for a wrong password.
    pub tries_left: Option<u8>,
    /// Until when the password is locked.
    pub until: Option<UnixMillis>,
}

/// The reasons for which the bank says no.
#[uniffi::remote(Enum)]
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
    /// A reason that this version does not know.
    Other,
}

/// What of an input is not of its form.
#[uniffi::remote(Enum)]
pub enum InputField {
    /// Not above zero.
    Amount,
    /// Not six digits.
    PaymentPassword,
    /// Not six digits.
    SmsCode,
    /// Not 13 to 19 digits, or the last one, a check digit, is wrong.
    CardNumber,
    /// Empty, or longer than 64 characters.
    Name,
    /// Not a resident identity number of 18 characters, or its last one, a check character, is wrong.
    IdNumber,
    /// Not a mobile number of 11 digits.
    PhoneNumber,
    /// Not the code of a provider or a place.
    Place,
    /// More than 500 characters, or none where some are needed.
    Text,
}
