//! What each command does. All of them open the same card; only `bind`, `sync` and `sign-out` use the network.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use yika_core::accounts::BillQuery;
use yika_core::codes::{CodePurpose, FormChoice};
use yika_core::ports::software::{FileKeyWrap, FileWitness};
use yika_core::ports::{KeySource, Ports};
use yika_core::{Authority, CampusCard, Config, Roots};
use yika_format::PublicKey;

use crate::args::{AccountName, Arguments, Code, Command, Drawing, Form, Output};
use crate::clock::PhoneClock;
use crate::draw::draw;
use crate::error::PhoneError;
use crate::{host, show};

/// Does what the command line says.
pub(crate) fn run(arguments: Arguments) -> Result<(), PhoneError> {
    let root_key = match arguments.command {
        Command::Bind { root_key, .. } => root_key,
        _ => None,
    };
    let roots = arguments.ca_file.as_deref().map_or(Ok(Roots::Public), roots)?;
    let card = open(&arguments.home, arguments.clock, root_key, roots.clone())?;
    let result = obey(&card, arguments.command, &roots);
    card.finish_blocking();
    result
}

/// The authorities of `--ca-file`.
fn roots(path: &Path) -> Result<Roots, PhoneError> {
    let authorities = Authority::all_in_file(path).map_err(|source| PhoneError::CaFile {
        path: path.to_owned(),
        source,
    })?;
    Ok(Roots::Only(authorities))
}

fn obey(card: &CampusCard, command: Command, roots: &Roots) -> Result<(), PhoneError> {
    match command {
        Command::Bind {
            platform, student, ..
        } => wait(async {
            let token = host::id_token(&platform, &student, roots).await?;
            Ok(card.session().bind(platform, token).await?)
        })?,
        Command::Code(code) => show_code(card, &code),
        Command::Sync(output) => {
            wait(card.synchronise())??;
            print(
                output,
                || json!({ "synchronised": true }),
                || "up to date".to_owned(),
            )
        }
        Command::Accounts(output) => {
            let accounts = wait(card.accounts().list())??;
            print(
                output,
                || show::accounts_json(&accounts),
                || show::accounts_text(&accounts),
            )
        }
        Command::Bills { limit, output } => {
            let page = wait(card.bills().page(BillQuery::default(), limit))??;
            print(output, || show::bills_json(&page), || show::bills_text(&page))
        }
        Command::Status(output) => {
            let status = show::status_json(card);
            print(output, || status.clone(), || format!("{status:#}"))
        }
        Command::SignOut => Ok(wait(card.session().sign_out())??),
    }
}

/// Waits on this thread. Made only where it is needed: a code is there sooner without.
fn wait<T>(work: impl Future<Output = T>) -> Result<T, PhoneError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(work))
}

/// The store is what a backup would take along; `device` is what stays on this phone.
fn open(
    home: &Path,
    clock: PhoneClock,
    root_key: Option<PublicKey>,
    roots: Roots,
) -> Result<CampusCard, PhoneError> {
    let device = home.join("device");
    let ports = Ports {
        clock: Arc::new(clock),
        keys: KeySource::Software,
        key_wrap: Arc::new(FileKeyWrap::new(device.join("wrapping-key"))),
        witness: Arc::new(FileWitness::new(device.join("witness"))),
    };
    let config = Config {
        device_name: "yika-phone".to_owned(),
        root_key,
        roots,
        ..Config::new(home.join("store"))
    };
    Ok(CampusCard::open_blocking(config, ports)?)
}

fn show_code(card: &CampusCard, code: &Code) -> Result<(), PhoneError> {
    let (purpose, drawing) = match code {
        Code::Pay { account, drawing } => (payment(card, *account)?, drawing),
        Code::Identity { drawing } => (CodePurpose::Identity, drawing),
    };
    let frame = card.codes().show_blocking(purpose, form(drawing))?;
    draw(&frame, drawing)
}

fn payment(card: &CampusCard, account: Option<AccountName>) -> Result<CodePurpose, PhoneError> {
    let account = match account {
        None => None,
        Some(AccountName::Id(id)) => Some(id),
        Some(AccountName::Slot(slot)) => {
            let accounts = wait(card.accounts().list())??;
            let found = accounts.iter().find(|account| account.slot.get() == slot);
            Some(found.ok_or(PhoneError::NoSuchSlot(slot))?.id)
        }
    };
    Ok(CodePurpose::Payment { account })
}

fn form(drawing: &Drawing) -> FormChoice {
    match drawing.form {
        None => FormChoice::Automatic,
        Some(Form::Short) => FormChoice::Short,
        Some(Form::Full) => FormChoice::Full,
    }
}

fn print(
    output: Output,
    json: impl FnOnce() -> serde_json::Value,
    text: impl FnOnce() -> String,
) -> Result<(), PhoneError> {
    let shown = if output.json { json().to_string() } else { text() };
    Ok(writeln!(std::io::stdout().lock(), "{shown}")?)
}
