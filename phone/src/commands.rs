//! What each command does. All of them open the same card. Showing codes, accounts, bills, operations and status never uses
//! the network.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use yika_core::codes::{CodePurpose, FormChoice};
use yika_core::ports::software::{FileKeyWrap, FileWitness};
use yika_core::ports::{KeySource, Ports};
use yika_core::{Authority, CampusCard, Config, Roots};

use crate::args::{AccountName, Arguments, Code, Command, Drawing, Form, Output};
use crate::clock::PhoneClock;
use crate::draw::draw;
use crate::error::PhoneError;
use crate::host::SignIn;
use crate::{face, host, lost, merchant, money, services, show};

/// Does what the command line says.
pub(crate) fn run(arguments: Arguments) -> Result<(), PhoneError> {
    if let Command::Face(words) = &arguments.command
        && let Some(done) = face::without_a_card(words)
    {
        return done;
    }
    let (root_key, bank_root_key) = match arguments.command {
        Command::Bind {
            root_key,
            bank_root_key,
            ..
        } => (root_key, bank_root_key),
        _ => (None, None),
    };
    let roots = arguments.ca_file.as_deref().map_or(Ok(Roots::Public), roots)?;
    let config = Config {
        device_name: "yika-phone".to_owned(),
        root_key,
        bank_root_key,
        roots: roots.clone(),
        ..Config::new(arguments.home.join("store"))
    };
    let card = open(config, &arguments.home.join("device"), arguments.clock)?;
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
            let token = host::id_token(&platform, &student, SignIn::AsBefore, roots).await?;
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
        Command::LowBalance {
            account,
            below,
            output,
        } => {
            let account = money::account(card, account)?;
            let accounts = wait(card.accounts().set_low_balance(account, below))??;
            print(
                output,
                || show::accounts_json(&accounts),
                || show::accounts_text(&accounts),
            )
        }
        Command::AutoTopup(words) => services::auto_top_up(card, &words),
        Command::Bills(filter) => money::bills(card, &filter),
        Command::Topup(words) => money::top_up(card, &words),
        Command::Wallet(words) => money::wallet(card, &words),
        Command::Operations(words) => money::operations(card, &words),
        Command::Limits(words) => services::limits(card, &words),
        Command::Dispute(words) => services::dispute(card, &words),
        Command::Utility(words) => services::utility(card, &words),
        Command::Lost(words) => lost::lost(card, &words, roots),
        Command::Devices(words) => lost::devices(card, &words, roots),
        Command::Merchant(words) => merchant::merchant(card, &words),
        Command::Face(words) => face::with_a_card(card, &words),
        Command::Status(output) => {
            let status = show::status_json(card);
            print(output, || status.clone(), || format!("{status:#}"))
        }
        Command::SignOut => Ok(wait(card.session().sign_out())??),
    }
}

/// Waits on this thread. Made only where it is needed: a code is there sooner without.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> Result<T, PhoneError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(work))
}

/// The store is what a backup would take along; `device` is what stays on this phone.
fn open(config: Config, device: &Path, clock: PhoneClock) -> Result<CampusCard, PhoneError> {
    let ports = Ports {
        clock: Arc::new(clock),
        keys: KeySource::Software,
        key_wrap: Arc::new(FileKeyWrap::new(device.join("wrapping-key"))),
        witness: Arc::new(FileWitness::new(device.join("witness"))),
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
    let account = account.map(|name| money::account(card, name)).transpose()?;
    Ok(CodePurpose::Payment { account })
}

fn form(drawing: &Drawing) -> FormChoice {
    match drawing.form {
        None => FormChoice::Automatic,
        Some(Form::Short) => FormChoice::Short,
        Some(Form::Full) => FormChoice::Full,
    }
}

/// Prints for people or for scripts.
pub(crate) fn print(
    output: Output,
    json: impl FnOnce() -> serde_json::Value,
    text: impl FnOnce() -> String,
) -> Result<(), PhoneError> {
    let shown = if output.json { json().to_string() } else { text() };
    Ok(writeln!(std::io::stdout().lock(), "{shown}")?)
}
