//! The merchant centre: the stalls at which the holder works, what they earned, and giving money back from them. What was
//! told is kept for when there is no network, with its time. A void or a refund is on the disk before it is sent, and is one
//! however often it is sent.

mod cache;
mod flow;
mod model;
mod remote;

use std::sync::Arc;

use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::terminal::MerchantId;

pub use model::{
    DayTakings, HourTakings, KindTakings, Stall, StallDays, StallExport, StallExportFormat, StallExportOf,
    StallIncome, StallList, StallPayment, StallPaymentPage, StallPaymentStatus, StallReturn, StallReturnKind,
    StallRole, StallStatement, StallStatementPage, Takings, Tally, TerminalTakings, Till,
};
pub(crate) use model::{NewReturn, StallReturns};
pub use yika_api::terminal::{MerchantId as StallId, TerminalId};

use crate::error::CoreError;
use crate::http::HttpError;
use crate::session::{HttpOrCore, Sessions};
use crate::store::{Changes, Store};
use cache::Shelf;

/// What the phone knows about stalls.
pub(crate) struct Merchants {
    store: Arc<Store>,
}

impl Merchants {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// The stalls as last told; `None` where that was never.
    pub(crate) fn known_stalls(&self) -> Result<Option<StallList>, CoreError> {
        Ok(self.store.snapshot()?)
    }

    pub(crate) async fn stalls(&self, sessions: &Sessions) -> Result<StallList, CoreError> {
        let stalls = remote::stalls(sessions).await?;
        self.store.put_snapshot(&stalls)?;
        Ok(stalls)
    }

    /// What a stall has earned on some days, as last told.
    pub(crate) fn known_income(
        &self,
        stall: MerchantId,
        days: &StallDays,
    ) -> Result<Option<StallIncome>, CoreError> {
        cache::get(&self.store, &days.name(stall))
    }

    pub(crate) async fn income(
        &self,
        sessions: &Sessions,
        stall: MerchantId,
        days: &StallDays,
    ) -> Result<StallIncome, CoreError> {
        let income = remote::income(sessions, stall, days).await;
        self.kept(stall, days.name(stall), income)
    }

    /// The newest payments of some days, as last told.
    pub(crate) fn known_payments(
        &self,
        stall: MerchantId,
        days: &StallDays,
    ) -> Result<Option<StallPaymentPage>, CoreError> {
        cache::get(&self.store, &days.name(stall))
    }

    pub(crate) async fn payments(
        &self,
        sessions: &Sessions,
        stall: MerchantId,
        days: &StallDays,
        after: Option<String>,
    ) -> Result<StallPaymentPage, CoreError> {
        let is_first = after.is_none();
        let page = remote::payments(sessions, stall, days, after).await;
        match is_first {
            true => self.kept(stall, days.name(stall), page),
            false => page,
        }
    }

    /// The newest statements, as last told.
    pub(crate) fn known_statements(
        &self,
        stall: MerchantId,
    ) -> Result<Option<StallStatementPage>, CoreError> {
        cache::get(&self.store, &stall.0.to_string())
    }

    pub(crate) async fn statements(
        &self,
        sessions: &Sessions,
        stall: MerchantId,
        after: Option<String>,
    ) -> Result<StallStatementPage, CoreError> {
        let is_first = after.is_none();
        let page = remote::statements(sessions, stall, after).await;
        match is_first {
            true => self.kept(stall, stall.0.to_string(), page),
            false => page,
        }
    }

    pub(crate) async fn export(
        &self,
        sessions: &Sessions,
        stall: MerchantId,
        days: StallDays,
        what: StallExportOf,
        format: StallExportFormat,
    ) -> Result<StallExport, CoreError> {
        remote::export(sessions, stall, days, what, format).await
    }

    /// Keeps what was told. Where the holder may not see it any more, what is kept of the stall goes.
    fn kept<T: Shelf>(
        &self,
        stall: MerchantId,
        name: String,
        told: Result<T, CoreError>,
    ) -> Result<T, CoreError> {
        match &told {
            Ok(value) => cache::put(&self.store, name, value.clone())?,
            Err(error) if flow::is_shut_out(error) => {
                cache::forget(&self.store)?;
                self.forget_stall(stall)?;
            }
            Err(_) => {}
        }
        told
    }

    fn forget_stall(&self, stall: MerchantId) -> Result<(), CoreError> {
        if let Some(mut known) = self.known_stalls()? {
            known.stalls.retain(|known| known.id != stall);
            self.store.put_snapshot(&known)?;
        }
        Ok(())
    }

    /// Voids and refunds that the platform may not have yet, and those that it refused, oldest first.
    pub(crate) fn waiting(&self) -> Result<Vec<StallReturn>, CoreError> {
        Ok(self.store.get::<StallReturns>()?.unwrap_or_default().returns)
    }

    /// Writes down that a sale is to be given back.
    pub(crate) fn write_down(&self, new: NewReturn, now: UnixMillis) -> Result<StallReturn, CoreError> {
        let mut returns = self.waiting()?;
        let written = flow::write_down(&mut returns, new, Uuid::now_v7(), now)?;
        self.keep(returns)?;
        Ok(written)
    }

    /// Forgets one of those that wait. One that has reached the platform nevertheless shows among its payments.
    pub(crate) fn discard(&self, id: Uuid) -> Result<(), CoreError> {
        let mut returns = self.waiting()?;
        flow::discard(&mut returns, id)?;
        self.keep(returns)
    }

    fn keep(&self, returns: Vec<StallReturn>) -> Result<(), CoreError> {
        Ok(self
            .store
            .commit(&Changes::new().put(&StallReturns { returns })?)?)
    }

    /// Sends what was written down: the sale as it is then, or `None` where nobody knows and it waits.
    pub(crate) async fn send(
        &self,
        sessions: &Sessions,
        written: &StallReturn,
    ) -> Result<Option<StallPayment>, CoreError> {
        match remote::give_back(sessions, written).await {
            Ok(payment) => {
                self.discard(written.id)?;
                Ok(Some(payment))
            }
            Err(HttpOrCore::Http(HttpError::Problem(refusal))) if refusal.is_final() => {
                self.discard(written.id)?;
                Err((*refusal).into())
            }
            Err(error) => {
                let error = CoreError::from(error);
                tracing::debug!(%error, "a void or refund waits");
                Ok(None)
            }
        }
    }

    /// Sends what waits. What is refused stays, with why.
    pub(crate) async fn send_waiting(&self, sessions: &Sessions) -> Result<(), CoreError> {
        let waiting = self.waiting()?.into_iter().filter(|one| one.refusal.is_none());
        for written in waiting {
            if let Err(error) = self.send(sessions, &written).await {
                let mut returns = self.waiting()?;
                returns.push(StallReturn {
                    refusal: Some(error.code().to_owned()),
                    ..written
                });
                self.keep(returns)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
