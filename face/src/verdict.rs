//! Whether a photo will do, and if not, what to change: the first thing first.

use crate::detect::{Detector, Face};
use crate::find::{Found, find};
use crate::measure::{Measure, Quality, measure};
use crate::picture::{Picture, View};

macro_rules! advice {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal,)*) => {
        /// What to change, in the order in which it is said.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Advice {
            $($(#[doc = $doc])* $name,)*
        }

        impl Advice {
            /// All of it.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable code, by which shells find their words.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }
        }
    };
}

advice! {
    /// There is no face.
    NoFace = "no_face",
    /// More than one person is in the picture, and none is foremost.
    Many = "many",
    /// The picture is too small: take another one.
    Small = "small",
    /// The face is too far away.
    Closer = "closer",
    /// The face is too close to be in the picture with all of the head.
    Back = "back",
    /// The face is too far to a side.
    Centre = "centre",
    /// Something covers the face.
    Covered = "covered",
    /// The head is turned to a side.
    Yaw = "yaw",
    /// The head looks down.
    ChinUp = "chin_up",
    /// The head looks up.
    ChinDown = "chin_down",
    /// The head leans.
    Roll = "roll",
    /// There is too little light.
    Dark = "dark",
    /// There is too much light.
    Bright = "bright",
    /// The picture is blurred.
    Blur = "blur",
    /// The light comes from a side.
    Uneven = "uneven",
    /// The light is coloured, or the picture is grey.
    Colour = "colour",
}

/// Where a raw value is good enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// From here on.
    AtLeast(f32),
    /// Up to here.
    AtMost(f32),
    /// So far from zero.
    Within(f32),
}

impl Bound {
    /// Whether a value is.
    pub fn holds(self, raw: f32) -> bool {
        match self {
            Self::AtLeast(least) => raw >= least,
            Self::AtMost(most) => raw <= most,
            Self::Within(most) => raw.abs() <= most,
        }
    }
}

impl Quality {
    /// What is good enough; `None` for what is only told. `docs/face.md` says where each comes from.
    pub const fn bound(self) -> Option<Bound> {
        Some(match self {
            Self::SingleFacePresent => Bound::AtMost(0.3),
            Self::InterEyeDistance => Bound::AtLeast(60.0),
            Self::LeftwardCrop | Self::RightwardCrop => Bound::AtLeast(1.0),
            Self::MarginAbove => Bound::AtLeast(0.7),
            Self::MarginBelow => Bound::AtLeast(1.05),
            Self::HeadPoseYaw => Bound::Within(20.0),
            Self::HeadPosePitch => Bound::Within(20.0),
            Self::HeadPoseRoll => Bound::Within(25.0),
            Self::Sharpness => Bound::AtLeast(0.4),
            Self::Highlights => Bound::AtLeast(0.33),
            Self::OverExposurePrevention => Bound::AtMost(0.1),
            Self::IlluminationBalance => Bound::AtLeast(0.5),
            Self::NaturalColour => Bound::AtMost(6.0),
            Self::Uncovered => Bound::AtLeast(0.5),
            Self::HeadSize
            | Self::LuminanceMean
            | Self::LuminanceVariance
            | Self::UnderExposurePrevention
            | Self::DynamicRange
            | Self::IlluminationUniformity => return None,
        })
    }
}

impl Measure {
    /// Whether the raw value is good enough; true of what is only told.
    pub fn holds(&self) -> bool {
        self.quality.bound().is_none_or(|bound| bound.holds(self.raw))
    }
}

/// What is said of a photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What to change, the first thing first; nothing where the photo will do.
    pub advice: Vec<Advice>,
    /// What was measured of the first face.
    pub measures: Vec<Measure>,
    /// The face, in the picture as a person would hold it.
    pub face: Option<Face>,
}

impl Verdict {
    /// Whether the photo will do.
    pub fn is_acceptable(&self) -> bool {
        self.advice.is_empty()
    }
}

/// Pictures whose longer side has fewer pixels are too small to hold a head.
const SMALL: u32 = 480;
/// A person's face, looked at closely: animals reach less.
const PERSON: f32 = 0.88;
/// A head that is turned further is no longer asked whether something covers it: of what is turned away nothing can be said.
const TURNED_AWAY: f32 = 35.0;
/// A margin that has room to spare for one that has none, in its unit.
const ROOM: f32 = 2.0;

/// Judges a picture that may be any way up.
pub fn check<'a>(detector: &Detector, picture: &'a Picture) -> (Verdict, Found<'a>) {
    let found = find(detector, picture.upright());
    (judge(&found), found)
}

/// Judges the first of these faces.
pub fn judge(found: &Found<'_>) -> Verdict {
    let face = found.faces.first().filter(|face| face.score >= PERSON);
    let measures = face.and_then(|_| measure(found)).unwrap_or_default();
    let mut advice = match face {
        Some(_) => advise(&measures, &found.view),
        None => vec![Advice::NoFace],
    };
    advice.sort_unstable();
    advice.dedup();
    Verdict {
        advice,
        measures,
        face: face.copied(),
    }
}

fn advise(measures: &[Measure], view: &View<'_>) -> Vec<Advice> {
    let raw = |quality| {
        let found = measures.iter().find(|measure| measure.quality == quality);
        found.map_or(0.0, |measure| measure.raw)
    };
    let is_turned_away = raw(Quality::HeadPoseYaw).abs() > TURNED_AWAY;
    let failed = measures.iter().filter(|measure| !measure.holds());
    let advice = failed.filter_map(|measure| {
        let beside = |other| match raw(other) > ROOM {
            true => Advice::Centre,
            false => Advice::Back,
        };
        Some(match measure.quality {
            Quality::SingleFacePresent => Advice::Many,
            Quality::InterEyeDistance if view.longer_side() < SMALL => Advice::Small,
            Quality::InterEyeDistance => Advice::Closer,
            Quality::LeftwardCrop => beside(Quality::RightwardCrop),
            Quality::RightwardCrop => beside(Quality::LeftwardCrop),
            Quality::MarginAbove => beside(Quality::MarginBelow),
            Quality::MarginBelow => beside(Quality::MarginAbove),
            Quality::Uncovered if is_turned_away => return None,
            Quality::Uncovered => Advice::Covered,
            Quality::HeadPoseYaw => Advice::Yaw,
            Quality::HeadPosePitch if measure.raw < 0.0 => Advice::ChinUp,
            Quality::HeadPosePitch => Advice::ChinDown,
            Quality::HeadPoseRoll => Advice::Roll,
            Quality::Highlights => Advice::Dark,
            Quality::OverExposurePrevention => Advice::Bright,
            Quality::Sharpness => Advice::Blur,
            Quality::IlluminationBalance => Advice::Uneven,
            Quality::NaturalColour => Advice::Colour,
            Quality::HeadSize
            | Quality::LuminanceMean
            | Quality::LuminanceVariance
            | Quality::UnderExposurePrevention
            | Quality::DynamicRange
            | Quality::IlluminationUniformity => return None,
        })
    });
    advice.collect()
}
