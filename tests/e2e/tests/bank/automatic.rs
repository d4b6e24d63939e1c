//! Automatic top-ups: every fault with one that nobody asked for.

use serde_json::{Value, json};
use yika_e2e::{AutoTopUpRule, BANK_FAULTS, Money, Result, is_end};

const ADD: i64 = 200;

/// The automatic operations of the holder, oldest first.
fn automatic(world: &Money) -> Result<Vec<Value>> {
    let page = world.phone.get("/v1/operations")?;
    let all = page["operations"].as_array().cloned().unwrap_or_default();
    Ok(all
        .into_iter()
        .filter(|operation| operation["is_automatic"] == true)
        .collect())
}

#[test]
fn every_fault_with_an_automatic_top_up_comes_to_one_end_and_it_is_not_made_twice() -> Result<()> {
    let (mut world, _) = Money::begin_with(50_000)?;
    for (fault, end) in BANK_FAULTS {
        let before = world.balances()?;
        let known = automatic(&world)?.len();
        // The platform looks by itself, too: the fault has to be there first.
        world.campus.plan_next(fault)?;
        let rule = AutoTopUpRule {
            below: before.card + 1,
            add: ADD,
            day_cap: 20_000,
        };
        world
            .phone
            .send(&world.phone.agreeing(&world.account, rule)?)?
            .ok()?;
        world.pass(1_000)?;
        // So soon, what got lost is sent again, and not called off.
        world.pass(5_000)?;
        world.campus.settle_at_bank()?;
        for _ in 0..8 {
            let operations = automatic(&world)?;
            if operations
                .iter()
                .all(|operation| operation["phase"].as_str().is_some_and(is_end))
            {
                break;
            }
            world.pass(150_000)?;
        }
        let operations = automatic(&world)?;
        assert_eq!(operations.len(), known + 1, "{fault}: {operations:?}");
        let operation = &operations[known];
        assert_eq!(operation["phase"], end, "{fault}: {operation}");
        let arrived = if end == "credited" { ADD } else { 0 };
        let after = world.balances()?;
        assert_eq!(
            (after.card, after.wallet, after.held),
            (before.card + arrived, before.wallet - arrived, 0),
            "{fault}"
        );
        let ended = world.phone.send(&world.phone.ending(&world.account))?.ok()?;
        assert_eq!(ended["accounts"][0].get("auto_top_up"), None, "{fault}");
        // Its time would come now.
        world.pass(4_000_000)?;
        assert_eq!(automatic(&world)?.len(), known + 1, "{fault}");
    }
    Ok(())
}

#[test]
fn no_day_has_more_than_the_cap_that_was_agreed_to() -> Result<()> {
    let (mut world, _) = Money::begin_with(50_000)?;
    let rule = AutoTopUpRule {
        below: 100_000,
        add: 2_000,
        day_cap: 5_000,
    };
    let before = world.balances()?;
    world
        .phone
        .send(&world.phone.agreeing(&world.account, rule)?)?
        .ok()?;
    for _ in 0..5 {
        world.pass(1_000)?;
    }
    assert_eq!(world.balances()?.card, before.card + 4_000);
    let shown = world.phone.get("/v1/accounts")?["accounts"][0]["auto_top_up"].take();
    assert_eq!(
        (&shown["day_used"], &shown["problem"]["reason"]),
        (&json!(4_000), &json!("limit_reached"))
    );
    assert_eq!(world.campus.reconcile()?, json!([]));
    // Tomorrow is another day.
    world.pass(24 * 3_600_000)?;
    world.pass(1_000)?;
    assert!(world.balances()?.card >= before.card + 6_000);
    Ok(())
}
