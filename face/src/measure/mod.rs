//! What a face in a picture is like, in numbers: each by the name that ISO/IEC 29794-5 and OFIQ have for it, with the raw value,
//! the score that they make of it, and the bound of what is good enough.

mod aligned;
mod cover;
mod curves;
mod framing;
mod light;
mod sharpness;

use crate::find::Found;
use aligned::Aligned;

macro_rules! qualities {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// What is measured.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Quality {
            $($(#[doc = $doc])* $name,)*
        }

        impl Quality {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name: OFIQ's where it has one.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

qualities! {
    /// The area of the second largest face as a part of the largest.
    SingleFacePresent = "SingleFacePresent",
    /// Between the eyes' middles, in pixels of the picture, as it would be if the head weren't turned.
    InterEyeDistance = "InterEyeDistance",
    /// From between the eyes to the chin, as a part of the picture's height.
    HeadSize = "HeadSize",
    /// From the middle of the face to the picture's left edge, in inter-eye distances.
    LeftwardCrop = "LeftwardCropOfTheFaceImage",
    /// The same to the right edge.
    RightwardCrop = "RightwardCropOfTheFaceImage",
    /// From the eyes to the upper edge, in lengths from eyes to chin.
    MarginAbove = "MarginAboveOfTheFaceImage",
    /// The same to the lower edge.
    MarginBelow = "MarginBelowOfTheFaceImage",
    /// The turn to a side in degrees, above zero to the person's left.
    HeadPoseYaw = "HeadPoseYaw",
    /// The nod in degrees, above zero up.
    HeadPosePitch = "HeadPosePitch",
    /// The lean in degrees, clockwise as seen.
    HeadPoseRoll = "HeadPoseRoll",
    /// How sharp: what is lost of the differences between neighbours when the face is blurred, 0 to 1.
    Sharpness = "ReblurSharpness",
    /// The mean luminance of the face, 0 to 1.
    LuminanceMean = "LuminanceMean",
    /// Its variance.
    LuminanceVariance = "LuminanceVariance",
    /// The part of the face that is black: luminance to 25 of 255.
    UnderExposurePrevention = "UnderExposurePrevention",
    /// The part that is white: from 247 on.
    OverExposurePrevention = "OverExposurePrevention",
    /// The entropy of the luminances, in bits.
    DynamicRange = "DynamicRange",
    /// What the luminances of the left and the right half have in common, 0 to 1.
    IlluminationUniformity = "IlluminationUniformity",
    /// The luminance that a twentieth of the face is above, 0 to 1: where the light is. Unlike the mean it is much the same for
    /// all skins in the same light.
    Highlights = "Highlights",
    /// The mean luminance of the darker half of the face, left or right, as a part of the brighter one's.
    IlluminationBalance = "IlluminationBalance",
    /// How far the mean colour is outside the range of skin, in CIELAB's units.
    NaturalColour = "NaturalColour",
    /// How much the face is like one that nothing covers, 0 to 1.
    Uncovered = "Uncovered",
}

/// One measure of a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measure {
    /// Of what.
    pub quality: Quality,
    /// The raw value; [`Quality`] has the units.
    pub raw: f32,
    /// 0 to 100, by the curve of ISO/IEC 29794-5.
    pub score: u8,
}

/// All measures of the first of these faces; `None` without one.
pub fn measure(found: &Found<'_>) -> Option<Vec<Measure>> {
    let face = found.faces.first()?;
    let aligned = Aligned::new(&found.view, face);
    let mut raw = framing::measure(found, face).to_vec();
    raw.push((Quality::Sharpness, sharpness::measure(&found.view, face)));
    raw.extend(light::measure(&aligned));
    raw.push((Quality::Uncovered, cover::measure(&aligned, face)));
    let measures = raw.into_iter().map(|(quality, raw)| Measure {
        quality,
        raw,
        score: curves::score(quality, f64::from(raw)),
    });
    Some(measures.collect())
}
