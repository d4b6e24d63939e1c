//! Where the face is in the picture, how large, and how the head is held.
//!
//! From five points, a turn to the side is told well and a nod less so: by how far the nose has moved between eyes and mouth.
//! Where the chin is, is guessed from the distance of the eyes.

use super::Quality;
use crate::detect::Face;
use crate::find::Found;
use crate::geometry::Point;

/// Degrees of a turn for each inter-eye distance by which the nose leaves the middle.
const YAW: f32 = 72.0;
/// How far down from the eyes to the mouth the nose is in a face that looks straight ahead, and how far in front of them,
/// in lengths from eyes to mouth.
const NOSE_DOWN: f32 = 0.587;
const NOSE_AHEAD: f32 = 0.43;
/// From between the eyes to the chin, in inter-eye distances.
const CHIN: f32 = 1.85;

pub(super) fn measure(found: &Found<'_>, face: &Face) -> [(Quality, f32); 10] {
    let points = &face.landmarks;
    let eyes = points.right_eye.midway(points.left_eye);
    let mouth = points.mouth_right.midway(points.mouth_left);
    let distance = points.inter_eye_distance();
    let (sin, cos) = points.tilt().sin_cos();
    // As if the head weren't leaning.
    let straightened = |point: Point| {
        let (x, y) = (point.x - eyes.x, point.y - eyes.y);
        Point::new(x * cos + y * sin, y * cos - x * sin)
    };
    let (nose, mouth) = (straightened(points.nose), straightened(mouth));
    let yaw = YAW * (nose.x - mouth.x / 2.0) / distance;
    let pitch = ((NOSE_DOWN - nose.y / mouth.y.max(1.0)) / NOSE_AHEAD)
        .clamp(-1.0, 1.0)
        .asin()
        .to_degrees();
    let frontal = distance / yaw.clamp(-60.0, 60.0).to_radians().cos();
    let chin = CHIN * frontal;
    let (width, height) = (found.view.width as f32, found.view.height as f32);
    let second = found.faces.get(1).map_or(0.0, |second| second.area.area());
    [
        (Quality::SingleFacePresent, (second / face.area.area()).min(1.0)),
        (Quality::InterEyeDistance, frontal),
        (Quality::HeadSize, chin / height),
        (Quality::LeftwardCrop, eyes.x / frontal),
        (Quality::RightwardCrop, (width - eyes.x) / frontal),
        (Quality::MarginAbove, eyes.y / chin),
        (Quality::MarginBelow, (height - eyes.y) / chin),
        (Quality::HeadPoseYaw, yaw),
        (Quality::HeadPosePitch, pitch),
        (Quality::HeadPoseRoll, points.tilt().to_degrees()),
    ]
}
