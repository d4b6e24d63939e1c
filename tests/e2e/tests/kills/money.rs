//! The campus on which platform and bank die over money, both at once as they share a process, and what must hold then:
//! each operation comes to one end, and bank and books say the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;
use yika_e2e::{AutoTopUpRule, Balances, Deed, End, Money, Move, Result, phase};

/// What is moved in a round: nothing comes to or goes from the wallet, and little off the bank card.
const MOVES: [Move; 4] = [
    Move::TopUp { wallet: 100, bank: 0 },
    Move::TopUp { wallet: 50, bank: 50 },
    Move::Recharge(350),
    Move::Withdraw(200),
];
/// What is in a wallet at first. Moves that a death cut off make it more or less.
const IN_WALLET: i64 = 2_000;
/// With less in it, it is filled again before a round.
const LITTLE: i64 = 1_000;
/// The room that is paid for, and with what: off the card account, and as much out of the wallet.
const ROOM: &str = "b1-101";
const FOR_THE_ROOM: i64 = 100;
/// A rule that no balance here falls below: it is agreed to, and tops up nothing.
const NEVER: AutoTopUpRule = AutoTopUpRule {
    below: 1,
    add: 100,
    day_cap: 100,
};
/// After this time the platform calls off an order that the bank never heard of, and a server that died is at none.
const LONG_ENOUGH: i64 = 150_000;
/// Between rounds: in a day there are no more top-ups than a holder may make.
const PAUSE: i64 = 600_000;

/// Variables of a process.
type Environment<'a> = [(&'static str, &'a str)];

/// The campus, with a wallet on it.
pub(super) struct Purse {
    money: Money,
    card: Uuid,
    /// The bound room.
    place: Value,
    /// What goes and comes between card account and wallet in the round.
    deeds: Vec<(Move, Deed)>,
    /// What is paid for the room in the round: off the card account, and out of the wallet.
    for_the_room: Vec<Deed>,
}

/// The requests that end a wallet and begin another, by what they are for. What is kept here is sent again as it is.
type Steps = BTreeMap<&'static str, Deed>;

impl Purse {
    pub(super) fn begin() -> Result<Self> {
        let (money, card) = Money::begin_with(IN_WALLET)?;
        let bound = money.phone.send(&money.phone.binding_room(ROOM))?;
        let place = bound.ok()?["id"].take();
        Ok(Self {
            money,
            card,
            place,
            deeds: Vec::new(),
            for_the_room: Vec::new(),
        })
    }

    /// A round in which the process is to die at this point, and how it ended. Then all is well again.
    pub(super) fn round(
        &mut self,
        point: &str,
        armed: &Environment<'_>,
        well: &Environment<'_>,
    ) -> Result<End> {
        let is_for_customers = ["platform.wallet", "platform.mandate", "bank.customer"]
            .iter()
            .any(|name| point.starts_with(name));
        let is_for_the_room = point.starts_with("meters.");
        let is_called_off = point.starts_with("bank.order-end") || point.starts_with("meters.cancel");
        if self.money.balances()?.wallet < LITTLE {
            let refill = self.money.moving(Move::Recharge(IN_WALLET), self.card)?;
            self.money.phone.send(&refill)?.ok()?;
            self.money.settle(&[refill])?;
        }
        let before = self.money.balances()?;
        let credited_before = self.money.campus.credited(ROOM)?;
        let mut steps = Steps::new();
        self.deeds.clear();
        self.for_the_room.clear();
        self.money.campus.sandbox.restart(armed)?;
        let outcome = match () {
            () if is_for_customers => self.renew(before.wallet, &mut steps),
            () if is_for_the_room => self.pay_for_the_room(is_called_off),
            () => self.move_money(is_called_off),
        };
        let end = self.money.campus.sandbox.stop()?;
        self.money.campus.sandbox.restart(well)?;
        // Whoever got no answer asks again; without a death, no answer is a failure.
        if end == End::Asked {
            outcome?;
        }
        if is_for_customers {
            self.renew(before.wallet, &mut steps)?;
        }
        // What a server was at when it died is its own for a minute.
        self.money.pass(LONG_ENOUGH)?;
        let moved = self.deeds.iter().map(|(_, deed)| deed);
        let deeds: Vec<Deed> = moved.chain(&self.for_the_room).cloned().collect();
        self.money.settle(&deeds)?;
        let mut credited = Vec::new();
        if is_for_customers {
            credited = vec![Move::Withdraw(before.wallet), Move::Recharge(IN_WALLET)];
        }
        for (what, deed) in &self.deeds {
            match phase(&self.money.phone.send(deed)?)?.as_str() {
                "credited" => credited.push(*what),
                other => assert!(
                    is_called_off && other == "refused",
                    "{point}: {what:?} is {other}"
                ),
            }
        }
        let mut expected = before.after(credited);
        let arrived = self.arrived_in_the_room(&mut expected, is_called_off)?;
        assert_eq!(self.money.balances()?, expected, "{point}");
        assert_eq!(
            self.money.campus.credited(ROOM)?,
            credited_before + arrived,
            "{point}"
        );
        assert_eq!(self.money.campus.reconcile()?, json!([]), "{point}");
        self.money.pass(PAUSE)?;
        Ok(end)
    }

