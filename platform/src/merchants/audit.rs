//! What was done at stalls, and by whom: kept for ever, beside what it did.

use crate::db::{Connection, StoredEnum as _, optional_uuid, stored_enum, take_numbers, variant};
use crate::error::Result;
use sqlx::Row as _;
use uuid::Uuid;
use yika_api::{Fen, UnixMillis};

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    StaffSet,
    StaffRemoved,
    Voided,
    Refunded,
    Exported,
    Settled,
}
stored_enum!(What {
    What::StaffSet = "staff_set",
    What::StaffRemoved = "staff_removed",
    What::Voided = "voided",
    What::Refunded = "refunded",
    What::Exported = "exported",
    What::Settled = "settled",
});

/// Something that was done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed<'a> {
    pub(super) merchant: i64,
    /// Who did it; the card office where nobody is named.
    pub(super) holder: Option<i64>,
    pub(super) what: What,
    pub(super) whom: Option<i64>,
    /// The sale that was voided, or the refund that was made.
    pub(super) payment: Option<Uuid>,
    pub(super) amount: Option<Fen>,
    pub(super) note: Option<&'a str>,
    pub(super) transaction: Option<i64>,
}

impl Deed<'_> {
    /// Something that a holder did at a stall.
    pub(super) const fn of(merchant: i64, holder: i64) -> Self {
        Self {
            holder: Some(holder),
            ..Self::of_office(merchant)
        }
    }

    /// Something that the card office did.
    pub(super) const fn of_office(merchant: i64) -> Self {
        Self {
            merchant,
            holder: None,
            what: What::Exported,
            whom: None,
            payment: None,
            amount: None,
            note: None,
            transaction: None,
        }
    }
}

/// Writes it down.
pub(super) async fn record(tx: &mut Connection, deed: &Deed<'_>, now: UnixMillis) -> Result<()> {
    let number = take_numbers(tx, "merchant_event", 1).await?;
    sqlx::query(
        "INSERT INTO merchant_event (number, merchant, holder, what, whom, payment, amount, note, transaction_id, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(number)
    .bind(deed.merchant)
    .bind(deed.holder)
    .bind(deed.what.to_stored())
    .bind(deed.whom)
    .bind(deed.payment.map(|payment| payment.to_string()))
    .bind(deed.amount.map(Fen::get))
    .bind(deed.note)
    .bind(deed.transaction)
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Something that was done, as the card office reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerchantEvent {
    /// The number of who did it; absent for the card office.
    pub by: Option<String>,
    /// What it was: `staff_set`, `staff_removed`, `voided`, `refunded`, `exported` or `settled`.
    pub what: &'static str,
    /// The number of whose place at the stall was changed.
    pub whom: Option<String>,
    /// The sale that was voided, or the refund that was made.
    pub payment: Option<Uuid>,
    /// How much, where it moved money.
    pub amount: Option<Fen>,
    /// The reason that was given, the role, the days of an export, or the number of a transfer.
    pub note: Option<String>,
    /// When.
    pub at: UnixMillis,
}

/// What was done at a stall, the oldest first.
pub(super) async fn events(db: &mut Connection, merchant: i64) -> Result<Vec<MerchantEvent>> {
    let rows = sqlx::query(
        "SELECT h.number AS by_number, e.what, w.number AS whom_number, e.payment, e.amount, e.note, e.at \
         FROM merchant_event e LEFT JOIN holder h ON h.id = e.holder LEFT JOIN holder w ON w.id = e.whom \
         WHERE e.merchant = $1 ORDER BY e.number",
    )
    .bind(merchant)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(MerchantEvent {
                by: row.try_get("by_number")?,
                what: variant::<What>(row, "what")?.to_stored(),
                whom: row.try_get("whom_number")?,
                payment: optional_uuid(row, "payment")?,
                amount: row.try_get::<Option<i64>, _>("amount")?.map(Fen::new),
                note: row.try_get("note")?,
                at: UnixMillis(row.try_get("at")?),
            })
        })
        .collect()
}
