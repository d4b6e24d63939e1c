//! The merchant centre from the till to the owner's phone, to the student's bill, and to a file.

use std::io::Read as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use yika_e2e::{Campus, Error, Phone, Result, Terminal, Use};

/// The seed's owner and cashier of the first stall, and a student who is neither.
const OWNER: &str = "20260005";
const CASHIER: &str = "20260006";
const STUDENT: &str = "20260004";

fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| Error::answer("no text", value))
}

fn pay(phone: &Phone, till: &Terminal, amount: &str) -> Result<()> {
    let code = phone.code(Use::Pay, &[])?;
    till.pay(amount, &code)?.approved().map(drop)
}

/// The complaint of a command that must fail.
fn refused(phone: &Phone, words: &[&str]) -> Result<String> {
    let output = phone.run(words)?;
    match output.code {
        Some(1) => Ok(output.complaint()),
        _ => Err(output.into_error()),
    }
}

fn payments(phone: &Phone) -> Result<Vec<Value>> {
    let page = phone.json(&["merchant", "payments"])?;
    let payments = page["payments"].as_array().cloned();
    payments.ok_or_else(|| Error::answer("no payments", page))
}

fn sums_hold(campus: &Campus) -> Result<()> {
    let check = campus.sandbox.get("/sandbox/admin/merchants/takings/check")?;
    assert_eq!(check["differences"], json!([]));
    assert_eq!(campus.ledger()?.0, 0);
    Ok(())
}

