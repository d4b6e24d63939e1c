//! Disks that are full, and almost full: each on its own, filled for real.

use std::collections::BTreeSet;

use serde_json::json;
use yika_e2e::{Campus, Disk, Error, Phone, Program, Result, Sandbox, Terminal, Use};
use yika_format::code::Code;

const MEBIBYTE: u64 = 1 << 20;

/// What may be left, in bytes: nothing, and then a block more each time, so that every write is once the first to fail.
fn almost_full() -> impl Iterator<Item = u64> {
    (0..32).map(|blocks| blocks * 4096)
}

fn sequence(text: &str) -> Result<u32> {
    let code = Code::from_text(text.as_bytes()).map_err(|error| Error::answer("not a code", error))?;
    Ok(code.moment().sequence().get())
}

#[test]
fn a_phone_whose_disk_is_full_says_so_and_no_number_is_shown_twice() -> Result<()> {
    let campus = Campus::open()?;
    let till = campus.till("till")?;
    let disk = Disk::mount(&campus.folder().join("disk"), 8 * MEBIBYTE)?;
    let phone = Phone::at(&disk.folder().join("phone")).through(disk.launcher());
    phone.bind(campus.sandbox.url(), "20260001")?;
    let (mut shown, mut refusals) = (BTreeSet::new(), 0);
    for left in almost_full() {
        disk.fill_but(left)?;
        let output = phone.run(&["code", "pay", "--form", "short", "--text"])?;
        match (output.code, output.complaint().as_str()) {
            (Some(0), _) => assert!(shown.insert(sequence(&output.line())?), "{left} bytes left"),
            (Some(1), "storage_full") => refusals += 1,
            _ => return Err(output.into_error()),
        }
    }
    assert!(
        refusals > 0 && !shown.is_empty(),
        "{refusals} refused, {} shown",
        shown.len()
    );
    disk.free()?;
    till.sync()?;
    let code = phone.code(Use::Pay, &[])?;
    assert!(shown.insert(sequence(&code)?));
    till.pay("1.00", &code)?.approved()?;
    phone.sync()
}

#[test]
fn a_card_that_finds_no_room_is_bound_once_there_is_some() -> Result<()> {
    let campus = Campus::open()?;
    let disk = Disk::mount(&campus.folder().join("disk"), 8 * MEBIBYTE)?;
    let phone = Phone::at(&disk.folder().join("phone")).through(disk.launcher());
    let bind = [
        "bind",
        "--platform",
        campus.sandbox.url(),
        "--student",
        "20260001",
    ];
    let mut refusals = 0;
    for left in almost_full() {
        disk.fill_but(left)?;
        let output = phone.run(&bind)?;
        match (output.code, output.complaint().as_str()) {
            (Some(0), _) => {}
            (Some(1), "storage_full") => refusals += 1,
            _ => return Err(output.into_error()),
        }
    }
    assert!(refusals > 0);
    disk.free()?;
    phone.bind(campus.sandbox.url(), "20260001")?;
    phone.code(Use::Pay, &[]).map(drop)
}

#[test]
fn a_terminal_whose_disk_is_full_approves_nothing_that_it_cannot_keep() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let disk = Disk::mount(&campus.folder().join("disk"), 8 * MEBIBYTE)?;
    let till = Terminal::at(&disk.folder().join("till")).through(disk.launcher());
    till.enroll(campus.sandbox.url(), "pos", Some("1"))?;
    // Taken or refused for want of room; anything else is an error.
    let pay = |code: &str| -> Result<bool> {
        let output = till.run(&["verify", "pay", "--amount", "1.00", "--json", code])?;
        let answer = output.json()?;
        match (output.code, answer["reason"].as_str(), answer["error"].as_str()) {
            (Some(0), None, None) => Ok(true),
            (Some(1), Some("STORAGE"), _) | (Some(3), _, Some("STORE_FULL")) => Ok(false),
            _ => Err(output.into_error()),
        }
    };
    let (mut approved, mut refusals) = (0, 0);
    for left in almost_full() {
        disk.fill_but(left)?;
        match pay(&phone.code(Use::Pay, &[])?)? {
            true => approved += 1,
            false => refusals += 1,
        }
    }
    assert!(
        refusals > 0 && approved > 0,
        "{refusals} refused, {approved} approved"
    );
    disk.free()?;
    let status = till.json(&["status"])?;
    assert_eq!(
        status["last_sequence"], approved,
        "a record for each approval, and no other"
    );
    // A code that was refused is not used up.
    disk.fill_but(0)?;
    let code = phone.code(Use::Pay, &[])?;
    assert!(!pay(&code)?);
    disk.free()?;
    assert!(pay(&code)?);
    let outcomes = till.upload()?["outcomes"].as_array().map(Vec::len);
    assert_eq!(outcomes, Some(approved + 1));
    let ledger = campus.sandbox.get("/sandbox/admin/ledger")?;
    assert_eq!(ledger["sales"], json!({ "posted": approved + 1 }));
    Ok(())
}

