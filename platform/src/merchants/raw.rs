//! What stalls take in, added up from what was booked: to check the sums that are kept, and to make them where they are not.
//!
//! Every zone's distance from UTC has been whole quarters of an hour since 1972, and no campus card is older. So the database adds
//! up by quarters, and the calendar is asked once for each of those.

use super::takings::{self, Cell, Part, SUMS, SoldKind, Sums, Taking, sold_kind, unpaid_amount_sql};
use crate::Platform;
use crate::admin::Admin;
use crate::days::{Calendar, Day};
use crate::db::{Connection, StoredEnum as _, assembled, int, transact, variant};
use crate::error::Result;
use sqlx::Row as _;
use std::collections::{BTreeMap, BTreeSet};
use yika_api::terminal::{MerchantId, TerminalKind};
use yika_api::{Fen, UnixMillis};

const QUARTER: i64 = 15 * crate::clock::MINUTE;

/// For which zone the sums were made: a setting.
const MADE_FOR: &str = "merchant_takings_zone";

/// Where kept sums and what was booked differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakingsDifference {
    /// Whose sums.
    pub merchant: MerchantId,
    /// Where, for a person to look at.
    pub place: String,
    /// What is kept.
    pub kept: String,
    /// What was booked.
    pub booked: String,
}

impl Admin<'_> {
    /// Adds up everything that was booked at merchants, and says where the sums that are kept differ from it, or from the
    /// merchants' accounts. Reads every sale: for the night.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn check_takings(&self) -> Result<Vec<TakingsDifference>> {
        let calendar = Calendar::of(&self.platform().config().school.time_zone)?;
        let mut snapshot = self.platform().db().snapshot().await?;
        let booked = booked(&mut snapshot, &calendar).await?;
        let kept = kept(&mut snapshot).await?;
        let cells: BTreeSet<&Cell> = booked.keys().chain(kept.keys()).collect();
        let mut differences = Vec::new();
        for cell in cells {
            let (kept, booked) = (
                kept.get(cell).copied().unwrap_or_default(),
                booked.get(cell).copied().unwrap_or_default(),
            );
            if kept != booked {
                differences.push(TakingsDifference {
                    merchant: merchant_id(cell.merchant),
                    place: format!("{cell:?}"),
                    kept: format!("{kept:?}"),
                    booked: format!("{booked:?}"),
                });
            }
        }
        differences.extend(accounts(&mut snapshot).await?);
        Ok(differences)
    }
}

fn merchant_id(id: i64) -> MerchantId {
    MerchantId(u64::try_from(id).unwrap_or_default())
}

/// Makes the sums where they are missing, or were made for another zone's days: once, when a platform opens.
pub(crate) async fn make_if_missing(platform: &Platform) -> Result<()> {
    let zone = &platform.config().school.time_zone;
    let mut reader = platform.db().read().await?;
    if made_for(&mut reader).await?.as_ref() == Some(zone) {
        return Ok(());
    }
    drop(reader);
    let calendar = Calendar::of(zone)?;
    transact!(platform.db().lone_writer(), |tx| {
        // Another server may have been first.
        if made_for(tx).await?.as_ref() == Some(zone) {
            return Ok(());
        }
        sqlx::query("DELETE FROM merchant_takings")
            .execute(&mut *tx)
            .await?;
        let booked = booked(tx, &calendar).await?;
        takings::write(tx, &booked).await?;
        sqlx::query(
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(MADE_FOR)
        .bind(zone)
        .execute(tx)
        .await?;
        Ok(())
    })
}

async fn made_for(db: &mut Connection) -> Result<Option<String>> {
    let row = sqlx::query("SELECT value FROM setting WHERE name = $1")
        .bind(MADE_FOR)
        .fetch_optional(db)
        .await?;
    Ok(row.map(|row| row.try_get("value")).transpose()?)
}

/// The sums that are kept.
async fn kept(db: &mut Connection) -> Result<BTreeMap<Cell, Sums>> {
    let sql = format!(
        "SELECT merchant, day, hour, terminal, kind, booked, {SUMS} FROM merchant_takings \
         GROUP BY merchant, day, hour, terminal, kind, booked"
    );
    let rows = sqlx::query(assembled(sql)).fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let day = |column: &'static str| Day::stored(&row.try_get::<String, _>(column)?, column);
            let cell = Cell {
                merchant: row.try_get("merchant")?,
                day: day("day")?,
                hour: int(row, "hour")?,
                terminal: row.try_get("terminal")?,
                kind: variant(row, "kind")?,
                booked: day("booked")?,
            };
            Ok((cell, Sums::read(row)?))
        })
        .collect()
}

