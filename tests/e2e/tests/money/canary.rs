//! No payment password, card number, identity number, telephone number or code of the bank is in any file of phone and
//! platform, in any log at its most talkative, or in what a command says: not even of refused ones.
//!
//! The bank shares the sandbox's folder and process. In its own database it keeps what a bank must: a password's salted hash,
//! and, as the telephone company of this campus, the codes that it sent. So that database may have codes, and nothing else of this.

use std::fs;
use std::path::Path;

use serde_json::Value;
use yika_e2e::{Campus, Error, Holder, Output, Phone, Result, WANG};

use super::scan::{Secret, files};
use super::{phase, text};

/// The bank's own database, with its log and index.
const OF_THE_BANK: [&str; 3] = ["bank/bank.db", "bank/bank.db-wal", "bank/bank.db-shm"];
/// What was never the holder's: typed in wrong.
const WRONG_PASSWORD: &str = "730518";
const WRONG_CODE: &str = "481927";
const MISTYPED_CARD: &str = "9900100000000010746";
const MISTYPED_IDENTITY: &str = "990101200601231233";

/// A phone whose every word is written down.
struct Talk {
    phone: Phone,
    said: Vec<Output>,
}

impl Talk {
    fn say(&mut self, words: &[&str], lines: &[&str]) -> Result<Output> {
        let output = self.phone.tell(words, lines)?;
        self.said.push(output.clone());
        Ok(output)
    }
}

#[test]
fn no_secret_is_in_any_file_log_or_error() -> Result<()> {
    let environment = [("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")];
    let mut campus = Campus::open()?;
    campus.sandbox.restart(&environment)?;
    let bound = Holder::bind(&campus, campus.sandbox.url(), WANG)?;
    let mut talk = Talk {
        phone: bound
            .phone
            .with_environment(&[("YIKA_LOG", "trace"), ("RUST_BACKTRACE", "full")]),
        said: Vec::new(),
    };
    let (first, second, third) = ("204816", "864215", "975310");
    let codes = live(&campus, &mut talk, [first, second, third])?;
    // Also while it hangs, and after a stop.
    campus.plan_next("late-callback")?;
    let hanging = ["topup", "1.00", "--password-stdin", "--json"];
    assert!(!phase(&talk.say(&hanging, &[third])?.success()?.json()?).is_empty());
    let secrets = secrets([first, second, third], &codes);
    scan_files(&campus, &talk, &secrets)?;
    campus.sandbox.stop()?;
    assert_eq!(
        phase(&talk.say(&hanging, &[third])?.success()?.json()?),
        "created"
    );
    scan_files(&campus, &talk, &secrets)
}

/// Uses every secret, right and wrong; returns the codes that the bank sent.
fn live(campus: &Campus, talk: &mut Talk, passwords: [&str; 3]) -> Result<Vec<String>> {
    let [first, second, third] = passwords;
    let (name, identity, phone) = (WANG.name, WANG.id_number, WANG.phone);
    let open = [
        "wallet",
        "open",
        "--accept-terms",
        "1",
        "--secrets-stdin",
        "--json",
    ];
    refuse(talk.say(&open, &[name, MISTYPED_IDENTITY, first])?)?;
    refuse(talk.say(&open, &[name, identity, "123456"])?)?;
    refuse(talk.say(&open, &["王芬", identity, first])?)?;
    talk.say(&open, &[name, identity, first])?.success()?;
    let bind = ["wallet", "bind", "--secrets-stdin", "--json"];
    refuse(talk.say(&bind, &[MISTYPED_CARD, phone, name, identity])?)?;
    refuse(talk.say(&bind, &[WANG.cards[0], "19900000099", name, identity])?)?;
    for number in WANG.cards {
        let binding = talk
            .say(&bind, &[number, phone, name, identity])?
            .success()?
            .json()?;
        let confirm = [
            "wallet",
            "bind",
            "--confirm",
            text(&binding["id"])?,
            "--secrets-stdin",
        ];
        refuse(talk.say(&confirm, &[WRONG_CODE])?)?;
        talk.say(&confirm, &[&campus.last_code()?])?.success()?;
    }
    let recharge = ["wallet", "recharge", "20.00", "--wait", "--password-stdin"];
    refuse(talk.say(&recharge, &[WRONG_PASSWORD])?)?;
    talk.say(&recharge, &[first])?.success()?;
    let change = ["wallet", "password", "--secrets-stdin"];
    refuse(talk.say(&change, &[WRONG_PASSWORD, second])?)?;
    talk.say(&change, &[first, second])?.success()?;
    let reset = ["wallet", "password", "--forgotten", "--secrets-stdin"];
    talk.say(&reset, &[name, identity, third])?.success()?;
    let top_up = ["topup", "15.00", "--wait", "--password-stdin"];
    refuse(talk.say(&top_up, &[second])?)?;
    talk.say(&top_up, &[third])?.success()?;
    refuse(talk.say(&["wallet", "close", "--password-stdin"], &[third])?)?;
    for words in [
        &["sync"] as &[&str],
        &["bills", "--json"],
        &["wallet", "transactions", "--json"],
        &["operations", "--json"],
        &["status"],
    ] {
        talk.say(words, &[])?.success()?;
    }
    campus.codes()
}

