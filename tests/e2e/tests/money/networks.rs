//! Replies that are lost, networks that are down, sessions that end, platforms that die: what was confirmed is done once or
//! was never sent, and the phone says which.

use std::collections::BTreeSet;

use serde_json::json;
use yika_e2e::{Campus, End, Holder, Result, WANG};

use super::{State, campus_behind_proxy, campus_with, phase, refused, text};

const OPERATIONS: &str = "POST /v1/operations";

#[test]
fn a_top_up_whose_reply_is_lost_is_one_debit_and_the_next_sync_finds_it() -> Result<()> {
    let (campus, holder, proxy) = campus_behind_proxy(1_000)?;
    let before = State::of(&campus, &holder)?;
    // A phone tries three times before it lets the matter rest.
    proxy.lose_replies(OPERATIONS, 3);
    let asked = proxy.exchanges_of(OPERATIONS).len();
    let operation = holder.pay(&["topup", "12.50"])?.success()?.json()?;
    assert_eq!(phase(&operation), "sent", "{operation}");
    let id = text(&operation["id"])?;
    let cancelled = holder.phone.run(&["operations", "--cancel", id])?;
    assert_eq!(refused(cancelled)?.0, "already_sent");

    let after = State::of(&campus, &holder)?;
    assert_eq!(phase(&holder.operation(&operation["id"])?), "credited");
    assert_eq!(after.orders, before.orders + 1);
    assert_eq!(after.shown, (before.shown.0 + 1_250, 0));
    assert_eq!(after.books.at_bank, before.books.at_bank);
    let exchanges = proxy.exchanges_of(OPERATIONS).split_off(asked);
    let keys: BTreeSet<_> = exchanges.iter().map(|exchange| &exchange.operation).collect();
    assert_eq!(keys, BTreeSet::from([&Some(id.to_owned())]));
    assert_eq!(exchanges.iter().filter(|exchange| exchange.is_lost).count(), 3);
    assert_eq!(campus.reconcile()?, json!([]));
    Ok(())
}

#[test]
fn without_a_network_a_top_up_waits_and_is_taken_back_or_sent_once() -> Result<()> {
    let (mut campus, holder) = campus_with(1_000)?;
    let before = State::of(&campus, &holder)?;
    campus.sandbox.stop()?;
    let regretted = holder.pay(&["topup", "1.00"])?.success()?.json()?;
    let meant = holder.pay(&["topup", "2.00"])?.success()?.json()?;
    assert_eq!((phase(&regretted), phase(&meant)), ("created", "created"));
    assert_eq!(refused(holder.phone.run(&["sync"])?)?.0, "network");
    let cancel = ["operations", "--cancel", text(&regretted["id"])?];
    holder.phone.run(&cancel)?.success()?;
    assert_eq!(refused(holder.phone.run(&cancel)?)?.0, "operation_unknown");
    assert_eq!(phase(&holder.operation(&meant["id"])?), "created");

    campus.sandbox.restart(&[])?;
    let after = State::of(&campus, &holder)?;
    assert_eq!(after.orders, before.orders + 1);
    assert_eq!(after.shown, (before.shown.0 + 200, before.shown.1 - 200));
    assert_eq!(phase(&holder.operation(&meant["id"])?), "credited");
    let late = ["operations", "--cancel", text(&meant["id"])?];
    assert_eq!(refused(holder.phone.run(&late)?)?.0, "already_sent");
    assert_eq!(State::of(&campus, &holder)?, after);
    Ok(())
}

#[test]
fn a_connection_that_breaks_is_not_a_no_and_the_top_up_is_sent_again() -> Result<()> {
    let (mut campus, holder, _proxy) = campus_behind_proxy(1_000)?;
    let before = State::of(&campus, &holder)?;
    // The proxy takes the connection and has nobody behind it.
    campus.sandbox.stop()?;
    let operation = holder.pay(&["topup", "3.00"])?.success()?.json()?;
    assert_eq!(phase(&operation), "sent", "it may have arrived");
    let cancel = ["operations", "--cancel", text(&operation["id"])?];
    assert_eq!(refused(holder.phone.run(&cancel)?)?.0, "already_sent");

    campus.sandbox.restart(&[])?;
    let watched = holder
        .phone
        .json(&["operations", "--watch", text(&operation["id"])?])?;
    assert_eq!(phase(&watched), "credited");
    let after = State::of(&campus, &holder)?;
    assert_eq!(after.orders, before.orders + 1);
    assert_eq!(after.shown, (before.shown.0 + 300, before.shown.1 - 300));
    Ok(())
}

