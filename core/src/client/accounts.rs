//! Reading accounts and bills.

use std::sync::Arc;

use super::Inner;
use crate::accounts::{Account, BillPage, BillQuery, BillSummary, Ledger};
use crate::error::CoreError;

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
        let inner = Arc::clone(&self.inner);
        self.inner
            .runtime
            .run_blocking(move || {
                inner.sessions.bound()?;
                inner.ledger.accounts()
            })
            .await
    }
}

/// Bills.
#[derive(Clone)]
pub struct BillService {
    pub(super) inner: Arc<Inner>,
}

impl BillService {
    /// Does `work` where it may block.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Ledger) -> Result<T, CoreError> + Send + 'static,
    ) -> Result<T, CoreError> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .runtime
            .run_blocking(move || {
                inner.sessions.bound()?;
                work(&inner.ledger)
            })
            .await
    }

    /// A page of at most `limit` (1–500) bills as last told, newest first. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn page(&self, query: BillQuery, limit: u16) -> Result<BillPage, CoreError> {
        self.apart(move |ledger| ledger.bills(&query, limit)).await
    }

    /// What bills come to, such as those of a month. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn summary(&self, query: BillQuery) -> Result<BillSummary, CoreError> {
        self.apart(move |ledger| ledger.sum(&query)).await
    }

    /// Bills as a table for spreadsheets: CSV with a head, in UTF-8 with a byte order mark. Times are those of a place that
    /// is `offset_s` seconds ahead of UTC, and say so. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn export(&self, query: BillQuery, offset_s: i32) -> Result<String, CoreError> {
        self.apart(move |ledger| ledger.export(&query, offset_s)).await
    }
}
