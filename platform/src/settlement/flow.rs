//! The rules of settlement: from a verified record and what the books say, to a result and its postings.
//!
//! Pure: [`Books`] is what was loaded, [`settle`] changes it as the records before would have, so that records of one
//! upload see each other. An approval within policy is always paid to the merchant; the rules say by whom.

use super::verify::{Payment, Refusal, Verdict};
use crate::clock::MINUTE;
use crate::error::Result;
use crate::issuer::RevocationsValidity;
use crate::ledger::{AccountId, Booking, HolderFunds, Posting, TransactionKind};
use std::collections::HashMap;
use uuid::Uuid;
use yika_api::payment::PaymentStatus;
use yika_api::terminal::SaleResult;
use yika_api::{Fen, UnixMillis};
use yika_format::{MinEpoch, Pseudonym, Slot};

/// A sale can be taken back so long after it, by its terminal's clock.
const VOID_WITHIN_MS: i64 = 10 * MINUTE;

/// What the books say, as far as an upload needs it.
#[derive(Clone, Debug)]
pub(super) struct Books {
    pub(super) merchant: AccountId,
    pub(super) school_risk: AccountId,
    pub(super) funds: HashMap<(i64, Slot), HolderFunds>,
    /// The moments of each code counter that are settled.
    pub(super) used: HashMap<(Pseudonym, u32), Vec<[u8; 32]>>,
    pub(super) min_epochs: HashMap<Pseudonym, Vec<MinEpochSince>>,
    pub(super) revocations: HashMap<u64, RevocationsValidity>,
    /// This terminal's settled sales, as far as records of the upload take them back.
    pub(super) sales: HashMap<u64, PastSale>,
}

/// From when an epoch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MinEpochSince {
    pub(super) min_epoch: MinEpoch,
    pub(super) effective_at: UnixMillis,
}

/// A settled sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PastSale {
    pub(super) amount: Fen,
    pub(super) at: UnixMillis,
    pub(super) result: SaleResult,
    /// Who was charged, where somebody was.
    pub(super) charged: Option<(i64, Slot)>,
    /// The bill in the feed of a holder.
    pub(super) bill: Option<(Uuid, i64)>,
    /// Voided, or given back in part or whole: then a void would give it back twice.
    pub(super) is_taken_back: bool,
}

/// A record as the rules see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) sequence: u64,
    pub(super) amount: Fen,
    pub(super) at: UnixMillis,
    pub(super) revocations_version: u64,
    pub(super) verdict: &'a Verdict,
    /// The number of the bill, should there be one.
    pub(super) bill: Uuid,
}

/// What is to be done about a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) result: SaleResult,
    pub(super) refusal: Option<Refusal>,
    pub(super) booking: Option<Booking>,
    /// The card account that was charged or would have been.
    pub(super) account: Option<AccountId>,
    pub(super) bill: Option<Bill>,
    /// The code is used up.
    pub(super) used: Option<Payment>,
    pub(super) void_of: Option<u64>,
    pub(super) alarm: Option<Alarm>,
    /// The phone of this credential needs a new epoch.
    pub(super) epoch_due: Option<Pseudonym>,
    /// Whether this holder may pay offline has changed.
    pub(super) debt_changed: Option<i64>,
}

/// A change of a holder's feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bill {
    New {
        id: Uuid,
        holder: i64,
        account: AccountId,
        status: PaymentStatus,
    },
    Voided {
        id: Uuid,
        holder: i64,
    },
}

/// What the card office must look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alarm {
    CounterReuse,
    CodeReplayed,
    PaidAfterRevocation,
    ChainBroken,
    TerminalConflict,
}

impl Settled {
    fn refused(refusal: Refusal) -> Self {
        Self {
            result: SaleResult::Refused,
            refusal: Some(refusal),
            booking: None,
            account: None,
            bill: None,
            used: None,
            void_of: None,
            alarm: None,
            epoch_due: None,
            debt_changed: None,
        }
    }

    fn of(result: SaleResult) -> Self {
        Self {
            result,
            refusal: None,
            ..Self::refused(Refusal::NothingToVoid)
        }
    }
}

/// Decides on a record, and changes the books in memory as its postings will.
pub(super) fn settle(books: &mut Books, record: &Record<'_>, now: UnixMillis) -> Result<Settled> {
    let settled = match record.verdict {
        Verdict::Refused(refusal) => Settled::refused(*refusal),
        Verdict::Void { sequence } => settle_void(books, record, *sequence, now)?,
        Verdict::Payment(payment) => settle_payment(books, record, payment, now)?,
    };
    if let Verdict::Payment(payment) = record.verdict {
        let bill = match settled.bill {
            Some(Bill::New { id, holder, .. }) => Some((id, holder)),
            _ => None,
        };
        books.sales.insert(
            record.sequence,
            PastSale {
                amount: record.amount,
                at: record.at,
                result: settled.result,
                charged: Some((payment.holder, payment.slot)),
                bill,
                is_taken_back: false,
            },
        );
    }
    Ok(settled)
}