#[test]
fn a_terminal_that_runs_out_of_room_while_it_runs_refuses_and_takes_the_same_code_later() -> Result<()> {
    let campus = Campus::open()?;
    let phone = campus.phone("20260001")?;
    let disk = Disk::mount(&campus.folder().join("disk"), 8 * MEBIBYTE)?;
    let till = Terminal::at(&disk.folder().join("till")).through(disk.launcher());
    till.enroll(campus.sandbox.url(), "pos", Some("1"))?;
    let mut open = till.keep_open()?;
    let code = phone.code(Use::Pay, &[])?;
    let pay = json!({ "op": "pay", "amount": "1.00", "code": code });
    open.ask(&json!({ "op": "status" }))?;
    disk.fill_but(0)?;
    assert_eq!(open.ask(&pay)?["reason"], "STORAGE");
    disk.free()?;
    assert_eq!(open.ask(&pay)?["decision"], "approved");
    assert_eq!(open.ask(&json!({ "op": "status" }))?["last_sequence"], 1);
    Ok(())
}

#[test]
fn a_platform_whose_disk_is_full_settles_nothing_by_half_and_all_of_it_later() -> Result<()> {
    let campus = Campus::open()?;
    let disk = Disk::mount(&campus.folder().join("disk"), 32 * MEBIBYTE)?;
    let data = Program::at(&disk.folder().join("campus")).through(disk.launcher());
    let mut platform = Sandbox::start(data)?;
    let phone = campus.unbound_phone("on-disk");
    phone.bind(platform.url(), "20260001")?;
    let till = Terminal::at(&campus.folder().join("till-on-disk"));
    till.enroll(platform.url(), "pos", Some("1"))?;
    let (mut refusals, mut sales) = (0, 0);
    for left in almost_full() {
        disk.fill_but(left)?;
        till.pay("1.00", &phone.code(Use::Pay, &[])?)?.approved()?;
        sales += 1;
        let output = till.run(&["upload", "--json"])?;
        match output.code {
            Some(0) => {}
            Some(3) if output.json()?["error"] == "PLATFORM_REFUSED" => refusals += 1,
            _ => return Err(output.into_error()),
        }
        let ledger = platform.get("/sandbox/admin/ledger")?;
        assert_eq!(ledger["sum"], 0, "{left} bytes left");
    }
    assert!(refusals > 0, "nothing was refused");
    // Who comes anew is refused too, and served once there is room.
    disk.fill_but(0)?;
    let newcomer = campus.unbound_phone("newcomer");
    let bind = ["bind", "--platform", platform.url(), "--student", "20260002"];
    assert_eq!(newcomer.run(&bind)?.code, Some(1));
    disk.free()?;
    newcomer.run(&bind)?.success()?;
    till.upload()?;
    platform.restart(&[])?;
    let ledger = platform.get("/sandbox/admin/ledger")?;
    assert_eq!(
        (&ledger["sum"], &ledger["sales"]),
        (&json!(0), &json!({ "posted": sales }))
    );
    assert_eq!(till.json(&["status"])?["settled_sequence"], sales);
    phone.sync()
}
