//! What the terminal remembers of holders, and the one commit that makes an approval count.

use rusqlite::{OptionalExtension as _, Row, params};
use yika_format::confirmation::Confirmation;
use yika_format::credential::HolderClass;
use yika_format::sale::{SaleKind, SignedSale};
use yika_format::verifier::SaleId;
use yika_format::{Amount, Counter, Epoch, Pseudonym, Sequence, Slot, UnixMillis};

use super::{Store, array, from_sql, to_sql};
use crate::error::StoreError;
use crate::journal::Head;
use crate::verify::{Approval, Payment};

/// An approval that does not count yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewApproval<'a> {
    pub(crate) approval: &'a Approval,
    pub(crate) pseudonym: Pseudonym,
    pub(crate) sequence: Sequence,
    pub(crate) dynamic: [u8; 9],
    /// The payment's record; `None` for an identity.
    pub(crate) record: Option<&'a SignedSale>,
    /// Whether the approval's time is certain, so that no earlier one is believed any more.
    pub(crate) is_anchored: bool,
}

/// An approval found again, with the holder that it was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recalled {
    pub(crate) pseudonym: Pseudonym,
    pub(crate) approval: Approval,
}

/// A payment that may be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VoidTarget {
    pub(crate) pseudonym: Pseudonym,
    pub(crate) payment: SignedSale,
    pub(crate) is_void: bool,
}

const APPROVAL: &str = "SELECT a.sale, a.pseudonym, a.class, a.slot, a.time_ms, a.record, r.amount,
        EXISTS (SELECT 1 FROM record v WHERE v.voids = a.record)
    FROM approval a LEFT JOIN record r ON r.sequence = a.record";

impl Store {
    /// The highest sequence accepted of this holder.
    pub(crate) fn last_sequence(&self, pseudonym: Pseudonym) -> Result<Option<Sequence>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT last_sequence FROM holder WHERE pseudonym = ?1")?;
        let number: Option<u32> = statement.query_row([pseudonym.0], |row| row.get(0)).optional()?;
        number.map(sequence).transpose()
    }

    /// The sum of this holder's payments here that are neither settled nor taken back.
    pub(crate) fn spent(&self, pseudonym: Pseudonym) -> Result<Amount, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT COALESCE(SUM(amount), 0) FROM record r
             WHERE pseudonym = ?1 AND kind <> 2 AND sequence > COALESCE((SELECT sequence FROM settled), 0)
                 AND NOT EXISTS (SELECT 1 FROM record v WHERE v.voids = r.sequence)",
        )?;
        let sum = statement.query_row([pseudonym.0], |row| row.get(0))?;
        Ok(Amount(from_sql(sum)?))
    }

    /// What was approved for this sale.
    pub(crate) fn approval_for(&self, sale: SaleId) -> Result<Option<Recalled>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("{APPROVAL} WHERE a.sale = ?1"))?;
        statement.query_row([sale.0], recalled).optional()?.transpose()
    }

    /// What was approved by exactly this code.
    pub(crate) fn approval_by(
        &self,
        pseudonym: Pseudonym,
        dynamic: [u8; 9],
    ) -> Result<Option<Approval>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("{APPROVAL} WHERE a.pseudonym = ?1 AND a.dynamic = ?2"))?;
        let found = statement
            .query_row(params![pseudonym.0, dynamic], recalled)
            .optional()?
            .transpose()?;
        Ok(found.map(|found| found.approval))
    }

    /// What was approved last.
    pub(crate) fn last_approval(&self) -> Result<Option<Approval>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("{APPROVAL} ORDER BY a.id DESC LIMIT 1"))?;
        let found = statement.query_row([], recalled).optional()?.transpose()?;
        Ok(found.map(|found| found.approval))
    }

    /// The end of the journal.
    pub(crate) fn head(&self) -> Result<Head, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT sequence, hash FROM record ORDER BY sequence DESC LIMIT 1")?;
        let row: Option<(i64, Vec<u8>)> = statement
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map_or(Ok(Head::START), |(sequence, hash)| {
            Ok(Head {
                sequence: from_sql(sequence)?,
                hash: array(&hash)?,
            })
        })
    }

    /// Makes an approval count: sequence, record and time in one durable step. After an error nothing of it holds.
    pub(crate) fn commit_approval(&mut self, new: &NewApproval<'_>) -> Result<(), StoreError> {
        let approval = new.approval;
        let time_ms = to_sql(approval.time.0)?;
        let transaction = self.begin()?;
        transaction
            .prepare_cached(
                "INSERT INTO holder (pseudonym, last_sequence, seen_ms) VALUES (?1, ?2, ?3)
                 ON CONFLICT (pseudonym) DO UPDATE SET last_sequence = excluded.last_sequence, seen_ms = excluded.seen_ms",
            )?
            .execute(params![new.pseudonym.0, new.sequence.get(), time_ms])?;
        if let Some(record) = new.record {
            insert_record(&transaction, new.pseudonym, record)?;
            if record.record.nonce != 0 {
                transaction.execute("DELETE FROM confirmation", [])?;
            }
        }
        let slot = approval.payment.map(|payment| payment.slot.get());
        let record = approval
            .payment
            .map(|payment| to_sql(payment.record))
            .transpose()?;
        transaction
            .prepare_cached(
                "INSERT INTO approval (sale, pseudonym, dynamic, class, slot, time_ms, record)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                approval.sale.0,
                new.pseudonym.0,
                new.dynamic,
                approval.holder_class as u8,
                slot,
                time_ms,
                record
            ])?;
        if new.is_anchored {
            raise_floor(&transaction, time_ms)?;
        }
        Ok(yika_fault::commit!("terminal.approve", transaction.commit())?)
    }

    /// The payment that was taken last, void or not.
    pub(crate) fn last_payment(&self) -> Result<Option<VoidTarget>, StoreError> {
        let sql = "SELECT pseudonym, bytes, EXISTS (SELECT 1 FROM record v WHERE v.voids = r.sequence)
            FROM record r WHERE kind <> 2 ORDER BY sequence DESC LIMIT 1";
        let row = self
            .connection
            .query_row(sql, [], |row| {
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?))
            })
            .optional()?;
        row.map(|(pseudonym, bytes, is_void)| {
            Ok(VoidTarget {
                pseudonym: Pseudonym(array(&pseudonym)?),
                payment: SignedSale::decode(&bytes).map_err(|_| StoreError::Corrupt)?,
                is_void,
            })
        })
        .transpose()
    }

    /// Takes a payment back, in one durable step.
    pub(crate) fn commit_void(
        &mut self,
        pseudonym: Pseudonym,
        record: &SignedSale,
    ) -> Result<(), StoreError> {
        let transaction = self.begin()?;
        insert_record(&transaction, pseudonym, record)?;
        raise_floor(&transaction, to_sql(record.record.time.0)?)?;
        Ok(yika_fault::commit!("terminal.void", transaction.commit())?)
    }

    /// Keeps the amount that a holder is asked to confirm, in place of the one before.
    pub(crate) fn ask_confirmation(
        &mut self,
        confirmation: &Confirmation,
        asked: UnixMillis,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO confirmation (id, nonce, amount, asked_ms) VALUES (1, ?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET nonce = excluded.nonce, amount = excluded.amount, asked_ms = excluded.asked_ms";
        let (amount, asked) = (to_sql(confirmation.amount.0)?, to_sql(asked.0)?);
        let values = params![confirmation.nonce.to_be_bytes(), amount, asked];
        yika_fault::commit!("terminal.confirm", self.connection.execute(sql, values))?;
        Ok(())
    }

    /// The amount that a holder was asked to confirm and has not confirmed yet, and when.
    pub(crate) fn confirmation(
        &self,
        terminal: u64,
    ) -> Result<Option<(Confirmation, UnixMillis)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT nonce, amount, asked_ms FROM confirmation")?;
        let row: Option<(Vec<u8>, i64, i64)> = statement
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        row.map(|(nonce, amount, asked)| {
            let confirmation = Confirmation {
                terminal,
                nonce: u64::from_be_bytes(array(&nonce)?),
                amount: Amount(from_sql(amount)?),
            };
            Ok((confirmation, UnixMillis(from_sql(asked)?)))
        })
        .transpose()
    }
}

