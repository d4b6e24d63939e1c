//! The face photo: what `yika-face` says and makes, and the faults of what a shell gives it.

pub use yika_face::{
    Advice, Bound, Detector, Face, Found, Frame, FrameError, Layout, Measure, PhotoError, Picture, Plane,
    Portrait, Quality, TooFewBytes, Verdict, check, decode, portrait,
};
pub(crate) use yika_face::{Guide, find_upright, judge};

/// How large a portrait's file may be, in bytes: what gates and terminals take without complaint.
pub const PORTRAIT_BYTES: usize = 100_000;

/// Why a photo can't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoFault {
    /// It is no JPEG, PNG or WebP.
    #[error("not a JPEG, PNG or WebP")]
    UnknownKind,
    /// It is damaged.
    #[error("damaged")]
    Damaged,
    /// It has too many bytes or pixels.
    #[error("too large")]
    TooLarge,
    /// The camera's frame is not of the size that was said.
    #[error("a camera's frame of another size than was said")]
    Frame,
}

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
}
