//! What a photo's colours mean where its file says so: most phones store the larger space Display P3, in which the numbers of a face
//! are paler than they are in sRGB. Only what is looked at is converted: a thumbnail, a face, a portrait.

use image::RgbImage;
use moxcms::{CmsError, ColorProfile};

/// From light, 0 to 1 in so many steps, to a byte of sRGB: fine enough for the darkest bytes to have a step each.
const STEPS: usize = 4096;
/// Profiles whose numbers are within so much of sRGB's everywhere are sRGB by another name.
const SAME: u8 = 1;

/// From a photo's colours to sRGB (IEC 61966-2-1), for the profiles that cameras and phones write: a curve for each colour and a
/// matrix (ICC.1:2022, 8.3.3). Colours that sRGB doesn't have become the nearest that it has, channel by channel.
#[derive(Clone, Debug)]
pub(crate) struct ToSrgb {
    /// The light that each byte of red, green and blue stands for.
    light: [Box<[f32; 256]>; 3],
    /// From the photo's light to sRGB's.
    matrix: [[f32; 3]; 3],
    /// From light to a byte of sRGB.
    bytes: Vec<u8>,
}

impl ToSrgb {
    /// What the ICC profile of a file says; nothing where its colours are sRGB's already, or where it is damaged or of a kind that
    /// cameras don't write: the colours are then taken as sRGB, as nearly all programs take them.
    pub(crate) fn new(profile: &[u8]) -> Option<Self> {
        let profile = ColorProfile::new_from_slice(profile).ok()?;
        let to_srgb = profile.is_matrix_shaper().then(|| Self::of(&profile))?.ok()?;
        (!to_srgb.changes_nothing()).then_some(to_srgb)
    }

    fn of(profile: &ColorProfile) -> Result<Self, CmsError> {
        let matrix = profile.transform_matrix(&ColorProfile::new_srgb()).v;
        Ok(Self {
            light: [
                profile.build_r_linearize_table::<u8, 256, 8>(false)?,
                profile.build_g_linearize_table::<u8, 256, 8>(false)?,
                profile.build_b_linearize_table::<u8, 256, 8>(false)?,
            ],
            matrix: matrix.map(|row| row.map(|value| value as f32)),
            bytes: (0..STEPS)
                .map(|step| srgb_byte(step as f32 / (STEPS - 1) as f32))
                .collect(),
        })
    }

    fn changes_nothing(&self) -> bool {
        const PROBES: [u8; 6] = [0, 24, 64, 128, 192, 255];
        let mut probes = PROBES.iter().flat_map(|&red| {
            PROBES
                .iter()
                .flat_map(move |&green| PROBES.iter().map(move |&blue| [red, green, blue]))
        });
        probes.all(|pixel| {
            let converted = self.pixel(pixel);
            (0..3).all(|colour| pixel[colour].abs_diff(converted[colour]) <= SAME)
        })
    }

    fn pixel(&self, pixel: [u8; 3]) -> [u8; 3] {
        let light: [f32; 3] = std::array::from_fn(|colour| self.light[colour][usize::from(pixel[colour])]);
        self.matrix.map(|row| {
            let sum = row[0] * light[0] + row[1] * light[1] + row[2] * light[2];
            // A profile may lead anywhere; a cast keeps to the bytes there are, and makes 0 of what is no number.
            let step = (sum.clamp(0.0, 1.0) * (STEPS - 1) as f32 + 0.5) as usize;
            self.bytes[step]
        })
    }

    pub(crate) fn convert(&self, pixels: &mut RgbImage) {
        for pixel in pixels.as_mut().as_chunks_mut().0 {
            *pixel = self.pixel(*pixel);
        }
    }
}

