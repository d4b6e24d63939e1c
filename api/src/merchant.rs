//! The merchant centre: what a stall has earned, for those who work there.
//!
//! `GET /v1/merchants` answers [`StallList`]: the holder's own stalls and what the holder is there. Of one of them,
//! `GET /v1/merchants/{id}/days` answers [`StallIncome`], `GET /v1/merchants/{id}/payments` a [`StallPaymentPage`],
//! `GET /v1/merchants/{id}/statements` a [`StallStatementPage`], and `GET /v1/merchants/{id}/export` a table. `POST
//! /v1/merchants/{id}/payments/{payment}/void` takes [`VoidPayment`], `…/refund` [`RefundPayment`]; both answer the
//! [`StallPayment`] as it is then. Another's stall is as one that isn't there.
//!
//! Days are the school's, written `yyyy-mm-dd`. A sale counts on the day and in the hour at which its terminal made it, and
//! so does what takes it back as if it had not been (a void); a refund counts when it is made. Sales that terminals have not
//! uploaded are in none of this: [`Till::last_upload`] says how far to trust a sum.

use crate::payment::PaymentKind;
use crate::terminal::{MerchantId, TerminalId};
use crate::{Fen, LocalizedText, UnixMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most days that are answered at once.
pub const MOST_DAYS: u16 = 366;
/// The most characters of a reason.
pub const MOST_REASON: usize = 200;

/// What somebody is at a stall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StallRole {
    /// Sees everything, and may void and refund.
    Owner,
    /// Sees today's sales; what else, the school says.
    Cashier,
    /// A role of a newer server.
    #[serde(other)]
    Other,
}

/// The stalls at which the holder works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StallList {
    /// By their numbers.
    pub stalls: Vec<Stall>,
    /// The time of this answer.
    pub as_of: UnixMillis,
}

/// A stall, and what the holder may do there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Stall {
    /// Its number.
    pub id: MerchantId,
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

/// The query of `GET /v1/merchants/{id}/days`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StallIncomeQuery {
    /// The first day, `yyyy-mm-dd`; today if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// The last day; the first one too if absent. At most 366 days.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
    /// Only what this terminal sold.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub terminal: Option<TerminalId>,
}

/// How many, and how much in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// How much, never below zero.
    pub amount: Fen,
}

/// What was taken in, and what of it went back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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

/// What a stall has earned on some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StallIncome {
    /// The stall's number.
    pub id: MerchantId,
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
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settled: Option<Fen>,
    /// The rest of the income: on the stall's account, not paid out yet. Owners are told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pending: Option<Fen>,
    /// What the school owes to the stall now, of all days. Below zero where the stall owes. Owners are told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
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

/// A day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DayTakings {
    /// The day.
    pub day: String,
    /// What it brought.
    pub takings: Takings,
}

/// A kind of payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KindTakings {
    /// The kind: a purchase or a library fee.
    pub kind: PaymentKind,
    /// What it brought.
    pub takings: Takings,
}

/// A terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TerminalTakings {
    /// Its number.
    pub terminal: TerminalId,
    /// Its name on receipts.
    pub label: String,
    /// What it brought.
    pub takings: Takings,
}

/// An hour of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HourTakings {
    /// The hour, 0–23.
    pub hour: u8,
    /// What it brought, on all days.
    pub takings: Takings,
}

/// A terminal of the stall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Till {
    /// Its number.
    pub id: TerminalId,
    /// Its name on receipts.
    pub label: String,
    /// When it last uploaded. What it has sold since then nobody here can know.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_upload: Option<UnixMillis>,
    /// Whether that is so long ago that something may be missing.
    pub is_late: bool,
    /// Whether the card office has frozen it: nothing more of it is booked until it is looked at.
    pub is_frozen: bool,
}

/// The query of `GET /v1/merchants/{id}/payments`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StallPaymentQuery {
    /// The first day, `yyyy-mm-dd`; today if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// The last day; the first one too if absent. At most 366 days.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
    /// Only what this terminal sold.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub terminal: Option<TerminalId>,
    /// The `cursor` of the page before; without it, from the newest.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<String>,
    /// At most so many lines, 1–500; 100 if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u16>,
}

