//! Stores that are copied, restored, damaged or shared.

use std::fs;
use std::process::Stdio;

use serde_json::json;
use yika_e2e::{Campus, Error, Result, Use};

use crate::{copy, damage, restore};

#[test]
fn a_store_restored_from_a_backup_never_shows_a_code_twice() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let (store, backup) = (phone.home().join("store"), campus.folder().join("backup"));
    copy(&store, &backup)?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    restore(&backup, &store)?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    assert_eq!(till.upload()?["outcomes"][1]["result"], "posted");
    Ok(())
}

#[test]
fn a_store_copied_to_another_phone_is_not_usable_there() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let thief = campus.unbound_phone("thief");
    copy(&phone.home().join("store"), &thief.home().join("store"))?;
    let refused = thief.run(&["code", "pay", "--text"])?;
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (Some(1), ""),
        "{}",
        refused.stderr
    );
    Ok(())
}

#[test]
fn a_damaged_store_is_set_aside_and_binding_again_brings_everything_back() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    damage(&phone.home().join("store").join("journal.db"))?;
    assert_eq!(phone.no_code()?, "store_damaged");
    phone.bind(campus.sandbox.url(), "20260001")?;
    let till = campus.till("till")?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    Ok(())
}

#[test]
fn a_second_process_on_one_home_is_told_so() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let mut codes: Vec<_> = (0..8)
        .map(|_| {
            let mut command = phone.command(&["code", "pay", "--text"])?;
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().map_err(Error::io("starting a phone"))
        })
        .collect::<Result<_>>()?;
    let mut shown = Vec::new();
    for child in codes.drain(..) {
        let output = child
            .wait_with_output()
            .map_err(Error::io("waiting for a phone"))?;
        let (text, complaint) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        if output.status.success() {
            shown.push(text.trim().to_owned());
        } else {
            assert!(complaint.starts_with("store_busy"), "{complaint}");
        }
    }
    assert!(!shown.is_empty());
    shown.sort_unstable();
    let before = shown.len();
    shown.dedup();
    assert_eq!(shown.len(), before, "no code is shown twice");
    Ok(())
}

#[test]
fn signing_out_wipes_the_phone_without_a_network_too() -> Result<()> {
    let mut campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    campus.sandbox.stop()?;
    phone.run(&["sign-out"])?.success()?;
    assert_eq!(phone.no_code()?, "not_bound");
    assert_eq!(phone.run(&["accounts"])?.complaint(), "not_bound");
    Ok(())
}

#[test]
fn a_damaged_terminal_is_set_aside_whole_and_enrolled_anew_as_another_one() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    let database = till.home().join("store.db");
    damage(&database)?;
    let damaged = fs::read(&database).map_err(Error::io("reading the store"))?;
    assert_eq!(till.failure(&["status"])?, (Some(3), "STORE_DAMAGED".into()));
    assert_eq!(till.failure(&["status"])?, (Some(2), "NOT_ENROLLED".into()));
    let kept = fs::read(till.home().join("damaged-1").join("store.db"));
    assert_eq!(kept.map_err(Error::io("reading what was set aside"))?, damaged);
    till.enroll(campus.sandbox.url(), "pos", Some("1"))?;
    assert_eq!(till.json(&["status"])?["terminal"], 2);
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    assert_eq!(till.upload()?["outcomes"][0]["result"], "posted");
    Ok(())
}

#[test]
fn a_damaged_platform_does_not_start_and_is_left_as_it_is() -> Result<()> {
    let mut campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    campus.sandbox.stop()?;
    let data = campus.sandbox.program().home().to_owned();
    let backup = campus.folder().join("backup");
    copy(&data, &backup)?;
    damage(&data.join("platform.db"))?;
    let damaged = fs::read(data.join("platform.db")).map_err(Error::io("reading the database"))?;
    match campus.sandbox.restart(&[]) {
        Err(Error::Command {
            code: Some(1),
            stderr,
            ..
        }) => assert!(stderr.contains("not a database"), "{stderr}"),
        other => return Err(Error::answer("it should not have started", format!("{other:?}"))),
    }
    let after = fs::read(data.join("platform.db")).map_err(Error::io("reading the database"))?;
    assert_eq!(after, damaged);
    restore(&backup, &data)?;
    campus.sandbox.restart(&[])?;
    phone.sync()
}

