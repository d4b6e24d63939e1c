//! Taking an operation on: every check, the hold and the outbox row in one transaction, and the wait for its end.

use super::booking::{Accounts, Parts, pay_utility};
use super::driver;
use super::flow::{Contact, Stage};
use super::store::{self, NewOperation};
use crate::Platform;
use crate::accounts::{
    CardAccount, HolderStatus, NewPayment, add_payments, card_account_of, holder_by_id, take_change,
};
use crate::approvals::{Presence, prove};
use crate::config::WalletPolicy;
use crate::db::{Connection, take_numbers, transact};
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::ledger::{self, AccountId, AccountKind, book, school_account};
use crate::limits::{Bounds, most_of_payments, spend_bounds, spent_today, top_up_bounds};
use crate::random::{new_id, sha256};
use crate::sessions::Session;
use crate::utilities::bound_place;
use crate::wallet::{is_bound, open_wallet_account};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;
use yika_api::account::AccountStatus;
use yika_api::approval::Act;
use yika_api::bank::Authority;
use yika_api::operation::{
    Funding, Operation, OperationKind, OperationPage, OperationQuery, OperationRequest, UtilityPayment,
};
use yika_api::payment::{PaymentKind, PaymentStatus};
use yika_api::wallet::SealedField;
use yika_api::{Fen, Problem, ProblemCode, UnixMillis};

const DEFAULT_LIMIT: u16 = 100;
const MAX_LIMIT: u16 = 500;
/// The most of a recharge or a withdrawal: below what sums of them could overflow, above what anybody moves.
const MOST: Fen = Fen::new(100_000_000);
/// Bytes of a sealed field: more than any that the bank takes.
const MAX_SEALED: usize = 1024;
/// How often a request that waits looks for what another server has done.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Takes an operation on, once, and answers how it stands: at its end where the bank is quick.
pub(super) async fn start(
    platform: &Platform,
    session: &Session,
    key: IdempotencyKey,
    request: &OperationRequest,
) -> Result<Operation> {
    let request_hash = sha256(&serde_json::to_vec(request)?);
    let presence = presence(platform, session, key, request).await?;
    let times = platform.config().wallet.times;
    let is_new: Result<bool> = transact!(platform.db().writer(), |tx| {
        if let Some(known) = store::find(tx, key.0).await? {
            return match known.holder == session.holder && known.request_hash == request_hash {
                true => Ok(false),
                false => Err(Error::refused(ProblemCode::IdempotencyConflict)),
            };
        }
        let starting = Starting {
            platform,
            holder: session.holder,
            now: platform.now(),
            presence,
        };
        starting.insert(tx, key.0, request_hash, request).await?;
        yika_fault::reach("platform.operation.before-commit");
        Ok(true)
    });
    if is_new? {
        yika_fault::reach("platform.operation.after-commit");
        // Beside the request, which may go away: the operation doesn't.
        tokio::spawn(driver::drive_logged(platform.clone(), key.0));
    }
    when_settled(platform, session.holder, key.0, times.reply_wait).await
}

/// Whether the holder is there, for what a card account is to pay above the holder's own limits. Of an operation that is known
/// already nothing is asked again.
async fn presence(
    platform: &Platform,
    session: &Session,
    key: IdempotencyKey,
    request: &OperationRequest,
) -> Result<Presence> {
    let OperationRequest::Utility {
        place_id: place,
        amount,
        paid_by: UtilityPayment::Account { account_id, step_up },
    } = request
    else {
        return Ok(Presence::Unproven);
    };
    let mut reader = platform.db().read().await?;
    if store::find(&mut reader, key.0).await?.is_some() {
        return Ok(Presence::Unproven);
    }
    drop(reader);
    let act = Act::PayUtility {
        amount: *amount,
        place: *place,
        account: *account_id,
    };
    prove(platform, session, key, act, step_up.as_ref()).await
}

/// An operation of the holder.
pub(super) async fn one(platform: &Platform, holder: i64, id: Uuid) -> Result<Operation> {
    let mut reader = platform.db().read().await?;
    let found = store::shown(&mut reader, holder, id).await?;
    found.ok_or_else(|| Error::refused(ProblemCode::NotFound))
}

