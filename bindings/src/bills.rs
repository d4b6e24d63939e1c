//! Bills: what moved money on the holder's accounts, as the phone keeps it.

use crate::error::YikaError;
use crate::types::{Fen, LocalizedText, UnixMillis, Uuid};

pub use yika_core::accounts::{
    Bill, BillCursor, BillKind, BillPage, BillQuery, BillStatus, BillSummary, Dispute, DisputeDraft,
    DisputePhase, DisputeReason, KindTotal, MerchantTotal,
};

/// Bills.
#[derive(uniffi::Object)]
pub struct BillService {
    pub(crate) core: yika_core::BillService,
}

#[uniffi::export]
impl BillService {
    /// A page of at most `limit` (1–500) bills as last told, newest first. Touches the disk; no network. Fails with `NotBound`,
    /// or with an error of the storage.
    pub async fn page(&self, query: BillQuery, limit: u32) -> Result<BillPage, YikaError> {
        Ok(self
            .core
            .page(query, u16::try_from(limit).unwrap_or(u16::MAX))
            .await?)
    }

    /// What bills come to, such as those of a month: `after` does not matter. Touches the disk; no network. Fails with
    /// `NotBound`, or with an error of the storage.
    pub async fn summary(&self, query: BillQuery) -> Result<BillSummary, YikaError> {
        Ok(self.core.summary(query).await?)
    }

    /// Bills as a table for spreadsheets: CSV with a head, in UTF-8 with a byte order mark. Times are those of a place that is
    /// `offset_s` seconds ahead of UTC, and say so. Touches the disk; no network. Fails with `NotBound`, or with an error of
    /// the storage.
    pub async fn export(&self, query: BillQuery, offset_s: i32) -> Result<String, YikaError> {
        Ok(self.core.export(query, offset_s).await?)
    }

    /// Disputes a payment: the card office looks at it. `text` has at most 500 characters, and is needed where the reason is
    /// `Other`. It is on the disk first, then sent. How it goes on comes with the bill; where nobody answered it is absent yet,
    /// waits in `dispute_drafts`, and the next `sync` sends it. Touches the disk and the network. Fails with `InvalidInput`,
    /// with `Money` and `NotDisputable`, `DisputeUnderWay` or `TooManyWaiting`, or with an error of the storage: then nothing
    /// waits.
    pub async fn dispute(
        &self,
        payment: Uuid,
        reason: DisputeReason,
        text: String,
    ) -> Result<Option<Dispute>, YikaError> {
        Ok(self.core.dispute(payment, reason, text).await?)
    }

    /// Disputes that the platform may not have yet, oldest first, and those that it refused when it was reached. Touches the
    /// disk; no network.
    pub async fn dispute_drafts(&self) -> Result<Vec<DisputeDraft>, YikaError> {
        Ok(self.core.dispute_drafts().await?)
    }

    /// Forgets one of `dispute_drafts`, by its id. One that has reached the platform nevertheless comes with its bill. Touches
    /// the disk; no network. Fails with `Money` and `OperationUnknown`.
    pub async fn discard_dispute(&self, draft: Uuid) -> Result<(), YikaError> {
        Ok(self.core.discard_dispute(draft).await?)
    }

    /// Takes a dispute back. Touches the network and the disk. Fails with `Money` and `DisputeEnded`.
    pub async fn withdraw_dispute(&self, dispute: Uuid) -> Result<Dispute, YikaError> {
        Ok(self.core.withdraw_dispute(dispute).await?)
    }
}

/// Which bills, newest first.
#[uniffi::remote(Record)]
pub struct BillQuery {
    /// Of one account; of all if absent.
    #[uniffi(default = None)]
    pub account: Option<Uuid>,
    /// Of one kind; of all if absent.
    #[uniffi(default = None)]
    pub kind: Option<BillKind>,
    /// With this text in the merchant's name, the terminal's label or the reference, whatever its case.
    #[uniffi(default = None)]
    pub text: Option<String>,
    /// From this instant on.
    #[uniffi(default = None)]
    pub from: Option<UnixMillis>,
    /// Before this instant.
    #[uniffi(default = None)]
    pub until: Option<UnixMillis>,
    /// Where the page before ended.
    #[uniffi(default = None)]
    pub after: Option<BillCursor>,
}

/// Where a page of bills ended.
#[uniffi::remote(Record)]
pub struct BillCursor {
    /// The last bill's time.
    pub occurred_at: UnixMillis,
    /// The last bill.
    pub id: Uuid,
}

