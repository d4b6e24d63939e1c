//! Balances and bills as the phone knows them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::account::{AccountStatus, Balance as Told};
use yika_api::auto_top_up::AutoTopUp;
use yika_api::{Fen, LocalizedText, UnixMillis};
use yika_format::Slot;

pub use yika_api::payment::{Payment as Bill, PaymentKind as BillKind, PaymentStatus as BillStatus};

/// One account of the holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account, for ever.
    pub id: Uuid,
    /// The number by which a code names it.
    pub slot: Slot,
    /// What it is called.
    pub name: LocalizedText,
    /// Whether payments from it are possible, as far as is known.
    pub status: AccountStatus,
    /// What is on it; absent where that is unknown, which is not zero.
    pub balance: Option<Balance>,
    /// Below which balance the holder wants to be told; absent where at none.
    pub low_below: Option<Fen>,
    /// Whether the balance is known and below that.
    pub is_low: bool,
    /// The rule by which it is topped up by itself, as last told; absent where there is none.
    pub auto_top_up: Option<AutoTopUp>,
}

impl Account {
    /// Whether a balance is one that the holder wants to be told of.
    pub(crate) fn is_low(balance: Option<Balance>, below: Option<Fen>) -> bool {
        balance
            .zip(below)
            .is_some_and(|(balance, below)| balance.amount < below)
    }
}

/// What was on an account when the platform last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The sum of its postings. Below zero where offline payments passed what was on it.
    pub amount: Fen,
    /// When that was.
    pub as_of: UnixMillis,
    /// Rises with each posting, and never falls here.
    pub version: u64,
    /// What is on hold or under dispute, and may still come off.
    pub pending: Fen,
}

impl Balance {
    pub(crate) fn told(told: Told) -> Self {
        let Told {
            amount,
            as_of,
            version,
            pending,
        } = told;
        Self {
            amount,
            as_of,
            version,
            pending,
        }
    }
}

/// Which bills, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BillQuery {
    /// Of one account; of all if absent.
    pub account: Option<Uuid>,
    /// Of one kind; of all if absent.
    pub kind: Option<BillKind>,
    /// With this text in the merchant's name, the terminal's label or the reference, whatever its case.
    pub text: Option<String>,
    /// From this instant on.
    pub from: Option<UnixMillis>,
    /// Before this instant.
    pub until: Option<UnixMillis>,
    /// Where the page before ended.
    pub after: Option<BillCursor>,
}

/// Where a page of bills ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillCursor {
    /// The last bill's time.
    pub occurred_at: UnixMillis,
    /// The last bill.
    pub id: Uuid,
}

/// Bills, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillPage {
    /// At most as many as were asked for.
    pub bills: Vec<Bill>,
    /// Where the next page begins; absent at the end of what the phone has.
    pub next: Option<BillCursor>,
    /// When the platform last told; absent where it never has.
    pub as_of: Option<UnixMillis>,
}

/// What bills come to. Those that were taken back, or are under dispute, moved nothing and are not in it. A top-up out of
/// the wallet stands on both accounts, so over all accounts it is in both sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillSummary {
    /// What left, zero or below.
    pub out: Fen,
    /// What came, zero or above.
    pub income: Fen,
    /// How many bills moved money.
    pub count: u64,
    /// By merchant, where most was spent first.
    pub merchants: Vec<MerchantTotal>,
    /// By kind, where most was spent first.
    pub kinds: Vec<KindTotal>,
}

/// What was paid to a merchant, below zero for money that left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerchantTotal {
    /// Its name.
    pub merchant: LocalizedText,
    /// The sum.
    pub amount: Fen,
}

/// What bills of a kind come to, below zero for money that left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindTotal {
    /// The kind.
    pub kind: BillKind,
    /// The sum.
    pub amount: Fen,
}

/// An account that codes can name. Kept in the journal, so that a lost cache doesn't hinder paying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payer {
    pub id: Uuid,
    pub slot: u8,
    pub name: LocalizedText,
    pub status: AccountStatus,
}

/// All of them, in the order of their slots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payers {
    pub payers: Vec<Payer>,
}
