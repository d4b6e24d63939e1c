//! What is printed, for people and as JSON, and how failures end the process. The JSON shapes are in `README.md` and stable.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use image::{ExtendedColorType, ImageFormat};
use serde_json::{Value, json};
use yika_core::accounts::{Account, BillPage};
use yika_core::clock::ClockQuality;
use yika_core::codes::qr::{to_luma, to_svg, to_terminal};
use yika_core::codes::{CodeForm, CodeFrame};
use yika_core::session::SessionState;
use yika_core::{CampusCard, CoreError};

use crate::args::CodeArgs;

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core said why.
    Core(CoreError),
    /// The sandbox's host app gave no token.
    Host,
    /// A file could not be written.
    File(PathBuf),
    /// The runtime could not be started.
    Runtime,
}

impl Failure {
    /// 3 where the same command can succeed later as it is, 1 otherwise; 2 is for wrong words.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Core(error) if error.retryable() => ExitCode::from(3),
            _ => ExitCode::from(1),
        }
    }
}

/// `code: text`, as it goes to standard error.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(error) => write!(f, "{}: {error}", error.code()),
            Self::Host => {
                f.write_str("host: the sandbox's host app gave no token; check --platform and --student")
            }
            Self::File(path) => write!(f, "file: {} cannot be written", path.display()),
            Self::Runtime => f.write_str("internal: the runtime could not be started"),
        }
    }
}

/// Writes the pictures that are asked for; prints the text or draws, unless a picture was all.
pub(crate) fn code(frame: &CodeFrame, args: &CodeArgs) -> Result<(), Failure> {
    if let Some(path) = &args.png {
        write_png(frame, args.module_px, path)?;
    }
    if let Some(path) = &args.svg {
        fs::write(path, to_svg(&frame.modules)).map_err(|_| Failure::File(path.clone()))?;
    }
    if args.text {
        println!("{}", frame.text);
    } else if args.png.is_none() && args.svg.is_none() {
        print!("{}", to_terminal(&frame.modules));
        let (form, clock) = (form_name(frame.form), clock_name(frame.clock));
        println!(
            "{form} code, clock {clock}, good for {} s",
            frame.expires_in.as_secs()
        );
    }
    Ok(())
}

fn write_png(frame: &CodeFrame, module_px: u8, path: &Path) -> Result<(), Failure> {
    let failed = || Failure::File(path.to_owned());
    let picture = to_luma(&frame.modules, module_px);
    let side = u32::try_from(picture.side).map_err(|_| failed())?;
    image::save_buffer_with_format(
        path,
        &picture.pixels,
        side,
        side,
        ExtendedColorType::L8,
        ImageFormat::Png,
    )
    .map_err(|_| failed())
}

fn form_name(form: CodeForm) -> &'static str {
    match form {
        CodeForm::Short => "short",
        CodeForm::Full => "full",
    }
}

fn clock_name(clock: ClockQuality) -> &'static str {
    match clock {
        ClockQuality::Good => "good",
        ClockQuality::Weak => "weak",
    }
}

pub(crate) fn accounts(accounts: &[Account], as_json: bool) -> Result<(), Failure> {
    if as_json {
        print_json(&json!({ "accounts": accounts.iter().map(account_json).collect::<Vec<_>>() }));
        return Ok(());
    }
    for account in accounts {
        let balance = account
            .balance
            .map_or("unknown".to_owned(), |balance| format!("¥{}", balance.amount));
        println!(
            "{} {} {balance} {}",
            account.slot.get(),
            account.id,
            account.name.zh
        );
    }
    Ok(())
}

fn account_json(account: &Account) -> Value {
    let balance = account.balance.map(|balance| {
        json!({
            "amount": balance.amount,
            "as_of": balance.as_of,
            "version": balance.version,
            "pending": balance.pending,
        })
    });
    json!({
        "id": account.id,
        "slot": account.slot.get(),
        "name": account.name,
        "status": account.status,
        "balance": balance,
    })
}

pub(crate) fn bills(page: &BillPage, as_json: bool) -> Result<(), Failure> {
    if as_json {
        print_json(&json!({ "bills": page.bills, "more": page.next.is_some(), "as_of": page.as_of }));
        return Ok(());
    }
    for bill in &page.bills {
        let merchant = bill.merchant.as_ref().map_or("", |merchant| merchant.zh.as_str());
        println!(
            "{} {} ¥{} {merchant}",
            bill.occurred_at.0, bill.reference, bill.amount
        );
    }
    Ok(())
}

pub(crate) fn status(card: &CampusCard, as_json: bool) -> Result<(), Failure> {
    let (session, bound) = match card.session().state() {
        SessionState::Unbound => ("unbound", None),
        SessionState::Active(bound) => ("active", Some(bound)),
        SessionState::Ended(bound) => ("ended", Some(bound)),
    };
    let codes = card.codes().until();
    let clock = card.codes().clock_quality();
    let blocked = codes.as_ref().err().or(clock.as_ref().err()).map(CoreError::code);
    if as_json {
        let until = codes.as_ref().ok();
        print_json(&json!({
            "session": session,
            "platform": bound.as_ref().map(|bound| bound.platform.url().as_str()),
            "school": bound.as_ref().map(|bound| bound.school_domain.as_str()),
            "blocked": blocked,
            "full_until": until.map(|until| until.full_until),
            "short_until": until.map(|until| until.short_until),
            "clock": clock.ok().map(clock_name),
        }));
        return Ok(());
    }
    println!("session {session}");
    match (blocked, codes) {
        (None, Ok(until)) => println!(
            "codes ready, short until {}, full until {}",
            until.short_until.0, until.full_until.0
        ),
        (blocked, _) => println!("no codes: {}", blocked.unwrap_or("unknown")),
    }
    Ok(())
}

fn print_json(value: &Value) {
    println!("{value}");
}
