//! An upload from its bytes to its reply: read, verify, load, decide, book, commit.

use super::flow::{self, Alarm, Bill, Books, Record, Settled};
use super::store::{self, NewSale, SettledRecord};
use super::verify::{Knowledge, Payment, Verdict, verify_all};
use crate::accounts::{NewPayment, add_payments, funds_of_slots, void_payment};
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use crate::issuer::{
    api_millis, mark_holder_dirty, revocations_validity, set_epoch_due, settled_mark, terminal_policy,
};
use crate::ledger::{AccountKind, TransactionId, account_of_merchant, book, school_account};
use crate::merchants::{self, Counted, SoldKind, Taking};
use crate::random::new_id;
use crate::terminals::{Terminal, TerminalRow, lock_terminal};
use crate::{Platform, disputes};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;
use yika_api::payment::PaymentKind;
use yika_api::terminal::{SaleOutcome, SaleUpload, SaleUploadReply};
use yika_api::{Fen, ProblemCode, UnixMillis};
use yika_format::Pseudonym;
use yika_format::lists::SettledMark;
use yika_format::sale::{SaleKind, SignedSale};

const MAX_RECORDS: usize = 500;

/// Settles an upload, whole or not at all.
pub(super) async fn settle_upload(
    platform: &Platform,
    terminal: &Terminal,
    upload: SaleUpload,
) -> Result<SaleUploadReply> {
    let now = platform.now();
    let sales = Arc::new(read_records(&terminal.0, &upload)?);
    let verdicts = verify(platform, &terminal.0, &sales, now).await?;
    let id = terminal.0.id;
    match transact!(platform.db().writer(), |tx| {
        settle(platform, tx, id, &sales, &verdicts, now).await
    })? {
        Upload::Settled {
            terminal,
            outcomes,
            next_sequence,
        } => {
            yika_fault::reach("platform.settle.after-commit");
            reply(platform, &terminal, next_sequence, outcomes, now)
        }
        Upload::Contradicted => {
            tracing::warn!(terminal = id, "frozen: it signed two records of one number");
            Err(Error::refused(ProblemCode::TerminalFrozen))
        }
    }
}

/// What an upload comes to. Both are committed.
enum Upload {
    /// All records are settled, now or before.
    Settled {
        terminal: TerminalRow,
        outcomes: Vec<SaleOutcome>,
        next_sequence: u64,
    },
    /// A record contradicts a settled one: the evidence is kept, the terminal frozen.
    Contradicted,
}

/// The transaction of an upload.
async fn settle(
    platform: &Platform,
    tx: &mut Connection,
    terminal: i64,
    sales: &[SignedSale],
    verdicts: &[Verdict],
    now: UnixMillis,
) -> Result<Upload> {
    let terminal = lock_terminal(tx, terminal, now).await?;
    if terminal.is_frozen {
        return Err(Error::refused(ProblemCode::TerminalFrozen));
    }
    let Some(numbers) = sales
        .first()
        .zip(sales.last())
        .map(|(a, b)| (a.record.sequence, b.record.sequence))
    else {
        return Ok(Upload::Settled {
            next_sequence: terminal.next_sequence,
            outcomes: Vec::new(),
            terminal,
        });
    };
    let settled_before = store::settled_records(tx, terminal.id, numbers).await?;
    if let Some(sale) = contradiction(sales, &settled_before) {
        let (record, hash) = (sale.to_bytes(), sale.record.hash());
        if !is_from(&terminal, sale) {
            return Err(invalid(
                "a record contradicts a settled one and is not signed by this terminal",
            ));
        }
        store::freeze_over_conflict(tx, terminal.id, sale.record.sequence, &hash, &record, now).await?;
        return Ok(Upload::Contradicted);
    }
    if numbers.0 > terminal.next_sequence {
        return Err(invalid(&format!(
            "record {} is missing; upload from there",
            terminal.next_sequence
        )));
    }
    let batch = Batch {
        platform,
        terminal: &terminal,
        sales,
        verdicts,
        settled_before,
        now,
    };
    let (outcomes, next_sequence) = batch.settle(tx).await?;
    yika_fault::reach("platform.settle.before-commit");
    Ok(Upload::Settled {
        terminal,
        outcomes,
        next_sequence,
    })
}

fn invalid(why: &str) -> Error {
    Error::refused_because(ProblemCode::InvalidRequest, why)
}

