//! Face photos: what is said of them, and the portrait that is made.

use std::fmt;
use std::sync::Arc;

use crate::client::CampusCard;
use crate::error::YikaError;
use yika_core::face;
pub use yika_core::face::{Advice as FaceAdvice, Quality as FaceQuality};
pub use yika_core::{CameraFrame, CameraPixels, CameraPlane};

/// What to change, in the order in which it is said. Words for each are `face_` and its code.
#[uniffi::remote(Enum)]
pub enum FaceAdvice {
    /// There is no face.
    NoFace,
    /// More than one person is in the picture, and none is foremost.
    Many,
    /// The picture is too small: take another one.
    Small,
    /// The face is too far away.
    Closer,
    /// The face is too close to be in the picture with all of the head.
    Back,
    /// The face is too far to a side.
    Centre,
    /// Something covers the face.
    Covered,
    /// The head is turned to a side.
    Yaw,
    /// The head looks down.
    ChinUp,
    /// The head looks up.
    ChinDown,
    /// The head leans.
    Roll,
    /// There is too little light.
    Dark,
    /// There is too much light.
    Bright,
    /// The picture is blurred.
    Blur,
    /// The light comes from a side.
    Uneven,
    /// The light is coloured, or the picture is grey.
    Colour,
}

/// What is measured of a face, by the names of ISO/IEC 29794-5 where it has one.
#[uniffi::remote(Enum)]
pub enum FaceQuality {
    /// The area of the second largest face as a part of the largest.
    SingleFacePresent,
    /// Between the eyes' middles, in pixels of the picture, as it would be if the head weren't turned.
    InterEyeDistance,
    /// From between the eyes to the chin, as a part of the picture's height.
    HeadSize,
    /// From the middle of the face to the picture's left edge, in inter-eye distances.
    LeftwardCrop,
    /// The same to the right edge.
    RightwardCrop,
    /// From the eyes to the upper edge, in lengths from eyes to chin.
    MarginAbove,
    /// The same to the lower edge.
    MarginBelow,
    /// The turn to a side in degrees, above zero to the person's left.
    HeadPoseYaw,
    /// The nod in degrees, above zero up.
    HeadPosePitch,
    /// The lean in degrees, clockwise as seen.
    HeadPoseRoll,
    /// How sharp: what is lost of the differences between neighbours when the face is blurred, 0 to 1.
    Sharpness,
    /// The mean luminance of the face, 0 to 1.
    LuminanceMean,
    /// Its variance.
    LuminanceVariance,
    /// The part of the face that is black: luminance to 25 of 255.
    UnderExposurePrevention,
    /// The part that is white: from 247 on.
    OverExposurePrevention,
    /// The entropy of the luminances, in bits.
    DynamicRange,
    /// What the luminances of the left and the right half have in common, 0 to 1.
    IlluminationUniformity,
    /// The luminance that a twentieth of the face is above, 0 to 1: where the light is. Unlike the mean it is much the same for
    /// all skins in the same light.
    Highlights,
    /// The mean luminance of the darker half of the face, left or right, as a part of the brighter one's.
    IlluminationBalance,
    /// How far the mean colour is outside the range of skin, in CIELAB's units.
    NaturalColour,
    /// How much the face is like one that nothing covers, 0 to 1.
    Uncovered,
}

/// One measure of a face.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct FaceMeasure {
    /// Of what.
    pub quality: FaceQuality,
    /// The raw value; `FaceQuality` has the units.
    pub raw: f32,
    /// 0 to 100, by the curve of ISO/IEC 29794-5.
    pub score: u8,
    /// Whether it is good enough; true of what is only told.
    pub holds: bool,
}

impl From<face::Measure> for FaceMeasure {
    fn from(measure: face::Measure) -> Self {
        Self {
            quality: measure.quality,
            raw: measure.raw,
            score: measure.score,
            holds: measure.holds(),
        }
    }
}

/// A portrait for gates and terminals: upright, cut to head and shoulders, without metadata.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct FacePortrait {
    /// The file: JPEG, in sRGB.
    pub jpeg: Vec<u8>,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl From<face::Portrait> for FacePortrait {
    fn from(portrait: face::Portrait) -> Self {
        Self {
            jpeg: portrait.jpeg,
            width: portrait.width,
            height: portrait.height,
        }
    }
}

impl fmt::Debug for FacePortrait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FacePortrait")
            .field("bytes", &self.jpeg.len())
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

