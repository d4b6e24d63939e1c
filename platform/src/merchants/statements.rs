//! Statements of stalls, and the settlements that end them: the school pays out what was booked up to a day.
//!
//! A settlement takes everything that was booked up to its day and is in none before it, whenever that was. So nothing falls
//! between two, even where a transaction of the day's last moment was committed after it.

use super::access;
use super::takings::{Part, Sums, booked_through};
use crate::Platform;
use crate::days::{Calendar, Day};
use crate::db::{Connection, int};
use crate::error::{Error, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use yika_api::merchant::{StallStatement, StallStatementPage, StallStatementQuery, Tally};
use yika_api::terminal::MerchantId;
use yika_api::{Fen, ProblemCode, UnixMillis};

const DEFAULT_LIMIT: u16 = 20;
const MOST: u16 = 100;

/// A page of the statements that a holder asks for.
pub(super) async fn page(
    platform: &Platform,
    holder: i64,
    merchant: MerchantId,
    query: &StallStatementQuery,
) -> Result<StallStatementPage> {
    let invalid = |why: &str| Error::refused_because(ProblemCode::InvalidRequest, why);
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(invalid("`limit` must be 1 to 100"));
    }
    let before = match &query.after {
        None => None,
        Some(text) => {
            let number: Option<i64> = text.parse().ok().filter(|&number| number > 0);
            Some(number.ok_or_else(|| invalid("`after` is not a cursor of this list; begin without it"))?)
        }
    };
    let mut snapshot = platform.db().snapshot().await?;
    let place = access::place(&mut snapshot, holder, merchant).await?;
    place.check_is_owner()?;
    let open = match before {
        None => Some(open(&mut snapshot, platform, place.id).await?.to_api()?),
        Some(_) => None,
    };
    let rows = sqlx::query(
        "SELECT * FROM merchant_settlement WHERE merchant = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
    )
    .bind(place.id)
    .bind(before.unwrap_or(i64::MAX))
    .bind(i64::from(limit) + 1)
    .fetch_all(&mut *snapshot)
    .await?;
    let more = rows.len() > usize::from(limit);
    let shown = rows.iter().take(usize::from(limit));
    let statements: Vec<StallStatement> = shown
        .map(|row| Settlement::read(row)?.to_api())
        .collect::<Result<_>>()?;
    let cursor = statements
        .last()
        .filter(|_| more)
        .and_then(|last| last.number)
        .map(|number| number.to_string());
    Ok(StallStatementPage {
        open,
        statements,
        cursor,
        as_of: platform.now(),
    })
}

/// A settlement, or what would be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settlement {
    pub(super) number: i64,
    pub(super) from: Day,
    pub(super) through: Day,
    pub(super) opening: Fen,
    pub(super) sums: Sums,
    pub(super) paid_out: Fen,
    /// The transfer's number and time; absent while it is open.
    pub(super) paid: Option<(String, UnixMillis)>,
}

impl Settlement {
    fn read(row: &AnyRow) -> Result<Self> {
        let part = |count, amount| -> Result<Part> {
            Ok(Part {
                count: int(row, count)?,
                amount: Fen::new(row.try_get(amount)?),
            })
        };
        Ok(Self {
            number: row.try_get("number")?,
            from: Day::stored(&row.try_get::<String, _>("from_day")?, "from_day")?,
            through: Day::stored(&row.try_get::<String, _>("through_day")?, "through_day")?,
            opening: Fen::new(row.try_get("opening")?),
            sums: Sums {
                sales: part("sales", "sales_amount")?,
                voids: part("voids", "voids_amount")?,
                refunds: part("refunds", "refunds_amount")?,
                unpaid: Part::default(),
            },
            paid_out: Fen::new(row.try_get("paid_out")?),
            paid: Some((row.try_get("reference")?, UnixMillis(row.try_get("at")?))),
        })
    }

    /// What the school owes before anything of it is paid out.
    pub(super) fn owed(&self) -> Result<Fen> {
        Ok(self.opening.checked_add(self.sums.income()?)?)
    }

    pub(super) fn closing(&self) -> Result<Fen> {
        Ok(self.owed()?.checked_sub(self.paid_out)?)
    }

    pub(super) fn to_api(&self) -> Result<StallStatement> {
        let tally = |part: Part| Tally {
            count: u64::try_from(part.count).unwrap_or_default(),
            amount: part.amount,
        };
        Ok(StallStatement {
            number: match self.paid {
                Some(_) => u64::try_from(self.number).ok(),
                None => None,
            },
            from: self.from.to_string(),
            to: self.through.to_string(),
            opening: self.opening,
            sales: tally(self.sums.sales),
            voids: tally(self.sums.voids),
            refunds: tally(self.sums.refunds),
            earned: self.sums.income()?,
            paid_out: self.paid_out,
            closing: self.closing()?,
            reference: self.paid.as_ref().map(|(reference, _)| reference.clone()),
            paid_at: self.paid.as_ref().map(|(_, at)| *at),
        })
    }
}

