//! Showing codes.

use std::sync::Arc;

use uuid::Uuid;

use super::Inner;
use crate::clock::{ClockQuality, ClockStory};
use crate::codes::{CodeFrame, CodePurpose, CodesUntil, FormChoice};
use crate::error::CoreError;
use crate::store::Changes;

/// Payment and identity codes. Nothing here touches the network.
#[derive(Clone)]
pub struct CodeService {
    pub(super) inner: Arc<Inner>,
}

impl CodeService {
    /// Does `work` where it may block.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, CoreError> + Send + 'static,
    ) -> Result<T, CoreError> {
        let service = self.clone();
        self.inner.runtime.run_blocking(move || work(&service)).await
    }

    /// The code to show now. Ask again at [`CodeFrame::refresh_in`].
    ///
    /// # Errors
    ///
    /// [`CoreError::NotBound`], [`CoreError::NotEnrolled`], [`CoreError::CredentialExpired`], [`CoreError::PhoneLost`],
    /// [`CoreError::CardFrozen`], [`CoreError::CredentialRevoked`], [`CoreError::StoreRestored`],
    /// [`CoreError::StoreDamaged`], [`CoreError::StorageFull`], [`CoreError::ClockImpossible`],
    /// [`CoreError::AccountUnknown`], [`CoreError::Money`] with `AccountNotOpen`, or one of the keystore.
    pub async fn show(&self, purpose: CodePurpose, form: FormChoice) -> Result<CodeFrame, CoreError> {
        self.apart(move |service| service.show_blocking(purpose, form))
            .await
    }

    /// [`Self::show`] on the calling thread, which may wait for the disk and the keystore.
    ///
    /// # Errors
    ///
    /// As [`Self::show`].
    pub fn show_blocking(&self, purpose: CodePurpose, form: FormChoice) -> Result<CodeFrame, CoreError> {
        self.inner.codes.show(purpose, form)
    }

    /// Takes the code off the screen for good: the next one is new. For leaving the screen, and for a screenshot. May wait
    /// for a code that is being made.
    ///
    /// # Errors
    ///
    /// [`CoreError::Internal`] where the runtime could not be started.
    pub async fn erase(&self) -> Result<(), CoreError> {
        self.apart(|service| {
            service.erase_blocking();
            Ok(())
        })
        .await
    }

    /// [`Self::erase`] on the calling thread.
    pub fn erase_blocking(&self) {
        self.inner.codes.erase();
    }

    /// How long codes are good without a network.
    ///
    /// # Errors
    ///
    /// As [`Self::show`].
    pub async fn until(&self) -> Result<CodesUntil, CoreError> {
        self.apart(Self::until_blocking).await
    }

    /// [`Self::until`] on the calling thread, which may wait for the disk and the witness.
    ///
    /// # Errors
    ///
    /// As [`Self::show`].
    pub fn until_blocking(&self) -> Result<CodesUntil, CoreError> {
        self.inner.codes.until()
    }

    /// Sets the account that pays where none is named; the first one again if `None`.
    ///
    /// # Errors
    ///
    /// [`CoreError::AccountUnknown`], [`CoreError::Money`] with `AccountNotOpen`, or why there are no codes.
    pub async fn set_default_account(&self, account: Option<Uuid>) -> Result<(), CoreError> {
        self.apart(move |service| service.inner.codes.set_default_account(account))
            .await
    }

    /// How good the phone's time is. Asks the clock port, and waits for nothing else.
    ///
    /// # Errors
    ///
    /// [`CoreError::ClockImpossible`].
    pub fn clock_quality(&self) -> Result<ClockQuality, CoreError> {
        Ok(self.inner.clock.now()?.quality())
    }

    /// After an offline restart: believes this story about the time, until the phone is restarted or hears the
    /// platform's time.
    ///
    /// # Errors
    ///
    /// [`CoreError::StorageFull`] and the like.
    pub async fn choose_clock(&self, story: ClockStory) -> Result<(), CoreError> {
        self.apart(move |service| {
            let Inner { clock, store, .. } = service.inner.as_ref();
            let state = clock.update(|state, sample| state.choose(story, sample.boot_id))?;
            Ok(store.commit(&Changes::new().put(&state)?)?)
        })
        .await
    }
}