/// A part of a stall's payments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StallPaymentPage {
    /// The newest first, by when they happened.
    pub payments: Vec<StallPayment>,
    /// Where the next page begins; absent after the last one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cursor: Option<String>,
    /// The time of this answer.
    pub as_of: UnixMillis,
}

/// A sale, or a refund of one. Who paid is not the stall's to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StallPayment {
    /// By this it is voided and refunded. One that the school paid for has an id that is only a name.
    pub id: Uuid,
    /// What it was: a purchase, a library fee, or a refund.
    pub kind: PaymentKind,
    /// How it stands.
    pub status: StallPaymentStatus,
    /// How much was paid, or given back by a refund; above zero.
    pub amount: Fen,
    /// What it adds to the income: nothing where it was voided, below zero for a refund. Those of a day sum to its income.
    pub income: Fen,
    /// What of a sale was given back, each time with a refund of its own.
    pub refunded: Fen,
    /// Which sale a refund gives back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refund_of: Option<Uuid>,
    /// Whether its holder disputes it, and nobody has decided yet.
    pub is_disputed: bool,
    /// The terminal that sold.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub terminal: Option<TerminalId>,
    /// The terminal's label.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub label: Option<String>,
    /// When it happened, by the terminal's clock.
    pub occurred_at: UnixMillis,
    /// When the platform booked it.
    pub posted_at: UnixMillis,
    /// The number that the holder's receipt shows.
    pub reference: String,
}

/// How a stall's payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StallPaymentStatus {
    /// Paid by its holder.
    Paid,
    /// Paid by the school: the code was used before or its phone was lost, and the terminal could not know.
    PaidBySchool,
    /// Taken back as if it had not been.
    Voided,
    /// A status of a newer server.
    #[serde(other)]
    Other,
}

/// `POST /v1/merchants/{id}/payments/{payment}/void`: takes the last sale of a terminal back whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidPayment {
    /// Why, for the audit; at most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// `POST /v1/merchants/{id}/payments/{payment}/refund`: gives a sale back, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundPayment {
    /// How much, above zero and never more than is left of what was paid.
    pub amount: Fen,
    /// Why, for the audit; at most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// The query of `GET /v1/merchants/{id}/statements`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StallStatementQuery {
    /// The `cursor` of the page before; without it, from the newest.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub after: Option<String>,
    /// At most so many statements, 1–100; 20 if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u16>,
}

/// A part of a stall's statements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StallStatementPage {
    /// What has come since the last settlement; on the first page alone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub open: Option<StallStatement>,
    /// The settlements, the newest first.
    pub statements: Vec<StallStatement>,
    /// Where the next page begins; absent after the last one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cursor: Option<String>,
    /// The time of this answer.
    pub as_of: UnixMillis,
}

/// What came and went on a stall's account between two settlements, by the days on which it was booked: a sale that was
/// uploaded late is in the statement of its upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StallStatement {
    /// Its number, from 1; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none", default)]
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
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<String>,
    /// When it was paid out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub paid_at: Option<UnixMillis>,
}

/// The query of `GET /v1/merchants/{id}/export`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StallExportQuery {
    /// The first day, `yyyy-mm-dd`; today if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
    /// The last day; the first one too if absent. At most 366 days.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub to: Option<String>,
    /// What to write down; the income if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub what: Option<StallExportOf>,
    /// In which form; if absent, as `Accept` says, and CSV where that says nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub format: Option<StallExportFormat>,
}

/// What an export has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StallExportOf {
    /// Income by day, terminal, kind and hour.
    Income,
    /// Each sale and each refund; at most 100,000.
    Payments,
}

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StallExportFormat {
    /// Comma-separated values: RFC 4180, UTF-8 with a byte order mark.
    Csv,
    /// A workbook of Excel (ISO/IEC 29500).
    Xlsx,
}

impl StallExportFormat {
    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// How the names of its files end.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}