/// The operation once it has ended, or nobody is at it any more, or the time is over.
async fn when_settled(platform: &Platform, holder: i64, id: Uuid, wait: Duration) -> Result<Operation> {
    let deadline = Instant::now() + wait;
    loop {
        let changed = platform.operations_changed().notified();
        tokio::pin!(changed);
        changed.as_mut().enable();
        let mut reader = platform.db().read().await?;
        let row = store::find(&mut reader, id).await?;
        let is_at_work =
            row.is_some_and(|row| !row.stage.phase().is_end() && row.leased_until > platform.now());
        drop(reader);
        if !is_at_work {
            return one(platform, holder, id).await;
        }
        tokio::select! {
            () = changed => {}
            () = sleep(LOOK_AGAIN) => {}
            () = sleep_until(deadline) => return one(platform, holder, id).await,
        }
    }
}

/// A page of a holder's operations, in the order of their changes.
pub(super) async fn page(platform: &Platform, holder: i64, query: &OperationQuery) -> Result<OperationPage> {
    let invalid = |why: &str| Error::refused_because(ProblemCode::InvalidRequest, why);
    let after: i64 = match &query.after {
        None => 0,
        Some(cursor) => cursor
            .parse()
            .ok()
            .filter(|&after| after >= 0)
            .ok_or_else(|| invalid("`after` is not a cursor of this feed; begin without it"))?,
    };
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(invalid("`limit` must be 1 to 500"));
    }
    let mut snapshot = platform.db().snapshot().await?;
    let mut changes = store::changed_since(&mut snapshot, holder, after, i64::from(limit) + 1).await?;
    let more = changes.len() > usize::from(limit);
    changes.truncate(usize::from(limit));
    Ok(OperationPage {
        cursor: changes.last().map_or(after, |(change, _)| *change).to_string(),
        operations: changes.into_iter().map(|(_, operation)| operation).collect(),
        more,
        as_of: platform.now(),
    })
}

/// What a holder's top-ups of today come to, operations under way included.
pub(crate) async fn top_ups_of_today(db: &mut Connection, platform: &Platform, holder: i64) -> Result<Fen> {
    let today = crate::days::day_of(platform.now(), &platform.config().school.time_zone)?;
    store::top_ups_since(db, holder, today.start).await
}

/// The accounts that a holder's operations move money on.
pub(super) async fn accounts(db: &mut Connection, wallet: AccountId) -> Result<Accounts> {
    Ok(Accounts {
        wallet,
        hold: school_account(db, AccountKind::Hold).await?,
        custody: school_account(db, AccountKind::Custody).await?,
        fee: school_account(db, AccountKind::Fee).await?,
        funding: school_account(db, AccountKind::Funding).await?,
        utility: school_account(db, AccountKind::Utility).await?,
        risk: school_account(db, AccountKind::SchoolRisk).await?,
    })
}

/// One operation as it is taken on.
pub(super) struct Starting<'a> {
    pub(super) platform: &'a Platform,
    pub(super) holder: i64,
    pub(super) now: UnixMillis,
    pub(super) presence: Presence,
}

