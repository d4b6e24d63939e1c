//! The double-entry ledger: transactions whose postings sum to zero, and balances kept beside them.
//!
//! A balance is what the school owes to the account: above zero on card and merchant accounts, below on the receivable of
//! a holder who owes, on the school's risk, on the funding account that all money came through, and on the custody account
//! that stands for what the bank has of wallets. The sum over all accounts is therefore always zero.

mod funds;
mod statement;
mod store;

pub(crate) use funds::HolderFunds;
pub(crate) use statement::statement;
pub use statement::{Statement, StatementLine, StatementOf};
pub use store::KindTotal;
pub(crate) use store::{
    AccountKind, NewAccount, account_of_merchant, balance, book, create_account, merchant_balance,
    school_account, totals,
};

use crate::db::stored_enum;
use crate::error::{Error, Result};
use yika_api::{Fen, UnixMillis};

/// An account of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AccountId(pub(crate) i64);

/// A transaction of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TransactionId(pub(crate) i64);

/// What a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TransactionKind {
    /// Money came onto a card account.
    Deposit,
    /// Money was taken off a card account by the card office.
    Withdrawal,
    /// A merchant was paid.
    Sale,
    /// A sale was taken back.
    Void,
    /// Money of a wallet is kept for an operation.
    Hold,
    /// It is free again.
    Release,
    /// Money came onto a card account by way of the bank.
    TopUp,
    /// Money came into a wallet.
    Recharge,
    /// Money left a wallet for a bank card.
    WalletWithdrawal,
    /// The bank took one of these back.
    TakeBack,
    /// A utility was paid.
    Utility,
    /// A utility did not take it.
    UtilityReturn,
    /// A merchant gave something back.
    Refund,
}
stored_enum!(TransactionKind {
    TransactionKind::Deposit = "deposit",
    TransactionKind::Withdrawal = "withdrawal",
    TransactionKind::Sale = "sale",
    TransactionKind::Void = "void",
    TransactionKind::Hold = "hold",
    TransactionKind::Release = "release",
    TransactionKind::TopUp = "top_up",
    TransactionKind::Recharge = "recharge",
    TransactionKind::WalletWithdrawal = "wallet_withdrawal",
    TransactionKind::TakeBack = "take_back",
    TransactionKind::Utility = "utility",
    TransactionKind::UtilityReturn = "utility_return",
    TransactionKind::Refund = "refund",
});

/// A change of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posting {
    pub(crate) account: AccountId,
    pub(crate) amount: Fen,
}

/// A transaction to be booked. Balanced by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Booking {
    kind: TransactionKind,
    at: UnixMillis,
    postings: Vec<Posting>,
}

impl Booking {
    /// A transaction of these postings, of which those of nothing are left out. Refused unless they sum to zero.
    pub(crate) fn new(kind: TransactionKind, at: UnixMillis, postings: Vec<Posting>) -> Result<Self> {
        let postings: Vec<_> = postings
            .into_iter()
            .filter(|posting| posting.amount != Fen::ZERO)
            .collect();
        let sum = postings
            .iter()
            .try_fold(Fen::ZERO, |sum, posting| sum.checked_add(posting.amount))?;
        if sum != Fen::ZERO || postings.is_empty() {
            return Err(Error::Unbalanced);
        }
        Ok(Self { kind, at, postings })
    }

    /// What it changes.
    #[cfg(test)]
    pub(crate) fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

#[cfg(test)]
mod tests;
