//! A stall's numbers as a table to take along: written down once as sheets, then as CSV or as a workbook.

mod csv;
mod xlsx;

use super::access::{self, Days, Place};
use super::audit::{self, Deed, What};
use super::takings::{SUMS, Sums};
use super::{income, payments};
use crate::Platform;
use crate::days;
use crate::db::{Connection, assembled, int, transact};
use crate::error::{Error, Result};
use sqlx::Row as _;
use yika_api::merchant::{
    StallExportFormat, StallExportOf, StallExportQuery, StallIncome, StallPayment, StallPaymentStatus,
    Takings,
};
use yika_api::payment::PaymentKind;
use yika_api::terminal::MerchantId;
use yika_api::{Fen, ProblemCode};

/// The most lines of payments in a file.
const MOST_LINES: usize = 100_000;
/// Lines that are read at once.
const PORTION: usize = 5_000;

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) format: StallExportFormat,
    pub(super) bytes: Vec<u8>,
}

/// A table with a head.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sheet {
    name: &'static str,
    head: Vec<&'static str>,
    rows: Vec<Vec<Value>>,
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Count(u64),
    Yuan(Fen),
}

impl Value {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// Writes down what a holder asks for. Owners alone; that they did is kept.
pub(super) async fn export(
    platform: &Platform,
    holder: i64,
    merchant: MerchantId,
    query: &StallExportQuery,
    accepted: StallExportFormat,
) -> Result<File> {
    let format = query.format.unwrap_or(accepted);
    let what = query.what.unwrap_or(StallExportOf::Income);
    let mut snapshot = platform.db().snapshot().await?;
    let place = access::place(&mut snapshot, holder, merchant).await?;
    place.check_is_owner()?;
    let days = Days::asked(platform, &place, query.from.as_deref(), query.to.as_deref())?;
    let sheets = match what {
        StallExportOf::Income => of_income(&mut snapshot, platform, &place, days).await?,
        StallExportOf::Payments => vec![of_payments(&mut snapshot, platform, &place, days).await?],
    };
    drop(snapshot);
    record(platform, holder, &place, days, (what, format)).await?;
    // A large workbook takes a second of a processor.
    let bytes = tokio::task::spawn_blocking(move || match format {
        // The last sheet has everything.
        StallExportFormat::Csv => Ok(sheets.last().map(csv::write).unwrap_or_default()),
        StallExportFormat::Xlsx => xlsx::write(&sheets),
    })
    .await??;
    let what = match what {
        StallExportOf::Income => "income",
        StallExportOf::Payments => "payments",
    };
    Ok(File {
        name: format!(
            "stall-{}-{what}-{}-{}.{}",
            place.id,
            days.first,
            days.last,
            format.extension()
        ),
        format,
        bytes,
    })
}

async fn record(
    platform: &Platform,
    holder: i64,
    place: &Place,
    days: Days,
    (what, format): (StallExportOf, StallExportFormat),
) -> Result<()> {
    let note = format!("{what:?} {}..{} {}", days.first, days.last, format.extension());
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        let deed = Deed {
            what: What::Exported,
            note: Some(&note),
            ..Deed::of(place.id, holder)
        };
        audit::record(tx, &deed, now).await
    })
}

const TAKINGS: [&str; 9] = [
    "笔数 sales",
    "金额 sales_yuan",
    "撤销笔数 voids",
    "撤销金额 voids_yuan",
    "退款笔数 refunds",
    "退款金额 refunds_yuan",
    "未付笔数 unpaid",
    "未付金额 unpaid_yuan",
    "收入 income_yuan",
];

