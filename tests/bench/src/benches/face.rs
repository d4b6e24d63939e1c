//! Face photos: a 12-megapixel JPEG from its bytes to the verdict beside its bare decoding, frames of a camera on one core, and the
//! detector beside onnxruntime.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{ImageFormat, RgbImage};
use yika_face::{Detector, Frame, Layout, Plane, check, decode, find_upright, judge};

use super::Outcome;
use crate::harness::{Samples, take_turns, timed};
use crate::report::{Report, Target, digits, spread, time};
use crate::{Context, Result};

const PORTRAIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/face/angus-king.png");
const TIMER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../face/weights/time.py");
/// Where the network's ONNX file is: it is not in this repository, which has its weights.
const MODEL: &str = "YIKA_YUNET_ONNX";
/// Pixels along the side of what the detector looks at.
const SIDE: u32 = 320;

/// A picture of this size with a person in its middle.
fn picture(width: u32, height: u32) -> Result<RgbImage> {
    let portrait = image::open(PORTRAIT)?.into_rgb8();
    let side = width.min(height);
    let portrait = resize(&portrait, side, side, FilterType::Triangle);
    let mut picture = RgbImage::from_pixel(width, height, image::Rgb([120, 125, 130]));
    let (x, y) = (i64::from(width - side) / 2, i64::from(height - side) / 2);
    image::imageops::overlay(&mut picture, &portrait, x, y);
    Ok(picture)
}

/// Luminance, then both colours of each pixel in turn, at half of the size: NV21.
fn nv21(picture: &RgbImage) -> Vec<u8> {
    let luminance = |pixel: &image::Rgb<u8>| {
        let [r, g, b] = pixel.0.map(u32::from);
        u8::try_from((299 * r + 587 * g + 114 * b) / 1_000).unwrap_or(u8::MAX)
    };
    let mut bytes: Vec<u8> = picture.pixels().map(luminance).collect();
    bytes.resize(bytes.len() * 3 / 2, 128);
    bytes
}

fn run_once<T>(work: impl FnOnce() -> T) -> Result<Duration> {
    let ((), took) = timed(|| {
        black_box(work());
        Ok(())
    })?;
    Ok(took)
}

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let detector = Detector::new();
    let mut report = Report::default();
    photo(context, &detector, &mut report)?;
    frames(context, &detector, &mut report)?;
    network(context, &detector, &mut report)?;
    Ok(Outcome::Measured(report))
}

fn photo(context: &Context, detector: &Detector, report: &mut Report) -> Result<()> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 90).encode_image(&picture(4_000, 3_000)?)?;
    let verdict = check(detector, &decode(&jpeg)?).0;
    if verdict.face.is_none() {
        return Err("there is no face in the photo".into());
    }
    let [ours, bare] = take_turns(
        context.effort.pick(3, 15),
        [
            Box::new(|_| run_once(|| decode(&jpeg).map(|picture| check(detector, &picture).0))),
            Box::new(|_| run_once(|| image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg))),
        ],
    )?;
    let ratio = ours.over(&bare);
    report.table(
        ["12-megapixel JPEG", "median", "target"],
        vec![
            [
                "from bytes to verdict".to_owned(),
                spread(&ours, time),
                String::new(),
            ],
            [
                "`image`'s decoding alone".to_owned(),
                spread(&bare, time),
                String::new(),
            ],
            [
                "÷".to_owned(),
                spread(&ratio, digits),
                Target::AtMost(2.0).verdict(ratio.median(), digits),
            ],
        ],
    );
    Ok(())
}

fn frames(context: &Context, detector: &Detector, report: &mut Report) -> Result<()> {
    let picture = picture(640, 480)?;
    let (bytes, rgba) = (nv21(&picture), rgba(&picture));
    let of = |layout| Frame {
        width: 640,
        height: 480,
        quarters: 0,
        layout,
    };
    let plane = |bytes, pixel_stride| Plane {
        bytes,
        row_stride: 640 * if pixel_stride == 4 { 4 } else { 1 },
        pixel_stride,
    };
    let luminance = 640 * 480;
    let layouts = [
        of(Layout::Yuv420 {
            y: plane(&bytes[..luminance], 1),
            v: plane(&bytes[luminance..], 2),
            u: plane(&bytes[luminance + 1..], 2),
        }),
        of(Layout::Rgba(plane(&rgba, 4))),
    ];
    let [nv21, rgba] = take_turns(
        context.effort.pick(10, 100),
        layouts.each_ref().map(|frame| {
            let look = move |_| {
                run_once(|| {
                    let picture = frame.picture();
                    picture.map(|picture| judge(&find_upright(detector, picture.upright())))
                })
            };
            Box::new(look) as crate::harness::Contender<'_>
        }),
    )?;
    let row = |name: &str, samples: &Samples| {
        let a_second = 1.0 / samples.median();
        [
            name.to_owned(),
            spread(samples, time),
            digits(a_second),
            Target::AtLeast(30.0).verdict(a_second, digits),
        ]
    };
    report.table(
        [
            "a frame of 640 × 480",
            "median",
            "a second, on one core",
            "target",
        ],
        vec![row("NV21", &nv21), row("RGBA", &rgba)],
    );
    Ok(())
}

fn rgba(picture: &RgbImage) -> Vec<u8> {
    let pixels = picture
        .pixels()
        .flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]);
    pixels.collect()
}

fn network(context: &Context, detector: &Detector, report: &mut Report) -> Result<()> {
    let picture = picture(SIDE, SIDE)?;
    let passes = context.effort.pick(20, 200);
    let [ours] = take_turns(
        passes,
        [Box::new(|_| run_once(|| detector.detect(&picture, 0.6)))],
    )?;
    let theirs = match std::env::var_os(MODEL) {
        None => Err(format!("not timed: {MODEL} names no ONNX file")),
        Some(model) => onnxruntime(Path::new(&model), passes),
    };
    let mut rows = vec![["`yika-face`".to_owned(), spread(&ours, time)]];
    rows.push(match theirs {
        Ok(seconds) => ["onnxruntime, one thread".to_owned(), time(seconds)],
        Err(why) => ["onnxruntime, one thread".to_owned(), why],
    });
    report.table(["the network, 320 × 320", "median"], rows);
    Ok(())
}

fn onnxruntime(model: &Path, passes: usize) -> std::result::Result<f64, String> {
    let output = Command::new("python3")
        .arg(TIMER)
        .arg(model)
        .args([SIDE.to_string(), passes.to_string()])
        .output();
    let output = output.map_err(|error| format!("not timed: python3: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .map_err(|_| "not timed: python3 lacks `numpy`, `onnx` or `onnxruntime`".to_owned())
}
