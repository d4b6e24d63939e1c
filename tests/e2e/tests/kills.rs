//! Phone, terminal and platform die at named points, before and after each durable commit, each send and each reply.
//!
//! One campus goes on through all of it. At the end no code was shown twice, every payment that a terminal approved is
//! settled, none twice, and the books add up. Each point must have been met: one that never is fails the test. The seed
//! is printed and `YIKA_SEED` repeats it; `YIKA_LONG=1` makes thousands of rounds of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use yika_e2e::{Campus, Error, Output, Phone, Result, Terminal, Verdict};
use yika_format::code::Code;

const POINTS: [&str; 13] = [
    "phone.journal.before-commit",
    "phone.journal.after-commit",
    "phone.http.before-send",
    "phone.http.after-reply",
    "terminal.approve.before-commit",
    "terminal.approve.after-commit",
    "terminal.upload.before-send",
    "terminal.upload.after-send",
    "terminal.upload.after-reply",
    "platform.settle.before-commit",
    "platform.settle.after-commit",
    "platform.issue.before-commit",
    "platform.issue.after-commit",
];
const PRICE: i64 = 10;

/// A small generator of its own (SplitMix64, Steele et al. 2014): the run repeats from its seed alone.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % bound as u64).unwrap_or(0)
    }
}

/// What a run must account for.
#[derive(Default)]
struct Account {
    shown: BTreeSet<u32>,
    codes: usize,
    approved: usize,
}

/// The command's end, with what it did before it was killed if it was.
fn run(mut command: std::process::Command, plan: &[(&str, String)]) -> Result<Output> {
    command.envs(plan.iter().map(|(name, value)| (*name, value)));
    Output::of(&mut command)
}

impl Account {
    /// Shows a code, and checks that its number was never shown before.
    fn show(&mut self, phone: &Phone, plan: &[(&str, String)]) -> Result<Option<String>> {
        let output = run(phone.command(&["code", "pay", "--text"])?, plan)?;
        let text = output.stdout.trim_end_matches(['\r', '\n']).to_owned();
        if text.is_empty() {
            return match output.code {
                // Killed before it showed anything.
                None => Ok(None),
                _ => Err(output.into_error()),
            };
        }
        let code = Code::from_text(text.as_bytes()).map_err(|error| Error::answer("not a code", error))?;
        self.codes += 1;
        assert!(
            self.shown.insert(code.moment().sequence().get()),
            "a sequence was shown twice"
        );
        Ok(Some(text))
    }

    /// Takes a payment; where the till got no answer it asks again for the same sale until it has one.
    fn pay(&mut self, till: &Terminal, code: &str, sale: &str, plan: &[(&str, String)]) -> Result<()> {
        let words = [
            "verify", "pay", "--amount", "0.10", "--sale", sale, "--json", code,
        ];
        let first = run(till.command(&words)?, plan)?;
        let output = if first.code.is_none() {
            run(till.command(&words)?, &[])?
        } else {
            first
        };
        match till.verdict(output)? {
            Verdict::Approved(_) => {
                self.approved += 1;
                Ok(())
            }
            Verdict::Refused(reason) => Err(Error::answer("refused", reason)),
        }
    }
}

fn total(campus: &Campus, kind: &str) -> Result<i64> {
    let (sum, totals) = campus.ledger()?;
    assert_eq!(sum, 0, "the books don't add up");
    Ok(totals
        .iter()
        .find(|(name, _)| name == kind)
        .map_or(0, |(_, sum)| *sum))
}

fn hits(log: &Path) -> BTreeMap<String, usize> {
    let mut hits = BTreeMap::new();
    for line in std::fs::read_to_string(log).unwrap_or_default().lines() {
        *hits.entry(line.to_owned()).or_default() += 1;
    }
    hits
}

#[test]
fn no_sequence_is_shown_twice_no_approval_is_lost_and_none_is_settled_twice() -> Result<()> {
    let seed = std::env::var("YIKA_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| {
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(1, |since| since.as_secs())
        });
    let rounds = if std::env::var_os("YIKA_LONG").is_some() {
        3000
    } else {
        50
    };
    println!("YIKA_SEED={seed}, {rounds} kills");
    let mut chance = Chance(seed);

    let mut campus = Campus::open()?;
    let log = campus.folder().join("hits");
    let logged = ("YIKA_FAULT_LOG", log.display().to_string());
    let phone = campus.phone("20260003")?;
    let till = campus.till("till")?;
    let mut account = Account::default();
    let mut kills = 0;

    // Each point in turn, and then as chance has it.
    let mut turn = POINTS.into_iter();
    for round in 0..rounds {
        let point = turn.next().unwrap_or_else(|| POINTS[chance.below(POINTS.len())]);
        let die = [
            ("YIKA_KILL_AT", format!("{point}:{}", 1 + chance.below(2))),
            logged.clone(),
        ];
        let live = [logged.clone()];
        let (on_phone, on_till) = (point.starts_with("phone."), point.starts_with("terminal."));
        if point.starts_with("platform.") {
            let plan: Vec<(&str, &str)> = die.iter().map(|(name, value)| (*name, value.as_str())).collect();
            campus.sandbox.restart(&plan)?;
        }
        if let Some(code) = account.show(&phone, if on_phone { &die } else { &live })? {
            let sale = format!("00000000-0000-4000-8000-{round:012x}");
            account.pay(&till, &code, &sale, if on_till { &die } else { &live })?;
        }
        // A new phone is what makes the issuer commit.
        let newcomer = campus.unbound_phone(&format!("new-{round}"));
        let student = format!("2026000{}", 4 + chance.below(5));
        let bind = ["bind", "--platform", campus.sandbox.url(), "--student", &student];
        let mut ended = vec![
            run(
                till.command(&["upload", "--json"])?,
                if on_till { &die } else { &live },
            )?
            .code,
            run(newcomer.command(&bind)?, if on_phone { &die } else { &live })?.code,
        ];
        if point.starts_with("platform.") && ended.iter().any(|code| *code != Some(0)) {
            kills += 1;
        }
        ended.retain(Option::is_none);
        kills += usize::from(!ended.is_empty());
        campus.sandbox.restart(&[(logged.0, &logged.1)])?;
    }

    // Everybody is well again, and everything ends.
    till.upload()?;
    phone.sync()?;
    assert_eq!(till.upload()?["outcomes"].as_array().map(Vec::len), Some(0));
    let paid = i64::try_from(account.approved).unwrap_or(i64::MAX) * PRICE;
    assert_eq!(
        total(&campus, "merchant")?,
        paid,
        "each approval is paid exactly once"
    );
    assert_eq!(total(&campus, "school_risk")?, 0, "and each by its holder");
    let bills = phone.json(&["bills", "--limit", "500"])?;
    let spent: i64 = bills["bills"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|bill| bill["kind"] == "purchase")
        .filter_map(|bill| bill["amount"].as_i64())
        .sum();
    assert_eq!(spent, -paid.min(500 * PRICE), "the phone's bills say the same");

    let hits = hits(&log);
    println!(
        "{} codes, {} approvals, {kills} processes died",
        account.codes, account.approved
    );
    for point in POINTS {
        let count = hits.get(point).copied().unwrap_or(0);
        println!("{point}: met {count} times");
        assert!(count > 0, "{point} was never met");
    }
    assert!(kills > 0, "nothing was killed");
    Ok(())
}
