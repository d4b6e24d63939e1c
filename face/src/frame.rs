//! From a camera's frame to a picture: the layouts that Android and iOS have, with their strides and the way the camera is built
//! in. What the strides say is checked before a pixel is read.

use image::RgbImage;
use image::metadata::Orientation;

use crate::decode::MAX_PIXELS;
use crate::picture::Picture;

/// A plane of a frame: bytes in rows that may be longer than what they show.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// From the beginning of a row to that of the next, in bytes.
    pub row_stride: usize,
    /// From a pixel's first byte to that of the next.
    pub pixel_stride: usize,
}

/// How a frame's pixels lie in memory.
#[derive(Clone, Copy, Debug)]
pub enum Layout<'a> {
    /// Red, green, blue, and a byte that is left out.
    Rgba(Plane<'a>),
    /// Blue, green, red, and a byte that is left out: `kCVPixelFormatType_32BGRA`.
    Bgra(Plane<'a>),
    /// Luminance, and both colours at half of the size: Android's `YUV_420_888`, whose planes may share memory; NV21 and NV12
    /// with a pixel stride of 2, and the one plane a byte after the other. Full range, as in JFIF (ITU-R BT.601).
    Yuv420 {
        /// Luminance.
        y: Plane<'a>,
        /// Blue less luminance.
        u: Plane<'a>,
        /// Red less luminance.
        v: Plane<'a>,
    },
}

/// A frame of a camera.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// In pixels, as they lie in memory.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The pixels.
    pub layout: Layout<'a>,
    /// By how many quarters it is to be turned clockwise to be upright.
    pub quarters: u8,
}

/// Why a frame can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It has no pixels, or more than a picture may have.
    #[error("a frame of {width} by {height} pixels")]
    Size {
        /// As was said.
        width: u32,
        /// As was said.
        height: u32,
    },
    /// A plane has fewer bytes than its size and strides say, or strides that are too small.
    #[error("a plane of the frame is shorter than its size and strides say")]
    Plane,
}

impl<'a> Plane<'a> {
    /// Rows of this plane for so many pixels, of so many bytes each, if they are all there.
    fn rows(
        self,
        width: usize,
        height: usize,
        pixel: usize,
    ) -> Result<impl Iterator<Item = &'a [u8]>, FrameError> {
        let Self {
            bytes,
            row_stride,
            pixel_stride,
        } = self;
        let row = width
            .checked_sub(1)
            .and_then(|last| last.checked_mul(pixel_stride));
        let row = row
            .and_then(|row| row.checked_add(pixel))
            .ok_or(FrameError::Plane)?;
        let before = height
            .checked_sub(1)
            .and_then(|rows| rows.checked_mul(row_stride));
        let needed = before.and_then(|before| before.checked_add(row));
        let is_whole = needed.is_some_and(|needed| needed <= bytes.len());
        if !is_whole || pixel_stride < pixel || (height > 1 && row_stride < row) {
            return Err(FrameError::Plane);
        }
        Ok((0..height).map(move |y| &bytes[y * row_stride..][..row]))
    }
}

impl Frame<'_> {
    /// The picture.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn picture(&self) -> Result<Picture, FrameError> {
        let (width, height) = (self.width, self.height);
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || pixels > MAX_PIXELS {
            return Err(FrameError::Size { width, height });
        }
        let mut out = RgbImage::new(width, height);
        let size = (width as usize, height as usize);
        match self.layout {
            Layout::Rgba(plane) => copy(plane, size, [0, 1, 2], &mut out)?,
            Layout::Bgra(plane) => copy(plane, size, [2, 1, 0], &mut out)?,
            Layout::Yuv420 { y, u, v } => convert(y, u, v, size, &mut out)?,
        }
        let orientation = match self.quarters % 4 {
            0 => Orientation::NoTransforms,
            1 => Orientation::Rotate90,
            2 => Orientation::Rotate180,
            _ => Orientation::Rotate270,
        };
        Ok(Picture::new(out, orientation))
    }
}

fn copy(
    plane: Plane<'_>,
    (width, height): (usize, usize),
    order: [usize; 3],
    out: &mut RgbImage,
) -> Result<(), FrameError> {
    const BYTES: usize = 4;
    let rows = plane.rows(width, height, BYTES)?;
    for (row, out) in rows.zip(out.as_mut().chunks_exact_mut(3 * width)) {
        for (pixel, out) in row.chunks(plane.pixel_stride).zip(out.as_chunks_mut::<3>().0) {
            *out = order.map(|at| pixel[at]);
        }
    }
    Ok(())
}

fn convert(
    y: Plane<'_>,
    u: Plane<'_>,
    v: Plane<'_>,
    (width, height): (usize, usize),
    out: &mut RgbImage,
) -> Result<(), FrameError> {
    let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
    let rows = y.rows(width, height, 1)?;
    let us: Vec<&[u8]> = u.rows(half_width, half_height, 1)?.collect();
    let vs: Vec<&[u8]> = v.rows(half_width, half_height, 1)?.collect();
    for (at, (row, out)) in rows.zip(out.as_mut().chunks_exact_mut(3 * width)).enumerate() {
        let (us, vs) = (us[at / 2], vs[at / 2]);
        for (x, out) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let luminance = row[x * y.pixel_stride];
            *out = rgb(luminance, us[x / 2 * u.pixel_stride], vs[x / 2 * v.pixel_stride]);
        }
    }
    Ok(())
}

