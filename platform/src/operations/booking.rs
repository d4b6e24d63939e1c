//! What an operation books: from its kind, its parts and an entry of the flow to postings that sum to zero.

use super::flow::Entry;
use crate::error::Result;
use crate::ledger::{AccountId, Booking, HolderFunds, Posting, TransactionKind};
use yika_api::bank::OrderDirection;
use yika_api::operation::OperationKind;
use yika_api::{Fen, UnixMillis};

/// How much goes where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) kind: OperationKind,
    pub(super) amount: Fen,
    /// Out of the wallet.
    pub(super) wallet: Fen,
    /// Off a bank card, fee included.
    pub(super) bank: Fen,
    /// Off a card account; then nothing else.
    pub(super) account: Fen,
    pub(super) fee: Fen,
}

/// The accounts that operations by way of the bank move money on, beside the card account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accounts {
    pub(super) wallet: AccountId,
    pub(super) hold: AccountId,
    pub(super) custody: AccountId,
    pub(super) fee: AccountId,
    pub(super) funding: AccountId,
    pub(super) utility: AccountId,
    pub(super) risk: AccountId,
}

/// What is on the holder's side at that moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Funds {
    /// On the card account and beside it, where the operation is for one.
    pub(super) card: Option<HolderFunds>,
    /// In the wallet, less what is held.
    pub(super) wallet: Fen,
}

/// What an entry comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Booked {
    /// Nothing, where nothing was held.
    pub(super) booking: Option<Booking>,
    /// What a wallet had not: between the holder and the bank, and no money of these books.
    pub(super) shortfall: Fen,
    /// The holder came into debt or out of it.
    pub(super) debt_changed: bool,
}

impl Parts {
    /// What the bank is told: which way, the part of the wallet, the part of the card.
    pub(super) const fn order(&self) -> (OrderDirection, Fen, Fen) {
        match self.kind {
            OperationKind::TopUp | OperationKind::Utility | OperationKind::Other => {
                (OrderDirection::ToSchool, self.wallet, self.bank)
            }
            OperationKind::Recharge => (OrderDirection::IntoWallet, self.amount, self.amount),
            OperationKind::Withdraw => (OrderDirection::OntoCard, self.amount, self.amount),
        }
    }

    /// What is kept of the wallet while the operation is under way.
    pub(super) fn held(&self) -> Fen {
        match self.kind {
            OperationKind::TopUp | OperationKind::Withdraw | OperationKind::Utility => self.wallet,
            OperationKind::Recharge | OperationKind::Other => Fen::ZERO,
        }
    }

    /// The hold with which the operation begins.
    pub(super) fn hold(&self, accounts: &Accounts, at: UnixMillis) -> Result<Option<Booking>> {
        self.transfer(TransactionKind::Hold, accounts.wallet, accounts.hold, at)
    }

    fn transfer(
        &self,
        kind: TransactionKind,
        from: AccountId,
        to: AccountId,
        at: UnixMillis,
    ) -> Result<Option<Booking>> {
        match self.held() {
            Fen::ZERO => Ok(None),
            held => Booking::new(
                kind,
                at,
                vec![posting(from, held.checked_neg()?), posting(to, held)],
            )
            .map(Some),
        }
    }

    /// What an entry books, where the bank has a part in it.
    pub(super) fn book(
        &self,
        entry: Entry,
        accounts: &Accounts,
        mut funds: Funds,
        at: UnixMillis,
    ) -> Result<Booked> {
        let was_in_debt = funds.card.is_some_and(|card| card.is_in_debt());
        let mut shortfall = Fen::ZERO;
        let booking = match entry {
            Entry::Release => self.transfer(TransactionKind::Release, accounts.hold, accounts.wallet, at)?,
            Entry::Settle => Some(Booking::new(
                self.settled_as(),
                at,
                self.settle(accounts, &mut funds)?,
            )?),
            Entry::TakeBack => {
                if self.kind == OperationKind::Recharge && funds.wallet < self.amount {
                    shortfall = self.amount.checked_sub(funds.wallet)?;
                }
                let postings = self.take_back(accounts, &mut funds, shortfall)?;
                match shortfall == self.amount {
                    true => None,
                    false => Some(Booking::new(TransactionKind::TakeBack, at, postings)?),
                }
            }
            Entry::Lose => Some(Booking::new(
                TransactionKind::TakeBack,
                at,
                vec![
                    posting(accounts.hold, self.wallet.checked_neg()?),
                    posting(accounts.wallet, self.wallet),
                    posting(accounts.utility, self.amount),
                    posting(accounts.risk, self.amount.checked_neg()?),
                ],
            )?),
        };
        Ok(Booked {
            booking,
            shortfall,
            debt_changed: was_in_debt != funds.card.is_some_and(|card| card.is_in_debt()),
        })
    }

