//! What a shell asks for and gets, and what the journal keeps of a credential.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::credential::{CodePolicy, IssueRequest};
use yika_api::{Base64Url, UnixMillis};
use yika_format::Slot;

use super::qr::ModuleMatrix;
use crate::clock::ClockQuality;
use crate::keys::StoredKey;

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodePurpose {
    /// Pays, from this account or else from the one that is set as default.
    Payment {
        /// The account; the default if absent.
        account: Option<Uuid>,
    },
    /// Shows who the holder is, and never pays.
    Identity,
}

/// Which form to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FormChoice {
    /// Short; by turns with full as long as terminals may not know the credential yet (24 hours after a new epoch); full
    /// where only that is still good.
    #[default]
    Automatic,
    /// Short: 37×37 modules, for terminals that have the table.
    Short,
    /// Full: 57×57 modules, for all terminals.
    Full,
}

/// The form of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodeForm {
    /// 37×37 modules, for terminals that have the table.
    Short,
    /// 57×57 modules, for all terminals.
    Full,
}

/// A code to be shown. While it lives it is worth money, so `Debug` shows no part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeFrame {
    /// What to draw, without the quiet zone.
    pub modules: ModuleMatrix,
    /// Its form.
    pub form: CodeForm,
    /// What is in it, as a scanner types it.
    pub text: String,
    /// The account that pays; absent in identity codes, and where the account's name is not known yet.
    pub account: Option<Uuid>,
    /// The account's number in the code; absent in identity codes.
    pub slot: Option<Slot>,
    /// From when it counts, by the platform's time.
    pub shown_at: UnixMillis,
    /// When the next one is due, by the platform's time.
    pub refresh_at: UnixMillis,
    /// From when terminals refuse it, by the platform's time: blank the card then.
    pub expires_at: UnixMillis,
    /// How long until [`Self::refresh_at`], for a countdown on any clock. Never less than a quarter of a second.
    pub refresh_in: Duration,
    /// How long until [`Self::expires_at`].
    pub expires_in: Duration,
    /// How good the time in it is.
    pub clock: ClockQuality,
}

impl CodeFrame {
    /// Whether it pays (or else shows who the holder is).
    pub fn is_payment(&self) -> bool {
        self.slot.is_some()
    }
}

impl fmt::Debug for CodeFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeFrame")
            .field("form", &self.form)
            .field("slot", &self.slot)
            .field("shown_at", &self.shown_at)
            .field("refresh_at", &self.refresh_at)
            .field("expires_at", &self.expires_at)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// What codes can be shown, for the screen and for planning a synchronisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodesUntil {
    /// Until when terminals take the full form.
    pub full_until: UnixMillis,
    /// Until when terminals take the short form.
    pub short_until: UnixMillis,
    /// Seconds after which the next code is shown.
    pub rotation_s: u8,
    /// Seconds after which a code is refused.
    pub code_life_s: u8,
}

/// Why the platform or the holder stopped codes on this phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stop {
    PhoneLost,
    CardFrozen,
    Revoked,
}

/// The credential as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EnrolmentRecord {
    /// 117 bytes.
    pub credential: Base64Url,
    pub key: StoredKey,
    pub certificate_until: UnixMillis,
    pub row_until: UnixMillis,
    pub policy: CodePolicy,
    /// When this phone got this epoch.
    pub epoch_began: UnixMillis,
}

/// How far the counter has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CounterRecord {
    /// Counters below may have been shown.
    pub reserved: u32,
    /// Whether the platform has seen codes that this store doesn't know of.
    pub restored: bool,
}

/// An issue that was asked for and not answered yet: it is asked for again in the same words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingIssue {
    /// The idempotency key.
    pub operation: Uuid,
    pub request: IssueRequest,
    /// The key to be enrolled; absent where the one there stays.
    pub key: Option<StoredKey>,
}

/// What the holder chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Preferences {
    pub default_account: Option<Uuid>,
}
