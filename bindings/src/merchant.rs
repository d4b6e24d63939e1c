//! The merchant centre: the stalls at which the holder works.

use crate::bills::BillKind;
use crate::error::YikaError;
use crate::types::{Fen, LocalizedText, UnixMillis, Uuid};

pub use yika_core::merchant::{
    DayTakings, HourTakings, KindTakings, Stall, StallDays, StallExport, StallExportFormat, StallExportOf,
    StallId, StallIncome, StallList, StallPayment, StallPaymentPage, StallPaymentStatus, StallReturn,
    StallReturnKind, StallRole, StallStatement, StallStatementPage, Takings, Tally, TerminalId,
    TerminalTakings, Till,
};

uniffi::custom_type!(
    /// A stall's number.
    StallId,
    u64,
    { remote, lower: |id| id.0, try_lift: |id| Ok(StallId(id)) }
);

uniffi::custom_type!(
    /// A terminal's number.
    TerminalId,
    u64,
    { remote, lower: |id| id.0, try_lift: |id| Ok(TerminalId(id)) }
);

/// The stalls at which the holder works. An owner sees everything; a cashier sees today, and what else the school allows: the
/// stall says. What is `known` was told before and has its time; it touches the disk, and no network.
///
/// The others may fail with `Forbidden` where the role doesn't reach that far, `Refused` for a stall at which the holder doesn't
/// work or days that are none, `NotBound`, `SessionExpired`, `Network` and the like.
#[derive(uniffi::Object)]
pub struct MerchantService {
    pub(crate) core: yika_core::MerchantService,
}

#[uniffi::export]
impl MerchantService {
    /// The stalls as last told; absent where that was never. Touches the disk; no network.
    pub async fn known_stalls(&self) -> Result<Option<StallList>, YikaError> {
        Ok(self.core.known_stalls().await?)
    }

    /// The stalls; none where the holder works at none. Touches the network and the disk.
    pub async fn stalls(&self) -> Result<StallList, YikaError> {
        Ok(self.core.stalls().await?)
    }

    /// What a stall has earned on some days, as last told for these. Touches the disk; no network.
    pub async fn known_income(
        &self,
        stall: StallId,
        days: StallDays,
    ) -> Result<Option<StallIncome>, YikaError> {
        Ok(self.core.known_income(stall, days).await?)
    }

    /// What a stall has earned on some days. Sales that terminals have not uploaded are not in it: its tills say when each was
    /// heard last. Touches the network and the disk.
    pub async fn income(&self, stall: StallId, days: StallDays) -> Result<StallIncome, YikaError> {
        Ok(self.core.income(stall, days).await?)
    }

    /// The newest sales and refunds of some days, as last told for these. Touches the disk; no network.
    pub async fn known_payments(
        &self,
        stall: StallId,
        days: StallDays,
    ) -> Result<Option<StallPaymentPage>, YikaError> {
        Ok(self.core.known_payments(stall, days).await?)
    }

    /// A page of a stall's sales and refunds, the newest first; the first one, or that after a page's `cursor`. Touches the
    /// network and the disk.
    pub async fn payments(
        &self,
        stall: StallId,
        days: StallDays,
        after: Option<String>,
    ) -> Result<StallPaymentPage, YikaError> {
        Ok(self.core.payments(stall, days, after).await?)
    }

    /// The newest statements, as last told. Touches the disk; no network.
    pub async fn known_statements(&self, stall: StallId) -> Result<Option<StallStatementPage>, YikaError> {
        Ok(self.core.known_statements(stall).await?)
    }

    /// A page of a stall's statements, the newest first, with what is open on the first page; the first one, or that after a
    /// page's `cursor`. For owners. Touches the network and the disk.
    pub async fn statements(
        &self,
        stall: StallId,
        after: Option<String>,
    ) -> Result<StallStatementPage, YikaError> {
        Ok(self.core.statements(stall, after).await?)
    }

