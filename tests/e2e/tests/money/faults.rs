//! Every fault of the bank with a top-up of a real phone, whose process ends at once, or is killed when the reply comes:
//! each top-up has one end by the day's reconciliation, the phone shows it, and nobody is poorer or richer by it.

use std::collections::BTreeSet;

use serde_json::Value;
use yika_e2e::{BANK_FAULTS, Campus, Holder, Result, is_end};

use super::{campus_with, phase, text};

/// A top-up out of the wallet, one off the card, one that falls through: words and amount in fen.
const TOP_UPS: [(&[&str], i64); 3] = [
    (&["topup", "2.00", "--from", "wallet"], 200),
    (&["topup", "3.00", "--from", "card"], 300),
    (&["topup", "20.00"], 2_000),
];
/// What is put into the wallet before each, so that there is something in it, and less than the last of them takes.
const RECHARGE: [&str; 3] = ["wallet", "recharge", "2.00"];

/// Has a phone make a top-up that is to meet this fault, and returns its name. A killed one says nothing; the next start
/// of the phone knows of it.
fn confirm(campus: &Campus, holder: &Holder, fault: &str, words: &[&str], dies: bool) -> Result<Value> {
    holder.moved(&RECHARGE)?;
    let known = ids(holder)?;
    campus.plan_next(fault)?;
    let phone = match dies {
        // The first answer tells the nonce, the second one that the operation is taken.
        true => holder
            .phone
            .with_environment(&[("YIKA_KILL_AT", "phone.http.after-reply:2")]),
        false => holder.phone.clone(),
    };
    let output = holder.at(phone).pay(words)?;
    let is_dead = output.code.is_none();
    assert_eq!(is_dead, dies, "{fault}: {output:?}");
    let new: Vec<String> = ids(holder)?.difference(&known).cloned().collect();
    assert_eq!(new.len(), 1, "{fault}: {output:?}");
    if !is_dead {
        assert_eq!(output.json()?["id"], *new[0], "{fault}");
    }
    Ok(new[0].clone().into())
}

fn ids(holder: &Holder) -> Result<BTreeSet<String>> {
    let operations = holder.operations()?;
    operations
        .iter()
        .map(|known| text(&known["id"]).map(str::to_owned))
        .collect()
}

#[test]
fn every_fault_with_a_phone_that_ends_at_once_or_dies_comes_to_one_end_that_the_phone_shows() -> Result<()> {
    let (mut campus, holder) = campus_with(200)?;
    let before = campus.books()?;
    let shown = holder.balances()?;
    let mut made = Vec::new();
    for (at, (fault, end)) in BANK_FAULTS.into_iter().enumerate() {
        for dies in [false, true] {
            let (words, amount) = TOP_UPS[(at + usize::from(dies)) % TOP_UPS.len()];
            let id = confirm(&campus, &holder, fault, words, dies)?;
            made.push((fault, end, amount, id));
        }
    }
    // The platform stops and starts while some hang; then the bank does what it put off, and time passes.
    campus.sandbox.restart(&[])?;
    campus.pass(5_000)?;
    campus.settle_at_bank()?;
    let late = made.iter().find(|(fault, ..)| *fault == "late-callback");
    if let Some((.., id)) = late {
        let watched = holder.phone.json(&["operations", "--watch", text(id)?])?;
        assert_eq!(
            phase(&watched),
            "credited",
            "a phone that watches sees it without a sync"
        );
    }
    for _ in 0..8 {
        holder.phone.sync()?;
        if holder.operations()?.iter().all(|known| is_end(phase(known))) {
            break;
        }
        campus.pass(150_000)?;
    }
    campus.reconcile()?;

    holder.phone.sync()?;
    for (fault, end, _, id) in &made {
        let operation = holder.operation(id)?;
        assert_eq!(phase(&operation), *end, "{fault}: {operation}");
        let steps = operation["steps"].as_array().into_iter().flatten();
        let ends: Vec<&str> = steps.map(phase).filter(|phase| is_end(phase)).collect();
        let is_one = ends == [*end] || (*end == "refunded" && ends == ["credited", "refunded"]);
        assert!(is_one, "{fault}: {operation}");
    }
    let arrived: i64 = made
        .iter()
        .filter(|(_, end, ..)| *end == "credited")
        .map(|(_, _, amount, _)| amount)
        .sum();
    let after = campus.books()?;
    assert_eq!(holder.balances()?.0, shown.0 + arrived);
    assert_eq!(holder.balances()?.1, after.wallets);
    assert_eq!(after.school, before.school + arrived);
    assert_eq!((after.at_bank, after.held), (before.at_bank, 0));
    assert_eq!(
        campus.orders()?,
        1 + 2 * made.len(),
        "one for each recharge and each top-up"
    );
    Ok(())
}
