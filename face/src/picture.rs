//! A picture as it is stored, and how to look at it upright: turned, cut out and made smaller in one step, from copies of half,
//! a quarter and so on of its size, so that nothing is turned or scaled that is not looked at.

use image::RgbImage;
use image::metadata::Orientation;

use crate::colour::ToSrgb;
use crate::geometry::{Point, Transform};

/// Smaller copies are made down to this longer side, in pixels.
const SMALLEST: u32 = 480;

/// Pixels, with smaller copies of them.
#[derive(Clone, Debug)]
pub struct Picture {
    /// As stored, half of that, a quarter.
    levels: Vec<RgbImage>,
    orientation: Orientation,
    /// What its colours mean, where they are not sRGB's.
    to_srgb: Option<ToSrgb>,
}

impl Picture {
    /// A picture that is stored so as its orientation says.
    pub fn new(pixels: RgbImage, orientation: Orientation) -> Self {
        let mut levels = vec![pixels];
        while let Some(last) = levels.last()
            && last.width().max(last.height()) > 2 * SMALLEST
            && last.width().min(last.height()) > 1
        {
            levels.push(half(last));
        }
        Self {
            levels,
            orientation,
            to_srgb: None,
        }
    }

    /// The same, with colours that mean something else than sRGB's.
    pub(crate) fn in_colours(self, to_srgb: Option<ToSrgb>) -> Self {
        Self { to_srgb, ..self }
    }

    /// The picture as its file says that it is to be looked at.
    pub fn upright(&self) -> View<'_> {
        let (width, height) = self.levels[0].dimensions();
        let (w, h) = (width as f32, height as f32);
        // From the stored picture to the upright one: each row gives x or y.
        let (x, y, minus_x, minus_y) = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, w], [0.0, -1.0, h]);
        let (to_x, to_y) = match self.orientation {
            Orientation::NoTransforms => (x, y),
            Orientation::FlipHorizontal => (minus_x, y),
            Orientation::Rotate180 => (minus_x, minus_y),
            Orientation::FlipVertical => (x, minus_y),
            Orientation::Rotate90FlipH => (y, x),
            Orientation::Rotate90 => (minus_y, x),
            Orientation::Rotate270FlipH => (minus_y, minus_x),
            Orientation::Rotate270 => (y, minus_x),
        };
        let is_turned = to_x[0] == 0.0;
        let (width, height) = if is_turned {
            (height, width)
        } else {
            (width, height)
        };
        View {
            picture: self,
            to_stored: Transform::new(to_x, to_y).inverse(),
            width,
            height,
        }
    }
}

/// How a picture is looked at.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    picture: &'a Picture,
    to_stored: Transform,
    /// In pixels of the stored picture.
    pub width: u32,
    /// In pixels of the stored picture.
    pub height: u32,
}

impl View<'_> {
    /// The same, turned clockwise by so many quarters.
    #[must_use]
    pub fn turned(&self, quarters: u8) -> Self {
        let (width, height) = (self.width, self.height);
        let (w, h) = (width as f32, height as f32);
        // From the turned view to this one.
        let (back, width, height) = match quarters % 4 {
            0 => return *self,
            1 => (Transform::new([0.0, 1.0, 0.0], [-1.0, 0.0, h]), height, width),
            2 => (Transform::new([-1.0, 0.0, w], [0.0, -1.0, h]), width, height),
            _ => (Transform::new([0.0, -1.0, w], [1.0, 0.0, 0.0]), height, width),
        };
        Self {
            to_stored: back.then(&self.to_stored),
            width,
            height,
            ..*self
        }
    }

    /// The longer side, in pixels.
    pub fn longer_side(&self) -> u32 {
        self.width.max(self.height)
    }

    /// The whole of it, at most so large, and the map from there to here.
    pub fn thumbnail(&self, longer_side: u32) -> (RgbImage, Transform) {
        let factor = (self.longer_side() as f32 / longer_side as f32).max(1.0);
        let side = |length: u32| ((length as f32 / factor).round() as u32).max(1);
        let back = Transform::scale(factor);
        (self.sample(&back, side(self.width), side(self.height)), back)
    }

    /// A picture of this size, each point of which is taken from where the map leads to. Outside, the edge goes on. In sRGB.
    pub fn sample(&self, from: &Transform, width: u32, height: u32) -> RgbImage {
        let from = from.then(&self.to_stored);
        // The copy in which a step is less than two pixels: of those, four neighbours tell enough.
        let wanted = from.factor().max(1.0).log2() as usize;
        let at = wanted.min(self.picture.levels.len() - 1);
        let level = &self.picture.levels[at];
        let from = from.then(&Transform::scale(0.5_f32.powi(at as i32)));
        let step = from.step();
        let mut out = RgbImage::new(width, height);
        for (y, row) in out.as_mut().chunks_exact_mut(3 * width as usize).enumerate() {
            let start = from.apply(Point::new(0.5, y as f32 + 0.5));
            for (x, pixel) in row.as_chunks_mut().0.iter_mut().enumerate() {
                let x = x as f32;
                *pixel = between(level, start.x + x * step.x - 0.5, start.y + x * step.y - 0.5);
            }
        }
        if let Some(to_srgb) = &self.picture.to_srgb {
            to_srgb.convert(&mut out);
        }
        out
    }
}

