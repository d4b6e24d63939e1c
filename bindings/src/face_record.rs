//! The holder's photo at the school: consent, portrait, deletion.

use crate::error::YikaError;
use crate::face::{FaceAdvice, FacePortrait, FaceService};
use crate::types::{LocalizedText, UnixMillis, Uuid};
pub use yika_core::face::{
    Consent as FaceConsent, ConsentText, Deletion as FaceDeletion, FaceRecord, PhotoRefusal,
    PhotoRefusalReason, Upload as FaceUpload, UploadPhase as FaceUploadPhase,
};

/// What a holder agrees to before a portrait is sent.
#[uniffi::remote(Record)]
pub struct ConsentText {
    /// Rises with each other text.
    pub version: u32,
    /// What the photo is for, who sees it, for how long, and what there is for those who don't want it.
    pub text: LocalizedText,
}

/// What the holder agreed to.
#[uniffi::remote(Record)]
pub struct FaceConsent {
    /// The version of the text.
    pub version: u32,
    /// When, by the phone's clock.
    pub agreed_at: UnixMillis,
    /// Whether the platform has recorded it.
    pub is_recorded: bool,
}

/// Where a portrait stands.
#[uniffi::remote(Enum)]
pub enum FaceUploadPhase {
    /// It waits on this phone for a network.
    Queued,
    /// Some of it has arrived.
    Sending,
    /// The card office will look at it.
    Pending,
    /// It is on file.
    Accepted,
    /// It was not taken, and is deleted.
    Refused,
}

/// Why a portrait was not taken.
#[uniffi::remote(Enum)]
pub enum PhotoRefusalReason {
    /// It is not what a phone makes: damaged, of another size, or with more in it than a picture.
    Unreadable,
    /// It shows somebody else.
    OtherPerson,
    /// The face is not to be seen well enough.
    Unclear,
    /// It has been changed, or is a picture of a picture.
    Altered,
    /// Something else, which the reply says, or a reason of a newer server.
    Other,
}

/// That a portrait was not taken.
#[uniffi::remote(Record)]
pub struct PhotoRefusal {
    /// Why.
    pub reason: PhotoRefusalReason,
    /// What the card office says to it.
    pub reply: Option<String>,
}

/// A portrait on its way.
#[uniffi::remote(Record)]
pub struct FaceUpload {
    /// Its name.
    pub id: Uuid,
    /// Where it stands.
    pub phase: FaceUploadPhase,
    /// How many of its bytes the platform has.
    pub sent: u32,
    /// How many it has.
    pub bytes: u32,
    /// Why it was not taken.
    pub refusal: Option<PhotoRefusal>,
    /// When it came to where it stands.
    pub changed_at: UnixMillis,
}

/// What taking the consent back led to.
#[uniffi::remote(Record)]
pub struct FaceDeletion {
    /// When the holder took it back.
    pub withdrawn_at: UnixMillis,
    /// When the portrait was destroyed at the platform. Absent before: here it is gone, and there it will be once the platform is
    /// reached.
    pub deleted_at: Option<UnixMillis>,
    /// How many terminals have not yet said that it is gone there, as the platform told last.
    pub terminals_left: u32,
    /// When the last of them stops by itself to use and keep it; absent as long as the platform was not reached.
    pub gone_by: Option<UnixMillis>,
}

/// Everything about the holder's photo at the school but the photo.
#[uniffi::remote(Record)]
pub struct FaceRecord {
    /// What is to be agreed to before a portrait is sent; absent before the platform was first asked.
    pub text: Option<ConsentText>,
    /// What the holder agreed to, where that holds.
    pub consent: Option<FaceConsent>,
    /// Whether a portrait is on file: then there is nothing to do.
    pub is_on_file: bool,
    /// The newest portrait, where it has not been deleted.
    pub upload: Option<FaceUpload>,
    /// The deletion that taking the consent back led to, as long as there is no other consent.
    pub deletion: Option<FaceDeletion>,
    /// When the platform said so; absent before it was first asked.
    pub as_of: Option<UnixMillis>,
}

#[uniffi::export]
impl FaceService {
    /// How the holder's photo at the school stands, by what was decided here and what the platform told last. Reads the disk; no
    /// network. Fails with `NotBound`.
    pub async fn record(&self) -> Result<FaceRecord, YikaError> {
        Ok(self.core.record().await?)
    }

    /// Tells the platform what waits, asks it how things stand, and answers what is known then: without a network what was known
    /// before. Fails with `ConsentRequired` or `Refused` where what waited was refused for good, and with `NotBound`.
    pub async fn refresh(&self) -> Result<FaceRecord, YikaError> {
        Ok(self.core.refresh().await?)
    }

    /// Agrees to this version of the text in the record. It is on the disk first and told to the platform before any portrait, now or
    /// at the next synchronisation: without a network there is no error. Fails with `ConsentRequired` where another text is in
    /// force, and with `NotBound`.
    pub async fn agree(&self, version: u32) -> Result<FaceRecord, YikaError> {
        Ok(self.core.agree(version).await?)
    }

    /// Sends a portrait, with what its check would have changed: where that is anything, a person at the school is asked to look in
    /// spite of it. On the disk first, then sent, now or at the next synchronisation, going on where it broke off: without a
    /// network there is no error. One that is on file stays, and nothing is sent, unless `replaces`. Fails with
    /// `ConsentRequired`, with `Photo` where it is no portrait of this library, and with `NotBound`.
    pub async fn upload(
        &self,
        portrait: FacePortrait,
        advice: Vec<FaceAdvice>,
        replaces: bool,
    ) -> Result<FaceRecord, YikaError> {
        Ok(self.core.upload(portrait.jpeg, advice, replaces).await?)
    }

    /// Takes the consent back: what waits here is gone at once, and whatever the school and its terminals have is deleted as soon as
    /// the platform hears of it, now or at the next synchronisation: without a network there is no error. Fails with `NotBound`.
    pub async fn withdraw(&self) -> Result<FaceRecord, YikaError> {
        Ok(self.core.withdraw().await?)
    }
}
