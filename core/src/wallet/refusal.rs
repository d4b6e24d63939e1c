//! Why money does not move, as a screen needs to know it: one reason, and what goes with it.

use std::fmt;

use yika_api::operation::Refusal as BankRefusal;
use yika_api::{Fen, ProblemCode};

use crate::http::Refusal;

/// Why something with money is not possible. Nothing was charged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyRefusal {
    /// The reason.
    pub reason: MoneyReason,
    /// The amount that it is about: the limit that is passed, what is left of a day, what is free, today's fee.
    pub amount: Option<Fen>,
    /// What the bank said, for [`MoneyReason::BankRefused`].
    pub bank: Option<BankRefusal>,
}

impl MoneyRefusal {
    pub(crate) const fn of(reason: MoneyReason) -> Self {
        Self {
            reason,
            amount: None,
            bank: None,
        }
    }

    pub(crate) const fn about(reason: MoneyReason, amount: Fen) -> Self {
        Self {
            reason,
            amount: Some(amount),
            bank: None,
        }
    }

    /// What a refusal of the platform's means, where it is one of these.
    pub(crate) fn told(refusal: &Refusal) -> Option<Self> {
        let reason = MoneyReason::told(refusal.code?)?;
        Some(Self {
            reason,
            amount: refusal.amount,
            bank: refusal.bank.clone(),
        })
    }
}

impl fmt::Display for MoneyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.as_str())?;
        if let Some(amount) = self.amount {
            write!(f, " ({amount})")?;
        }
        match &self.bank {
            Some(bank) => write!(f, ": {:?}", bank.reason),
            None => Ok(()),
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal $(from $problem:ident)?;)*) => {
        /// The reasons for which money does not move.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum MoneyReason {
            $($(#[$doc])* $variant,)*
        }

        impl MoneyReason {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            const fn told(code: ProblemCode) -> Option<Self> {
                match code {
                    $($(ProblemCode::$problem => Some(Self::$variant),)?)*
                    _ => None,
                }
            }
        }
    };
}

reasons! {
    /// The school offers no wallet.
    WalletNotOffered = "wallet_not_offered" from WalletNotOffered;
    /// There is no open wallet: open it first.
    WalletNotOpen = "wallet_not_open" from WalletNotOpen;
    /// There is an open wallet already.
    WalletAlreadyOpen = "wallet_already_open" from WalletAlreadyOpen;
    /// Money or operations under way stand against closing the wallet: its `close_blockers` say which.
    WalletInUse = "wallet_in_use" from WalletInUse;
    /// Other terms are in force: show them, and ask again.
    TermsChanged = "terms_changed" from TermsChanged;
    /// The bank card is not bound.
    CardNotBound = "card_not_bound" from CardNotBound;
    /// The account can't get money.
    AccountNotOpen = "account_not_open" from AccountNotOpen;
    /// Below the least or above the most; `amount` is that limit.
    AmountOutOfRange = "amount_out_of_range" from AmountOutOfRange;
    /// The day's limit is passed; `amount` is what is left of it.
    DayLimitReached = "day_limit_reached" from DayLimitReached;
    /// The parts don't hold any more, as after a change of the fee; `amount` is the fee of today. Plan again.
    FundingMismatch = "funding_mismatch" from FundingMismatch;
    /// Not enough in the wallet or on the account, and no bank card to pay the rest; `amount` is what is free.
    InsufficientFunds = "insufficient_funds" from InsufficientFunds;
    /// A step-up is needed: a limit is raised, or a payment is above one; `amount` is up to where it would not be.
    StepUpRequired = "step_up_required" from StepUpRequired;
    /// This phone may not approve, or not any more: take the payment password, and agree to approvals anew.
    ApprovalRefused = "approval_refused" from ApprovalRefused;
    /// The payment can't be disputed: it is none at a merchant, was not charged, or is back already.
    NotDisputable = "not_disputable" from NotDisputable;
    /// There is a dispute of this payment that is not decided yet.
    DisputeUnderWay = "dispute_under_way" from DisputeUnderWay;
    /// The dispute was decided or taken back before.
    DisputeEnded = "dispute_ended" from DisputeEnded;
    /// The sale can't be refunded: it was voided, was the school's to pay, or is back already.
    NotRefundable = "not_refundable" from NotRefundable;
    /// The sale can't be voided: it is not the last one of its terminal, too long ago, or back already. Refund it.
    NotVoidable = "not_voidable" from NotVoidable;
    /// A void or refund of this sale waits for an answer already.
    RefundUnderWay = "refund_under_way";
    /// The school offers no utilities.
    UtilityNotOffered = "utility_not_offered" from UtilityNotOffered;
    /// The utility does not answer; nothing was changed. Try again.
    UtilityUnavailable = "utility_unavailable" from UtilityUnavailable;
    /// There is that much on the account already; `amount` is its balance.
    TargetReached = "target_reached";
    /// What is in the wallet, or on the account, is not known yet: synchronise first.
    BalanceUnknown = "balance_unknown";
    /// Too many operations wait for a network: let them end first.
    TooManyWaiting = "too_many_waiting";
    /// This phone knows no such operation.
    OperationUnknown = "operation_unknown";
    /// It was sent, so it can't be taken back here.
    AlreadySent = "already_sent";
    /// The bank does not answer: whether something was done is not known. Try again.
    BankUnavailable = "bank_unavailable" from BankUnavailable;
    /// The bank refused; `bank` says why.
    BankRefused = "bank_refused" from BankRefused;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_the_platform_has_too_has_the_platforms_code() {
        for &code in ProblemCode::ALL {
            if let Some(reason) = MoneyReason::told(code) {
                assert_eq!(reason.as_str(), code.as_str());
            }
        }
    }
}
