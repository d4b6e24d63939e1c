//! The holder's photo at the school: agreed to, sent, looked after, taken back. What the holder decides is durable here first, then
//! told to the platform, now or at the next synchronisation.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;
use yika_api::face::{FaceConsent, FaceFile, FacePhoto, MAX_PORTRAIT, PhotoPhase};
use yika_api::{ProblemCode, UnixMillis};

use super::drafts::{ConsentDraft, FaceDraft, PhotoDraft, PortraitDraft, Withdrawal};
use super::model::{Consent, Deletion, FaceRecord, Upload, UploadPhase};
use super::{Advice, PhotoFault, remote};
use crate::error::CoreError;
use crate::http::HttpError;
use crate::session::{HttpOrCore, Sessions};
use crate::store::{Changes, Store};

/// The holder's photo at the school.
pub(crate) struct Faces {
    store: Arc<Store>,
    /// Held while what was decided is read and replaced.
    changing: Mutex<()>,
    /// What is told about face photos is told one at a time: a portrait is not begun while its consent ends.
    turn: tokio::sync::Mutex<()>,
}

impl Faces {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            changing: Mutex::new(()),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    fn draft(&self) -> Result<FaceDraft, CoreError> {
        Ok(self.store.get::<FaceDraft>()?.unwrap_or_default())
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was decided; without a portrait to send there are no bytes of one.
    fn keep(&self, draft: &FaceDraft) -> Result<(), CoreError> {
        let mut changes = Changes::new().put(draft)?;
        if draft.photo.is_none() {
            changes = changes.remove::<PortraitDraft>();
        }
        Ok(self.store.commit(&changes)?)
    }

    fn change(&self, change: impl FnOnce(&mut FaceDraft)) -> Result<(), CoreError> {
        let _changing = self.changing();
        let mut draft = self.draft()?;
        change(&mut draft);
        self.keep(&draft)
    }

    /// How things stand, by what the holder decided and what the platform told last.
    pub(crate) fn record(&self) -> Result<FaceRecord, CoreError> {
        let file = self.store.snapshot::<FaceFile>()?;
        Ok(record(self.draft()?, file))
    }

    /// Writes down that the holder agrees to a version of the text.
    pub(crate) fn agree(&self, version: u32, now: UnixMillis) -> Result<(), CoreError> {
        let _changing = self.changing();
        let mut draft = self.draft()?;
        let file = self.store.snapshot::<FaceFile>()?;
        if file.as_ref().is_some_and(|file| file.text.version != version) {
            return Err(CoreError::ConsentRequired);
        }
        let is_given = file
            .and_then(|file| file.consent)
            .is_some_and(|consent| consent.version == version);
        let is_waiting = draft
            .consent
            .as_ref()
            .is_some_and(|consent| consent.version == version);
        if draft.withdrawal.is_none() && (is_given || is_waiting) {
            return Ok(());
        }
        draft.consent = Some(ConsentDraft {
            id: Uuid::now_v7(),
            version,
            agreed_at: now,
        });
        self.keep(&draft)
    }

    /// Writes a portrait down that is to be sent, in place of one that waits. Answers whether there is anything to send: a portrait
    /// that is on file stays, unless another is to take its place.
    pub(crate) fn write_down(
        &self,
        jpeg: Vec<u8>,
        advice: &[Advice],
        replaces: bool,
        now: UnixMillis,
    ) -> Result<bool, CoreError> {
        yika_face::open_portrait(&jpeg).map_err(|_| PhotoFault::NoPortrait)?;
        let bytes = u32::try_from(jpeg.len())
            .ok()
            .filter(|&bytes| bytes <= MAX_PORTRAIT);
        let bytes = bytes.ok_or(PhotoFault::NoPortrait)?;
        let _changing = self.changing();
        let mut draft = self.draft()?;
        let file = self.store.snapshot::<FaceFile>()?;
        let consent_id = consent_to_rest_on(&draft, file.as_ref()).ok_or(CoreError::ConsentRequired)?;
        let is_on_file = draft.withdrawal.is_none() && file.is_some_and(|file| file.is_on_file);
        if is_on_file && !replaces {
            return Ok(false);
        }
        draft.photo = Some(PhotoDraft {
            id: Uuid::now_v7(),
            consent_id,
            advice: advice.iter().map(|advice| advice.code().to_owned()).collect(),
            bytes,
            sent: None,
            changed_at: now,
        });
        let portrait = PortraitDraft { jpeg: jpeg.into() };
        self.store.commit(&Changes::new().put(&draft)?.put(&portrait)?)?;
        Ok(true)
    }

