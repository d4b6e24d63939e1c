//! What the holder decided about face photos and the platform may not know yet: durable before anything is sent.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::face::FaceFile;
use yika_api::{Base64Url, UnixMillis};

use crate::store::{Record, Snapshot};

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FaceDraft {
    /// A consent that is to be recorded.
    pub(super) consent: Option<ConsentDraft>,
    /// A portrait that is to be sent; its bytes are in [`PortraitDraft`].
    pub(super) photo: Option<PhotoDraft>,
    /// A consent that is to end.
    pub(super) withdrawal: Option<Withdrawal>,
}

impl Record for FaceDraft {
    const NAME: &'static str = "face_draft";
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ConsentDraft {
    pub(super) id: Uuid,
    pub(super) version: u32,
    pub(super) agreed_at: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PhotoDraft {
    pub(super) id: Uuid,
    pub(super) consent_id: Uuid,
    pub(super) advice: Vec<String>,
    pub(super) bytes: u32,
    /// How many of them the platform has; nothing before it knows of the portrait.
    pub(super) sent: Option<u32>,
    pub(super) changed_at: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Withdrawal {
    pub(super) consent_id: Uuid,
    pub(super) at: UnixMillis,
}

/// The bytes of a portrait that is to be sent. Gone from here as soon as the platform has them, or the consent ends.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PortraitDraft {
    pub(super) jpeg: Base64Url,
}

impl Record for PortraitDraft {
    const NAME: &'static str = "face_portrait";
}

impl Snapshot for FaceFile {
    const NAME: &'static str = "face";

    fn version(&self) -> u64 {
        self.version
    }
}