/// From luminance and two colours to three (JFIF 1.02), in steps of 1/65536.
fn rgb(y: u8, u: u8, v: u8) -> [u8; 3] {
    const ONE: i32 = 1 << 16;
    let (y, u, v) = (
        i32::from(y) * ONE + ONE / 2,
        i32::from(u) - 128,
        i32::from(v) - 128,
    );
    let red = y + 91_881 * v;
    let green = y - 22_554 * u - 46_802 * v;
    let blue = y + 116_130 * u;
    [red, green, blue].map(|value| (value / ONE).clamp(0, 255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Transform;
    use proptest::prelude::*;

    fn plane(bytes: &[u8], row_stride: usize, pixel_stride: usize) -> Plane<'_> {
        Plane {
            bytes,
            row_stride,
            pixel_stride,
        }
    }

    fn seen(frame: &Frame<'_>) -> RgbImage {
        let picture = frame.picture().unwrap();
        let view = picture.upright();
        view.sample(&Transform::IDENTITY, view.width, view.height)
    }

    #[test]
    fn colours_are_where_the_layout_says() {
        // Two by two, four bytes of nothing after each row.
        let bytes: Vec<u8> = (0..24).collect();
        let frame = |layout| Frame {
            width: 2,
            height: 2,
            layout,
            quarters: 0,
        };
        let rgba = seen(&frame(Layout::Rgba(plane(&bytes, 12, 4))));
        assert_eq!(rgba.as_raw(), &[0, 1, 2, 4, 5, 6, 12, 13, 14, 16, 17, 18]);
        let bgra = seen(&frame(Layout::Bgra(plane(&bytes, 12, 4))));
        assert_eq!(bgra.as_raw(), &[2, 1, 0, 6, 5, 4, 14, 13, 12, 18, 17, 16]);
        // The last row ends with its last pixel.
        assert!(frame(Layout::Rgba(plane(&bytes[..20], 12, 4))).picture().is_ok());
        for (length, row_stride, pixel_stride) in [
            (19, 12, 4),
            (24, 7, 4),
            (24, 12, 3),
            (0, 12, 4),
            (24, usize::MAX, 4),
        ] {
            let layout = Layout::Rgba(plane(&bytes[..length], row_stride, pixel_stride));
            assert_eq!(frame(layout).picture().unwrap_err(), FrameError::Plane);
        }
    }

    #[test]
    fn luminance_and_colours_come_back_as_what_they_were_made_of() {
        // By JFIF's own formulas, each of a whole frame of one colour.
        for colour in [
            [255, 0, 0],
            [0, 255, 0],
            [0, 0, 255],
            [200, 150, 120],
            [0, 0, 0],
            [255; 3],
        ] {
            let [r, g, b] = colour.map(f32::from);
            let y = 0.299 * r + 0.587 * g + 0.114 * b;
            let [y, u, v] =
                [y, 128.0 + 0.564 * (b - y), 128.0 + 0.713 * (r - y)].map(|value: f32| value.round() as u8);
            // Three by three, in NV21: v and u by turns.
            let (ys, vu) = ([y; 9], [v, u, v, u, v, u, v, u]);
            let frame = Frame {
                width: 3,
                height: 3,
                layout: Layout::Yuv420 {
                    y: plane(&ys, 3, 1),
                    u: plane(&vu[1..], 4, 2),
                    v: plane(&vu, 4, 2),
                },
                quarters: 0,
            };
            for pixel in seen(&frame).pixels() {
                let near = pixel
                    .0
                    .iter()
                    .zip(colour)
                    .all(|(ours, made)| ours.abs_diff(made) <= 2);
                assert!(near, "{pixel:?}, {colour:?}");
            }
        }
    }

    #[test]
    fn a_frame_is_turned_as_the_camera_is_built_in() {
        let bytes = [1, 1, 1, 0, 2, 2, 2, 0];
        let frame = Frame {
            width: 2,
            height: 1,
            layout: Layout::Rgba(plane(&bytes, 8, 4)),
            quarters: 1,
        };
        let seen = seen(&frame);
        assert_eq!(
            (seen.dimensions(), seen.as_raw().as_slice()),
            ((1, 2), &[1, 1, 1, 2, 2, 2][..])
        );
    }

    proptest! {
        #[test]
        fn no_size_and_no_stride_makes_it_panic(
            width in 0u32..70, height in 0u32..70, length in 0usize..3000, row in 0usize..200, pixel in 0usize..9, kind in 0..3,
        ) {
            let bytes = vec![7; length];
            let one = plane(&bytes, row, pixel);
            let layout = match kind {
                0 => Layout::Rgba(one),
                1 => Layout::Bgra(one),
                _ => Layout::Yuv420 { y: one, u: one, v: one },
            };
            let frame = Frame { width, height, layout, quarters: 3 };
            if let Ok(picture) = frame.picture() {
                prop_assert_eq!(picture.upright().width, height);
            }
        }
    }
}
