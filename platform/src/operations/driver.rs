//! Telling bank and utility what is to be told, and storing what their answer, or their silence, makes of the operation.

use super::booking::{Funds, return_from_utility};
use super::flow::{Circumstances, Contact, Entry, Event, Next, Route, Stage};
use super::service;
use super::store::{self, OperationRow, Update};
use crate::accounts::{NewPayment, add_payments, card_account_by_id, take_change, void_payment_of};
use crate::bank::BankError;
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use crate::http::AdapterError;
use crate::ledger::{self, AccountId, AccountKind, book, school_account};
use crate::random::new_id;
use crate::wallet::wallet_account;
use crate::{Platform, auto_top_up, issuer};
use tokio::task::JoinSet;
use uuid::Uuid;
use yika_api::account::AccountStatus;
use yika_api::bank::{Authority, Order, OrderState};
use yika_api::operation::OperationKind;
use yika_api::payment::{PaymentKind, PaymentStatus};
use yika_api::utility::{Credit, CreditState};
use yika_api::{Fen, ProblemCode, UnixMillis};

/// Operations that one server takes on at once.
const BATCH: i64 = 32;

/// What came back of an exchange.
#[derive(Debug)]
pub(super) enum Heard {
    Told(OrderState),
    Credit(CreditState),
    Unheard,
    Silence,
    Unreachable,
}

impl Heard {
    fn event(&self) -> Event<'_> {
        match self {
            Self::Told(state) => Event::Told(state),
            Self::Credit(state) => Event::Credit(state),
            Self::Unheard => Event::Unheard,
            Self::Silence => Event::Silence,
            Self::Unreachable => Event::Unreachable,
        }
    }
}

/// Drives operations until the process ends.
pub(crate) async fn drive_for_ever(platform: &Platform) {
    loop {
        match drive_due(platform).await {
            Ok(0) => tokio::time::sleep(platform.config().wallet.times.poll).await,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "operations could not be driven; trying again");
                tokio::time::sleep(platform.config().wallet.times.poll).await;
            }
        }
    }
}

/// Drives what is due and nobody is at, and returns how many operations that were.
pub(crate) async fn drive_due(platform: &Platform) -> Result<usize> {
    auto_top_up::run_due(platform).await?;
    let now = platform.now();
    let mut reader = platform.db().read().await?;
    if !store::is_something_due(&mut reader, now).await? {
        return Ok(0);
    }
    drop(reader);
    let until = now.plus_millis(platform.config().wallet.times.lease_ms);
    let claimed: Result<_> = transact!(platform.db().writer(), |tx| {
        store::claim_due(tx, now, until, BATCH).await
    });
    let mut driving = JoinSet::new();
    for id in claimed? {
        driving.spawn(drive_logged(platform.clone(), id));
    }
    Ok(driving.join_all().await.len())
}

/// Drives one operation that this server has taken on, and leaves it to the next one where that fails.
pub(super) async fn drive_logged(platform: Platform, id: Uuid) {
    if let Err(error) = drive(&platform, id).await {
        tracing::error!(%error, operation = %id, "an operation could not be driven; trying again");
    }
    platform.operations_changed().notify_waiters();
}

async fn drive(platform: &Platform, id: Uuid) -> Result<()> {
    loop {
        let mut reader = platform.db().read().await?;
        let found = store::find(&mut reader, id).await?;
        drop(reader);
        let Some(row) = found.filter(|row| row.next != Next::Rest) else {
            return Ok(());
        };
        yika_fault::reach("platform.operation.before-send");
        let heard = say(platform, &row).await;
        yika_fault::reach("platform.operation.after-send");
        if !record(platform, &row, &heard).await? {
            return Ok(());
        }
    }
}

/// One exchange, with whom it is to be.
async fn say(platform: &Platform, row: &OperationRow) -> Heard {
    match row.next {
        Next::Credit | Next::QueryCredit | Next::Recall => say_to_utility(platform, row).await,
        Next::Rest | Next::Submit | Next::Query | Next::CallOff | Next::GiveBack => {
            say_to_bank(platform, row).await
        }
    }
}

