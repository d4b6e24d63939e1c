//! Step-up: how the holder shows to be there, for what the session alone must not do. By the payment password, which the bank
//! checks; or by an approval, a signature under a key that the keystore uses only after it has seen finger, face or screen
//! lock. A phone approves from when its holder agreed to that with the password, until it forgets or the platform does.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::approval::{Act, SetApprovalKey, StepUp as Told, approval_text};
use yika_api::credential::KeyStorage;
use yika_api::{Fen, ProblemCode};
use yika_format::Signature;
use yika_format::bank::Field;

use crate::error::{CoreError, InternalFault};
use crate::http::{Call, HttpError};
use crate::keys::{Keys, StoredKey};
use crate::ports::KeyPurpose;
use crate::session::{HostIdToken, HttpOrCore, Sessions};
use crate::store::{Changes, Record, Store};
use crate::wallet::{MoneyReason, PaymentPassword, Wallets};

const KEY: &str = "/v1/sessions/current/approval-key";

/// How the holder shows to be there.
#[derive(Clone, Debug)]
pub enum StepUp {
    /// By the payment password.
    Password {
        /// It.
        password: PaymentPassword,
    },
    /// By what unlocks the phone: the keystore asks.
    Approval,
    /// By having signed in at the host just now, with the password there or the like: only where that is said to do.
    SignIn {
        /// The host's ID token, which says by `auth_time` when that was.
        id_token: HostIdToken,
    },
}

/// The key with which this phone approves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ApprovalRecord {
    pub key: StoredKey,
    /// Whether the platform takes it. One that it may never have heard of is kept to be removed from the keystore.
    is_agreed: bool,
}

impl Record for ApprovalRecord {
    const NAME: &'static str = "approval_key";
}

/// What this phone approves with.
pub(crate) struct Approvals {
    store: Arc<Store>,
    keys: Arc<Keys>,
}

impl Approvals {
    pub(crate) fn new(store: Arc<Store>, keys: Arc<Keys>) -> Self {
        Self { store, keys }
    }

    /// Whether this phone may approve, as far as it knows.
    pub(crate) fn is_on(&self) -> Result<bool, CoreError> {
        let record = self.store.get::<ApprovalRecord>()?;
        Ok(record.is_some_and(|record| record.is_agreed))
    }

    /// Lets this phone approve. The keystore asks for the user once, to show that it does.
    pub(crate) async fn turn_on(
        &self,
        sessions: &Sessions,
        wallets: &Wallets,
        password: &PaymentPassword,
    ) -> Result<(), CoreError> {
        self.forget().await?;
        let operation = Uuid::now_v7();
        let sealing = wallets.fresh_sealing(sessions).await?;
        let password = sealing.seal(operation, Fen::ZERO, Field::Password, password.expose())?;
        let key = self.create_key().await?;
        let mut record = ApprovalRecord {
            key,
            is_agreed: false,
        };
        self.store.commit(&Changes::new().put(&record)?)?;
        let agreed = async {
            let proof = self
                .sign(&record.key, sessions, operation, Act::ApprovalKey)
                .await?;
            let request = SetApprovalKey {
                public_key: record.key.public_key().into(),
                storage: record.key.storage,
                proof: proof.as_bytes().as_slice().into(),
                password,
            };
            let call = Call::put(KEY).json(&request)?.operation(operation);
            Ok(sessions.send(&call).await.map(drop)?)
        };
        if let Err(error) = agreed.await {
            self.forget().await?;
            return Err(error);
        }
        record.is_agreed = true;
        Ok(self.store.commit(&Changes::new().put(&record)?)?)
    }

    /// Has the platform forget the key, and then forgets it here.
    pub(crate) async fn turn_off(&self, sessions: &Sessions) -> Result<(), CoreError> {
        sessions.send(&Call::delete(KEY)).await?;
        self.forget().await
    }

    /// What the platform takes as a sign that the holder is there for this act of this operation.
    pub(crate) async fn prove(
        &self,
        sessions: &Sessions,
        wallets: &Wallets,
        operation: Uuid,
        act: Act,
        step_up: &StepUp,
    ) -> Result<Told, CoreError> {
        match step_up {
            StepUp::Password { password } => {
                let sealing = wallets.fresh_sealing(sessions).await?;
                let password = sealing.seal(operation, Fen::ZERO, Field::Password, password.expose())?;
                Ok(Told::Password { password })
            }
            StepUp::Approval => {
                let record = self.store.get::<ApprovalRecord>()?;
                let record = record.filter(|record| record.is_agreed);
                let record = record.ok_or(MoneyReason::ApprovalRefused)?;
                let signed = self.sign(&record.key, sessions, operation, act).await;
                if matches!(signed, Err(CoreError::KeyInvalidated | CoreError::KeyMissing)) {
                    self.forget().await?;
                }
                let signature = signed?.as_bytes().as_slice().into();
                Ok(Told::Approval { signature })
            }
            StepUp::SignIn { id_token } => Ok(Told::SignIn {
                id_token: id_token.expose().to_owned(),
            }),
        }
    }

    /// Looks at what came of a request that may have had an approval: a key that the platform doesn't take is none.
    pub(crate) async fn heard(&self, error: &HttpOrCore) -> Result<(), CoreError> {
        match error {
            HttpOrCore::Http(HttpError::Problem(refusal))
                if refusal.code == Some(ProblemCode::ApprovalRefused) =>
            {
                self.forget().await
            }
            _ => Ok(()),
        }
    }

    async fn create_key(&self) -> Result<StoredKey, CoreError> {
        let keys = Arc::clone(&self.keys);
        let key = apart(move || keys.create(KeyPurpose::Approval)).await??;
        match key.storage {
            // It would ask nobody.
            KeyStorage::Software => Err(CoreError::KeyUnavailable),
            KeyStorage::Tee | KeyStorage::SecureElement => Ok(key),
        }
    }

    async fn sign(
        &self,
        key: &StoredKey,
        sessions: &Sessions,
        operation: Uuid,
        act: Act,
    ) -> Result<Signature, CoreError> {
        let text = approval_text(&sessions.bound()?.school.domain, operation, act);
        let signer = self.keys.approver(key)?;
        Ok(apart(move || signer.sign(text.as_bytes())).await??)
    }

    /// Forgets the key, here and in the keystore.
    pub(crate) async fn forget(&self) -> Result<(), CoreError> {
        let Some(ApprovalRecord { key, .. }) = self.store.get::<ApprovalRecord>()? else {
            return Ok(());
        };
        self.store.commit(&Changes::new().remove::<ApprovalRecord>())?;
        let keys = Arc::clone(&self.keys);
        if let Err(error) = apart(move || keys.delete(&key)).await? {
            tracing::debug!(%error, "a key is still in the keystore");
        }
        Ok(())
    }
}

/// Calls the keystore on a thread that may block.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, CoreError> {
    let ended = |_| CoreError::Internal {
        fault: InternalFault::TaskEnded,
    };
    tokio::task::spawn_blocking(work).await.map_err(ended)
}

#[cfg(test)]
mod tests;
