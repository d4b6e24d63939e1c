//! What is lost and found, and the phones that the card is on, for shells.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use crate::approvals::StepUp;
use crate::error::CoreError;
use crate::lost::{LostItem, Proving, Security};

/// Reporting the card, a phone or everything lost, and found again; and the phones that the card is on.
#[derive(Clone)]
pub struct SecurityService {
    pub(super) inner: Arc<Inner>,
}

impl SecurityService {
    /// How things stand, by what was reported here and what the platform told last. Works without a network.
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], or one of the storage.
    pub async fn status(&self) -> Result<Security, CoreError> {
        self.inner.read(Inner::security).await
    }

    /// Tells the platform what waits, asks it how things stand, and answers what is known then: without a network what was known
    /// before.
    ///
    /// # Errors
    ///
    /// [`CoreError::Refused`] where what waited was refused for good, and waits no more; [`CoreError::NotBound`], or one of the
    /// storage.
    pub async fn refresh(&self) -> Result<Security, CoreError> {
        self.inner.read(|_| Ok(())).await?;
        self.tell().await
    }

    /// Reports something lost. It is on the disk first, and where it is about this phone its codes stop before anything is sent;
    /// then it is told, now or at the next synchronisation. The answer says from when it counts where, once the platform has
    /// heard.
    ///
    /// # Errors
    ///
    /// [`CoreError::Refused`] where there is no such phone, [`CoreError::NotBound`], or one of the storage. Without a network there is
    /// no error: the state says that it waits.
    pub async fn report(&self, item: LostItem) -> Result<Security, CoreError> {
        let write_down = move |inner: &Inner| {
            let this = inner.sessions.bound()?.device_id;
            inner.losses.write_down(item, this, inner.clock.now_or_floor()?)?;
            inner.codes.reload();
            Ok(())
        };
        self.inner.read(write_down).await?;
        self.tell().await
    }

    /// Reports something found that the holder had reported lost. Phones get a new epoch then: pictures of before stay dead.
    ///
    /// # Errors
    ///
    /// [`CoreError::Money`] (`StepUpRequired`: a sign-in was too long ago, or this phone is itself suspended and approves nothing;
    /// `ApprovalRefused`, `WalletNotOpen`, `BankRefused`), [`CoreError::Forbidden`] where the card office froze it, one of the
    /// keystore with an approval, [`CoreError::NotBound`], [`CoreError::SessionExpired`], [`CoreError::Network`] and the
    /// like.
    pub async fn found(&self, item: LostItem, step_up: Option<StepUp>) -> Result<Security, CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            inner.losses.found(inner.proving(step_up.as_ref()), item).await?;
            // What can't be had now is had at the next synchronisation.
            if let Err(error) = inner.codes.synchronise(&inner.sessions).await {
                tracing::debug!(%error, "the credential is renewed later");
            }
            inner.losses.tell(&inner.sessions).await?;
            inner.security()
        };
        self.inner.ask(work).await
    }

    /// Signs another phone out: its session ends, and its codes are dead for good.
    ///
    /// # Errors
    ///
    /// As [`Self::found`]; [`CoreError::Refused`] where it is none of the holder's, or this one.
    pub async fn remove_device(&self, device: Uuid, step_up: Option<StepUp>) -> Result<Security, CoreError> {
        let work = move |inner: Arc<Inner>| async move {
            let proving = inner.proving(step_up.as_ref());
            inner.losses.remove(proving, device).await?;
            inner.security()
        };
        self.inner.ask(work).await
    }

    /// Tells the platform what waits, and answers how things stand. What can't be told now waits on.
    async fn tell(&self) -> Result<Security, CoreError> {
        let work = |inner: Arc<Inner>| async move {
            let told = inner.losses.tell(&inner.sessions).await;
            inner.codes.reload();
            told?;
            inner.security()
        };
        self.inner.ask(work).await
    }
}

impl Inner {
    fn security(&self) -> Result<Security, CoreError> {
        self.losses.security(self.sessions.bound()?.device_id)
    }

    fn proving<'a>(&'a self, step_up: Option<&'a StepUp>) -> Proving<'a> {
        Proving {
            sessions: &self.sessions,
            wallets: &self.wallets,
            approvals: &self.approvals,
            step_up,
        }
    }
}
