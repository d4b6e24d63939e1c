//! What a stall has earned: does it cost more to tell where there are a thousand times as many payments, and how much less than
//! adding them up? The rows are written straight into the platform's tables, payments and sums; then the real requests are
//! made.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};
use yika_api::merchant::StallRole;
use yika_api::terminal::MerchantId;

use super::Outcome;
use crate::campus::Campus;
use crate::client::{Client, Till, send};
use crate::harness::{Contender, Samples, per_operation, take_turns};
use crate::report::{Report, digits, spread, time};
use crate::{Context, Result};

const FEW: i64 = 10_000;
/// Answers of a turn.
const ANSWERS: usize = 10;
/// The last sale is at noon in Shanghai on 2026-11-18, the first a year before.
const LAST_MS: i64 = 1_794_974_400_000;
const YEAR_MS: i64 = 365 * 86_400_000;
const OWNER: &str = "owner";

/// The questions, with the days that they are about.
const QUESTIONS: [(&str, &str); 4] = [
    ("income of a day", "days?from=2026-11-17"),
    ("income of a month", "days?from=2026-10-01&to=2026-10-31"),
    ("income of a year", "days?from=2025-11-19&to=2026-11-18"),
    (
        "newest 100 payments of a month",
        "payments?from=2026-10-01&to=2026-10-31",
    ),
];

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let many = context.effort.pick(200_000, 10_000_000);
    let turns = context.effort.pick(10, 50);
    let mut rows = Vec::new();
    let small = context.books("merchant_few")?;
    let large = context.books("merchant_many")?;
    for (small, large) in small.into_iter().zip(large) {
        let name = large.to_string();
        let few_campus = Campus::open_on(small, &context.on_disk(&format!("merchant-few-{name}"))?)?;
        let many_campus = Campus::open_on(large, &context.on_disk(&format!("merchant-many-{name}"))?)?;
        plant(&few_campus, FEW)?;
        plant(&many_campus, many)?;
        for (what, path) in QUESTIONS {
            let times = take_turns(turns, [ask(&few_campus, path)?, ask(&many_campus, path)?])?;
            rows.push(row(&format!("{name}, {what}"), &times, None));
        }
        // What it would cost without sums that are kept.
        let added = take_turns(
            context.effort.pick(3, 10),
            [ask(&many_campus, QUESTIONS[1].1)?, add_up(&many_campus)],
        )?;
        rows.push(row(
            &format!("{name}, income of a month, beside adding the payments up"),
            &added,
            Some("kept, added up"),
        ));
    }
    let mut report = Report::default();
    report.table(["", "second ÷ first", "first", "second"], rows);
    report.note(&format!(
        "First: of {FEW} payments in a year, second: of {many}; in the last row of each database, the sums that are kept beside the \
         payments added up by the database. {turns} turns of {ANSWERS} answers, with proof and access token, from the request's bytes to \
         the answer's, without a network."
    ));
    Ok(Outcome::Measured(report))
}

fn row(what: &str, [first, second]: &[Samples; 2], columns: Option<&str>) -> [String; 4] {
    let ratio = second.over(first);
    let name = columns.map_or(what.to_owned(), |columns| format!("{what} ({columns})"));
    [
        name,
        spread(&ratio, digits),
        spread(first, time),
        spread(second, time),
    ]
}

/// One question to the platform as the owner.
fn ask<'a>(campus: &'a Campus, path: &str) -> Result<Contender<'a>> {
    let client = Client::bound(campus, OWNER)?;
    let path = format!("/v1/merchants/1/{path}");
    Ok(Box::new(move |_| {
        let requests = (0..ANSWERS)
            .map(|_| client.get(&path))
            .collect::<Result<Vec<_>>>()?;
        let mut requests = requests.into_iter();
        per_operation(ANSWERS, |_| {
            let request = requests.next().ok_or("no request left")?;
            campus
                .runtime
                .block_on(send(campus.router.clone(), request))
                .map(drop)
        })
    }))
}

