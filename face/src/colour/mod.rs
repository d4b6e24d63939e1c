//! What a photo's colours mean where its file says so: most phones store the larger space Display P3, in which the numbers of a face
//! are paler than they are in sRGB. Only what is looked at is converted: a thumbnail, a face, a portrait.

mod profile;
#[cfg(test)]
mod tests;

use image::RgbImage;
use profile::Profile;

/// From light, 0 to 1 in so many steps, to a byte of sRGB: fine enough for the darkest bytes to have a step each.
const STEPS: usize = 4096;
/// Profiles whose numbers are within so much of sRGB's everywhere are sRGB by another name.
const SAME: u8 = 3;
/// From XYZ under D50 to sRGB's light (IEC 61966-2-1, adapted by Bradford's transform).
const SRGB_OF_XYZ: [[f32; 3]; 3] = [
    [3.133_856, -1.616_867, -0.490_615],
    [-0.978_768, 1.916_142, 0.033_454],
    [0.071_945, -0.228_991, 1.405_243],
];

/// From a photo's colours to sRGB, for the profiles that cameras and phones write. Colours that sRGB doesn't have become the nearest
/// that it has, channel by channel.
#[derive(Clone, Debug)]
pub(crate) struct ToSrgb {
    /// The light that each byte of red, green and blue stands for.
    light: Box<[[f32; 256]; 3]>,
    /// From the photo's light to sRGB's.
    matrix: [[f32; 3]; 3],
    /// From light to a byte of sRGB.
    bytes: Vec<u8>,
}

impl ToSrgb {
    /// What the ICC profile of a file says; nothing where its colours are sRGB's already, or where it is damaged or of a kind that
    /// cameras don't write: the colours are then taken as sRGB, as nearly all programs take them.
    pub(crate) fn new(profile: &[u8]) -> Option<Self> {
        let Profile { primaries, light } = Profile::read(profile)?;
        let to_srgb = Self {
            light: Box::new(light),
            matrix: SRGB_OF_XYZ
                .map(|row| primaries.map(|xyz| row[0] * xyz[0] + row[1] * xyz[1] + row[2] * xyz[2])),
            bytes: (0..STEPS)
                .map(|step| srgb_byte(step as f32 / (STEPS - 1) as f32))
                .collect(),
        };
        (!to_srgb.changes_nothing()).then_some(to_srgb)
    }

    fn changes_nothing(&self) -> bool {
        const PROBES: [u8; 6] = [0, 24, 64, 128, 192, 255];
        let mut probes = PROBES.iter().flat_map(|&red| {
            PROBES
                .iter()
                .flat_map(move |&green| PROBES.iter().map(move |&blue| [red, green, blue]))
        });
        probes.all(|pixel| {
            let converted = self.pixel(pixel);
            (0..3).all(|colour| pixel[colour].abs_diff(converted[colour]) <= SAME)
        })
    }

    fn pixel(&self, pixel: [u8; 3]) -> [u8; 3] {
        let light: [f32; 3] = std::array::from_fn(|colour| self.light[colour][usize::from(pixel[colour])]);
        self.matrix.map(|row| {
            let sum = row[0] * light[0] + row[1] * light[1] + row[2] * light[2];
            // A profile may lead anywhere; a cast keeps to the bytes there are, and makes 0 of what is no number.
            let step = (sum.clamp(0.0, 1.0) * (STEPS - 1) as f32 + 0.5) as usize;
            self.bytes[step]
        })
    }

    pub(crate) fn convert(&self, pixels: &mut RgbImage) {
        for pixel in pixels.as_mut().as_chunks_mut().0 {
            *pixel = self.pixel(*pixel);
        }
    }
}

/// The byte that sRGB has for this much light.
fn srgb_byte(light: f32) -> u8 {
    let value = if light <= 0.003_130_8 {
        12.92 * light
    } else {
        1.055 * light.powf(1.0 / 2.4) - 0.055
    };
    (value * 255.0 + 0.5) as u8
}