    /// Writes down that the holder takes the consent back; what was to be sent is gone with it.
    pub(crate) fn write_down_withdrawal(&self, now: UnixMillis) -> Result<(), CoreError> {
        let _changing = self.changing();
        let draft = self.draft()?;
        let file = self.store.snapshot::<FaceFile>()?;
        // The one that is known to hold ends those with it that may have arrived without this phone having heard of it.
        let recorded = file.and_then(|file| file.consent).map(|consent| consent.id);
        let given = recorded.or(draft.consent.map(|consent| consent.id));
        let new = given.map(|consent_id| Withdrawal { consent_id, at: now });
        self.keep(&FaceDraft {
            withdrawal: draft.withdrawal.or(new),
            ..FaceDraft::default()
        })
    }

    /// Tells the platform what it does not know yet, then asks how things stand.
    pub(crate) async fn synchronise(&self, sessions: &Sessions) -> Result<(), CoreError> {
        let _turn = self.turn.lock().await;
        self.send_waiting(sessions).await?;
        self.refresh(sessions).await
    }

    /// The same right after the holder has decided something: what can't be told now waits, and only what was refused for good
    /// is an error.
    pub(crate) async fn tell(&self, sessions: &Sessions) -> Result<(), CoreError> {
        let _turn = self.turn.lock().await;
        let told = match self.send_waiting(sessions).await {
            Ok(()) => self.refresh(sessions).await,
            Err(error) if self.draft()? == FaceDraft::default() => return Err(error),
            waits => waits,
        };
        if let Err(error) = told {
            tracing::debug!(%error, "what is to be told about face photos waits");
        }
        Ok(())
    }

