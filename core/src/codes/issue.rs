//! Getting a credential and keeping it alive. What is asked for is in the journal before it is sent, and is asked for again
//! in the same words until it is answered: a lost reply never costs an epoch, and a lost phone never keeps a key that
//! nobody knows.

use std::sync::Arc;

use uuid::Uuid;
use yika_api::credential::{CredentialState, EpochReason, IssueRequest, IssuedCredential, KeyProof};
use yika_api::{ProblemCode, UnixMillis};
use yika_format::credential::Credential;
use yika_format::lists::Keyset;
use yika_format::proof::key_proof_preimage;

use super::Codes;
use super::cache::WitnessMark;
use super::check::{Expected, check};
use super::flow::{self, Counters, Due};
use super::model::{CounterRecord, EnrolmentRecord, PendingIssue, Stop};
use super::remote;
use crate::error::{CoreError, InternalFault};
use crate::keys::StoredKey;
use crate::ports::KeyPurpose;
use crate::session::Sessions;
use crate::store::Changes;

/// A renewal may bring to light that more is due; more rounds than these don't happen with a sane platform.
const ROUNDS: usize = 6;

impl Codes {
    /// Does what is due about the credential.
    pub(crate) async fn synchronise(self: &Arc<Self>, sessions: &Sessions) -> Result<(), CoreError> {
        let _one_at_a_time = self.synchronising.lock().await;
        let result = self.do_what_is_due(sessions).await;
        match result {
            Err(CoreError::PhoneLost) => self.stop(Stop::PhoneLost)?,
            Err(CoreError::CardFrozen) => self.stop(Stop::CardFrozen)?,
            _ => {}
        }
        result
    }

    async fn do_what_is_due(self: &Arc<Self>, sessions: &Sessions) -> Result<(), CoreError> {
        for _ in 0..ROUNDS {
            if let Some(pending) = self.store.get::<PendingIssue>()? {
                // First the keys to check the answer with, so that nothing is asked for that could not be taken.
                let keyset = sessions.keyset().await?;
                self.complete(sessions, pending, keyset).await?;
                continue;
            }
            let told = remote::status(sessions).await?;
            let now = self.clock.now()?.now;
            let known = self
                .lock()
                .enrolment
                .as_ref()
                .ok()
                .map(super::state::Enrolment::known);
            let request = match flow::due(known, told, now) {
                Due::Nothing => return Ok(()),
                Due::Stop(stop) => {
                    self.stop(stop)?;
                    return Err(stop.into());
                }
                Due::Enrol => {
                    if told.is_some_and(|told| told.state == CredentialState::Revoked) {
                        self.stop(Stop::Revoked)?;
                    }
                    self.prepare_enrolment(sessions).await?;
                    continue;
                }
                Due::Renew => IssueRequest::Renew,
                Due::NextEpoch(reason) => {
                    if reason == EpochReason::StoreRestored {
                        self.block_restored()?;
                    }
                    IssueRequest::NextEpoch { reason }
                }
            };
            let pending = PendingIssue {
                operation: Uuid::now_v7(),
                request,
                key: None,
            };
            self.store.commit(&Changes::new().put(&pending)?)?;
        }
        Err(CoreError::AppOutdated)
    }

    /// Makes a new code key, proves it, and journals the request.
    async fn prepare_enrolment(self: &Arc<Self>, sessions: &Sessions) -> Result<(), CoreError> {
        let nonce = remote::challenge(sessions).await?;
        let bound = sessions.bound()?;
        let (school, device) = (bound.school_hash(), bound.device_id);
        let keys = Arc::clone(&self.keys);
        let made = tokio::task::spawn_blocking(move || -> Result<_, CoreError> {
            let key = keys.create(KeyPurpose::Code)?;
            let signer = keys.signer(&key)?;
            let public_key = signer.compressed_key();
            let preimage = key_proof_preimage(&school, &nonce, device.as_bytes(), &public_key);
            Ok((key, public_key, signer.sign(&preimage)?))
        });
        let ended = |_| CoreError::Internal {
            fault: InternalFault::TaskEnded,
        };
        let (key, public_key, signature) = made.await.map_err(ended)??;
        let proof = KeyProof {
            code_key: public_key.as_bytes().as_slice().into(),
            key_storage: key.storage,
            nonce: nonce.as_slice().into(),
            signature: signature.as_bytes().as_slice().into(),
        };
        let request = IssueRequest::Enrol { proof };
        let pending = PendingIssue {
            operation: Uuid::now_v7(),
            request,
            key: Some(key),
        };
        Ok(self.store.commit(&Changes::new().put(&pending)?)?)
    }

    /// Asks for what is pending, and takes the answer. A request that can never succeed is dropped.
    async fn complete(
        self: &Arc<Self>,
        sessions: &Sessions,
        pending: PendingIssue,
        keyset: Keyset,
    ) -> Result<(), CoreError> {
        match remote::issue(sessions, &pending).await {
            Ok(issued) => self.take_issued(pending, issued, keyset).await,
            Err(error) => {
                // The challenge is over, or there is nothing to renew: another request is due.
                let outdated = matches!(
                    error.problem(),
                    Some(
                        ProblemCode::ChallengeExpired
                            | ProblemCode::NoCredential
                            | ProblemCode::IdempotencyConflict
                            | ProblemCode::InvalidKeyProof
                            | ProblemCode::InvalidRequest
                    )
                );
                let again = matches!(
                    error.problem(),
                    Some(ProblemCode::ChallengeExpired | ProblemCode::NoCredential)
                );
                if outdated {
                    self.store.commit(&Changes::new().remove::<PendingIssue>())?;
                    self.delete_key(pending.key).await;
                }
                if again { Ok(()) } else { Err(error.into()) }
            }
        }
    }

