//! Bills by the thousand, written straight into the platform's database: making them by settling sales would take hours,
//! and a page does not know how its rows came to be.

use sqlx::{AnyConnection, Connection as _};
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
    sqlx::any::install_default_drivers();
    campus.runtime.block_on(async {
        let mut database = AnyConnection::connect(&campus.books.url()).await?;
        let (holder, account): (i64, i64) = sqlx::query_as(
            "SELECT h.id, a.id FROM holder h JOIN ledger_account a ON a.holder = h.id AND a.kind = 'card'
             WHERE h.number = $1",
        )
        .bind(student)
        .fetch_one(&mut database)
        .await?;
        // The account's opening balance has left a bill already.
        let first: i64 = sqlx::query_scalar(
            "UPDATE holder SET feed_change = feed_change + $2 WHERE id = $1 RETURNING feed_change - $2",
        )
        .bind(holder)
        .bind(i64::from(count))
        .fetch_one(&mut database)
        .await?;
        sqlx::query(
            "WITH RECURSIVE bill (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM bill WHERE n < $3)
             INSERT INTO payment (id, holder, account, kind, status, amount, merchant, occurred_at, posted_at,
                 reference, change)
             SELECT $6 || substr(CAST(1000000000000 + n AS TEXT), 2), $1, $2, 'purchase', 'posted',
                 -(500 + n % 1500), 1, $4 + n * 1000, $4 + n * 1000, $6 || CAST(n AS TEXT), $5 + n FROM bill",
        )
        .bind(holder)
        .bind(account)
        .bind(i64::from(count))
        .bind(FIRST_MS)
        .bind(first)
        .bind(format!("{holder:08x}-0000-7000-8000-"))
        .execute(&mut database)
        .await?;
        // What a database does by itself, but later.
        sqlx::query("ANALYZE").execute(&mut database).await?;
        Ok(())
    })
}
