//! Commands about money: bills, top-ups, the wallet, operations.

use std::fs;
use std::io::{self, BufRead as _};

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_core::accounts::BillQuery;
use yika_core::approvals::StepUp;
use yika_core::operations::{Operation, Phase, Plan, TopUpAmount, TopUpSource};
use yika_core::session::SessionState;
use yika_core::wallet::{CardDetails, Identity, NewPaymentPassword, PasswordProof, PaymentPassword, SmsCode};
use yika_core::{CampusCard, CoreError};
use zeroize::Zeroizing;

use crate::args::{AccountName, BillFilter, Confirmation, Month, Operations, Output, Source, TopUp, Wallet};
use crate::commands::{print, wait};
use crate::error::PhoneError;
use crate::show;

/// The longest line of standard input, in bytes.
const LINE: usize = 512;

/// Bills, of all accounts or one.
pub(crate) fn bills(card: &CampusCard, filter: &BillFilter) -> Result<(), PhoneError> {
    let account = filter.account.map(|name| account(card, name)).transpose()?;
    let zone = time_zone(card)?;
    let (from, until) = match filter.month {
        Some(Month(first)) => {
            let next = first.checked_add(1.month()).map_err(PhoneError::time)?;
            (Some(midnight(first, &zone)?), Some(midnight(next, &zone)?))
        }
        None => (None, None),
    };
    let query = BillQuery {
        account,
        text: filter.text.clone(),
        from,
        until,
        ..BillQuery::default()
    };
    if let Some(path) = &filter.csv {
        let table = wait(card.bills().export(query.clone(), offset_s(from, &zone)?))??;
        fs::write(path, table).map_err(|error| PhoneError::Write {
            path: path.clone(),
            reason: error.to_string(),
        })?;
    }
    let summary = wait(card.bills().summary(query.clone()))??;
    let page = wait(card.bills().page(query, filter.limit))??;
    print(
        filter.output,
        || show::bills_json(&page, &summary),
        || show::bills_text(&page, &summary),
    )
}

fn time_zone(card: &CampusCard) -> Result<TimeZone, PhoneError> {
    match card.session().state() {
        SessionState::Active(bound) | SessionState::Ended(bound) => {
            TimeZone::get(&bound.time_zone).map_err(PhoneError::time)
        }
        SessionState::Unbound => Err(CoreError::NotBound.into()),
    }
}

fn midnight(day: Date, zone: &TimeZone) -> Result<UnixMillis, PhoneError> {
    let start = day
        .to_zoned(zone.clone())
        .and_then(|day| day.start_of_day())
        .map_err(PhoneError::time)?;
    Ok(UnixMillis(start.timestamp().as_millisecond()))
}

/// How far the place is ahead of UTC at an instant; where there is none, in 1970.
fn offset_s(at: Option<UnixMillis>, zone: &TimeZone) -> Result<i32, PhoneError> {
    let at = jiff::Timestamp::from_millisecond(at.map_or(0, |at| at.0)).map_err(PhoneError::time)?;
    Ok(zone.to_offset(at).seconds())
}

/// The account that a person named.
pub(crate) fn account(card: &CampusCard, name: AccountName) -> Result<Uuid, PhoneError> {
    match name {
        AccountName::Id(id) => Ok(id),
        AccountName::Slot(slot) => {
            let accounts = wait(card.accounts().list())??;
            let found = accounts.iter().find(|account| account.slot.get() == slot);
            Ok(found.ok_or(PhoneError::NoSuchSlot(slot))?.id)
        }
    }
}

/// Plans a top-up, and confirms it.
pub(crate) fn top_up(card: &CampusCard, words: &TopUp) -> Result<(), PhoneError> {
    let account = account(card, words.account.unwrap_or(AccountName::Slot(1)))?;
    let amount = match (words.amount, words.to) {
        (Some(amount), _) => TopUpAmount::Exactly { amount },
        (None, Some(balance)) => TopUpAmount::ToBalance { balance },
        // The grammar asks for one of them.
        (None, None) => return Ok(()),
    };
    let source = source(card, words.from)?;
    let plan = wait(card.operations().plan_top_up(account, amount, source))??;
    confirm(card, plan, &words.confirmation)
}

/// What pays by way of the bank.
pub(crate) fn source(card: &CampusCard, from: Option<Source>) -> Result<TopUpSource, PhoneError> {
    Ok(match from {
        None => TopUpSource::WalletThenCard,
        Some(Source::Wallet) => TopUpSource::Wallet,
        Some(Source::Card) => {
            let wallet = wait(card.wallet().get())??;
            let default = wallet.cards.first().ok_or(PhoneError::NoCard)?;
            TopUpSource::Card { card_id: default.id }
        }
    })
}

/// Confirms a plan, or only shows it.
pub(crate) fn confirm(card: &CampusCard, plan: Plan, words: &Confirmation) -> Result<(), PhoneError> {
    if words.dry_run {
        return print(words.output, || show::plan_json(&plan), || show::plan_text(&plan));
    }
    let step_up = words.password_stdin.then(step_up).transpose()?;
    let mut operation = wait(card.operations().confirm(plan, step_up))??;
    if words.wait {
        operation = follow(card, operation)?;
    }
    show_operation(words.output, &operation)
}

/// Waits for an operation's end; for half a minute, where nobody can be reached to send it to.
fn follow(card: &CampusCard, mut operation: Operation) -> Result<Operation, PhoneError> {
    while !operation.phase.is_end() && operation.phase != Phase::Other {
        let before = operation.phase;
        operation = wait(card.operations().watch(operation.id, before))??;
        if (before, operation.phase) == (Phase::Created, Phase::Created) {
            break;
        }
    }
    Ok(operation)
}

