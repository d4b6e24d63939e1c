//! What is refused: each with its code and the amount that it is about, and nothing changes by it.

use serde_json::{Value, json};
use uuid::Uuid;
use yika_e2e::{Error, Holder, Result, Use, WANG, ZHANG};

use super::{State, campus_with, phase, refused, text};

/// Half an hour, for which a payment password is locked.
const LOCKED_MS: i64 = 1_800_000;
/// What a slow machine may need between two of the platform's moments.
const SLOWLY_MS: i64 = 120_000;

#[test]
fn what_no_person_means_is_refused_and_changes_nothing() -> Result<()> {
    let (campus, holder) = campus_with(50_000)?;
    let stranger = Holder::bind(&campus, campus.sandbox.url(), ZHANG)?;
    let theirs = stranger.phone.json(&["accounts"])?["accounts"][0]["id"].take();
    let nobodys_card = Uuid::new_v4().to_string();
    let before = State::of(&campus, &holder)?;
    let cases: [(&[&str], &str, &str); 15] = [
        (&["topup", "0"], "invalid_input", "amount"),
        (&["topup", "0.00", "--from", "card"], "invalid_input", "amount"),
        (&["topup", "--to=-5.00"], "invalid_input", "amount"),
        (&["topup", "--to", "0"], "invalid_input", "amount"),
        (&["topup", "--to", "1.00"], "target_reached", "312.45"),
        (&["topup", "0.99"], "amount_out_of_range", "1.00"),
        (&["topup", "1000.01"], "amount_out_of_range", "1000.00"),
        (
            &["topup", "92233720368547758.07"],
            "amount_out_of_range",
            "1000.00",
        ),
        (
            &["topup", "--to", "92233720368547758.07"],
            "amount_out_of_range",
            "1000.00",
        ),
        (
            &["topup", "600.00", "--from", "wallet"],
            "insufficient_funds",
            "500.00",
        ),
        (&["wallet", "withdraw", "500.01"], "insufficient_funds", "500.00"),
        (&["wallet", "recharge", "0"], "invalid_input", "amount"),
        (&["wallet", "withdraw", "0"], "invalid_input", "amount"),
        (
            &["wallet", "recharge", "1.00", "--card", &nobodys_card],
            "card_not_bound",
            "",
        ),
        (
            &["topup", "1.00", "--account", text(&theirs)?],
            "account_unknown",
            "",
        ),
    ];
    for (words, code, about) in cases {
        let (found, line) = refused(holder.pay(words)?)?;
        assert_eq!(found, code, "{words:?}");
        assert!(line.contains(about), "{words:?}: {line}");
    }
    // What is no amount is no command.
    for amount in ["1.234", "1e3", "-1.00", "92233720368547758.08", "", "12元"] {
        assert_eq!(holder.pay(&["topup", amount])?.code, Some(2), "{amount:?}");
    }
    let words = ["topup", "--password-stdin", "--", "-1.00"];
    assert_eq!(
        refused(holder.phone.tell(&words, &[holder.password])?)?.0,
        "invalid_input"
    );
    for password in ["", "20481", "2048166", "20481a"] {
        let output = holder
            .phone
            .tell(&["topup", "1.00", "--password-stdin"], &[password])?;
        assert_eq!(refused(output)?.0, "invalid_input", "{password:?}");
    }
    assert_eq!(
        holder.operations()?.len(),
        1,
        "the recharge of the beginning alone"
    );
    // What the phone has no limit for, the platform has.
    let output = holder.pay(&["wallet", "recharge", "92233720368547758.07"])?;
    assert_eq!(output.json()?["refusal"]["amount"], 100_000_000);
    assert_eq!(refused(output)?.0, "amount_out_of_range");
    assert_eq!(State::of(&campus, &holder)?, before);
    Ok(())
}

