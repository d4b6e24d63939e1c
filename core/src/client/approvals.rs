//! Approving with what unlocks the phone, for shells.

use std::sync::Arc;

use super::Inner;
use crate::error::CoreError;
use crate::wallet::PaymentPassword;

/// Approving with finger, face or screen lock where otherwise the payment password is needed: see
/// [`crate::approvals::StepUp`].
#[derive(Clone)]
pub struct ApprovalService {
    pub(super) inner: Arc<Inner>,
}

impl ApprovalService {
    /// Whether this phone approves. Works without a network.
    ///
    /// # Errors
    ///
    /// One of the storage.
    pub async fn is_on(&self) -> Result<bool, CoreError> {
        self.inner.read(|inner| inner.approvals.is_on()).await
    }

    /// Lets this phone approve from now on: makes a key that asks for the user each time, and asks once.
    ///
    /// # Errors
    ///
    /// [`CoreError::KeyUnavailable`] where the keystore isn't one of hardware, [`CoreError::NoScreenLock`],
    /// [`CoreError::BiometricCancelled`] and the like from the keystore, [`CoreError::Money`] with `WalletNotOpen` or
    /// `BankRefused`, [`CoreError::Network`] and the like. After any of them this phone doesn't approve.
    pub async fn turn_on(&self, password: PaymentPassword) -> Result<(), CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            let (sessions, wallets) = (&inner.sessions, &inner.wallets);
            inner.approvals.turn_on(sessions, wallets, &password).await
        };
        self.inner.ask(work).await
    }

    /// Forgets the key, at the platform and here.
    ///
    /// # Errors
    ///
    /// [`CoreError::Network`] and the like: then this phone approves as before.
    pub async fn turn_off(&self) -> Result<(), CoreError> {
        let work = |inner: Arc<Inner>| async move { inner.approvals.turn_off(&inner.sessions).await };
        self.inner.ask(work).await
    }
}