/// An operation that was refused is one that failed, for scripts.
fn show_operation(output: Output, operation: &Operation) -> Result<(), PhoneError> {
    print(
        output,
        || show::operation_json(operation),
        || show::operation_text(operation),
    )?;
    match (operation.phase, &operation.refusal) {
        (Phase::Refused | Phase::Refunded, Some(refusal)) => {
            Err(PhoneError::OperationFailed(refusal.code.clone()))
        }
        _ => Ok(()),
    }
}

/// Operations: the list, one followed, or one taken back.
pub(crate) fn operations(card: &CampusCard, words: &Operations) -> Result<(), PhoneError> {
    if let Some(id) = words.watch {
        let operation = wait(card.operations().get(id))??;
        return show_operation(words.output, &follow(card, operation)?);
    }
    if let Some(id) = words.cancel {
        wait(card.operations().cancel(id))??;
        return print(
            words.output,
            || json!({ "cancelled": id }),
            || "taken back".to_owned(),
        );
    }
    let page = wait(card.operations().page(None, words.limit))??;
    print(
        words.output,
        || show::operations_json(&page),
        || show::operations_text(&page),
    )
}

/// The e-wallet.
pub(crate) fn wallet(card: &CampusCard, words: &Wallet) -> Result<(), PhoneError> {
    let service = card.wallet();
    let (wallet, output) = match words {
        Wallet::Show(output) => (wait(service.get())??, *output),
        Wallet::Limits(words) => {
            let wallet = match (words.single, words.day) {
                (Some(single), Some(day)) => {
                    let step_up = words.password_stdin.then(step_up).transpose()?;
                    wait(card.limits().set_top_up(single, day, step_up))??
                }
                _ => wait(service.get())??,
            };
            (wallet, words.output)
        }
        Wallet::Open {
            accept_terms,
            secrets,
        } => {
            let identity = identity()?;
            let password = NewPaymentPassword::new(line()?)?;
            let opened = wait(service.open(*accept_terms, identity, password))??;
            (opened, secrets.output)
        }
        Wallet::Cards {
            default: Some(id),
            output,
            ..
        } => (wait(service.set_default_card(*id))??, *output),
        Wallet::Cards {
            unbind: Some(id),
            output,
            ..
        } => (wait(service.unbind_card(*id))??, *output),
        Wallet::Cards { output, .. } => (wait(service.get())??, *output),
        Wallet::Bind {
            confirm: Some(binding),
            secrets,
        } => {
            let code = SmsCode::new(line()?).map_err(CoreError::from)?;
            (wait(service.confirm_card(*binding, code))??, secrets.output)
        }
        Wallet::Bind {
            confirm: None,
            secrets,
        } => {
            let (number, phone) = (line()?, line()?);
            let details = CardDetails::new(&number, identity()?, &phone).map_err(CoreError::from)?;
            let binding = wait(service.begin_card(details))??;
            return print(
                secrets.output,
                || show::binding_json(&binding),
                || show::binding_text(&binding),
            );
        }
        Wallet::Recharge {
            amount,
            card: bank_card,
            confirmation,
        } => {
            let plan = wait(card.operations().plan_recharge(*amount, *bank_card))??;
            return confirm(card, plan, confirmation);
        }
        Wallet::Withdraw {
            amount,
            card: bank_card,
            confirmation,
        } => {
            let plan = wait(card.operations().plan_withdrawal(*amount, *bank_card))??;
            return confirm(card, plan, confirmation);
        }
        Wallet::Transactions(filter) => return transactions(card, filter),
        Wallet::Password { forgotten, secrets } => {
            let proof = match forgotten {
                true => PasswordProof::Identity(identity()?),
                false => PasswordProof::Old(password()?),
            };
            let new = NewPaymentPassword::new(line()?)?;
            (wait(service.change_password(proof, new))??, secrets.output)
        }
        Wallet::Close { output, .. } => (wait(service.close(password()?))??, *output),
    };
    print(
        output,
        || show::wallet_json(&wallet),
        || show::wallet_text(&wallet),
    )
}

/// The wallet's bills: bills of the account that they stand under.
fn transactions(card: &CampusCard, filter: &BillFilter) -> Result<(), PhoneError> {
    let wallet = wait(card.wallet().get())??;
    let account = wallet.account_id.ok_or(PhoneError::NoWallet)?;
    let filter = BillFilter {
        account: Some(AccountName::Id(account)),
        text: filter.text.clone(),
        csv: filter.csv.clone(),
        ..*filter
    };
    bills(card, &filter)
}

/// A line: the payment password, to show that the holder is there.
pub(crate) fn step_up() -> Result<StepUp, PhoneError> {
    Ok(StepUp::Password {
        password: password()?,
    })
}

/// A line: the payment password.
pub(crate) fn password() -> Result<PaymentPassword, PhoneError> {
    Ok(PaymentPassword::new(line()?).map_err(CoreError::from)?)
}

/// Two lines: name and number.
fn identity() -> Result<Identity, PhoneError> {
    let (name, id_number) = (line()?, line()?);
    Ok(Identity::new(&name, &id_number).map_err(CoreError::from)?)
}

/// The next line of standard input, without its end.
fn line() -> Result<Zeroizing<String>, PhoneError> {
    // Room for all of it: growing would leave a copy behind.
    let mut line = Zeroizing::new(String::with_capacity(LINE));
    io::stdin().lock().read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}
