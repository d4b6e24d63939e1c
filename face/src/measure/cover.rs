//! Whether something covers the face. Two hints, no proof: mouth and chin that haven't the colour of the cheeks above them, as
//! under a mask (a beard is darker, and nearly as warm); and a detector that is less sure than it is of faces that it sees
//! whole. What has the colour of skin covers a face unseen.

use super::aligned::{Aligned, lab};
use crate::detect::Face;
use crate::geometry::Point;

/// The cheeks beside the nose, and what is around the mouth.
const CHEEKS: [(Point, f32, f32); 2] = [
    (Point::new(124.0, 166.0), 12.0, 10.0),
    (Point::new(184.0, 166.0), 12.0, 10.0),
];
const AROUND_MOUTH: [(Point, f32, f32); 3] = [
    (Point::new(120.0, 198.0), 9.0, 12.0),
    (Point::new(188.0, 198.0), 9.0, 12.0),
    (Point::new(154.0, 222.0), 16.0, 9.0),
];
/// The difference in colour at which the measure is at one half, in CIELAB's units.
const HALF: f32 = 16.0;

/// How sure the detector is, from a score that covered faces seldom reach to one that others nearly always do.
const SURE: (f32, f32) = (0.91, 0.938);

pub(super) fn measure(aligned: &Aligned, face: &Face) -> f32 {
    let sureness = (face.score - SURE.0) / (SURE.1 - SURE.0);
    colour(aligned).min(sureness.clamp(0.0, 1.0))
}

/// 1 for the same colour, less the more it differs.
fn colour(aligned: &Aligned) -> f32 {
    let [cheek_a, cheek_b] = mean(aligned, &CHEEKS);
    let [mouth_a, mouth_b] = mean(aligned, &AROUND_MOUTH);
    let difference = (cheek_a - mouth_a).hypot(cheek_b - mouth_b);
    1.0 / (1.0 + (difference / HALF).powi(4))
}

fn mean(aligned: &Aligned, areas: &[(Point, f32, f32)]) -> [f32; 2] {
    let (mut sum, mut count) = ([0.0; 3], 0.0);
    for (_, pixel) in areas.iter().flat_map(|area| aligned.within(*area)) {
        for (sum, value) in sum.iter_mut().zip(pixel) {
            *sum += f32::from(value);
        }
        count += 1.0;
    }
    lab(sum.map(|sum| sum / f32::max(count, 1.0)))
}