    fn settled_as(&self) -> TransactionKind {
        match self.kind {
            OperationKind::TopUp | OperationKind::Other => TransactionKind::TopUp,
            OperationKind::Recharge => TransactionKind::Recharge,
            OperationKind::Withdraw => TransactionKind::WalletWithdrawal,
            OperationKind::Utility => TransactionKind::Utility,
        }
    }

    /// What was held has left, and what was to arrive has.
    fn settle(&self, accounts: &Accounts, funds: &mut Funds) -> Result<Vec<Posting>> {
        Ok(match self.kind {
            OperationKind::TopUp | OperationKind::Utility | OperationKind::Other => {
                let mut postings = vec![
                    posting(accounts.hold, self.wallet.checked_neg()?),
                    posting(accounts.custody, self.wallet),
                    posting(accounts.fee, self.fee),
                    posting(
                        accounts.funding,
                        self.wallet.checked_add(self.bank)?.checked_neg()?,
                    ),
                ];
                match (self.kind, &mut funds.card) {
                    (OperationKind::Utility, _) => postings.push(posting(accounts.utility, self.amount)),
                    (_, Some(card)) => postings.extend(card.credit(self.amount)?),
                    (_, None) => {}
                }
                postings
            }
            OperationKind::Recharge => vec![
                posting(accounts.wallet, self.amount),
                posting(accounts.custody, self.amount.checked_neg()?),
            ],
            OperationKind::Withdraw => vec![
                posting(accounts.hold, self.amount.checked_neg()?),
                posting(accounts.custody, self.amount),
            ],
        })
    }

    /// The way back. What the card account has not becomes debt; a wallet gives what it has; what a utility has it keeps,
    /// and the school bears it.
    fn take_back(&self, accounts: &Accounts, funds: &mut Funds, shortfall: Fen) -> Result<Vec<Posting>> {
        Ok(match self.kind {
            OperationKind::TopUp | OperationKind::Utility | OperationKind::Other => {
                let mut postings = vec![
                    posting(accounts.wallet, self.wallet),
                    posting(accounts.custody, self.wallet.checked_neg()?),
                    posting(accounts.fee, self.fee.checked_neg()?),
                    posting(accounts.funding, self.wallet.checked_add(self.bank)?),
                ];
                match (self.kind, &mut funds.card) {
                    (OperationKind::Utility, _) => {
                        postings.push(posting(accounts.risk, self.amount.checked_neg()?));
                    }
                    (_, Some(card)) => postings.extend(card.charge(self.amount)?.postings),
                    (_, None) => {}
                }
                postings
            }
            OperationKind::Recharge => vec![
                posting(accounts.wallet, shortfall.checked_sub(self.amount)?),
                posting(accounts.custody, self.amount.checked_sub(shortfall)?),
            ],
            OperationKind::Withdraw => vec![
                posting(accounts.wallet, self.amount),
                posting(accounts.custody, self.amount.checked_neg()?),
            ],
        })
    }
}

/// A utility paid off a card account that has as much.
pub(super) fn pay_utility(
    card: &mut HolderFunds,
    utility: AccountId,
    amount: Fen,
    at: UnixMillis,
) -> Result<Booking> {
    let mut postings = card.charge(amount)?.postings;
    postings.push(posting(utility, amount));
    Booking::new(TransactionKind::Utility, at, postings)
}

