//! What the card office does: holders, accounts, merchants, money in and out, credentials' states, and the books.
//!
//! Each function is one transaction. Nothing here is reached over the platform's own HTTP API; operator commands, an
//! import and the sandbox's console call it.

use crate::accounts::{
    CardAccount, HolderRow, HolderStatus, NewPayment, add_payments, funds_of_slots, holder_by_number,
    insert_holder, list_accounts, list_holders, open_card_account, set_account_status,
};
use crate::days::day_named;
use crate::db::{Connection, StoredEnum as _, transact};
use crate::error::{Error, Result};
use crate::ledger::{
    self, AccountKind, Booking, HolderFunds, KindTotal, NewAccount, Posting, Statement, StatementOf,
    TransactionKind, book, create_account, school_account,
};
use crate::office::{self, Action, Actor};
use crate::operations::{self, Reconciliation};
use crate::random::new_id;
use crate::terminals::{self, MerchantRow, TerminalRow, insert_merchant, list_merchants, list_terminals};
use crate::{Platform, issuer, limits, lost, settlement};
use std::collections::BTreeMap;
use yika_api::account::{Account, AccountStatus};
use yika_api::bank::StatementRow;
use yika_api::payment::{PaymentKind, PaymentStatus};
use yika_api::terminal::{MerchantId, TerminalId, TerminalKind};
use yika_api::{Fen, LocalizedText, ProblemCode, UnixMillis};
use yika_format::Slot;
use yika_format::lists::HolderNumber;

/// The card office's functions of a platform.
#[derive(Clone, Copy, Debug)]
pub struct Admin<'a> {
    platform: &'a Platform,
    actor: Actor,
}

/// An account that a holder begins with.
#[derive(Clone, Debug)]
pub struct OpeningAccount {
    /// Its place on the card, 1–8.
    pub slot: u8,
    /// What it is called.
    pub name: LocalizedText,
    /// What is on it, zero or more.
    pub balance: Fen,
}

/// A holder with accounts.
#[derive(Clone, Debug)]
pub struct HolderView {
    /// The student or staff number.
    pub number: String,
    /// The name.
    pub name: String,
    /// Whether nothing is issued for the holder.
    pub is_frozen: bool,
    /// The accounts, as the phone would see them.
    pub accounts: Vec<Account>,
}

/// A merchant.
#[derive(Clone, Debug)]
pub struct MerchantView {
    /// Its number.
    pub id: MerchantId,
    /// Its name.
    pub name: LocalizedText,
    /// What it has earned and was not paid out.
    pub earned: Fen,
}

/// A terminal.
#[derive(Clone, Debug)]
pub struct TerminalView {
    /// Its number.
    pub id: TerminalId,
    /// What it stands for.
    pub kind: TerminalKind,
    /// Its name on receipts.
    pub label: String,
    /// For whom it takes payments.
    pub merchant: Option<MerchantId>,
    /// The next record number that is expected.
    pub next_sequence: u64,
    /// Whether it is frozen.
    pub is_frozen: bool,
}

/// The state of the books.
#[derive(Clone, Debug)]
pub struct Books {
    /// The sums by kind of account.
    pub accounts: Vec<KindTotal>,
    /// The sum over all accounts, which is zero.
    pub grand_sum: Fen,
    /// How many records were settled with each result, by the result's text in the API.
    pub sales: BTreeMap<&'static str, u64>,
    /// How many alarms of each kind the card office has.
    pub alarms: BTreeMap<String, u64>,
}

impl<'a> Admin<'a> {
    pub(crate) fn new(platform: &'a Platform, actor: Actor) -> Self {
        Self { platform, actor }
    }

    pub(crate) fn actor(&self) -> Actor {
        self.actor
    }

    /// Writes down what this transaction does to a holder.
    pub(crate) async fn record(
        &self,
        tx: &mut Connection,
        action: Action,
        number: &str,
        detail: String,
    ) -> Result<()> {
        office::record(tx, self.actor, action, (Some(number), detail), self.now()).await
    }

