//! Sums of what stalls take in, kept by the hour beside what they sum, in the same transaction.
//!
//! Whoever books a sale, a void or a refund at a merchant calls [`add`] with it: a handful of rows change for a whole upload.
//! [`super::raw`] adds the same up from what was booked, and says where the two differ.

use crate::Platform;
use crate::days::{Calendar, Day};
use crate::db::{Connection, ROWS, StoredEnum as _, assembled, int, placeholders, stored_enum};
use crate::error::{Error, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;
use yika_api::merchant::{Takings, Tally};
use yika_api::payment::PaymentKind;
use yika_api::terminal::TerminalKind;
use yika_api::{Fen, UnixMillis};

/// What a record that nobody is paid for counts at most. Its amount is nobody's word, and sums must not overflow.
const MOST_UNPAID: i64 = 100_000_000;

/// What was paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SoldKind {
    Purchase,
    LibraryFee,
}
stored_enum!(SoldKind {
    SoldKind::Purchase = "purchase",
    SoldKind::LibraryFee = "library_fee",
});

impl SoldKind {
    /// What terminals of a kind sell; settlement refuses anything else of them.
    pub(crate) const fn at(terminal: TerminalKind) -> Self {
        match terminal {
            TerminalKind::Library => Self::LibraryFee,
            TerminalKind::Pos | TerminalKind::Gate => Self::Purchase,
        }
    }

    pub(super) const fn to_api(self) -> PaymentKind {
        match self {
            Self::Purchase => PaymentKind::Purchase,
            Self::LibraryFee => PaymentKind::LibraryFee,
        }
    }
}

/// What a merchant's account was changed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taking {
    Sale,
    /// A sale is taken back as if it had not been.
    Void,
    Refund,
    /// A record of a sale that changed nothing.
    Unpaid,
}

/// Something to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) merchant: i64,
    pub(crate) terminal: i64,
    pub(crate) kind: SoldKind,
    pub(crate) what: Taking,
    pub(crate) amount: Fen,
    /// When it counts: the sale's time for a sale and its void, the booking's for the others.
    pub(crate) at: UnixMillis,
}

/// Where a sum stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cell {
    pub(super) merchant: i64,
    pub(super) day: Day,
    pub(super) hour: u8,
    pub(super) terminal: i64,
    pub(super) kind: SoldKind,
    pub(super) booked: Day,
}

/// How many and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) count: i64,
    pub(super) amount: Fen,
}

impl Part {
    fn add(&mut self, other: Self) -> Result<()> {
        self.count += other.count;
        self.amount = self.amount.checked_add(other.amount)?;
        Ok(())
    }

    fn tally(self) -> Tally {
        Tally {
            count: u64::try_from(self.count).unwrap_or_default(),
            amount: self.amount,
        }
    }
}

/// The sums of one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) sales: Part,
    pub(super) voids: Part,
    pub(super) refunds: Part,
    pub(super) unpaid: Part,
}

impl Sums {
    pub(super) fn part(&mut self, what: Taking) -> &mut Part {
        match what {
            Taking::Sale => &mut self.sales,
            Taking::Void => &mut self.voids,
            Taking::Refund => &mut self.refunds,
            Taking::Unpaid => &mut self.unpaid,
        }
    }

    pub(super) fn add(&mut self, other: &Self) -> Result<()> {
        self.sales.add(other.sales)?;
        self.voids.add(other.voids)?;
        self.refunds.add(other.refunds)?;
        self.unpaid.add(other.unpaid)
    }

    pub(super) fn less(&self, other: &Self) -> Result<Self> {
        let less = |this: Part, other: Part| -> Result<Part> {
            Ok(Part {
                count: this.count - other.count,
                amount: this.amount.checked_sub(other.amount)?,
            })
        };
        Ok(Self {
            sales: less(self.sales, other.sales)?,
            voids: less(self.voids, other.voids)?,
            refunds: less(self.refunds, other.refunds)?,
            unpaid: less(self.unpaid, other.unpaid)?,
        })
    }

    /// What the stall's account was changed by.
    pub(super) fn income(&self) -> Result<Fen> {
        let back = self.voids.amount.checked_add(self.refunds.amount)?;
        Ok(self.sales.amount.checked_sub(back)?)
    }

    pub(super) fn to_api(self) -> Result<Takings> {
        Ok(Takings {
            sales: self.sales.tally(),
            voids: self.voids.tally(),
            refunds: self.refunds.tally(),
            unpaid: self.unpaid.tally(),
            income: self.income()?,
        })
    }

    /// What [`SUMS`] selected.
    pub(super) fn read(row: &AnyRow) -> Result<Self> {
        let part = |count, amount| -> Result<Part> {
            Ok(Part {
                count: int(row, count)?,
                amount: Fen::new(row.try_get(amount)?),
            })
        };
        Ok(Self {
            sales: part("sales", "sales_amount")?,
            voids: part("voids", "voids_amount")?,
            refunds: part("refunds", "refunds_amount")?,
            unpaid: part("unpaid", "unpaid_amount")?,
        })
    }
}