/// What the utility did not take, back on the card account.
pub(super) fn return_from_utility(
    card: &mut HolderFunds,
    utility: AccountId,
    amount: Fen,
    at: UnixMillis,
) -> Result<Booking> {
    let mut postings = card.credit(amount)?;
    postings.push(posting(utility, amount.checked_neg()?));
    Booking::new(TransactionKind::UtilityReturn, at, postings)
}

const fn posting(account: AccountId, amount: Fen) -> Posting {
    Posting { account, amount }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const ACCOUNTS: Accounts = Accounts {
        wallet: AccountId(1),
        hold: AccountId(2),
        custody: AccountId(3),
        fee: AccountId(4),
        funding: AccountId(5),
        utility: AccountId(6),
        risk: AccountId(9),
    };
    const CARD: AccountId = AccountId(7);
    const RECEIVABLE: AccountId = AccountId(8);

    /// The books of one holder, to which bookings are applied.
    #[derive(Clone, Default)]
    struct Book(BTreeMap<AccountId, i64>);

    impl Book {
        fn at(&self, account: AccountId) -> i64 {
            self.0.get(&account).copied().unwrap_or_default()
        }

        fn apply(&mut self, booking: Option<&Booking>) {
            for posting in booking.iter().flat_map(|booking| booking.postings()) {
                *self.0.entry(posting.account).or_default() += posting.amount.get();
            }
        }

        fn funds(&self) -> Funds {
            Funds {
                card: Some(HolderFunds::new(
                    CARD,
                    RECEIVABLE,
                    Fen::new(self.at(CARD)),
                    Fen::new(self.at(RECEIVABLE)),
                )),
                wallet: Fen::new(self.at(ACCOUNTS.wallet)),
            }
        }

        fn run(&mut self, parts: &Parts, entry: Entry) -> Booked {
            let booked = parts.book(entry, &ACCOUNTS, self.funds(), UnixMillis(0)).unwrap();
            self.apply(booked.booking.as_ref());
            booked
        }

        /// What the bank has is what is in wallets and held, and nothing that may not is below zero.
        fn check(&self) {
            assert_eq!(self.0.values().sum::<i64>(), 0);
            assert_eq!(
                self.at(ACCOUNTS.wallet) + self.at(ACCOUNTS.hold),
                -self.at(ACCOUNTS.custody)
            );
            for account in [ACCOUNTS.wallet, ACCOUNTS.hold, CARD] {
                assert!(self.at(account) >= 0, "{account:?}");
            }
        }
    }

    fn parts() -> impl Strategy<Value = Parts> {
        (0..4, 0_i64..5_000, 0_i64..5_000, 0_i64..50).prop_map(|(kind, wallet, bank, fee)| {
            let [wallet, fee] = [wallet, fee].map(Fen::new);
            let bank = Fen::new(bank + 1 + fee.get());
            let amount = Fen::new(wallet.get() + bank.get() - fee.get());
            match kind {
                0 => of(OperationKind::TopUp, [amount, wallet, bank, fee]),
                1 => of(OperationKind::Recharge, [amount, Fen::ZERO, amount, Fen::ZERO]),
                2 => of(OperationKind::Withdraw, [amount, amount, Fen::ZERO, Fen::ZERO]),
                _ => of(OperationKind::Utility, [amount, wallet, bank, fee]),
            }
        })
    }

    fn of(kind: OperationKind, [amount, wallet, bank, fee]: [Fen; 4]) -> Parts {
        let account = Fen::ZERO;
        Parts {
            kind,
            amount,
            wallet,
            bank,
            account,
            fee,
        }
    }

    proptest! {
        #[test]
        fn the_books_stay_whole_whatever_operations_do(
            operations in prop::collection::vec((parts(), any::<bool>(), any::<bool>(), 0_i64..3_000), 1..20),
        ) {
            let mut book = Book::default();
            let recharge = |amount| of(OperationKind::Recharge, [amount, Fen::ZERO, amount, Fen::ZERO]);
            for (parts, succeeds, is_taken_back, spent) in operations {
                if book.at(ACCOUNTS.wallet) < parts.held().get() {
                    book.run(&recharge(parts.held()), Entry::Settle);
                }
                let before = book.clone();
                book.apply(parts.hold(&ACCOUNTS, UnixMillis(0)).unwrap().as_ref());
                book.check();
                if succeeds {
                    book.run(&parts, Entry::Settle);
                    book.check();
                    let net = |book: &Book| book.at(CARD) + book.at(RECEIVABLE);
                    if parts.kind == OperationKind::TopUp {
                        prop_assert_eq!(net(&book) - net(&before), parts.amount.get());
                    }
                    if parts.kind == OperationKind::Utility {
                        let credited = book.at(ACCOUNTS.utility) - before.at(ACCOUNTS.utility);
                        prop_assert_eq!(credited, parts.amount.get());
                    }
                    if is_taken_back {
                        let mut card = book.funds().card.unwrap();
                        if spent > 0 {
                            let mut postings = card.charge(Fen::new(spent)).unwrap().postings;
                            postings.push(posting(ACCOUNTS.funding, Fen::new(spent)));
                            let sale = Booking::new(TransactionKind::Sale, UnixMillis(0), postings).unwrap();
                            book.apply(Some(&sale));
                        }
                        let booked = book.run(&parts, Entry::TakeBack);
                        prop_assert_eq!(booked.shortfall, Fen::ZERO);
                        prop_assert_eq!(net(&book), net(&before) - spent);
                        prop_assert_eq!(book.at(ACCOUNTS.wallet), before.at(ACCOUNTS.wallet));
                    }
                } else if parts.kind == OperationKind::Utility && is_taken_back {
                    book.run(&parts, Entry::Lose);
                    prop_assert_eq!(book.at(ACCOUNTS.wallet), before.at(ACCOUNTS.wallet));
                    let lost = before.at(ACCOUNTS.risk) - book.at(ACCOUNTS.risk);
                    prop_assert_eq!(lost, parts.amount.get());
                } else {
                    book.run(&parts, Entry::Release);
                    prop_assert_eq!(book.at(ACCOUNTS.wallet), before.at(ACCOUNTS.wallet));
                }
                book.check();
                prop_assert_eq!(book.at(ACCOUNTS.hold), 0);
            }
        }
    }

    #[test]
    fn a_wallet_that_spent_what_the_bank_takes_back_gives_what_it_has() {
        let mut book = Book::default();
        let [zero, all, some] = [0, 500, 300].map(Fen::new);
        let recharge = of(OperationKind::Recharge, [all, zero, all, zero]);
        let spend = of(OperationKind::Withdraw, [some, some, zero, zero]);
        book.run(&recharge, Entry::Settle);
        book.apply(spend.hold(&ACCOUNTS, UnixMillis(0)).unwrap().as_ref());
        book.run(&spend, Entry::Settle);
        let booked = book.run(&recharge, Entry::TakeBack);
        assert_eq!(booked.shortfall, Fen::new(300));
        assert_eq!((book.at(ACCOUNTS.wallet), book.at(ACCOUNTS.custody)), (0, 0));
        let nothing_left = book.run(&recharge, Entry::TakeBack);
        assert_eq!(
            (nothing_left.booking, nothing_left.shortfall),
            (None, Fen::new(500))
        );
    }

    proptest! {
        #[test]
        fn a_card_account_pays_a_utility_and_gets_back_what_it_did_not_take(
            balance in 1_i64..10_000, amount in 1_i64..10_000,
        ) {
            let amount = Fen::new(amount.min(balance));
            let mut card = HolderFunds::new(CARD, RECEIVABLE, Fen::new(balance), Fen::ZERO);
            let mut book = Book::default();
            book.apply(Some(&pay_utility(&mut card, ACCOUNTS.utility, amount, UnixMillis(0)).unwrap()));
            prop_assert_eq!(card.net().unwrap().get(), balance - amount.get());
            prop_assert_eq!(book.at(ACCOUNTS.utility), amount.get());
            let back = return_from_utility(&mut card, ACCOUNTS.utility, amount, UnixMillis(0)).unwrap();
            book.apply(Some(&back));
            prop_assert_eq!(card.net().unwrap().get(), balance);
            prop_assert!(book.0.values().all(|sum| *sum == 0));
        }
    }
}