    pub(crate) fn platform(&self) -> &'a Platform {
        self.platform
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.platform.now()
    }

    pub(crate) async fn holder(&self, db: &mut Connection, number: &str) -> Result<i64> {
        find_holder(db, number).await.map(|holder| holder.id)
    }

    /// Opens the accounts of which a school has one each, where they are missing.
    pub(crate) async fn open_school_accounts(&self) -> Result<()> {
        let names = [
            (AccountKind::SchoolRisk, "学校风险", "School risk"),
            (AccountKind::Funding, "资金来源", "Funding"),
            (AccountKind::Hold, "在途资金", "Held for operations"),
            (AccountKind::Custody, "银行托管", "In custody of the bank"),
            (AccountKind::Fee, "银行手续费", "Bank fees"),
            (AccountKind::Utility, "水电网代缴", "Owed to utilities"),
        ];
        transact!(self.platform.db().writer(), |tx| {
            for (kind, zh, en) in names {
                match school_account(tx, kind).await {
                    Ok(_) => {}
                    Err(Error::Database(sqlx::Error::RowNotFound)) => {
                        let name = LocalizedText {
                            zh: zh.to_owned(),
                            en: en.to_owned(),
                        };
                        create_account(tx, &blank_account(kind, name, self.now())).await?;
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
    }

    /// Adds a merchant with its account. `default_for` makes it the one for terminals of a kind that name none.
    /// Does nothing where there is one of that number, and says so by `false`.
    ///
    /// # Errors
    /// Where another merchant is the default for that kind, or the database fails.
    pub async fn add_merchant(
        &self,
        id: MerchantId,
        name: LocalizedText,
        default_for: Option<TerminalKind>,
    ) -> Result<bool> {
        let number = i64::try_from(id.0).map_err(|_| Error::refused(ProblemCode::InvalidRequest))?;
        let row = MerchantRow { id: number, name };
        transact!(self.platform.db().writer(), |tx| {
            self.insert_merchant(tx, &row, default_for).await
        })
    }

    pub(crate) async fn insert_merchant(
        &self,
        tx: &mut Connection,
        row: &MerchantRow,
        default_for: Option<TerminalKind>,
    ) -> Result<bool> {
        let is_new = insert_merchant(tx, row, default_for, self.now()).await?;
        if is_new {
            let account = blank_account(AccountKind::Merchant, row.name.clone(), self.now());
            let merchant = Some(row.id);
            create_account(tx, &NewAccount { merchant, ..account }).await?;
        }
        Ok(is_new)
    }

    /// Adds a student with accounts and what is on them. Does nothing where there is a holder of that number, and says
    /// so by `false`.
    ///
    /// # Errors
    /// Where the number has not 1 to 32 visible ASCII characters, a slot is none or twice, a balance is below zero, or
    /// the database fails.
    pub async fn add_student(&self, number: &str, name: &str, accounts: &[OpeningAccount]) -> Result<bool> {
        const STUDENT: u8 = 1;
        HolderNumber::new(number).map_err(|_| {
            Error::refused_because(
                ProblemCode::InvalidRequest,
                "a number has 1 to 32 visible ASCII characters",
            )
        })?;
        transact!(self.platform.db().writer(), |tx| {
            if holder_by_number(tx, number).await?.is_some() {
                return Ok(false);
            }
            let holder = insert_holder(tx, number, name, STUDENT, self.now()).await?;
            for account in accounts {
                let slot = slot(account.slot)?;
                open_card_account(tx, holder, slot, &account.name, self.now()).await?;
                if account.balance != Fen::ZERO {
                    self.deposit(tx, holder, slot, account.balance).await?;
                }
            }
            Ok(true)
        })
    }

    /// Puts money onto an account. The holder sees a bill.
    ///
    /// # Errors
    /// Where there is no such account, the amount is not above zero, or the database fails.
    pub async fn fund(&self, number: &str, account: u8, amount: Fen) -> Result<()> {
        let slot = slot(account)?;
        transact!(self.platform.db().writer(), |tx| {
            let holder = find_holder(tx, number).await?;
            self.deposit(tx, holder.id, slot, amount).await?;
            let detail = format!("account {account}: {amount} yuan");
            self.record(tx, Action::Deposited, number, detail).await
        })
    }

    /// Books what is missing to this balance, or what is too much; zero or more.
    ///
    /// # Errors
    /// Where there is no such account, the balance is below zero, or the database fails.
    pub async fn set_balance(&self, number: &str, account: u8, balance: Fen) -> Result<()> {
        if balance.is_negative() {
            return Err(Error::refused_amount(ProblemCode::InvalidRequest, balance));
        }
        let slot = slot(account)?;
        transact!(self.platform.db().writer(), |tx| {
            let holder = find_holder(tx, number).await?;
            let funds = self.account(tx, holder.id, slot).await?.funds;
            let difference = balance.checked_sub(funds.net()?)?;
            if difference.is_positive() {
                self.deposit(tx, holder.id, slot, difference).await?;
            } else if difference.is_negative() {
                self.withdraw(tx, funds, difference.checked_neg()?).await?;
            }
            let detail = format!("account {account}: {balance} yuan, by {difference}");
            self.record(tx, Action::BalanceSet, number, detail).await
        })
    }

    async fn account(&self, tx: &mut Connection, holder: i64, slot: Slot) -> Result<CardAccount> {
        let accounts = funds_of_slots(tx, &[holder]).await?;
        let found = accounts.into_iter().find(|account| account.slot == slot);
        found.ok_or_else(|| {
            Error::refused_because(ProblemCode::NotFound, "the holder has no account at that slot")
        })
    }

    pub(crate) async fn deposit(
        &self,
        tx: &mut Connection,
        holder: i64,
        slot: Slot,
        amount: Fen,
    ) -> Result<()> {
        if !amount.is_positive() {
            return Err(Error::refused_amount(ProblemCode::InvalidRequest, amount));
        }
        let (now, mut funds) = (self.now(), self.account(tx, holder, slot).await?.funds);
        let was_in_debt = funds.is_in_debt();
        let mut postings = funds.credit(amount)?;
        postings.push(Posting {
            account: school_account(tx, AccountKind::Funding).await?,
            amount: amount.checked_neg()?,
        });
        let transaction = book(tx, &[Booking::new(TransactionKind::Deposit, now, postings)?]).await?;
        let bill = NewPayment {
            id: new_id(now),
            holder,
            account: funds.card(),
            kind: PaymentKind::Deposit,
            status: PaymentStatus::Posted,
            amount,
            merchant: None,
            terminal: None,
            place: None,
            occurred_at: now,
            posted_at: now,
            reference: format!("D{}", transaction.0),
            refund_of: None,
        };
        add_payments(tx, &[bill]).await?;
        if was_in_debt != funds.is_in_debt() {
            issuer::mark_holder_dirty(tx, holder).await?;
        }
        Ok(())
    }

    async fn withdraw(&self, tx: &mut Connection, mut funds: HolderFunds, amount: Fen) -> Result<()> {
        let mut postings = funds.charge(amount)?.postings;
        postings.push(Posting {
            account: school_account(tx, AccountKind::Funding).await?,
            amount,
        });
        book(
            tx,
            &[Booking::new(TransactionKind::Withdrawal, self.now(), postings)?],
        )
        .await?;
        Ok(())
    }

    /// Kills a holder's credentials for good; new keys may be enrolled.
    ///
    /// # Errors
    /// Where there is no such holder, or the database fails.
    pub async fn revoke(&self, number: &str) -> Result<()> {
        transact!(self.platform.db().writer(), |tx| {
            let holder = find_holder(tx, number).await?;
            lost::end_all(tx, holder.id, self.now()).await?;
            issuer::revoke_holder(tx, holder.id, self.now()).await?;
            self.record(tx, Action::Revoked, number, String::new()).await
        })
    }

    /// Freezes an account of a holder, or opens it again. A frozen one pays for nothing that needs the platform, and phones
    /// show no more codes for it once they have heard: what a terminal approved before that is charged, what it approves
    /// of an old code after that is the school's loss. Money may come.
    ///
    /// # Errors
    /// Where there is no such account, it is closed, or the database fails.
    pub async fn freeze_account(&self, number: &str, account: u8, is_frozen: bool) -> Result<()> {
        let slot = slot(account)?;
        let status = if is_frozen {
            AccountStatus::Frozen
        } else {
            AccountStatus::Open
        };
        transact!(self.platform.db().writer(), |tx| {
            let holder = find_holder(tx, number).await?;
            let found = self.account(tx, holder.id, slot).await?;
            if found.status == AccountStatus::Closed {
                return Err(Error::refused(ProblemCode::AccountNotOpen));
            }
            set_account_status(tx, found.funds.card(), status).await?;
            let action = match is_frozen {
                true => Action::AccountFrozen,
                false => Action::AccountOpened,
            };
            self.record(tx, action, number, format!("account {account}"))
                .await
        })
    }

    /// Takes away the limits that a holder has set: the school's hold again.
    ///
    /// # Errors
    /// Where there is no such holder, or the database fails.
    pub async fn reset_limits(&self, number: &str) -> Result<()> {
        transact!(self.platform.db().writer(), |tx| {
            let holder = find_holder(tx, number).await?;
            limits::clear(tx, holder.id).await?;
            self.record(tx, Action::LimitsReset, number, String::new()).await
        })
    }

    /// Makes a one-use code with which a terminal can be enrolled within two days.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn new_terminal_code(&self) -> Result<String> {
        terminals::new_enrolment_code(self.platform).await
    }

    /// Compares the bank's statement of a day, `yyyy-mm-dd` in the school's time zone, with the books. Operations that
    /// still hang are brought on by what it says; what differs is named, and not booked.
    ///
    /// # Errors
    /// Where the day is none, or the database fails.
    pub async fn reconcile(&self, day: &str, statement: &[StatementRow]) -> Result<Reconciliation> {
        operations::reconcile(self.platform, day, statement).await
    }

    /// The statement of an account from one day to another, both included, each `yyyy-mm-dd` in the school's time zone.
    ///
    /// # Errors
    /// Where there is no such account, a day is none, or the database fails.
    pub async fn statement(&self, of: &StatementOf, from: &str, to: &str) -> Result<Statement> {
        let zone = &self.platform.config().school.time_zone;
        let days = day_named(from, zone)?.start..day_named(to, zone)?.end;
        if days.is_empty() {
            let why = "the last day is before the first";
            return Err(Error::refused_because(ProblemCode::InvalidRequest, why));
        }
        let mut snapshot = self.platform.db().snapshot().await?;
        ledger::statement(&mut snapshot, of, days, zone).await
    }

    /// All holders with their accounts.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn holders(&self) -> Result<Vec<HolderView>> {
        let mut snapshot = self.platform.db().snapshot().await?;
        let mut views = Vec::new();
        for holder in list_holders(&mut snapshot).await? {
            let accounts = list_accounts(&mut snapshot, holder.id, self.now()).await?;
            views.push(HolderView {
                number: holder.number,
                name: holder.name,
                is_frozen: holder.status == HolderStatus::Frozen,
                accounts,
            });
        }
        Ok(views)
    }

    /// All merchants with what they earned.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn merchants(&self) -> Result<Vec<MerchantView>> {
        let mut snapshot = self.platform.db().snapshot().await?;
        let mut views = Vec::new();
        for merchant in list_merchants(&mut snapshot).await? {
            let earned = ledger::merchant_balance(&mut snapshot, merchant.id).await?;
            let api = merchant.to_api();
            views.push(MerchantView {
                id: api.id,
                name: api.name,
                earned,
            });
        }
        Ok(views)
    }

    /// All terminals.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn terminals(&self) -> Result<Vec<TerminalView>> {
        let mut reader = self.platform.db().read().await?;
        Ok(list_terminals(&mut reader)
            .await?
            .into_iter()
            .map(terminal_view)
            .collect())
    }

    /// The state of the books.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn books(&self) -> Result<Books> {
        let mut snapshot = self.platform.db().snapshot().await?;
        let accounts = ledger::totals(&mut snapshot).await?;
        let grand_sum = accounts
            .iter()
            .try_fold(Fen::ZERO, |sum, total| sum.checked_add(total.sum))?;
        let results = settlement::result_counts(&mut snapshot).await?;
        Ok(Books {
            accounts,
            grand_sum,
            sales: results
                .into_iter()
                .map(|(result, count)| (result.to_stored(), count))
                .collect(),
            alarms: settlement::alarm_counts(&mut snapshot)
                .await?
                .into_iter()
                .collect(),
        })
    }
}

fn slot(number: u8) -> Result<Slot> {
    Slot::new(number).map_err(|_| Error::refused_because(ProblemCode::InvalidRequest, "slots are 1 to 8"))
}

pub(crate) async fn find_holder(db: &mut Connection, number: &str) -> Result<HolderRow> {
    let found = holder_by_number(db, number).await?;
    found.ok_or_else(|| Error::refused_because(ProblemCode::NotFound, "no holder of that number"))
}

fn blank_account(kind: AccountKind, name: LocalizedText, now: UnixMillis) -> NewAccount {
    NewAccount {
        public_id: new_id(now),
        kind,
        holder: None,
        slot: None,
        card_account: None,
        merchant: None,
        name,
    }
}

fn terminal_view(row: TerminalRow) -> TerminalView {
    TerminalView {
        id: row.public_id(),
        kind: row.kind,
        merchant: row.merchant.and_then(|id| u64::try_from(id).ok()).map(MerchantId),
        label: row.label,
        next_sequence: row.next_sequence,
        is_frozen: row.is_frozen,
    }
}
