//! Pictures for tests: portraits of the United States' government, which nobody owns.

use std::path::PathBuf;

use image::metadata::Orientation;

use crate::Picture;

pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/face")).join(name)
}

pub(crate) fn picture(name: &str) -> Picture {
    let pixels = image::open(fixture(name)).unwrap().into_rgb8();
    Picture::new(pixels, Orientation::NoTransforms)
}
