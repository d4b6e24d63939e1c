//! Accounts and their balances.

use crate::error::YikaError;
use crate::refusals::RefusalReason;
use crate::types::{Fen, LocalizedText, Slot, UnixMillis, Uuid};
use crate::wallet::payment_password;

pub use yika_core::accounts::{Account, AccountStatus, Balance};
pub use yika_core::auto_top_up::{AutoTopUp, AutoTopUpProblem, AutoTopUpRule};

/// Accounts and their balances.
#[derive(uniffi::Object)]
pub struct AccountService {
    pub(crate) core: yika_core::AccountService,
}

#[uniffi::export]
impl AccountService {
    /// The holder's accounts as last told, in the order of their slots. Touches the disk; no network. Fails with `NotBound`, or
    /// with an error of the storage.
    pub async fn list(&self) -> Result<Vec<Account>, YikaError> {
        Ok(self.core.list().await?)
    }

    /// Sets below which balance of an account the holder wants to be told; at none if absent. Answers all accounts. Touches the
    /// network and the disk. Fails with `InvalidInput` for an amount that isn't above zero.
    pub async fn set_low_balance(
        &self,
        account: Uuid,
        below: Option<Fen>,
    ) -> Result<Vec<Account>, YikaError> {
        Ok(self.core.set_low_balance(account, below).await?)
    }

    /// Agrees to a rule by which an account is topped up by itself, in place of the one before. The payment password (six
    /// digits) is given this once; the bank keeps a mandate, for no more than the rule says. Answers all accounts. Touches the
    /// network and the disk. Fails with `InvalidInput` for what is no rule, and with `Money`: `BankRefused`, `AmountOutOfRange`,
    /// `WalletNotOpen`, `TermsChanged` where there is a newer text to agree to.
    pub async fn set_auto_top_up(
        &self,
        account: Uuid,
        rule: AutoTopUpRule,
        password: Vec<u8>,
    ) -> Result<Vec<Account>, YikaError> {
        let password = payment_password(password)?;
        Ok(self.core.set_auto_top_up(account, rule, password).await?)
    }

    /// Ends the rule of an account at once; a top-up under way goes on to its end. Answers all accounts. Touches the network and
    /// the disk.
    pub async fn stop_auto_top_up(&self, account: Uuid) -> Result<Vec<Account>, YikaError> {
        Ok(self.core.stop_auto_top_up(account).await?)
    }
}

/// One account of the holder.
#[uniffi::remote(Record)]
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

/// The version of the text that this version has holders agree to before an account is topped up by itself.
#[uniffi::export]
pub const fn auto_top_up_consent_version() -> u32 {
    yika_core::auto_top_up::CONSENT_VERSION
}

/// When an account is to be topped up, by how much, and what the holder agreed to.
#[uniffi::remote(Record)]
pub struct AutoTopUpRule {
    /// Below which balance, above zero.
    pub below: Fen,
    /// What arrives each time, above zero.
    pub add: Fen,
    /// The most of a day, in the school's time zone; not below `add`.
    pub day_cap: Fen,
    /// The version of the text that the holder was shown and agreed to, see `auto_top_up_consent_version`.
    pub consent: u32,
}

/// The rule of an account, as it stands.
#[uniffi::remote(Record)]
pub struct AutoTopUp {
    /// Below which balance the account is topped up.
    pub below: Fen,
    /// What arrives each time.
    pub add: Fen,
    /// The most of a day.
    pub day_cap: Fen,
    /// What it has added today, top-ups under way included.
    pub day_used: Fen,
    /// When the holder agreed.
    pub since: UnixMillis,
    /// Why it does nothing for now, or any more.
    pub problem: Option<AutoTopUpProblem>,
}

/// Why a rule does nothing.
#[uniffi::remote(Record)]
pub struct AutoTopUpProblem {
    /// What the last top-up failed for, or would.
    pub reason: RefusalReason,
    /// When it tries again; absent where the holder has to agree anew.
    pub retry_at: Option<UnixMillis>,
}

/// Whether an account can pay.
#[uniffi::remote(Enum)]
pub enum AccountStatus {
    /// It can.
    Open,
    /// Not for now: the card office or the holder froze it.
    Frozen,
    /// Not any more.
    Closed,
}

/// What was on an account when the platform last told.
#[uniffi::remote(Record)]
pub struct Balance {
    /// The sum of its postings. Below zero where offline payments passed what was on it.
    pub amount: Fen,
    /// When that was: show it with every balance.
    pub as_of: UnixMillis,
    /// Rises with each posting, and never falls.
    pub version: u64,
    /// What is on hold or under dispute, and may still come off.
    pub pending: Fen,
}
