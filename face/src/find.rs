//! From a picture to its faces: whichever way up it is, however the head leans.
//!
//! The detector sees faces that lie on their side or stand on their head, surely and with landmarks that look right and are
//! not. So all four ways up are looked at, and the surest counts. It reads a lean as less than it is: so the face is turned
//! upright by what was read, and looked at once more, larger.

use crate::detect::{Detector, Face};
use crate::geometry::{Point, Rect, Transform};
use crate::picture::View;
use image::RgbImage;
use image::imageops::{rotate90, rotate180, rotate270};

/// The longer side of what is looked at first, and where that shows nothing.
const SIDES: [u32; 2] = [320, 640];
/// A face that counts. The detector's authors use the same.
const SURE: f32 = 0.6;
/// The side of what a face is looked at in once more, and how wide the face is there, at the two looks whose mean counts: the
/// detector's landmarks are best in faces of this width, and err differently in each look.
const CLOSE: u32 = 320;
const CLOSE_FACES: [f32; 2] = [150.0, 190.0];
/// So many are looked at so: the one that the picture is of, and whether another one is beside it.
const CLOSELY: usize = 2;
/// Looked at more closely it is the same face if the two share this much.
const SAME: f32 = 0.35;
/// What remains of a lean after which it is straightened again, in radians: 2°.
const STRAIGHT: f32 = 0.035;

/// The faces of a picture.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// The picture as a person would hold it, in which all points are.
    pub view: View<'a>,
    /// Quarters by which it was turned clockwise from how its file says that it is.
    pub quarters: u8,
    /// The faces, the largest first. Only the first two were looked at closely.
    pub faces: Vec<Face>,
}

/// Finds the faces of a picture that may be any way up.
pub fn find<'a>(detector: &Detector, view: View<'a>) -> Found<'a> {
    for side in SIDES {
        let thumbnail = Thumbnail::of(view, side);
        let ways = (0..4).map(|quarters| thumbnail.look(detector, quarters));
        let surest = ways.max_by(|a, b| a.surest().total_cmp(&b.surest()));
        let found = surest.map(|found| closer(detector, found));
        if let Some(found) = found.filter(|found| !found.faces.is_empty()) {
            return found;
        }
        if view.longer_side() <= side {
            break;
        }
    }
    nothing(view)
}

/// Finds the faces of a picture that is known to be upright, such as a camera's.
pub fn find_upright<'a>(detector: &Detector, view: View<'a>) -> Found<'a> {
    closer(detector, Thumbnail::of(view, SIDES[0]).look(detector, 0))
}

fn nothing(view: View<'_>) -> Found<'_> {
    Found {
        view,
        quarters: 0,
        faces: Vec::new(),
    }
}

impl Found<'_> {
    fn surest(&self) -> f32 {
        self.faces.iter().map(|face| face.score).fold(0.0, f32::max)
    }
}

/// A view made small once, and turned as often as it is looked at.
struct Thumbnail<'a> {
    view: View<'a>,
    pixels: RgbImage,
    /// Pixels of the view in one of its own.
    factor: f32,
}

impl<'a> Thumbnail<'a> {
    fn of(view: View<'a>, side: u32) -> Self {
        let (pixels, back) = view.thumbnail(side);
        Self {
            view,
            pixels,
            factor: back.factor(),
        }
    }

    fn look(&self, detector: &Detector, quarters: u8) -> Found<'a> {
        let turned = match quarters {
            1 => Some(rotate90(&self.pixels)),
            2 => Some(rotate180(&self.pixels)),
            3 => Some(rotate270(&self.pixels)),
            _ => None,
        };
        let view = self.view.turned(quarters);
        let back = self.back(quarters);
        let seen = detector.detect(turned.as_ref().unwrap_or(&self.pixels), SURE);
        let mut faces: Vec<Face> = seen.iter().map(|face| face.mapped(&back)).collect();
        faces.sort_by(|a, b| b.area.area().total_cmp(&a.area.area()));
        Found {
            view,
            quarters,
            faces,
        }
    }

    /// From the turned pixels to the turned view. They begin in the same corner only before they are turned: the sides of the pixels
    /// are rounded, and what they are short of or too long is then before them.
    fn back(&self, quarters: u8) -> Transform {
        let short = |side: u32, pixels: u32| side as f32 - pixels as f32 * self.factor;
        let right = short(self.view.width, self.pixels.width());
        let below = short(self.view.height, self.pixels.height());
        let (x, y) = match quarters {
            1 => (below, 0.0),
            2 => (right, below),
            3 => (0.0, right),
            _ => (0.0, 0.0),
        };
        Transform::new([self.factor, 0.0, x], [0.0, self.factor, y])
    }
}

/// Looks at the largest faces once more, straightened. What is none when it is looked at closely is left out.
fn closer<'a>(detector: &Detector, mut found: Found<'a>) -> Found<'a> {
    let mut faces = std::mem::take(&mut found.faces).into_iter();
    while found.faces.len() < CLOSELY
        && let Some(face) = faces.next()
    {
        found.faces.extend(again(detector, &found.view, &face));
    }
    found.faces.extend(faces);
    found
}

fn again(detector: &Detector, view: &View<'_>, face: &Face) -> Option<Face> {
    let [first, second] = CLOSE_FACES;
    let mut seen = look_closely(detector, view, face, first)?;
    if (seen.landmarks.tilt() - face.landmarks.tilt()).abs() > STRAIGHT {
        seen = look_closely(detector, view, &seen, first)?;
    }
    Some(seen.mean(&look_closely(detector, view, &seen, second)?))
}

/// A face as it is seen when its picture is turned back by its lean, so wide.
fn look_closely(detector: &Detector, view: &View<'_>, face: &Face, width: f32) -> Option<Face> {
    let middle = Point::new(CLOSE as f32 / 2.0, CLOSE as f32 / 2.0);
    let scale = width / face.area.width;
    let to_patch = Transform::about(face.area.middle(), middle, -face.landmarks.tilt(), scale);
    let back = to_patch.inverse();
    let patch = view.sample(&back, CLOSE, CLOSE);
    let expected = Rect {
        x: middle.x - width / 2.0,
        y: middle.y - face.area.height * scale / 2.0,
        width,
        height: face.area.height * scale,
    };
    let seen = detector.detect(&patch, SURE);
    let same = seen.iter().filter(|seen| seen.area.overlap(&expected) >= SAME);
    let best = same.max_by(|a, b| a.score.total_cmp(&b.score))?;
    Some(best.mapped(&back))
}
