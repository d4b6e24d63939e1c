//! Reading a portrait that came from elsewhere: whether it is a file as [`portrait`](crate::portrait()) makes them, and nothing more.

use crate::decode;
use crate::picture::Picture;
use crate::portrait::SIZES;

/// Why a file is no portrait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPortrait {
    /// It is no baseline JPEG, or is damaged.
    #[error("not a whole baseline JPEG")]
    Damaged,
    /// It has more in it than a picture: metadata, comments, or bytes behind its end.
    #[error("holds more than a picture")]
    More,
    /// It has another width and height.
    #[error("not of a portrait's size")]
    Size,
}

/// Opens a portrait. Metadata could say where somebody was, and bytes behind the end anything: files with either are refused.
///
/// # Errors
/// [`NoPortrait`].
pub fn open_portrait(jpeg: &[u8]) -> Result<Picture, NoPortrait> {
    check_segments(jpeg)?;
    decode(jpeg).map_err(|_| NoPortrait::Damaged)
}

/// Walks the segments of a JPEG (ITU-T T.81, annex B): those of a baseline picture and JFIF's own, one scan, and the end.
fn check_segments(jpeg: &[u8]) -> Result<(), NoPortrait> {
    let mut rest = jpeg.strip_prefix(&[0xff, 0xd8]).ok_or(NoPortrait::Damaged)?;
    loop {
        let (&[mark, kind, high, low], _) = rest.split_first_chunk().ok_or(NoPortrait::Damaged)?;
        let length = usize::from(u16::from_be_bytes([high, low]));
        let segment = rest.get(4..2 + length).ok_or(NoPortrait::Damaged)?;
        rest = &rest[2 + length..];
        match (mark, kind) {
            (0xff, 0xc0) => check_size(segment)?,
            // JFIF, tables, and how often the entropy coder begins anew.
            (0xff, 0xe0 | 0xdb | 0xc4 | 0xdd) => {}
            (0xff, 0xda) => return check_scan(rest),
            // Other segments of applications, and comments.
            (0xff, 0xe1..=0xef | 0xfe) => return Err(NoPortrait::More),
            _ => return Err(NoPortrait::Damaged),
        }
    }
}

fn check_size(frame: &[u8]) -> Result<(), NoPortrait> {
    let &[_, h1, h0, w1, w0] = frame.first_chunk().ok_or(NoPortrait::Damaged)?;
    let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
    match SIZES.contains(&(side(w1, w0), side(h1, h0))) {
        true => Ok(()),
        false => Err(NoPortrait::Size),
    }
}

/// After the scan's header: coded bytes, in which `ff` is followed by a zero or a restart, up to the end of the file.
fn check_scan(coded: &[u8]) -> Result<(), NoPortrait> {
    let mut rest = coded;
    while let Some(at) = rest.iter().position(|&byte| byte == 0xff) {
        match rest.get(at + 1) {
            Some(0x00 | 0xd0..=0xd7) => rest = &rest[at + 2..],
            Some(0xd9) if at + 2 == rest.len() => return Ok(()),
            Some(0xd9) => return Err(NoPortrait::More),
            _ => return Err(NoPortrait::Damaged),
        }
    }
    Err(NoPortrait::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fixture, picture};
    use crate::{Detector, check, portrait};
    use image::codecs::jpeg::JpegEncoder;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static MADE: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let picture = picture("angus-king.png");
        let (verdict, found) = check(&Detector::new(), &picture);
        portrait(&found.view, &verdict.face.unwrap(), 100_000)
            .unwrap()
            .jpeg
    });

    fn refused(jpeg: &[u8]) -> NoPortrait {
        open_portrait(jpeg).unwrap_err()
    }

    #[test]
    fn what_is_made_here_is_taken() {
        let opened = open_portrait(&MADE).unwrap();
        let face = check(&Detector::new(), &opened).0.face;
        assert!(face.is_some());
    }

    #[test]
    fn whatever_has_more_in_it_is_refused() {
        let behind = [&MADE[..], b"more"].concat();
        let with_segment = |kind: u8| [&MADE[..2], &[0xff, kind, 0, 6], b"text", &MADE[2..]].concat();
        assert_eq!(refused(&behind), NoPortrait::More);
        for kind in [0xe1, 0xe2, 0xed, 0xef, 0xfe] {
            assert_eq!(refused(&with_segment(kind)), NoPortrait::More, "{kind:x}");
        }
        let twice = [&MADE[..], &MADE[..]].concat();
        assert_eq!(refused(&twice), NoPortrait::More);
    }

    #[test]
    fn other_sizes_and_other_files_are_refused() {
        let mut square = Vec::new();
        let pixels = image::RgbImage::new(480, 480);
        JpegEncoder::new(&mut square).encode_image(&pixels).unwrap();
        assert_eq!(refused(&square), NoPortrait::Size);
        assert_eq!(
            refused(&std::fs::read(fixture("angus-king.png")).unwrap()),
            NoPortrait::Damaged
        );
        assert_eq!(refused(b""), NoPortrait::Damaged);
    }

    proptest! {
        #[test]
        fn half_a_portrait_and_rubbish_are_refused(part in 0..MADE.len(), bytes: Vec<u8>) {
            prop_assert!(open_portrait(&MADE[..part]).is_err());
            prop_assert!(open_portrait(&bytes).is_err());
            let _ = open_portrait(&[&MADE[..part], &bytes[..]].concat());
        }
    }
}