    async fn refresh(&self, sessions: &Sessions) -> Result<(), CoreError> {
        match remote::file(sessions).await {
            Ok(file) => Ok(self.store.put_snapshot(&file)?),
            // A platform of before there were face photos.
            Err(HttpOrCore::Http(HttpError::Problem(refusal))) if refusal.status == 404 => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells the platform that a consent has ended, where it does not know yet.
    pub(crate) async fn send_withdrawal(&self, sessions: &Sessions) -> Result<(), CoreError> {
        let Some(withdrawal) = self.draft()?.withdrawal else {
            return Ok(());
        };
        match remote::withdraw(sessions, &withdrawal).await {
            Ok(file) => self.store.put_snapshot(&file)?,
            // It never arrived: there is nothing to end.
            Err(error) if error.problem() == Some(ProblemCode::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        // Another consent may have been taken back meanwhile.
        self.change(|draft| {
            draft.withdrawal = draft
                .withdrawal
                .take()
                .filter(|now| now.consent_id != withdrawal.consent_id);
        })
    }

    async fn send_waiting(&self, sessions: &Sessions) -> Result<(), CoreError> {
        self.send_withdrawal(sessions).await?;
        if let Some(consent) = self.draft()?.consent {
            match remote::give_consent(sessions, &consent).await {
                Ok(file) => {
                    self.store.put_snapshot(&file)?;
                    self.change(|draft| {
                        draft.consent = draft.consent.take().filter(|now| now.id != consent.id);
                    })?;
                }
                Err(error) => return Err(self.refused(error)),
            }
        }
        let sent = self.send_portrait(sessions).await;
        sent.map_err(|error| self.refused(error))
    }

    /// What the platform refused for good is not tried again: the holder hears why, and decides anew.
    fn refused(&self, error: HttpOrCore) -> CoreError {
        if let HttpOrCore::Http(HttpError::Problem(refusal)) = &error
            && refusal.is_final()
        {
            let kept = self.change(|draft| {
                draft.consent = None;
                draft.photo = None;
            });
            if let Err(error) = kept {
                return error;
            }
        }
        match error.problem() {
            Some(ProblemCode::ConsentRequired | ProblemCode::TermsChanged) => CoreError::ConsentRequired,
            _ => error.into(),
        }
    }

    async fn send_portrait(&self, sessions: &Sessions) -> Result<(), HttpOrCore> {
        let Some(draft) = self.draft()?.photo else {
            return Ok(());
        };
        let jpeg = self.store.get::<PortraitDraft>().map_err(CoreError::from)?;
        let jpeg = jpeg.map(|portrait| portrait.jpeg.0).unwrap_or_default();
        let mut photo = remote::begin(sessions, &draft, &jpeg).await?;
        while photo.phase == PhotoPhase::Receiving {
            if !self.note_sent(&draft, &photo)? {
                return Ok(());
            }
            photo = remote::append(sessions, &draft, &jpeg, photo.received).await?;
        }
        self.change(|now| now.photo = now.photo.take().filter(|now| now.id != draft.id))?;
        Ok(())
    }

    /// Writes down how much has arrived. Nothing where the holder has meanwhile decided otherwise.
    fn note_sent(&self, draft: &PhotoDraft, photo: &FacePhoto) -> Result<bool, CoreError> {
        let _changing = self.changing();
        let mut now = self.draft()?;
        let Some(waiting) = now.photo.as_mut().filter(|now| now.id == draft.id) else {
            return Ok(false);
        };
        waiting.sent = Some(photo.received);
        self.keep(&now)?;
        Ok(true)
    }
}

/// The consent that a portrait may rest on: one that waits, or the one that holds, to the text in force.
fn consent_to_rest_on(draft: &FaceDraft, file: Option<&FaceFile>) -> Option<Uuid> {
    let is_in_force = |version| file.is_none_or(|file| file.text.version == version);
    let waiting = draft
        .consent
        .as_ref()
        .filter(|consent| is_in_force(consent.version));
    if let Some(consent) = waiting {
        return Some(consent.id);
    }
    let recorded = file.and_then(|file| file.consent.as_ref());
    let recorded = recorded.filter(|consent| draft.withdrawal.is_none() && is_in_force(consent.version));
    recorded.map(|consent| consent.id)
}

fn record(draft: FaceDraft, file: Option<FaceFile>) -> FaceRecord {
    let is_ending = draft.withdrawal.is_some();
    let (text, as_of) = match &file {
        Some(file) => (Some(file.text.clone()), Some(file.as_of)),
        None => (None, None),
    };
    let told = file.filter(|_| !is_ending);
    let recorded = |consent: FaceConsent| Consent {
        version: consent.version,
        agreed_at: consent.agreed_at,
        is_recorded: true,
    };
    let consent = match draft.consent {
        Some(consent) => Some(Consent {
            version: consent.version,
            agreed_at: consent.agreed_at,
            is_recorded: false,
        }),
        None => told.as_ref().and_then(|file| file.consent.clone()).map(recorded),
    };
    let upload = match draft.photo {
        Some(photo) => Some(waiting(&photo)),
        None => told
            .as_ref()
            .and_then(|file| file.photo.as_ref())
            .and_then(uploaded),
    };
    let deletion = match (draft.withdrawal, &consent) {
        (_, Some(_)) => None,
        (Some(withdrawal), None) => Some(Deletion {
            withdrawn_at: withdrawal.at,
            deleted_at: None,
            terminals_left: 0,
            gone_by: None,
        }),
        (None, None) => told
            .as_ref()
            .and_then(|file| file.deletion.as_ref())
            .map(|told| Deletion {
                withdrawn_at: told.withdrawn_at,
                deleted_at: told.deleted_at,
                terminals_left: told.terminals_left,
                gone_by: Some(told.gone_by),
            }),
    };
    FaceRecord {
        text,
        consent,
        is_on_file: told.is_some_and(|file| file.is_on_file),
        upload,
        deletion,
        as_of,
    }
}

fn waiting(photo: &PhotoDraft) -> Upload {
    Upload {
        id: photo.id,
        phase: match photo.sent {
            None => UploadPhase::Queued,
            Some(_) => UploadPhase::Sending,
        },
        sent: photo.sent.unwrap_or_default(),
        bytes: photo.bytes,
        refusal: None,
        changed_at: photo.changed_at,
    }
}

fn uploaded(photo: &FacePhoto) -> Option<Upload> {
    let phase = match photo.phase {
        PhotoPhase::Receiving => UploadPhase::Sending,
        PhotoPhase::Pending => UploadPhase::Pending,
        PhotoPhase::Accepted => UploadPhase::Accepted,
        PhotoPhase::Refused => UploadPhase::Refused,
        PhotoPhase::Deleted | PhotoPhase::Other => return None,
    };
    Some(Upload {
        id: photo.id,
        phase,
        sent: photo.received,
        bytes: photo.bytes,
        refusal: photo.refusal.clone(),
        changed_at: photo.changed_at,
    })
}
