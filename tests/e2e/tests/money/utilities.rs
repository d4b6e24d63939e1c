//! Every fault of the meters with a real phone that pays for a room, off the card account and by way of the bank, whose process
//! ends at once or is killed when the reply comes: one credit or none, and nobody is poorer by a credit that wasn't made.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yika_e2e::{Holder, Result, is_end};

use super::{campus_with, phase, refused, text};

/// Faults, and how a payment ends that meets one.
const FAULTS: [(Option<&str>, &str); 5] = [
    (None, "credited"),
    (Some("refused"), "refunded"),
    (Some("timeout-before-credit"), "credited"),
    (Some("timeout-after-credit"), "credited"),
    (Some("duplicate-reply"), "credited"),
];
/// How a room is paid for.
const SOURCES: [&[&str]; 3] = [&["--account", "1"], &["--from", "wallet"], &["--from", "card"]];
const ROOM: &str = "b1-101";
/// What each pays, in fen.
const AMOUNT: i64 = 200;

fn names(holder: &Holder) -> Result<BTreeSet<String>> {
    let operations = holder.operations()?;
    let ids = operations.iter().map(|known| text(&known["id"]));
    ids.map(|id| id.map(str::to_owned)).collect()
}

/// Pays for the room, and returns the operation's name. A phone that is killed says nothing, and knows of it when it is
/// started again.
fn pay(holder: &Holder, room: &str, source: &[&str], dies: bool) -> Result<Value> {
    let known = names(holder)?;
    let phone = match dies {
        // The first answer tells the nonce, the second one that the operation is taken.
        true => holder
            .phone
            .with_environment(&[("YIKA_KILL_AT", "phone.http.after-reply:2")]),
        false => holder.phone.clone(),
    };
    let words = [&["utility", "pay", room, "2.00"], source].concat();
    let output = holder.at(phone).pay(&words)?;
    assert_eq!(output.code.is_none(), dies, "{output:?}");
    let new: Vec<String> = names(holder)?.difference(&known).cloned().collect();
    assert_eq!(new.len(), 1, "{output:?}");
    Ok(new[0].clone().into())
}

#[test]
fn every_fault_with_a_phone_that_ends_at_once_or_dies_credits_once_or_gives_back() -> Result<()> {
    let (mut campus, holder) = campus_with(10_000)?;
    let bound = holder.phone.json(&["utility", "bind", "power", ROOM])?;
    let room = text(&bound["id"])?;
    holder.phone.sync()?;
    let (shown, books, meter) = (holder.balances()?, campus.books()?, campus.credited(ROOM)?);
    let mut made = Vec::new();
    for (fault, end) in FAULTS {
        for (at, source) in SOURCES.into_iter().enumerate() {
            campus.plan_next_credit(fault)?;
            let dies = (made.len() + at) % 2 == 0;
            made.push((fault, end, source, pay(&holder, room, source, dies)?));
        }
    }
    // The platform stops and starts while some hang; then time passes.
    campus.sandbox.restart(&[])?;
    campus.pass(5_000)?;
    for _ in 0..8 {
        holder.phone.sync()?;
        if holder.operations()?.iter().all(|known| is_end(phase(known))) {
            break;
        }
        campus.pass(150_000)?;
    }

    let arrived = |source: &[&str]| {
        let of_it = made
            .iter()
            .filter(|(_, end, of, _)| *end == "credited" && *of == source);
        AMOUNT * i64::try_from(of_it.count()).unwrap_or_default()
    };
    for (fault, end, source, id) in &made {
        let operation = holder.operation(id)?;
        assert_eq!(phase(&operation), *end, "{fault:?} {source:?}: {operation}");
        let steps = operation["steps"].as_array().into_iter().flatten();
        let ends = steps.filter(|step| is_end(phase(step))).count();
        assert_eq!(ends, 1, "{fault:?} {source:?}: {operation}");
    }
    let [off_account, off_wallet, off_card] = SOURCES.map(arrived);
    assert_eq!(
        campus.credited(ROOM)?,
        meter + off_account + off_wallet + off_card
    );
    assert_eq!(holder.balances()?, (shown.0 - off_account, shown.1 - off_wallet));
    let after = campus.books()?;
    assert_eq!(after.school, books.school + off_wallet + off_card);
    assert_eq!((after.at_bank, after.held), (books.at_bank, 0));
    assert_eq!(campus.reconcile()?, json!([]));
    Ok(())
}

#[test]
fn above_the_holders_own_limit_a_payment_takes_the_password_and_above_the_schools_it_is_none() -> Result<()> {
    let (campus, holder) = campus_with(10_000)?;
    let bound = holder.phone.json(&["utility", "bind", "power", ROOM])?;
    let room = text(&bound["id"])?;
    let limits = ["limits", "--single", "1.00", "--day", "5.00"];
    assert_eq!(holder.phone.json(&limits)?["single"], 100);
    let (card, meter) = (holder.balances()?.0, campus.credited(ROOM)?);
    let pay = |amount| ["utility", "pay", room, amount, "--account", "1"];
    let planned = holder.phone.json(&[&pay("2.00")[..], &["--dry-run"]].concat())?;
    assert_eq!(planned["needs_step_up"], true);
    let without = holder
        .phone
        .run(&[&pay("2.00")[..], &["--json"]].concat())?
        .json()?;
    assert_eq!(
        (
            phase(&without),
            &without["refusal"]["code"],
            &without["refusal"]["amount"]
        ),
        ("refused", &json!("step_up_required"), &json!(100))
    );
    let mut mistaken = holder.clone();
    mistaken.password = "975310";
    let wrong = mistaken.pay(&pay("2.00"))?.json()?;
    assert_eq!(
        (phase(&wrong), &wrong["refusal"]["code"]),
        ("refused", &json!("password_wrong"))
    );
    assert!(wrong["refusal"]["tries_left"].is_u64(), "{wrong}");
    let (code, amount) = refused(holder.pay(&pay("300.01"))?)?;
    assert!(
        code == "amount_out_of_range" && amount.contains("300.00"),
        "{amount}"
    );
    assert_eq!((holder.balances()?.0, campus.credited(ROOM)?), (card, meter));

    // It lifts the day's limit too.
    for _ in 0..3 {
        holder.moved(&pay("2.00"))?;
    }
    assert_eq!(
        (holder.balances()?.0, campus.credited(ROOM)?),
        (card - 600, meter + 600)
    );
    Ok(())
}
