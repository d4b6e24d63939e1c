//! Text to data codewords (ISO/IEC 18004 §7.4): one segment, its terminator, and padding up to what the
//! symbol holds.

use super::error::QrError;
use super::symbol::{Symbol, Version};

/// The alphanumeric set in the order of its values (ISO/IEC 18004 Table 5).
const ALPHANUMERIC: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// Stands in [`VALUES`] for what is not in the set.
const NO_VALUE: u8 = u8::MAX;

/// The value of each byte in the alphanumeric set.
const VALUES: [u8; 256] = {
    let mut values = [NO_VALUE; 256];
    let mut value = 0;
    while (value as usize) < ALPHANUMERIC.len() {
        values[ALPHANUMERIC[value as usize] as usize] = value;
        value += 1;
    }
    values
};

/// Codewords that fill what the text leaves free, by turns.
const PADDING: [u8; 2] = [0b1110_1100, 0b0001_0001];

/// Bits of the terminator, where there is room for all of them.
const TERMINATOR_BITS: usize = 4;

/// The data codewords of `text` in alphanumeric mode: 11 bits for two characters, 6 for a last single one.
pub(super) fn alphanumeric(text: &str, symbol: Symbol) -> Result<Vec<u8>, QrError> {
    let value = |byte: u8| u64::from(VALUES[usize::from(byte)]);
    if let Some(at) = text
        .bytes()
        .position(|byte| VALUES[usize::from(byte)] == NO_VALUE)
    {
        return Err(QrError::NotAlphanumeric { at });
    }
    let count_bits = if symbol.version < Version::V10 { 9 } else { 11 };
    let (pairs, single) = text.as_bytes().as_chunks();
    let mut segment = Segment::begin(
        symbol,
        text,
        0b0010,
        count_bits,
        11 * pairs.len() + 6 * single.len(),
    )?;
    for &[first, second] in pairs {
        segment.push(45 * value(first) + value(second), 11);
    }
    for &last in single {
        segment.push(value(last), 6);
    }
    Ok(segment.finish())
}

/// The data codewords of `digits` in numeric mode: 10 bits for three digits, 7 for the last two, 4 for a last
/// one.
pub(super) fn numeric(digits: &str, symbol: Symbol) -> Result<Vec<u8>, QrError> {
    if let Some(at) = digits.bytes().position(|byte| !byte.is_ascii_digit()) {
        return Err(QrError::NotNumeric { at });
    }
    let count_bits = if symbol.version < Version::V10 { 10 } else { 12 };
    let groups = digits.as_bytes().chunks(3);
    let bits_of = |group: &[u8]| 3 * group.len() + 1;
    let mut segment = Segment::begin(
        symbol,
        digits,
        0b0001,
        count_bits,
        groups.clone().map(bits_of).sum(),
    )?;
    for group in groups {
        let number = group
            .iter()
            .fold(0, |number, digit| 10 * number + u64::from(digit - b'0'));
        segment.push(number, bits_of(group));
    }
    Ok(segment.finish())
}

/// A segment being written, from the highest bit on.
struct Segment {
    capacity: usize,
    codewords: Vec<u8>,
    /// Bits that don't fill a codeword yet: the lowest `pending_bits` of `pending`. What is above them is
    /// written already.
    pending: u64,
    pending_bits: usize,
}

impl Segment {
    /// Writes the mode and the number of characters, once it is sure that `data_bits` more will fit.
    fn begin(
        symbol: Symbol,
        text: &str,
        mode: u64,
        count_bits: usize,
        data_bits: usize,
    ) -> Result<Self, QrError> {
        let capacity = symbol.blocks().data_total();
        if 4 + count_bits + data_bits > 8 * capacity {
            return Err(QrError::TooLong {
                length: text.len(),
                symbol,
            });
        }
        let mut segment = Self {
            capacity,
            codewords: Vec::with_capacity(capacity),
            pending: 0,
            pending_bits: 0,
        };
        segment.push(mode, 4);
        segment.push(text.len() as u64, count_bits);
        Ok(segment)
    }

