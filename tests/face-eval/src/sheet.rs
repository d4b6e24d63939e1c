//! All photos on one sheet: each with its box, its points, and what was said of it.

use font8x8::{BASIC_FONTS, UnicodeFonts as _};
use image::imageops::replace;
use image::{Rgb, RgbImage};
use yika_face::{Found, Verdict};

use crate::Judged;

/// A photo's place, in pixels, and photos in a row.
const SIDE: u32 = 160;
const COLUMNS: u32 = 12;
const LINE: u32 = 10;

const GOOD: Rgb<u8> = Rgb([40, 170, 80]);
const BAD: Rgb<u8> = Rgb([210, 60, 50]);
const POINT: Rgb<u8> = Rgb([255, 220, 0]);

/// What can't be read.
pub(crate) fn blank() -> RgbImage {
    RgbImage::from_pixel(SIDE, SIDE, BAD)
}

/// A photo, small, with what was found in it.
pub(crate) fn thumbnail(found: &Found<'_>, verdict: &Verdict) -> RgbImage {
    let (mut small, back) = found.view.thumbnail(SIDE);
    let colour = if verdict.is_acceptable() { GOOD } else { BAD };
    let factor = 1.0 / back.factor();
    for face in &found.faces {
        let area = face.area;
        let (left, right) = (area.x * factor, (area.x + area.width) * factor);
        let (upper, lower) = (area.y * factor, (area.y + area.height) * factor);
        line(&mut small, (left, upper), (right, upper), colour);
        line(&mut small, (left, lower), (right, lower), colour);
        line(&mut small, (left, upper), (left, lower), colour);
        line(&mut small, (right, upper), (right, lower), colour);
        for point in face.landmarks.points() {
            dot(&mut small, point.x * factor, point.y * factor, POINT);
            dot(&mut small, point.x * factor + 1.0, point.y * factor, POINT);
        }
    }
    small
}

/// The sheet.
pub(crate) fn draw(judged: &[Judged]) -> RgbImage {
    let rows = u32::try_from(judged.len()).unwrap_or(u32::MAX).div_ceil(COLUMNS);
    let height = SIDE + 2 * LINE;
    let mut sheet = RgbImage::from_pixel(COLUMNS * SIDE, rows * height, Rgb([24; 3]));
    for (at, photo) in (0..).zip(judged) {
        let (x, y) = (at % COLUMNS * SIDE, at / COLUMNS * height);
        replace(&mut sheet, &photo.thumbnail, x.into(), y.into());
        let codes = photo.verdict.as_ref().map(|verdict| {
            let codes: Vec<&str> = verdict.advice.iter().map(|advice| advice.code()).collect();
            codes.join(" ")
        });
        let (said, colour) = match &codes {
            None => ("unreadable", BAD),
            Some(codes) if codes.is_empty() => ("accepted", GOOD),
            Some(codes) => (codes.as_str(), BAD),
        };
        write(&mut sheet, x + 2, y + SIDE + 1, said, colour);
        write(&mut sheet, x + 2, y + SIDE + LINE, &photo.label, Rgb([150; 3]));
    }
    sheet
}

fn dot(picture: &mut RgbImage, x: f32, y: f32, colour: Rgb<u8>) {
    let is_inside = x >= 0.0 && y >= 0.0 && x < picture.width() as f32 && y < picture.height() as f32;
    if is_inside {
        // Not below zero, and smaller than a side.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        picture.put_pixel(x as u32, y as u32, colour);
    }
}

fn line(picture: &mut RgbImage, from: (f32, f32), to: (f32, f32), colour: Rgb<u8>) {
    for step in 0..=SIDE {
        let part = step as f32 / SIDE as f32;
        let (x, y) = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
        dot(picture, x, y, colour);
    }
}

/// Writes as much as has room.
fn write(sheet: &mut RgbImage, x: u32, y: u32, text: &str, colour: Rgb<u8>) {
    for (column, letter) in (0..SIDE / 8 - 1).zip(text.chars()) {
        let rows = BASIC_FONTS.get(letter).unwrap_or_default();
        for (dy, row) in (0..).zip(rows) {
            for dx in (0..8).filter(|bit| row >> bit & 1 == 1) {
                sheet.put_pixel(x + column * 8 + dx, y + dy, colour);
            }
        }
    }
}
