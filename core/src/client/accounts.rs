//! Reading accounts and bills.

use std::sync::Arc;

use super::Inner;
use crate::accounts::{Account, BillPage, BillQuery};
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
    /// A page of at most `limit` (1–500) bills as last told, newest first. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn page(&self, query: BillQuery, limit: u16) -> Result<BillPage, CoreError> {
        let inner = Arc::clone(&self.inner);
        self.inner
            .runtime
            .run_blocking(move || {
                inner.sessions.bound()?;
                inner.ledger.bills(&query, limit)
            })
            .await
    }
}
