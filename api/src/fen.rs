//! Money: an integer number of fen, with checked arithmetic and nothing else.
//!
//! There is no `Add` and no float: a sum that overflows is an error at the place where it happens.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An amount of money in fen (1/100 yuan). May be negative in postings and differences.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
#[schema(value_type = i64, example = 1250)]
pub struct Fen(i64);

/// Why a text or a sum is not an amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FenError {
    /// Not a decimal number of yuan with at most two decimals.
    #[error("not an amount; write yuan with at most two decimals, like 12.50")]
    Malformed,
    /// The amount does not fit 64 bits of fen.
    #[error("the amount is too large")]
    Overflow,
}

impl Fen {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// An amount of `fen` fen.
    pub const fn new(fen: i64) -> Self {
        Self(fen)
    }

    /// The number of fen.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, unless it overflows.
    pub fn checked_add(self, other: Self) -> Result<Self, FenError> {
        self.0.checked_add(other.0).map(Self).ok_or(FenError::Overflow)
    }

    /// The difference, unless it overflows.
    pub fn checked_sub(self, other: Self) -> Result<Self, FenError> {
        self.0.checked_sub(other.0).map(Self).ok_or(FenError::Overflow)
    }

    /// The opposite amount, unless it overflows.
    pub fn checked_neg(self) -> Result<Self, FenError> {
        self.0.checked_neg().map(Self).ok_or(FenError::Overflow)
    }

    /// Whether the amount is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

/// Yuan with two decimals and no sign of currency: `12.50`, `-0.05`.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

/// Reads yuan as people type them: `12`, `12.5`, `12.50`, `-3.00`. A fraction of a fen is refused, never rounded.
impl FromStr for Fen {
    type Err = FenError;

    fn from_str(text: &str) -> Result<Self, FenError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (yuan, fraction) = digits.split_once('.').unwrap_or((digits, "00"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(yuan) || !all_digits(fraction) || fraction.len() > 2 {
            return Err(FenError::Malformed);
        }
        let yuan: i64 = yuan.parse().map_err(|_| FenError::Overflow)?;
        let tens = if fraction.len() == 1 { 10 } else { 1 };
        let fraction = fraction.parse::<i64>().map_err(|_| FenError::Malformed)? * tens;
        let fen = yuan
            .checked_mul(100)
            .and_then(|fen| fen.checked_add(fraction))
            .ok_or(FenError::Overflow)?;
        Ok(Self(if negative { -fen } else { fen }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_that_are_not_amounts_are_refused() {
        for text in [
            "", ".", "-", "1.", ".5", "1.234", "1,000", " 1", "+1", "1e3", "¥1", "1.-5", "--1", "٣",
        ] {
            assert_eq!(text.parse::<Fen>(), Err(FenError::Malformed), "{text:?}");
        }
        assert_eq!("92233720368547758.08".parse::<Fen>(), Err(FenError::Overflow));
        assert_eq!("99999999999999999999".parse::<Fen>(), Err(FenError::Overflow));
    }

    #[test]
    fn one_decimal_means_tenths_of_a_yuan() {
        assert_eq!("12.5".parse(), Ok(Fen::new(1250)));
        assert_eq!("12.05".parse(), Ok(Fen::new(1205)));
        assert_eq!("12".parse(), Ok(Fen::new(1200)));
        assert_eq!("-0.05".parse(), Ok(Fen::new(-5)));
    }

    #[test]
    fn arithmetic_that_overflows_is_an_error() {
        assert_eq!(
            Fen::new(i64::MAX).checked_add(Fen::new(1)),
            Err(FenError::Overflow)
        );
        assert_eq!(
            Fen::new(i64::MIN).checked_sub(Fen::new(1)),
            Err(FenError::Overflow)
        );
        assert_eq!(Fen::new(i64::MIN).checked_neg(), Err(FenError::Overflow));
    }

    proptest! {
        #[test]
        fn what_is_displayed_reads_back(fen in -i64::MAX..=i64::MAX) {
            prop_assert_eq!(Fen::new(fen).to_string().parse(), Ok(Fen::new(fen)));
        }
    }
}