/// Reads the records: this terminal's, numbered without a gap.
fn read_records(terminal: &TerminalRow, upload: &SaleUpload) -> Result<Vec<SignedSale>> {
    if upload.records.len() > MAX_RECORDS {
        return Err(invalid("at most 500 records in an upload"));
    }
    let mut sales: Vec<SignedSale> = Vec::with_capacity(upload.records.len());
    for (index, bytes) in upload.records.iter().enumerate() {
        let sale = SignedSale::decode(&bytes.0)
            .map_err(|error| invalid(&format!("record {index} of the upload does not read: {error}")))?;
        if i64::try_from(sale.record.terminal) != Ok(terminal.id) {
            return Err(invalid(&format!(
                "record {index} of the upload is another terminal's"
            )));
        }
        store::check_range(sale.record.sequence)?;
        if sales
            .last()
            .is_some_and(|last| last.record.sequence.checked_add(1) != Some(sale.record.sequence))
        {
            return Err(invalid(&format!(
                "record {index} of the upload does not follow the one before it"
            )));
        }
        sales.push(sale);
    }
    Ok(sales)
}

async fn verify(
    platform: &Platform,
    terminal: &TerminalRow,
    sales: &Arc<Vec<SignedSale>>,
    now: UnixMillis,
) -> Result<Vec<Verdict>> {
    let pseudonyms: BTreeSet<Pseudonym> = sales
        .iter()
        .filter_map(|sale| sale.record.code())
        .map(|code| code.moment().pseudonym)
        .collect();
    let pseudonyms: Vec<Pseudonym> = pseudonyms.into_iter().collect();
    let mut reader = platform.db().read().await?;
    let credentials = store::credentials(&mut reader, &pseudonyms).await?;
    drop(reader);
    let knowledge = Knowledge {
        keys: platform.keys(),
        policy: terminal_policy(platform),
        terminal_key: expanded(terminal)?,
        terminal_kind: terminal.kind,
        merchant: terminal.merchant,
        credentials,
        now,
    };
    // On all processors, so one upload after the other: the first is at the books while the second is verified.
    let _turn = platform.verifying().lock().await;
    verify_all(Arc::new(knowledge), Arc::clone(sales)).await
}

fn expanded(terminal: &TerminalRow) -> Result<yika_format::ExpandedKey> {
    let unusable = |_| Error::StoredValue {
        what: "terminal.public_key",
        value: format!("{:?}", terminal.key),
    };
    terminal.key.expand().map_err(unusable)
}

fn is_from(terminal: &TerminalRow, sale: &SignedSale) -> bool {
    expanded(terminal).is_ok_and(|key| sale.verify(&key).is_ok())
}

/// The first record that is not the one which was settled under its number.
fn contradiction<'a>(
    sales: &'a [SignedSale],
    settled: &HashMap<u64, SettledRecord>,
) -> Option<&'a SignedSale> {
    sales.iter().find(|sale| {
        settled
            .get(&sale.record.sequence)
            .is_some_and(|settled| settled.hash != sale.record.hash())
    })
}

fn reply(
    platform: &Platform,
    terminal: &TerminalRow,
    next_sequence: u64,
    outcomes: Vec<SaleOutcome>,
    now: UnixMillis,
) -> Result<SaleUploadReply> {
    let mark = SettledMark {
        terminal: terminal.public_id().0,
        sequence: next_sequence - 1,
    };
    let settled_mark = settled_mark(&platform.keys(), &mark, now)?.into();
    Ok(SaleUploadReply {
        outcomes,
        next_sequence,
        settled_mark,
    })
}

/// The records of an upload within their transaction.
struct Batch<'a> {
    platform: &'a Platform,
    terminal: &'a TerminalRow,
    sales: &'a [SignedSale],
    verdicts: &'a [Verdict],
    settled_before: HashMap<u64, SettledRecord>,
    now: UnixMillis,
}

/// A record that is settled now, with what was decided.
struct Decided<'a> {
    sale: &'a SignedSale,
    hash: [u8; 32],
    verdict: &'a Verdict,
    settled: Settled,
    is_chain_broken: bool,
}

impl<'a> Batch<'a> {
    async fn settle(&self, tx: &mut Connection) -> Result<(Vec<SaleOutcome>, u64)> {
        let Some(merchant) = self.terminal.merchant else {
            return Err(Error::refused_because(
                ProblemCode::Forbidden,
                "a gate sells nothing",
            ));
        };
        let mut books = self.load(tx, merchant).await?;
        let decided = self.decide(&mut books)?;
        self.store(tx, &decided).await?;
        self.count(tx, merchant, &books, &decided).await?;
        let next = decided
            .last()
            .map_or(self.terminal.next_sequence, |last| last.sale.record.sequence + 1);
        let mut new = decided.iter().map(|decided| decided.settled.result);
        let outcomes = self.sales.iter().filter_map(|sale| {
            let sequence = sale.record.sequence;
            match self.settled_before.get(&sequence) {
                Some(before) => Some(SaleOutcome {
                    sequence,
                    result: before.result,
                    repeated: true,
                }),
                None => new.next().map(|result| SaleOutcome {
                    sequence,
                    result,
                    repeated: false,
                }),
            }
        });
        Ok((outcomes.collect(), next))
    }

