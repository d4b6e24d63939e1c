//! Moving money, for shells.

use std::sync::Arc;

use uuid::Uuid;
use yika_api::Fen;

use super::Inner;
use crate::accounts::Account;
use crate::approvals::StepUp;
use crate::error::CoreError;
use crate::operations::{
    Authority, Operation, OperationCursor, OperationPage, Phase, Plan, TopUpAmount, TopUpSource,
    UtilitySource, plan, seal_password,
};
use crate::wallet::InputField;

/// Top-ups, recharges, withdrawals, and payments for utilities.
///
/// Each is planned, shown, confirmed and followed. A plan has the operation's id: confirming it twice is one operation.
/// Planning and confirming need no network; what was confirmed without one is sent by the next synchronisation. From then
/// on it reaches an end whatever becomes of this phone.
#[derive(Clone)]
pub struct OperationService {
    pub(super) inner: Arc<Inner>,
}

impl OperationService {
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
        self.inner
            .read(move |inner| {
                let wallet = inner.wallets.shown()?;
                plan::top_up(
                    Uuid::now_v7(),
                    &wallet,
                    &account_of(inner, account)?,
                    amount,
                    source,
                )
            })
            .await
    }

    /// Plans a payment for a bound place of a utility.
    ///
    /// # Errors
    ///
    /// [`CoreError::AccountUnknown`], [`CoreError::InvalidInput`], or [`CoreError::Money`] with why it is not possible.
    pub async fn plan_utility(
        &self,
        place: Uuid,
        amount: Fen,
        source: UtilitySource,
    ) -> Result<Plan, CoreError> {
        let id = Uuid::now_v7();
        self.inner
            .read(move |inner| match source {
                UtilitySource::Account { account_id } => {
                    let account = account_of(inner, account_id)?;
                    let limits = inner.limits.known().ok();
                    plan::utility_by_account(id, place, &account, amount, limits.as_ref())
                }
                UtilitySource::Bank { source } => {
                    plan::utility_by_bank(id, place, &inner.wallets.shown()?, amount, source)
                }
            })
            .await
    }

    /// Plans a recharge of the wallet off a bank card; the default one if `None`.
    ///
    /// # Errors
    ///
    /// [`CoreError::InvalidInput`], or [`CoreError::Money`] with why it is not possible.
    pub async fn plan_recharge(&self, amount: Fen, card: Option<Uuid>) -> Result<Plan, CoreError> {
        self.inner
            .read(move |inner| plan::recharge(Uuid::now_v7(), &inner.wallets.shown()?, amount, card))
            .await
    }

    /// Plans a withdrawal onto a bank card (the default one if `None`), of all that is free if `amount` is `None`.
    ///
    /// # Errors
    ///
    /// [`CoreError::InvalidInput`], or [`CoreError::Money`] with why it is not possible.
    pub async fn plan_withdrawal(&self, amount: Option<Fen>, card: Option<Uuid>) -> Result<Plan, CoreError> {
        self.inner
            .read(move |inner| plan::withdrawal(Uuid::now_v7(), &inner.wallets.shown()?, amount, card))
            .await
    }

    /// Confirms a plan, with the payment password where it takes that ([`Plan::needs_password`]), or with any step-up where it
    /// is above the holder's limits ([`Plan::needs_step_up`]): on the disk first, then sent. Answers how it stands, also
    /// where nobody answered: then it is sent again later, and is still one.
    ///
    /// # Errors
    ///
    /// [`CoreError::InvalidInput`] without the password that it takes, [`CoreError::Money`] where nothing was written down,
    /// [`CoreError::Untrusted`] where the bank's keys are not the bank's, [`CoreError::StorageFull`] and the like, with an
    /// approval those of the keystore. After any error nothing was sent.
    pub async fn confirm(&self, plan: Plan, step_up: Option<StepUp>) -> Result<Operation, CoreError> {
        let id = plan.id;
        let authority = self.authorise(plan, step_up).await?;
        self.inner
            .read(move |inner| inner.operations.write_down(plan, authority))
            .await?;
        let work = move |inner: Arc<Inner>| async move {
            let operation = inner.operations.send(&inner.sessions, id).await?;
            if operation.phase.is_end() {
                inner.refresh_money().await;
            }
            Ok(operation)
        };
        self.inner.ask(work).await
    }

    async fn authorise(&self, plan: Plan, step_up: Option<StepUp>) -> Result<Authority, CoreError> {
        if plan.needs_password() {
            let Some(StepUp::Password { password }) = step_up else {
                return Err(InputField::PaymentPassword.into());
            };
            let work = move |inner: &Inner| {
                let sealing = inner.wallets.sealing(&inner.sessions)?;
                seal_password(&plan, &sealing, &password).map(Authority::Password)
            };
            return self.inner.read(work).await;
        }
        let (Some(step_up), Some(act)) = (step_up, plan.act()) else {
            return Ok(Authority::Session { step_up: None });
        };
        let work = move |inner: Arc<Inner>| async move {
            let (sessions, wallets) = (&inner.sessions, &inner.wallets);
            let proven = inner.approvals.prove(sessions, wallets, plan.id, act, &step_up);
            let step_up = Some(proven.await?);
            Ok(Authority::Session { step_up })
        };
        self.inner.ask(work).await
    }

    /// Takes back an operation that was never sent.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `AlreadySent` or `OperationUnknown`.
    pub async fn cancel(&self, id: Uuid) -> Result<(), CoreError> {
        self.inner.read(move |inner| inner.operations.cancel(id)).await
    }

    /// An operation as far as is known. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `OperationUnknown`.
    pub async fn get(&self, id: Uuid) -> Result<Operation, CoreError> {
        self.inner.read(move |inner| inner.operations.one(id)).await
    }

    /// A page of at most `limit` (1–500) operations, newest first. Works without a network.
    ///
    /// # Errors
    ///
    /// One of the storage.
    pub async fn page(&self, after: Option<OperationCursor>, limit: u16) -> Result<OperationPage, CoreError> {
        self.inner
            .read(move |inner| inner.operations.page(after, limit))
            .await
    }

    /// An operation as soon as it stands elsewhere than at `seen`, or as it stands after half a minute: call it again until
    /// it has ended. Without a network it waits for one that long.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `OperationUnknown`, [`CoreError::SessionExpired`] and the like.
    pub async fn watch(&self, id: Uuid, seen: Phase) -> Result<Operation, CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            let operation = inner.operations.watch(&inner.sessions, id, seen).await?;
            if operation.phase.is_end() && operation.phase != seen {
                inner.refresh_money().await;
            }
            Ok(operation)
        };
        self.inner.ask(work).await
    }
}

fn account_of(inner: &Inner, id: Uuid) -> Result<Account, CoreError> {
    let accounts = inner.ledger.accounts()?;
    let found = accounts.into_iter().find(|known| known.id == id);
    found.ok_or(CoreError::AccountUnknown)
}
