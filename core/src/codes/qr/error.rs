//! Why a text cannot be drawn.

use super::symbol::Symbol;

/// A text that cannot be drawn as asked. The text itself is not told: it may be a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// The text needs a larger symbol.
    #[error("{length} characters do not fit QR symbol {symbol}: take a larger version or a lower level")]
    TooLong {
        /// Characters of the text.
        length: usize,
        /// The symbol asked for.
        symbol: Symbol,
    },
    /// A character that QR's alphanumeric mode does not have: only 0–9, A–Z (no lower case), space and
    /// `$%*+-./:`.
    #[error("the character at byte {at} is not in QR's alphanumeric set: write the text in Base45")]
    NotAlphanumeric {
        /// Where it begins, in bytes from 0.
        at: usize,
    },
    /// A character that QR's numeric mode does not have: only 0–9.
    #[error("the character at byte {at} is not a digit")]
    NotNumeric {
        /// Where it begins, in bytes from 0.
        at: usize,
    },
}