    /// The records that are not settled yet, with their verdicts.
    fn new_records(&self) -> impl Iterator<Item = (&'a SignedSale, &'a Verdict)> {
        let pairs = self.sales.iter().zip(self.verdicts);
        pairs.filter(|(sale, _)| !self.settled_before.contains_key(&sale.record.sequence))
    }

    async fn load(&self, tx: &mut Connection, merchant: i64) -> Result<Books> {
        let missing = || Error::StoredValue {
            what: "ledger_account.merchant",
            value: merchant.to_string(),
        };
        let mut books = Books {
            merchant: account_of_merchant(tx, merchant).await?.ok_or_else(missing)?,
            school_risk: school_account(tx, AccountKind::SchoolRisk).await?,
            funds: HashMap::new(),
            used: HashMap::new(),
            min_epochs: HashMap::new(),
            revocations: HashMap::new(),
            sales: HashMap::new(),
        };
        let (mut payments, mut voids, mut versions): (Vec<Payment>, Vec<u64>, BTreeSet<u64>) =
            Default::default();
        for (sale, verdict) in self.new_records() {
            match verdict {
                Verdict::Payment(payment) => {
                    payments.push(*payment);
                    versions.insert(sale.record.revocations_version);
                }
                Verdict::Void { sequence } => voids.push(*sequence),
                Verdict::Refused(_) => {}
            }
        }
        store::load_voidable(tx, &mut books, self.terminal.id, &voids).await?;
        let charged_before = books
            .sales
            .values()
            .filter_map(|sale| sale.charged)
            .map(|(holder, _)| holder);
        let holders: BTreeSet<i64> = payments
            .iter()
            .map(|payment| payment.holder)
            .chain(charged_before)
            .collect();
        for account in funds_of_slots(tx, &holders.into_iter().collect::<Vec<_>>()).await? {
            books.funds.insert((account.holder, account.slot), account.funds);
        }
        store::load_used(tx, &mut books, &payments).await?;
        let pseudonyms: BTreeSet<Pseudonym> = payments.iter().map(|payment| payment.pseudonym).collect();
        store::load_min_epochs(tx, &mut books, &pseudonyms.into_iter().collect::<Vec<_>>()).await?;
        if let Some((first, last)) = versions.first().zip(versions.last()) {
            for list in revocations_validity(tx, *first, *last).await? {
                books.revocations.insert(list.version, list);
            }
        }
        Ok(books)
    }

