//! Balances and bills: fetched when there is a network, kept for when there is none. A balance never goes back to an
//! older one, and what is unknown is never shown as zero.

mod cache;
mod csv;
mod disputes;
mod flow;
mod model;
mod remote;
mod summary;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use uuid::Uuid;
use yika_api::account::{AccountList, LowBalance};
use yika_api::{Fen, UnixMillis};
use yika_format::Slot;

pub(crate) use disputes::DisputeDrafts;
pub use disputes::{Dispute, DisputeDraft, DisputePhase, DisputeReason};
pub use model::{
    Account, Balance, Bill, BillCursor, BillKind, BillPage, BillQuery, BillStatus, BillSummary, KindTotal,
    MerchantTotal,
};
pub use yika_api::account::AccountStatus;

use crate::error::CoreError;
use crate::feed;
use crate::session::Sessions;
use crate::store::{Changes, Store, StoreError};
use crate::wallet::InputField;
use disputes::Sent;
pub(crate) use model::{Payer, Payers};

/// What the phone knows about the holder's accounts.
pub(crate) struct Ledger {
    store: Arc<Store>,
}

impl Ledger {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// The accounts in the order of their slots; where the cache was lost, without their balances.
    pub(crate) fn accounts(&self) -> Result<Vec<Account>, CoreError> {
        let cached = self
            .store
            .with_cache(|cache, sealer| cache::read_accounts(cache, sealer))?;
        if !cached.is_empty() {
            return Ok(cached);
        }
        let payers = self.store.get::<Payers>()?.unwrap_or_default().payers;
        let known = |payer: Payer| {
            let slot = Slot::new(payer.slot).map_err(|_| StoreError::Damaged)?;
            Ok(Account {
                id: payer.id,
                slot,
                name: payer.name,
                status: payer.status,
                balance: None,
                low_below: None,
                is_low: false,
                auto_top_up: None,
            })
        };
        payers.into_iter().map(known).collect()
    }

    /// A page of bills, newest first, of at most `limit` (1–500).
    pub(crate) fn bills(&self, query: &BillQuery, limit: u16) -> Result<BillPage, CoreError> {
        let limit = limit.clamp(1, 500);
        Ok(self
            .store
            .with_cache(|cache, sealer| cache::read_bills(cache, sealer, query, limit))?)
    }

    /// What bills come to.
    pub(crate) fn sum(&self, query: &BillQuery) -> Result<BillSummary, CoreError> {
        Ok(self
            .store
            .with_cache(|cache, sealer| cache::sum_bills(cache, sealer, query))?)
    }

    /// Bills as a table.
    pub(crate) fn export(&self, query: &BillQuery, offset_s: i32) -> Result<String, CoreError> {
        Ok(self
            .store
            .with_cache(|cache, sealer| cache::export_bills(cache, sealer, query, offset_s))?)
    }

    /// Writes down that a payment is disputed.
    pub(crate) fn draft_dispute(
        &self,
        payment: Uuid,
        reason: DisputeReason,
        text: &str,
        now: UnixMillis,
    ) -> Result<DisputeDraft, CoreError> {
        disputes::write_down(&self.store, payment, reason, text, now)
    }

    /// Sends a dispute that was written down, and reads its bill again; none where it waits for a network.
    pub(crate) async fn send_dispute(
        &self,
        sessions: &Sessions,
        draft: &DisputeDraft,
    ) -> Result<Option<Dispute>, CoreError> {
        match disputes::send(&self.store, sessions, draft).await? {
            Sent::Opened(dispute) => {
                self.follow_bills(sessions).await?;
                Ok(Some(*dispute))
            }
            Sent::Waits => Ok(None),
            Sent::Refused(error) => Err(error),
        }
    }

    /// Disputes that the platform may not have, oldest first.
    pub(crate) fn dispute_drafts(&self) -> Result<Vec<DisputeDraft>, CoreError> {
        disputes::drafts(&self.store)
    }

    /// Forgets one of them.
    pub(crate) fn discard_dispute(&self, id: Uuid) -> Result<(), CoreError> {
        disputes::discard(&self.store, id)
    }

    /// Takes a dispute back, and reads its bill again.
    pub(crate) async fn withdraw_dispute(
        &self,
        sessions: &Sessions,
        dispute: Uuid,
    ) -> Result<Dispute, CoreError> {
        let dispute = disputes::withdraw(sessions, dispute).await?;
        self.follow_bills(sessions).await?;
        Ok(dispute)
    }

    /// Sets below which balance of an account the holder wants to be told.
    pub(crate) async fn set_low_balance(
        &self,
        sessions: &Sessions,
        account: Uuid,
        below: Option<Fen>,
    ) -> Result<Vec<Account>, CoreError> {
        if below.is_some_and(|below| !below.is_positive()) {
            return Err(InputField::Amount.into());
        }
        let told = remote::set_low_balance(sessions, account, LowBalance { below }).await?;
        self.keep_told(told)
    }

    /// Keeps an answer that lists all accounts, and answers them as they are known then.
    pub(crate) fn keep_told(&self, told: AccountList) -> Result<Vec<Account>, CoreError> {
        self.take_accounts(told)?;
        self.accounts()
    }

    /// Brings accounts and bills up to date. Returns the accounts that codes can name.
    pub(crate) async fn synchronise(&self, sessions: &Sessions) -> Result<Payers, CoreError> {
        let payers = self.take_accounts(remote::accounts(sessions).await?)?;
        // Disputes first: their bills come with what they are then.
        disputes::send_waiting(&self.store, sessions).await?;
        self.follow_bills(sessions).await?;
        Ok(payers)
    }

    fn take_accounts(&self, told: AccountList) -> Result<Payers, CoreError> {
        let told = told.accounts;
        // A slot that no code can name means that this version is too old for the platform.
        if told.iter().any(|account| Slot::new(account.slot).is_err()) {
            return Err(CoreError::AppOutdated);
        }
        self.store
            .with_cache(|cache, sealer| cache::put_accounts(cache, sealer, &told))?;
        let mut payers: Vec<Payer> = told
            .into_iter()
            .map(|account| Payer {
                id: account.id,
                slot: account.slot,
                name: account.name,
                status: account.status,
            })
            .collect();
        payers.sort_by_key(|payer| payer.slot);
        let payers = Payers { payers };
        if self.store.get::<Payers>()?.as_ref() != Some(&payers) {
            self.store.commit(&Changes::new().put(&payers)?)?;
        }
        Ok(payers)
    }

    async fn follow_bills(&self, sessions: &Sessions) -> Result<(), CoreError> {
        feed::follow(
            || Ok(self.store.with_cache(|cache, _| cache::feed_cursor(cache))?),
            |after| remote::payments(sessions, after),
            |after, page| {
                Ok(self
                    .store
                    .with_cache(|cache, sealer| cache::put_page(cache, sealer, after, page))?)
            },
        )
        .await
    }
}