#[test]
fn limits_refuse_with_what_is_left_also_a_phone_that_does_not_know() -> Result<()> {
    let (campus, holder) = campus_with(100)?;
    let other = holder.at(campus.unbound_phone("another"));
    other.phone.bind(campus.sandbox.url(), WANG.student)?;
    // A bank card has two thousand, the limit is three.
    holder.moved(&["topup", "1000.00", "--from", "card"])?;
    holder.moved(&["topup", "900.00", "--from", "card"])?;
    holder.moved(&["wallet", "recharge", "98.00"])?;
    let second = holder.bind_card(&campus, WANG.cards[1])?;
    holder.phone.json(&["wallet", "cards", "--default", &second])?;
    holder.moved(&["topup", "150.00", "--from", "card"])?;
    holder.moved(&["wallet", "withdraw", "90.00"])?;
    let limits = holder.phone.json(&["wallet", "limits"])?["limits"].take();
    assert_eq!(
        limits,
        json!({
            "least": 100, "single": 100_000, "day": 300_000, "day_used": 205_000,
            "most_single": 100_000, "most_day": 300_000,
        })
    );
    let before = State::of(&campus, &holder)?;
    let (code, line) = refused(holder.pay(&["topup", "950.01", "--from", "card"])?)?;
    assert_eq!(
        (code.as_str(), line.contains("950.00")),
        ("day_limit_reached", true),
        "{line}"
    );

    // Off a card that has less, the bank says no, and nothing hangs.
    let short = holder.pay(&["topup", "900.00", "--from", "card", "--wait"])?;
    let operation = short.json()?;
    assert_eq!(refused(short)?.0, "insufficient");
    assert_eq!(
        (phase(&operation), &operation["funding"]["bank"]),
        ("refused", &json!(90_000))
    );
    assert_eq!(State::of(&campus, &holder)?.shown, before.shown);

    // The other phone has not heard of any of it: the platform knows better, and says what is left.
    let late = other.pay(&["topup", "1000.00", "--from", "card"])?;
    let operation = late.json()?;
    assert_eq!(refused(late)?.0, "day_limit_reached");
    assert_eq!(operation["refusal"]["amount"], 95_000, "{operation}");
    other.phone.sync()?;
    let known = other.wallet()?;
    assert_eq!(known["limits"], limits);
    let after = State::of(&campus, &holder)?;
    assert_eq!((after.shown, after.books), (before.shown, before.books));
    Ok(())
}

#[test]
fn a_stale_phone_is_refused_by_the_platform_and_the_list_says_why() -> Result<()> {
    let (campus, holder) = campus_with(100_000)?;
    let other = holder.at(campus.unbound_phone("another"));
    other.phone.bind(campus.sandbox.url(), WANG.student)?;
    holder.moved(&["wallet", "withdraw", "999.00"])?;
    let before = State::of(&campus, &holder)?;
    let output = other.pay(&["topup", "2.00", "--from", "wallet"])?;
    let operation = output.json()?;
    assert_eq!(refused(output)?.0, "insufficient_funds");
    assert_eq!(operation["refusal"]["amount"], 100, "what is free: {operation}");
    assert_eq!(other.operation(&operation["id"])?["phase"], "refused");
    assert_eq!(State::of(&campus, &holder)?, before);
    Ok(())
}

#[test]
fn the_third_wrong_password_locks_it_for_half_an_hour_and_says_until_when() -> Result<()> {
    let (campus, mut holder) = campus_with(1_000)?;
    let before = State::of(&campus, &holder)?;
    let right = std::mem::replace(&mut holder.password, "111222");
    let mut refusals = Vec::new();
    for _ in 0..3 {
        let output = holder.pay(&["topup", "1.00", "--wait"])?;
        refusals.push(output.json()?["refusal"].take());
        refused(output)?;
    }
    let told: Vec<(&Value, &Value)> = refusals
        .iter()
        .map(|refusal| (&refusal["code"], &refusal["tries_left"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("password_wrong"), &json!(2)),
            (&json!("password_wrong"), &json!(1)),
            (&json!("password_locked"), &Value::Null)
        ]
    );
    let until = refusals[2]["until"].as_i64();
    let until = until.ok_or_else(|| Error::answer("no time", &refusals[2]))?;
    let left = until - campus.now()?;
    assert!(left <= LOCKED_MS && left > LOCKED_MS - SLOWLY_MS, "{left} ms");

    // The right one does not help before, and does after.
    holder.password = right;
    let locked = holder.pay(&["topup", "1.00", "--wait"])?;
    assert_eq!(locked.json()?["refusal"]["until"], json!(until));
    assert_eq!(refused(locked)?.0, "password_locked");
    assert_eq!(refused(holder.pay(&["wallet", "close"])?)?.0, "wallet_in_use");
    let now = State::of(&campus, &holder)?;
    assert_eq!((now.books, now.shown), (before.books, before.shown));
    campus.pass(LOCKED_MS)?;
    holder.moved(&["topup", "1.00"])?;
    Ok(())
}

