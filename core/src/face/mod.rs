//! The face photo: what `yika-face` says and makes, the faults of what a shell gives it, and the holder's photo at the school.

mod drafts;
mod flow;
mod model;
mod remote;
#[cfg(test)]
mod tests;

pub use crate::error::PhotoFault;
pub(crate) use drafts::{FaceDraft, PortraitDraft};
pub(crate) use flow::Faces;
pub use model::{
    Consent, ConsentText, Deletion, FaceRecord, PhotoRefusal, PhotoRefusalReason, Upload, UploadPhase,
};
pub use yika_face::{
    Advice, Bound, Detector, Face, Found, Frame, FrameError, Layout, Measure, PhotoError, Picture, Plane,
    Portrait, Quality, TooFewBytes, Verdict, check, decode, portrait,
};
pub(crate) use yika_face::{Guide, find_upright, judge};

/// How large a portrait's file may be, in bytes: what gates and terminals take without complaint.
pub const PORTRAIT_BYTES: usize = 100_000;

impl From<PhotoError> for PhotoFault {
    fn from(error: PhotoError) -> Self {
        match error {
            PhotoError::UnknownKind => Self::UnknownKind,
            PhotoError::Damaged => Self::Damaged,
            PhotoError::TooLarge => Self::TooLarge,
        }
    }
}

impl From<FrameError> for PhotoFault {
    fn from(_: FrameError) -> Self {
        Self::Frame
    }
}

/// What is said of a photo, and what was made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PhotoReport {
    /// What to change, the first thing first; nothing where the photo will do.
    pub advice: Vec<Advice>,
    /// What was measured of the face; nothing without one.
    pub measures: Vec<Measure>,
    /// The portrait, where there is a face: also of a photo that won't do, for a person to look at.
    pub portrait: Option<Portrait>,
    /// Whether enough photos of a face were refused to offer that a person looks at this one in spite of its advice.
    pub offers_review: bool,
}

/// What is said of a camera's frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameReport {
    /// What to change now; nothing while all is well.
    pub advice: Option<Advice>,
    /// How much of the wait is over after which the picture is taken, 0 to 100.
    pub hold_percent: u8,
    /// The portrait of this frame, where all has been well for long enough.
    pub portrait: Option<Portrait>,
    /// Whether the camera has looked for so long that the shell should offer to take the picture as it is.
    pub offers_review: bool,
}
