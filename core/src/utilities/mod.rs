//! Electricity and network accounts: found once, remembered, looked at and paid for. The platform remembers the places; the
//! phone keeps what it was told of them for when there is no network. Paying is [`crate::operations`].

mod model;
mod remote;

use std::sync::Arc;

use uuid::Uuid;

pub use model::{BoundPlace, MeterBalance, Place, PlaceBalance, PlaceLookup, Provider, UtilityKind};

use crate::error::CoreError;
use crate::session::Sessions;
use crate::store::Store;
use model::{BalancesRecord, PlacesRecord};

/// What the phone knows about utilities.
pub(crate) struct Utilities {
    store: Arc<Store>,
}

impl Utilities {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    pub(crate) async fn providers(&self, sessions: &Sessions) -> Result<Vec<Provider>, CoreError> {
        remote::providers(sessions).await
    }

    pub(crate) async fn places(
        &self,
        sessions: &Sessions,
        provider: &str,
        below: Option<String>,
    ) -> Result<Vec<Place>, CoreError> {
        remote::places(sessions, provider, below).await
    }

    /// The bound places as last told.
    pub(crate) fn bound(&self) -> Result<Vec<BoundPlace>, CoreError> {
        let record: Option<PlacesRecord> = self.store.snapshot()?;
        Ok(record.unwrap_or_default().places)
    }

    /// The bound places as they are.
    pub(crate) async fn synchronise(&self, sessions: &Sessions) -> Result<Vec<BoundPlace>, CoreError> {
        let places = remote::bound(sessions).await?;
        self.store.put_snapshot(&PlacesRecord {
            places: places.clone(),
        })?;
        Ok(places)
    }

    pub(crate) async fn bind(
        &self,
        sessions: &Sessions,
        provider: String,
        code: String,
    ) -> Result<BoundPlace, CoreError> {
        let place = remote::bind(sessions, Uuid::now_v7(), provider, code).await?;
        let mut places = self.bound()?;
        places.retain(|known| known.id != place.id);
        places.insert(0, place.clone());
        self.store.put_snapshot(&PlacesRecord { places })?;
        Ok(place)
    }

    pub(crate) async fn unbind(&self, sessions: &Sessions, place: Uuid) -> Result<(), CoreError> {
        remote::unbind(sessions, Uuid::now_v7(), place).await?;
        let mut places = self.bound()?;
        places.retain(|known| known.id != place);
        Ok(self.store.put_snapshot(&PlacesRecord { places })?)
    }

    /// What is left at a bound place, as last told; `None` where that was never.
    pub(crate) fn known_balance(&self, place: Uuid) -> Result<Option<MeterBalance>, CoreError> {
        let record: Option<BalancesRecord> = self.store.snapshot()?;
        Ok(record.and_then(|record| record.balances.get(&place).copied()))
    }

    /// What is left at a bound place, as the utility says now. What was known stays where it says nothing.
    pub(crate) async fn balance(&self, sessions: &Sessions, place: Uuid) -> Result<PlaceBalance, CoreError> {
        let told = remote::balance(sessions, place).await?;
        if let Some(balance) = told.balance {
            let mut record: BalancesRecord = self.store.snapshot()?.unwrap_or_default();
            record.balances.insert(place, balance);
            self.store.put_snapshot(&record)?;
        }
        Ok(told)
    }
}
