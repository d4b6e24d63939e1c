//! The SQL of settlement: what an upload needs of the books in a few queries, and its effects in a few statements.

use super::flow::{Alarm, Books, MinEpochSince, PastSale};
use super::verify::{KnownCredential, KnownEpoch, Payment};
use crate::db::{
    Connection, ROWS, StoredEnum, assembled, bytes, int, placeholders, stored_enum, take_numbers, variant,
};
use crate::error::{Error, Result};
use crate::ledger::{AccountId, TransactionId};
use sqlx::Row as _;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;
use uuid::Uuid;
use yika_api::terminal::SaleResult;
use yika_api::{Fen, UnixMillis};
use yika_format::credential::Credential;
use yika_format::{Epoch, MinEpoch, Pseudonym, PublicKey, Slot};

stored_enum!(SaleResult {
    SaleResult::Posted = "posted",
    SaleResult::PostedShort = "posted_short",
    SaleResult::PostedCounterReuse = "posted_counter_reuse",
    SaleResult::Disputed = "disputed",
    SaleResult::PaidBySchool = "paid_by_school",
    SaleResult::BorneByMerchant = "borne_by_merchant",
    SaleResult::Voided = "voided",
    SaleResult::Refused = "refused",
});
stored_enum!(Alarm {
    Alarm::CounterReuse = "counter_reuse",
    Alarm::CodeReplayed = "code_replayed",
    Alarm::PaidAfterRevocation = "paid_after_revocation",
    Alarm::ChainBroken = "chain_broken",
    Alarm::TerminalConflict = "terminal_conflict",
});

/// What is known of these credentials.
pub(super) async fn credentials(
    db: &mut Connection,
    pseudonyms: &[Pseudonym],
) -> Result<HashMap<Pseudonym, KnownCredential>> {
    let mut known: HashMap<Pseudonym, KnownCredential> = HashMap::new();
    for chunk in pseudonyms.chunks(ROWS) {
        let sql = format!(
            "SELECT e.pseudonym, e.holder, e.code_key, e.row_until, c.epoch, c.certificate, c.issued_at \
             FROM enrolment e JOIN credential_epoch c ON c.pseudonym = e.pseudonym WHERE e.pseudonym IN {}",
            placeholders(db, 1, 1, chunk.len())
        );
        let mut query = sqlx::query(assembled(sql));
        for pseudonym in chunk {
            query = query.bind(pseudonym.0.to_vec());
        }
        for row in query.fetch_all(&mut *db).await? {
            let pseudonym = Pseudonym(bytes(&row, "pseudonym")?);
            let certificate = Credential::decode(&bytes::<117>(&row, "certificate")?)?;
            let key = PublicKey::from_compressed(bytes(&row, "code_key")?)?;
            let row_until = crate::issuer::end_of_row(int(&row, "row_until")?, pseudonym, key, &certificate);
            let holder = row.try_get("holder")?;
            let credential = known.entry(pseudonym).or_insert_with(|| KnownCredential {
                holder,
                key,
                expanded: OnceLock::new(),
                row_until,
                epochs: Vec::new(),
            });
            credential.epochs.push(KnownEpoch {
                epoch: Epoch::new(int(&row, "epoch")?)?,
                attributes: certificate.body.attributes,
                issued_at: UnixMillis(row.try_get("issued_at")?),
            });
        }
    }
    Ok(known)
}

/// A record of this terminal that is settled already.
pub(super) struct SettledRecord {
    pub(super) hash: [u8; 32],
    pub(super) result: SaleResult,
}

/// The settled records of a terminal between two numbers, inclusive.
pub(super) async fn settled_records(
    db: &mut Connection,
    terminal: i64,
    (first, last): (u64, u64),
) -> Result<HashMap<u64, SettledRecord>> {
    let rows = sqlx::query(
        "SELECT sequence, record_hash, result FROM sale WHERE terminal = $1 AND sequence BETWEEN $2 AND $3",
    )
    .bind(terminal)
    .bind(to_i64(first))
    .bind(to_i64(last))
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            let record = SettledRecord {
                hash: bytes(row, "record_hash")?,
                result: variant(row, "result")?,
            };
            Ok((int(row, "sequence")?, record))
        })
        .collect()
}

/// Loads into the books which of these codes are used up.
pub(super) async fn load_used(db: &mut Connection, books: &mut Books, payments: &[Payment]) -> Result<()> {
    for chunk in payments.chunks(ROWS) {
        let sql = format!(
            "SELECT pseudonym, sequence, moment_hash FROM code_use WHERE (pseudonym, sequence) IN (VALUES {})",
            placeholders(db, 1, chunk.len(), 2)
        );
        let mut query = sqlx::query(assembled(sql));
        for payment in chunk {
            query = query
                .bind(payment.pseudonym.0.to_vec())
                .bind(i64::from(payment.sequence));
        }
        for row in query.fetch_all(&mut *db).await? {
            let code = (Pseudonym(bytes(&row, "pseudonym")?), int(&row, "sequence")?);
            let (moment, moments) = (bytes(&row, "moment_hash")?, books.used.entry(code).or_default());
            if !moments.contains(&moment) {
                moments.push(moment);
            }
        }
    }
    Ok(())
}

