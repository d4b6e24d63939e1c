//! The phone that dies while it moves money, and what must hold then: started again and synchronised, each operation that the
//! phone knows of has happened once and none that it doesn't; what it had answered to is among them; bank and books agree.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yika_e2e::{Campus, Error, Holder, Output, Result, WANG};

use super::tally::Tally;

/// The points that a phone passes when it moves money.
pub(crate) const POINTS: [&str; 6] = [
    "phone.journal.before-commit",
    "phone.journal.after-commit",
    "phone.cache.before-commit",
    "phone.cache.after-commit",
    "phone.http.before-send",
    "phone.http.after-reply",
];
/// Before its first request is sent, when the journal has it already: the operation waits for the next start.
const UNSENT: (&str, usize) = ("phone.http.before-send", 1);
/// What is in the wallet at first, in fen; as much is left on the bank card. Top-ups take it away bit by bit, from both alike:
/// it lasts for a long run.
const IN_WALLET: i64 = 100_000;
/// Between rounds, in milliseconds: in a day there are no more top-ups than a holder may make.
const PAUSE: i64 = 600_000;

/// What a phone is told in a round, and what that adds to the card account and to the wallet, in fen.
pub(crate) const MOVES: [(&[&str], (i64, i64)); 4] = [
    (&["topup", "1.00", "--from", "wallet"], (100, -100)),
    (&["wallet", "recharge", "1.50"], (0, 150)),
    (&["topup", "1.00", "--from", "card"], (100, 0)),
    (&["wallet", "withdraw", "1.50"], (0, -150)),
];

/// During what the phone dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum During {
    /// Confirming an operation.
    Confirming,
    /// Synchronising, with an operation that waits since the phone died before.
    Synchronising,
}

/// Where the phone dies in a round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Death {
    pub(crate) during: During,
    pub(crate) point: &'static str,
    pub(crate) pass: usize,
    /// Which of [`MOVES`] it is told.
    pub(crate) told: usize,
}

/// The campus, the phone, and who died.
pub(crate) struct Pocket {
    campus: Campus,
    holder: Holder,
    tally: Tally,
    /// Operations that happened.
    done: usize,
}

impl Pocket {
    pub(crate) fn begin() -> Result<Self> {
        let campus = Campus::open()?;
        campus.begin_tomorrow()?;
        let holder = Holder::bind_with(&campus, campus.sandbox.url(), WANG, IN_WALLET)?;
        let tally = Tally::new(campus.folder().join("hits"));
        Ok(Self {
            campus,
            holder,
            tally,
            done: 0,
        })
    }

    /// The phone dies as planned, is started again and synchronised; then all must be well.
    pub(crate) fn round(&mut self, death: &Death) -> Result<()> {
        self.holder.phone.sync()?;
        let (known, orders) = (self.known()?, self.campus.orders()?);
        let (before, books) = (self.holder.balances()?, self.campus.books()?);
        let (words, effect) = MOVES[death.told];

        let planned = (death.point, death.pass);
        let confirming = match death.during {
            During::Confirming => planned,
            During::Synchronising => UNSENT,
        };
        let answer = self.start(confirming, |holder| holder.pay(words))?;
        if death.during == During::Synchronising {
            self.start(planned, |holder| holder.phone.run(&["sync"]))?;
        }
        // Before it hears anything, the phone that is started again knows what was confirmed.
        let made: Vec<String> = self.known()?.difference(&known).cloned().collect();
        assert!(made.len() <= 1, "{death:?} made {made:?}");
        if answer.code.is_some() {
            let told = answer.json()?["id"].take();
            assert_eq!(made, [told.as_str().unwrap_or_default()], "{death:?} lost it");
        }
        if death.during == During::Synchronising {
            assert_eq!(made.len(), 1, "{death:?} lost what waited");
        }

        self.holder.phone.sync()?;
        if let [id] = &made[..] {
            let ended = self.holder.phone.json(&["operations", "--watch", id])?;
            assert_eq!(ended["phase"], "credited", "{death:?}");
            self.done += 1;
        }
        let (to_card, to_wallet) = match made.len() {
            0 => (0, 0),
            _ => effect,
        };
        assert_eq!(self.campus.orders()?, orders + made.len(), "{death:?}");
        let expected = (before.0 + to_card, before.1 + to_wallet);
        assert_eq!(self.holder.balances()?, expected, "{death:?}");
        let after = self.campus.books()?;
        assert_eq!(
            (after.wallets, after.school, after.at_bank, after.held),
            (
                books.wallets + to_wallet,
                books.school + to_card,
                books.at_bank,
                0
            ),
            "{death:?}"
        );
        assert_eq!(self.campus.reconcile()?, json!([]), "{death:?}");
        self.campus.pass(PAUSE)
    }

    /// Has the phone do something with this death in mind. It dies, or it never comes there and does it well.
    fn start(
        &mut self,
        planned: (&'static str, usize),
        deed: impl FnOnce(&Holder) -> Result<Output>,
    ) -> Result<Output> {
        let environment = self.tally.environment(Some(planned));
        let phone = self.holder.phone.with_environment(&environment);
        let output = deed(&self.holder.at(phone))?;
        match output.code {
            None => self.tally.died(planned.0),
            Some(0) => {}
            Some(_) => return Err(output.into_error()),
        }
        Ok(output)
    }

    /// The names of the operations that the phone knows.
    fn known(&self) -> Result<BTreeSet<String>> {
        let operations = self.holder.operations()?;
        let names = operations.iter().map(|known| match &known["id"] {
            Value::String(id) => Ok(id.clone()),
            _ => Err(Error::answer("no operation", known)),
        });
        names.collect()
    }

    /// What the run did.
    pub(crate) fn report(&self) -> String {
        let (done, dead) = (self.done, self.tally.dead());
        format!(
            "{done} operations, {dead} phones died\n\n{}",
            self.tally.table(&POINTS)
        )
    }

    /// How many died at a point.
    pub(crate) fn killed(&self, point: &str) -> usize {
        self.tally.killed(point)
    }
}