async fn say_to_utility(platform: &Platform, row: &OperationRow) -> Heard {
    let (Ok(utility), Some(place)) = (platform.utility(), &row.place) else {
        // Started without it: nothing was sent.
        return Heard::Unreachable;
    };
    let credit = Credit {
        id: row.id,
        provider: place.provider.clone(),
        code: place.code.clone(),
        amount: row.parts.amount,
    };
    let answer = match row.next {
        Next::Credit => utility.credit(&credit).await.map(Some),
        Next::Recall => utility.cancel(row.id).await,
        _ => utility.query(row.id).await,
    };
    match answer {
        Ok(Some(state)) => Heard::Credit(state),
        Ok(None) => Heard::Unheard,
        Err(AdapterError::Unreachable) => Heard::Unreachable,
        Err(AdapterError::Silent) => Heard::Silence,
        Err(error @ AdapterError::Malformed(_)) => {
            tracing::error!(%error, operation = %row.id, "no answer to a credit");
            Heard::Silence
        }
    }
}

async fn say_to_bank(platform: &Platform, row: &OperationRow) -> Heard {
    let Ok(bank) = platform.bank() else {
        // Started without its bank: nothing was sent.
        return Heard::Unreachable;
    };
    let bank = bank.gateway();
    let answer = match (row.next, order(row)) {
        (Next::Submit, Some(order)) => bank.submit(&order).await.map(Some),
        (Next::CallOff, _) => bank.call_off(row.id).await,
        (Next::GiveBack, _) => bank.give_back(row.id).await,
        _ => bank.query(row.id).await,
    };
    match answer {
        Ok(Some(state)) => Heard::Told(state),
        Ok(None) => Heard::Unheard,
        Err(BankError::Unreachable) => Heard::Unreachable,
        Err(BankError::Silent) => Heard::Silence,
        Err(error @ (BankError::Malformed(_) | BankError::Refused(_))) => {
            tracing::error!(%error, operation = %row.id, "no answer to an order");
            Heard::Silence
        }
    }
}

fn order(row: &OperationRow) -> Option<Order> {
    let parts = &row.parts;
    let (direction, wallet, card_amount) = parts.order();
    Some(Order {
        id: row.id,
        customer: row.customer?,
        direction,
        wallet,
        card_amount,
        fee: parts.fee,
        card: row.card,
        arrives: parts.amount,
        authority: row.authority.clone()?,
    })
}

/// Stores what follows from what came back. Says whether to go on at once.
async fn record(platform: &Platform, asked: &OperationRow, heard: &Heard) -> Result<bool> {
    let goes_on = transact!(platform.db().writer(), |tx| {
        let Some(row) = store::find(tx, asked.id).await? else {
            return Ok(false);
        };
        // Silence tells of an operation as it was; where another heard more meanwhile, it tells nothing.
        if !matches!(heard, Heard::Told(_) | Heard::Credit(_)) && row.attempts != asked.attempts {
            return Ok(false);
        }
        let goes_on = advance(tx, platform, &row, heard, Some(asked.next)).await?;
        yika_fault::reach("platform.operation.before-step");
        Ok(goes_on)
    });
    let goes_on: Result<bool> = goes_on;
    platform.operations_changed().notify_waiters();
    goes_on
}

/// Tells an operation what the bank says of its order unasked. Says whether that brought it on.
pub(crate) async fn hear(platform: &Platform, id: Uuid, state: &OrderState) -> Result<bool> {
    let heard = Heard::Told(state.clone());
    let is_news: Result<bool> = transact!(platform.db().writer(), |tx| {
        let Some(row) = store::find(tx, id).await? else {
            return Ok(false);
        };
        advance(tx, platform, &row, &heard, None).await?;
        let after = store::find(tx, id).await?;
        Ok(after.is_some_and(|after| after.version != row.version))
    });
    platform.operations_changed().notify_waiters();
    is_news
}

