//! A wrong charge, from the till to the money's return: the real phone disputes it, the card office decides.

use serde_json::{Value, json};
use yika_e2e::{Campus, Phone, Result, Use};

use super::text;

/// A student who has paid this, as the phone shows it.
fn paid(campus: &Campus, amount: &str) -> Result<(Phone, Value)> {
    let (phone, till) = (campus.phone("20260004")?, campus.till("till")?);
    let code = phone.code(Use::Pay, &[])?;
    till.pay(amount, &code)?.approved()?;
    till.upload()?;
    phone.sync()?;
    let bill = newest(&phone)?;
    Ok((phone, bill))
}

fn newest(phone: &Phone) -> Result<Value> {
    Ok(phone.json(&["bills"])?["bills"][0].take())
}

/// The bill of this id, as the phone shows it.
fn bill(phone: &Phone, id: &Value) -> Result<Value> {
    let bills = phone.json(&["bills"])?;
    let all = bills["bills"].as_array().into_iter().flatten();
    let mut found = all.filter(|bill| bill["id"] == *id);
    Ok(found.next().cloned().unwrap_or_default())
}

fn on_card(phone: &Phone) -> Result<Value> {
    Ok(phone.json(&["accounts"])?["accounts"][0]["balance"].take())
}

#[test]
fn a_disputed_payment_is_given_back_in_part_beside_its_bill() -> Result<()> {
    let campus = Campus::open()?;
    let (phone, lunch) = paid(&campus, "12.50")?;
    let before = on_card(&phone)?["amount"].as_i64();
    let id = text(&lunch["id"])?;
    let words = [
        "dispute",
        id,
        "--reason",
        "wrong-amount",
        "--text",
        "鱼香肉丝 ¥8.50",
    ];
    let dispute = phone.json(&words)?;
    assert_eq!(dispute["phase"], "open");
    phone.sync()?;
    assert_eq!(on_card(&phone)?["pending"], 1_250);

    let listed = campus.sandbox.get("/sandbox/admin/disputes")?;
    assert_eq!(
        (
            &listed["disputes"][0]["number"],
            &listed["disputes"][0]["dispute"]["id"]
        ),
        (&json!("20260004"), &dispute["id"])
    );
    let office = format!("/sandbox/admin/disputes/{}", text(&dispute["id"])?);
    campus.sandbox.post(&format!("{office}/review"), &json!(null))?;
    phone.sync()?;
    assert_eq!(bill(&phone, &lunch["id"])?["dispute"]["phase"], "review");
    let decision = json!({ "amount": 400, "reply": "退还差额" });
    campus.sandbox.post(&format!("{office}/refund"), &decision)?;
    phone.sync()?;

    let after = on_card(&phone)?;
    assert_eq!(after["amount"].as_i64(), before.map(|before| before + 400));
    assert_eq!(after["pending"], 0);
    let shown = bill(&phone, &lunch["id"])?;
    assert_eq!(
        (
            &shown["refunded"],
            &shown["dispute"]["phase"],
            &shown["dispute"]["reply"]
        ),
        (&json!(400), &json!("refunded"), &json!("退还差额"))
    );
    let refund = newest(&phone)?;
    assert_eq!(
        (&refund["kind"], &refund["amount"], &refund["refund_of"]),
        (&json!("refund"), &json!(400), &lunch["id"])
    );
    assert_eq!(campus.ledger()?.0, 0);
    Ok(())
}

#[test]
fn a_dispute_that_is_refused_or_taken_back_changes_nothing_but_is_answered() -> Result<()> {
    let campus = Campus::open()?;
    let (phone, lunch) = paid(&campus, "12.50")?;
    let before = on_card(&phone)?["amount"].take();
    let id = text(&lunch["id"])?;
    let dispute = phone.json(&["dispute", id, "--reason", "twice"])?;
    assert_eq!(
        phone.run(&["dispute", id, "--reason", "twice"])?.complaint(),
        "dispute_under_way"
    );
    let withdrawn = phone.json(&["dispute", "--withdraw", text(&dispute["id"])?])?;
    assert_eq!(withdrawn["phase"], "withdrawn");

    let dispute = phone.json(&["dispute", id, "--reason", "not-me"])?;
    let office = format!("/sandbox/admin/disputes/{}", text(&dispute["id"])?);
    let refusal = json!({ "reply": "监控显示本人支付" });
    campus.sandbox.post(&format!("{office}/refuse"), &refusal)?;
    phone.sync()?;
    let shown = bill(&phone, &lunch["id"])?;
    assert_eq!(
        (
            &shown["dispute"]["phase"],
            &shown["dispute"]["reply"],
            &shown["refunded"]
        ),
        (&json!("refused"), &refusal["reply"], &json!(0))
    );
    assert_eq!(on_card(&phone)?["amount"], before);
    Ok(())
}

#[test]
fn a_dispute_without_a_network_waits_and_is_one_whatever_dies() -> Result<()> {
    let mut campus = Campus::open()?;
    let (phone, lunch) = paid(&campus, "12.50")?;
    let id = text(&lunch["id"])?;
    let words = ["dispute", id, "--reason", "twice", "--json"];
    campus.sandbox.stop()?;
    let waiting = phone.run(&words)?.success()?.json()?;
    assert_eq!(waiting["drafts"][0]["payment_id"], lunch["id"]);
    assert_eq!(phone.run(&words)?.complaint(), "dispute_under_way");
    let draft = text(&waiting["drafts"][0]["id"])?;
    assert_eq!(phone.json(&["dispute", "--discard", draft])?["drafts"], json!([]));
    phone.run(&words)?.success()?;

    campus.sandbox.restart(&[])?;
    // The phone dies after each reply of a synchronisation: once the platform has it, before the phone knows.
    let dies_after = |reply: usize| {
        let point = format!("phone.http.after-reply:{reply}");
        let end = phone.with_environment(&[("YIKA_KILL_AT", point)]).run(&["sync"]);
        end.map(|output| output.code.is_none())
    };
    let mut replies = 1;
    while dies_after(replies)? {
        replies += 1;
    }
    assert!(replies > 5, "{replies}");
    assert_eq!(phone.json(&["dispute", "--drafts"])?["drafts"], json!([]));
    assert_eq!(bill(&phone, &lunch["id"])?["dispute"]["phase"], "open");
    let listed = campus.sandbox.get("/sandbox/admin/disputes")?;
    assert_eq!(listed["disputes"].as_array().map(Vec::len), Some(1));

    // Decided meanwhile at the counter: what waited is refused, and says so.
    let dispute = bill(&phone, &lunch["id"])?["dispute"]["id"].take();
    let office = format!("/sandbox/admin/disputes/{}", text(&dispute)?);
    campus
        .sandbox
        .post(&format!("{office}/refund"), &json!({ "amount": 1_250 }))?;
    campus.sandbox.stop()?;
    phone.run(&words)?.success()?;
    campus.sandbox.restart(&[])?;
    phone.sync()?;
    let refused = phone.json(&["dispute", "--drafts"])?["drafts"].take();
    assert_eq!(refused[0]["refusal"], "not_disputable", "{refused}");
    phone.json(&["dispute", "--discard", text(&refused[0]["id"])?])?;
    Ok(())
}
