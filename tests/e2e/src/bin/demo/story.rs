//! The story itself, from a phone without a card to a settled ledger.

use crate::tell::{approved, chapter, expect, line, refused, yuan};
use serde_json::Value;
use tempfile::TempDir;
use yika_e2e::{Error, Phone, Program, Result, Sandbox, Terminal, Use};

const STUDENT: &str = "20260001";
const NEWCOMER: &str = "20260002";

/// Everyone who takes part.
struct Cast {
    sandbox: Sandbox,
    phone: Phone,
    newcomer: Phone,
    till: Terminal,
    other_till: Terminal,
    library: Terminal,
    gate: Terminal,
}

/// Plays it all. The folder goes with the end, unless the sandbox is kept.
pub(crate) fn play(keep: bool) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("yika-demo-")
        .tempdir()
        .map_err(Error::io("making a folder"))?;
    let mut cast = enrol(&folder)?;
    let before = balance(&cast.phone)?;
    go_offline(&mut cast)?;
    let paid = pay_offline(&cast)?;
    refuse_what_is_wrong(&cast)?;
    meet_a_newcomer(&mut cast)?;
    settle(&mut cast, before, paid)?;
    println!("\nEvery line above is what a process answered.");
    if keep {
        let url = cast.sandbox.url().to_owned();
        let folder = folder.keep();
        let pid = cast.sandbox.leave_running().unwrap_or_default();
        println!(
            "The sandbox goes on at {url} (process {pid}); phones and terminals live in {}",
            folder.display()
        );
    }
    Ok(())
}

fn enrol(folder: &TempDir) -> Result<Cast> {
    chapter("The campus is up");
    let sandbox = Sandbox::start(Program::at(&folder.path().join("campus")))?;
    line("a platform with a fresh SQLite database", sandbox.url());
    let phone = Phone::at(&folder.path().join("phone"));
    phone.bind(sandbox.url(), STUDENT)?;
    for (name, amount) in accounts(&phone)? {
        line(&format!("{STUDENT} binds, and sees {name}"), yuan(amount));
    }
    let merchants = sandbox.get("/sandbox/admin/merchants")?;
    let stall = |index: usize| merchants["merchants"][index]["id"].to_string();
    let terminal = |name: &str, kind: &str, merchant: Option<&str>| -> Result<Terminal> {
        let terminal = Terminal::at(&folder.path().join(name));
        terminal.enroll(sandbox.url(), kind, merchant)?;
        let status = terminal.run(&["status", "--json"])?.success()?.json()?;
        line(
            &format!("{name} enrols as {kind}, with the school's lists"),
            format_args!("terminal {}", status["terminal"]),
        );
        Ok(terminal)
    };
    let till = terminal("canteen stall 1, till 1", "pos", Some(&stall(0)))?;
    let other_till = terminal("canteen stall 2, till 1", "pos", Some(&stall(1)))?;
    let library = terminal("library desk", "library", None)?;
    let gate = terminal("east gate", "gate", None)?;
    // Bound after the terminals fetched their table: they have never seen this holder.
    let newcomer = Phone::at(&folder.path().join("newcomer"));
    newcomer.bind(sandbox.url(), NEWCOMER)?;
    line(
        &format!("{NEWCOMER} binds, after the terminals' last sync"),
        "bound",
    );
    Ok(Cast {
        sandbox,
        phone,
        newcomer,
        till,
        other_till,
        library,
        gate,
    })
}

fn go_offline(cast: &mut Cast) -> Result<()> {
    chapter("The campus is down");
    let pid = cast.sandbox.pid().map(|pid| pid.to_string()).unwrap_or_default();
    cast.sandbox.stop()?;
    line(&format!("the platform's process {pid}"), "stopped");
    match cast.phone.run(&["sync"])? {
        output if output.code == Some(0) => Err(Error::answer(
            "the phone reached a platform that is stopped",
            output.stdout,
        )),
        output => {
            line("the phone tries to synchronise", output.stderr.trim());
            Ok(())
        }
    }
}