#[test]
fn a_terminal_restored_from_a_backup_is_found_out_and_nothing_is_paid_twice() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let backup = campus.folder().join("backup");
    copy(till.home(), &backup)?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    till.upload()?;
    restore(&backup, till.home())?;
    assert_eq!(till.failure(&["upload"])?, (Some(3), "JOURNAL_BEHIND".into()));
    // It goes on regardless, and signs another record under a number that it has used.
    till.pay("2.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    assert_eq!(till.failure(&["upload"])?, (Some(3), "PLATFORM_REFUSED".into()));
    let terminals = campus.sandbox.get("/sandbox/admin/terminals")?;
    assert_eq!(terminals["terminals"][0]["frozen"], true);
    let ledger = campus.sandbox.get("/sandbox/admin/ledger")?;
    assert_eq!(
        (&ledger["sum"], &ledger["sales"]),
        (&json!(0), &json!({ "posted": 1 }))
    );
    assert_eq!(ledger["alarms"], json!({ "terminal_conflict": 1 }));
    Ok(())
}

#[test]
fn a_platform_restored_from_a_backup_is_sent_again_what_it_has_lost() -> Result<()> {
    let mut campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    till.upload()?;
    campus.sandbox.stop()?;
    let data = campus.sandbox.program().home().to_owned();
    let backup = campus.folder().join("backup");
    copy(&data, &backup)?;
    campus.sandbox.restart(&[])?;
    till.pay("2.00", &phone.code(Use::Pay, &[])?)?.approved()?;
    till.upload()?;
    campus.sandbox.stop()?;
    restore(&backup, &data)?;
    campus.sandbox.restart(&[])?;
    let outcomes = till.upload()?["outcomes"].take();
    assert_eq!(
        outcomes,
        json!([{ "sequence": 2, "result": "posted", "repeated": false }])
    );
    phone.sync()?;
    let ledger = campus.sandbox.get("/sandbox/admin/ledger")?;
    assert_eq!(
        (&ledger["sum"], &ledger["sales"]),
        (&json!(0), &json!({ "posted": 2 }))
    );
    Ok(())
}

#[test]
fn a_second_process_on_a_terminal_waits_for_the_first_and_is_told_if_it_stays() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let till = campus.till("till")?;
    let codes: Vec<String> = (0..4).map(|_| phone.code(Use::Pay, &[])).collect::<Result<_>>()?;
    let pay = |code: &String| {
        let mut command = till.command(&["verify", "pay", "--amount", "1.00", "--json", code])?;
        command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Error::io("starting a till"))
    };
    let children = codes.iter().map(pay).collect::<Result<Vec<_>>>()?;
    let mut approved = 0;
    for child in children {
        let output = child
            .wait_with_output()
            .map_err(Error::io("waiting for a till"))?;
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| Error::answer("no JSON from a till", error))?;
        // A code that comes after a later one of the same holder is a replay.
        match (output.status.code(), answer["reason"].as_str()) {
            (Some(0), None) => approved += 1,
            (Some(1), Some("REPLAY")) => {}
            _ => return Err(Error::answer("neither taken nor refused", answer)),
        }
    }
    assert_eq!(till.json(&["status"])?["last_sequence"], approved);
    let mut open = till.keep_open()?;
    open.ask(&json!({ "op": "status" }))?;
    assert_eq!(till.failure(&["status"])?, (Some(3), "BUSY".into()));
    Ok(())
}
