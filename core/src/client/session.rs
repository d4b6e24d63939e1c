//! Binding and signing out.

use std::sync::Arc;

use url::Url;
use yika_link::Origin;

use super::Inner;
use crate::error::CoreError;
use crate::session::{HostIdToken, SessionState};

/// Binding this phone to a campus card, and signing out.
#[derive(Clone)]
pub struct SessionService {
    pub(super) inner: Arc<Inner>,
}

impl SessionService {
    /// Whether a card is bound.
    pub fn state(&self) -> SessionState {
        self.inner.sessions.state()
    }

    /// Binds this phone to the campus card of whoever the host app's ID token is about, and brings everything up to date.
    /// The same person signing in again keeps what is there; another one finds it gone.
    ///
    /// # Errors
    ///
    /// Any [`CoreError`]. Where only the bringing up to date failed, the card is bound all the same (see
    /// [`Self::state`]): synchronise again.
    pub async fn bind(&self, platform: Url, id_token: HostIdToken) -> Result<(), CoreError> {
        let origin = Origin::new(platform)?;
        let work = |inner: Arc<Inner>| async move { inner.in_turn(inner.bind(origin, id_token)).await };
        self.inner.ask(work).await
    }

    /// Forgets the card: keys, codes, balances, bills. Works without a network too.
    ///
    /// # Errors
    ///
    /// A [`CoreError`] where something could not be forgotten; the next start tries again.
    pub async fn sign_out(&self) -> Result<(), CoreError> {
        self.inner
            .ask(|inner| async move { inner.sign_out().await })
            .await
    }
}