/// Pays at the canteen and the library, shows identity at gate and library; returns what should leave the account, in fen.
fn pay_offline(cast: &Cast) -> Result<i64> {
    chapter("The canteen at noon");
    let code = cast.phone.code(Use::Pay, &[])?;
    line(
        "the phone shows a payment code",
        format_args!("{}… ({} characters)", &code[..12], code.chars().count()),
    );
    approved("stall 1 takes it", cast.till.pay("12.50", &code)?)?;
    refused(
        "stall 1 is shown it again",
        "REPLAY",
        cast.till.pay("12.50", &code)?,
    )?;
    approved(
        "stall 2, cut off from stall 1, is shown it too",
        cast.other_till.pay("3.00", &code)?,
    )?;
    refused(
        "stall 2 is shown it again",
        "REPLAY",
        cast.other_till.pay("3.00", &code)?,
    )?;
    let identity = cast.phone.code(Use::Identity, &[])?;
    approved("the gate sees an identity code", cast.gate.identity(&identity)?)?;
    let borrower = approved(
        "the library lends on an identity code",
        cast.library.identity(&cast.phone.code(Use::Identity, &[])?)?,
    )?;
    expect(
        "its directory knows, offline, whose code that was",
        STUDENT,
        text(&borrower, "holder_number")?,
    )?;
    let fee = cast.phone.code(Use::Pay, &[])?;
    approved(
        "the library takes a fee for a lost book",
        cast.library.pay("25.00", &fee)?,
    )?;
    Ok(1250 + 2500)
}

fn refuse_what_is_wrong(cast: &Cast) -> Result<()> {
    chapter("What terminals refuse");
    let identity = cast.phone.code(Use::Identity, &[])?;
    refused(
        "an identity code at a till",
        "WRONG_KIND",
        cast.till.pay("1.00", &identity)?,
    )?;
    let payment = cast.phone.code(Use::Pay, &[])?;
    refused(
        "a payment code at the gate",
        "WRONG_KIND",
        cast.gate.identity(&payment)?,
    )?;
    refused(
        "a code whose account was changed on the way",
        "DEVICE_SIG",
        cast.till.pay("1.00", &tampered(&payment)?)?,
    )?;
    refused(
        "an amount over the limit",
        "LIMIT",
        cast.till.pay("5000.00", &payment)?,
    )?;
    refused(
        "a text that is no code",
        "MALFORMED",
        cast.till.pay("1.00", "https://example.org")?,
    )?;
    let later = cast.other_till.with_options(&["--clock-offset", "600"]);
    refused(
        "the same code, ten minutes later",
        "STALE",
        later.pay("1.00", &payment)?,
    )?;
    // Restarted offline, and then its wall clock was set: the one case in which a code's time can be wrong.
    let ahead = cast
        .phone
        .with_options(&["--boot-id", "another", "--wall-offset", "600"]);
    let early = ahead.code(Use::Pay, &[])?;
    refused(
        "a code from ten minutes ahead",
        "FUTURE",
        cast.till.pay("1.00", &early)?,
    )
}

fn meet_a_newcomer(cast: &mut Cast) -> Result<()> {
    chapter("A holder that the terminals never saw");
    let short = cast.newcomer.code(Use::Pay, &[])?;
    refused(
        "the newcomer's short code",
        "UNKNOWN",
        cast.till.pay("8.00", &short)?,
    )?;
    let full = cast.newcomer.code(Use::Pay, &["--form", "full"])?;
    approved(
        &format!("the newcomer's full code ({} characters)", full.chars().count()),
        cast.till.pay("8.00", &full)?,
    )?;
    Ok(())
}