/// Loads into the books since when epochs of these credentials are refused.
pub(super) async fn load_min_epochs(
    db: &mut Connection,
    books: &mut Books,
    pseudonyms: &[Pseudonym],
) -> Result<()> {
    for chunk in pseudonyms.chunks(ROWS) {
        let sql = format!(
            "SELECT pseudonym, min_epoch, effective_at FROM min_epoch_change WHERE pseudonym IN {}",
            placeholders(db, 1, 1, chunk.len())
        );
        let mut query = sqlx::query(assembled(sql));
        for pseudonym in chunk {
            query = query.bind(pseudonym.0.to_vec());
        }
        for row in query.fetch_all(&mut *db).await? {
            books
                .min_epochs
                .entry(Pseudonym(bytes(&row, "pseudonym")?))
                .or_default()
                .push(MinEpochSince {
                    min_epoch: MinEpoch::new(int(&row, "min_epoch")?)?,
                    effective_at: UnixMillis(row.try_get("effective_at")?),
                });
        }
    }
    Ok(())
}

/// Loads into the books the sales of a terminal that records want to take back, with the accounts they charged.
pub(super) async fn load_voidable(
    db: &mut Connection,
    books: &mut Books,
    terminal: i64,
    sequences: &[u64],
) -> Result<()> {
    for chunk in sequences.chunks(ROWS) {
        let sql = format!(
            "SELECT s.sequence, s.amount, s.terminal_time, s.result, s.payment, a.holder, a.slot, \
             CASE WHEN p.refunded > 0 OR p.status = 'voided' THEN 1 ELSE 0 END AS is_back, \
             (SELECT COUNT(*) FROM sale v WHERE v.terminal = s.terminal AND v.void_of = s.sequence) AS voids \
             FROM sale s LEFT JOIN ledger_account a ON a.id = s.account LEFT JOIN payment p ON p.id = s.payment WHERE s.terminal = {} AND s.sequence IN {}",
            placeholders(db, 1, 1, 1),
            placeholders(db, 2, 1, chunk.len())
        );
        let mut query = sqlx::query(assembled(sql)).bind(terminal);
        for sequence in chunk {
            query = query.bind(to_i64(*sequence));
        }
        for row in query.fetch_all(&mut *db).await? {
            let charged = match row.try_get::<Option<i64>, _>("holder")? {
                Some(holder) => Some((holder, Slot::new(int(&row, "slot")?)?)),
                None => None,
            };
            let bill = row
                .try_get::<Option<String>, _>("payment")?
                .and_then(|text| Uuid::try_parse(&text).ok());
            let sale = PastSale {
                amount: Fen::new(row.try_get("amount")?),
                at: UnixMillis(row.try_get("terminal_time")?),
                result: variant(&row, "result")?,
                charged,
                bill: bill.zip(charged.map(|(holder, _)| holder)),
                is_taken_back: int::<u32>(&row, "voids")? > 0 || int::<u8>(&row, "is_back")? > 0,
            };
            books.sales.insert(int(&row, "sequence")?, sale);
        }
    }
    Ok(())
}

/// A settled record to be stored.
#[derive(Clone, Debug)]
pub(super) struct NewSale {
    pub(super) sequence: u64,
    pub(super) record: Vec<u8>,
    pub(super) hash: [u8; 32],
    pub(super) kind: u8,
    pub(super) amount: i64,
    pub(super) at: UnixMillis,
    pub(super) result: SaleResult,
    pub(super) reason: Option<&'static str>,
    pub(super) transaction: Option<TransactionId>,
    pub(super) account: Option<AccountId>,
    pub(super) bill: Option<Uuid>,
    pub(super) void_of: Option<u64>,
}

pub(super) async fn insert_sales(
    tx: &mut Connection,
    terminal: i64,
    sales: &[NewSale],
    received_at: UnixMillis,
) -> Result<()> {
    for chunk in sales.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO sale (terminal, sequence, record, record_hash, kind, amount, terminal_time, received_at, \
             result, reason, transaction_id, account, payment, void_of) VALUES {}",
            placeholders(tx, 1, chunk.len(), 14)
        );
        let mut insert = sqlx::query(assembled(sql));
        for sale in chunk {
            insert = insert
                .bind(terminal)
                .bind(to_i64(sale.sequence))
                .bind(sale.record.clone())
                .bind(sale.hash.to_vec())
                .bind(i64::from(sale.kind))
                .bind(sale.amount)
                .bind(sale.at.0)
                .bind(received_at.0)
                .bind(sale.result.to_stored())
                .bind(sale.reason)
                .bind(sale.transaction.map(|transaction| transaction.0))
                .bind(sale.account.map(|account| account.0))
                .bind(sale.bill.map(|bill| bill.to_string()))
                .bind(sale.void_of.map(to_i64));
        }
        insert.execute(&mut *tx).await?;
    }
    Ok(())
}

