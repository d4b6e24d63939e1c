//! A wallet's life on the command line: opened, a card bound, filled, topped up from in every way, emptied, closed.

use std::fs;

use serde_json::{Value, json};
use yika_e2e::{Campus, Error, Holder, Result, WANG};

use super::{State, campus_with, refused, text};

#[test]
fn a_wallet_is_opened_and_a_card_bound_with_the_code_of_the_banks_message() -> Result<()> {
    let campus = Campus::open()?;
    let holder = Holder::bind(&campus, campus.sandbox.url(), WANG)?;
    assert_eq!(holder.wallet()?["status"], "none");
    let opened = holder.open_wallet()?.success()?.json()?;
    assert_eq!(
        (&opened["status"], &opened["balance"]["amount"]),
        (&json!("open"), &json!(0))
    );
    assert_eq!(refused(holder.open_wallet()?)?.0, "wallet_already_open");

    let binding = holder.begin_card(WANG.cards[0])?.success()?.json()?;
    assert_eq!(
        (&binding["tail"], &binding["phone_masked"]),
        (&json!("0745"), &json!("199****0002"))
    );
    let (id, code) = (text(&binding["id"])?, campus.last_code()?);
    let wrong = if code == "135790" { "135791" } else { "135790" };
    assert!(refused(holder.confirm_card(id, wrong)?)?.1.contains("CodeWrong"));
    assert_eq!(holder.wallet()?["cards"], json!([]));
    let bound = holder.confirm_card(id, &code)?.success()?.json()?;
    assert_eq!(
        (&bound["cards"][0]["id"], &bound["cards"][0]["is_default"]),
        (&json!(id), &json!(true))
    );

    // A second card, made the default one, and taken away again.
    let second = holder.bind_card(&campus, WANG.cards[1])?;
    let cards = holder.phone.json(&["wallet", "cards", "--default", &second])?;
    assert_eq!(cards["cards"][0]["id"], json!(second));
    let cards = holder.phone.json(&["wallet", "cards", "--unbind", &second])?;
    assert_eq!(ids(&cards["cards"]), [id]);
    Ok(())
}

#[test]
fn top_ups_come_from_the_wallet_the_card_or_both_in_one_debit_and_up_to_a_balance() -> Result<()> {
    let (campus, holder) = campus_with(1_000)?;
    let before = State::of(&campus, &holder)?;
    let (card, wallet) = before.shown;
    let parts = |operation: &Value| {
        let funding = &operation["funding"];
        (funding["wallet"].as_i64(), funding["bank"].as_i64())
    };

    let from_wallet = holder.moved(&["topup", "4.00", "--from", "wallet"])?;
    assert_eq!(parts(&from_wallet), (Some(400), Some(0)));
    let from_card = holder.moved(&["topup", "5.00", "--from", "card"])?;
    assert_eq!(parts(&from_card), (Some(0), Some(500)));
    // What the wallet lacks comes off the card, and the bank takes both at once.
    let from_both = holder.moved(&["topup", "10.00"])?;
    assert_eq!(parts(&from_both), (Some(600), Some(400)));
    let now = State::of(&campus, &holder)?;
    assert_eq!(now.shown, (card + 1_900, 0));
    assert_eq!(now.orders, before.orders + 3);
    assert_eq!(now.books.school, before.books.school + 1_900);
    assert_eq!(now.books.at_bank, before.books.at_bank);

    let target = card + 1_900 + 250;
    let dry = holder
        .pay(&["topup", "--to", &yuan(target), "--dry-run"])?
        .success()?
        .json()?;
    assert_eq!(dry["amount"], 250);
    assert_eq!(State::of(&campus, &holder)?, now, "a dry run does nothing");
    holder.moved(&["topup", "--to", &yuan(target)])?;
    assert_eq!(holder.balances()?, (target, 0));

    holder.moved(&["wallet", "recharge", "30.00"])?;
    assert_eq!(holder.balances()?, (target, 3_000));
    holder.moved(&["wallet", "withdraw"])?;
    assert_eq!(holder.balances()?, (target, 0));
    assert_ne!(wallet, 0);
    assert_eq!(campus.reconcile()?, json!([]));
    Ok(())
}