fn settle(cast: &mut Cast, before: i64, paid: i64) -> Result<()> {
    chapter("The campus is back");
    cast.sandbox.restart(&[])?;
    line("the platform's process, on the same data", cast.sandbox.url());
    for (name, terminal) in [
        ("stall 1", &cast.till),
        ("stall 2", &cast.other_till),
        ("the library", &cast.library),
    ] {
        let report = terminal.upload()?;
        for outcome in items(&report, "outcomes")? {
            line(
                &format!("{name} uploads record {}", outcome["sequence"]),
                text(outcome, "result")?,
            );
        }
        expect(
            &format!("{name} uploads again, records sent"),
            0,
            items(&terminal.upload()?, "outcomes")?.len(),
        )?;
    }
    cast.phone.sync()?;
    let after = balance(&cast.phone)?;
    line("the phone's balance before", yuan(before));
    expect("the phone's balance now", yuan(before - paid), yuan(after))?;
    let bills = cast.phone.json(&["bills"])?;
    for bill in items(&bills, "bills")? {
        let amount = bill["amount"]
            .as_i64()
            .ok_or_else(|| Error::answer("no amount", bill))?;
        let merchant = bill["merchant"]["zh"].as_str().unwrap_or("—");
        line(
            &format!("bill: {merchant}, {}", text(bill, "status")?),
            yuan(amount),
        );
    }
    let ledger = cast.sandbox.get("/sandbox/admin/ledger")?;
    for total in items(&ledger, "totals")? {
        let sum = total["sum"]
            .as_i64()
            .ok_or_else(|| Error::answer("no sum", total))?;
        line(&format!("ledger: {}", text(total, "kind")?), yuan(sum));
    }
    expect(
        "all postings of the ledger together",
        yuan(0),
        yuan(ledger["sum"].as_i64().unwrap_or(i64::MIN)),
    )
}

/// A code whose account selector was changed, as its text: the Base45 triple that holds counter's end and account.
fn tampered(code: &str) -> Result<String> {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    // Bytes 12 and 13 of a short code are the counter's low byte and the account with the use; they are one pair, so
    // one triple of the text after `C1`.
    let at = 2 + 12 / 2 * 3;
    let value = |byte: u8| ALPHABET.iter().position(|&known| known == byte);
    let bytes = code.as_bytes();
    let digits: Option<Vec<usize>> = bytes[at..at + 3].iter().map(|&byte| value(byte)).collect();
    let digits = digits.ok_or_else(|| Error::answer("not Base45", code))?;
    let pair = digits[0] + digits[1] * 45 + digits[2] * 2025;
    // From slot 1 to slot 2, or from another one to slot 1: in either case canonical, and not what was signed.
    let slot = pair >> 4 & 0xf;
    let pair = pair & !0xf0 | (if slot == 1 { 2 } else { 1 }) << 4;
    let triple: String = [pair % 45, pair / 45 % 45, pair / 2025]
        .into_iter()
        .map(|digit| char::from(ALPHABET[digit]))
        .collect();
    Ok(format!("{}{triple}{}", &code[..at], &code[at + 3..]))
}

/// The names and balances of a phone's accounts, in fen.
fn accounts(phone: &Phone) -> Result<Vec<(String, i64)>> {
    let answer = phone.json(&["accounts"])?;
    let account = |account: &Value| {
        let name = account["name"]["zh"].as_str()?.to_owned();
        Some((name, account["balance"]["amount"].as_i64()?))
    };
    items(&answer, "accounts")?
        .iter()
        .map(|item| account(item).ok_or_else(|| Error::answer("not an account with a balance", item)))
        .collect()
}

/// What is on the first account, which pays where no other is named.
fn balance(phone: &Phone) -> Result<i64> {
    let first = accounts(phone)?.into_iter().next();
    first
        .map(|(_, amount)| amount)
        .ok_or_else(|| Error::answer("no accounts", phone.home().display()))
}

fn items<'a>(answer: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    answer[name]
        .as_array()
        .ok_or_else(|| Error::answer(format!("no list `{name}`"), answer))
}

fn text<'a>(answer: &'a Value, name: &str) -> Result<&'a str> {
    answer[name]
        .as_str()
        .ok_or_else(|| Error::answer(format!("no text `{name}`"), answer))
}