/// Marks codes as used up by these sales, and remembers the highest sequence of each credential.
pub(super) async fn insert_code_uses(
    tx: &mut Connection,
    terminal: i64,
    uses: &[(u64, Payment)],
) -> Result<()> {
    for chunk in uses.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO code_use (pseudonym, sequence, moment_hash, terminal, sale) VALUES {}",
            placeholders(tx, 1, chunk.len(), 5)
        );
        let mut insert = sqlx::query(assembled(sql));
        for (sale, payment) in chunk {
            insert = insert
                .bind(payment.pseudonym.0.to_vec())
                .bind(i64::from(payment.sequence))
                .bind(payment.moment.to_vec())
                .bind(terminal)
                .bind(to_i64(*sale));
        }
        insert.execute(&mut *tx).await?;
    }
    let mut highest: BTreeMap<Pseudonym, u32> = BTreeMap::new();
    for (_, payment) in uses {
        let seen = highest.entry(payment.pseudonym).or_default();
        *seen = payment.sequence.max(*seen);
    }
    let highest: Vec<_> = highest.into_iter().collect();
    for chunk in highest.chunks(ROWS) {
        let sql = format!(
            "WITH seen (name, highest) AS (VALUES {}) UPDATE enrolment SET highest_settled = seen.highest \
             FROM seen WHERE enrolment.pseudonym = seen.name AND enrolment.highest_settled < seen.highest",
            placeholders(tx, 1, chunk.len(), 2)
        );
        let mut update = sqlx::query(assembled(sql));
        for (pseudonym, sequence) in chunk {
            update = update.bind(pseudonym.0.to_vec()).bind(i64::from(*sequence));
        }
        update.execute(&mut *tx).await?;
    }
    Ok(())
}

/// Leaves word for the card office.
pub(super) async fn insert_alarms(
    tx: &mut Connection,
    terminal: i64,
    alarms: &[(u64, Alarm, Option<i64>)],
    now: UnixMillis,
) -> Result<()> {
    let first = take_numbers(
        tx,
        "alarm",
        to_i64(u64::try_from(alarms.len()).unwrap_or(u64::MAX)),
    )
    .await?;
    for (id, (sequence, alarm, holder)) in (first..).zip(alarms) {
        sqlx::query(
            "INSERT INTO alarm (id, at, kind, terminal, sequence, holder) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(now.0)
        .bind(alarm.to_stored())
        .bind(terminal)
        .bind(to_i64(*sequence))
        .bind(*holder)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// Moves a terminal on to its next record.
pub(super) async fn advance_terminal(
    tx: &mut Connection,
    terminal: i64,
    next_sequence: u64,
    chain_hash: &[u8; 32],
) -> Result<()> {
    sqlx::query("UPDATE terminal SET next_sequence = $2, chain_hash = $3 WHERE id = $1")
        .bind(terminal)
        .bind(to_i64(next_sequence))
        .bind(chain_hash.to_vec())
        .execute(tx)
        .await?;
    Ok(())
}

/// Keeps a record that contradicts a settled one, and freezes its terminal.
pub(super) async fn freeze_over_conflict(
    tx: &mut Connection,
    terminal: i64,
    sequence: u64,
    hash: &[u8; 32],
    record: &[u8],
    now: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO sale_conflict (terminal, sequence, record_hash, record, received_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO NOTHING",
    )
    .bind(terminal)
    .bind(to_i64(sequence))
    .bind(hash.to_vec())
    .bind(record.to_vec())
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE terminal SET frozen = 1 WHERE id = $1")
        .bind(terminal)
        .execute(&mut *tx)
        .await?;
    insert_alarms(tx, terminal, &[(sequence, Alarm::TerminalConflict, None)], now).await
}

/// How many records were settled with each result.
pub(crate) async fn result_counts(db: &mut Connection) -> Result<Vec<(SaleResult, u64)>> {
    counts(
        db,
        "SELECT result AS kind, COUNT(*) AS count FROM sale GROUP BY result ORDER BY result",
    )
    .await
}

/// How many alarms of each kind there are.
pub(crate) async fn alarm_counts(db: &mut Connection) -> Result<Vec<(String, u64)>> {
    let rows = sqlx::query("SELECT kind, COUNT(*) AS count FROM alarm GROUP BY kind ORDER BY kind")
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("kind")?, int(row, "count")?)))
        .collect()
}

async fn counts<T: StoredEnum>(db: &mut Connection, sql: &'static str) -> Result<Vec<(T, u64)>> {
    let rows = sqlx::query(sql).fetch_all(db).await?;
    rows.iter()
        .map(|row| Ok((variant(row, "kind")?, int(row, "count")?)))
        .collect()
}

/// A number of the wire as the database holds it. Those beyond its range are refused before they come here.
fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Refuses numbers that the database cannot hold.
pub(super) fn check_range(number: u64) -> Result<()> {
    match i64::try_from(number) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::refused_because(
            yika_api::ProblemCode::InvalidRequest,
            "a number is out of range",
        )),
    }
}