#[test]
fn when_the_session_has_ended_a_top_up_waits_for_the_next_sign_in() -> Result<()> {
    let (campus, holder) = campus_with(1_000)?;
    let before = State::of(&campus, &holder)?;
    campus
        .sandbox
        .post("/sandbox/host/logout", &json!({ "student": WANG.student }))?;
    let regretted = holder.pay(&["topup", "1.00"])?.success()?.json()?;
    assert_eq!(phase(&regretted), "created");
    assert_eq!(refused(holder.phone.run(&["sync"])?)?.0, "session_expired");
    assert_eq!(refused(holder.pay(&["wallet", "close"])?)?.0, "session_expired");
    let meant = holder.pay(&["topup", "2.00"])?.success()?.json()?;
    assert_eq!(phase(&meant), "created");
    assert_eq!(holder.phone.json(&["status"])?["session"], "ended");
    assert_eq!((campus.orders()?, campus.books()?), (before.orders, before.books));

    holder
        .phone
        .run(&["operations", "--cancel", text(&regretted["id"])?])?
        .success()?;
    holder.phone.bind(campus.sandbox.url(), WANG.student)?;
    let after = State::of(&campus, &holder)?;
    assert_eq!(after.orders, before.orders + 1);
    assert_eq!(after.shown, (before.shown.0 + 200, before.shown.1 - 200));
    assert_eq!(phase(&holder.operation(&meant["id"])?), "credited");
    Ok(())
}

/// The bank does what a holder asks for, and the platform dies before it hears of it: whoever asks again, as one would,
/// gets on.
#[test]
fn what_a_holder_asks_for_is_asked_for_again_when_the_platform_died_over_it() -> Result<()> {
    let mut campus = Campus::open()?;
    let mut holder = Holder::bind(&campus, campus.sandbox.url(), WANG)?;
    dying(&mut campus, || holder.open_wallet())?;
    assert_eq!(holder.open_wallet()?.success()?.json()?["status"], "open");

    dying(&mut campus, || holder.begin_card(WANG.cards[0]))?;
    let binding = holder.begin_card(WANG.cards[0])?.success()?.json()?;
    let (id, code) = (text(&binding["id"])?, campus.last_code()?);
    dying(&mut campus, || holder.confirm_card(id, &code))?;
    assert_eq!(
        refused(holder.confirm_card(id, &code)?)?.0,
        "bank_refused",
        "a code is used once"
    );
    holder.bind_card(&campus, WANG.cards[0])?;
    holder.moved(&["wallet", "recharge", "5.00"])?;

    let change = ["wallet", "password", "--secrets-stdin"];
    dying(&mut campus, || holder.phone.tell(&change, &["204816", "864215"]))?;
    holder.password = "864215";
    holder.moved(&["topup", "5.00"])?;

    dying(&mut campus, || holder.pay(&["wallet", "close"]))?;
    let closed = holder.pay(&["wallet", "close"])?.success()?.json()?;
    assert_eq!(closed["status"], "closed");
    assert_eq!(campus.reconcile()?, json!([]));
    Ok(())
}

/// Does something in the course of which the platform dies, once the bank has done its part, and starts it again.
fn dying(campus: &mut Campus, deed: impl FnOnce() -> Result<yika_e2e::Output>) -> Result<()> {
    campus
        .sandbox
        .restart(&[("YIKA_KILL_AT", "bank.customer.after-commit:1")])?;
    assert_eq!(refused(deed()?)?.0, "network");
    assert_eq!(campus.sandbox.stop()?, End::Died);
    campus.sandbox.restart(&[])
}
