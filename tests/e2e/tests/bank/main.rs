//! Money between the real platform and the sandbox's bank, which plays every fault that it knows with every kind of
//! operation.
//!
//! Whatever the bank does, each operation comes to exactly one end, the same however often it is sent, by the time that
//! the day is reconciled; the books sum to nothing and say what the bank says, but for what its statement gets wrong.

mod customers;
mod orders;

use serde_json::{Value, json};
use uuid::Uuid;
use yika_e2e::{Campus, Deed, Error, LIU_YANG, Move, Reply, Result, WalletPhone};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// By how much Beijing is ahead of UTC.
const BEIJING: i64 = 28_800_000;

/// A campus early on a day of its own, and a holder's phone.
struct World {
    campus: Campus,
    phone: WalletPhone,
    /// The card account, as the phone names it.
    account: Value,
    /// How far the clock was put ahead.
    offset: i64,
    day: String,
}

impl World {
    /// Tomorrow at six, so that no day ends meanwhile. Replies come when the operation has ended, however slow this machine.
    fn begin() -> Result<Self> {
        let campus = Campus::open_with(&["--reply-wait", "30"])?;
        let now = int(&campus.sandbox.get("/sandbox/admin/clock")?["now"])?;
        let into_day = (now + BEIJING).rem_euclid(DAY);
        let offset = DAY - into_day + DAY / 4;
        campus
            .sandbox
            .put("/sandbox/admin/clock", &json!({ "offset_ms": offset }))?;
        let phone = WalletPhone::bind(&campus.sandbox, LIU_YANG)?;
        let account = phone.get("/v1/accounts")?["accounts"][0]["id"].take();
        Ok(Self {
            campus,
            phone,
            account,
            offset,
            day: date((now + offset + BEIJING).div_euclid(DAY)),
        })
    }

    /// The same, with an open wallet, a bank card and this much in the wallet.
    fn with_money(amount: i64) -> Result<(Self, Uuid)> {
        let world = Self::begin()?;
        world.phone.send(&world.phone.opening()?)?.ok()?;
        let card = world.bind_card()?;
        let recharge = world.phone.moving(Move::Recharge(amount), &world.account, card)?;
        assert_eq!(phase(&world.phone.send(&recharge)?)?, "credited");
        Ok((world, card))
    }

    fn bind_card(&self) -> Result<Uuid> {
        let binding = self.phone.binding()?;
        self.phone.send(&binding)?.ok()?;
        let confirming = self.phone.confirming(binding.id, &self.last_code()?)?;
        self.phone.send(&confirming)?.ok()?;
        Ok(binding.id)
    }

    fn bank(&self, path: &str) -> Result<Value> {
        self.campus.sandbox.get(&format!("/sandbox/admin/bank{path}"))
    }

    fn tell_bank(&self, path: &str) -> Result<Value> {
        let path = format!("/sandbox/admin/bank/{path}");
        self.campus.sandbox.post(&path, &Value::Null)
    }

    fn codes(&self) -> Result<Vec<String>> {
        let messages = self.bank("/messages")?;
        let codes = messages["messages"].as_array().into_iter().flatten();
        Ok(codes
            .map(|message| message["code"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    fn last_code(&self) -> Result<String> {
        let code = self.codes()?.pop();
        code.ok_or_else(|| Error::answer("the bank sent no code", ""))
    }

    /// What the bank is to play with what is named so; with nothing named, with every order from now on.
    fn plan(&self, fault: Option<&str>, operation: Option<Uuid>) -> Result<()> {
        let mut plan = json!({ "fault": fault });
        if let Some(operation) = operation {
            plan["order"] = json!(operation);
        }
        self.campus.sandbox.put("/sandbox/admin/bank/fault", &plan)?;
        Ok(())
    }

    /// Lets so much time pass, and has everything done that is due by then. Tokens do not last as long.
    fn pass(&mut self, ms: i64) -> Result<()> {
        self.offset += ms;
        let clock = json!({ "offset_ms": self.offset });
        self.campus.sandbox.put("/sandbox/admin/clock", &clock)?;
        self.campus
            .sandbox
            .post("/sandbox/admin/operations/drive", &Value::Null)?;
        self.phone.sign_in()
    }

    /// Lets time pass until nothing of these is under way: sent again, each is answered when nobody is at it.
    fn settle(&mut self, deeds: &[Deed]) -> Result<()> {
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
        Err(Error::answer(
            "operations are still under way",
            self.phone.get("/v1/operations")?,
        ))
    }

    fn reconcile(&self) -> Result<Value> {
        let day = json!({ "day": self.day });
        self.campus.sandbox.post("/sandbox/admin/reconcile", &day)
    }

    /// What is on the card account, in the wallet, and at the bank for the school.
    fn balances(&self) -> Result<Balances> {
        let bank = self.bank("")?;
        let ledger = self.campus.sandbox.get("/sandbox/admin/ledger")?;
        assert_eq!(ledger["sum"], 0, "the books add up");
        let kinds = ledger["totals"].as_array().into_iter().flatten();
        for kind in kinds {
            assert_eq!(kind["sum"], kind["postings"], "{kind}");
        }
        let wallet = int(&self.phone.wallet()?["balance"]["amount"])?;
        let at_bank = &bank["balances"][format!("wallet:{}", self.phone.customer())];
        assert_eq!(
            *at_bank, wallet,
            "the bank and the books have the same in the wallet"
        );
        // What is held is still the holder's.
        assert_eq!(total(&ledger, "custody"), -wallet);
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

/// Where the money is, in fen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Balances {
    card: i64,
    wallet: i64,
    school: i64,
    funding: i64,
    held: i64,
    at_bank: i64,
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

fn phase(reply: &Reply) -> Result<String> {
    let operation = reply.ok()?;
    let phase = operation["phase"].as_str();
    phase
        .map(str::to_owned)
        .ok_or_else(|| Error::answer("no phase", &operation))
}

fn is_end(phase: &str) -> bool {
    ["credited", "refunded", "refused"].contains(&phase)
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

#[test]
fn days_have_their_dates() {
    assert_eq!(
        [0, 20_454, 20_513, 11_016].map(date),
        ["1970-01-01", "2026-01-01", "2026-03-01", "2000-02-29"]
    );
}
