//! With a hundred thousand payments in the books, nothing of the merchant centre reads a table from end to end.

use super::*;
use crate::db::{Connection, assembled, placeholders, transact};
use crate::ledger::account_of_merchant;
use crate::merchants::takings::SUMS;
use sqlx::Row as _;

const PAYMENTS: i64 = 100_000;

/// Payments over a hundred days at this stall and another, with their sums.
async fn plant(tx: &mut Connection) -> crate::Result<()> {
    let account = account_of_merchant(tx, 1).await?.unwrap().0;
    let numbers: Vec<i64> = (0..PAYMENTS).collect();
    for chunk in numbers.chunks(500) {
        let sql = format!(
            "INSERT INTO payment (id, holder, account, kind, status, amount, merchant, terminal, occurred_at, posted_at, \
             reference, change) VALUES {}",
            placeholders(tx, 1, chunk.len(), 12)
        );
        let mut insert = sqlx::query(assembled(sql));
        for number in chunk {
            let at = crate::testing::START.0 - number * 86_400;
            insert = insert
                .bind(Uuid::new_v4().to_string())
                .bind(1_i64)
                .bind(account)
                .bind("purchase")
                .bind("posted")
                .bind(-(number % 3_000 + 1))
                .bind(number % 2 + 1)
                .bind(1_i64)
                .bind(at)
                .bind(at)
                .bind(format!("plant-{number}"))
                .bind(number + 1_000);
        }
        insert.execute(&mut *tx).await?;
    }
    for day in 0..100 {
        for hour in 0..24 {
            sqlx::query(
                "INSERT INTO merchant_takings VALUES ($1, $2, $3, 1, 'purchase', $2, 1, 1, 0, 0, 0, 0, 0, 0), \
                 ($4, $2, $3, 1, 'purchase', $2, 1, 1, 0, 0, 0, 0, 0, 0)",
            )
            .bind(1_i64)
            .bind(format!("2026-{:02}-{:02}", day / 28 + 1, day % 28 + 1))
            .bind(i64::from(hour))
            .bind(2_i64)
            .execute(&mut *tx)
            .await?;
        }
    }
    Ok(())
}

/// How the database would go about it, a line a step.
async fn plan(db: &mut Connection, sql: &str, parameters: &[&str]) -> String {
    let mut text = sql.to_owned();
    // Written out: a plan for parameters that are not known would be another one. The highest number first.
    for (index, parameter) in parameters.iter().enumerate().rev() {
        text = text.replace(&format!("${}", index + 1), parameter);
    }
    let is_sqlite = db.backend_name() == "SQLite";
    let how = if is_sqlite {
        "EXPLAIN QUERY PLAN"
    } else {
        "EXPLAIN"
    };
    let rows = sqlx::query(assembled(format!("{how} {text}")))
        .fetch_all(db)
        .await
        .unwrap();
    let column = if is_sqlite { 3 } else { 0 };
    let lines: Vec<String> = rows.iter().map(|row| row.get::<String, _>(column)).collect();
    lines.join("\n")
}

#[tokio::test]
async fn no_question_about_a_stall_reads_a_whole_table() {
    let campus = TestPlatform::open().await;
    let world = World::new(&campus).await;
    let planted: crate::Result<()> = transact!(campus.platform.db().writer(), |tx| {
        plant(tx).await?;
        if tx.backend_name() == "SQLite" {
            sqlx::raw_sql("ANALYZE").execute(tx).await?;
        }
        Ok(())
    });
    planted.unwrap();
    let mut reader = campus.platform.db().read().await.unwrap();
    if reader.backend_name() != "SQLite" {
        // Not within a transaction that writes, and not by a reader: statistics come with a connection of their own.
        let pool = campus.platform.db().notes().unwrap();
        sqlx::raw_sql("ANALYZE payment; ANALYZE merchant_takings")
            .execute(pool)
            .await
            .unwrap();
    }
    let sums = |rest: &str| format!("SELECT {SUMS} FROM merchant_takings WHERE merchant = $1 AND {rest}");
    let of_days = "day >= $2 AND day <= $3";
    let days = ["1", "'2026-02-01'", "'2026-02-03'"];
    let bills = [
        "1",
        "1794900000000",
        "1794986400000",
        "1794950000000",
        "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        "0",
        "101",
    ];
    let page = crate::merchants::payments::bills_sql();
    let questions = [
        ("a page of payments", page, &bills[..]),
        ("the sums of days", sums(of_days), &days[..]),
        ("what is booked", sums("booked <= $2"), &days[..2]),
        (
            "the sums by hour",
            sums(&format!("{of_days} GROUP BY hour")),
            &days[..],
        ),
    ];
    for (what, sql, parameters) in questions {
        let plan = plan(&mut reader, &sql, parameters).await;
        for table in ["payment", "merchant_takings", " p"] {
            let (sqlite, postgres) = (
                format!("SCAN {}", table.trim()),
                format!("Seq Scan on {}", table.trim()),
            );
            let reads_all = plan.lines().any(|line| {
                line.trim() == sqlite || line.contains(&format!("{postgres} ")) || line.ends_with(&postgres)
            });
            assert!(!reads_all, "{what}:\n{plan}");
        }
        let index = if what.contains("payments") {
            "payment_merchant"
        } else {
            "merchant_takings"
        };
        assert!(plan.contains(index), "{what}:\n{plan}");
    }
    drop(reader);
    // And through the router it answers.
    let found = world.payments("?from=2026-11-10&limit=500").await;
    assert_eq!(found.payments.len(), 500);
}
