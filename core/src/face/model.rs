//! What a shell shows of a holder's face photo on file.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::UnixMillis;

pub use yika_api::face::{ConsentText, PhotoRefusal, PhotoRefusalReason};

/// Everything about the holder's photo at the school but the photo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaceRecord {
    /// What is to be agreed to before a portrait is sent; nothing before the platform was first asked.
    pub text: Option<ConsentText>,
    /// What the holder agreed to, where that holds.
    pub consent: Option<Consent>,
    /// Whether a portrait is on file: then there is nothing to do.
    pub is_on_file: bool,
    /// The newest portrait, where it has not been deleted.
    pub upload: Option<Upload>,
    /// The deletion that taking the consent back led to, as long as there is no other consent.
    pub deletion: Option<Deletion>,
    /// When the platform said so; nothing before it was first asked.
    pub as_of: Option<UnixMillis>,
}

/// What the holder agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The version of the text.
    pub version: u32,
    /// When, by the phone's clock.
    pub agreed_at: UnixMillis,
    /// Whether the platform has recorded it.
    pub is_recorded: bool,
}

/// A portrait on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its name.
    pub id: Uuid,
    /// Where it stands.
    pub phase: UploadPhase,
    /// How many of its bytes the platform has.
    pub sent: u32,
    /// How many it has.
    pub bytes: u32,
    /// Why it was not taken.
    pub refusal: Option<PhotoRefusal>,
    /// When it came to where it stands.
    pub changed_at: UnixMillis,
}

/// Where a portrait stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UploadPhase {
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

/// What taking the consent back led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// When the holder took it back.
    pub withdrawn_at: UnixMillis,
    /// When the portrait was destroyed at the platform. Nothing before: here it is gone, and there it will be once the platform
    /// is reached.
    pub deleted_at: Option<UnixMillis>,
    /// How many terminals have not yet said that it is gone there, as the platform told last.
    pub terminals_left: u32,
    /// When the last of them stops by itself to use and keep it; nothing as long as the platform was not reached.
    pub gone_by: Option<UnixMillis>,
}