    /// Moves money each way, or has the orders get lost and called off.
    fn move_money(&mut self, is_called_off: bool) -> Result<()> {
        if is_called_off {
            self.money.campus.plan(Some("timeout-before-debit"), None)?;
        }
        for what in MOVES {
            let deed = self.money.moving(what, self.card)?;
            self.deeds.push((what, deed.clone()));
            self.money.phone.send(&deed)?;
        }
        if is_called_off {
            self.money.pass(LONG_ENOUGH)?;
        }
        Ok(())
    }

    /// Pays for the room off the card account and out of the wallet, or has both credits get lost and called off.
    fn pay_for_the_room(&mut self, is_called_off: bool) -> Result<()> {
        for account in [Some(&self.money.account), None] {
            if is_called_off {
                self.money
                    .campus
                    .plan_next_credit(Some("timeout-before-credit"))?;
            }
            let deed = self.money.phone.paying_for(&self.place, FOR_THE_ROOM, account)?;
            self.for_the_room.push(deed.clone());
            self.money.phone.send(&deed)?;
        }
        if is_called_off {
            self.money.pass(LONG_ENOUGH)?;
        }
        Ok(())
    }

    /// What arrived of it, and what that takes from where.
    fn arrived_in_the_room(&self, balances: &mut Balances, is_called_off: bool) -> Result<i64> {
        let mut arrived = 0;
        for (at, deed) in self.for_the_room.iter().enumerate() {
            match phase(&self.money.phone.send(deed)?)?.as_str() {
                "credited" => {
                    arrived += FOR_THE_ROOM;
                    match at {
                        0 => balances.card -= FOR_THE_ROOM,
                        _ => {
                            balances.wallet -= FOR_THE_ROOM;
                            balances.school += FOR_THE_ROOM;
                            balances.funding -= FOR_THE_ROOM;
                        }
                    }
                }
                other => assert!(is_called_off && other == "refunded", "{deed:?} is {other}"),
            }
        }
        Ok(arrived)
    }

    /// Empties the wallet, closes it, opens one again, binds the bank card, fills it and agrees to a rule; or goes on with
    /// that.
    fn renew(&mut self, in_wallet: i64, steps: &mut Steps) -> Result<()> {
        let money = &self.money;
        let (phone, card) = (&money.phone, self.card);
        let withdraw = step(steps, "withdraw", || {
            money.moving(Move::Withdraw(in_wallet), card)
        })?;
        phone.send(&withdraw)?.ok()?;
        phone.send(&step(steps, "close", || phone.closing())?)?.ok()?;
        phone.send(&step(steps, "open", || phone.opening())?)?.ok()?;
        let binding = step(steps, "bind", || phone.binding())?;
        phone.send(&binding)?.ok()?;
        let confirming = || phone.confirming(binding.id, &money.campus.last_code()?);
        phone.send(&step(steps, "confirm", confirming)?)?.ok()?;
        let recharge = step(steps, "recharge", || {
            money.moving(Move::Recharge(IN_WALLET), binding.id)
        })?;
        phone.send(&recharge)?.ok()?;
        let agreeing = || phone.agreeing(&money.account, NEVER);
        phone.send(&step(steps, "agree", agreeing)?)?.ok()?;
        self.card = binding.id;
        Ok(())
    }
}

/// The request of a step, made where there is none.
fn step(steps: &mut Steps, name: &'static str, make: impl FnOnce() -> Result<Deed>) -> Result<Deed> {
    if let Some(made) = steps.get(name) {
        return Ok(made.clone());
    }
    let made = make()?;
    steps.insert(name, made.clone());
    Ok(made)
}
