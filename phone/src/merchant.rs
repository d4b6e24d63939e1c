//! The merchant centre on the command line: what stalls earn, and giving money back from them.

use serde::Serialize;
use serde_json::json;
use yika_api::Fen;
use yika_core::CampusCard;
use yika_core::merchant::{
    StallDays, StallExportFormat, StallExportOf, StallId, StallIncome, StallList, StallPayment,
    StallPaymentPage, StallReturn, StallStatement, StallStatementPage, Takings, TerminalId,
};

use crate::args::{Days, Format, Look, Merchant, Output, StallFile};
use crate::commands::{print, wait};
use crate::error::PhoneError;

/// Does what the words say.
pub(crate) fn merchant(card: &CampusCard, words: &Merchant) -> Result<(), PhoneError> {
    let service = card.merchant();
    match words {
        Merchant::Stalls(look) => {
            let stalls = match look.known {
                true => wait(service.known_stalls())??,
                false => Some(wait(service.stalls())??),
            };
            told(*look, stalls.as_ref(), stalls_text)
        }
        Merchant::Income { days, look } => {
            let (stall, days) = (stall(card, days.stall)?, asked(days));
            let income = match look.known {
                true => wait(service.known_income(stall, days))??,
                false => Some(wait(service.income(stall, days))??),
            };
            told(*look, income.as_ref(), income_text)
        }
        Merchant::Payments { days, after, look } => {
            let (stall, days) = (stall(card, days.stall)?, asked(days));
            let page = match look.known {
                true => wait(service.known_payments(stall, days))??,
                false => Some(wait(service.payments(stall, days, after.clone()))??),
            };
            told(*look, page.as_ref(), payments_text)
        }
        Merchant::Statement {
            stall: named,
            after,
            look,
        } => {
            let stall = stall(card, *named)?;
            let page = match look.known {
                true => wait(service.known_statements(stall))??,
                false => Some(wait(service.statements(stall, after.clone()))??),
            };
            told(*look, page.as_ref(), statements_text)
        }
        Merchant::Void {
            payment,
            stall: named,
            reason,
            output,
        } => {
            let stall = stall(card, *named)?;
            let sale = wait(service.void_sale(stall, *payment, reason.clone()))??;
            given_back(card, *output, sale.as_ref())
        }
        Merchant::Refund {
            payment,
            amount,
            stall: named,
            reason,
            output,
        } => {
            let stall = stall(card, *named)?;
            let sale = wait(service.refund(stall, *payment, *amount, reason.clone()))??;
            given_back(card, *output, sale.as_ref())
        }
        Merchant::Waiting { discard, output } => {
            if let Some(id) = discard {
                wait(service.discard(*id))??;
            }
            given_back(card, *output, None)
        }
        Merchant::Export {
            days,
            out,
            what,
            format,
            output,
        } => {
            let what = match what {
                StallFile::Income => StallExportOf::Income,
                StallFile::Payments => StallExportOf::Payments,
            };
            let is_workbook = match format {
                Some(format) => *format == Format::Xlsx,
                None => out
                    .extension()
                    .is_some_and(|end| end.eq_ignore_ascii_case("xlsx")),
            };
            let format = match is_workbook {
                true => StallExportFormat::Xlsx,
                false => StallExportFormat::Csv,
            };
            let stall = stall(card, days.stall)?;
            let export = wait(service.export(stall, asked(days), what, format))??;
            std::fs::write(out, &export.bytes).map_err(|error| PhoneError::Write {
                path: out.clone(),
                reason: error.to_string(),
            })?;
            print(
                *output,
                || json!({ "file": out, "media_type": export.media_type, "bytes": export.bytes.len() }),
                || format!("{}: {} bytes", out.display(), export.bytes.len()),
            )
        }
    }
}

/// The stall of this number, or the first of the holder's.
fn stall(card: &CampusCard, named: Option<u64>) -> Result<StallId, PhoneError> {
    if let Some(number) = named {
        return Ok(StallId(number));
    }
    let service = card.merchant();
    let known = wait(service.known_stalls())??;
    let known = known.filter(|known| !known.stalls.is_empty());
    let stalls = match known {
        Some(known) => known,
        None => wait(service.stalls())??,
    };
    let first = stalls.stalls.first();
    first.map(|stall| stall.id).ok_or(PhoneError::NoStall)
}

