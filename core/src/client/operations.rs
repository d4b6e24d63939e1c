//! Moving money, for shells.

use std::sync::Arc;

use uuid::Uuid;
use yika_api::Fen;

use super::Inner;
use crate::error::CoreError;
use crate::operations::{
    Operation, OperationCursor, OperationPage, Operations, Phase, Plan, TopUpAmount, TopUpSource,
};
use crate::wallet::PaymentPassword;

/// Top-ups, recharges and withdrawals.
///
/// Each is planned, shown, confirmed and followed. A plan has the operation's id: confirming it twice is one operation.
/// Planning and confirming need no network; what was confirmed without one is sent by the next synchronisation. From then
/// on it reaches an end whatever becomes of this phone.
#[derive(Clone)]
pub struct OperationService {
    pub(super) inner: Arc<Inner>,
}

impl OperationService {
    /// Does `work` where it may block.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, CoreError> + Send + 'static,
    ) -> Result<T, CoreError> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .runtime
            .run_blocking(move || {
                inner.sessions.bound()?;
                work(&inner)
            })
            .await
    }

    /// Plans a top-up of a card account.
    ///
    /// # Errors
    ///
    /// [`CoreError::AccountUnknown`], [`CoreError::InvalidInput`], or [`CoreError::Money`] with why it is not possible.
    pub async fn plan_top_up(
        &self,
        account: Uuid,
        amount: TopUpAmount,
        source: TopUpSource,
    ) -> Result<Plan, CoreError> {
        self.apart(move |inner| {
            let accounts = inner.ledger.accounts()?;
            let found = accounts.iter().find(|known| known.id == account);
            let account = found.ok_or(CoreError::AccountUnknown)?;
            Operations::plan_top_up(&inner.wallets.known()?.shown(), account, amount, source)
        })
        .await
    }

    /// Plans a recharge of the wallet off a bank card; the default one if `None`.
    ///
    /// # Errors
    ///
    /// [`CoreError::InvalidInput`], or [`CoreError::Money`] with why it is not possible.
    pub async fn plan_recharge(&self, amount: Fen, card: Option<Uuid>) -> Result<Plan, CoreError> {
        self.apart(move |inner| Operations::plan_recharge(&inner.wallets.known()?.shown(), amount, card))
            .await
    }

    /// Plans a withdrawal onto a bank card (the default one if `None`), of all that is free if `amount` is `None`.
    ///
    /// # Errors
    ///
    /// [`CoreError::InvalidInput`], or [`CoreError::Money`] with why it is not possible.
    pub async fn plan_withdrawal(&self, amount: Option<Fen>, card: Option<Uuid>) -> Result<Plan, CoreError> {
        self.apart(move |inner| Operations::plan_withdrawal(&inner.wallets.known()?.shown(), amount, card))
            .await
    }

    /// Confirms a plan: on the disk first, then sent. Answers how it stands, also where nobody answered: then it is sent
    /// again later, and is still one.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] where nothing was written down, [`CoreError::Untrusted`] where the bank's keys are not the
    /// bank's, [`CoreError::StorageFull`] and the like. After any error nothing was sent.
    pub async fn confirm(&self, plan: Plan, password: PaymentPassword) -> Result<Operation, CoreError> {
        let id = plan.id;
        self.apart(move |inner| {
            let sealing = inner.wallets.sealing(&inner.sessions)?;
            inner.operations.write_down(&plan, &sealing, &password)
        })
        .await?;
        let inner = Arc::clone(&self.inner);
        self.inner
            .runtime
            .run(async move {
                let operation = inner.operations.send(&inner.sessions, id).await?;
                if operation.phase.is_end() {
                    inner.refresh_money().await;
                }
                Ok(operation)
            })
            .await
    }

    /// Takes back an operation that was never sent.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `AlreadySent` or `OperationUnknown`.
    pub async fn cancel(&self, id: Uuid) -> Result<(), CoreError> {
        self.apart(move |inner| inner.operations.cancel(id)).await
    }

    /// An operation as far as is known. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `OperationUnknown`.
    pub async fn get(&self, id: Uuid) -> Result<Operation, CoreError> {
        self.apart(move |inner| inner.operations.one(id)).await
    }

    /// A page of at most `limit` (1–500) operations, newest first. Works without a network.
    ///
    /// # Errors
    ///
    /// One of the storage.
    pub async fn page(&self, after: Option<OperationCursor>, limit: u16) -> Result<OperationPage, CoreError> {
        self.apart(move |inner| inner.operations.page(after, limit)).await
    }

    /// An operation as soon as it stands elsewhere than at `seen`, or as it stands after half a minute: call it again until
    /// it has ended. Without a network it waits for one that long.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `OperationUnknown`, [`CoreError::SessionExpired`] and the like.
    pub async fn watch(&self, id: Uuid, seen: Phase) -> Result<Operation, CoreError> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .runtime
            .run(async move {
                let operation = inner.operations.watch(&inner.sessions, id, seen).await?;
                if operation.phase.is_end() && operation.phase != seen {
                    inner.refresh_money().await;
                }
                Ok(operation)
            })
            .await
    }
}
