//! Orders: every fault with each kind of operation that moves money.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use uuid::Uuid;
use yika_e2e::{BANK_FAULTS, Deed, Error, Money, Move, Reply, Result, is_end, phase};

/// Each kind of operation; the second falls through from the wallet to the bank card.
pub(crate) const MOVES: [Move; 4] = [
    Move::TopUp { wallet: 900, bank: 0 },
    Move::TopUp {
        wallet: 400,
        bank: 700,
    },
    Move::Recharge(600),
    Move::Withdraw(500),
];

/// The entry by which the books would follow a statement that has this much more of an operation, against the school's
/// risk.
fn entry(money: Move, times: i64, more_in_wallet: i64) -> BTreeMap<&'static str, i64> {
    let (funding, custody) = match money {
        Move::TopUp { wallet, bank } => (
            -(wallet + bank) * times - more_in_wallet,
            wallet * times + more_in_wallet,
        ),
        Move::Recharge(amount) => (0, -amount * times - more_in_wallet),
        Move::Withdraw(amount) => (0, amount * times + more_in_wallet),
    };
    let lines = [
        ("funding", funding),
        ("custody", custody),
        ("school_risk", -funding - custody),
    ];
    lines.into_iter().filter(|(_, amount)| *amount != 0).collect()
}

#[test]
fn every_fault_with_every_order_comes_to_one_end_and_leaves_bank_and_books_agreed() -> Result<()> {
    let (mut world, card) = Money::begin_with(50_000)?;
    let before = world.balances()?;
    let mut sent = Vec::new();
    for (fault, end) in BANK_FAULTS {
        for money in MOVES {
            let deed = world.moving(money, card)?;
            world.campus.plan(Some(fault), Some(deed.id))?;
            let first = phase(&world.phone.send(&deed)?)?;
            let other = world.phone.sealed_again(&deed, money, &world.account, card)?;
            let refused = world.phone.send(&other)?;
            assert_eq!(
                refused.json()?["code"],
                "idempotency_conflict",
                "{fault} {money:?}"
            );
            assert!(
                first == "confirming" || is_end(&first),
                "{fault} {money:?}: silence is not a no, but {first}"
            );
            sent.push((fault, end, money, deed));
        }
    }
    // What is under way goes on after a stop. So soon, what got lost is sent again, and not called off.
    world.campus.sandbox.restart(&[])?;
    world.pass(5_000)?;
    world.campus.settle_at_bank()?;
    let deeds: Vec<Deed> = sent.iter().map(|(.., deed)| deed.clone()).collect();
    world.settle(&deeds)?;
    let found = world.campus.reconcile()?;

    for (fault, end, money, deed) in &sent {
        let operation = world.phone.operation(deed.id)?;
        assert_eq!(operation["phase"], *end, "{fault} {money:?}: {operation}");
        let ends = operation["steps"].as_array().into_iter().flatten();
        let ends: Vec<&str> = ends
            .filter_map(|step| step["phase"].as_str())
            .filter(|phase| is_end(phase))
            .collect();
        let is_one_end = ends == [*end] || (*end == "refunded" && ends == ["credited", "refunded"]);
        assert!(is_one_end, "{fault} {money:?}: {operation}");
        assert_eq!(
            world.phone.send(deed)?.ok()?,
            operation,
            "{fault} {money:?}: sent again"
        );
    }
    let credited = sent.iter().filter(|(_, end, ..)| *end == "credited");
    let expected = before.after(credited.map(|(_, _, what, _)| *what));
    assert_eq!(world.balances()?, expected);

    let as_found: BTreeSet<(Uuid, String)> = found
        .as_array()
        .into_iter()
        .flatten()
        .map(|found| {
            (
                id(&found["order"]),
                format!("{} {}", found["kind"], found["proposal"]),
            )
        })
        .collect();
    let made: BTreeSet<(Uuid, String)> = sent
        .iter()
        .filter_map(|(fault, _, money, deed)| {
            let (order, kind, entry) = match *fault {
                "statement-missing" => (deed.id, "missing", entry(*money, -1, 0)),
                "statement-extra" => (
                    Uuid::from_u128(deed.id.as_u128() ^ 1),
                    "extra",
                    entry(*money, 1, 0),
                ),
                "statement-different" => (deed.id, "amounts", entry(*money, 0, 1)),
                _ => return None,
            };
            Some((order, format!("{} {}", json!(kind), json!(entry))))
        })
        .collect();
    assert_eq!(as_found, made, "exactly what the statement got wrong");
    assert_eq!(world.campus.reconcile()?, found, "and nothing was booked");
    assert_eq!(world.balances()?, expected);
    Ok(())
}

#[test]
fn orders_that_always_get_lost_are_called_off_and_cost_nothing() -> Result<()> {
    let (mut world, card) = Money::begin_with(5_000)?;
    let before = world.balances()?;
    world.campus.plan(Some("timeout-before-debit"), None)?;
    let mut deeds = Vec::new();
    for money in MOVES {
        let deed = world.moving(money, card)?;
        assert_eq!(phase(&world.phone.send(&deed)?)?, "confirming");
        deeds.push(deed);
    }
    let held = MOVES.iter().map(|money| -money.effect().1.min(0)).sum::<i64>();
    assert_eq!(world.balances()?.held, held, "as long as nobody knows");
    world.settle(&deeds)?;
    for deed in &deeds {
        let operation = world.phone.operation(deed.id)?;
        assert_eq!(
            (&operation["phase"], &operation["refusal"]["reason"]),
            (&json!("refused"), &json!("timed_out"))
        );
    }
    world.campus.plan(None, None)?;
    assert_eq!(world.balances()?, before);
    assert_eq!(world.campus.reconcile()?, json!([]));
    Ok(())
}

#[test]
fn a_thousand_requests_at_once_with_one_key_have_one_effect_and_one_reply() -> Result<()> {
    let (world, card) = Money::begin_with(5_000)?;
    let before = world.balances()?;
    let money = MOVES[1];
    let deed = world.moving(money, card)?;
    let (phone, deed) = (&world.phone, &deed);
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..1_000)
            .map(|_| scope.spawn(move || phone.send(deed)))
            .collect();
        let joined = senders.into_iter().map(|sender| {
            let died = |_| Err(Error::answer("a sender died", ""));
            sender.join().unwrap_or_else(died)
        });
        joined.collect::<Result<_>>()
    })?;
    let bodies: BTreeSet<&str> = replies.iter().map(|reply| reply.body.as_str()).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(phase(&replies[0])?, "credited");
    let orders = world.campus.orders()?;
    assert_eq!(orders, 2, "the recharge of the beginning and this one");
    let after = world.balances()?;
    assert_eq!(
        (after.card - before.card, after.wallet - before.wallet),
        money.effect()
    );
    Ok(())
}

fn id(value: &Value) -> Uuid {
    value.as_str().and_then(|id| id.parse().ok()).unwrap_or_default()
}