#[test]
fn what_two_tills_took_offline_is_the_owners_income_and_a_refund_reaches_the_students_bill() -> Result<()> {
    let campus = Campus::open()?;
    campus.begin_tomorrow()?;
    let (owner, student) = (campus.phone(OWNER)?, campus.phone(STUDENT)?);
    let (left, right) = (campus.till("left")?, campus.till("right")?);
    for (till, amount) in [
        (&left, "12.50"),
        (&left, "3.00"),
        (&right, "8.80"),
        (&right, "1.20"),
    ] {
        pay(&student, till, amount)?;
    }
    right.void()?;
    let income = || owner.json(&["merchant", "income"]);
    assert_eq!(income()?["total"]["income"], 0, "nothing is uploaded");
    left.upload()?;
    let half = income()?;
    assert_eq!(half["total"]["income"], 1_550);
    assert!(half["tills"][1].get("last_upload").is_none());
    right.upload()?;
    let whole = income()?;
    assert_eq!(
        (&whole["total"]["income"], &whole["total"]["voids"]["amount"]),
        (&json!(2_430), &json!(120))
    );
    assert_eq!(
        (&whole["pending"], &whole["settled"], &whole["balance"]),
        (&json!(2_430), &json!(0), &json!(2_430))
    );
    let by_till =
        [&whole["terminals"][0], &whole["terminals"][1]].map(|till| till["takings"]["income"].clone());
    assert_eq!(by_till, [1_550, 880]);

    let sale = payments(&owner)?
        .into_iter()
        .find(|sale| sale["amount"] == 1_250)
        .ok_or_else(|| Error::answer("no such sale", "12.50"))?;
    let id = text(&sale["id"])?;
    let words = ["merchant", "refund", id, "4.00", "--reason", "菜品售罄"];
    assert_eq!(owner.json(&words)?["refunded"], 400);
    assert_eq!(
        refused(&owner, &["merchant", "refund", id, "8.51"])?,
        "amount_out_of_range"
    );
    student.sync()?;
    let bills = student.json(&["bills"])?;
    let bill = |which: &dyn Fn(&Value) -> bool| {
        let all = bills["bills"].as_array().into_iter().flatten();
        all.filter(|bill| which(bill)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(bill(&|bill| bill["id"] == sale["id"])[0]["refunded"], 400);
    let refund = bill(&|bill| bill["refund_of"] == sale["id"]);
    assert_eq!((refund.len(), &refund[0]["amount"]), (1, &json!(400)));
    assert_eq!(income()?["total"]["income"], 2_030);
    let events = campus.sandbox.get("/sandbox/admin/merchants/1/events")?;
    let events = events["events"].as_array().cloned().unwrap_or_default();
    let refunded: Vec<_> = events
        .iter()
        .filter(|event| event["what"] == "refunded")
        .collect();
    assert_eq!(
        (refunded.len(), &refunded[0]["by"], &refunded[0]["note"]),
        (1, &json!(OWNER), &json!("菜品售罄"))
    );
    sums_hold(&campus)
}

#[test]
fn a_cashier_sees_today_and_a_student_no_stall() -> Result<()> {
    let campus = Campus::open()?;
    campus.begin_tomorrow()?;
    let (cashier, student) = (campus.phone(CASHIER)?, campus.phone(STUDENT)?);
    let till = campus.till("till")?;
    pay(&student, &till, "12.50")?;
    pay(&student, &till, "3.00")?;
    till.upload()?;
    let stalls = cashier.json(&["merchant", "stalls"])?;
    assert_eq!(
        (&stalls["stalls"][0]["role"], &stalls["stalls"][0]["may_refund"]),
        (&json!("cashier"), &json!(false))
    );
    let income = cashier.json(&["merchant", "income"])?;
    assert_eq!(
        (&income["total"]["income"], income.get("balance")),
        (&json!(1_550), None)
    );
    let out = campus.folder().join("x.csv").display().to_string();
    let sales = payments(&cashier)?;
    let (newest, older) = (text(&sales[0]["id"])?, text(&sales[1]["id"])?);
    for words in [
        &["merchant", "income", "--from", "2026-01-01"][..],
        &["merchant", "statement"],
        &["merchant", "export", "--out", &out],
        &["merchant", "refund", newest, "1.00"],
    ] {
        assert_eq!(refused(&cashier, words)?, "forbidden", "{words:?}");
    }
    assert_eq!(refused(&cashier, &["merchant", "void", older])?, "not_voidable");
    let voided = cashier.json(&["merchant", "void", newest])?;
    assert_eq!(
        (&voided["status"], &voided["income"]),
        (&json!("voided"), &json!(0))
    );
    student.sync()?;
    assert_eq!(student.json(&["bills"])?["bills"][0]["status"], "voided");

    assert_eq!(refused(&student, &["merchant", "income"])?, "no_stall");
    assert_eq!(
        refused(&student, &["merchant", "income", "--stall", "1"])?,
        "refused"
    );
    assert_eq!(
        refused(&cashier, &["merchant", "income", "--stall", "2"])?,
        "refused"
    );
    // Who works there no more keeps nothing of it on the phone.
    campus.sandbox.put(
        "/sandbox/admin/merchants/1/staff/20260004",
        &json!({ "role": "owner" }),
    )?;
    assert_eq!(student.json(&["merchant", "income"])?["total"]["income"], 1_250);
    sums_hold(&campus)
}

#[test]
fn a_refund_without_a_network_waits_and_is_one_whatever_dies() -> Result<()> {
    let mut campus = Campus::open()?;
    let (owner, student) = (campus.phone(OWNER)?, campus.phone(STUDENT)?);
    let till = campus.till("till")?;
    pay(&student, &till, "12.50")?;
    till.upload()?;
    let before = owner.json(&["merchant", "income"])?;
    let sale = payments(&owner)?.remove(0);
    let words = ["merchant", "refund", text(&sale["id"])?, "2.50", "--json"];
    campus.sandbox.stop()?;
    let waiting = owner.run(&words)?.success()?.json()?;
    assert_eq!(waiting["waiting"][0]["payment_id"], sale["id"]);
    assert_eq!(owner.run(&words)?.complaint(), "refund_under_way");
    let known = owner.json(&["merchant", "income", "--known"])?;
    assert_eq!(known, before, "with its time");
    campus.sandbox.restart(&[])?;
    // The phone dies after each reply of a synchronisation: once the platform has it, before the phone knows.
    let mut replies = 1;
    loop {
        let point = format!("phone.http.after-reply:{replies}");
        let end = owner
            .with_environment(&[("YIKA_KILL_AT", &point)])
            .run(&["sync"])?;
        if end.code.is_some() {
            break;
        }
        replies += 1;
    }
    assert!(replies > 5, "{replies}");
    assert_eq!(owner.json(&["merchant", "waiting"])?["waiting"], json!([]));
    assert_eq!(
        owner.json(&["merchant", "income"])?["total"]["refunds"]["count"],
        1
    );
    sums_hold(&campus)
}

#[test]
fn a_file_has_what_the_owner_sees_and_a_settlement_pays_it_out() -> Result<()> {
    let campus = Campus::open()?;
    campus.begin_tomorrow()?;
    let (owner, student) = (campus.phone(OWNER)?, campus.phone(STUDENT)?);
    let till = campus.till("till")?;
    pay(&student, &till, "12.50")?;
    pay(&student, &till, "3.00")?;
    till.upload()?;
    let day = text(&owner.json(&["merchant", "income"])?["from"])?.to_owned();
    let (csv, xlsx) = (campus.folder().join("p.csv"), campus.folder().join("i.xlsx"));
    let file = |path: &std::path::Path| path.display().to_string();
    owner.json(&["merchant", "export", "--what", "payments", "--out", &file(&csv)])?;
    let table = std::fs::read_to_string(&csv).map_err(Error::io("reading the table"))?;
    let incomes: Vec<&str> = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').nth(6))
        .collect();
    assert_eq!(incomes, ["3.00", "12.50"]);
    owner.json(&["merchant", "export", "--out", &file(&xlsx)])?;
    let sheet = part_of(&xlsx, "xl/worksheets/sheet1.xml")?;
    assert!(sheet.contains("<v>15.5</v>"), "{sheet}");
    assert!(part_of(&xlsx, "xl/sharedStrings.xml")?.contains(&day));

    // Two days on, the day is settled.
    campus.pass(2 * 86_400_000)?;
    let settle = json!({ "through": day, "reference": "T-1" });
    let settled = campus
        .sandbox
        .post("/sandbox/admin/merchants/1/settle", &settle)?;
    assert_eq!(
        (&settled["paid_out"], &settled["closing"]),
        (&json!(1_550), &json!(0))
    );
    let page = statement_later(&campus)?;
    assert_eq!(
        (&page["statements"][0]["reference"], &page["open"]["closing"]),
        (&json!("T-1"), &json!(0))
    );
    sums_hold(&campus)
}

/// The statement on a phone that was bound on the day of the sandbox's clock.
fn statement_later(campus: &Campus) -> Result<Value> {
    let phone = campus.unbound_phone("owner-later");
    phone.bind(campus.sandbox.url(), OWNER)?;
    phone.json(&["merchant", "statement"])
}

/// A part of a workbook, which is a ZIP file.
fn part_of(workbook: &std::path::Path, part: &str) -> Result<String> {
    let mut unzip = Command::new("python3")
        .args([
            "-c",
            "import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]).decode())",
        ])
        .arg(workbook)
        .arg(part)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Error::io("starting Python"))?;
    let mut text = String::new();
    if let Some(mut out) = unzip.stdout.take() {
        out.read_to_string(&mut text)
            .map_err(Error::io("reading a part of the workbook"))?;
    }
    let ended = unzip.wait().map_err(Error::io("waiting for Python"))?;
    match ended.success() {
        true => Ok(text),
        false => Err(Error::answer("no such part", part)),
    }
}
