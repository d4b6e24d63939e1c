//! Verifying records as of the moment at which their terminal decided: pure, and spread over worker threads.
//!
//! The terminal's rules are the format's own; here they run again with the platform's knowledge of the credential. Two
//! things are left to the rules of settlement, because they do not make a record wrong: that a code was used before,
//! and that its credential had been revoked.

use crate::clock::{DAY, MINUTE};
use crate::error::{Error, Result};
use crate::issuer::{KeyRing, api_millis};
use crate::random::sha256;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use yika_api::UnixMillis;
use yika_api::terminal::TerminalKind;
use yika_format::code::Code;
use yika_format::confirmation::Confirmation;
use yika_format::credential::Attributes;
use yika_format::lists::{Role, TablePolicy};
use yika_format::sale::{SaleKind, SaleRecord, SignedSale};
use yika_format::verifier::{
    self, Authenticated, Purpose, Reason, Request, SaleId, Standing, TerminalProfile, TerminalTime, authorise,
};
use yika_format::{Epoch, ExpandedKey, Pseudonym, PublicKey, Slot, UnixSeconds};

/// Records older than this are not settled any more.
const MAX_AGE_MS: i64 = 400 * DAY;
/// How far a terminal's clock may be ahead of ours.
const MAX_AHEAD_MS: i64 = 10 * MINUTE;

/// What the platform knows of a credential.
#[derive(Clone, Debug)]
pub(super) struct KnownCredential {
    pub(super) holder: i64,
    pub(super) key: PublicKey,
    /// The key expanded, once for all its records of an upload; `None` where it is no key.
    pub(super) expanded: OnceLock<Option<ExpandedKey>>,
    /// The last instant of its row in the table.
    pub(super) row_until: UnixMillis,
    /// What each epoch reaches, and since when.
    pub(super) epochs: Vec<KnownEpoch>,
}

/// One epoch of a credential.
#[derive(Clone, Copy, Debug)]
pub(super) struct KnownEpoch {
    pub(super) epoch: Epoch,
    pub(super) attributes: Attributes,
    pub(super) issued_at: UnixMillis,
}

/// Everything that verifying needs, for all records of an upload.
#[derive(Debug)]
pub(super) struct Knowledge {
    pub(super) keys: Arc<KeyRing>,
    pub(super) policy: TablePolicy,
    pub(super) terminal_key: ExpandedKey,
    pub(super) terminal_kind: TerminalKind,
    pub(super) merchant: Option<i64>,
    pub(super) credentials: HashMap<Pseudonym, KnownCredential>,
    pub(super) now: UnixMillis,
}

/// What verifying says of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its terminal approved, within policy, a genuine code.
    Payment(Payment),
    /// Its terminal takes back this earlier record.
    Void { sequence: u64 },
    /// It is kept as evidence only.
    Refused(Refusal),
}

/// A genuine code that paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) pseudonym: Pseudonym,
    pub(super) holder: i64,
    pub(super) epoch: Epoch,
    pub(super) slot: Slot,
    /// Epoch and counter.
    pub(super) sequence: u32,
    /// SHA-256 of the dynamic bytes: tells a replay from a counter that was used twice.
    pub(super) moment: [u8; 32],
}

/// Why a record is kept as evidence only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The terminal should have refused the code.
    Code(Reason),
    /// The record's signature is not the terminal's.
    TerminalSignature,
    /// It is for another school.
    School,
    /// It names another merchant than the terminal's.
    Merchant,
    /// It is older than records are settled.
    TooLate,
    /// It is from the future.
    Future,
    /// It takes back what is not there, is not its own, was long ago, or was taken back before.
    NothingToVoid,
}

impl Refusal {
    /// The stable text that is stored.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Code(reason) => reason.code(),
            Self::TerminalSignature => "TERMINAL_SIG",
            Self::School => "SCHOOL",
            Self::Merchant => "MERCHANT",
            Self::TooLate => "TOO_LATE",
            Self::Future => "FROM_FUTURE",
            Self::NothingToVoid => "NOTHING_TO_VOID",
        }
    }
}

/// Records that a worker takes at a time: few, so that one whose processor is busy elsewhere doesn't keep the others waiting.
const PORTION: usize = 16;

/// Verifies records on worker threads, in their order.
pub(super) async fn verify_all(
    knowledge: Arc<Knowledge>,
    sales: Arc<Vec<SignedSale>>,
) -> Result<Vec<Verdict>> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let next = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..workers.min(sales.len().div_ceil(PORTION)))
        .map(|_| {
            let (knowledge, sales, next) = (Arc::clone(&knowledge), Arc::clone(&sales), Arc::clone(&next));
            tokio::task::spawn_blocking(move || verify_portions(&knowledge, &sales, &next))
        })
        .collect();
    let mut verdicts = Vec::with_capacity(sales.len());
    for task in tasks {
        verdicts.extend(task.await.map_err(Error::from)?);
    }
    verdicts.sort_unstable_by_key(|(index, _)| *index);
    Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
}

/// Verifies one portion after the other, until none is left.
fn verify_portions(knowledge: &Knowledge, sales: &[SignedSale], next: &AtomicUsize) -> Vec<(usize, Verdict)> {
    let mut verdicts = Vec::new();
    loop {
        let start = next.fetch_add(PORTION, Ordering::Relaxed);
        if start >= sales.len() {
            return verdicts;
        }
        let portion = sales.iter().enumerate().skip(start).take(PORTION);
        verdicts.extend(portion.map(|(index, sale)| (index, verify(knowledge, sale))));
    }
}