#[test]
fn a_clock_that_is_wrong_moves_money_all_the_same_and_once() -> Result<()> {
    let (campus, holder) = campus_with(1_000)?;
    let before = State::of(&campus, &holder)?;
    for offset in ["86400", "-86400", "-700000000"] {
        let wrong = holder.at(holder.phone.with_options(&["--wall-offset", offset]));
        wrong.moved(&["topup", "1.00"])?;
    }
    // Restarted with a clock before all that it has seen: it goes on from there.
    let lost = ["--boot-id", "another", "--wall-offset", "-700000000"];
    let lost = holder.at(holder.phone.with_options(&lost));
    lost.moved(&["topup", "1.00"])?;
    // Time has gone by unheard, and access with it: it hears the time, and goes on.
    campus.pass(2 * LOCKED_MS)?;
    holder.moved(&["topup", "1.00"])?;
    let after = State::of(&campus, &holder)?;
    assert_eq!(after.orders, before.orders + 5);
    assert_eq!(after.shown, (before.shown.0 + 500, before.shown.1 - 500));
    Ok(())
}

#[test]
fn a_frozen_account_pays_nothing_and_another_one_does() -> Result<()> {
    let (campus, holder) = campus_with(1_000)?;
    let room = holder.phone.json(&["utility", "bind", "power", "b1-101"])?["id"].take();
    let room = text(&room)?;
    let till = campus.till("till")?;
    let shown = holder
        .phone
        .code(Use::Pay, &["--form", "full", "--account", "1"])?;
    let before = State::of(&campus, &holder)?;
    let freeze = |frozen: bool| {
        let path = format!("/sandbox/admin/students/{}/frozen", WANG.student);
        campus.sandbox.put(&path, &json!({ "slot": 1, "frozen": frozen }))
    };
    freeze(true)?;
    // Codes of before are taken by a terminal that works offline, and what it approved is paid.
    till.pay("1.00", &shown)?.approved()?;
    // A phone that has not heard of it is told by the platform, one that has says so itself.
    let pay = ["utility", "pay", room, "2.00", "--account", "1"];
    for said_by in ["platform", "phone"] {
        for words in [&pay[..], &["topup", "1.00", "--account", "1"]] {
            assert_eq!(refused(holder.pay(words)?)?.0, "account_not_open", "{said_by}");
        }
        holder.phone.sync()?;
    }
    let no_code = holder.phone.run(&["code", "pay", "--account", "1", "--text"])?;
    assert_eq!(refused(no_code)?.0, "account_not_open");
    let other = holder
        .phone
        .code(Use::Pay, &["--form", "full", "--account", "2"])?;
    till.pay("1.00", &other)?.approved()?;
    let unnamed = holder.phone.code(Use::Pay, &["--form", "full"])?;
    till.pay("1.00", &unnamed)?.approved()?;
    till.upload()?;
    freeze(false)?;
    let after = State::of(&campus, &holder)?;
    assert_eq!(after.shown, (before.shown.0 - 100, before.shown.1));
    assert_eq!(after.orders, before.orders);
    holder.moved(&["topup", "1.00", "--account", "1"])?;
    holder
        .phone
        .code(Use::Pay, &["--form", "full", "--account", "1"])?;
    Ok(())
}

#[test]
fn a_card_that_is_reported_lost_shows_no_code_and_loses_no_money() -> Result<()> {
    let (campus, holder) = campus_with(1_000)?;
    let before = State::of(&campus, &holder)?;
    let student = format!("/sandbox/admin/students/{}", WANG.student);
    campus.sandbox.post(&format!("{student}/suspend"), &Value::Null)?;
    assert_eq!(refused(holder.phone.run(&["sync"])?)?.0, "card_frozen");
    assert_eq!(holder.phone.no_code()?, "card_frozen");
    // Money may come: whoever found the phone needs the payment password, and can only give.
    holder.moved(&["topup", "1.00"])?;
    campus.sandbox.post(&format!("{student}/undo"), &Value::Null)?;
    let after = State::of(&campus, &holder)?;
    assert_eq!(after.shown, (before.shown.0 + 100, before.shown.1 - 100));
    assert_eq!(campus.reconcile()?, json!([]));
    Ok(())
}
