//! What a holder asks for beside orders: opening and closing the wallet, binding a bank card. Every fault with each.

use super::*;

const FAULTS: [&str; 11] = [
    "refused-before-debit",
    "timeout-before-debit",
    "timeout-after-debit",
    "duplicate-reply",
    "duplicate-callback",
    "late-callback",
    "callback-before-reply",
    "success-then-reversal",
    "statement-missing",
    "statement-extra",
    "statement-different",
];

impl World {
    /// Sends what `make` makes until it is done, with this fault at the bank the first time: once where nothing goes wrong,
    /// again byte for byte after silence, anew after a refusal. What came of it, and the request that did it.
    fn through(&self, fault: &str, make: impl Fn() -> Result<Deed>) -> Result<(Value, Deed)> {
        let wallet = self.phone.wallet()?;
        let mut deed = make()?;
        self.plan(Some(fault), Some(deed.id))?;
        let first = self.phone.send(&deed)?;
        let code = first.json()?["code"].take();
        match fault {
            "refused-before-debit" => {
                assert_eq!((first.status, &code), (422, &json!("bank_refused")));
                assert_eq!(self.phone.send(&deed)?.json()?["code"], code, "refused for ever");
                assert_eq!(self.phone.wallet()?["status"], wallet["status"]);
                deed = make()?;
            }
            "timeout-before-debit" | "timeout-after-debit" => {
                assert_eq!((first.status, &code), (503, &json!("bank_unavailable")));
                assert_eq!(
                    self.phone.wallet()?["status"],
                    wallet["status"],
                    "nobody knows yet"
                );
            }
            _ => assert!(first.is_success(), "{fault}: {first:?}"),
        }
        let reply = self.phone.send(&deed)?;
        assert_eq!(self.phone.send(&deed)?, reply, "{fault}: the same again");
        Ok((reply.ok()?, deed))
    }
}

#[test]
fn every_fault_with_opening_binding_and_closing_is_got_over_and_each_happens_once() -> Result<()> {
    let world = World::begin()?;
    for fault in FAULTS {
        let (wallet, _) = world.through(fault, || world.phone.opening())?;
        assert_eq!(wallet["status"], "open", "{fault}");
        let codes = world.codes()?.len();
        let (binding, deed) = world.through(fault, || world.phone.binding())?;
        assert_eq!(binding["id"], json!(deed.id), "{fault}");
        assert_eq!(world.codes()?.len(), codes + 1, "{fault}: one message");
        let code = world.last_code()?;
        let (wallet, _) = world.through(fault, || world.phone.confirming(deed.id, &code))?;
        assert_eq!(
            (
                &wallet["cards"][0]["id"],
                wallet["cards"].as_array().map(Vec::len)
            ),
            (&json!(deed.id), Some(1)),
            "{fault}"
        );
        // The bank has it, too: it takes money off it.
        let recharge = world.phone.moving(Move::Recharge(100), &world.account, deed.id)?;
        assert_eq!(phase(&world.phone.send(&recharge)?)?, "credited", "{fault}");
        let refused = world.phone.send(&world.phone.closing()?)?.json()?;
        assert_eq!(refused["code"], "wallet_in_use", "{fault}");
        let withdraw = world.phone.moving(Move::Withdraw(100), &world.account, deed.id)?;
        assert_eq!(phase(&world.phone.send(&withdraw)?)?, "credited", "{fault}");
        let (wallet, _) = world.through(fault, || world.phone.closing())?;
        assert_eq!(
            (&wallet["status"], &wallet["cards"]),
            (&json!("closed"), &json!([])),
            "{fault}"
        );
    }
    assert_eq!(world.balances()?.wallet, 0);
    assert_eq!(world.reconcile()?["differences"], json!([]));
    Ok(())
}