/// The sums over rows, as [`Sums::read`] reads them.
pub(super) const SUMS: &str = "CAST(COALESCE(SUM(sales), 0) AS BIGINT) AS sales, \
     CAST(COALESCE(SUM(sales_amount), 0) AS BIGINT) AS sales_amount, \
     CAST(COALESCE(SUM(voids), 0) AS BIGINT) AS voids, \
     CAST(COALESCE(SUM(voids_amount), 0) AS BIGINT) AS voids_amount, \
     CAST(COALESCE(SUM(refunds), 0) AS BIGINT) AS refunds, \
     CAST(COALESCE(SUM(refunds_amount), 0) AS BIGINT) AS refunds_amount, \
     CAST(COALESCE(SUM(unpaid), 0) AS BIGINT) AS unpaid, \
     CAST(COALESCE(SUM(unpaid_amount), 0) AS BIGINT) AS unpaid_amount";

/// What a record's amount counts where nobody is paid for it.
pub(super) fn unpaid_amount(amount: Fen) -> Fen {
    amount.min(Fen::new(MOST_UNPAID))
}

/// The same in SQL, of the column `amount` of `s`.
pub(super) fn unpaid_amount_sql() -> String {
    format!("CASE WHEN s.amount > {MOST_UNPAID} THEN {MOST_UNPAID} ELSE s.amount END")
}

/// Counts what is booked `now`, within the transaction that books it.
pub(crate) async fn add(
    tx: &mut Connection,
    platform: &Platform,
    counted: &[Counted],
    now: UnixMillis,
) -> Result<()> {
    if counted.is_empty() {
        return Ok(());
    }
    let calendar = Calendar::of(&platform.config().school.time_zone)?;
    let booked = calendar.day_of(now)?;
    let mut cells: BTreeMap<Cell, Sums> = BTreeMap::new();
    for one in counted {
        let (day, hour) = calendar.hour_of(one.at)?;
        let cell = Cell {
            merchant: one.merchant,
            day,
            hour,
            terminal: one.terminal,
            kind: one.kind,
            booked,
        };
        let amount = match one.what {
            Taking::Unpaid => unpaid_amount(one.amount),
            Taking::Sale | Taking::Void | Taking::Refund => one.amount,
        };
        let part = Part { count: 1, amount };
        cells.entry(cell).or_default().part(one.what).add(part)?;
    }
    write(tx, &cells).await
}

/// Adds these sums to what stands there.
pub(super) async fn write(tx: &mut Connection, cells: &BTreeMap<Cell, Sums>) -> Result<()> {
    let cells: Vec<_> = cells.iter().collect();
    for chunk in cells.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO merchant_takings (merchant, day, hour, terminal, kind, booked, sales, sales_amount, voids, \
             voids_amount, refunds, refunds_amount, unpaid, unpaid_amount) VALUES {} \
             ON CONFLICT (merchant, day, hour, terminal, kind, booked) DO UPDATE SET \
             sales = merchant_takings.sales + excluded.sales, \
             sales_amount = merchant_takings.sales_amount + excluded.sales_amount, \
             voids = merchant_takings.voids + excluded.voids, \
             voids_amount = merchant_takings.voids_amount + excluded.voids_amount, \
             refunds = merchant_takings.refunds + excluded.refunds, \
             refunds_amount = merchant_takings.refunds_amount + excluded.refunds_amount, \
             unpaid = merchant_takings.unpaid + excluded.unpaid, \
             unpaid_amount = merchant_takings.unpaid_amount + excluded.unpaid_amount",
            placeholders(tx, 1, chunk.len(), 14)
        );
        let mut insert = sqlx::query(assembled(sql));
        for (cell, sums) in chunk {
            insert = insert
                .bind(cell.merchant)
                .bind(cell.day.to_string())
                .bind(i64::from(cell.hour))
                .bind(cell.terminal)
                .bind(cell.kind.to_stored())
                .bind(cell.booked.to_string());
            for part in [sums.sales, sums.voids, sums.refunds, sums.unpaid] {
                insert = insert.bind(part.count).bind(part.amount.get());
            }
        }
        insert.execute(&mut *tx).await?;
    }
    Ok(())
}

/// What is earned by days up to one, and not: of all terminals.
pub(super) async fn booked_through(db: &mut Connection, merchant: i64, through: Day) -> Result<Sums> {
    let sql = format!("SELECT {SUMS} FROM merchant_takings WHERE merchant = $1 AND booked <= $2");
    let row = sqlx::query(assembled(sql))
        .bind(merchant)
        .bind(through.to_string())
        .fetch_one(db)
        .await?;
    Sums::read(&row)
}

/// The kind of a payment at a merchant.
pub(crate) fn sold_kind(text: &str) -> Result<SoldKind> {
    SoldKind::from_stored(text).ok_or_else(|| Error::StoredValue {
        what: "payment.kind",
        value: text.to_owned(),
    })
}