/// It was refused as it should be, and said why.
fn refuse(output: Output) -> Result<()> {
    match output.code {
        Some(1) if !output.complaint().is_empty() => Ok(()),
        _ => Err(output.into_error()),
    }
}

fn secrets(passwords: [&str; 3], codes: &[String]) -> Vec<Secret> {
    let mut secrets: Vec<Secret> = passwords
        .into_iter()
        .chain([WRONG_PASSWORD])
        .map(|password| Secret::new("payment password", password))
        .collect();
    secrets.extend(WANG.cards.map(|number| Secret::new("card number", number)));
    secrets.extend([
        Secret::new("card number", MISTYPED_CARD),
        Secret::new("identity number", WANG.id_number),
        Secret::new("identity number", MISTYPED_IDENTITY),
        Secret::new("telephone number", WANG.phone),
        Secret::new("code", WRONG_CODE),
    ]);
    secrets.extend(codes.iter().map(|code| Secret::new("code", code)));
    secrets
}

/// Looks for all of them everywhere.
fn scan_files(campus: &Campus, talk: &Talk, secrets: &[Secret]) -> Result<()> {
    let log = campus.sandbox.log()?;
    let (home, data) = (talk.phone.home(), campus.sandbox.program().home());
    let mut places: Vec<(String, Vec<u8>)> = vec![("the sandbox's log".to_owned(), log.clone())];
    for output in &talk.said {
        let whole = format!("{}\n{}\n{}", output.command, output.stdout, output.stderr);
        places.push((output.command.clone(), whole.into_bytes()));
    }
    for file in files(home)?.into_iter().chain(files(data)?) {
        let bytes = fs::read(&file).map_err(Error::io(format!("reading {}", file.display())))?;
        places.push((file.display().to_string(), bytes));
    }
    let has = |name: &str| {
        places
            .iter()
            .any(|(place, bytes)| place.ends_with(name) && !bytes.is_empty())
    };
    for expected in [
        "platform.db",
        "platform.db-wal",
        "bank/bank.db",
        "bank/bank.db-wal",
    ] {
        let is_running = campus.sandbox.pid().is_some();
        assert!(
            has(expected) || (!is_running && expected.ends_with("-wal")),
            "no {expected}"
        );
    }
    let is_told = |words: &str| log.windows(words.len()).any(|window| window == words.as_bytes());
    assert!(
        is_told("TRACE") && is_told("/v1/operations"),
        "the log is at its most talkative"
    );
    assert!(talk.said.iter().any(|output| output.stderr.contains("TRACE")));
    for (place, bytes) in &places {
        let is_of_the_bank = OF_THE_BANK.iter().any(|name| Path::new(place).ends_with(name));
        for secret in secrets {
            let may_be = is_of_the_bank && secret.name == "code";
            assert!(
                may_be || !secret.is_in(bytes),
                "a {} is in {place}: {secret:?}",
                secret.name
            );
        }
    }
    Ok(())
}

/// That the search finds what is there: whatever is planted in a file, and the codes that the bank keeps.
#[test]
fn what_is_planted_is_found() -> Result<()> {
    let campus = Campus::open()?;
    let holder = Holder::bind(&campus, campus.sandbox.url(), WANG)?;
    holder.open_wallet()?.success()?;
    holder.begin_card(WANG.cards[0])?.success()?;
    let code = Secret::new("code", &campus.last_code()?);
    let banks = OF_THE_BANK.map(|name| campus.sandbox.program().home().join(name));
    let kept = banks.iter().filter_map(|file| fs::read(file).ok());
    assert!(
        kept.into_iter().any(|bytes| code.is_in(&bytes)),
        "the bank keeps what it sent"
    );

    let planted = holder.phone.home().join("store").join("planted");
    fs::write(&planted, format!("{{\"password\":\"{}\"}}", holder.password))
        .map_err(Error::io("planting a secret"))?;
    let secret = Secret::new("payment password", holder.password);
    let found: Vec<_> = files(holder.phone.home())?
        .into_iter()
        .filter(|file| fs::read(file).is_ok_and(|bytes| secret.is_in(&bytes)))
        .collect();
    assert_eq!(found, [planted]);
    assert_eq!(holder.wallet()?["status"], Value::from("open"));
    Ok(())
}
