//! Limits that holders set for themselves: of payments, and of top-ups.

use crate::approvals::{StepUp, into_core};
use crate::error::YikaError;
use crate::types::Fen;
use crate::wallet::Wallet;

pub use yika_core::limits::SpendLimits;

/// Limits that holders set for themselves. Lowering works at once; raising needs a step-up.
///
/// Setting may fail with `Money` (`StepUpRequired`, `ApprovalRefused`, `AmountOutOfRange`, `BankRefused`), `InvalidInput`,
/// `NotBound`, `SessionExpired`, `Network` and the like, and with an approval as the keystore fails.
#[derive(uniffi::Object)]
pub struct LimitService {
    pub(crate) core: yika_core::LimitService,
}

#[uniffi::export]
impl LimitService {
    /// The limits of payments off card accounts, as last told. Touches the disk; no network. Fails with `Money` and
    /// `BalanceUnknown` where the platform never told.
    pub async fn get(&self) -> Result<SpendLimits, YikaError> {
        Ok(self.core.get().await?)
    }

    /// The limits of payments off card accounts, as they are. Touches the network and the disk.
    pub async fn sync(&self) -> Result<SpendLimits, YikaError> {
        Ok(self.core.synchronise().await?)
    }

    /// Sets the limits of payments off card accounts. Terminals that are offline go by the credential, which is renewed.
    /// Touches the network, the disk and the ports.
    pub async fn set(
        &self,
        single: Fen,
        day: Fen,
        step_up: Option<StepUp>,
    ) -> Result<SpendLimits, YikaError> {
        Ok(self.core.set(single, day, into_core(step_up)?).await?)
    }

    /// Sets the limits of top-ups. Touches the network and the disk.
    pub async fn set_top_up(
        &self,
        single: Fen,
        day: Fen,
        step_up: Option<StepUp>,
    ) -> Result<Wallet, YikaError> {
        Ok(self.core.set_top_up(single, day, into_core(step_up)?).await?)
    }
}

/// Limits of payments off card accounts. Online, both are enforced whole; a terminal that is offline approves no payment above
/// `single`, and no more than `day` until its payments are settled.
#[uniffi::remote(Record)]
pub struct SpendLimits {
    /// The most of one payment. Terminals count in tenths of a yuan, rounded down.
    pub single: Fen,
    /// The most of a day, in the school's time zone.
    pub day: Fen,
    /// Above which `single` can't be set.
    pub most_single: Fen,
    /// Above which `day` can't be set.
    pub most_day: Fen,
    /// What is used of today's, as far as it is booked; what was given back doesn't count.
    pub day_used: Fen,
}