/// One step of the flow with what it books. `said` is what this was the answer to, if it was one.
async fn advance(
    tx: &mut Connection,
    platform: &Platform,
    row: &OperationRow,
    heard: &Heard,
    said: Option<Next>,
) -> Result<bool> {
    let now = platform.now();
    let around = Circumstances {
        route: route(row),
        is_overdue: now >= row.overdue_at,
        can_credit: can_credit(tx, row).await?,
    };
    let step = row.stage.clone().step(heard.event(), around);
    if step.next == Next::Rest && row.next == Next::Rest && step.entry.is_none() {
        return Ok(false);
    }
    if let Some(entry) = step.entry {
        enter(tx, row, entry, heard, now).await?;
    }
    if step.is_contradiction && row.next == Next::Rest {
        store::insert_alarm(tx, "bank_contradiction", row, now).await?;
    }
    let is_news = matches!(heard, Heard::Told(_) | Heard::Credit(_) | Heard::Unheard);
    let goes_on = step.next != Next::Rest && is_news && said != Some(step.next);
    let times = &platform.config().wallet.times;
    let seen = match step.stage.phase() == row.stage.phase() {
        true => None,
        false => Some((take_change(tx, row.holder).await?, now)),
    };
    let (moved_at, returned_at) = match heard {
        Heard::Told(OrderState::Done { at, .. }) => (Some(*at), None),
        Heard::Told(OrderState::Reversed { at, .. }) => (None, Some(*at)),
        _ => (None, None),
    };
    let pause = times
        .first_pause_ms
        .saturating_mul(1 << row.attempts.clamp(0, 20))
        .min(times.longest_pause_ms);
    // The utility has a time of its own, from when it can first be asked.
    let is_first_credit = step.stage == Stage::Crediting(Contact::None) && row.stage != step.stage;
    let update = Update {
        overdue_at: match is_first_credit {
            true => now.plus_millis(times.patience_ms),
            false => row.overdue_at,
        },
        stage: step.stage,
        next: step.next,
        due_at: if goes_on { now } else { now.plus_millis(pause) },
        leased_until: match goes_on && said.is_some() {
            true => now.plus_millis(times.lease_ms),
            false => UnixMillis(0),
        },
        moved_at,
        returned_at,
        seen,
    };
    store::update(tx, row, &update).await?;
    if let Some(Authority::Mandate { mandate }) = &row.authority
        && update.stage.phase().is_end()
    {
        auto_top_up::ended(tx, platform, *mandate, update.stage.refusal()).await?;
    }
    Ok(goes_on)
}

fn route(row: &OperationRow) -> Route {
    match (row.place.is_some(), row.parts.account.is_positive()) {
        (false, _) => Route::Bank,
        (true, false) => Route::BankThenUtility,
        (true, true) => Route::Utility,
    }
}

/// Whether whoever is to get the money can get it. A frozen account can: it only doesn't pay.
async fn can_credit(tx: &mut Connection, row: &OperationRow) -> Result<bool> {
    match row.account {
        None => Ok(true),
        Some(account) => Ok(card_account_by_id(tx, account).await?.status != AccountStatus::Closed),
    }
}

