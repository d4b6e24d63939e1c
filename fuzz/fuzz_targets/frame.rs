//! A camera's frames: eight bytes of sizes and strides, then the planes, which share what there is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yika_face::{Frame, Layout, Plane};

fuzz_target!(|data: &[u8]| {
    let Some((
        &[
            width,
            height,
            kind,
            row,
            pixel,
            colour_row,
            colour_pixel,
            quarters,
        ],
        bytes,
    )) = data.split_first_chunk()
    else {
        return;
    };
    let plane = |row: u8, pixel: u8| Plane {
        bytes,
        row_stride: row.into(),
        pixel_stride: pixel.into(),
    };
    let colours = plane(colour_row, colour_pixel);
    let frame = Frame {
        width: width.into(),
        height: height.into(),
        layout: match kind % 3 {
            0 => Layout::Rgba(plane(row, pixel)),
            1 => Layout::Bgra(plane(row, pixel)),
            _ => Layout::Yuv420 {
                y: plane(row, pixel),
                u: colours,
                v: colours,
            },
        },
        quarters,
    };
    if let Ok(picture) = frame.picture() {
        let view = picture.upright();
        let (across, down) = if quarters % 2 == 0 {
            (width, height)
        } else {
            (height, width)
        };
        assert_eq!((view.width, view.height), (across.into(), down.into()));
    }
});
