//! A stall's payments: sales and refunds by when they happened, the newest first. Who paid is not told.
//!
//! Most of them are somebody's bills. The few that are nobody's, because the school paid for them, come from the settled records
//! and are merged in; their ids are made of terminal and number, which sort after those of bills of the same instant.

use super::access::{self, Days, Place};
use crate::Platform;
use crate::days::Calendar;
use crate::db::{Connection, assembled, int, optional_uuid, uuid};
use crate::error::{Error, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use std::ops::Range;
use uuid::Uuid;
use yika_api::merchant::{StallPayment, StallPaymentPage, StallPaymentQuery, StallPaymentStatus};
use yika_api::payment::PaymentKind;
use yika_api::terminal::{MerchantId, TerminalId};
use yika_api::{Fen, ProblemCode, UnixMillis};

const DEFAULT_LIMIT: u16 = 100;
const MOST: u16 = 500;

/// What is listed.
#[derive(Clone, Debug)]
pub(super) struct Listing {
    pub(super) merchant: i64,
    pub(super) instants: Range<UnixMillis>,
    pub(super) terminal: Option<i64>,
}

/// The last line of the page before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    at: UnixMillis,
    id: Uuid,
}

impl Cursor {
    /// Before everything: the newest line comes next.
    const START: Self = Self {
        at: UnixMillis(i64::MAX),
        id: Uuid::max(),
    };

    pub(super) fn after(line: &StallPayment) -> Self {
        Self {
            at: line.occurred_at,
            id: line.id,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('_')?;
        let at = UnixMillis(at.parse().ok()?);
        Uuid::try_parse(id).ok().map(|id| Self { at, id })
    }

    fn write(self) -> String {
        format!("{}_{}", self.at.0, self.id)
    }
}

/// A page of the payments that a holder asks for.
pub(super) async fn page(
    platform: &Platform,
    holder: i64,
    merchant: MerchantId,
    query: &StallPaymentQuery,
) -> Result<StallPaymentPage> {
    let invalid = |why: &str| Error::refused_because(ProblemCode::InvalidRequest, why);
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(invalid("`limit` must be 1 to 500"));
    }
    let after = match &query.after {
        None => None,
        Some(text) => Some(
            Cursor::read(text)
                .ok_or_else(|| invalid("`after` is not a cursor of this list; begin without it"))?,
        ),
    };
    let mut snapshot = platform.db().snapshot().await?;
    let place = access::place(&mut snapshot, holder, merchant).await?;
    let days = Days::asked(platform, &place, query.from.as_deref(), query.to.as_deref())?;
    let listing = listing(platform, &place, days, query.terminal)?;
    let limit = usize::from(limit);
    let mut payments = lines(&mut snapshot, &listing, after, limit + 1).await?;
    let more = payments.len() > limit;
    payments.truncate(limit);
    let cursor = payments
        .last()
        .filter(|_| more)
        .map(|last| Cursor::after(last).write());
    Ok(StallPaymentPage {
        payments,
        cursor,
        as_of: platform.now(),
    })
}

pub(super) fn listing(
    platform: &Platform,
    place: &Place,
    days: Days,
    terminal: Option<TerminalId>,
) -> Result<Listing> {
    let calendar = Calendar::of(&platform.config().school.time_zone)?;
    Ok(Listing {
        merchant: place.id,
        instants: calendar.instants(days.first, days.last)?,
        terminal: terminal.map(|terminal| i64::try_from(terminal.0).unwrap_or(i64::MAX)),
    })
}

/// The next lines after a cursor, at most so many.
pub(super) async fn lines(
    db: &mut Connection,
    listing: &Listing,
    after: Option<Cursor>,
    most: usize,
) -> Result<Vec<StallPayment>> {
    let after = after.unwrap_or(Cursor::START);
    let mut lines = bills(db, listing, after, most).await?;
    lines.extend(paid_by_school(db, listing, after, most).await?);
    lines.sort_by_key(|line| std::cmp::Reverse((line.occurred_at, line.id)));
    lines.truncate(most);
    Ok(lines)
}

const BILL: &str = "SELECT p.id, p.kind, p.status, p.amount, p.refunded, p.refund_of, p.occurred_at, p.posted_at, p.reference, \
     t.id AS terminal, t.label, CASE WHEN d.phase IN ('open', 'review') THEN 1 ELSE 0 END AS live \
     FROM payment p LEFT JOIN payment o ON o.id = p.refund_of LEFT JOIN terminal t ON t.id = COALESCE(p.terminal, o.terminal) \
     LEFT JOIN dispute d ON d.id = p.dispute ";

/// The sentence that [`bills`] asks, for the test that looks at its plan.
pub(super) fn bills_sql() -> String {
    format!(
        "{BILL} WHERE p.merchant = $1 AND p.occurred_at >= $2 AND p.occurred_at < $3 AND p.occurred_at <= $4 \
         AND (p.occurred_at < $4 OR p.id < $5) AND ($6 = 0 OR COALESCE(p.terminal, o.terminal) = $6) \
         ORDER BY p.occurred_at DESC, p.id DESC LIMIT $7"
    )
}