/// The month's payments, added up by the database.
fn add_up(campus: &Campus) -> Contender<'_> {
    Box::new(move |_| {
        campus.runtime.block_on(async {
            let mut database = AnyConnection::connect(&campus.books.url()).await?;
            let started = std::time::Instant::now();
            let _sum: (i64, i64) = sqlx::query_as(
                "SELECT COUNT(*), CAST(COALESCE(SUM(-amount), 0) AS BIGINT) FROM payment \
                 WHERE merchant = 1 AND occurred_at >= $1 AND occurred_at < $2",
            )
            .bind(1_790_784_000_000_i64)
            .bind(1_793_462_400_000_i64)
            .fetch_one(&mut database)
            .await?;
            let took = started.elapsed();
            database.close().await?;
            Ok(took)
        })
    })
}

/// Gives the stall so many payments, spread over a year, and the sums of them; and an owner.
fn plant(campus: &Campus, count: i64) -> Result<()> {
    campus.add_student(OWNER)?;
    let admin = campus.platform.admin();
    let owner = admin.set_merchant_staff(MerchantId(1), OWNER, StallRole::Owner);
    campus.runtime.block_on(owner)?;
    Till::enrol(campus)?;
    sqlx::any::install_default_drivers();
    let step = YEAR_MS / count;
    campus.runtime.block_on(async {
        let mut database = AnyConnection::connect(&campus.books.url()).await?;
        let (holder, account): (i64, i64) = sqlx::query_as(
            "SELECT h.id, a.id FROM holder h JOIN ledger_account a ON a.holder = h.id AND a.kind = 'card' WHERE h.number = $1",
        )
        .bind(OWNER)
        .fetch_one(&mut database)
        .await?;
        sqlx::query(
            "WITH RECURSIVE sale (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM sale WHERE n < $3)
             INSERT INTO payment (id, holder, account, kind, status, amount, merchant, terminal, occurred_at, posted_at,
                 reference, change)
             SELECT '0198c9a1-6a5c-7cc4-8000-' || substr(CAST(1000000000000 + n AS TEXT), 2), $1, $2, 'purchase', 'posted',
                 -(500 + n % 1500), 1, 1, $4 - n * $5, $4 - n * $5, 'S' || CAST(n AS TEXT), 10 + n FROM sale",
        )
        .bind(holder)
        .bind(account)
        .bind(count)
        .bind(LAST_MS)
        .bind(step)
        .execute(&mut database)
        .await?;
        for chunk in sums(count, step)?.chunks(200) {
            let values: Vec<String> = chunk
                .iter()
                .map(|(day, hour, sales, amount)| {
                    format!("(1, '{day}', {hour}, 1, 'purchase', '{day}', {sales}, {amount}, 0, 0, 0, 0, 0, 0)")
                })
                .collect();
            let sql = format!("INSERT INTO merchant_takings VALUES {}", values.join(", "));
            sqlx::query(AssertSqlSafe(sql)).execute(&mut database).await?;
        }
        // What a database does by itself, but later.
        sqlx::query("ANALYZE").execute(&mut database).await?;
        Ok(())
    })
}

/// Day, hour, sales and their amount.
type Hour = (String, i8, i64, i64);

/// The sums by the hour of what is planted.
fn sums(count: i64, step: i64) -> Result<Vec<Hour>> {
    const HOUR_MS: i64 = 3_600_000;
    let zone = TimeZone::get("Asia/Shanghai")?;
    let mut hours: Vec<(i64, i64, i64)> = Vec::new();
    for number in 1..=count {
        let hour = (LAST_MS - number * step).div_euclid(HOUR_MS);
        let amount = 500 + number % 1500;
        match hours.last_mut() {
            Some((known, sales, sum)) if *known == hour => {
                *sales += 1;
                *sum += amount;
            }
            _ => hours.push((hour, 1, amount)),
        }
    }
    hours
        .into_iter()
        .map(|(hour, sales, amount)| {
            let local = Timestamp::from_millisecond(hour * HOUR_MS)?.to_zoned(zone.clone());
            Ok((local.date().to_string(), local.hour(), sales, amount))
        })
        .collect()
}