/// Bills, newest first.
#[uniffi::remote(Record)]
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
#[uniffi::remote(Record)]
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
#[uniffi::remote(Record)]
pub struct MerchantTotal {
    /// Its name.
    pub merchant: LocalizedText,
    /// The sum.
    pub amount: Fen,
}

/// What bills of a kind come to, below zero for money that left.
#[uniffi::remote(Record)]
pub struct KindTotal {
    /// The kind.
    pub kind: BillKind,
    /// The sum.
    pub amount: Fen,
}

/// One bill.
#[uniffi::remote(Record)]
pub struct Bill {
    /// The bill, for ever.
    pub id: Uuid,
    /// The account that it moved money on.
    pub account_id: Uuid,
    /// What it was.
    pub kind: BillKind,
    /// How it stands.
    pub status: BillStatus,
    /// What it changed on the account: below zero for money that left.
    pub amount: Fen,
    /// The merchant's name; absent where nobody was paid.
    pub merchant: Option<LocalizedText>,
    /// The terminal's label, such as `Stall 2, left till`.
    pub terminal: Option<String>,
    /// When it happened, by the terminal's clock.
    pub occurred_at: UnixMillis,
    /// When the platform booked it.
    pub posted_at: UnixMillis,
    /// The number that a receipt shows and the card office asks for.
    pub reference: String,
    /// The place that a utility was paid for.
    pub place: Option<LocalizedText>,
    /// Which payment a refund gives back, or a part of it.
    pub refund_of: Option<Uuid>,
    /// What of this payment was given back, each time with a bill of its own.
    pub refunded: Fen,
    /// The newest dispute of this payment.
    pub dispute: Option<Dispute>,
}

/// A dispute of a payment, as it stands.
#[uniffi::remote(Record)]
pub struct Dispute {
    /// The dispute.
    pub id: Uuid,
    /// The payment that it is about.
    pub payment_id: Uuid,
    /// What is wrong.
    pub reason: DisputeReason,
    /// What the holder said.
    pub text: String,
    /// Where it stands.
    pub phase: DisputePhase,
    /// What the card office answered.
    pub reply: Option<String>,
    /// What was given back for it: nothing, a part, or all.
    pub refunded: Fen,
    /// When it was opened.
    pub opened_at: UnixMillis,
    /// When it came to where it stands.
    pub changed_at: UnixMillis,
}

/// A dispute that the platform may not have yet.
#[uniffi::remote(Record)]
pub struct DisputeDraft {
    /// Its name, until it is a dispute.
    pub id: Uuid,
    /// The payment that it is about.
    pub payment_id: Uuid,
    /// What is wrong.
    pub reason: DisputeReason,
    /// What the holder said.
    pub text: String,
    /// When the holder said it.
    pub created_at: UnixMillis,
    /// The stable code of why the platform did not take it; absent while it waits for a network.
    pub refusal: Option<String>,
}

/// What is wrong with a payment.
#[uniffi::remote(Enum)]
pub enum DisputeReason {
    /// Another amount was agreed on.
    WrongAmount,
    /// It was charged twice.
    Twice,
    /// The holder did not pay there.
    NotMe,
    /// Something else.
    Other,
}

/// Where a dispute stands.
#[uniffi::remote(Enum)]
pub enum DisputePhase {
    /// The card office has it.
    Open,
    /// Somebody looks at it.
    Review,
    /// Money was given back. An end.
    Refunded,
    /// The card office found nothing wrong. An end.
    Refused,
    /// The holder took it back. An end.
    Withdrawn,
    /// A phase that this version does not know.
    Other,
}

/// What a bill is.
#[uniffi::remote(Enum)]
pub enum BillKind {
    /// A payment at a POS.
    Purchase,
    /// A fee at the library desk.
    LibraryFee,
    /// Money that came onto the account.
    Deposit,
    /// A top-up: onto a card account, and off the wallet as far as it paid.
    TopUp,
    /// From a bank card into the wallet.
    Recharge,
    /// From the wallet onto a bank card.
    Withdrawal,
    /// A utility, off a card account or off the wallet as far as it paid.
    Utility,
    /// Money of a payment that the merchant gave back.
    Refund,
    /// A kind that this version does not know.
    Other,
}

/// How a bill stands.
#[uniffi::remote(Enum)]
pub enum BillStatus {
    /// Booked.
    Posted,
    /// Taken back by the terminal; the money is on the account again.
    Voided,
    /// A second use of one code: not charged, the card office looks at it.
    Disputed,
    /// A status that this version does not know.
    Other,
}
