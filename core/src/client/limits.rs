//! Limits that holders set for themselves, for shells.

use std::sync::Arc;

use yika_api::Fen;

use super::Inner;
use crate::approvals::StepUp;
use crate::error::CoreError;
use crate::limits::{NewLimits, Setting, SpendLimits};
use crate::wallet::Wallet;

/// Limits that holders set for themselves. Lowering works at once; raising needs a step-up.
///
/// # Errors
///
/// All of it may end with [`CoreError::Money`] (`StepUpRequired`, `ApprovalRefused`,
/// `AmountOutOfRange`, `BankRefused`), one of the keystore with an approval,
/// [`CoreError::NotBound`], [`CoreError::SessionExpired`], [`CoreError::Network`] and the like.
#[derive(Clone)]
pub struct LimitService {
    pub(super) inner: Arc<Inner>,
}

impl LimitService {
    /// The limits of payments off card accounts, as last told. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `BalanceUnknown` where the platform never told.
    pub async fn get(&self) -> Result<SpendLimits, CoreError> {
        self.inner.read(|inner| inner.limits.known()).await
    }

    /// The limits of payments off card accounts, as they are.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn synchronise(&self) -> Result<SpendLimits, CoreError> {
        let work = |inner: Arc<Inner>| async move { inner.limits.synchronise(&inner.sessions).await };
        self.inner.ask(work).await
    }

    /// Sets the limits of payments off card accounts. Terminals that are offline go by the credential, which is renewed.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn set(
        &self,
        single: Fen,
        day: Fen,
        step_up: Option<StepUp>,
    ) -> Result<SpendLimits, CoreError> {
        let new = NewLimits { single, day, step_up };
        let work = |inner: Arc<Inner>| async move {
            let limits = inner.limits.set(inner.setting(), new).await?;
            // The credential carries them; a phone that can't get it now does at its next synchronisation.
            if let Err(error) = inner.codes.synchronise(&inner.sessions).await {
                tracing::debug!(%error, "the credential is renewed later");
            }
            Ok(limits)
        };
        self.inner.ask(work).await
    }

    /// Sets the limits of top-ups.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn set_top_up(
        &self,
        single: Fen,
        day: Fen,
        step_up: Option<StepUp>,
    ) -> Result<Wallet, CoreError> {
        let new = NewLimits { single, day, step_up };
        let work = |inner: Arc<Inner>| async move { inner.limits.set_top_up(inner.setting(), new).await };
        self.inner.ask(work).await
    }
}

impl Inner {
    fn setting(&self) -> Setting<'_> {
        Setting {
            sessions: &self.sessions,
            wallets: &self.wallets,
            approvals: &self.approvals,
        }
    }
}