#[test]
fn bills_and_transactions_show_what_moved_and_the_table_has_all_of_it() -> Result<()> {
    let (campus, holder) = campus_with(2_000)?;
    let topped_up = holder.moved(&["topup", "25.00"])?;
    holder.moved(&["wallet", "recharge", "7.00"])?;
    holder.moved(&["wallet", "withdraw", "3.00"])?;
    holder.phone.sync()?;

    let bills = holder.phone.json(&["bills", "--account", "1"])?;
    let bill = bills["bills"].as_array().into_iter().flatten();
    let bill = bill.filter(|bill| bill["kind"] == "top_up").collect::<Vec<_>>();
    assert_eq!(bill.len(), 1, "{bills}");
    assert_eq!(
        (&bill[0]["amount"], &bill[0]["status"]),
        (&json!(2_500), &json!("posted")),
        "{bills}"
    );

    let transactions = holder.phone.json(&["wallet", "transactions"])?;
    let rows = transactions["bills"].as_array().into_iter().flatten();
    let mut moved: Vec<(&str, i64)> = rows
        .map(|row| Ok((text(&row["kind"])?, row["amount"].as_i64().unwrap_or_default())))
        .collect::<Result<_>>()?;
    moved.sort_unstable();
    assert_eq!(
        moved,
        [
            ("recharge", 700),
            ("recharge", 2_000),
            ("top_up", -2_000),
            ("withdrawal", -300)
        ],
        "{transactions}"
    );

    let table = campus.folder().join("transactions.csv");
    let file = table.display().to_string();
    let words = ["wallet", "transactions", "--limit", "1", "--csv", &file];
    holder.phone.run(&words)?.success()?;
    let table = fs::read_to_string(&table).map_err(Error::io("reading the table"))?;
    let rows: Vec<&str> = table.lines().collect();
    assert!(rows[0].starts_with("\u{feff}time,account,kind,"), "{table}");
    assert_eq!(rows.len(), 1 + moved.len(), "all of them, not a page: {table}");
    for (kind, amount) in moved {
        let cells = format!(",{kind},posted,{},", yuan(amount));
        assert!(rows.iter().any(|row| row.contains(&cells)), "{cells} in {table}");
    }
    assert_eq!(holder.operation(&topped_up["id"])?["phase"], "credited");
    Ok(())
}

#[test]
fn a_payment_password_is_changed_and_reset_and_the_last_one_holds() -> Result<()> {
    let (_campus, mut holder) = campus_with(1_000)?;
    let words = ["wallet", "password", "--secrets-stdin"];
    holder.phone.tell(&words, &["204816", "864215"])?.success()?;
    assert_eq!(
        refused(holder.pay(&["topup", "1.00", "--wait"])?)?.0,
        "password_wrong"
    );
    holder.password = "864215";
    holder.moved(&["topup", "1.00"])?;

    let words = ["wallet", "password", "--forgotten", "--secrets-stdin"];
    let reset = [WANG.name, WANG.id_number, "975310"];
    holder.phone.tell(&words, &reset)?.success()?;
    holder.password = "975310";
    holder.moved(&["topup", "1.00"])?;
    Ok(())
}

#[test]
fn a_wallet_is_not_closed_over_money_and_says_so_and_is_closed_without_any() -> Result<()> {
    let (campus, holder) = campus_with(1_000)?;
    let before = State::of(&campus, &holder)?;
    let (code, line) = refused(holder.pay(&["wallet", "close"])?)?;
    assert_eq!(
        (code.as_str(), line.contains("(10.00)")),
        ("wallet_in_use", true),
        "{line}"
    );
    assert_eq!(
        holder.wallet()?["close_blockers"],
        json!([{ "kind": "money", "amount": 1_000 }])
    );
    assert_eq!(State::of(&campus, &holder)?, before);

    // What is under way stands against it, too.
    campus.plan_next("late-callback")?;
    let hanging = holder.pay(&["wallet", "withdraw"])?.success()?.json()?;
    holder.phone.sync()?;
    let blockers = holder.wallet()?["close_blockers"].to_string();
    assert!(blockers.contains("pending_operations"), "{blockers}");
    assert_eq!(refused(holder.pay(&["wallet", "close"])?)?.0, "wallet_in_use");
    campus.settle_at_bank()?;
    let watched = holder
        .phone
        .json(&["operations", "--watch", text(&hanging["id"])?])?;
    assert_eq!(watched["phase"], "credited");

    let closed = holder.pay(&["wallet", "close"])?.success()?.json()?;
    assert_eq!(
        (&closed["status"], &closed["cards"]),
        (&json!("closed"), &json!([]))
    );
    holder.phone.sync()?;
    let dear = refused(holder.pay(&["topup", "1.00"])?)?;
    assert_eq!(dear.0, "wallet_not_open");
    assert_eq!(campus.reconcile()?, json!([]));

    // It opens again, as a new customer's would.
    holder.open_wallet()?.success()?;
    holder.bind_card(&campus, WANG.cards[0])?;
    holder.moved(&["wallet", "recharge", "1.00"])?;
    Ok(())
}

fn ids(cards: &Value) -> Vec<&str> {
    let cards = cards.as_array().into_iter().flatten();
    cards.filter_map(|card| card["id"].as_str()).collect()
}

/// An amount as people write it.
fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}
