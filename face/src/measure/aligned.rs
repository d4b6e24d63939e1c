//! The face as OFIQ aligns it: eyes, nose and mouth where they are in every other, at half of OFIQ's size.

use image::RgbImage;

use crate::detect::Face;
use crate::geometry::{Point, Transform};
use crate::picture::View;

/// Width and height; OFIQ has twice as much.
pub(super) const SIDE: u32 = 308;
/// Where the points come to: right eye, left eye, nose, right and left corner of the mouth (OFIQ's, halved).
pub(super) const POINTS: [Point; 5] = [
    Point::new(125.5, 136.0),
    Point::new(182.0, 136.0),
    Point::new(154.0, 168.0),
    Point::new(131.0, 201.0),
    Point::new(177.5, 201.0),
];
/// The oval of a face without hair: its middle, and half of its width and height.
const OVAL: (Point, f32, f32) = (Point::new(154.0, 172.0), 62.0, 72.0);

/// A face in its place.
pub(super) struct Aligned {
    /// The pixels, [`SIDE`] by [`SIDE`].
    pub(super) pixels: RgbImage,
}

impl Aligned {
    pub(super) fn new(view: &View<'_>, face: &Face) -> Self {
        let to_aligned = Transform::fitting(&face.landmarks.points(), &POINTS);
        Self {
            pixels: view.sample(&to_aligned.inverse(), SIDE, SIDE),
        }
    }

    /// The pixels of the oval, with where they are.
    pub(super) fn face(&self) -> impl Iterator<Item = (Point, [u8; 3])> {
        self.within(OVAL)
    }

    /// The pixels of an oval, given by its middle and half of its width and height.
    pub(super) fn within(
        &self,
        (middle, half_width, half_height): (Point, f32, f32),
    ) -> impl Iterator<Item = (Point, [u8; 3])> {
        // Only what is around the oval is looked at: most are small, and a camera's every frame has six.
        let around =
            |middle: f32, half: f32| (middle - half).max(0.0) as u32..((middle + half) as u32 + 1).min(SIDE);
        let columns = around(middle.x, half_width);
        let all = around(middle.y, half_height).flat_map(move |y| columns.clone().map(move |x| (x, y)));
        all.filter_map(move |(x, y)| {
            let point = Point::new(x as f32 + 0.5, y as f32 + 0.5);
            let (dx, dy) = (
                (point.x - middle.x) / half_width,
                (point.y - middle.y) / half_height,
            );
            (dx * dx + dy * dy <= 1.0).then(|| (point, self.pixels.get_pixel(x, y).0))
        })
    }
}

/// The luminance of a colour in whole steps of 255 (ITU-R BT.709).
pub(super) fn luminance([red, green, blue]: [u8; 3]) -> u8 {
    let sum = 2126 * u32::from(red) + 7152 * u32::from(green) + 722 * u32::from(blue);
    ((sum + 5000) / 10_000) as u8
}

/// The hue and saturation of a colour in sRGB: CIELAB's `a` and `b` (IEC 61966-2-1, CIE 15, D65).
pub(super) fn lab(colour: [f32; 3]) -> [f32; 2] {
    let [red, green, blue] = colour.map(|value| {
        let value = value / 255.0;
        match value <= 0.040_45 {
            true => value / 12.92,
            false => ((value + 0.055) / 1.055).powf(2.4),
        }
    });
    let x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.950_47;
    let y = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    let z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.088_83;
    let [x, y, z] = [x, y, z].map(|value: f32| match value > 0.008_856 {
        true => value.cbrt(),
        false => 7.787 * value + 16.0 / 116.0,
    });
    [500.0 * (x - y), 200.0 * (y - z)]
}
