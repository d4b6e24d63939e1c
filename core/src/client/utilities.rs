//! Electricity and network accounts, for shells.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use crate::error::CoreError;
use crate::utilities::{BoundPlace, MeterBalance, Place, PlaceBalance, Provider};

/// Electricity and network accounts. A place is found once and bound; paying for it is
/// [`super::OperationService::plan_utility`].
///
/// # Errors
///
/// All of it may end with [`CoreError::Money`] (`UtilityNotOffered`, `UtilityUnavailable`), [`CoreError::NotBound`],
/// [`CoreError::SessionExpired`], [`CoreError::Network`] and the like.
#[derive(Clone)]
pub struct UtilityService {
    pub(super) inner: Arc<Inner>,
}

impl UtilityService {
    /// Who sells what places use.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn providers(&self) -> Result<Vec<Provider>, CoreError> {
        let work = |inner: Arc<Inner>| async move { inner.utilities.providers(&inner.sessions).await };
        self.inner.ask(work).await
    }

    /// The parts of a provider's place, such as the rooms of a building; those at the top if `below` is `None`.
    ///
    /// # Errors
    ///
    /// See [`Self`]; [`CoreError::InvalidInput`] for a code that is none.
    pub async fn places(&self, provider: String, below: Option<String>) -> Result<Vec<Place>, CoreError> {
        let work = |inner: Arc<Inner>| async move {
            inner.utilities.places(&inner.sessions, &provider, below).await
        };
        self.inner.ask(work).await
    }

    /// Remembers a place.
    ///
    /// # Errors
    ///
    /// See [`Self`]; [`CoreError::InvalidInput`] for a code that is none.
    pub async fn bind(&self, provider: String, code: String) -> Result<BoundPlace, CoreError> {
        let work =
            |inner: Arc<Inner>| async move { inner.utilities.bind(&inner.sessions, provider, code).await };
        self.inner.ask(work).await
    }

    /// Forgets a place.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn unbind(&self, place: Uuid) -> Result<(), CoreError> {
        let work =
            move |inner: Arc<Inner>| async move { inner.utilities.unbind(&inner.sessions, place).await };
        self.inner.ask(work).await
    }

    /// The bound places as last told, the one bound last first. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn bound(&self) -> Result<Vec<BoundPlace>, CoreError> {
        self.inner.read(|inner| inner.utilities.bound()).await
    }

    /// The bound places as they are.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn synchronise(&self) -> Result<Vec<BoundPlace>, CoreError> {
        let work = |inner: Arc<Inner>| async move { inner.utilities.synchronise(&inner.sessions).await };
        self.inner.ask(work).await
    }

    /// What was left at a bound place when it was last told; `None` where that was never, which is not zero. Works without
    /// a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn known_balance(&self, place: Uuid) -> Result<Option<MeterBalance>, CoreError> {
        self.inner
            .read(move |inner| inner.utilities.known_balance(place))
            .await
    }

    /// What is left at a bound place.
    ///
    /// # Errors
    ///
    /// See [`Self`].
    pub async fn balance(&self, place: Uuid) -> Result<PlaceBalance, CoreError> {
        let work =
            move |inner: Arc<Inner>| async move { inner.utilities.balance(&inner.sessions, place).await };
        self.inner.ask(work).await
    }
}
