//! Reading accounts and bills.

use std::sync::Arc;

use uuid::Uuid;
use yika_api::Fen;

use super::Inner;
use crate::accounts::{Account, BillPage, BillQuery, BillSummary, Dispute, DisputeDraft, DisputeReason};
use crate::auto_top_up::{self, AutoTopUpRule};
use crate::error::CoreError;
use crate::wallet::PaymentPassword;

/// Accounts and their balances.
#[derive(Clone)]
pub struct AccountService {
    pub(super) inner: Arc<Inner>,
}

impl AccountService {
    /// The holder's accounts as last told, in the order of their slots. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn list(&self) -> Result<Vec<Account>, CoreError> {
        self.inner.read(|inner| inner.ledger.accounts()).await
    }

    /// Sets below which balance of an account the holder wants to be told; at none if `None`. Answers all accounts.
    ///
    /// # Errors
    ///
    /// [`CoreError::InvalidInput`] for an amount that isn't above zero, and those of the network.
    pub async fn set_low_balance(
        &self,
        account: Uuid,
        below: Option<Fen>,
    ) -> Result<Vec<Account>, CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            inner
                .ledger
                .set_low_balance(&inner.sessions, account, below)
                .await
        };
        self.inner.ask(work).await
    }

    /// Agrees to a rule by which an account is topped up by itself, in place of the one before. The payment password is given
    /// this once; the bank keeps a mandate, for no more than the rule says. Answers all accounts.
    ///
    /// # Errors
    ///
    /// [`CoreError::InvalidInput`] for what is no rule, [`CoreError::Money`] (`BankRefused`, `AmountOutOfRange`, `WalletNotOpen`,
    /// `TermsChanged` where there is a newer text to agree to), and those of the network.
    pub async fn set_auto_top_up(
        &self,
        account: Uuid,
        rule: AutoTopUpRule,
        password: PaymentPassword,
    ) -> Result<Vec<Account>, CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            let (sessions, wallets) = (&inner.sessions, &inner.wallets);
            let told = auto_top_up::set(sessions, wallets, account, rule, &password).await?;
            inner.ledger.keep_told(told)
        };
        self.inner.ask(work).await
    }

    /// Ends the rule of an account at once; a top-up under way goes on to its end. Answers all accounts.
    ///
    /// # Errors
    ///
    /// Those of the network.
    pub async fn stop_auto_top_up(&self, account: Uuid) -> Result<Vec<Account>, CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            let told = auto_top_up::stop(&inner.sessions, account).await?;
            inner.ledger.keep_told(told)
        };
        self.inner.ask(work).await
    }
}

/// Bills.
#[derive(Clone)]
pub struct BillService {
    pub(super) inner: Arc<Inner>,
}

impl BillService {
    /// A page of at most `limit` (1–500) bills as last told, newest first. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn page(&self, query: BillQuery, limit: u16) -> Result<BillPage, CoreError> {
        self.inner
            .read(move |inner| inner.ledger.bills(&query, limit))
            .await
    }

    /// What bills come to, such as those of a month. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn summary(&self, query: BillQuery) -> Result<BillSummary, CoreError> {
        self.inner.read(move |inner| inner.ledger.sum(&query)).await
    }

    /// Bills as a table for spreadsheets: CSV with a head, in UTF-8 with a byte order mark. Times are those of a place that
    /// is `offset_s` seconds ahead of UTC, and say so. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn export(&self, query: BillQuery, offset_s: i32) -> Result<String, CoreError> {
        self.inner
            .read(move |inner| inner.ledger.export(&query, offset_s))
            .await
    }

    /// Disputes a payment: the card office looks at it. `text` has at most 500 characters, and is needed where the reason is
    /// [`DisputeReason::Other`]. It is on the disk first, then sent. How it goes on comes with the bill; where nobody answered it
    /// is none yet, waits in [`Self::dispute_drafts`], and the next synchronisation sends it.
    ///
    /// # Errors
    ///
    /// [`CoreError::InvalidInput`], [`CoreError::Money`] with `NotDisputable`, `DisputeUnderWay` or `TooManyWaiting`, and
    /// those of the storage. After any error nothing waits.
    pub async fn dispute(
        &self,
        payment: Uuid,
        reason: DisputeReason,
        text: String,
    ) -> Result<Option<Dispute>, CoreError> {
        let write_down = move |inner: &Inner| {
            let now = inner.clock.now_or_floor()?;
            inner.ledger.draft_dispute(payment, reason, &text, now)
        };
        let draft = self.inner.read(write_down).await?;
        let work =
            move |inner: Arc<Inner>| async move { inner.ledger.send_dispute(&inner.sessions, &draft).await };
        self.inner.ask(work).await
    }

    /// Disputes that the platform may not have yet, oldest first, and those that it refused when it was reached. Works without a
    /// network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn dispute_drafts(&self) -> Result<Vec<DisputeDraft>, CoreError> {
        self.inner.read(|inner| inner.ledger.dispute_drafts()).await
    }

    /// Forgets one of [`Self::dispute_drafts`], by its id. One that has reached the platform nevertheless comes with its bill.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `OperationUnknown`, or one of the storage.
    pub async fn discard_dispute(&self, draft: Uuid) -> Result<(), CoreError> {
        self.inner
            .read(move |inner| inner.ledger.discard_dispute(draft))
            .await
    }

    /// Takes a dispute back.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] with `DisputeEnded`, and those of the network.
    pub async fn withdraw_dispute(&self, dispute: Uuid) -> Result<Dispute, CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            inner.ledger.withdraw_dispute(&inner.sessions, dispute).await
        };
        self.inner.ask(work).await
    }
}
