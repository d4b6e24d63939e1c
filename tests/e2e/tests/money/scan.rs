//! Looking for secrets in bytes: as they are, and in base64 and hexadecimal.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use yika_e2e::{Error, Result};

/// Characters of a UUID as text.
const UUID: usize = 36;
/// Digits of the milliseconds since 1970.
const MILLISECONDS: usize = 13;
/// Digits of a hexadecimal number that is a key or a hash.
const LONG_HEX: usize = 20;

/// A text that must be nowhere.
#[derive(Clone, Debug)]
pub(super) struct Secret {
    /// What it is, for messages.
    pub(super) name: &'static str,
    text: String,
    /// What it looks like in bytes.
    forms: Vec<Vec<u8>>,
}

impl Secret {
    pub(super) fn new(name: &'static str, text: &str) -> Self {
        let hex = |digits: fn(u8) -> String| -> Vec<u8> {
            text.bytes().map(digits).collect::<String>().into_bytes()
        };
        let mut forms = vec![
            hex(|byte| format!("{byte:02x}")),
            hex(|byte| format!("{byte:02X}")),
        ];
        for before in 0..3 {
            let form = base64_within(text.as_bytes(), before, b"+/");
            let for_urls = base64_within(text.as_bytes(), before, b"-_");
            forms.extend([form, for_urls]);
        }
        forms.sort_unstable();
        forms.dedup();
        Self {
            name,
            text: text.to_owned(),
            forms,
        }
    }

    /// Whether it is in these bytes.
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        self.is_plain_in(bytes) || self.forms.iter().any(|form| find(bytes, form).next().is_some())
    }

    fn is_plain_in(&self, bytes: &[u8]) -> bool {
        let length = self.text.len();
        find(bytes, self.text.as_bytes()).any(|at| length > 6 || !is_chance(bytes, at..at + length))
    }
}

/// Whether six digits are where six digits may be by chance: in a UUID, in a long hexadecimal number, in milliseconds since
/// 1970, in the fraction of a time of day.
fn is_chance(bytes: &[u8], found: Range<usize>) -> bool {
    let run = |belongs: fn(&u8) -> bool| {
        let start = bytes[..found.start].iter().rev().take_while(|byte| belongs(byte));
        let end = bytes[found.end..].iter().take_while(|byte| belongs(byte));
        found.start - start.count()..found.end + end.count()
    };
    let (digits, hex) = (run(u8::is_ascii_digit), run(u8::is_ascii_hexdigit));
    let is_uuid = |start: usize| {
        let text = bytes
            .get(start..start + UUID)
            .and_then(|text| str::from_utf8(text).ok());
        text.is_some_and(|text| text.parse::<uuid::Uuid>().is_ok())
    };
    let is_fraction = digits.start > 0
        && bytes[digits.start - 1] == b'.'
        && matches!(digits.len(), 6..=9)
        && bytes.get(digits.end) == Some(&b'Z');
    (found.end.saturating_sub(UUID)..=found.start).any(is_uuid)
        || hex.len() >= LONG_HEX
        || digits.len() == MILLISECONDS
        || is_fraction
}

/// Where a part is in the whole.
fn find<'a>(whole: &'a [u8], part: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let starts = whole.windows(part.len().max(1)).enumerate();
    starts
        .filter(move |(_, window)| window.first() == part.first() && *window == part)
        .map(|(at, _)| at)
}

/// The base64 (RFC 4648) of bytes that follow so many others, without the digits that those others have a part in.
fn base64_within(bytes: &[u8], before: usize, last_two: &[u8; 2]) -> Vec<u8> {
    let digits: Vec<u8> = (b'A'..=b'Z')
        .chain(b'a'..=b'z')
        .chain(b'0'..=b'9')
        .chain(*last_two)
        .collect();
    let bits: Vec<bool> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
        .collect();
    // The first digit that is the bytes' alone begins at a multiple of six bits.
    let skipped = (6 - before * 8 % 6) % 6;
    let own = bits.get(skipped..).unwrap_or_default();
    let value = |six: &[bool]| six.iter().fold(0, |value, bit| value * 2 + usize::from(*bit));
    own.chunks_exact(6).map(|six| digits[value(six)]).collect()
}

/// All files of a folder and below.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let doing = || format!("reading {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io(doing()))? {
        let path = entry.map_err(Error::io(doing()))?.path();
        match path.is_dir() {
            true => found.append(&mut files(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

#[test]
fn a_secret_is_found_in_every_form_and_a_number_is_none() {
    let secret = Secret::new("password", "204816");
    for planted in [
        "204816",
        "password=204816,",
        "\"204816\"",
        "pw204816pw",
        "199****0002204816",
        "b51e-ecefe404580d204816",
        "323034383136",
        // base64 of "204816", "x204816", "xy204816", "xyz204816".
        "MjA0ODE2",
        "eDIwNDgxNg==",
        "eHkyMDQ4MTY=",
        "eHl6MjA0ODE2",
    ] {
        assert!(secret.is_in(planted.as_bytes()), "{planted}");
    }
    for innocent in [
        "2026-11-25T01:16:01.204816Z",
        "1795569204816",
        "01a21049-9938-70c8-b51e-ec204816580d",
        "20481",
        "",
    ] {
        assert!(!secret.is_in(innocent.as_bytes()), "{innocent}");
    }
    assert!(Secret::new("card", "9900100000000010745").is_in(b"x=19900100000000010745;"));
}
