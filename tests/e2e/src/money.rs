//! A campus whose platform and bank do business with each other, the phone of a holder, and where the money is.

use crate::{Campus, Deed, Error, Move, Person, Reply, Result, WalletPhone};
use serde_json::{Value, json};
use uuid::Uuid;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// By how much Beijing is ahead of UTC.
const BEIJING: i64 = 28_800_000;
/// The holder: of the seed, with money on every account, and known to the bank.
const HOLDER: Person = Person {
    student: "20260002",
    name: "王芳",
    id_number: "990101200601231232",
    phone: "19900000002",
    card: "9900100000000010745",
};

/// The campus, with a clock of its own.
#[derive(Debug)]
pub struct Money {
    /// The campus.
    pub campus: Campus,
    /// The holder's phone.
    pub phone: WalletPhone,
    /// The holder's card account, as phones name it.
    pub account: Value,
    /// By how much the clock is ahead, in milliseconds.
    offset: i64,
}

/// Where the money is, in fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balances {
    /// On the card account.
    pub card: i64,
    /// In the wallet, by the books and at the bank.
    pub wallet: i64,
    /// At the bank, for the school.
    pub school: i64,
    /// In the books, on the side from which money comes.
    pub funding: i64,
    /// Of the wallet, what operations under way may take.
    pub held: i64,
    /// At the bank, all together.
    pub at_bank: i64,
}

impl Money {
    /// Tomorrow at six, so that no day ends meanwhile. Replies come when the operation has ended, however slow this machine.
    pub fn begin() -> Result<Self> {
        let campus = Campus::open_with(&["--reply-wait", "20"])?;
        let now = int(&campus.sandbox.get("/sandbox/admin/clock")?["now"])?;
        let offset = DAY - (now + BEIJING).rem_euclid(DAY) + DAY / 4;
        let clock = json!({ "offset_ms": offset });
        campus.sandbox.put("/sandbox/admin/clock", &clock)?;
        let phone = WalletPhone::bind(&campus.sandbox, HOLDER)?;
        let account = phone.get("/v1/accounts")?["accounts"][0]["id"].take();
        Ok(Self {
            campus,
            phone,
            account,
            offset,
        })
    }

    /// The same, with an open wallet, a bank card and this much in the wallet.
    pub fn begin_with(amount: i64) -> Result<(Self, Uuid)> {
        let money = Self::begin()?;
        money.phone.send(&money.phone.opening()?)?.ok()?;
        let binding = money.phone.binding()?;
        money.phone.send(&binding)?.ok()?;
        let confirming = money.phone.confirming(binding.id, &money.last_code()?)?;
        money.phone.send(&confirming)?.ok()?;
        let recharge = money.moving(Move::Recharge(amount), binding.id)?;
        match phase(&money.phone.send(&recharge)?)?.as_str() {
            "credited" => Ok((money, binding.id)),
            other => Err(Error::answer("the wallet was not filled", other)),
        }
    }

    /// A new request to move money between the wallet, this bank card and the card account.
    pub fn moving(&self, what: Move, card: Uuid) -> Result<Deed> {
        self.phone.moving(what, &self.account, card)
    }

    /// What the bank's part of the admin API says.
    pub fn bank(&self, path: &str) -> Result<Value> {
        self.campus.sandbox.get(&format!("/sandbox/admin/bank{path}"))
    }

    /// Has the bank do what faults put off.
    pub fn settle_at_bank(&self) -> Result<()> {
        let path = "/sandbox/admin/bank/settle";
        self.campus.sandbox.post(path, &Value::Null).map(drop)
    }