async fn bills(
    db: &mut Connection,
    listing: &Listing,
    after: Cursor,
    most: usize,
) -> Result<Vec<StallPayment>> {
    let rows = sqlx::query(assembled(bills_sql()))
        .bind(listing.merchant)
        .bind(listing.instants.start.0)
        .bind(listing.instants.end.0)
        .bind(after.at.0)
        .bind(after.id.to_string())
        .bind(listing.terminal.unwrap_or_default())
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(db)
        .await?;
    rows.iter().map(bill).collect()
}

/// One payment of a stall as its list shows it.
pub(super) async fn one(db: &mut Connection, merchant: i64, id: Uuid) -> Result<StallPayment> {
    let row = sqlx::query(assembled(format!("{BILL} WHERE p.id = $1 AND p.merchant = $2")))
        .bind(id.to_string())
        .bind(merchant)
        .fetch_optional(db)
        .await?;
    let row = row.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    bill(&row)
}

fn bill(row: &AnyRow) -> Result<StallPayment> {
    let (kind, status): (String, String) = (row.try_get("kind")?, row.try_get("status")?);
    let signed = Fen::new(row.try_get("amount")?);
    // A holder's bill is below zero for a payment, above for a refund: the stall's side is the other one.
    let (kind, amount) = match kind.as_str() {
        "refund" => (PaymentKind::Refund, signed),
        other => (super::takings::sold_kind(other)?.to_api(), signed.checked_neg()?),
    };
    let status = match status.as_str() {
        "voided" => StallPaymentStatus::Voided,
        "disputed" => StallPaymentStatus::PaidBySchool,
        _ => StallPaymentStatus::Paid,
    };
    Ok(StallPayment {
        id: uuid(row, "id")?,
        kind,
        status,
        amount,
        income: match (status, kind) {
            (StallPaymentStatus::Voided, _) => Fen::ZERO,
            (_, PaymentKind::Refund) => amount.checked_neg()?,
            _ => amount,
        },
        refunded: Fen::new(row.try_get("refunded")?),
        refund_of: optional_uuid(row, "refund_of")?,
        is_disputed: int::<u8>(row, "live")? > 0,
        terminal: terminal(row)?,
        label: row.try_get("label")?,
        occurred_at: UnixMillis(row.try_get("occurred_at")?),
        posted_at: UnixMillis(row.try_get("posted_at")?),
        reference: row.try_get("reference")?,
    })
}

fn terminal(row: &AnyRow) -> Result<Option<TerminalId>> {
    let id: Option<i64> = row.try_get("terminal")?;
    Ok(id.and_then(|id| u64::try_from(id).ok()).map(TerminalId))
}

/// Sales that are on nobody's bills.
async fn paid_by_school(
    db: &mut Connection,
    listing: &Listing,
    after: Cursor,
    most: usize,
) -> Result<Vec<StallPayment>> {
    let (terminal, sequence) = parts_of(after.id);
    let rows = sqlx::query(
        "SELECT s.terminal, s.sequence, s.amount, s.terminal_time, s.received_at, t.label, t.kind, \
         (SELECT COUNT(*) FROM sale v WHERE v.terminal = s.terminal AND v.void_of = s.sequence) AS voids \
         FROM terminal t JOIN sale s ON s.terminal = t.id WHERE t.merchant = $1 AND s.result = 'paid_by_school' \
         AND s.terminal_time >= $2 AND s.terminal_time < $3 AND s.terminal_time <= $4 \
         AND (s.terminal_time < $4 OR s.terminal < $5 OR (s.terminal = $5 AND s.sequence < $6)) \
         AND ($7 = 0 OR t.id = $7) ORDER BY s.terminal_time DESC, s.terminal DESC, s.sequence DESC LIMIT $8",
    )
    .bind(listing.merchant)
    .bind(listing.instants.start.0)
    .bind(listing.instants.end.0)
    .bind(after.at.0)
    .bind(terminal)
    .bind(sequence)
    .bind(listing.terminal.unwrap_or_default())
    .bind(i64::try_from(most).unwrap_or(i64::MAX))
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let (terminal, sequence): (u64, u64) = (int(row, "terminal")?, int(row, "sequence")?);
            let amount = Fen::new(row.try_get("amount")?);
            let is_voided = row.try_get::<i64, _>("voids")? > 0;
            Ok(StallPayment {
                id: Uuid::from_u64_pair(terminal, sequence),
                kind: super::takings::SoldKind::at(crate::db::variant(row, "kind")?).to_api(),
                status: match is_voided {
                    true => StallPaymentStatus::Voided,
                    false => StallPaymentStatus::PaidBySchool,
                },
                amount,
                income: if is_voided { Fen::ZERO } else { amount },
                refunded: Fen::ZERO,
                refund_of: None,
                is_disputed: false,
                terminal: Some(TerminalId(terminal)),
                label: row.try_get("label")?,
                occurred_at: UnixMillis(row.try_get("terminal_time")?),
                posted_at: UnixMillis(row.try_get("received_at")?),
                reference: format!("{terminal}-{sequence}"),
            })
        })
        .collect()
}

/// Terminal and number in the id of a sale that is on nobody's bills; of a bill's id, beyond all of them.
fn parts_of(id: Uuid) -> (i64, i64) {
    let (terminal, sequence) = id.as_u64_pair();
    let within = |part: u64| i64::try_from(part).unwrap_or(i64::MAX);
    (within(terminal), within(sequence))
}