impl Starting<'_> {
    pub(super) fn policy(&self) -> &WalletPolicy {
        &self.platform.config().wallet
    }

    async fn insert(
        &self,
        tx: &mut Connection,
        id: Uuid,
        request_hash: [u8; 32],
        request: &OperationRequest,
    ) -> Result<()> {
        let parts = parts(request);
        self.check_amount(tx, &parts).await?;
        let place = match request {
            OperationRequest::Utility { place_id, .. } => Some(self.check_place(tx, *place_id).await?),
            _ => None,
        };
        let start = NewOperation {
            place,
            ..self.blank(tx, id, request_hash, parts).await?
        };
        match request {
            OperationRequest::Utility {
                paid_by: UtilityPayment::Account { account_id, .. },
                ..
            } => self.insert_paid_by_account(tx, start, *account_id).await,
            _ => self.insert_paid_by_bank(tx, start, request).await,
        }
    }

    /// An operation that this server is at, with nothing in it yet but what it is.
    pub(super) async fn blank(
        &self,
        tx: &mut Connection,
        id: Uuid,
        request_hash: [u8; 32],
        parts: Parts,
    ) -> Result<NewOperation> {
        Ok(NewOperation {
            id,
            holder: self.holder,
            request_hash,
            parts,
            card: None,
            account: None,
            place: None,
            authority: None,
            stage: Stage::Ordering(Contact::None),
            number: take_numbers(tx, "operation", 1).await?,
            change: take_change(tx, self.holder).await?,
            now: self.now,
            leased_until: self.now.plus_millis(self.policy().times.lease_ms),
            overdue_at: self.now.plus_millis(self.policy().times.patience_ms),
        })
    }

    /// An operation whose money the bank moves by the payment password.
    async fn insert_paid_by_bank(
        &self,
        tx: &mut Connection,
        start: NewOperation,
        request: &OperationRequest,
    ) -> Result<()> {
        let parts = start.parts;
        let (account, card, password) = match request {
            OperationRequest::TopUp {
                account_id,
                funding,
                password,
                ..
            } => {
                self.check_funding(&parts, funding)?;
                self.check_day(tx, &parts).await?;
                (
                    Some(self.check_account(tx, *account_id).await?.funds.card()),
                    funding.card_id,
                    password,
                )
            }
            OperationRequest::Utility {
                paid_by: UtilityPayment::Wallet { funding, password },
                ..
            } => {
                self.check_funding(&parts, funding)?;
                self.check_day(tx, &parts).await?;
                (None, funding.card_id, password)
            }
            OperationRequest::Utility {
                paid_by: UtilityPayment::Account { .. },
                ..
            } => return Err(Error::refused(ProblemCode::Internal)),
            OperationRequest::Recharge {
                card_id, password, ..
            }
            | OperationRequest::Withdraw {
                card_id, password, ..
            } => (None, Some(*card_id), password),
        };
        let password = check_sealed(password)?.clone();
        let new = NewOperation {
            card,
            account,
            authority: Some(Authority::Password { password }),
            ..start
        };
        self.insert_with_hold(tx, &new).await
    }

    /// An operation whose money the bank moves, with the hold on the wallet.
    pub(super) async fn insert_with_hold(&self, tx: &mut Connection, new: &NewOperation) -> Result<()> {
        self.platform.bank()?;
        let wallet = open_wallet_account(tx, self.holder).await?;
        if let Some(card) = new.card
            && !is_bound(tx, self.holder, card).await?
        {
            return Err(Error::refused(ProblemCode::CardNotBound));
        }
        let free = ledger::balance(tx, wallet).await?;
        if free < new.parts.held() {
            return Err(Error::refused_amount(ProblemCode::InsufficientFunds, free));
        }
        store::insert(tx, new).await?;
        let hold = new.parts.hold(&accounts(tx, wallet).await?, self.now)?;
        book(tx, hold.as_slice()).await?;
        Ok(())
    }

    /// A utility that a card account pays for here and now.
    async fn insert_paid_by_account(
        &self,
        tx: &mut Connection,
        start: NewOperation,
        account: Uuid,
    ) -> Result<()> {
        let holder = holder_by_id(tx, self.holder).await?;
        if holder.is_none_or(|holder| holder.status == HolderStatus::Frozen) {
            return Err(Error::refused(ProblemCode::CardFrozen));
        }
        self.check_day(tx, &start.parts).await?;
        let mut funds = self.check_account(tx, account).await?.funds;
        let amount = start.parts.amount;
        let free = funds.net()?.max(Fen::ZERO);
        if free < amount {
            return Err(Error::refused_amount(ProblemCode::InsufficientFunds, free));
        }
        let new = NewOperation {
            account: Some(funds.card()),
            stage: Stage::Crediting(Contact::None),
            ..start
        };
        store::insert(tx, &new).await?;
        let utility = school_account(tx, AccountKind::Utility).await?;
        let booking = pay_utility(&mut funds, utility, amount, self.now)?;
        book(tx, &[booking]).await?;
        let bill = NewPayment {
            id: new_id(self.now),
            holder: self.holder,
            account: funds.card(),
            kind: PaymentKind::Utility,
            status: PaymentStatus::Posted,
            amount: amount.checked_neg()?,
            merchant: None,
            terminal: None,
            place: new.place,
            occurred_at: self.now,
            posted_at: self.now,
            reference: store::reference(new.number),
            refund_of: None,
        };
        add_payments(tx, &[bill]).await
    }

    /// The limits of the holder that hold for it, and how far a step-up would reach: with payments off card accounts to the
    /// school's. Top-ups take the payment password anyway.
    async fn bounds(&self, tx: &mut Connection, parts: &Parts) -> Result<(Bounds, Bounds)> {
        match parts.account.is_positive() {
            true => {
                let own = spend_bounds(tx, self.platform, self.holder).await?;
                Ok((own, most_of_payments(self.platform)))
            }
            false => {
                let own = top_up_bounds(tx, self.platform, self.holder).await?;
                Ok((own, own))
            }
        }
    }

    /// Whether an amount may be as high as that, where the holder has set `own` below `most`.
    fn check_at_most(&self, amount: Fen, own: Fen, most: Fen, beyond: ProblemCode) -> Result<()> {
        if amount > most {
            return Err(Error::refused_amount(beyond, most));
        }
        match (amount <= own, self.presence) {
            (true, _) | (false, Presence::Proven) => Ok(()),
            (false, Presence::Unproven) => Err(Error::refused_amount(ProblemCode::StepUpRequired, own)),
        }
    }

    pub(super) async fn check_amount(&self, tx: &mut Connection, parts: &Parts) -> Result<()> {
        let (least, own, most) = match parts.kind {
            OperationKind::TopUp | OperationKind::Utility => {
                let (own, most) = self.bounds(tx, parts).await?;
                (self.policy().least, own.single, most.single)
            }
            OperationKind::Recharge | OperationKind::Withdraw | OperationKind::Other => {
                (Fen::new(1), MOST, MOST)
            }
        };
        if parts.amount < least {
            return Err(Error::refused_amount(ProblemCode::AmountOutOfRange, least));
        }
        self.check_at_most(parts.amount, own, most, ProblemCode::AmountOutOfRange)
    }

    /// The parts are those that the holder saw: they add up, with today's fee.
    fn check_funding(&self, parts: &Parts, funding: &Funding) -> Result<()> {
        let mismatch = |fee| Error::refused_amount(ProblemCode::FundingMismatch, fee);
        let Parts {
            wallet, bank, fee, ..
        } = *parts;
        if [wallet, bank, fee].iter().any(|part| part.is_negative()) || fee > bank {
            return Err(mismatch(Fen::ZERO));
        }
        let part_of_card = bank.checked_sub(fee)?;
        let due = self
            .policy()
            .fee
            .on(part_of_card)
            .map_err(|_| mismatch(Fen::ZERO))?;
        let adds_up = wallet.checked_add(part_of_card) == Ok(parts.amount);
        let names_card = funding.card_id.is_some() == bank.is_positive();
        match adds_up && names_card && fee == due {
            true => Ok(()),
            false => Err(mismatch(due)),
        }
    }

    pub(super) async fn check_day(&self, tx: &mut Connection, parts: &Parts) -> Result<()> {
        let used = match parts.account.is_positive() {
            true => spent_today(tx, self.platform, self.holder).await?,
            false => top_ups_of_today(tx, self.platform, self.holder).await?,
        };
        let (own, most) = self.bounds(tx, parts).await?;
        let left = |day: Fen| day.checked_sub(used).map(|left| left.max(Fen::ZERO));
        let (own, most) = (left(own.day)?, left(most.day)?);
        self.check_at_most(parts.amount, own, most, ProblemCode::DayLimitReached)
    }

    /// The place, bound by this holder, at a utility that can be asked.
    async fn check_place(&self, tx: &mut Connection, place: Uuid) -> Result<Uuid> {
        self.platform.utility()?;
        let bound = bound_place(tx, self.holder, place).await?;
        Ok(bound.ok_or_else(|| Error::refused(ProblemCode::NotFound))?.id)
    }

    pub(super) async fn check_account(&self, tx: &mut Connection, account: Uuid) -> Result<CardAccount> {
        let found = card_account_of(tx, self.holder, account).await?;
        let account = found.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        match account.status {
            AccountStatus::Open => Ok(account),
            AccountStatus::Frozen | AccountStatus::Closed => Err(Error::refused(ProblemCode::AccountNotOpen)),
        }
    }
}

