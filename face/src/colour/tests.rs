//! Colours of other spaces, beside what they are by definition and what another library makes of them.

use super::ToSrgb;
use crate::decode::decode;
use crate::geometry::Transform;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};
use moxcms::{ColorProfile, Layout, ToneReprCurve, TransformOptions};
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

#[test]
fn every_kind_of_curve_gives_what_another_library_gives() {
    let table = (0..64_u32).map(|at| (65_535 * at * at / 3_969) as u16).collect();
    let curves = [
        ToneReprCurve::Lut(Vec::new()),
        ToneReprCurve::Lut(vec![461]),
        ToneReprCurve::Lut(table),
        ToneReprCurve::Parametric(vec![2.2]),
        ToneReprCurve::Parametric(vec![2.0, 0.9, 0.1]),
        ToneReprCurve::Parametric(vec![2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.04045]),
    ];
    for curve in curves {
        let mut profile = ColorProfile::new_display_p3();
        profile.cicp = None;
        for each in [
            &mut profile.red_trc,
            &mut profile.green_trc,
            &mut profile.blue_trc,
        ] {
            *each = Some(curve.clone());
        }
        let icc = profile.encode().unwrap();
        let ours = ToSrgb::new(&icc).unwrap();
        let read = ColorProfile::new_from_slice(&icc).unwrap();
        let srgb = ColorProfile::new_srgb();
        let theirs = read
            .create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, TransformOptions::default())
            .unwrap();
        for colour in COLOURS {
            let mut expected = [0; 3];
            theirs.transform(&colour, &mut expected).unwrap();
            assert_near(ours.pixel(colour), expected, 2);
        }
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
