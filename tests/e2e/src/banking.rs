//! The campus's bank, and the time at which it does business: what tests have the bank do, let pass, and compare.

use crate::{Campus, Error, Result};
use jiff::ToSpan as _;
use serde_json::{Value, json};
use uuid::Uuid;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// By how much Beijing is ahead of UTC.
const BEIJING: i64 = 28_800_000;

/// The faults of the bank's, each with the end that an operation comes to.
pub const BANK_FAULTS: [(&str, &str); 11] = [
    ("refused-before-debit", "refused"),
    ("timeout-before-debit", "credited"),
    ("timeout-after-debit", "credited"),
    ("duplicate-reply", "credited"),
    ("duplicate-callback", "credited"),
    ("late-callback", "credited"),
    ("callback-before-reply", "credited"),
    ("success-then-reversal", "refunded"),
    ("statement-missing", "credited"),
    ("statement-extra", "credited"),
    ("statement-different", "credited"),
];

/// Where all money is, in fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Books {
    /// In all wallets, by the books and at the bank.
    pub wallets: i64,
    /// At the bank, for the school.
    pub school: i64,
    /// In the books, on the side from which money comes.
    pub funding: i64,
    /// Of the wallets, what operations under way may take.
    pub held: i64,
    /// At the bank, all together.
    pub at_bank: i64,
}

impl Campus {
    /// The platform's time.
    pub fn now(&self) -> Result<i64> {
        int(&self.sandbox.get("/sandbox/admin/clock")?["now"])
    }

    /// Makes it tomorrow at six, so that no day ends before a test does.
    pub fn begin_tomorrow(&self) -> Result<()> {
        self.shift(DAY - (self.now()? + BEIJING).rem_euclid(DAY) + DAY / 4)
    }

    /// Lets so much time pass, and has everything done that is due by then.
    pub fn pass(&self, ms: i64) -> Result<()> {
        self.shift(ms)?;
        self.sandbox
            .post("/sandbox/admin/operations/drive", &Value::Null)
            .map(drop)
    }

    fn shift(&self, ms: i64) -> Result<()> {
        let offset = int(&self.sandbox.get("/sandbox/admin/clock")?["offset_ms"])?;
        let clock = json!({ "offset_ms": offset + ms });
        self.sandbox.put("/sandbox/admin/clock", &clock).map(drop)
    }

    /// What the bank's part of the admin API says.
    pub fn bank(&self, path: &str) -> Result<Value> {
        self.sandbox.get(&format!("/sandbox/admin/bank{path}"))
    }

    /// How many orders the bank has had.
    pub fn orders(&self) -> Result<usize> {
        let orders = self.bank("/orders")?;
        let count = orders["orders"].as_array().map(Vec::len);
        count.ok_or_else(|| Error::answer("no orders", orders))
    }

    /// Has the bank do what faults put off.
    pub fn settle_at_bank(&self) -> Result<()> {
        let path = "/sandbox/admin/bank/settle";
        self.sandbox.post(path, &Value::Null).map(drop)
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
        self.sandbox.put("/sandbox/admin/bank/fault", &plan).map(drop)
    }

    /// What a room's meter has been credited with, in fen.
    pub fn credited(&self, room: &str) -> Result<i64> {
        let meters = self.sandbox.get("/sandbox/admin/meters")?;
        let mut all = meters["meters"].as_array().into_iter().flatten();
        let meter = all.find(|meter| meter["code"] == room);
        int(&meter.ok_or_else(|| Error::answer("no such meter", &meters))?["credited"])
    }

    /// What the meters are to play with the next credit.
    pub fn plan_next_credit(&self, fault: Option<&str>) -> Result<()> {
        let plan = json!({ "fault": fault, "count": 1 });
        self.sandbox.put("/sandbox/admin/meters/fault", &plan).map(drop)
    }

    /// What the bank is to play with the next order.
    pub fn plan_next(&self, fault: &str) -> Result<()> {
        let plan = json!({ "fault": fault, "count": 1 });
        self.sandbox.put("/sandbox/admin/bank/fault", &plan).map(drop)
    }

    /// Compares the bank's statement of today with the books: what differs.
    pub fn reconcile(&self) -> Result<Value> {
        let day = json!({ "day": self.today()? });
        let mut found = self.sandbox.post("/sandbox/admin/reconcile", &day)?;
        Ok(found["differences"].take())
    }

    /// The day that it is there, `yyyy-mm-dd`.
    pub fn today(&self) -> Result<String> {
        Ok(date((self.now()? + BEIJING).div_euclid(DAY)))
    }

    /// Where all money is. An error where the books don't add up, or say something else than the bank.
    pub fn books(&self) -> Result<Books> {
        let bank = self.bank("")?;
        let ledger = self.sandbox.get("/sandbox/admin/ledger")?;
        let mut kinds = ledger["totals"].as_array().into_iter().flatten();
        if ledger["sum"] != 0 || kinds.any(|kind| kind["sum"] != kind["postings"]) {
            return Err(Error::answer("the books do not add up", ledger));
        }
        let balances = bank["balances"].as_object().into_iter().flatten();
        let wallets: i64 = balances
            .filter(|(account, _)| account.starts_with("wallet:"))
            .filter_map(|(_, balance)| balance.as_i64())
            .sum();
        // What is held is still the holder's.
        if total(&ledger, "custody") != -wallets {
            let what = format!("the bank has {wallets} in the wallets");
            return Err(Error::answer(what, ledger));
        }
        Ok(Books {
            wallets,
            school: int(&bank["balances"]["school"])?,
            funding: total(&ledger, "funding"),
            held: total(&ledger, "hold"),
            at_bank: int(&bank["total"])?,
        })
    }
}

/// The sum of the accounts of a kind, in what the sandbox tells of its ledger.
pub fn total(ledger: &Value, kind: &str) -> i64 {
    let totals = ledger["totals"].as_array().into_iter().flatten();
    totals
        .filter(|total| total["kind"] == kind)
        .filter_map(|total| total["sum"].as_i64())
        .sum()
}

pub(crate) fn int(value: &Value) -> Result<i64> {
    value.as_i64().ok_or_else(|| Error::answer("no number", value))
}

/// The date of a day since 1970, `yyyy-mm-dd`.
fn date(days: i64) -> String {
    jiff::civil::date(1970, 1, 1)
        .saturating_add(days.days())
        .to_string()
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