    /// A stall's numbers as a file. For owners. Touches the network.
    pub async fn export(
        &self,
        stall: StallId,
        days: StallDays,
        what: StallExportOf,
        format: StallExportFormat,
    ) -> Result<StallExport, YikaError> {
        Ok(self.core.export(stall, days, what, format).await?)
    }

    /// Takes the last sale of a terminal back, as if it had not been. It is on the disk first, then sent; answers the sale as it
    /// is then. Where nobody answered the answer is absent, it waits in `waiting`, and the next synchronisation sends it. Touches
    /// the disk and the network. Fails with `Money` (`NotVoidable`, `RefundUnderWay`, `TooManyWaiting`) or `InvalidInput`; after
    /// any failure nothing waits.
    pub async fn void_sale(
        &self,
        stall: StallId,
        payment: Uuid,
        reason: Option<String>,
    ) -> Result<Option<StallPayment>, YikaError> {
        Ok(self.core.void_sale(stall, payment, reason).await?)
    }

    /// Gives a sale back to the account that paid, or a part of it: never more than was paid. It is on the disk first, then sent;
    /// answers the sale as it is then. Where nobody answered the answer is absent, it waits in `waiting`, and the next
    /// synchronisation sends it. Touches the disk and the network. Fails with `Money` (`NotRefundable`, `AmountOutOfRange`,
    /// `RefundUnderWay`, `TooManyWaiting`) or `InvalidInput`; after any failure nothing waits.
    pub async fn refund(
        &self,
        stall: StallId,
        payment: Uuid,
        amount: Fen,
        reason: Option<String>,
    ) -> Result<Option<StallPayment>, YikaError> {
        Ok(self.core.refund(stall, payment, amount, reason).await?)
    }

    /// Voids and refunds that the platform may not have yet, oldest first, and those that it refused when it was reached.
    /// Touches the disk; no network.
    pub async fn waiting(&self) -> Result<Vec<StallReturn>, YikaError> {
        Ok(self.core.waiting().await?)
    }

    /// Forgets one of `waiting`, by its id. One that has reached the platform nevertheless shows among the payments. Touches the
    /// disk; no network. Fails with `Money` and `OperationUnknown`.
    pub async fn discard(&self, waiting: Uuid) -> Result<(), YikaError> {
        Ok(self.core.discard(waiting).await?)
    }
}

/// Days that are asked about, `yyyy-mm-dd` in the school's time zone.
#[uniffi::remote(Record)]
pub struct StallDays {
    /// The first day; today if absent.
    #[uniffi(default = None)]
    pub from: Option<String>,
    /// The last day; the first one too if absent. At most 366 days.
    #[uniffi(default = None)]
    pub to: Option<String>,
    /// Only what this terminal sold; what all did if absent.
    #[uniffi(default = None)]
    pub terminal: Option<TerminalId>,
}

/// How money is given back.
#[uniffi::remote(Enum)]
pub enum StallReturnKind {
    /// As if the sale had not been.
    Void,
    /// The sale stays, and this much of it goes back.
    Refund {
        /// How much.
        amount: Fen,
    },
}

/// A void or a refund that the platform may not have yet.
#[uniffi::remote(Record)]
pub struct StallReturn {
    /// Its name.
    pub id: Uuid,
    /// Whose sale.
    pub stall: StallId,
    /// The sale.
    pub payment_id: Uuid,
    /// How it is given back.
    pub kind: StallReturnKind,
    /// Why, for the school's audit.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: UnixMillis,
    /// The stable code of why the platform did not take it; absent while it waits for an answer.
    pub refusal: Option<String>,
}