fn asked(days: &Days) -> StallDays {
    StallDays {
        from: days.from.clone(),
        to: days.to.clone(),
        terminal: days.terminal.map(TerminalId),
    }
}

/// Prints what was told; what never was, as nothing.
fn told<T: Serialize>(
    look: Look,
    answer: Option<&T>,
    text: impl FnOnce(&T) -> String,
) -> Result<(), PhoneError> {
    print(
        look.output,
        || json!(answer),
        || answer.map_or("not known yet: connect".to_owned(), text),
    )
}

/// Prints the sale that was given back, or what waits.
fn given_back(card: &CampusCard, output: Output, sale: Option<&StallPayment>) -> Result<(), PhoneError> {
    match sale {
        Some(sale) => print(output, || json!(sale), || payment_text(sale)),
        None => {
            let waiting = wait(card.merchant().waiting())??;
            print(
                output,
                || json!({ "waiting": waiting }),
                || waiting.iter().map(return_text).collect::<Vec<_>>().join("\n"),
            )
        }
    }
}

fn stalls_text(list: &StallList) -> String {
    let lines = list.stalls.iter().map(|stall| {
        format!(
            "{}  {} {}  {:?}",
            stall.id.0, stall.name.zh, stall.name.en, stall.role
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn takings_text(of: &str, takings: &Takings) -> String {
    format!(
        "{of}  ¥{}  ({} sales ¥{}, {} voids ¥{}, {} refunds ¥{})",
        takings.income,
        takings.sales.count,
        takings.sales.amount,
        takings.voids.count,
        takings.voids.amount,
        takings.refunds.count,
        takings.refunds.amount
    )
}

fn yuan(amount: Option<Fen>) -> String {
    amount.map_or("—".to_owned(), |amount| format!("¥{amount}"))
}

fn income_text(income: &StallIncome) -> String {
    let mut lines = vec![
        format!(
            "{} {}  {} to {}",
            income.name.zh, income.name.en, income.from, income.to
        ),
        takings_text("total", &income.total),
        format!(
            "settled {}  pending {}  balance {}  (excludes offline payments not uploaded)",
            yuan(income.settled),
            yuan(income.pending),
            yuan(income.balance)
        ),
    ];
    lines.extend(income.days.iter().map(|day| takings_text(&day.day, &day.takings)));
    lines.extend(
        income
            .terminals
            .iter()
            .map(|terminal| takings_text(&terminal.label, &terminal.takings)),
    );
    lines.extend(
        income
            .hours
            .iter()
            .map(|hour| takings_text(&format!("{:02}:00", hour.hour), &hour.takings)),
    );
    let late = income.tills.iter().filter(|till| till.is_late);
    lines.extend(late.map(|till| format!("{} was not heard lately; something may be missing", till.label)));
    lines.join("\n")
}

fn payment_text(payment: &StallPayment) -> String {
    let disputed = if payment.is_disputed { "  disputed" } else { "" };
    format!(
        "{}  {}  {:?}  ¥{}  {:?}  refunded ¥{}{disputed}",
        payment.id, payment.reference, payment.kind, payment.amount, payment.status, payment.refunded
    )
}

fn payments_text(page: &StallPaymentPage) -> String {
    let lines = page.payments.iter().map(payment_text);
    let more = page.cursor.iter().map(|cursor| format!("more: --after {cursor}"));
    lines.chain(more).collect::<Vec<_>>().join("\n")
}

fn statements_text(page: &StallStatementPage) -> String {
    let line = |statement: &StallStatement| {
        let number = statement
            .number
            .map_or("open".to_owned(), |number| number.to_string());
        format!(
            "{number}  {} to {}  opening ¥{}  earned ¥{}  paid out ¥{}  closing ¥{}  {}",
            statement.from,
            statement.to,
            statement.opening,
            statement.earned,
            statement.paid_out,
            statement.closing,
            statement.reference.as_deref().unwrap_or_default()
        )
    };
    let lines = page.open.iter().chain(&page.statements).map(line);
    let more = page.cursor.iter().map(|cursor| format!("more: --after {cursor}"));
    lines.chain(more).collect::<Vec<_>>().join("\n")
}

fn return_text(written: &StallReturn) -> String {
    let state = written.refusal.as_deref().unwrap_or("waits for an answer");
    format!(
        "{}  of {}  {:?}: {state}",
        written.id, written.payment_id, written.kind
    )
}
