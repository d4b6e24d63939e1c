//! What of the journal the platform has, what it did with it, and what may be forgotten.

use rusqlite::params;
use yika_api::terminal::{SaleOutcome, SaleResult};
use yika_format::UnixMillis;

use super::{Store, from_sql, to_sql};
use crate::error::StoreError;

/// How long approvals and settled records are kept, in milliseconds: 35 days.
const KEEP_RECORDS_MS: u64 = 35 * 86_400_000;
/// How long the last sequence of a holder is kept, in milliseconds: 400 days, though codes are stale after minutes.
const KEEP_HOLDERS_MS: u64 = 400 * 86_400_000;

/// How much of the journal the platform has not answered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    /// Records without outcome.
    pub(crate) records: u64,
    /// The settled mark.
    pub(crate) settled: u64,
}

impl Store {
    /// Signed records from this number on, at most `limit`.
    pub(crate) fn records_from(&self, first: u64, limit: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT sequence, bytes FROM record WHERE sequence >= ?1 ORDER BY sequence LIMIT ?2",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![to_sql(first)?, limit], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?))
        })?;
        let mut records = Vec::new();
        for (expected, row) in (to_sql(first)?..).zip(rows) {
            let (sequence, bytes) = row?;
            if sequence != expected {
                return Err(StoreError::Pruned);
            }
            records.push(bytes);
        }
        Ok(records)
    }

    /// The first record whose outcome is not known.
    pub(crate) fn first_unanswered(&self) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT MIN(sequence) FROM record WHERE outcome IS NULL";
        let first: Option<i64> = self.connection.query_row(sql, [], |row| row.get(0))?;
        first.map(from_sql).transpose()
    }

    /// Keeps what became of a batch, and the mark, which never falls.
    pub(crate) fn keep_outcomes(
        &mut self,
        outcomes: &[SaleOutcome],
        settled: u64,
        mark: &[u8],
    ) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        for outcome in outcomes {
            transaction
                .prepare_cached("UPDATE record SET outcome = ?2 WHERE sequence = ?1")?
                .execute(params![to_sql(outcome.sequence)?, outcome_text(outcome.result)])?;
        }
        transaction.execute(
            "INSERT INTO settled (id, sequence, mark) VALUES (1, ?1, ?2)
             ON CONFLICT (id) DO UPDATE SET sequence = excluded.sequence, mark = excluded.mark
             WHERE excluded.sequence > sequence",
            params![to_sql(settled)?, mark],
        )?;
        Ok(yika_fault::commit!("terminal.outcomes", transaction.commit())?)
    }

    /// How much the platform has not answered for, and how far it has settled.
    pub(crate) fn pending(&self) -> Result<Pending, StoreError> {
        let sql = "SELECT (SELECT COUNT(*) FROM record WHERE outcome IS NULL), COALESCE((SELECT sequence FROM settled), 0)";
        let (records, settled) = self
            .connection
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Pending {
            records: from_sql(records)?,
            settled: from_sql(settled)?,
        })
    }

    /// Forgets what no decision needs any more. The last record stays: the next one holds its hash.
    pub(crate) fn prune(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        let before = |age_ms: u64| to_sql(now.0.saturating_sub(age_ms));
        let transaction = self.begin()?;
        transaction.execute(
            "DELETE FROM approval WHERE time_ms < ?1",
            [before(KEEP_RECORDS_MS)?],
        )?;
        transaction.execute(
            "DELETE FROM record WHERE time_ms < ?1 AND outcome IS NOT NULL
                 AND sequence <= COALESCE((SELECT sequence FROM settled), 0)
                 AND sequence < (SELECT MAX(sequence) FROM record)
                 AND NOT EXISTS (SELECT 1 FROM approval a WHERE a.record = record.sequence)",
            [before(KEEP_RECORDS_MS)?],
        )?;
        transaction.execute(
            "DELETE FROM holder WHERE seen_ms < ?1",
            [before(KEEP_HOLDERS_MS)?],
        )?;
        Ok(yika_fault::commit!("terminal.prune", transaction.commit())?)
    }
}

/// The words of the upload's answer.
fn outcome_text(result: SaleResult) -> &'static str {
    match result {
        SaleResult::Posted => "posted",
        SaleResult::PostedShort => "posted_short",
        SaleResult::PostedCounterReuse => "posted_counter_reuse",
        SaleResult::Disputed => "disputed",
        SaleResult::PaidBySchool => "paid_by_school",
        SaleResult::BorneByMerchant => "borne_by_merchant",
        SaleResult::Voided => "voided",
        SaleResult::Refused => "refused",
    }
}
