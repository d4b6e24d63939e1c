//! The e-wallet, for shells.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use crate::error::CoreError;
use crate::wallet::{
    CardBinding, CardDetails, Identity, NewPaymentPassword, PasswordProof, PaymentPassword, SmsCode, Wallet,
};

/// The e-wallet: money at the school's bank, and the debit cards bound to it.
///
/// What changes it asks the bank at once and needs a network; moving money is [`super::OperationService`]. Passwords, codes,
/// identity and card data are encrypted to the bank here; the platform cannot read them.
///
/// # Errors
///
/// All of it may end with [`CoreError::Money`], [`CoreError::Untrusted`] where the bank's keys are not the bank's,
/// [`CoreError::SessionExpired`], [`CoreError::Network`] and the like, and [`CoreError::NotBound`]. Where it is not known
/// whether something was done, as after [`CoreError::Network`], [`Self::synchronise`] tells.
#[derive(Clone)]
pub struct WalletService {
    pub(super) inner: Arc<Inner>,
}

impl WalletService {
    /// The wallet as last told. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `BalanceUnknown` where the platform never told.
    pub async fn get(&self) -> Result<Wallet, CoreError> {
        self.inner.read(|inner| inner.wallets.shown()).await
    }

    /// Brings the wallet up to date.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn synchronise(&self) -> Result<Wallet, CoreError> {
        self.inner
            .ask(|inner| async move {
                inner.wallets.synchronise(&inner.sessions).await?;
                inner.wallets.shown()
            })
            .await
    }

    /// Opens the wallet: the terms of that version accepted, the holder identified, the payment password set.
    ///
    /// # Errors
    ///
    /// See [`Self`]; [`CoreError::WeakPassword`] where the password stands in the identity number.
    pub async fn open(
        &self,
        terms_version: u32,
        identity: Identity,
        password: NewPaymentPassword,
    ) -> Result<Wallet, CoreError> {
        self.inner
            .ask(move |inner| async move {
                let Inner {
                    wallets, sessions, ..
                } = inner.as_ref();
                wallets.open(sessions, terms_version, &identity, &password).await
            })
            .await
    }

    /// Closes the wallet, if nothing stands against it ([`Wallet::close_blockers`]).
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn close(&self, password: PaymentPassword) -> Result<Wallet, CoreError> {
        self.inner
            .ask(move |inner| async move { inner.wallets.close(&inner.sessions, &password).await })
            .await
    }

    /// Sets another payment password.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn change_password(
        &self,
        proof: PasswordProof,
        new: NewPaymentPassword,
    ) -> Result<Wallet, CoreError> {
        self.inner
            .ask(move |inner| async move {
                let Inner {
                    wallets, sessions, ..
                } = inner.as_ref();
                wallets.change_password(sessions, &proof, &new).await
            })
            .await
    }

    /// Begins binding a debit card: the bank sends a code to the phone that it knows.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn begin_card(&self, card: CardDetails) -> Result<CardBinding, CoreError> {
        self.inner
            .ask(move |inner| async move { inner.wallets.begin_card(&inner.sessions, &card).await })
            .await
    }

    /// Binds the card with the code of the bank's message.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn confirm_card(&self, binding: Uuid, code: SmsCode) -> Result<Wallet, CoreError> {
        self.inner
            .ask(
                move |inner| async move { inner.wallets.confirm_card(&inner.sessions, binding, &code).await },
            )
            .await
    }

    /// Makes a card the one that pays where none is named.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn set_default_card(&self, card: Uuid) -> Result<Wallet, CoreError> {
        self.inner
            .ask(move |inner| async move { inner.wallets.set_default_card(&inner.sessions, card).await })
            .await
    }

    /// Unbinds a card.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn unbind_card(&self, card: Uuid) -> Result<Wallet, CoreError> {
        self.inner
            .ask(move |inner| async move { inner.wallets.unbind_card(&inner.sessions, card).await })
            .await
    }
}