/// The byte that sRGB has for this much light.
fn srgb_byte(light: f32) -> u8 {
    let value = if light <= 0.003_130_8 {
        12.92 * light
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    };
    (value * 255.0 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use crate::geometry::Transform;
    use image::codecs::jpeg::JpegEncoder;
    use image::codecs::png::PngEncoder;
    use image::codecs::webp::WebPEncoder;
    use image::{ExtendedColorType, ImageEncoder};
    use proptest::prelude::*;

    const COLOURS: [[u8; 3]; 5] = [
        [200, 150, 120],
        [90, 60, 50],
        [128, 128, 128],
        [255, 0, 0],
        [20, 30, 10],
    ];

    /// What is seen of a file of one colour, at its middle.
    fn seen(file: &[u8]) -> [u8; 3] {
        let picture = decode(file).unwrap();
        picture.upright().sample(&Transform::IDENTITY, 16, 16)[(8, 8)].0
    }

    /// Files of one colour with this profile: PNG, WebP, JPEG.
    fn files(colour: [u8; 3], icc: &[u8]) -> [Vec<u8>; 3] {
        fn write(mut encoder: impl ImageEncoder, colour: [u8; 3], icc: &[u8]) {
            encoder.set_icc_profile(icc.to_vec()).unwrap();
            encoder
                .write_image(&colour.repeat(16 * 16), 16, 16, ExtendedColorType::Rgb8)
                .unwrap();
        }
        let mut files = [const { Vec::new() }; 3];
        let [png, webp, jpeg] = &mut files;
        write(PngEncoder::new(png), colour, icc);
        write(WebPEncoder::new_lossless(webp), colour, icc);
        write(JpegEncoder::new_with_quality(jpeg, 100), colour, icc);
        files
    }

    fn assert_near(seen: [u8; 3], expected: [u8; 3], within: u8) {
        let is_near = (0..3).all(|colour| seen[colour].abs_diff(expected[colour]) <= within);
        assert!(is_near, "{seen:?}, and not {expected:?}");
    }

    #[test]
    fn photos_in_other_spaces_are_seen_in_srgb() {
        // By the spaces' primaries and curves (SMPTE EG 432-1 with sRGB's curve; Adobe RGB (1998)), with no library.
        let display_p3 = [
            [209, 147, 115],
            [95, 58, 48],
            [128, 128, 128],
            [255, 0, 0],
            [17, 30, 7],
        ];
        let adobe = [
            [217, 151, 119],
            [99, 57, 46],
            [129, 129, 129],
            [255, 0, 0],
            [5, 24, 1],
        ];
        for (profile, expected) in [
            (ColorProfile::new_display_p3(), display_p3),
            (ColorProfile::new_adobe_rgb(), adobe),
        ] {
            let icc = profile.encode().unwrap();
            for (colour, expected) in COLOURS.into_iter().zip(expected) {
                let [png, webp, jpeg] = files(colour, &icc);
                assert_near(seen(&png), expected, 2);
                assert_eq!(seen(&png), seen(&webp));
                // JPEG keeps colours to a few steps.
                assert_near(seen(&jpeg), expected, 6);
            }
        }
    }

    #[test]
    fn what_is_srgb_already_or_of_an_unusual_kind_stays() {
        let srgb = ColorProfile::new_srgb().encode().unwrap();
        let grey = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        for icc in [&srgb[..], &grey, b"no profile", &srgb[..srgb.len() / 2]] {
            assert!(ToSrgb::new(icc).is_none());
            let [png, ..] = files(COLOURS[0], icc);
            assert_eq!(seen(&png), COLOURS[0]);
        }
    }

    proptest! {
        #[test]
        fn no_profile_makes_it_panic(at in any::<prop::sample::Index>(), byte: u8, red: u8, green: u8, blue: u8) {
            let mut icc = ColorProfile::new_display_p3().encode().unwrap();
            let at = at.index(icc.len());
            icc[at] = byte;
            if let Some(to_srgb) = ToSrgb::new(&icc) {
                to_srgb.pixel([red, green, blue]);
            }
        }
    }
}
