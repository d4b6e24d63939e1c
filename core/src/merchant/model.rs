//! Stalls as the phone knows them: the platform's own types, and what waits for it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::terminal::{MerchantId, TerminalId};
use yika_api::{Fen, UnixMillis};

pub use yika_api::merchant::{
    DayTakings, HourTakings, KindTakings, Stall, StallExportFormat, StallExportOf, StallIncome, StallList,
    StallPayment, StallPaymentPage, StallPaymentStatus, StallRole, StallStatement, StallStatementPage,
    Takings, Tally, TerminalTakings, Till,
};

use crate::store::{Record, Snapshot};

impl Snapshot for StallList {
    const NAME: &'static str = "stalls";
}

/// Days that are asked about, `yyyy-mm-dd` in the school's time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StallDays {
    /// The first day; today if absent.
    pub from: Option<String>,
    /// The last day; the first one too if absent. At most 366 days.
    pub to: Option<String>,
    /// Only what this terminal sold; what all did if absent.
    pub terminal: Option<TerminalId>,
}

impl StallDays {
    /// By which an answer is kept.
    pub(super) fn name(&self, stall: MerchantId) -> String {
        let day = |day: &Option<String>| day.clone().unwrap_or_default();
        let terminal = self.terminal.map_or(0, |terminal| terminal.0);
        format!("{}|{}|{}|{terminal}", stall.0, day(&self.from), day(&self.to))
    }
}

/// How money is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StallReturn {
    /// Its name.
    pub id: Uuid,
    /// Whose sale.
    pub stall: MerchantId,
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

/// A void or a refund that somebody asks for.
#[derive(Clone, Debug)]
pub(crate) struct NewReturn {
    pub stall: MerchantId,
    pub payment_id: Uuid,
    pub kind: StallReturnKind,
    pub reason: Option<String>,
}

/// All that wait, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StallReturns {
    pub(super) returns: Vec<StallReturn>,
}

impl Record for StallReturns {
    const NAME: &'static str = "stall_returns";
}

/// A file with a stall's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StallExport {
    /// What to call it.
    pub file_name: String,
    /// Its media type.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}