/// Verifies one record.
pub(super) fn verify(knowledge: &Knowledge, sale: &SignedSale) -> Verdict {
    check(knowledge, sale).unwrap_or_else(Verdict::Refused)
}

fn check(knowledge: &Knowledge, sale: &SignedSale) -> Result<Verdict, Refusal> {
    let record = &sale.record;
    if record.school != knowledge.keys.school {
        return Err(Refusal::School);
    }
    sale.verify(&knowledge.terminal_key)
        .map_err(|_| Refusal::TerminalSignature)?;
    let at = api_millis(record.time);
    if at.0 < knowledge.now.0 - MAX_AGE_MS {
        return Err(Refusal::TooLate);
    }
    if at.0 > knowledge.now.0 + MAX_AHEAD_MS {
        return Err(Refusal::Future);
    }
    if knowledge.merchant.is_none()
        || u64::try_from(knowledge.merchant.unwrap_or_default()) != Ok(record.merchant)
    {
        return Err(Refusal::Merchant);
    }
    match (&record.kind, knowledge.terminal_kind) {
        (SaleKind::Void { sequence }, _) => Ok(Verdict::Void { sequence: *sequence }),
        (SaleKind::Purchase(code), TerminalKind::Pos)
        | (SaleKind::LibraryFee(code), TerminalKind::Library) => check_payment(knowledge, record, code)
            .map(Verdict::Payment)
            .map_err(Refusal::Code),
        (SaleKind::Purchase(_) | SaleKind::LibraryFee(_), _) => Err(Refusal::Code(Reason::WrongKind)),
    }
}

fn check_payment(knowledge: &Knowledge, record: &SaleRecord, code: &Code) -> Result<Payment, Reason> {
    let moment = code.moment();
    let known = knowledge
        .credentials
        .get(&moment.pseudonym)
        .ok_or(Reason::Unknown)?;
    let own = known
        .epochs
        .iter()
        .find(|known| known.epoch == moment.epoch)
        .ok_or(Reason::Unknown)?;
    match code {
        Code::Full(full) => {
            let body = &full.credential.body;
            if body.device_key != known.key {
                return Err(Reason::KeyConflict);
            }
            let issuer = knowledge
                .keys
                .keyset
                .key(body.issuer, Role::Credential, record.time);
            let issuer = issuer.ok_or(Reason::IssuerUnknown)?;
            full.credential
                .verify(&knowledge.keys.school, &issuer.key)
                .map_err(|_| Reason::IssuerSignature)?;
            let (start, end) = body.validity(issuer.from);
            match record.time.seconds() {
                at if at < start => return Err(Reason::NotYet),
                at if at >= end => return Err(Reason::Expired),
                _ => {}
            }
        }
        Code::Short(_) if api_millis(record.time) > known.row_until => return Err(Reason::Expired),
        Code::Short(_) => {}
    }
    let confirmed = moment.dynamic.usage.is_confirmed().then_some(Confirmation {
        terminal: record.terminal,
        nonce: record.nonce,
        amount: record.amount,
    });
    let key = known.expanded.get_or_init(|| known.key.expand().ok()).as_ref();
    let key = key.ok_or(Reason::DeviceSignature)?;
    code.verify_device(&knowledge.keys.school, key, confirmed.as_ref())
        .map_err(|_| Reason::DeviceSignature)?;
    check_policy(known, own, api_millis(record.time), |attributes| {
        approves(knowledge, record, code, confirmed, attributes)
    })?;
    Ok(Payment {
        pseudonym: moment.pseudonym,
        holder: known.holder,
        epoch: moment.epoch,
        slot: moment.dynamic.usage.slot().ok_or(Reason::WrongKind)?,
        sequence: moment.sequence().get(),
        moment: sha256(&moment.dynamic.to_bytes()),
    })
}

/// Whether the terminal was right to approve, by the attributes of the code's epoch, or of a later one that its table may
/// have had by then.
fn check_policy(
    known: &KnownCredential,
    own: &KnownEpoch,
    at: UnixMillis,
    approves: impl Fn(Attributes) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let mut later = known
        .epochs
        .iter()
        .filter(|later| later.epoch > own.epoch && later.issued_at <= at);
    match approves(own.attributes) {
        Err(_) if later.any(|epoch| approves(epoch.attributes).is_ok()) => Ok(()),
        outcome => outcome,
    }
}

fn approves(
    knowledge: &Knowledge,
    record: &SaleRecord,
    code: &Code,
    confirmed: Option<Confirmation>,
    attributes: Attributes,
) -> Result<(), Reason> {
    let genuine = Authenticated {
        confirmed,
        code: *code,
        school: knowledge.keys.school,
        attributes,
        code_life_s: knowledge.policy.code_life_s,
        policy: knowledge.policy,
        revocations_in_date: true,
        table_version: record.table_version,
        revocations_version: record.revocations_version,
    };
    let request = Request {
        purpose: Purpose::Payment {
            amount: record.amount,
        },
        sale: SaleId([0; 16]),
    };
    let terminal = TerminalProfile {
        kind: match knowledge.terminal_kind {
            TerminalKind::Pos => verifier::TerminalKind::Pos,
            TerminalKind::Gate => verifier::TerminalKind::Gate,
            TerminalKind::Library => verifier::TerminalKind::Library,
        },
        sites: Vec::new(),
        is_attended: true,
        installed: UnixSeconds(0),
    };
    let time = TerminalTime {
        now: record.time,
        uncertainty_s: u32::from(record.uncertainty_s),
        is_anchored: true,
    };
    match authorise(&genuine, &request, &terminal, &time, &Standing::default()) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(refusal.reason),
    }
}