/// A file with a stall's numbers.
#[uniffi::remote(Record)]
pub struct StallExport {
    /// What to call it.
    pub file_name: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The stalls at which the holder works.
#[uniffi::remote(Record)]
pub struct StallList {
    /// By their numbers.
    pub stalls: Vec<Stall>,
    /// The time of this answer.
    pub as_of: UnixMillis,
}

/// A stall, and what the holder may do there.
#[uniffi::remote(Record)]
pub struct Stall {
    /// Its number.
    pub id: StallId,
    /// Its name.
    pub name: LocalizedText,
    /// What the holder is there.
    pub role: StallRole,
    /// Whether the holder may void the last sale of a terminal.
    pub may_void: bool,
    /// Whether the holder may refund.
    pub may_refund: bool,
    /// For how long after a sale it can be voided, in milliseconds.
    pub void_within_ms: i64,
}

/// What somebody is at a stall.
#[uniffi::remote(Enum)]
pub enum StallRole {
    /// Sees everything, and may void and refund.
    Owner,
    /// Sees today's sales; what else, the school says.
    Cashier,
    /// A role that this version does not know.
    Other,
}

/// What a stall has earned on some days.
#[uniffi::remote(Record)]
pub struct StallIncome {
    /// The stall's number.
    pub id: StallId,
    /// The stall's name.
    pub name: LocalizedText,
    /// What the holder is there.
    pub role: StallRole,
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// All of it.
    pub total: Takings,
    /// What of the income is in a settlement that the school has paid out. Owners are told.
    pub settled: Option<Fen>,
    /// The rest of the income: on the stall's account, not paid out yet. Owners are told.
    pub pending: Option<Fen>,
    /// What the school owes to the stall now, of all days. Below zero where the stall owes. Owners are told.
    pub balance: Option<Fen>,
    /// Sales of these days that holders dispute and nobody has decided on yet: they are in the income, and may go back.
    pub disputed: Tally,
    /// By day, the earliest first; days on which nothing was are left out.
    pub days: Vec<DayTakings>,
    /// By what was paid for.
    pub kinds: Vec<KindTakings>,
    /// By terminal, in the order of their numbers.
    pub terminals: Vec<TerminalTakings>,
    /// By hour of the day, 0–23, in the school's time; hours in which nothing was are left out.
    pub hours: Vec<HourTakings>,
    /// All terminals of the stall, and when each was heard last.
    pub tills: Vec<Till>,
    /// The time of this answer.
    pub as_of: UnixMillis,
}

/// What was taken in, and what of it went back.
#[uniffi::remote(Record)]
pub struct Takings {
    /// Sales that were booked, whoever paid for them: holders, or the school for codes that it answers for.
    pub sales: Tally,
    /// Of these, what was taken back as if it had not been. It counts when its sale did.
    pub voids: Tally,
    /// What was given back otherwise. It counts when it was given back.
    pub refunds: Tally,
    /// Records of sales that the stall isn't paid for: they don't verify, or were approved on lists that were out of date.
    /// They count when they came, and are no part of the income.
    pub unpaid: Tally,
    /// Sales less voids and refunds.
    pub income: Fen,
}

/// How many, and how much in all.
#[uniffi::remote(Record)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// How much, never below zero.
    pub amount: Fen,
}

/// A day.
#[uniffi::remote(Record)]
pub struct DayTakings {
    /// The day.
    pub day: String,
    /// What it brought.
    pub takings: Takings,
}

/// A kind of payment.
#[uniffi::remote(Record)]
pub struct KindTakings {
    /// The kind: a purchase or a library fee.
    pub kind: BillKind,
    /// What it brought.
    pub takings: Takings,
}

/// A terminal.
#[uniffi::remote(Record)]
pub struct TerminalTakings {
    /// Its number.
    pub terminal: TerminalId,
    /// Its name on receipts.
    pub label: String,
    /// What it brought.
    pub takings: Takings,
}

/// An hour of the day.
#[uniffi::remote(Record)]
pub struct HourTakings {
    /// The hour, 0–23.
    pub hour: u8,
    /// What it brought, on all days.
    pub takings: Takings,
}

/// A terminal of the stall.
#[uniffi::remote(Record)]
pub struct Till {
    /// Its number.
    pub id: TerminalId,
    /// Its name on receipts.
    pub label: String,
    /// When it last uploaded. What it has sold since then nobody here can know.
    pub last_upload: Option<UnixMillis>,
    /// Whether that is so long ago that something may be missing.
    pub is_late: bool,
    /// Whether the card office has frozen it: nothing more of it is booked until it is looked at.
    pub is_frozen: bool,
}

