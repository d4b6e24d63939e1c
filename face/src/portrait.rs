//! From a photo to the portrait that gates and terminals get: upright, cut to head and shoulders, of a fixed size, without anything
//! but the pixels in the file.
//!
//! The cut is that of the token face image (ISO/IEC 19794-5:2011): of its width, the eyes are a quarter apart and in the
//! middle, three fifths of it below the upper edge, and the height is four thirds.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};

use crate::detect::Face;
use crate::geometry::{Point, Transform};
use crate::picture::View;

/// Width and height, in pixels: the larger one for whoever is close enough for it.
pub(crate) const SIZES: [(u32, u32); 2] = [(480, 640), (240, 320)];
/// Of the width: from eye to eye, and from the upper edge to the eyes.
const EYES_APART: f32 = 0.25;
const EYES_DOWN: f32 = 0.6;
/// A portrait has at most so many times the pixels of its photo along a line.
const LARGER: f32 = 1.5;
/// The qualities that are tried, as JPEG has them.
const QUALITIES: std::ops::RangeInclusive<u8> = 60..=95;

/// A portrait in JPEG, in sRGB, without metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portrait {
    /// The file.
    pub jpeg: Vec<u8>,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// JPEG's quality, the best that the file's size allows.
    pub quality: u8,
}

/// The portrait does not fit into so few bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a portrait does not fit into {max_bytes} bytes; allow for more")]
pub struct TooFewBytes {
    /// What was allowed.
    pub max_bytes: usize,
}

/// Makes the portrait of a face, in at most so many bytes.
///
/// # Errors
/// [`TooFewBytes`] where even the smaller size at the lowest quality has more.
pub fn portrait(view: &View<'_>, face: &Face, max_bytes: usize) -> Result<Portrait, TooFewBytes> {
    let distance = face.landmarks.inter_eye_distance();
    let large_enough = |&(width, _): &(u32, u32)| width as f32 * EYES_APART <= distance * LARGER;
    let first = SIZES.iter().position(large_enough).unwrap_or(SIZES.len() - 1);
    let fitting = SIZES[first..]
        .iter()
        .find_map(|&(width, height)| fit(view, face, (width, height), max_bytes));
    fitting.ok_or(TooFewBytes { max_bytes })
}

fn fit(view: &View<'_>, face: &Face, (width, height): (u32, u32), max_bytes: usize) -> Option<Portrait> {
    let eyes = face.landmarks.right_eye.midway(face.landmarks.left_eye);
    let to = Point::new(width as f32 / 2.0, width as f32 * EYES_DOWN);
    let scale = width as f32 * EYES_APART / face.landmarks.inter_eye_distance();
    let to_portrait = Transform::about(eyes, to, -face.landmarks.tilt(), scale);
    let pixels = view.sample(&to_portrait.inverse(), width, height);
    let encode = |quality| {
        let mut jpeg = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut jpeg, quality);
        let written = encoder.write_image(pixels.as_raw(), width, height, ExtendedColorType::Rgb8);
        // Writing to memory fails where there is none.
        written.is_ok().then_some(jpeg)
    };
    // A higher quality has more bytes: the best that fits is found by halving.
    let (mut low, mut high) = (*QUALITIES.start(), *QUALITIES.end());
    let mut best = None;
    while low <= high {
        let quality = low.midpoint(high);
        match encode(quality).filter(|jpeg| jpeg.len() <= max_bytes) {
            Some(jpeg) => {
                best = Some(Portrait {
                    jpeg,
                    width,
                    height,
                    quality,
                });
                low = quality + 1;
            }
            None => high = quality - 1,
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fixture, picture};
    use crate::{Detector, Picture, check, decode};
    use image::metadata::Orientation;

    fn seen(picture: &Picture) -> Portrait {
        let (verdict, found) = check(&Detector::new(), picture);
        portrait(&found.view, &verdict.face.unwrap(), 100_000).unwrap()
    }

    #[test]
    fn the_eyes_are_where_a_token_image_has_them_however_the_photo_was_held() {
        let upright = image::open(fixture("angus-king.png")).unwrap();
        let turned = [
            upright.clone(),
            upright.rotate90(),
            upright.rotate180(),
            upright.rotate270(),
        ];
        for (quarters, pixels) in turned.into_iter().enumerate() {
            let made = seen(&Picture::new(pixels.into_rgb8(), Orientation::NoTransforms));
            assert_eq!((made.width, made.height), (240, 320));
            let picture = decode(&made.jpeg).unwrap();
            let (verdict, found) = check(&Detector::new(), &picture);
            let points = verdict.face.unwrap().landmarks;
            assert_eq!(found.quarters, 0, "{quarters}");
            assert!(
                points.right_eye.distance(Point::new(90.0, 144.0)) < 3.0,
                "{points:?}"
            );
            assert!(
                points.left_eye.distance(Point::new(150.0, 144.0)) < 3.0,
                "{points:?}"
            );
        }
    }

    #[test]
    fn the_file_has_pixels_and_nothing_else() {
        let made = seen(&picture("jacky-rosen.png"));
        // Segments up to the scan: what describes pixels, and JFIF's own sixteen bytes. Neither EXIF nor profile nor comment.
        let (mut at, mut kinds) = (2, Vec::new());
        while made.jpeg[at + 1] != 0xda {
            kinds.push(made.jpeg[at + 1]);
            at += 2 + usize::from(u16::from_be_bytes([made.jpeg[at + 2], made.jpeg[at + 3]]));
        }
        assert!(
            kinds.iter().all(|kind| matches!(kind, 0xe0 | 0xdb | 0xc0 | 0xc4)),
            "{kinds:x?}"
        );
    }

    #[test]
    fn the_quality_is_the_best_that_fits() {
        let picture = picture("angus-king.png");
        let (verdict, found) = check(&Detector::new(), &picture);
        let face = verdict.face.unwrap();
        let made = |max_bytes| portrait(&found.view, &face, max_bytes);
        let free = made(usize::MAX).unwrap();
        assert_eq!(free.quality, *QUALITIES.end());
        let tight = made(free.jpeg.len() / 2).unwrap();
        assert!(tight.jpeg.len() <= free.jpeg.len() / 2 && tight.quality < free.quality);
        assert_eq!(made(500), Err(TooFewBytes { max_bytes: 500 }));
    }
}
