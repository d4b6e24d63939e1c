//! What a stall has earned on some days, out of the sums that are kept.

use super::access::{Days, Place, Role};
use super::takings::{SUMS, SoldKind, Sums};
use crate::Platform;
use crate::db::{Connection, assembled, int, variant};
use crate::error::Result;
use crate::terminals::terminals_of_merchant;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use yika_api::Fen;
use yika_api::merchant::{
    DayTakings, HourTakings, KindTakings, StallIncome, StallIncomeQuery, Takings, Tally, TerminalTakings,
    Till,
};
use yika_api::terminal::{MerchantId, TerminalId};

/// The income that a holder asks for.
pub(super) async fn income(
    platform: &Platform,
    holder: i64,
    merchant: MerchantId,
    query: &StallIncomeQuery,
) -> Result<StallIncome> {
    let mut snapshot = platform.db().snapshot().await?;
    let place = super::access::place(&mut snapshot, holder, merchant).await?;
    let days = Days::asked(platform, &place, query.from.as_deref(), query.to.as_deref())?;
    of_days(&mut snapshot, platform, &place, days, query.terminal).await
}

/// The income of a stall on some days, read from one moment.
pub(super) async fn of_days(
    db: &mut Connection,
    platform: &Platform,
    place: &Place,
    days: Days,
    terminal: Option<TerminalId>,
) -> Result<StallIncome> {
    let now = platform.now();
    let tills = terminals_of_merchant(db, place.id).await?;
    let range = Range {
        merchant: place.id,
        days,
        // A number that no terminal can have sold nothing.
        terminal: terminal.map(|terminal| i64::try_from(terminal.0).unwrap_or(i64::MAX)),
    };
    let total = range.sums(db, None).await?;
    let is_owner = place.role == Role::Owner;
    let settled = match (is_owner, super::statements::last_day(db, place.id).await?) {
        (false, _) => None,
        (true, None) => Some(Fen::ZERO),
        (true, Some(last)) => Some(range.sums(db, Some(&last)).await?.income()?),
    };
    let pending = match settled {
        Some(settled) => Some(total.income()?.checked_sub(settled)?),
        None => None,
    };
    let label = |id: i64| {
        let till = tills.iter().find(|till| till.row.id == id);
        till.map(|till| till.row.label.clone()).unwrap_or_default()
    };
    let by_day = |row: &AnyRow, takings| -> Result<_> {
        let day = row.try_get("part")?;
        Ok(DayTakings { day, takings })
    };
    let by_kind = |row: &AnyRow, takings| -> Result<_> {
        let kind = variant::<SoldKind>(row, "part")?.to_api();
        Ok(KindTakings { kind, takings })
    };
    let by_terminal = |row: &AnyRow, takings| -> Result<_> {
        Ok(TerminalTakings {
            terminal: TerminalId(int(row, "part")?),
            label: label(row.try_get("part")?),
            takings,
        })
    };
    let by_hour = |row: &AnyRow, takings| -> Result<_> {
        let hour = int(row, "part")?;
        Ok(HourTakings { hour, takings })
    };
    Ok(StallIncome {
        id: place.public_id(),
        name: place.name.clone(),
        role: place.role.to_api(),
        from: days.first.to_string(),
        to: days.last.to_string(),
        total: total.to_api()?,
        settled,
        pending,
        balance: is_owner.then_some(place.balance),
        disputed: disputed(db, platform, &range).await?,
        days: range.parts(db, "day", by_day).await?,
        kinds: range.parts(db, "kind", by_kind).await?,
        terminals: range.parts(db, "terminal", by_terminal).await?,
        hours: range.parts(db, "hour", by_hour).await?,
        tills: tills
            .iter()
            .map(|till| Till {
                id: till.row.public_id(),
                label: till.row.label.clone(),
                last_upload: till.uploaded_at,
                is_late: till.heard_at().0 < now.0 - platform.config().merchants.late_after_ms,
                is_frozen: till.row.is_frozen,
            })
            .collect(),
        as_of: now,
    })
}

/// What is added up.
struct Range {
    merchant: i64,
    days: Days,
    terminal: Option<i64>,
}

const OF_RANGE: &str = "FROM merchant_takings WHERE merchant = $1 AND day >= $2 AND day <= $3";

impl Range {
    fn where_clause(&self) -> String {
        match self.terminal {
            Some(_) => format!("{OF_RANGE} AND terminal = $4"),
            None => OF_RANGE.to_owned(),
        }
    }

    async fn rows(&self, db: &mut Connection, sql: String) -> Result<Vec<AnyRow>> {
        let mut query = sqlx::query(assembled(sql))
            .bind(self.merchant)
            .bind(self.days.first.to_string())
            .bind(self.days.last.to_string());
        if let Some(terminal) = self.terminal {
            query = query.bind(terminal);
        }
        Ok(query.fetch_all(db).await?)
    }

    /// The sums of all of it; of what was booked up to a day, where one is given. A day's name has nothing but digits in it.
    async fn sums(&self, db: &mut Connection, booked_through: Option<&crate::days::Day>) -> Result<Sums> {
        let booked = booked_through.map_or(String::new(), |day| format!(" AND booked <= '{day}'"));
        let sql = format!("SELECT {SUMS} {}{booked}", self.where_clause());
        let rows = self.rows(db, sql).await?;
        rows.first().map_or(Ok(Sums::default()), Sums::read)
    }

    /// The sums by one column.
    async fn parts<T>(
        &self,
        db: &mut Connection,
        column: &'static str,
        part: impl Fn(&AnyRow, Takings) -> Result<T>,
    ) -> Result<Vec<T>> {
        let sql = format!(
            "SELECT {column} AS part, {SUMS} {} GROUP BY {column} ORDER BY {column}",
            self.where_clause()
        );
        let rows = self.rows(db, sql).await?;
        rows.iter()
            .map(|row| part(row, Sums::read(row)?.to_api()?))
            .collect()
    }
}

/// Sales of these days that are disputed, less what of them is back.
async fn disputed(db: &mut Connection, platform: &Platform, range: &Range) -> Result<Tally> {
    let calendar = crate::days::Calendar::of(&platform.config().school.time_zone)?;
    let instants = calendar.instants(range.days.first, range.days.last)?;
    let row = sqlx::query(
        "SELECT COUNT(*) AS count, CAST(COALESCE(SUM(-p.amount - p.refunded), 0) AS BIGINT) AS amount \
         FROM dispute d JOIN payment p ON p.id = d.payment WHERE d.phase IN ('open', 'review') AND p.merchant = $1 \
         AND p.occurred_at >= $2 AND p.occurred_at < $3 AND ($4 = 0 OR p.terminal = $4)",
    )
    .bind(range.merchant)
    .bind(instants.start.0)
    .bind(instants.end.0)
    .bind(range.terminal.unwrap_or_default())
    .fetch_one(db)
    .await?;
    Ok(Tally {
        count: int(&row, "count")?,
        amount: Fen::new(row.try_get("amount")?),
    })
}
