//! From a file's bytes to a picture. Kinds are told by their first bytes, sizes are judged before a pixel is decoded, and what is
//! transparent is shown on white.

use std::io::Cursor;
use std::panic::catch_unwind;

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageResult, Limits, RgbImage};

use crate::colour::ToSrgb;
use crate::picture::Picture;

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 40 << 20;
/// The most pixels: more than what phones take by default, less than what makes a small phone run out of memory.
pub const MAX_PIXELS: u64 = 64_000_000;
/// Where a decoder needs more than pixels: what it may use beside them, in bytes.
const MAX_BESIDE: u64 = 64 << 20;

/// Why a file is no picture to work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoError {
    /// Of another kind than JPEG, PNG and WebP, or none at all.
    #[error("not a JPEG, PNG or WebP picture; choose another one")]
    UnknownKind,
    /// It is cut off or damaged, or does what its kind does not allow.
    #[error("the picture is damaged; choose another one")]
    Damaged,
    /// More bytes than [`MAX_BYTES`] or more pixels than [`MAX_PIXELS`].
    #[error("the picture is too large; choose a smaller one")]
    TooLarge,
}

/// Decodes a JPEG, PNG or WebP file.
///
/// # Errors
/// [`PhotoError`]; nothing in a file makes it panic.
pub fn decode(bytes: &[u8]) -> Result<Picture, PhotoError> {
    if bytes.len() > MAX_BYTES {
        return Err(PhotoError::TooLarge);
    }
    let format = image::guess_format(bytes).map_err(|_| PhotoError::UnknownKind)?;
    let reader = Cursor::new(bytes);
    // Decoders of others are known to panic at some hostile files. What they leave behind is theirs, and gone.
    catch_unwind(|| match format {
        ImageFormat::Jpeg => read(JpegDecoder::new(reader)),
        ImageFormat::Png => read(PngDecoder::new(reader)),
        ImageFormat::WebP => read(WebPDecoder::new(reader)),
        _ => Err(PhotoError::UnknownKind),
    })
    .unwrap_or(Err(PhotoError::Damaged))
}

fn read(decoder: ImageResult<impl ImageDecoder>) -> Result<Picture, PhotoError> {
    let mut decoder = decoder.map_err(|_| PhotoError::Damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PhotoError::TooLarge);
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(decoder.total_bytes().saturating_add(MAX_BESIDE));
    decoder.set_limits(limits).map_err(|_| PhotoError::TooLarge)?;
    // A picture whose EXIF data is damaged is still one.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    // So is one whose profile is.
    let profile = decoder.icc_profile().unwrap_or_default();
    let to_srgb = profile.and_then(|profile| ToSrgb::new(&profile));
    let pixels = DynamicImage::from_decoder(decoder).map_err(|_| PhotoError::Damaged)?;
    if pixels.width() == 0 || pixels.height() == 0 {
        return Err(PhotoError::Damaged);
    }
    Ok(Picture::new(opaque(pixels), orientation).in_colours(to_srgb))
}

/// The colours, on white.
fn opaque(pixels: DynamicImage) -> RgbImage {
    if !pixels.color().has_alpha() {
        return pixels.into_rgb8();
    }
    let pixels = pixels.into_rgba8();
    let (width, height) = pixels.dimensions();
    let on_white = pixels
        .as_raw()
        .as_chunks()
        .0
        .iter()
        .flat_map(|[red, green, blue, alpha]| {
            let alpha = u16::from(*alpha);
            [red, green, blue]
                .map(|value| ((u16::from(*value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8)
        });
    // As many values as the size says.
    RgbImage::from_raw(width, height, on_white.collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Transform;
    use crate::testing::fixture;
    use image::ImageEncoder;
    use image::codecs::png::PngEncoder;

    fn png(pixels: &[u8], width: u32, height: u32, kind: image::ExtendedColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes)
            .write_image(pixels, width, height, kind)
            .unwrap();
        bytes
    }

    #[test]
    fn a_file_that_is_cut_off_anywhere_or_none_is_told() {
        let whole = std::fs::read(fixture("angus-king.png")).unwrap();
        assert!(decode(&whole).is_ok());
        for length in [8, 20, 40, 1_000, whole.len() / 2, whole.len() - 30] {
            assert_eq!(
                decode(&whole[..length]).unwrap_err(),
                PhotoError::Damaged,
                "{length}"
            );
        }
        for none in [&b""[..], b"GIF89a", b"not a picture", &whole[1..]] {
            assert_eq!(decode(none).unwrap_err(), PhotoError::UnknownKind);
        }
    }

    #[test]
    fn a_file_that_says_it_is_huge_is_refused_before_it_is_decoded() {
        let mut small = png(&[0; 3], 1, 1, image::ExtendedColorType::Rgb8);
        // The header's width and height; its checksum is not what refuses it, or it would be damaged.
        small[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        let header = &small[12..29];
        let checksum = crc32(header);
        small[29..33].copy_from_slice(&checksum.to_be_bytes());
        assert_eq!(decode(&small).unwrap_err(), PhotoError::TooLarge);
        assert_eq!(decode(&vec![0; MAX_BYTES + 1]).unwrap_err(), PhotoError::TooLarge);
    }

    /// PNG's own (ISO/IEC 15948, annex D).
    fn crc32(bytes: &[u8]) -> u32 {
        let step = |crc: u32, byte: &u8| {
            let mixed = crc ^ u32::from(*byte);
            (0..8).fold(mixed, |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
            })
        };
        !bytes.iter().fold(u32::MAX, step)
    }

    #[test]
    fn what_is_transparent_is_shown_on_white() {
        let bytes = png(
            &[0, 0, 0, 0, 255, 0, 0, 128],
            2,
            1,
            image::ExtendedColorType::Rgba8,
        );
        let picture = decode(&bytes).unwrap();
        let seen = picture.upright().sample(&Transform::IDENTITY, 2, 1);
        assert_eq!(seen.as_raw(), &[255, 255, 255, 255, 127, 127]);
    }
}