/// The newest settlement.
pub(super) async fn last(db: &mut Connection, merchant: i64) -> Result<Option<Settlement>> {
    let row =
        sqlx::query("SELECT * FROM merchant_settlement WHERE merchant = $1 ORDER BY number DESC LIMIT 1")
            .bind(merchant)
            .fetch_optional(db)
            .await?;
    row.map(|row| Settlement::read(&row)).transpose()
}

/// The day up to which all is settled.
pub(super) async fn last_day(db: &mut Connection, merchant: i64) -> Result<Option<Day>> {
    Ok(last(db, merchant).await?.map(|settlement| settlement.through))
}

/// The settlement that was made up to this day.
pub(super) async fn through(db: &mut Connection, merchant: i64, day: Day) -> Result<Option<Settlement>> {
    let row = sqlx::query("SELECT * FROM merchant_settlement WHERE merchant = $1 AND through_day = $2")
        .bind(merchant)
        .bind(day.to_string())
        .fetch_optional(db)
        .await?;
    row.map(|row| Settlement::read(&row)).transpose()
}

/// What has come since the last settlement, up to today.
async fn open(db: &mut Connection, platform: &Platform, merchant: i64) -> Result<Settlement> {
    let calendar = Calendar::of(&platform.config().school.time_zone)?;
    next(db, &calendar, merchant, calendar.day_of(platform.now())?).await
}

/// What is booked up to a day and in no settlement; nothing of it is paid out.
pub(super) async fn next(
    db: &mut Connection,
    calendar: &Calendar,
    merchant: i64,
    day: Day,
) -> Result<Settlement> {
    let last = last(db, merchant).await?;
    let from = match &last {
        Some(last) => last.through.next()?,
        None => calendar.day_of(since(db, merchant).await?)?,
    };
    let opening = match &last {
        Some(last) => last.closing()?,
        None => Fen::ZERO,
    };
    let sums = booked_through(db, merchant, day).await?;
    Ok(Settlement {
        number: last.map_or(0, |last| last.number) + 1,
        // Where somebody set a clock back.
        from: from.min(day),
        through: day,
        opening,
        sums: sums.less(&settled(db, merchant).await?)?,
        paid_out: Fen::ZERO,
        paid: None,
    })
}

/// When the merchant was added.
async fn since(db: &mut Connection, merchant: i64) -> Result<UnixMillis> {
    let row = sqlx::query("SELECT created_at FROM merchant WHERE id = $1")
        .bind(merchant)
        .fetch_one(db)
        .await?;
    Ok(UnixMillis(row.try_get("created_at")?))
}

/// All that is in settlements.
async fn settled(db: &mut Connection, merchant: i64) -> Result<Sums> {
    let sum = |column: &str| format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT) AS {column}");
    let columns = [
        "sales",
        "sales_amount",
        "voids",
        "voids_amount",
        "refunds",
        "refunds_amount",
    ]
    .map(sum);
    let sql = format!(
        "SELECT {}, CAST(0 AS BIGINT) AS unpaid, CAST(0 AS BIGINT) AS unpaid_amount FROM merchant_settlement \
         WHERE merchant = $1",
        columns.join(", ")
    );
    let row = sqlx::query(crate::db::assembled(sql))
        .bind(merchant)
        .fetch_one(db)
        .await?;
    let sums = Sums::read(&row)?;
    Ok(sums)
}

/// Keeps a settlement that is paid.
pub(super) async fn insert(
    tx: &mut Connection,
    merchant: i64,
    settlement: &Settlement,
    (reference, at): (&str, UnixMillis),
    transaction: Option<i64>,
) -> Result<()> {
    let sums = &settlement.sums;
    sqlx::query(
        "INSERT INTO merchant_settlement (merchant, number, from_day, through_day, opening, sales, sales_amount, voids, \
         voids_amount, refunds, refunds_amount, paid_out, closing, reference, at, transaction_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(merchant)
    .bind(settlement.number)
    .bind(settlement.from.to_string())
    .bind(settlement.through.to_string())
    .bind(settlement.opening.get())
    .bind(sums.sales.count)
    .bind(sums.sales.amount.get())
    .bind(sums.voids.count)
    .bind(sums.voids.amount.get())
    .bind(sums.refunds.count)
    .bind(sums.refunds.amount.get())
    .bind(settlement.paid_out.get())
    .bind(settlement.closing()?.get())
    .bind(reference)
    .bind(at.0)
    .bind(transaction)
    .execute(tx)
    .await?;
    Ok(())
}
