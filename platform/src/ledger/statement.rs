//! Statements of accounts (对账单): what was on an account, what came and went, what is on it now. For the card office, merchants
//! and auditors; a phone has bills.

use super::{AccountKind, TransactionKind, account_of_merchant};
use crate::days;
use crate::db::{Connection, StoredEnum as _, assembled, int, variant};
use crate::error::{Error, Result};
use sqlx::Row as _;
use std::fmt::Write as _;
use std::ops::Range;
use yika_api::{Fen, ProblemCode, UnixMillis};

/// Whose account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementOf {
    /// A holder's card account, together with what is owed beside it.
    Card {
        /// The student or staff number.
        number: String,
        /// The account's place on the card, 1–8.
        slot: u8,
    },
    /// A holder's e-wallet.
    Wallet {
        /// The student or staff number.
        number: String,
    },
    /// What a merchant has earned.
    Merchant(i64),
    /// An account of the school's own, by its kind: `school_risk`, `funding`, `hold`, `custody`, `fee` or `utility`.
    School(String),
}

/// What came and went on an account within some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What was on it before.
    pub opening: Fen,
    /// What changed it, in the order of time.
    pub lines: Vec<StatementLine>,
    /// What was on it after.
    pub closing: Fen,
    days: Range<UnixMillis>,
    zone: String,
}

/// What a transaction changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementLine {
    /// When it was booked.
    pub at: UnixMillis,
    /// The transaction's number.
    pub transaction: i64,
    /// What it was, as the ledger calls it: `sale`, `top_up`, …
    pub kind: &'static str,
    /// Above zero where it came.
    pub amount: Fen,
    /// What was on the account then.
    pub balance: Fen,
}

impl Statement {
    /// As a table, amounts in yuan, times in the school's zone with their distance from UTC. Nothing in it needs quotes.
    ///
    /// # Errors
    /// Where a time can't be said in the school's zone.
    pub fn to_csv(&self) -> Result<String> {
        let mut table = "time,transaction,kind,amount,balance\n".to_owned();
        let mut row = |at, transaction: &str, kind, amount: &str, balance: Fen| -> Result<()> {
            let at = days::written(at, &self.zone)?;
            // Writing to a string can't fail.
            let _ = writeln!(table, "{at},{transaction},{kind},{amount},{balance}");
            Ok(())
        };
        row(self.days.start, "", "opening", "", self.opening)?;
        for line in &self.lines {
            let (transaction, amount) = (line.transaction.to_string(), line.amount.to_string());
            row(line.at, &transaction, line.kind, &amount, line.balance)?;
        }
        row(self.days.end, "", "closing", "", self.closing)?;
        Ok(table)
    }
}

/// The statement of an account over these days, read from one moment of the database.
pub(crate) async fn statement(
    db: &mut Connection,
    of: &StatementOf,
    days: Range<UnixMillis>,
    zone: &str,
) -> Result<Statement> {
    let accounts = accounts(db, of).await?;
    let accounts: Vec<String> = accounts.iter().map(i64::to_string).collect();
    let postings = format!(
        "FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id WHERE p.account IN ({})",
        accounts.join(", ")
    );
    let sql =
        format!("SELECT CAST(COALESCE(SUM(p.amount), 0) AS BIGINT) AS opening {postings} AND t.at < $1");
    let row = sqlx::query(assembled(sql))
        .bind(days.start.0)
        .fetch_one(&mut *db)
        .await?;
    let opening = Fen::new(row.try_get("opening")?);
    let sql = format!(
        "SELECT t.id, t.kind, t.at, CAST(SUM(p.amount) AS BIGINT) AS amount {postings} \
         AND t.at >= $1 AND t.at < $2 GROUP BY t.id, t.kind, t.at ORDER BY t.at, t.id"
    );
    let rows = sqlx::query(assembled(sql))
        .bind(days.start.0)
        .bind(days.end.0)
        .fetch_all(db)
        .await?;
    let mut balance = opening;
    let lines = rows.iter().map(|row| {
        let amount = Fen::new(row.try_get("amount")?);
        balance = balance.checked_add(amount)?;
        Ok(StatementLine {
            at: UnixMillis(row.try_get("at")?),
            transaction: int(row, "id")?,
            kind: variant::<TransactionKind>(row, "kind")?.to_stored(),
            amount,
            balance,
        })
    });
    let lines = lines.collect::<Result<Vec<_>>>()?;
    Ok(Statement {
        opening,
        lines,
        closing: balance,
        days,
        zone: zone.to_owned(),
    })
}

/// A card account with what is owed beside it; the wallets that a holder has had one after the other.
async fn accounts(db: &mut Connection, of: &StatementOf) -> Result<Vec<i64>> {
    const OF_HOLDER: &str =
        "SELECT a.id FROM ledger_account a JOIN holder h ON h.id = a.holder WHERE h.number = $1";
    let none = || Error::refused(ProblemCode::NotFound);
    let rows = match of {
        StatementOf::Card { number, slot } => {
            let slots = "a.slot = $2 OR a.card_account IN \
                 (SELECT c.id FROM ledger_account c WHERE c.holder = a.holder AND c.slot = $2)";
            sqlx::query(assembled(format!("{OF_HOLDER} AND ({slots})")))
                .bind(number)
                .bind(i64::from(*slot))
                .fetch_all(db)
                .await?
        }
        StatementOf::Wallet { number } => {
            sqlx::query(assembled(format!("{OF_HOLDER} AND a.kind = $2")))
                .bind(number)
                .bind(AccountKind::Wallet.to_stored())
                .fetch_all(db)
                .await?
        }
        StatementOf::Merchant(merchant) => {
            let found = account_of_merchant(db, *merchant).await?;
            return found.map(|account| vec![account.0]).ok_or_else(none);
        }
        StatementOf::School(kind) => {
            sqlx::query(
                "SELECT id FROM ledger_account WHERE kind = $1 AND holder IS NULL AND merchant IS NULL",
            )
            .bind(kind)
            .fetch_all(db)
            .await?
        }
    };
    match rows.is_empty() {
        true => Err(none()),
        false => rows.iter().map(|row| int(row, "id")).collect(),
    }
}

#[cfg(test)]
mod tests;