fn settle_payment(
    books: &mut Books,
    record: &Record<'_>,
    payment: &Payment,
    now: UnixMillis,
) -> Result<Settled> {
    let Some(funds) = books.funds.get(&(payment.holder, payment.slot)).copied() else {
        return Ok(Settled::refused(Refusal::Code(
            yika_format::verifier::Reason::Account,
        )));
    };
    let moments = books
        .used
        .entry((payment.pseudonym, payment.sequence))
        .or_default();
    if moments.contains(&payment.moment) {
        return settle_replay(books, record, payment, funds, now);
    }
    let is_reuse = !moments.is_empty();
    if let Some(since) = refused_since(books, payment, record.at) {
        return settle_revoked(books, record, payment, since, now);
    }
    books
        .used
        .entry((payment.pseudonym, payment.sequence))
        .or_default()
        .push(payment.moment);
    let mut after = funds;
    let charge = after.charge(record.amount)?;
    books.funds.insert((payment.holder, payment.slot), after);
    let result = match (is_reuse, charge.is_short) {
        (true, _) => SaleResult::PostedCounterReuse,
        (false, true) => SaleResult::PostedShort,
        (false, false) => SaleResult::Posted,
    };
    Ok(Settled {
        booking: Some(paid_by(charge.postings, books.merchant, record.amount, now)?),
        account: Some(funds.card()),
        bill: Some(new_bill(record, payment, funds, PaymentStatus::Posted)),
        used: Some(*payment),
        alarm: is_reuse.then_some(Alarm::CounterReuse),
        epoch_due: is_reuse.then_some(payment.pseudonym),
        debt_changed: (after.is_in_debt() != funds.is_in_debt()).then_some(payment.holder),
        ..Settled::of(result)
    })
}

/// Exactly this code was settled before: somebody relayed it or pressed twice. The merchant is paid, the holder isn't
/// charged again.
fn settle_replay(
    books: &Books,
    record: &Record<'_>,
    payment: &Payment,
    funds: HolderFunds,
    now: UnixMillis,
) -> Result<Settled> {
    Ok(Settled {
        booking: Some(paid_by_school(books, record.amount, now)?),
        account: Some(funds.card()),
        bill: Some(new_bill(record, payment, funds, PaymentStatus::Disputed)),
        alarm: Some(Alarm::CodeReplayed),
        ..Settled::of(SaleResult::Disputed)
    })
}

/// The credential was revoked when the terminal approved. Whether the terminal could know decides who bears it.
fn settle_revoked(
    books: &mut Books,
    record: &Record<'_>,
    payment: &Payment,
    since: UnixMillis,
    now: UnixMillis,
) -> Result<Settled> {
    let lists = books.revocations.get(&record.revocations_version);
    let could_not_know = lists.is_some_and(|list| list.issued_at < since && record.at <= list.good_until);
    if !could_not_know {
        return Ok(Settled::of(SaleResult::BorneByMerchant));
    }
    books
        .used
        .entry((payment.pseudonym, payment.sequence))
        .or_default()
        .push(payment.moment);
    Ok(Settled {
        booking: Some(paid_by_school(books, record.amount, now)?),
        used: Some(*payment),
        alarm: Some(Alarm::PaidAfterRevocation),
        ..Settled::of(SaleResult::PaidBySchool)
    })
}

/// Since when the code's epoch is refused, if it was at that instant.
fn refused_since(books: &Books, payment: &Payment, at: UnixMillis) -> Option<UnixMillis> {
    let changes = books.min_epochs.get(&payment.pseudonym)?;
    let refusing = changes
        .iter()
        .filter(|change| !change.min_epoch.accepts(payment.epoch));
    refusing
        .map(|change| change.effective_at)
        .filter(|&since| since <= at)
        .min()
}

fn settle_void(books: &mut Books, record: &Record<'_>, sequence: u64, now: UnixMillis) -> Result<Settled> {
    let nothing = Settled::refused(Refusal::NothingToVoid);
    let Some(sale) = books.sales.get(&sequence).copied() else {
        return Ok(nothing);
    };
    let in_time = (0..=VOID_WITHIN_MS).contains(&(record.at.0 - sale.at.0));
    if sale.is_taken_back || sale.amount != record.amount || !in_time {
        return Ok(nothing);
    }
    let (back, debt_changed) = match (sale.result, sale.charged) {
        (
            SaleResult::Posted | SaleResult::PostedShort | SaleResult::PostedCounterReuse,
            Some(holder_slot @ (holder, _)),
        ) => {
            let Some(funds) = books.funds.get_mut(&holder_slot) else {
                return Ok(nothing);
            };
            let was_in_debt = funds.is_in_debt();
            let postings = funds.credit(sale.amount)?;
            (postings, (was_in_debt != funds.is_in_debt()).then_some(holder))
        }
        (SaleResult::Disputed | SaleResult::PaidBySchool, _) => (
            vec![Posting {
                account: books.school_risk,
                amount: sale.amount,
            }],
            None,
        ),
        _ => return Ok(nothing),
    };
    let mut postings = back;
    postings.push(Posting {
        account: books.merchant,
        amount: sale.amount.checked_neg()?,
    });
    books.sales.insert(
        sequence,
        PastSale {
            is_taken_back: true,
            ..sale
        },
    );
    Ok(Settled {
        booking: Some(Booking::new(TransactionKind::Void, now, postings)?),
        bill: sale.bill.map(|(id, holder)| Bill::Voided { id, holder }),
        void_of: Some(sequence),
        debt_changed,
        ..Settled::of(SaleResult::Voided)
    })
}

fn new_bill(record: &Record<'_>, payment: &Payment, funds: HolderFunds, status: PaymentStatus) -> Bill {
    Bill::New {
        id: record.bill,
        holder: payment.holder,
        account: funds.card(),
        status,
    }
}

fn paid_by(mut postings: Vec<Posting>, merchant: AccountId, amount: Fen, now: UnixMillis) -> Result<Booking> {
    postings.push(Posting {
        account: merchant,
        amount,
    });
    Booking::new(TransactionKind::Sale, now, postings)
}

fn paid_by_school(books: &Books, amount: Fen, now: UnixMillis) -> Result<Booking> {
    let school = Posting {
        account: books.school_risk,
        amount: amount.checked_neg()?,
    };
    paid_by(vec![school], books.merchant, amount, now)
}