/// The colour at a point between four pixels, given from the middle of the first.
fn between(pixels: &RgbImage, x: f32, y: f32) -> [u8; 3] {
    let (width, height) = (pixels.width() as i32, pixels.height() as i32);
    // Kept to the picture first, so that a cast is the floor: one instruction, where `floor` is a call.
    let (x, y) = (
        x.clamp(0.0, (width - 1) as f32),
        y.clamp(0.0, (height - 1) as f32),
    );
    let (left, upper) = (x as i32, y as i32);
    let (right_part, lower_part) = (x - left as f32, y - upper as f32);
    let (right, lower) = ((left + 1).min(width - 1), (upper + 1).min(height - 1));
    let (left, right) = (left as usize, right as usize);
    let (upper, lower) = (upper as usize * width as usize, lower as usize * width as usize);
    let all = pixels.as_raw().as_chunks::<3>().0;
    let (a, b) = (&all[upper + left], &all[upper + right]);
    let (c, d) = (&all[lower + left], &all[lower + right]);
    let mix = |from: f32, to: f32, part: f32| from + (to - from) * part;
    [0, 1, 2].map(|colour| {
        let pick = |pixel: &[u8; 3]| f32::from(pixel[colour]);
        let upper = mix(pick(a), pick(b), right_part);
        let lower = mix(pick(c), pick(d), right_part);
        // Between four bytes there is a byte.
        (mix(upper, lower, lower_part) + 0.5) as i32 as u8
    })
}

/// Half of the size: the mean of each two by two. A last odd row or column is left out.
fn half(pixels: &RgbImage) -> RgbImage {
    let (width, height) = (pixels.width() / 2, pixels.height() / 2);
    let mut out = RgbImage::new(width, height);
    let (from, to) = (3 * pixels.width() as usize, 3 * width as usize);
    let rows = pixels.as_raw().chunks_exact(2 * from);
    // Both rows in one first: neighbours in memory are added many at a time.
    let mut sums = vec![0_u16; from];
    for (rows, out) in rows.zip(out.as_mut().chunks_exact_mut(to.max(1))) {
        let (upper, lower) = rows.split_at(from);
        for ((sum, upper), lower) in sums.iter_mut().zip(upper).zip(lower) {
            *sum = u16::from(*upper) + u16::from(*lower) + 1;
        }
        for (sums, out) in sums.as_chunks::<6>().0.iter().zip(out.as_chunks_mut::<3>().0) {
            let [a, b, c, d, e, f] = *sums;
            *out = [a + d, b + e, c + f].map(|sum| (sum / 4) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five by three, each pixel of another colour.
    fn pixels() -> RgbImage {
        RgbImage::from_fn(5, 3, |x, y| {
            image::Rgb([x as u8 * 50, y as u8 * 100, (x * y) as u8])
        })
    }

    #[test]
    fn a_view_is_what_the_file_says() {
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut expected = image::DynamicImage::from(pixels());
            expected.apply_orientation(orientation);
            let picture = Picture::new(pixels(), orientation);
            let view = picture.upright();
            assert_eq!((view.width, view.height), (expected.width(), expected.height()));
            let seen = view.sample(&Transform::IDENTITY, view.width, view.height);
            assert_eq!(seen, expected.into_rgb8(), "{exif}");
        }
    }

    #[test]
    fn turning_is_clockwise_and_four_quarters_are_none() {
        let picture = Picture::new(pixels(), Orientation::NoTransforms);
        let see = |quarters: u8| {
            let view = picture.upright().turned(quarters);
            view.sample(&Transform::IDENTITY, view.width, view.height)
        };
        let mut expected = image::DynamicImage::from(pixels());
        for quarters in 0..5 {
            assert_eq!(see(quarters), expected.to_rgb8(), "{quarters}");
            expected = expected.rotate90();
        }
    }

    #[test]
    fn a_smaller_picture_keeps_its_colours_where_they_were() {
        let large = RgbImage::from_fn(2000, 1000, |x, y| image::Rgb([(x / 8) as u8, (y / 8) as u8, 77]));
        let picture = Picture::new(large.clone(), Orientation::NoTransforms);
        assert_eq!(picture.levels.len(), 3);
        for side in [100, 333, 700, 1999] {
            let (small, back) = picture.upright().thumbnail(side);
            for (x, y, pixel) in small.enumerate_pixels() {
                let at = back.apply(Point::new(x as f32 + 0.5, y as f32 + 0.5));
                let there = large.get_pixel((at.x as u32).min(1999), (at.y as u32).min(999));
                for colour in 0..3 {
                    assert!(pixel[colour].abs_diff(there[colour]) <= 3, "{side}: {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn a_thread_of_pixels_is_a_picture_too() {
        for (width, height) in [(1, 1), (1, 5_000), (5_000, 1), (2, 9_999)] {
            let picture = Picture::new(RgbImage::new(width, height), Orientation::Rotate90);
            let (small, _) = picture.upright().thumbnail(320);
            assert_eq!(small.width().max(small.height()), height.max(width).min(320));
        }
    }

    #[test]
    fn outside_the_edge_goes_on() {
        let picture = Picture::new(pixels(), Orientation::NoTransforms);
        for (away, edge) in [(100.0, 4), (-100.0, 0), (f32::MAX, 4)] {
            let away = Transform::new([1.0, 0.0, away], [0.0, 1.0, 0.0]);
            let seen = picture.upright().sample(&away, 2, 3);
            for y in 0..3 {
                assert_eq!(seen.get_pixel(1, y), pixels().get_pixel(edge, y), "{away:?}");
            }
        }
        let nowhere = Transform::new([f32::NAN; 3], [f32::INFINITY; 3]);
        picture.upright().sample(&nowhere, 2, 3);
    }
}