    /// The codes that the bank sent, oldest first.
    pub fn codes(&self) -> Result<Vec<String>> {
        let messages = self.bank("/messages")?;
        let codes = messages["messages"].as_array().into_iter().flatten();
        Ok(codes
            .map(|message| message["code"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// The code that it sent last.
    pub fn last_code(&self) -> Result<String> {
        let code = self.codes()?.pop();
        code.ok_or_else(|| Error::answer("the bank sent no code", ""))
    }

    /// What the bank is to play with what is named so; with nothing named, with every order from now on.
    pub fn plan(&self, fault: Option<&str>, operation: Option<Uuid>) -> Result<()> {
        let mut plan = json!({ "fault": fault });
        if let Some(operation) = operation {
            plan["order"] = json!(operation);
        }
        self.campus
            .sandbox
            .put("/sandbox/admin/bank/fault", &plan)
            .map(drop)
    }

    /// Lets so much time pass, and has everything done that is due by then. Tokens do not last as long.
    pub fn pass(&mut self, ms: i64) -> Result<()> {
        self.offset += ms;
        let clock = json!({ "offset_ms": self.offset });
        let sandbox = &self.campus.sandbox;
        sandbox.put("/sandbox/admin/clock", &clock)?;
        sandbox.post("/sandbox/admin/operations/drive", &Value::Null)?;
        self.phone.sign_in()
    }

    /// Lets time pass until nothing of these is under way: sent again, each is answered when nobody is at it.
    pub fn settle(&mut self, deeds: &[Deed]) -> Result<()> {
        for _ in 0..8 {
            let mut is_over = true;
            for deed in deeds {
                is_over &= is_end(&phase(&self.phone.send(deed)?)?);
            }
            if is_over {
                return Ok(());
            }
            self.pass(150_000)?;
        }
        let operations = self.phone.get("/v1/operations")?;
        Err(Error::answer("operations are still under way", operations))
    }

    /// Compares the bank's statement of today with the books: what differs.
    pub fn reconcile(&self) -> Result<Value> {
        let now = int(&self.campus.sandbox.get("/sandbox/admin/clock")?["now"])?;
        let day = json!({ "day": date((now + BEIJING).div_euclid(DAY)) });
        let mut found = self.campus.sandbox.post("/sandbox/admin/reconcile", &day)?;
        Ok(found["differences"].take())
    }

    /// Where the money is. An error where the books don't add up, or say something else than the bank.
    pub fn balances(&self) -> Result<Balances> {
        let bank = self.bank("")?;
        let ledger = self.campus.sandbox.get("/sandbox/admin/ledger")?;
        let mut kinds = ledger["totals"].as_array().into_iter().flatten();
        if ledger["sum"] != 0 || kinds.any(|kind| kind["sum"] != kind["postings"]) {
            return Err(Error::answer("the books do not add up", ledger));
        }
        let wallet = int(&self.phone.wallet()?["balance"]["amount"])?;
        let at_bank = &bank["balances"][format!("wallet:{}", self.phone.customer())];
        // What is held is still the holder's.
        if *at_bank != wallet || total(&ledger, "custody") != -wallet {
            let what = format!("the books have {wallet} in the wallet, the bank {at_bank}");
            return Err(Error::answer(what, ledger));
        }
        Ok(Balances {
            card: int(&self.phone.get("/v1/accounts")?["accounts"][0]["balance"]["amount"])?,
            wallet,
            school: int(&bank["balances"]["school"])?,
            funding: total(&ledger, "funding"),
            held: total(&ledger, "hold"),
            at_bank: int(&bank["total"])?,
        })
    }
}

impl Balances {
    /// What they are once these have reached what they are for.
    #[must_use]
    pub fn after(mut self, moves: impl IntoIterator<Item = Move>) -> Self {
        for what in moves {
            let (to_card, to_wallet) = what.effect();
            self.card += to_card;
            self.school += to_card;
            self.funding -= to_card;
            self.wallet += to_wallet;
        }
        self
    }
}

/// The phase of the operation that a reply tells of.
pub fn phase(reply: &Reply) -> Result<String> {
    let operation = reply.ok()?;
    let phase = operation["phase"].as_str().map(str::to_owned);
    phase.ok_or_else(|| Error::answer("no phase", &operation))
}

/// Whether a phase is an end.
pub fn is_end(phase: &str) -> bool {
    ["credited", "refunded", "refused"].contains(&phase)
}

fn total(ledger: &Value, kind: &str) -> i64 {
    let totals = ledger["totals"].as_array().into_iter().flatten();
    totals
        .filter(|total| total["kind"] == kind)
        .filter_map(|total| total["sum"].as_i64())
        .sum()
}

fn int(value: &Value) -> Result<i64> {
    value.as_i64().ok_or_else(|| Error::answer("no number", value))
}

/// The date of a day since 1970, `yyyy-mm-dd` (Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: i64) -> String {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        assert_eq!(
            [0, 20_454, 20_513, 11_016].map(date),
            ["1970-01-01", "2026-01-01", "2026-03-01", "2000-02-29"]
        );
    }
}
