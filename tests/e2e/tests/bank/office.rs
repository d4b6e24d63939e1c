//! What the card office does on the command line, beside a running server: the real `yika-platform` on the same database.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use yika_e2e::{Deed, Error, Money, Output, Result, WANG, binary};

use super::orders::MOVES;

/// The platform's program, and where its books are.
struct Office {
    folder: PathBuf,
}

impl Office {
    fn beside(money: &Money) -> Self {
        Self {
            folder: money.campus.sandbox.program().home().to_owned(),
        }
    }

    fn run(&self, words: &[&str]) -> Result<Output> {
        let mut command = Command::new(binary("yika-platform")?);
        let database = format!("sqlite://{}", self.folder.join("platform.db").display());
        command
            .args(words)
            .env("YIKA_DATABASE", database)
            .env("YIKA_SCHOOL_DOMAIN", "demo.yika.example");
        Output::of(&mut command)
    }

    /// Reconciles a day with this as the bank's file.
    fn reconcile(&self, day: &str, statement: &Value) -> Result<Output> {
        let file = self.folder.join("statement.json");
        fs::write(&file, statement.to_string()).map_err(Error::io("writing the bank's file"))?;
        let file = file.display().to_string();
        self.run(&["reconcile", "--day", day, "--file", &file])
    }

    /// What an account's statement ends with, in fen.
    fn closing(&self, day: &str, of: &[&str]) -> Result<i64> {
        let words = [&["statement", "--from", day][..], of].concat();
        let table = self.run(&words)?.success()?.stdout;
        let last = table.lines().last().and_then(|line| line.rsplit(',').next());
        let fen = last.and_then(|yuan| yuan.replace('.', "").parse().ok());
        fen.ok_or_else(|| Error::answer("no closing balance", table))
    }
}

#[test]
fn the_banks_file_is_reconciled_and_statements_agree_with_it() -> Result<()> {
    let (money, card) = Money::begin_with(50_000)?;
    let deeds = MOVES.map(|one| money.moving(one, card));
    let deeds = deeds.into_iter().collect::<Result<Vec<Deed>>>()?;
    for deed in &deeds {
        money.phone.send(deed)?.ok()?;
    }
    let (office, day) = (Office::beside(&money), money.campus.today()?);
    let statement = format!("/sandbox/admin/bank/statements/{day}");
    let rows = money.campus.sandbox.get(&statement)?;
    let count = rows.as_array().map_or(0, Vec::len);
    assert_eq!(count, MOVES.len() + 1, "{rows}");
    let agreed = office.reconcile(&day, &rows)?.success()?;
    let line = format!("{count} rows agree, 0 operations brought on, 0 differences\n");
    assert_eq!(agreed.stdout, line);

    let mut other = rows.clone();
    if let Some(rows) = other.as_array_mut() {
        rows.remove(0);
        rows[0]["wallet"] = json!(1);
    }
    let differs = office.reconcile(&day, &other)?;
    assert_eq!(differs.code, Some(1), "{differs:?}");
    let said: Vec<&str> = differs.stdout.lines().collect();
    assert_eq!(said.len(), 3, "a line for each difference: {differs:?}");
    assert!(said[0].ends_with("2 differences"), "{differs:?}");
    let no_file = office.run(&["reconcile", "--day", &day, "--file", "none.json"])?;
    assert_eq!(no_file.code, Some(1), "{no_file:?}");

    let balances = money.balances()?;
    let number = WANG.student;
    assert_eq!(
        office.closing(&day, &["--card", &format!("{number}:1")])?,
        balances.card
    );
    assert_eq!(office.closing(&day, &["--wallet", number])?, balances.wallet);
    assert_eq!(office.closing(&day, &["--school", "custody"])?, -balances.wallet);
    assert_eq!(office.closing(&day, &["--school", "funding"])?, balances.funding);
    let none = office.run(&["statement", "--from", &day, "--merchant", "999"])?;
    assert!(none.code == Some(1) && none.stdout.is_empty(), "{none:?}");
    let vague = office.run(&["statement", "--from", &day])?;
    assert_eq!(vague.code, Some(2), "{vague:?}");
    Ok(())
}
