//! The merchant centre, for shells.

use std::sync::Arc;

use uuid::Uuid;
use yika_api::Fen;

use super::Inner;
use crate::error::CoreError;
use crate::merchant::{
    StallDays, StallExport, StallExportFormat, StallExportOf, StallId, StallIncome, StallList, StallPayment,
    StallPaymentPage, StallReturn, StallReturnKind, StallStatementPage,
};

/// The stalls at which the holder works. An owner sees everything; a cashier sees today, and what else the school allows
/// ([`crate::merchant::Stall`] says). What is `known` was told before, has its time, and needs no network.
///
/// # Errors
///
/// All of it may end with [`CoreError::Forbidden`] where the role doesn't reach that far, [`CoreError::Refused`] for a stall at
/// which the holder doesn't work or days that are none, [`CoreError::NotBound`], [`CoreError::SessionExpired`],
/// [`CoreError::Network`] and the like.
#[derive(Clone)]
pub struct MerchantService {
    pub(super) inner: Arc<Inner>,
}

impl MerchantService {
    /// The stalls as last told; `None` where that was never. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn known_stalls(&self) -> Result<Option<StallList>, CoreError> {
        self.inner.read(|inner| inner.merchants.known_stalls()).await
    }

    /// The stalls; none where the holder works at none.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn stalls(&self) -> Result<StallList, CoreError> {
        let work = |inner: Arc<Inner>| async move { inner.merchants.stalls(&inner.sessions).await };
        self.inner.ask(work).await
    }

    /// What a stall has earned on some days, as last told for these. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn known_income(
        &self,
        stall: StallId,
        days: StallDays,
    ) -> Result<Option<StallIncome>, CoreError> {
        self.inner
            .read(move |inner| inner.merchants.known_income(stall, &days))
            .await
    }

    /// What a stall has earned on some days. Sales that terminals have not uploaded are not in it: its tills say when each
    /// was heard last.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn income(&self, stall: StallId, days: StallDays) -> Result<StallIncome, CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            inner.merchants.income(&inner.sessions, stall, &days).await
        };
        self.inner.ask(work).await
    }

    /// The newest sales and refunds of some days, as last told for these. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn known_payments(
        &self,
        stall: StallId,
        days: StallDays,
    ) -> Result<Option<StallPaymentPage>, CoreError> {
        self.inner
            .read(move |inner| inner.merchants.known_payments(stall, &days))
            .await
    }

    /// A page of a stall's sales and refunds, the newest first; the first one, or that after a page's `cursor`.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn payments(
        &self,
        stall: StallId,
        days: StallDays,
        after: Option<String>,
    ) -> Result<StallPaymentPage, CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            inner
                .merchants
                .payments(&inner.sessions, stall, &days, after)
                .await
        };
        self.inner.ask(work).await
    }

    /// The newest statements, as last told. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn known_statements(&self, stall: StallId) -> Result<Option<StallStatementPage>, CoreError> {
        self.inner
            .read(move |inner| inner.merchants.known_statements(stall))
            .await
    }

    /// A page of a stall's statements, the newest first, with what is open on the first page; the first one, or that after a
    /// page's `cursor`. For owners.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn statements(
        &self,
        stall: StallId,
        after: Option<String>,
    ) -> Result<StallStatementPage, CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            inner.merchants.statements(&inner.sessions, stall, after).await
        };
        self.inner.ask(work).await
    }

    /// A stall's numbers as a file. For owners.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn export(
        &self,
        stall: StallId,
        days: StallDays,
        what: StallExportOf,
        format: StallExportFormat,
    ) -> Result<StallExport, CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            inner
                .merchants
                .export(&inner.sessions, stall, days, what, format)
                .await
        };
        self.inner.ask(work).await
    }

    /// Takes the last sale of a terminal back, as if it had not been. It is on the disk first, then sent; answers the sale as it
    /// is then. Where nobody answered it is `None`, waits in [`Self::waiting`], and the next synchronisation sends it.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `NotVoidable`, `RefundUnderWay` or `TooManyWaiting`, [`CoreError::InvalidInput`], and those of
    /// [`Self`]. After any error nothing waits.
    pub async fn void_sale(
        &self,
        stall: StallId,
        payment: Uuid,
        reason: Option<String>,
    ) -> Result<Option<StallPayment>, CoreError> {
        self.give_back(stall, payment, StallReturnKind::Void, reason)
            .await
    }

    /// Gives a sale back to the account that paid, or a part of it: never more than was paid. It is on the disk first, then sent;
    /// answers the sale as it is then. Where nobody answered it is `None`, waits in [`Self::waiting`], and the next
    /// synchronisation sends it.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `NotRefundable`, `AmountOutOfRange`, `RefundUnderWay` or `TooManyWaiting`,
    /// [`CoreError::InvalidInput`], and those of [`Self`]. After any error nothing waits.
    pub async fn refund(
        &self,
        stall: StallId,
        payment: Uuid,
        amount: Fen,
        reason: Option<String>,
    ) -> Result<Option<StallPayment>, CoreError> {
        self.give_back(stall, payment, StallReturnKind::Refund { amount }, reason)
            .await
    }

    async fn give_back(
        &self,
        stall: StallId,
        payment_id: Uuid,
        kind: StallReturnKind,
        reason: Option<String>,
    ) -> Result<Option<StallPayment>, CoreError> {
        let new = crate::merchant::NewReturn {
            stall,
            payment_id,
            kind,
            reason,
        };
        let write_down = move |inner: &Inner| {
            let now = inner.clock.now_or_floor()?;
            inner.merchants.write_down(new, now)
        };
        let written = self.inner.read(write_down).await?;
        let work =
            move |inner: Arc<Inner>| async move { inner.merchants.send(&inner.sessions, &written).await };
        self.inner.ask(work).await
    }

    /// Voids and refunds that the platform may not have yet, oldest first, and those that it refused when it was reached.
    /// Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn waiting(&self) -> Result<Vec<StallReturn>, CoreError> {
        self.inner.read(|inner| inner.merchants.waiting()).await
    }

    /// Forgets one of [`Self::waiting`], by its id. One that has reached the platform nevertheless shows among the payments.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `OperationUnknown`, or one of the storage.
    pub async fn discard(&self, waiting: Uuid) -> Result<(), CoreError> {
        self.inner
            .read(move |inner| inner.merchants.discard(waiting))
            .await
    }
}