fn with_takings(head: &[&'static str]) -> Vec<&'static str> {
    head.iter().copied().chain(TAKINGS).collect()
}

fn takings(first: Vec<Value>, takings: &Takings) -> Vec<Value> {
    let parts = [takings.sales, takings.voids, takings.refunds, takings.unpaid];
    let numbers = parts
        .into_iter()
        .flat_map(|tally| [Value::Count(tally.count), Value::Yuan(tally.amount)]);
    let mut row = first;
    row.extend(numbers);
    row.push(Value::Yuan(takings.income));
    row
}

fn kind(kind: PaymentKind) -> &'static str {
    match kind {
        PaymentKind::Purchase => "purchase",
        PaymentKind::LibraryFee => "library_fee",
        PaymentKind::Refund => "refund",
        _ => "other",
    }
}

async fn of_income(
    db: &mut Connection,
    platform: &Platform,
    place: &Place,
    days: Days,
) -> Result<Vec<Sheet>> {
    let income = income::of_days(db, platform, place, days, None).await?;
    let mut by_day: Vec<_> = income
        .days
        .iter()
        .map(|day| takings(vec![Value::text(&day.day)], &day.takings))
        .collect();
    by_day.push(takings(vec![Value::text("合计 total")], &income.total));
    let by_terminal = income.terminals.iter().map(|one| {
        let whose = vec![Value::Count(one.terminal.0), Value::text(&one.label)];
        takings(whose, &one.takings)
    });
    let by_kind = income.kinds.iter();
    let by_kind = by_kind.map(|one| takings(vec![Value::text(kind(one.kind))], &one.takings));
    let by_hour = income.hours.iter();
    let by_hour = by_hour.map(|one| takings(vec![Value::Count(one.hour.into())], &one.takings));
    Ok(vec![
        Sheet {
            name: "日 Days",
            head: with_takings(&["日期 day"]),
            rows: by_day,
        },
        Sheet {
            name: "终端 Terminals",
            head: with_takings(&["终端 terminal", "名称 label"]),
            rows: by_terminal.collect(),
        },
        Sheet {
            name: "类别 Kinds",
            head: with_takings(&["类别 kind"]),
            rows: by_kind.collect(),
        },
        Sheet {
            name: "时段 Hours",
            head: with_takings(&["小时 hour"]),
            rows: by_hour.collect(),
        },
        details(db, place, days, &income).await?,
    ])
}

/// The finest sums that are kept.
async fn details(db: &mut Connection, place: &Place, days: Days, income: &StallIncome) -> Result<Sheet> {
    let sql = format!(
        "SELECT day, hour, terminal, kind, {SUMS} FROM merchant_takings WHERE merchant = $1 AND day >= $2 AND day <= $3 \
         GROUP BY day, hour, terminal, kind ORDER BY day, hour, terminal, kind"
    );
    let rows = sqlx::query(assembled(sql))
        .bind(place.id)
        .bind(days.first.to_string())
        .bind(days.last.to_string())
        .fetch_all(db)
        .await?;
    let rows = rows.iter().map(|row| {
        let terminal: u64 = int(row, "terminal")?;
        let till = income.tills.iter().find(|till| till.id.0 == terminal);
        let first = vec![
            Value::Text(row.try_get("day")?),
            Value::Count(int(row, "hour")?),
            Value::Count(terminal),
            Value::text(till.map_or("", |till| till.label.as_str())),
            Value::Text(row.try_get("kind")?),
        ];
        Ok(takings(first, &Sums::read(row)?.to_api()?))
    });
    Ok(Sheet {
        name: "明细 Details",
        head: with_takings(&[
            "日期 day",
            "小时 hour",
            "终端 terminal",
            "名称 label",
            "类别 kind",
        ]),
        rows: rows.collect::<Result<_>>()?,
    })
}

async fn of_payments(db: &mut Connection, platform: &Platform, place: &Place, days: Days) -> Result<Sheet> {
    let zone = &platform.config().school.time_zone;
    let listing = payments::listing(platform, place, days, None)?;
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let lines = payments::lines(db, &listing, after, PORTION).await?;
        if rows.len() + lines.len() > MOST_LINES {
            let why = "more than 100,000 payments; ask for fewer days";
            return Err(Error::refused_because(ProblemCode::InvalidRequest, why));
        }
        for line in &lines {
            rows.push(payment(line, zone)?);
        }
        match lines.last() {
            Some(last) if lines.len() == PORTION => after = Some(payments::Cursor::after(last)),
            _ => break,
        }
    }
    Ok(Sheet {
        name: "交易 Payments",
        head: vec![
            "时间 time",
            "入账 booked",
            "单号 reference",
            "类别 kind",
            "状态 status",
            "金额 amount_yuan",
            "收入 income_yuan",
            "已退 refunded_yuan",
            "终端 terminal",
            "名称 label",
            "编号 id",
            "退款原单 refund_of",
        ],
        rows,
    })
}

fn payment(line: &StallPayment, zone: &str) -> Result<Vec<Value>> {
    let status = match line.status {
        StallPaymentStatus::Paid => "paid",
        StallPaymentStatus::PaidBySchool => "paid_by_school",
        StallPaymentStatus::Voided => "voided",
        StallPaymentStatus::Other => "other",
    };
    Ok(vec![
        Value::Text(days::written(line.occurred_at, zone)?),
        Value::Text(days::written(line.posted_at, zone)?),
        Value::text(&line.reference),
        Value::text(kind(line.kind)),
        Value::text(status),
        Value::Yuan(line.amount),
        Value::Yuan(line.income),
        Value::Yuan(line.refunded),
        line.terminal
            .map_or(Value::text(""), |terminal| Value::Count(terminal.0)),
        Value::text(line.label.as_deref().unwrap_or_default()),
        Value::text(line.id.to_string()),
        Value::text(line.refund_of.map(|id| id.to_string()).unwrap_or_default()),
    ])
}
