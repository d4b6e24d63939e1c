//! Face photos: the holder's consent, the portrait that a phone uploads, and what becomes of both.
//!
//! `GET /v1/face` answers [`FaceFile`]. Everything that a phone makes is named by the phone, so each request may be sent again
//! and has one effect: `PUT /v1/face/consents/{id}` ([`GiveConsent`]) before anything else, then `PUT /v1/face/photos/{id}`
//! ([`BeginPhoto`]) and `POST /v1/face/photos/{id}/bytes?from=N` with the bytes from there on, until all are there; both answer
//! [`FacePhoto`], which says how many are. `DELETE /v1/face/consents/{id}` ends a consent and deletes whatever rests on it.

use crate::{Base64Url, LocalizedText, UnixMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The most bytes of a portrait.
pub const MAX_PORTRAIT: u32 = 100_000;
/// The most characters of what the card office says to a refusal.
pub const MAX_REPLY: usize = 500;

/// What a holder agrees to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ConsentText {
    /// Rises with each other text.
    pub version: u32,
    /// What the photo is for, who sees it, for how long, and what there is for those who don't want it.
    pub text: LocalizedText,
}

/// `PUT /v1/face/consents/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveConsent {
    /// The version of the text that was shown.
    pub version: u32,
    /// When the holder agreed, by the phone's clock.
    pub agreed_at: UnixMillis,
}

/// A holder's consent, which holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FaceConsent {
    /// The consent.
    pub id: Uuid,
    /// The version of the text.
    pub version: u32,
    /// When the holder agreed, by the phone's clock.
    pub agreed_at: UnixMillis,
    /// When the platform heard of it.
    pub recorded_at: UnixMillis,
}

/// `PUT /v1/face/photos/{id}`: announces a portrait. One that is still being received is dropped for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginPhoto {
    /// The consent that it rests on.
    pub consent_id: Uuid,
    /// How many bytes it has: at most 100,000.
    pub bytes: u32,
    /// SHA-256 of them.
    pub sha256: Base64Url,
    /// What the phone's check would have changed, by its stable codes. With one or more of them a person is asked to look in
    /// spite of it.
    pub advice: Vec<String>,
}

/// `POST /v1/face/photos/{id}/bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams, utoipa::ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PhotoBytesQuery {
    /// Which byte of the portrait the body begins with. Bytes that are there already are left as they are.
    pub from: u32,
}

/// Where a portrait stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PhotoPhase {
    /// Its bytes are not all there.
    Receiving,
    /// The card office will look at it.
    Pending,
    /// It is on file.
    Accepted,
    /// It was not taken, and is deleted.
    Refused,
    /// It is deleted: another took its place, its consent has ended, or it never came whole.
    Deleted,
    /// Something a newer server knows.
    #[serde(other)]
    Other,
}

/// Why a portrait was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
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
    #[serde(other)]
    Other,
}

/// That a portrait was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PhotoRefusal {
    /// Why.
    pub reason: PhotoRefusalReason,
    /// What the card office says to it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reply: Option<String>,
}

/// A portrait, as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FacePhoto {
    /// The portrait.
    pub id: Uuid,
    /// Where it stands.
    pub phase: PhotoPhase,
    /// How many bytes it has.
    pub bytes: u32,
    /// How many of them are there: go on from here.
    pub received: u32,
    /// Why it was not taken.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refusal: Option<PhotoRefusal>,
    /// When it came to where it stands.
    pub changed_at: UnixMillis,
}

/// What was deleted because a consent ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FaceDeletion {
    /// When the consent ended.
    pub withdrawn_at: UnixMillis,
    /// When the platform had destroyed the key without which no copy of the portrait can be read, backups included.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deleted_at: Option<UnixMillis>,
    /// How many terminals had the portrait and have not yet said that it is gone.
    pub terminals_left: u32,
    /// When the last of them stops by itself to use and keep it.
    pub gone_by: UnixMillis,
}

/// `GET /v1/face`: everything about a holder's photo but the photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FaceFile {
    /// What is to be agreed to now.
    pub text: ConsentText,
    /// The consent that holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub consent: Option<FaceConsent>,
    /// Whether a portrait is on file.
    pub is_on_file: bool,
    /// The newest portrait.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub photo: Option<FacePhoto>,
    /// The deletion that the last consent to end led to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deletion: Option<FaceDeletion>,
    /// Rises with each change.
    pub version: u64,
    /// When the platform said so.
    pub as_of: UnixMillis,
}
