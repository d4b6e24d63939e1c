//! Accounts and their balances.

use crate::error::YikaError;
use crate::types::{Fen, LocalizedText, Slot, UnixMillis, Uuid};

pub use yika_core::accounts::{Account, AccountStatus, Balance};

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
