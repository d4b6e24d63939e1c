//! Bills by the thousand, written straight into the platform's database: making them by settling sales would take hours,
//! and a page does not know how its rows came to be.

use rusqlite::{Connection, params};

use yika_api::UnixMillis;

use crate::Result;
use crate::campus::Campus;

/// When the first bill occurred; another follows each second.
const FIRST_MS: i64 = 1_795_000_000_000;

/// When the bill of this number occurred.
pub(crate) fn occurred_at(number: u32) -> UnixMillis {
    UnixMillis(FIRST_MS + i64::from(number) * 1000)
}

/// Gives a student who has none so many bills, all purchases at the stall.
pub(crate) fn plant(campus: &Campus, student: &str, count: u32) -> Result<()> {
    let database = Connection::open(&campus.database)?;
    database.pragma_update(None, "busy_timeout", 10_000)?;
    let (holder, account): (i64, i64) = database.query_row(
        "SELECT h.id, a.id FROM holder h JOIN ledger_account a ON a.holder = h.id AND a.kind = 'card'
         WHERE h.number = ?1",
        [student],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    // The account's opening balance has left a bill already.
    let first: i64 = database.query_row(
        "UPDATE holder SET feed_change = feed_change + ?2 WHERE id = ?1 RETURNING feed_change - ?2",
        params![holder, count],
        |row| row.get(0),
    )?;
    database.execute(
        "WITH RECURSIVE bill (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM bill WHERE n < ?3)
         INSERT INTO payment (id, holder, account, kind, status, amount, merchant, occurred_at, posted_at,
             reference, change)
         SELECT printf('%08x-0000-7000-8000-%012x', ?1, n), ?1, ?2, 'purchase', 'posted', -(500 + n % 1500), 1,
             ?4 + n * 1000, ?4 + n * 1000, printf('%d-%d', ?1, n), ?5 + n FROM bill",
        params![holder, account, count, FIRST_MS, first],
    )?;
    Ok(())
}