/// Books an entry, and the bills that go with it.
async fn enter(
    tx: &mut Connection,
    row: &OperationRow,
    entry: Entry,
    heard: &Heard,
    now: UnixMillis,
) -> Result<()> {
    if route(row) == Route::Utility {
        return enter_for_account(tx, row, entry, now).await;
    }
    let wallet = wallet_account(tx, row.holder).await?;
    let accounts = service::accounts(tx, wallet).await?;
    let funds = Funds {
        card: match row.account {
            Some(account) => Some(card_account_by_id(tx, account).await?.funds),
            None => None,
        },
        wallet: ledger::balance(tx, wallet).await?,
    };
    let booked = row.parts.book(entry, &accounts, funds, now)?;
    book(tx, booked.booking.as_slice()).await?;
    let moved_at = match heard {
        Heard::Told(OrderState::Done { at, .. } | OrderState::Reversed { at, .. }) => *at,
        _ => now,
    };
    match entry {
        Entry::Release | Entry::Lose => {}
        Entry::Settle => add_payments(tx, &bills(row, wallet, moved_at, now)?).await?,
        Entry::TakeBack => {
            void_payment_of(tx, &row.reference(), row.holder).await?;
            void_payment_of(tx, &wallet_reference(row), row.holder).await?;
        }
    }
    if matches!(entry, Entry::TakeBack | Entry::Lose) && row.parts.kind == OperationKind::Utility {
        store::insert_alarm(tx, "utility_unpaid", row, now).await?;
    }
    if booked.shortfall.is_positive() {
        // The wallet's bills go on making up its balance.
        let made_up = bill(
            row,
            wallet,
            PaymentKind::Deposit,
            booked.shortfall,
            (moved_at, now),
        );
        let reference = format!("{}S", row.reference());
        add_payments(tx, &[NewPayment { reference, ..made_up }]).await?;
        store::insert_alarm(tx, "wallet_short", row, now).await?;
    }
    if booked.debt_changed {
        issuer::mark_holder_dirty(tx, row.holder).await?;
    }
    Ok(())
}

/// Books an entry of an operation that a card account has paid for: only the way back books anything.
async fn enter_for_account(
    tx: &mut Connection,
    row: &OperationRow,
    entry: Entry,
    now: UnixMillis,
) -> Result<()> {
    let (Entry::Release, Some(account)) = (entry, row.account) else {
        return Ok(());
    };
    let mut funds = card_account_by_id(tx, account).await?.funds;
    let was_in_debt = funds.is_in_debt();
    let utility = school_account(tx, AccountKind::Utility).await?;
    let booking = return_from_utility(&mut funds, utility, row.parts.amount, now)?;
    book(tx, &[booking]).await?;
    void_payment_of(tx, &row.reference(), row.holder).await?;
    if was_in_debt != funds.is_in_debt() {
        issuer::mark_holder_dirty(tx, row.holder).await?;
    }
    Ok(())
}

fn wallet_reference(row: &OperationRow) -> String {
    format!("{}W", row.reference())
}

/// A bill on every account of the holder that the operation moved money on.
fn bills(
    row: &OperationRow,
    wallet: AccountId,
    moved_at: UnixMillis,
    now: UnixMillis,
) -> Result<Vec<NewPayment>> {
    let (kind, on_wallet) = match row.parts.kind {
        OperationKind::TopUp => (PaymentKind::TopUp, row.parts.wallet.checked_neg()?),
        OperationKind::Recharge => (PaymentKind::Recharge, row.parts.amount),
        OperationKind::Withdraw => (PaymentKind::Withdrawal, row.parts.amount.checked_neg()?),
        OperationKind::Utility => (PaymentKind::Utility, row.parts.wallet.checked_neg()?),
        OperationKind::Other => return Err(Error::refused(ProblemCode::Internal)),
    };
    let mut bills = Vec::new();
    if let Some(card) = row.account {
        bills.push(bill(row, card, kind, row.parts.amount, (moved_at, now)));
    }
    if on_wallet != Fen::ZERO {
        bills.push(NewPayment {
            reference: wallet_reference(row),
            ..bill(row, wallet, kind, on_wallet, (moved_at, now))
        });
    }
    Ok(bills)
}

fn bill(
    row: &OperationRow,
    account: AccountId,
    kind: PaymentKind,
    amount: Fen,
    (occurred_at, posted_at): (UnixMillis, UnixMillis),
) -> NewPayment {
    NewPayment {
        id: new_id(posted_at),
        holder: row.holder,
        account,
        kind,
        status: PaymentStatus::Posted,
        amount,
        merchant: None,
        terminal: None,
        place: row.place.as_ref().map(|place| place.id),
        occurred_at,
        posted_at,
        reference: row.reference(),
        refund_of: None,
    }
}
