//! Disks that are full, and almost full: each on its own, filled for real.

use std::collections::BTreeSet;

use serde_json::json;
use yika_e2e::{Campus, Disk, Error, Phone, Result, Terminal, Use};
use yika_format::code::Code;

const MEBIBYTE: u64 = 1 << 20;

/// What may be left, in bytes: nothing, and then a block more each time, so that every write is once the first to fail.
fn almost_full() -> impl Iterator<Item = u64> {
    (0..16).map(|blocks| blocks * 4096)
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
