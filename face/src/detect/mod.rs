//! Where faces are in a small picture, with five landmarks each.

mod kernels;
mod network;
mod simd;
#[cfg(test)]
mod tests;

use image::RgbImage;

use crate::geometry::{Point, Rect, Transform};
use kernels::Map;
use network::{COLOURS, GRAIN, Levels, Network};

/// Pixels of the input for one of each level.
const STRIDES: [f32; 3] = [8.0, 16.0, 32.0];
/// Two that share more than this are one.
const SAME: f32 = 0.3;

/// The five points that the detector finds. Right and left are the person's: the right eye is left in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Landmarks {
    /// The middle of the right eye.
    pub right_eye: Point,
    /// The middle of the left eye.
    pub left_eye: Point,
    /// The tip of the nose.
    pub nose: Point,
    /// The right corner of the mouth.
    pub mouth_right: Point,
    /// The left corner of the mouth.
    pub mouth_left: Point,
}

impl Landmarks {
    /// All five, in this order.
    pub fn points(&self) -> [Point; 5] {
        [
            self.right_eye,
            self.left_eye,
            self.nose,
            self.mouth_right,
            self.mouth_left,
        ]
    }

    pub(crate) fn of(points: [Point; 5]) -> Self {
        let [right_eye, left_eye, nose, mouth_right, mouth_left] = points;
        Self {
            right_eye,
            left_eye,
            nose,
            mouth_right,
            mouth_left,
        }
    }

    /// From the middle of one eye to that of the other, in pixels.
    pub fn inter_eye_distance(&self) -> f32 {
        self.right_eye.distance(self.left_eye)
    }

    /// The turn of the line through the eyes, in radians, clockwise as seen.
    pub(crate) fn tilt(&self) -> f32 {
        (self.left_eye.y - self.right_eye.y).atan2(self.left_eye.x - self.right_eye.x)
    }
}

/// A face in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Face {
    /// How sure the detector is: 0 to 1.
    pub score: f32,
    /// From ear to ear and from brows or forehead to chin.
    pub area: Rect,
    /// Its points.
    pub landmarks: Landmarks,
}

impl Face {
    /// What lies between two sights of one face.
    pub(crate) fn mean(&self, other: &Self) -> Self {
        let mean = f32::midpoint;
        let (one, two) = (self.landmarks.points(), other.landmarks.points());
        Self {
            score: mean(self.score, other.score),
            area: Rect {
                x: mean(self.area.x, other.area.x),
                y: mean(self.area.y, other.area.y),
                width: mean(self.area.width, other.area.width),
                height: mean(self.area.height, other.area.height),
            },
            landmarks: Landmarks::of(std::array::from_fn(|at| one[at].midway(two[at]))),
        }
    }

    /// The same face in a picture that this map leads to.
    pub(crate) fn mapped(&self, transform: &Transform) -> Self {
        let middle = transform.apply(self.area.middle());
        let factor = transform.factor();
        let (width, height) = (self.area.width * factor, self.area.height * factor);
        Self {
            score: self.score,
            area: Rect {
                x: middle.x - width / 2.0,
                y: middle.y - height / 2.0,
                width,
                height,
            },
            landmarks: Landmarks::of(self.landmarks.points().map(|point| transform.apply(point))),
        }
    }
}

/// The detector with its weights. One serves all threads.
#[derive(Debug)]
pub struct Detector {
    network: Network,
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl Detector {
    /// Unpacks the weights.
    pub fn new() -> Self {
        Self {
            network: Network::new(),
        }
    }

    /// The faces with at least this score, the surest first.
    pub fn detect(&self, picture: &RgbImage, least: f32) -> Vec<Face> {
        let mut found = decode(&self.network.run(self.input(picture)), least);
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut kept: Vec<Face> = Vec::new();
        for face in found {
            if kept.iter().all(|other| other.area.overlap(&face.area) <= SAME) {
                kept.push(face);
            }
        }
        kept
    }

    /// The picture as the network takes it, with black to the right and below up to its grain.
    fn input(&self, picture: &RgbImage) -> Map {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let grains = |length: usize| length.max(1).div_ceil(GRAIN) * GRAIN;
        let mut map = self.network.blank(grains(width), grains(height));
        for (y, row) in picture.as_raw().chunks_exact(COLOURS * width.max(1)).enumerate() {
            let to = map.row_mut(y).as_chunks_mut::<COLOURS>().0;
            for (to, [red, green, blue]) in to.iter_mut().zip(row.as_chunks().0) {
                *to = [f32::from(*blue), f32::from(*green), f32::from(*red)];
            }
        }
        map
    }
}

fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

/// What the levels say, as OpenCV's `FaceDetectorYN` reads them: a pixel's box and points are relative to its corner, in its size.
fn decode(levels: &Levels, least: f32) -> Vec<Face> {
    let mut found = Vec::new();
    for (level, stride) in levels.iter().zip(STRIDES) {
        for y in 0..level.height {
            for (x, values) in level.row(y).as_chunks::<16>().0.iter().enumerate() {
                let [class, object, dx, dy, width, height, points @ ..] = values;
                let score = (sigmoid(*class) * sigmoid(*object)).sqrt();
                if score < least {
                    continue;
                }
                let at = |dx: f32, dy: f32| Point::new((x as f32 + dx) * stride, (y as f32 + dy) * stride);
                let (middle, width, height) = (at(*dx, *dy), width.exp() * stride, height.exp() * stride);
                let [a, b, c, d, e] = [0, 2, 4, 6, 8].map(|k| at(points[k], points[k + 1]));
                found.push(Face {
                    score,
                    area: Rect {
                        x: middle.x - width / 2.0,
                        y: middle.y - height / 2.0,
                        width,
                        height,
                    },
                    landmarks: Landmarks::of([a, b, c, d, e]),
                });
            }
        }
    }
    found
}
