//! Base45 (RFC 9285), the alphabet of QR codes: two bytes in three characters.
//!
//! Only whole pairs occur in this format, so there is no odd tail. The decoder takes lower case as upper (scanners that
//! type as keyboards may have Caps Lock on); it takes nothing else that is not canonical.

use crate::DecodeError;

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const INVALID: u8 = 255;
const VALUES: [u8; 256] = values();

/// For each byte its value in the alphabet, lower case folded; [`INVALID`] for the rest.
const fn values() -> [u8; 256] {
    let (mut values, mut value) = ([INVALID; 256], 0);
    while value < 45 {
        let character = ALPHABET[value as usize];
        values[character as usize] = value;
        values[character.to_ascii_lowercase() as usize] = value;
        value += 1;
    }
    values
}

/// Appends the text of `bytes`, which must be whole pairs; a last single byte would be left out, so callers have none.
pub(crate) fn encode_pairs(bytes: &[u8], text: &mut String) {
    debug_assert!(bytes.len().is_multiple_of(2));
    for pair in bytes.chunks_exact(2) {
        let number = usize::from(u16::from_be_bytes([pair[0], pair[1]]));
        for digit in [number % 45, number / 45 % 45, number / 2025] {
            text.push(char::from(ALPHABET[digit]));
        }
    }
}

/// The `N` bytes that exactly `text` stands for.
pub(crate) fn decode_pairs<const N: usize>(text: &[u8]) -> Result<[u8; N], DecodeError> {
    if text.len() * 2 != N * 3 {
        return Err(DecodeError::Length);
    }
    let mut bytes = [0; N];
    for (triple, pair) in text.chunks_exact(3).zip(bytes.chunks_exact_mut(2)) {
        let [c, d, e] = [triple[0], triple[1], triple[2]].map(|character| VALUES[usize::from(character)]);
        if c == INVALID || d == INVALID || e == INVALID {
            return Err(DecodeError::Base45);
        }
        let number = u32::from(c) + u32::from(d) * 45 + u32::from(e) * 2025;
        let number = u16::try_from(number).map_err(|_| DecodeError::Base45)?;
        pair.copy_from_slice(&number.to_be_bytes());
    }
    Ok(bytes)
}

/// The body of a scanned text: without the scanner's AIM identifier (`]Q0`–`]Q6`) before and CR, LF or TAB behind.
///
/// Inner characters stay as they are, spaces included: the space belongs to the alphabet.
pub(crate) fn strip_scanner(text: &[u8]) -> &[u8] {
    let text = match text {
        [b']', b'Q' | b'q', b'0'..=b'6', rest @ ..] => rest,
        _ => text,
    };
    let end = text
        .iter()
        .rposition(|byte| !matches!(byte, b'\r' | b'\n' | b'\t'))
        .map_or(0, |last| last + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn triples_above_65535_are_refused() {
        assert_eq!(decode_pairs::<2>(b"FGW"), Ok([0xff, 0xff]));
        assert_eq!(decode_pairs::<2>(b"GGW"), Err(DecodeError::Base45));
        assert_eq!(decode_pairs::<2>(b":::"), Err(DecodeError::Base45));
    }

    #[test]
    fn the_examples_of_the_standard_hold() {
        let mut text = String::new();
        encode_pairs(b"ietf", &mut text);
        assert_eq!(text, "QED8WE");
        assert_eq!(decode_pairs::<4>(b"QED8WE"), Ok(*b"ietf"));
    }

    #[test]
    fn the_last_character_is_never_a_space_so_trimming_scanners_do_no_harm() {
        for number in 0..=u16::MAX {
            let mut text = String::new();
            encode_pairs(&number.to_be_bytes(), &mut text);
            assert!(text.as_bytes()[2] <= b'W' && text.as_bytes()[2] != b' ');
        }
    }

    #[test]
    fn only_what_scanners_add_is_stripped() {
        assert_eq!(strip_scanner(b"]Q3C1 A\r\n"), b"C1 A");
        assert_eq!(strip_scanner(b"]Q7C1"), b"]Q7C1");
        assert_eq!(strip_scanner(b" C1 "), b" C1 ");
        assert_eq!(strip_scanner(b"\t\r\n"), b"");
    }

    proptest! {
        #[test]
        fn bytes_survive_in_either_case(bytes in any::<[u8; 16]>()) {
            let mut text = String::new();
            encode_pairs(&bytes, &mut text);
            prop_assert_eq!(decode_pairs(text.as_bytes()), Ok(bytes));
            prop_assert_eq!(decode_pairs(text.to_ascii_lowercase().as_bytes()), Ok(bytes));
        }

        #[test]
        fn what_decodes_is_the_one_encoding(text in "[0-9A-Z $%*+./:-]{24}") {
            if let Ok(bytes) = decode_pairs::<16>(text.as_bytes()) {
                let mut again = String::new();
                encode_pairs(&bytes, &mut again);
                prop_assert_eq!(again, text);
            }
        }
    }
}