/// The sums of everything that was booked.
async fn booked(db: &mut Connection, calendar: &Calendar) -> Result<BTreeMap<Cell, Sums>> {
    let unpaid = unpaid_amount_sql();
    let queries = [
        (
            Taking::Sale,
            of_sales(
                "s.terminal_time",
                "s.received_at",
                "s.amount",
                "s.transaction_id IS NOT NULL AND s.void_of IS NULL",
            ),
        ),
        (
            Taking::Unpaid,
            of_sales(
                "s.received_at",
                "s.received_at",
                &unpaid,
                "s.transaction_id IS NULL AND s.kind <> 2",
            ),
        ),
        (
            Taking::Void,
            grouped(
                "s.terminal_time",
                "v.received_at",
                "v.amount",
                "t.merchant, s.terminal, t.kind AS kind",
                "sale v JOIN sale s ON s.terminal = v.terminal AND s.sequence = v.void_of JOIN terminal t ON t.id = s.terminal",
                "v.void_of IS NOT NULL",
            ),
        ),
        (
            Taking::Void,
            grouped(
                "p.occurred_at",
                "e.at",
                "-p.amount",
                "e.merchant, p.terminal, p.kind AS kind",
                "merchant_event e JOIN payment p ON p.id = e.payment",
                "e.what = 'voided'",
            ),
        ),
        (
            Taking::Refund,
            grouped(
                "r.posted_at",
                "r.posted_at",
                "r.amount",
                "r.merchant, p.terminal, p.kind AS kind",
                "payment r JOIN payment p ON p.id = r.refund_of",
                "r.kind = 'refund'",
            ),
        ),
    ];
    let mut cells: BTreeMap<Cell, Sums> = BTreeMap::new();
    for (what, sql) in queries {
        for row in sqlx::query(assembled(sql)).fetch_all(&mut *db).await? {
            let quarter = |column: &'static str| -> Result<UnixMillis> {
                Ok(UnixMillis(row.try_get::<i64, _>(column)? * QUARTER))
            };
            let (day, hour) = calendar.hour_of(quarter("counted")?)?;
            let cell = Cell {
                merchant: row.try_get("merchant")?,
                day,
                hour,
                terminal: row.try_get("terminal")?,
                kind: kind(&row.try_get::<String, _>("kind")?)?,
                booked: calendar.day_of(quarter("booked")?)?,
            };
            let mut sums = Sums::default();
            *sums.part(what) = Part {
                count: row.try_get("count")?,
                amount: Fen::new(row.try_get("amount")?),
            };
            cells.entry(cell).or_default().add(&sums)?;
        }
    }
    Ok(cells)
}

fn of_sales(counted: &str, booked: &str, amount: &str, which: &str) -> String {
    let from = "sale s JOIN terminal t ON t.id = s.terminal";
    grouped(
        counted,
        booked,
        amount,
        "t.merchant, s.terminal, t.kind AS kind",
        from,
        which,
    )
}

fn grouped(counted: &str, booked: &str, amount: &str, whose: &str, from: &str, which: &str) -> String {
    format!(
        "SELECT {whose}, {counted} / {QUARTER} AS counted, {booked} / {QUARTER} AS booked, COUNT(*) AS count, \
         CAST(SUM({amount}) AS BIGINT) AS amount FROM {from} WHERE {which} GROUP BY 1, 2, 3, 4, 5"
    )
}

/// A terminal's kind, or a payment's.
fn kind(text: &str) -> Result<SoldKind> {
    match TerminalKind::from_stored(text) {
        Some(terminal) => Ok(SoldKind::at(terminal)),
        None => sold_kind(text),
    }
}

/// Merchants' accounts that are not what their sums and settlements come to.
async fn accounts(db: &mut Connection) -> Result<Vec<TakingsDifference>> {
    let rows = sqlx::query(
        "SELECT a.merchant, a.balance, CAST(COALESCE((SELECT SUM(t.sales_amount - t.voids_amount - t.refunds_amount) \
         FROM merchant_takings t WHERE t.merchant = a.merchant), 0) - COALESCE((SELECT SUM(s.paid_out) \
         FROM merchant_settlement s WHERE s.merchant = a.merchant), 0) AS BIGINT) AS earned \
         FROM ledger_account a WHERE a.merchant IS NOT NULL ORDER BY a.merchant",
    )
    .fetch_all(db)
    .await?;
    let mut differences = Vec::new();
    for row in &rows {
        let (balance, earned) = (
            Fen::new(row.try_get("balance")?),
            Fen::new(row.try_get("earned")?),
        );
        if balance != earned {
            differences.push(TakingsDifference {
                merchant: merchant_id(row.try_get("merchant")?),
                place: "the merchant's account".to_owned(),
                kept: earned.to_string(),
                booked: balance.to_string(),
            });
        }
    }
    Ok(differences)
}
