//! Error correction (ISO/IEC 18004 §7.5): the check codewords of a block, a table look-up and a shift for
//! each data codeword. The `qrcode` crate works out the table, once; what is left is to use it.

/// Check codewords a block has at most, rounded up to whole words.
const WORDS: usize = 4;

/// The check codewords of a block under way: the first is the highest byte of the first word.
type Remainder = [u64; WORDS];

/// What a leading codeword of each value adds to the remainder, for one number of check codewords.
pub(super) struct CheckTable {
    check: usize,
    rows: Vec<Remainder>,
}

impl CheckTable {
    /// For blocks of `check` check codewords, at most 30.
    pub(super) fn new(check: usize) -> Self {
        let rows = (0..=u8::MAX).map(|value| {
            let mut bytes = [0; 8 * WORDS];
            bytes[..check].copy_from_slice(&qrcode::ec::create_error_correction_code(&[value], check));
            from_bytes(bytes)
        });
        Self {
            check,
            rows: rows.collect(),
        }
    }

    /// Writes the check codewords of `data` to `check`, which is as long as there are.
    pub(super) fn write(&self, data: &[u8], check: &mut [u8]) {
        let mut remainder = [0; WORDS];
        for &codeword in data {
            remainder = self.step(remainder, codeword);
        }
        check.copy_from_slice(&to_bytes(remainder)[..self.check]);
    }

    fn step(&self, [a, b, c, d]: Remainder, codeword: u8) -> Remainder {
        let lead = a.to_be_bytes()[0] ^ codeword;
        let row = &self.rows[usize::from(lead)];
        [
            ((a << 8) | (b >> 56)) ^ row[0],
            ((b << 8) | (c >> 56)) ^ row[1],
            ((c << 8) | (d >> 56)) ^ row[2],
            (d << 8) ^ row[3],
        ]
    }
}

fn from_bytes(bytes: [u8; 8 * WORDS]) -> Remainder {
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_be_bytes(*bytes);
    }
    words
}

fn to_bytes(words: Remainder) -> [u8; 8 * WORDS] {
    let mut bytes = [0; 8 * WORDS];
    for (word, bytes) in words.iter().zip(bytes.as_chunks_mut().0) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_codewords_are_those_of_the_standards_example() {
        // ISO/IEC 18004 Annex I: "01234567" in 1-M.
        let data = *b"\x10\x20\x0c\x56\x61\x80\xec\x11\xec\x11\xec\x11\xec\x11\xec\x11";
        let mut check = [0; 10];
        CheckTable::new(10).write(&data, &mut check);
        assert_eq!(check, *b"\xa5\x24\xd4\xc1\xed\x36\xc7\x87\x2c\x55");
    }
}