    fn decide(&self, books: &mut Books) -> Result<Vec<Decided<'a>>> {
        let mut previous = self.terminal.chain_hash;
        let mut decided = Vec::new();
        for (sale, verdict) in self.new_records() {
            let record = Record {
                sequence: sale.record.sequence,
                amount: Fen::new(i64::try_from(sale.record.amount.0).unwrap_or(i64::MAX)),
                at: api_millis(sale.record.time),
                revocations_version: sale.record.revocations_version,
                verdict,
                bill: new_id(self.now),
            };
            let (hash, is_chain_broken) = (sale.record.hash(), sale.record.previous != previous);
            let settled = flow::settle(books, &record, self.now)?;
            decided.push(Decided {
                sale,
                hash,
                verdict,
                settled,
                is_chain_broken,
            });
            previous = hash;
        }
        Ok(decided)
    }

    /// All effects, in a handful of statements; the order follows the foreign keys.
    async fn store(&self, tx: &mut Connection, decided: &[Decided<'a>]) -> Result<()> {
        let bookings: Vec<_> = decided
            .iter()
            .filter_map(|decided| decided.settled.booking.clone())
            .collect();
        let first = book(tx, &bookings).await?;
        self.store_bills(tx, decided).await?;
        self.store_sales(tx, decided, first).await?;
        let uses: Vec<(u64, Payment)> = decided
            .iter()
            .filter_map(|decided| {
                decided
                    .settled
                    .used
                    .map(|payment| (decided.sale.record.sequence, payment))
            })
            .collect();
        store::insert_code_uses(tx, self.terminal.id, &uses).await?;
        self.store_consequences(tx, decided).await?;
        if let Some(last) = decided.last() {
            let next = last.sale.record.sequence + 1;
            store::advance_terminal(tx, self.terminal.id, next, &last.hash).await?;
        }
        Ok(())
    }

    async fn store_bills(&self, tx: &mut Connection, decided: &[Decided<'a>]) -> Result<()> {
        let mut bills = Vec::new();
        for Decided { sale, settled, .. } in decided {
            let Some(Bill::New {
                id,
                holder,
                account,
                status,
            }) = settled.bill
            else {
                continue;
            };
            bills.push(NewPayment {
                id,
                holder,
                account,
                kind: match sale.record.kind {
                    SaleKind::LibraryFee(_) => PaymentKind::LibraryFee,
                    SaleKind::Purchase(_) | SaleKind::Void { .. } => PaymentKind::Purchase,
                },
                status,
                amount: Fen::new(i64::try_from(sale.record.amount.0).unwrap_or(i64::MAX)).checked_neg()?,
                merchant: self.terminal.merchant,
                terminal: Some(self.terminal.id),
                place: None,
                occurred_at: api_millis(sale.record.time),
                posted_at: self.now,
                reference: format!("{}-{}", self.terminal.id, sale.record.sequence),
                refund_of: None,
            });
        }
        add_payments(tx, &bills).await?;
        for decided in decided {
            if let Some(Bill::Voided { id, holder }) = decided.settled.bill {
                void_payment(tx, id, holder).await?;
                disputes::end_by_void(tx, id, self.now).await?;
            }
        }
        Ok(())
    }

    async fn store_sales(
        &self,
        tx: &mut Connection,
        decided: &[Decided<'a>],
        first: TransactionId,
    ) -> Result<()> {
        let mut next_transaction = first.0;
        let mut sales = Vec::with_capacity(decided.len());
        for Decided {
            sale, hash, settled, ..
        } in decided
        {
            let transaction = settled.booking.as_ref().map(|_| {
                next_transaction += 1;
                TransactionId(next_transaction - 1)
            });
            sales.push(NewSale {
                sequence: sale.record.sequence,
                record: sale.to_bytes(),
                hash: *hash,
                kind: match sale.record.kind {
                    SaleKind::Purchase(_) => 1,
                    SaleKind::Void { .. } => 2,
                    SaleKind::LibraryFee(_) => 3,
                },
                amount: i64::try_from(sale.record.amount.0).unwrap_or(i64::MAX),
                at: api_millis(sale.record.time),
                result: settled.result,
                reason: settled.refusal.map(|refusal| refusal.code()),
                transaction,
                account: settled.account,
                bill: new_bill(settled),
                void_of: settled.void_of,
            });
        }
        store::insert_sales(tx, self.terminal.id, &sales, self.now).await
    }

    /// Adds what was decided to the merchant's sums.
    async fn count(
        &self,
        tx: &mut Connection,
        merchant: i64,
        books: &Books,
        decided: &[Decided<'a>],
    ) -> Result<()> {
        let kind = SoldKind::at(self.terminal.kind);
        let mut counted = Vec::with_capacity(decided.len());
        for Decided { sale, settled, .. } in decided {
            let record = &sale.record;
            let is_void = matches!(record.kind, SaleKind::Void { .. });
            let (what, at) = match (&settled.booking, settled.void_of) {
                (Some(_), None) => (Taking::Sale, api_millis(record.time)),
                (Some(_), Some(sequence)) => {
                    let sold = books.sales.get(&sequence).map(|sale| sale.at);
                    (Taking::Void, sold.unwrap_or_else(|| api_millis(record.time)))
                }
                (None, _) if is_void => continue,
                (None, _) => (Taking::Unpaid, self.now),
            };
            counted.push(Counted {
                merchant,
                terminal: self.terminal.id,
                kind,
                what,
                amount: Fen::new(i64::try_from(record.amount.0).unwrap_or(i64::MAX)),
                at,
            });
        }
        merchants::add(tx, self.platform, &counted, self.now).await
    }

    async fn store_consequences(&self, tx: &mut Connection, decided: &[Decided<'a>]) -> Result<()> {
        let (mut alarms, mut debtors) = (Vec::new(), BTreeSet::new());
        for decided in decided {
            let holder = match decided.verdict {
                Verdict::Payment(payment) => Some(payment.holder),
                Verdict::Void { .. } | Verdict::Refused(_) => None,
            };
            let sequence = decided.sale.record.sequence;
            alarms.extend(decided.settled.alarm.map(|alarm| (sequence, alarm, holder)));
            alarms.extend(
                decided
                    .is_chain_broken
                    .then_some((sequence, Alarm::ChainBroken, None)),
            );
            debtors.extend(decided.settled.debt_changed);
            if let Some(pseudonym) = decided.settled.epoch_due {
                set_epoch_due(tx, pseudonym).await?;
            }
        }
        for holder in debtors {
            mark_holder_dirty(tx, holder).await?;
        }
        if !alarms.is_empty() {
            tracing::warn!(
                terminal = self.terminal.id,
                alarms = alarms.len(),
                "settled with alarms"
            );
            store::insert_alarms(tx, self.terminal.id, &alarms, self.now).await?;
        }
        Ok(())
    }
}

fn new_bill(settled: &Settled) -> Option<Uuid> {
    match settled.bill {
        Some(Bill::New { id, .. }) => Some(id),
        Some(Bill::Voided { .. }) | None => None,
    }
}
