//! The detector against what other implementations make of the same weights (`weights/reference.py`).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::testing::fixture;

#[derive(Deserialize)]
struct Reference {
    /// onnxruntime's output for [`pattern`].
    network: Vec<f32>,
    /// OpenCV's faces: box, five points, score.
    faces: BTreeMap<String, Vec<[f32; 15]>>,
}

fn reference() -> Reference {
    let text = std::fs::read_to_string(fixture("reference.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn pattern(side: u32) -> RgbImage {
    RgbImage::from_fn(side, side, |x, y| {
        let value = |colour: u32| ((7 * x + 13 * y + 29 * colour + x * y) % 256) as u8;
        image::Rgb([value(2), value(1), value(0)])
    })
}

fn values(levels: &Levels) -> Vec<f32> {
    let rows = levels
        .iter()
        .flat_map(|level| (0..level.height).map(|y| level.row(y)));
    rows.flatten().copied().collect()
}

fn assert_near(ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len());
    for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        assert!(
            (ours - theirs).abs() <= 1e-3 * (1.0 + theirs.abs()),
            "{at}: {ours}, {theirs}"
        );
    }
}

#[test]
fn the_network_says_what_onnxruntime_says() {
    let levels = {
        let detector = Detector::new();
        detector.network.run(detector.input(&pattern(64)))
    };
    assert_near(&values(&levels), &reference().network);
}

#[test]
fn the_plain_path_agrees_with_the_one_that_runs() {
    let detector = Detector::new();
    let input = || detector.input(&pattern(96));
    let plain = detector.network.run_on(simd::Plain, input());
    assert_near(&values(&detector.network.run(input())), &values(&plain));
}

#[test]
fn the_faces_are_those_that_opencv_finds() {
    let detector = Detector::new();
    for (name, theirs) in reference().faces {
        let picture = image::open(fixture(&name)).unwrap().into_rgb8();
        let ours = detector.detect(&picture, 0.6);
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let Rect { x, y, width, height } = ours.area;
            let points = ours.landmarks.points().map(|point| [point.x, point.y]);
            let found: Vec<f32> = [x, y, width, height]
                .into_iter()
                .chain(points.into_iter().flatten())
                .collect();
            for (found, expected) in found.iter().zip(theirs) {
                assert!((found - expected).abs() < 0.1, "{name}: {ours:?}, {theirs:?}");
            }
            assert!((ours.score - theirs[14]).abs() < 0.01, "{name}");
        }
    }
}

#[test]
fn a_picture_of_any_size_has_no_face_where_there_is_none() {
    let detector = Detector::new();
    for (width, height) in [(1, 1), (1, 300), (33, 31), (32, 64), (320, 7)] {
        let grey = RgbImage::from_pixel(width, height, image::Rgb([128; 3]));
        assert_eq!(detector.detect(&grey, 0.6), [], "{width} by {height}");
    }
    assert_eq!(detector.detect(&RgbImage::new(0, 0), 0.6), []);
}
