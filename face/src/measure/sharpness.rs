//! Sharpness without a reference (Crete, Dolmiere, Ladret, Nicolas 2007): a sharp picture loses much of its differences between
//! neighbours when it is blurred, a blurred one little. Being a ratio it does not ask how bright a face is, or how rich in
//! contrast.

use crate::detect::Face;
use crate::geometry::{Point, Transform};
use crate::measure::aligned::luminance;
use crate::picture::View;

/// Width of the face, in pixels, at which it is judged.
const FACE: f32 = 192.0;
/// Pixels that are blurred into one.
const BLUR: usize = 9;

/// The part of the differences between neighbours that is lost, 0 to 1.
pub(super) fn measure(view: &View<'_>, face: &Face) -> f32 {
    let scale = FACE / face.area.width.max(1.0);
    let height = (face.area.height * scale).round().clamp(1.0, 2.0 * FACE);
    let to = Point::new(FACE / 2.0, height / 2.0);
    let to_patch = Transform::about(face.area.middle(), to, -face.landmarks.tilt(), scale);
    let patch = view.sample(&to_patch.inverse(), FACE as u32, height as u32);
    let (mut before, mut lost) = (0.0, 0.0);
    for row in patch.as_raw().chunks_exact(3 * FACE as usize) {
        let row: Vec<f32> = row
            .as_chunks()
            .0
            .iter()
            .map(|pixel| f32::from(luminance(*pixel)))
            .collect();
        let blurred: Vec<f32> = row
            .windows(BLUR)
            .map(|window| window.iter().sum::<f32>() / BLUR as f32)
            .collect();
        let sharp = &row[BLUR / 2..];
        for (sharp, blurred) in sharp.windows(2).zip(blurred.windows(2)) {
            let (difference, after) = ((sharp[1] - sharp[0]).abs(), (blurred[1] - blurred[0]).abs());
            before += difference;
            lost += (difference - after).max(0.0);
        }
    }
    lost / f32::max(before, 1.0)
}