/// A part of a stall's payments.
#[uniffi::remote(Record)]
pub struct StallPaymentPage {
    /// The newest first, by when they happened.
    pub payments: Vec<StallPayment>,
    /// Where the next page begins; absent after the last one.
    pub cursor: Option<String>,
    /// The time of this answer.
    pub as_of: UnixMillis,
}

/// A sale, or a refund of one. Who paid is not the stall's to know.
#[uniffi::remote(Record)]
pub struct StallPayment {
    /// By this it is voided and refunded. One that the school paid for has an id that is only a name.
    pub id: Uuid,
    /// What it was: a purchase, a library fee, or a refund.
    pub kind: BillKind,
    /// How it stands.
    pub status: StallPaymentStatus,
    /// How much was paid, or given back by a refund; above zero.
    pub amount: Fen,
    /// What it adds to the income: nothing where it was voided, below zero for a refund. Those of a day sum to its income.
    pub income: Fen,
    /// What of a sale was given back, each time with a refund of its own.
    pub refunded: Fen,
    /// Which sale a refund gives back.
    pub refund_of: Option<Uuid>,
    /// Whether its holder disputes it, and nobody has decided yet.
    pub is_disputed: bool,
    /// The terminal that sold.
    pub terminal: Option<TerminalId>,
    /// The terminal's label.
    pub label: Option<String>,
    /// When it happened, by the terminal's clock.
    pub occurred_at: UnixMillis,
    /// When the platform booked it.
    pub posted_at: UnixMillis,
    /// The number that the holder's receipt shows.
    pub reference: String,
}

/// How a stall's payment stands.
#[uniffi::remote(Enum)]
pub enum StallPaymentStatus {
    /// Paid by its holder.
    Paid,
    /// Paid by the school: the code was used before or its phone was lost, and the terminal could not know.
    PaidBySchool,
    /// Taken back as if it had not been.
    Voided,
    /// A status that this version does not know.
    Other,
}

/// A part of a stall's statements.
#[uniffi::remote(Record)]
pub struct StallStatementPage {
    /// What has come since the last settlement; on the first page alone.
    pub open: Option<StallStatement>,
    /// The settlements, the newest first.
    pub statements: Vec<StallStatement>,
    /// Where the next page begins; absent after the last one.
    pub cursor: Option<String>,
    /// The time of this answer.
    pub as_of: UnixMillis,
}

/// What came and went on a stall's account between two settlements, by the days on which it was booked: a sale that was
/// uploaded late is in the statement of its upload.
#[uniffi::remote(Record)]
pub struct StallStatement {
    /// Its number, from 1; absent while it is open.
    pub number: Option<u64>,
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// What the school owed before.
    pub opening: Fen,
    /// Sales that were booked.
    pub sales: Tally,
    /// Voids that were booked.
    pub voids: Tally,
    /// Refunds that were booked.
    pub refunds: Tally,
    /// Sales less voids and refunds.
    pub earned: Fen,
    /// What the school paid out with it.
    pub paid_out: Fen,
    /// What the school owes after: opening and earned, less what was paid out.
    pub closing: Fen,
    /// The number of the transfer, as the card office wrote it.
    pub reference: Option<String>,
    /// When it was paid out.
    pub paid_at: Option<UnixMillis>,
}

/// What an export has.
#[uniffi::remote(Enum)]
pub enum StallExportOf {
    /// Income by day, terminal, kind and hour.
    Income,
    /// Each sale and each refund; at most 100,000.
    Payments,
}

/// In which form.
#[uniffi::remote(Enum)]
pub enum StallExportFormat {
    /// Comma-separated values: RFC 4180, UTF-8 with a byte order mark.
    Csv,
    /// A workbook of Excel (ISO/IEC 29500).
    Xlsx,
}