    async fn take_issued(
        self: &Arc<Self>,
        pending: PendingIssue,
        issued: IssuedCredential,
        keyset: Keyset,
    ) -> Result<(), CoreError> {
        let now = self.clock.now()?.now;
        let codes = Arc::clone(self);
        let renews = pending.request == IssueRequest::Renew;
        // Writes the witness, which may take its time.
        let taken = tokio::task::spawn_blocking(move || codes.install(&pending, &issued, &keyset, now));
        let taken = taken.await.map_err(|_| CoreError::Internal {
            fault: InternalFault::TaskEnded,
        })?;
        if renews && matches!(taken, Err(CoreError::Untrusted { .. })) {
            // The next one is asked for anew. Enrolments and epochs have moved something at the platform: they are asked
            // for again in the same words.
            self.store.commit(&Changes::new().remove::<PendingIssue>())?;
        }
        self.delete_key(taken?).await;
        Ok(())
    }

    /// Makes an issued credential the one to use, if the school's keys vouch for it. Returns the key that it replaces.
    fn install(
        &self,
        pending: &PendingIssue,
        issued: &IssuedCredential,
        keyset: &Keyset,
        now: UnixMillis,
    ) -> Result<Option<StoredKey>, CoreError> {
        let before = self.store.get::<EnrolmentRecord>()?;
        let credential = Credential::decode(&issued.credential.0).map_err(|_| CoreError::AppOutdated)?;
        let previous = before.as_ref().and_then(|before| {
            let credential = Credential::decode(&before.credential.0).ok()?;
            Some((credential, before.certificate_until))
        });
        let key = pending
            .key
            .clone()
            .or_else(|| before.as_ref().map(|before| before.key.clone()));
        let key = key.ok_or(CoreError::AppOutdated)?;
        let expected = Expected {
            keyset,
            device_key: self.keys.signer(&key)?.compressed_key(),
            request: &pending.request,
            previous: previous.as_ref().map(|(previous, until)| (previous, *until)),
            now,
        };
        let certificate_until = check(&credential, &expected)?;

        let goes_on = previous.is_some_and(|(previous, _)| {
            (previous.body.pseudonym, previous.body.epoch)
                == (credential.body.pseudonym, credential.body.epoch)
        });
        let body = &credential.body;
        // Until the new credential is the one in use: nobody vouches for the old one after the new one's first mark.
        let _nobody_else_vouches = self.vouching();
        if !goes_on {
            // First the witness, then the journal: dying in between leaves a journal that is plainly behind.
            let ceiling = Counters::FIRST_CEILING;
            let mark = WitnessMark {
                pseudonym: body.pseudonym,
                epoch: body.epoch,
                ceiling,
            };
            self.witness.store(&mark.to_bytes())?;
        }
        let began = before
            .as_ref()
            .filter(|_| goes_on)
            .map_or(now, |before| before.epoch_began);
        let record = EnrolmentRecord {
            credential: issued.credential.clone(),
            key,
            certificate_until,
            row_until: issued.row_until,
            policy: issued.policy,
            epoch_began: began,
        };
        let changes = Changes::new()
            .put(&record)?
            .remove::<PendingIssue>()
            .remove::<Stop>();
        self.commit_epoch(changes, goes_on)?;
        self.reload();
        Ok(before.map(|before| before.key).filter(|old| *old != record.key))
    }

    /// Commits under the lock, so that no counter of the old epoch is reserved in the new one's name.
    fn commit_epoch(&self, changes: Changes, goes_on: bool) -> Result<(), CoreError> {
        let _no_reservation = self.lock();
        let first = CounterRecord {
            reserved: Counters::FIRST,
            restored: false,
        };
        let changes = if goes_on { changes } else { changes.put(&first)? };
        Ok(self.store.commit(&changes)?)
    }

    /// Shows no codes of this epoch any more: some may have been shown that this store knows nothing of.
    fn block_restored(&self) -> Result<(), CoreError> {
        {
            let _no_reservation = self.lock();
            if let Some(counter) = self
                .store
                .get::<CounterRecord>()?
                .filter(|counter| !counter.restored)
            {
                self.store.commit(&Changes::new().put(&CounterRecord {
                    restored: true,
                    ..counter
                })?)?;
            }
        }
        self.reload();
        Ok(())
    }

    fn stop(&self, stop: Stop) -> Result<(), CoreError> {
        if self.store.get::<Stop>()? != Some(stop) {
            self.store.commit(&Changes::new().put(&stop)?)?;
        }
        self.reload();
        Ok(())
    }

    /// Removes a key that nothing refers to any more. One that can't be removed now does no harm.
    async fn delete_key(&self, key: Option<StoredKey>) {
        let Some(key) = key else { return };
        let keys = Arc::clone(&self.keys);
        let deleted = tokio::task::spawn_blocking(move || keys.delete(&key)).await;
        if !matches!(deleted, Ok(Ok(()))) {
            tracing::debug!("a replaced key is still in the keystore");
        }
    }
}

impl From<Stop> for CoreError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::PhoneLost => Self::PhoneLost,
            Stop::CardFrozen => Self::CardFrozen,
            Stop::Revoked => Self::CredentialRevoked,
        }
    }
}
