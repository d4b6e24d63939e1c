//! The statement of a day: every movement of that day, in Beijing time, once; or with what a fault changes about it.

use super::faults::BankFault;
use super::orders::trace_text;
use super::{Bank, Failure};
use sqlx::Row as _;
use uuid::Uuid;
use yika_api::bank::StatementRow;
use yika_api::{Fen, UnixMillis};

const DAY: &str = "SELECT m.trace, m.order_id, m.is_reversal, m.at, o.direction, o.wallet, o.card_amount, o.fee, o.fault \
     FROM movements m JOIN orders o ON o.id = m.order_id \
     WHERE date(m.at / 1000 + 28800, 'unixepoch') = ?1 ORDER BY m.trace";

impl Bank {
    /// The day's rows, `yyyy-mm-dd`: as they are, or as the bank's file has them.
    pub(crate) async fn statement(&self, day: &str, with_faults: bool) -> Result<Vec<StatementRow>, Failure> {
        let is_day: bool = sqlx::query_scalar("SELECT date(?1) IS ?1")
            .bind(day)
            .fetch_one(&self.0.db)
            .await?;
        if !is_day {
            return Err(Failure::Missing);
        }
        let mut rows = Vec::new();
        for kept in sqlx::query(DAY).bind(day).fetch_all(&self.0.db).await? {
            let id: String = kept.try_get("order_id")?;
            let direction: String = kept.try_get("direction")?;
            let mut row = StatementRow {
                id: Uuid::parse_str(&id).unwrap_or_default(),
                direction: serde_json::from_str(&direction)?,
                is_reversal: kept.try_get("is_reversal")?,
                wallet: Fen::new(kept.try_get("wallet")?),
                card_amount: Fen::new(kept.try_get("card_amount")?),
                fee: Fen::new(kept.try_get("fee")?),
                at: UnixMillis(kept.try_get("at")?),
                trace: trace_text(kept.try_get("trace")?),
            };
            let fault: Option<String> = kept.try_get("fault")?;
            let is = |wanted: BankFault| with_faults && fault == Some(wanted.name());
            if is(BankFault::StatementMissing) {
                continue;
            }
            if is(BankFault::StatementDifferent) {
                row.wallet = Fen::new(row.wallet.get() + 1);
            }
            if is(BankFault::StatementExtra) {
                // An order that nobody placed, and the same one each time that the file is fetched.
                let extra = Uuid::from_u128(row.id.as_u128() ^ 1);
                rows.push(StatementRow {
                    id: extra,
                    trace: format!("{}X", row.trace),
                    ..row.clone()
                });
            }
            rows.push(row);
        }
        Ok(rows)
    }
}