fn parts(request: &OperationRequest) -> Parts {
    let (kind, amount, zero) = (request.kind(), request.amount(), Fen::ZERO);
    let by_bank = |funding: &Funding| (funding.wallet, funding.bank, zero, funding.fee);
    let (wallet, bank, account, fee) = match request {
        OperationRequest::TopUp { funding, .. } => by_bank(funding),
        OperationRequest::Recharge { .. } => (zero, amount, zero, zero),
        OperationRequest::Withdraw { .. } => (amount, zero, zero, zero),
        OperationRequest::Utility { paid_by, .. } => match paid_by {
            UtilityPayment::Wallet { funding, .. } => by_bank(funding),
            UtilityPayment::Account { .. } => (zero, zero, amount, zero),
        },
    };
    Parts {
        kind,
        amount,
        wallet,
        bank,
        account,
        fee,
    }
}

/// Refuses what can't be a sealed field: the bank would only say the same.
pub(crate) fn check_sealed(field: &SealedField) -> Result<&SealedField> {
    match (66..=MAX_SEALED).contains(&field.bytes.0.len()) {
        true => Ok(field),
        false => Err(Error::Refused(Box::new(
            Problem::new(ProblemCode::InvalidRequest).with_detail("a sealed field is 66 to 1024 bytes"),
        ))),
    }
}
