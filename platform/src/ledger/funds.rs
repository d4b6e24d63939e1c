//! What a holder has on one card account, and how payments and credits divide between it and what is owed.
//!
//! The card account never falls below zero. What a payment takes beyond it is booked on the receivable account beside it;
//! whatever comes in later pays that off first.

use super::{AccountId, Posting};
use crate::error::Result;
use yika_api::Fen;

/// A card account and the receivable beside it, as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HolderFunds {
    card: AccountId,
    receivable: AccountId,
    /// On the card account, never below zero.
    balance: Fen,
    /// On the receivable account, never above zero.
    owed: Fen,
}

/// The postings of a payment, and whether the account was short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Charge {
    pub(crate) postings: Vec<Posting>,
    pub(crate) is_short: bool,
}

impl HolderFunds {
    pub(crate) fn new(card: AccountId, receivable: AccountId, balance: Fen, owed: Fen) -> Self {
        Self {
            card,
            receivable,
            balance,
            owed,
        }
    }

    pub(crate) fn card(&self) -> AccountId {
        self.card
    }

    /// What is on the account less what is owed: what the holder sees.
    pub(crate) fn net(&self) -> Result<Fen> {
        Ok(self.balance.checked_add(self.owed)?)
    }

    /// Whether the holder owes anything on this account.
    pub(crate) fn is_in_debt(&self) -> bool {
        self.owed.is_negative()
    }

    /// Takes `amount`, above zero: first from the account, the rest as debt.
    pub(crate) fn charge(&mut self, amount: Fen) -> Result<Charge> {
        let from_card = amount.min(self.balance);
        let as_debt = amount.checked_sub(from_card)?;
        self.balance = self.balance.checked_sub(from_card)?;
        self.owed = self.owed.checked_sub(as_debt)?;
        let postings = vec![
            Posting {
                account: self.card,
                amount: from_card.checked_neg()?,
            },
            Posting {
                account: self.receivable,
                amount: as_debt.checked_neg()?,
            },
        ];
        Ok(Charge {
            postings,
            is_short: as_debt.is_positive(),
        })
    }

    /// Gives `amount`, above zero: first against the debt, the rest onto the account.
    pub(crate) fn credit(&mut self, amount: Fen) -> Result<Vec<Posting>> {
        let against_debt = amount.min(self.owed.checked_neg()?);
        let onto_card = amount.checked_sub(against_debt)?;
        self.owed = self.owed.checked_add(against_debt)?;
        self.balance = self.balance.checked_add(onto_card)?;
        Ok(vec![
            Posting {
                account: self.card,
                amount: onto_card,
            },
            Posting {
                account: self.receivable,
                amount: against_debt,
            },
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn funds(balance: i64, owed: i64) -> HolderFunds {
        HolderFunds::new(AccountId(1), AccountId(2), Fen::new(balance), Fen::new(owed))
    }

    fn sum(postings: &[Posting]) -> i64 {
        postings.iter().map(|posting| posting.amount.get()).sum()
    }

    #[test]
    fn what_the_account_has_not_becomes_debt() {
        let mut short = funds(300, 0);
        let charge = short.charge(Fen::new(500)).unwrap();
        assert!(charge.is_short);
        assert_eq!(
            charge.postings.iter().map(|p| p.amount.get()).collect::<Vec<_>>(),
            [-300, -200]
        );
        assert_eq!(short, funds(0, -200));
    }

    #[test]
    fn an_exact_balance_is_not_short() {
        let mut exact = funds(500, 0);
        assert!(!exact.charge(Fen::new(500)).unwrap().is_short);
        assert_eq!(exact, funds(0, 0));
    }

    #[test]
    fn what_comes_in_pays_the_debt_first() {
        let mut owing = funds(0, -200);
        assert_eq!(sum(&owing.credit(Fen::new(500)).unwrap()), 500);
        assert_eq!(owing, funds(300, 0));
        assert!(!owing.is_in_debt());
    }

    proptest! {
        #[test]
        fn no_sequence_makes_the_account_negative_or_loses_a_fen(
            start in 0_i64..10_000,
            moves in proptest::collection::vec((any::<bool>(), 1_i64..100_000), 0..50),
        ) {
            let (mut at, mut expected) = (funds(start, 0), start);
            for (is_charge, amount) in moves {
                let postings = if is_charge {
                    expected -= amount;
                    at.charge(Fen::new(amount)).unwrap().postings
                } else {
                    expected += amount;
                    at.credit(Fen::new(amount)).unwrap()
                };
                prop_assert_eq!(sum(&postings), if is_charge { -amount } else { amount });
                prop_assert!(!at.balance.is_negative() && !at.owed.is_positive());
                prop_assert_eq!(at.balance.get() + at.owed.get(), expected);
                prop_assert!(at.balance == Fen::ZERO || at.owed == Fen::ZERO);
            }
        }
    }
}