/// What is said of a photo, and what was made of it.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct PhotoReport {
    /// What to change, the first thing first; empty where the photo will do.
    pub advice: Vec<FaceAdvice>,
    /// What was measured of the face; empty without one.
    pub measures: Vec<FaceMeasure>,
    /// The portrait, where there is a face: also of a photo that won't do, for a person to look at.
    pub portrait: Option<FacePortrait>,
    /// Whether enough photos of a face were refused to offer that a person looks at this one in spite of its advice.
    pub offers_review: bool,
}

impl From<face::PhotoReport> for PhotoReport {
    fn from(report: face::PhotoReport) -> Self {
        Self {
            advice: report.advice,
            measures: report.measures.into_iter().map(FaceMeasure::from).collect(),
            portrait: report.portrait.map(FacePortrait::from),
            offers_review: report.offers_review,
        }
    }
}

/// What is said of a camera's frame.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FrameReport {
    /// What to change now; absent while all is well. Calm: it stays long enough to be read.
    pub advice: Option<FaceAdvice>,
    /// How much of the wait is over after which the picture is taken, 0 to 100.
    pub hold_percent: u8,
    /// The portrait of this frame, where all has been well for long enough: the picture is taken.
    pub portrait: Option<FacePortrait>,
    /// Whether the camera has looked for so long that the shell should offer to take the picture as it is: a still photo for
    /// `check`, whose portrait a person may look at.
    pub offers_review: bool,
}

impl From<face::FrameReport> for FrameReport {
    fn from(report: face::FrameReport) -> Self {
        Self {
            advice: report.advice,
            hold_percent: report.hold_percent,
            portrait: report.portrait.map(FacePortrait::from),
            offers_review: report.offers_review,
        }
    }
}

/// A plane of a camera's frame.
#[uniffi::remote(Record)]
pub struct CameraPlane {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// From the beginning of a row to that of the next, in bytes.
    pub row_stride: u32,
    /// From a pixel's first byte to that of the next.
    pub pixel_stride: u32,
}

/// How a frame's pixels lie in memory.
#[uniffi::remote(Enum)]
pub enum CameraPixels {
    /// Red, green, blue, and a byte that is left out: Android's `RGBA_8888`.
    Rgba {
        /// All of them.
        plane: CameraPlane,
    },
    /// Blue, green, red, and a byte that is left out: `kCVPixelFormatType_32BGRA`.
    Bgra {
        /// All of them.
        plane: CameraPlane,
    },
    /// Luminance, and both colours at half of the size: Android's `YUV_420_888`. In NV21 both colours are one array, a byte apart.
    Yuv420 {
        /// Luminance.
        y: CameraPlane,
        /// Blue less luminance.
        u: CameraPlane,
        /// Red less luminance.
        v: CameraPlane,
    },
}

/// A camera's frame. 640 by 480 pixels are enough.
#[uniffi::remote(Record)]
pub struct CameraFrame {
    /// In pixels, as they lie in memory.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// By how many quarters it is to be turned clockwise to be upright.
    pub quarters: u8,
    /// The pixels.
    pub pixels: CameraPixels,
}

/// Judges face photos and a camera's frames, on the phone alone; and looks after the holder's photo at the school.
#[derive(uniffi::Object)]
pub struct FaceService {
    pub(crate) core: yika_core::FaceService,
}

#[uniffi::export]
impl CampusCard {
    /// Face photos. Touches nothing, and needs no card.
    pub fn face(&self) -> Arc<FaceService> {
        Arc::new(FaceService {
            core: self.core.face(),
        })
    }
}

#[uniffi::export]
impl FaceService {
    /// What is said of a JPEG, PNG or WebP file, and the portrait of it. Decode other kinds first. Takes a moment; touches
    /// neither the disk nor the network, and needs no card. Fails with `Photo`.
    pub async fn check(&self, photo: Vec<u8>) -> Result<PhotoReport, YikaError> {
        Ok(self.core.check(photo).await?.into())
    }

    /// Guidance for a camera, from its beginning. Touches nothing.
    pub fn camera(&self) -> Arc<FaceCamera> {
        Arc::new(FaceCamera {
            core: self.core.camera(),
        })
    }
}

/// Guidance while a camera runs.
#[derive(uniffi::Object)]
pub struct FaceCamera {
    core: yika_core::FaceCamera,
}

#[uniffi::export]
impl FaceCamera {
    /// Looks at a frame. `at_ms` is when the camera took it, in milliseconds of a clock that only goes on. One at a time: leave
    /// out frames that come meanwhile. Touches neither the disk nor the network. Fails with `Photo` where the frame is not of
    /// the size that was said.
    pub async fn look(&self, frame: CameraFrame, at_ms: i64) -> Result<FrameReport, YikaError> {
        Ok(self.core.look(frame, at_ms).await?.into())
    }
}
