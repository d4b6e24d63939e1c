//! The ICC profiles that phones and cameras write into photos (ICC.1:2022): a curve for each of red, green and blue, and the place
//! of each in XYZ. Read here because nothing else of profiles is needed, and a library that can do all of them is as large as the
//! detector.

/// Where the table of tags begins, and how long an entry is.
const TAGS: usize = 128;
const TAG_LEN: usize = 12;
/// More than any profile of a photo has.
const MAX_TAGS: usize = 100;

/// What a profile says of red, green and blue, in this order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Profile {
    /// X, Y and Z of each at its brightest, under D50.
    pub(super) primaries: [[f32; 3]; 3],
    /// The light that each byte stands for, from 0 to 1.
    pub(super) light: [[f32; 256]; 3],
}

impl Profile {
    /// Reads a profile; nothing where it is damaged or of another kind.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let is_kind = |at: usize, kind: &[u8; 4]| bytes.get(at..at + 4) == Some(kind);
        if !is_kind(16, b"RGB ") || !is_kind(20, b"XYZ ") || !is_kind(36, b"acsp") {
            return None;
        }
        Some(Self {
            primaries: [
                xyz(tag(bytes, b"rXYZ")?)?,
                xyz(tag(bytes, b"gXYZ")?)?,
                xyz(tag(bytes, b"bXYZ")?)?,
            ],
            light: [
                curve(tag(bytes, b"rTRC")?)?,
                curve(tag(bytes, b"gTRC")?)?,
                curve(tag(bytes, b"bTRC")?)?,
            ],
        })
    }
}

/// The data of a tag.
fn tag<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    let count = (u32_at(bytes, TAGS)? as usize).min(MAX_TAGS);
    let entries = bytes.get(TAGS + 4..)?.chunks_exact(TAG_LEN).take(count);
    let entry = entries.into_iter().find(|entry| entry.starts_with(name))?;
    let (offset, length) = (u32_at(entry, 4)? as usize, u32_at(entry, 8)? as usize);
    bytes.get(offset..offset.checked_add(length)?)
}

/// A colour (`XYZType`).
fn xyz(data: &[u8]) -> Option<[f32; 3]> {
    data.starts_with(b"XYZ ").then_some(())?;
    Some([fixed(data, 8)?, fixed(data, 12)?, fixed(data, 16)?])
}

/// A curve, as a value for each byte (`curveType`, `parametricCurveType`).
fn curve(data: &[u8]) -> Option<[f32; 256]> {
    let mut light = [0.0; 256];
    let value = |byte: usize| byte as f32 / 255.0;
    if data.starts_with(b"curv") {
        let points = data.get(12..)?.as_chunks::<2>().0;
        let points = points.get(..u32_at(data, 8)? as usize)?;
        for (byte, light) in light.iter_mut().enumerate() {
            *light = match points {
                [] => value(byte),
                [gamma] => value(byte).powf(f32::from(u16::from_be_bytes(*gamma)) / 256.0),
                _ => between(points, value(byte)),
            };
        }
    } else if data.starts_with(b"para") {
        let formula = Formula::read(data)?;
        for (byte, light) in light.iter_mut().enumerate() {
            *light = formula.light(value(byte));
        }
    } else {
        return None;
    }
    light.iter().all(|light| light.is_finite()).then_some(light)
}

/// What a curve of points has at `value`, from 0 to 1.
fn between(points: &[[u8; 2]], value: f32) -> f32 {
    let point = |at: usize| f32::from(u16::from_be_bytes(points[at.min(points.len() - 1)])) / 65535.0;
    let place = value * (points.len() - 1) as f32;
    let below = place as usize;
    point(below) + (point(below + 1) - point(below)) * (place - below as f32)
}

/// `(a·x + b)^g + e` from `d` on, `c·x + f` below.
struct Formula {
    g: f32,
    a: f32,
    b: f32,
    c: f32,
    d: f32,
    e: f32,
    f: f32,
}

impl Formula {
    /// Table 68: each kind leaves some of them out.
    fn read(data: &[u8]) -> Option<Self> {
        let kind = u16::from_be_bytes(*data.get(8..)?.first_chunk()?);
        let number = |index: usize| fixed(data, 12 + 4 * index);
        let mut formula = Self {
            g: number(0)?,
            a: 1.0,
            b: 0.0,
            c: 0.0,
            d: 0.0,
            e: 0.0,
            f: 0.0,
        };
        if kind >= 1 {
            (formula.a, formula.b) = (number(1)?, number(2)?);
            formula.d = -formula.b / formula.a;
        }
        match kind {
            0 | 1 => {}
            2 => (formula.e, formula.f) = (number(3)?, number(3)?),
            3 => (formula.c, formula.d) = (number(3)?, number(4)?),
            4 => {
                (formula.c, formula.d) = (number(3)?, number(4)?);
                (formula.e, formula.f) = (number(5)?, number(6)?);
            }
            _ => return None,
        }
        Some(formula)
    }

    fn light(&self, value: f32) -> f32 {
        if value >= self.d {
            (self.a * value + self.b).max(0.0).powf(self.g) + self.e
        } else {
            self.c * value + self.f
        }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A number with sixteen bits after the point (`s15Fixed16Number`).
fn fixed(bytes: &[u8], at: usize) -> Option<f32> {
    let number = i32::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
    Some((f64::from(number) / 65536.0) as f32)
}