fn insert_record(
    transaction: &rusqlite::Transaction<'_>,
    pseudonym: Pseudonym,
    sale: &SignedSale,
) -> Result<(), StoreError> {
    let record = &sale.record;
    let (kind, voids) = match record.kind {
        SaleKind::Purchase(_) => (1, None),
        SaleKind::Void { sequence } => (2, Some(to_sql(sequence)?)),
        SaleKind::LibraryFee(_) => (3, None),
    };
    transaction
        .prepare_cached(
            "INSERT INTO record (sequence, kind, pseudonym, amount, voids, time_ms, hash, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            to_sql(record.sequence)?,
            kind,
            pseudonym.0,
            to_sql(record.amount.0)?,
            voids,
            to_sql(record.time.0)?,
            record.hash(),
            sale.to_bytes()
        ])?;
    Ok(())
}

fn raise_floor(transaction: &rusqlite::Transaction<'_>, passed_ms: i64) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE clock SET floor_ms = MAX(floor_ms, ?1)")?
        .execute([passed_ms])?;
    Ok(())
}

/// Reads a row of [`APPROVAL`]: what SQLite says on the outside, what the values are on the inside.
fn recalled(row: &Row<'_>) -> rusqlite::Result<Result<Recalled, StoreError>> {
    let (sale, pseudonym): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
    let (class, slot): (u8, Option<u8>) = (row.get(2)?, row.get(3)?);
    let (time, record, amount): (i64, Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?, row.get(6)?);
    let is_void = row.get(7)?;
    let read = || {
        let payment = match (record, amount, slot) {
            (None, _, None) => None,
            (Some(record), Some(amount), Some(slot)) => Some(Payment {
                record: from_sql(record)?,
                amount: Amount(from_sql(amount)?),
                slot: Slot::new(slot).map_err(|_| StoreError::Corrupt)?,
                is_void,
            }),
            _ => return Err(StoreError::Corrupt),
        };
        Ok(Recalled {
            pseudonym: Pseudonym(array(&pseudonym)?),
            approval: Approval {
                sale: SaleId(array(&sale)?),
                holder_class: holder_class(class)?,
                time: UnixMillis(from_sql(time)?),
                payment,
            },
        })
    };
    Ok(read())
}

fn holder_class(number: u8) -> Result<HolderClass, StoreError> {
    let known = [
        HolderClass::Student,
        HolderClass::Staff,
        HolderClass::Visitor,
        HolderClass::Other,
    ];
    known
        .into_iter()
        .find(|&class| class as u8 == number)
        .ok_or(StoreError::Corrupt)
}

fn sequence(number: u32) -> Result<Sequence, StoreError> {
    let [_, epoch, high, low] = number.to_be_bytes();
    let parts =
        Epoch::new(epoch).and_then(|epoch| Ok((epoch, Counter::new(u16::from_be_bytes([high, low]))?)));
    let (epoch, counter) = parts.map_err(|_| StoreError::Corrupt)?;
    Ok(Sequence::new(epoch, counter))
}
