//! Payment and identity codes, ready to be drawn. Nothing here touches the network.

use std::fmt;
use std::time::Duration;

use crate::error::YikaError;
use crate::guard::guarded;
use crate::types::{Slot, UnixMillis, Uuid};

pub use yika_core::clock::{ClockQuality, ClockStory};
pub use yika_core::codes::{CodeForm, CodePurpose, CodesUntil, FormChoice};

/// Payment and identity codes.
#[derive(uniffi::Object)]
pub struct CodeService {
    pub(crate) core: yika_core::CodeService,
}

#[uniffi::export]
impl CodeService {
    /// The code to show now. Ask again after its `refresh_in_ms`: until then it is the same one. Touches the disk, the clock
    /// and witness ports, and the keystore; no network.
    ///
    /// Fails with `NotBound`, `NotEnrolled`, `CredentialExpired`, `PhoneLost`, `CardFrozen`, `CredentialRevoked`,
    /// `StoreRestored`, `StoreDamaged`, `StorageFull`, `ClockImpossible`, `AccountUnknown`, `Money` with `AccountNotOpen`, or
    /// an error of the keystore.
    pub async fn show(&self, purpose: CodePurpose, form: FormChoice) -> Result<CodeFrame, YikaError> {
        Ok(self.core.show(purpose, form).await?.into())
    }

    /// `show` on the calling thread, which may wait for the disk and the keystore: the fastest way to a code, and the one
    /// method that is not for the main thread.
    pub fn show_blocking(&self, purpose: CodePurpose, form: FormChoice) -> Result<CodeFrame, YikaError> {
        guarded(|| Ok(self.core.show_blocking(purpose, form)?.into()))
    }

    /// Takes the code off the screen for good: the next one is new. For leaving the screen, and for a screenshot. May wait
    /// for a code that is being made; touches nothing itself.
    pub async fn erase(&self) -> Result<(), YikaError> {
        Ok(self.core.erase().await?)
    }

    /// How long codes are good without a network, or why there are none. Touches the disk and the witness port where they
    /// did not answer before; no network.
    pub async fn until(&self) -> Result<CodesUntil, YikaError> {
        Ok(self.core.until().await?)
    }

    /// Sets the account that pays where none is named; the first one again if absent. Touches the disk; no network. Fails
    /// with `AccountUnknown`, `Money` with `AccountNotOpen`, or why there are no codes.
    pub async fn set_default_account(&self, account: Option<Uuid>) -> Result<(), YikaError> {
        Ok(self.core.set_default_account(account).await?)
    }

    /// How good the phone's time is. Asks the clock port on the calling thread; touches nothing else. Fails with
    /// `ClockImpossible`.
    pub fn clock_quality(&self) -> Result<ClockQuality, YikaError> {
        guarded(|| self.core.clock_quality())
    }

    /// After a restart without network: believes this story about the time, until the phone is restarted again or hears the
    /// platform's time. Touches the disk and the clock port; no network.
    pub async fn choose_clock(&self, story: ClockStory) -> Result<(), YikaError> {
        Ok(self.core.choose_clock(story).await?)
    }
}

/// What a code is for.
#[uniffi::remote(Enum)]
pub enum CodePurpose {
    /// Pays.
    Payment {
        /// The account that pays; the default one if absent.
        account: Option<Uuid>,
    },
    /// Shows who the holder is, and never pays.
    Identity,
}

/// Which form to show.
#[uniffi::remote(Enum)]
pub enum FormChoice {
    /// Short; by turns with full as long as terminals may not know the credential yet; full where only that is good.
    Automatic,
    /// Short: 37×37 modules, for terminals that have the table.
    Short,
    /// Full: 57×57 modules, for all terminals.
    Full,
}

/// The form of a code.
#[uniffi::remote(Enum)]
pub enum CodeForm {
    /// 37×37 modules, for terminals that have the table.
    Short,
    /// 57×57 modules, for all terminals.
    Full,
}

/// How good the phone's time is, for the screen.
#[uniffi::remote(Enum)]
pub enum ClockQuality {
    /// Known to half a minute or better.
    Good,
    /// Terminals may refuse; connecting helps.
    Weak,
}

/// Which of two stories about the time is believed after a restart without network.
#[uniffi::remote(Enum)]
pub enum ClockStory {
    /// The wall clock is as wrong as it was when the platform last told the time.
    StoredOffset,
    /// The wall clock is right.
    WallClock,
}

/// How long codes are good without a network.
#[uniffi::remote(Record)]
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

/// A code to be shown: dark modules on white, with a quiet zone of four light modules on every side. While it lives it is
/// worth money: its text form says nothing of it, and no app should store or send it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct CodeFrame {
    /// The modules, row by row from the top; in a row the left-most module is the highest bit of the first byte, 1 is
    /// dark, and each row is filled up with zeros to whole bytes: `size × ⌈size / 8⌉` bytes. Without the quiet zone.
    pub modules: Vec<u8>,
    /// Modules on a side, without the quiet zone.
    pub size: u32,
    /// Its form.
    pub form: CodeForm,
    /// What a scanner reads in it, for shells that draw it themselves.
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
    /// Milliseconds until `refresh_at`, for a countdown on any clock. Never less than 250.
    pub refresh_in_ms: i64,
    /// Milliseconds until `expires_at`.
    pub expires_in_ms: i64,
    /// How good the time in it is.
    pub clock: ClockQuality,
}

impl From<yika_core::codes::CodeFrame> for CodeFrame {
    fn from(frame: yika_core::codes::CodeFrame) -> Self {
        Self {
            modules: frame.modules.to_packed_bytes(),
            size: frame.modules.size().into(),
            form: frame.form,
            text: frame.text,
            account: frame.account,
            slot: frame.slot,
            shown_at: frame.shown_at,
            refresh_at: frame.refresh_at,
            expires_at: frame.expires_at,
            refresh_in_ms: whole_ms(frame.refresh_in),
            expires_in_ms: whole_ms(frame.expires_in),
            clock: frame.clock,
        }
    }
}

fn whole_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
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