    /// Writes the lowest `bits` of `value`, at most 16.
    fn push(&mut self, value: u64, bits: usize) {
        self.pending = (self.pending << bits) | value;
        self.pending_bits += bits;
        while self.pending_bits >= 8 {
            self.pending_bits -= 8;
            self.codewords
                .push((self.pending >> self.pending_bits).to_le_bytes()[0]);
        }
    }

    /// Writes the terminator (ISO/IEC 18004 §7.4.9), cut short if the symbol is full, then zeros to the next
    /// whole codeword, then padding (§7.4.10).
    fn finish(mut self) -> Vec<u8> {
        let written = 8 * self.codewords.len() + self.pending_bits;
        let end = (written + TERMINATOR_BITS)
            .min(8 * self.capacity)
            .next_multiple_of(8);
        self.push(0, end - written);
        let left = self.capacity - self.codewords.len();
        self.codewords.extend(PADDING.iter().cycle().take(left));
        self.codewords
    }
}

#[cfg(test)]
mod tests {
    use super::super::symbol::EccLevel;
    use super::*;

    #[test]
    fn a_lower_case_letter_is_named_by_its_place() {
        assert_eq!(
            alphanumeric("C1a", Symbol::SHORT_CODE),
            Err(QrError::NotAlphanumeric { at: 2 })
        );
    }

    #[test]
    fn a_character_of_several_bytes_is_named_by_its_first() {
        assert_eq!(
            alphanumeric("C1€", Symbol::SHORT_CODE),
            Err(QrError::NotAlphanumeric { at: 2 })
        );
    }

    #[test]
    fn a_letter_is_no_digit() {
        assert_eq!(
            numeric("12A", Symbol::ONLINE_NUMBER),
            Err(QrError::NotNumeric { at: 2 })
        );
    }

    #[test]
    fn every_symbol_holds_what_the_standard_says_and_no_more() {
        // ISO/IEC 18004 Table 7: characters in numeric and alphanumeric mode, by version, for L and M.
        let capacities = [
            [(41, 25), (34, 20)],
            [(77, 47), (63, 38)],
            [(127, 77), (101, 61)],
            [(187, 114), (149, 90)],
            [(255, 154), (202, 122)],
            [(322, 195), (255, 154)],
            [(370, 224), (293, 178)],
            [(461, 279), (365, 221)],
            [(552, 335), (432, 262)],
            [(652, 395), (513, 311)],
            [(772, 468), (604, 366)],
        ];
        for (version, [low, medium]) in Version::ALL.into_iter().zip(capacities) {
            for (level, (digits, characters)) in [(EccLevel::L, low), (EccLevel::M, medium)] {
                let symbol = Symbol::new(version, level);
                let too_long = |length| Err(QrError::TooLong { length, symbol });
                assert!(numeric(&"7".repeat(digits), symbol).is_ok(), "{symbol}");
                assert_eq!(numeric(&"7".repeat(digits + 1), symbol), too_long(digits + 1));
                assert!(alphanumeric(&"A".repeat(characters), symbol).is_ok(), "{symbol}");
                assert_eq!(
                    alphanumeric(&"A".repeat(characters + 1), symbol),
                    too_long(characters + 1)
                );
            }
        }
    }

    #[test]
    fn data_codewords_are_those_of_the_standards_example() {
        // ISO/IEC 18004 Annex I: "01234567" in 1-M.
        let expected = b"\x10\x20\x0c\x56\x61\x80\xec\x11\xec\x11\xec\x11\xec\x11\xec\x11";
        assert_eq!(numeric("01234567", Symbol::ONLINE_NUMBER).unwrap(), expected);
    }

    #[test]
    fn a_run_of_digits_stays_in_the_alphanumeric_segment() {
        // Mode 0010, the count 0_0111_1010, and "11" as 000_0010_1110.
        let data = alphanumeric(&"1".repeat(122), Symbol::SHORT_CODE).unwrap();
        assert_eq!(data[..3], [0b0010_0011, 0b1101_0000, 0b0010_1110]);
    }
}
