//! What a holder asks for beside orders: opening and closing the wallet, binding a bank card. Every fault with each.

use serde_json::{Value, json};
use yika_e2e::{BANK_FAULTS, Deed, Money, Move, Result, phase};

/// Sends what `make` makes until it is done, with this fault at the bank the first time: once where nothing goes wrong,
/// again byte for byte after silence, anew after a refusal. What came of it, and the request that did it.
fn through(world: &Money, fault: &str, make: impl Fn() -> Result<Deed>) -> Result<(Value, Deed)> {
    let wallet = world.phone.wallet()?;
    let mut deed = make()?;
    world.campus.plan(Some(fault), Some(deed.id))?;
    let first = world.phone.send(&deed)?;
    let code = first.json()?["code"].take();
    match fault {
        "refused-before-debit" => {
            assert_eq!((first.status, &code), (422, &json!("bank_refused")));
            assert_eq!(world.phone.send(&deed)?.json()?["code"], code, "refused for ever");
            assert_eq!(world.phone.wallet()?["status"], wallet["status"]);
            deed = make()?;
        }
        "timeout-before-debit" | "timeout-after-debit" => {
            assert_eq!((first.status, &code), (503, &json!("bank_unavailable")));
            assert_eq!(
                world.phone.wallet()?["status"],
                wallet["status"],
                "nobody knows yet"
            );
        }
        _ => assert!(first.is_success(), "{fault}: {first:?}"),
    }
    let reply = world.phone.send(&deed)?;
    let again = world.phone.send(&deed)?.body;
    assert_eq!(again, reply.body, "{fault}: the same again");
    Ok((reply.ok()?, deed))
}

#[test]
fn every_fault_with_opening_binding_and_closing_is_got_over_and_each_happens_once() -> Result<()> {
    let world = Money::begin()?;
    for (fault, _) in BANK_FAULTS {
        let (wallet, _) = through(&world, fault, || world.phone.opening())?;
        assert_eq!(wallet["status"], "open", "{fault}");
        let codes = world.campus.codes()?.len();
        let (binding, deed) = through(&world, fault, || world.phone.binding())?;
        assert_eq!(binding["id"], json!(deed.id), "{fault}");
        assert_eq!(world.campus.codes()?.len(), codes + 1, "{fault}: one message");
        let code = world.campus.last_code()?;
        let (wallet, _) = through(&world, fault, || world.phone.confirming(deed.id, &code))?;
        assert_eq!(
            (
                &wallet["cards"][0]["id"],
                wallet["cards"].as_array().map(Vec::len)
            ),
            (&json!(deed.id), Some(1)),
            "{fault}"
        );
        // The bank has it, too: it takes money off it.
        let recharge = world.moving(Move::Recharge(100), deed.id)?;
        assert_eq!(phase(&world.phone.send(&recharge)?)?, "credited", "{fault}");
        let refused = world.phone.send(&world.phone.closing()?)?.json()?;
        assert_eq!(refused["code"], "wallet_in_use", "{fault}");
        let withdraw = world.moving(Move::Withdraw(100), deed.id)?;
        assert_eq!(phase(&world.phone.send(&withdraw)?)?, "credited", "{fault}");
        let (wallet, _) = through(&world, fault, || world.phone.closing())?;
        assert_eq!(
            (&wallet["status"], &wallet["cards"]),
            (&json!("closed"), &json!([])),
            "{fault}"
        );
    }
    assert_eq!(world.balances()?.wallet, 0);
    assert_eq!(world.campus.reconcile()?, json!([]));
    Ok(())
}
