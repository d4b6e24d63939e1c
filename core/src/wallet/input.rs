//! What a holder types in: checked for form before anything is sent, redacted in `Debug`, overwritten when dropped. The bank
//! has the last word on all of it.

use zeroize::Zeroizing;

use crate::error::CoreError;
use crate::secret::SecretText;

/// What of an input is not of its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum InputField {
    /// Not above zero.
    #[error("the amount")]
    Amount,
    /// Not six digits.
    #[error("the payment password")]
    PaymentPassword,
    /// Not six digits.
    #[error("the code of the bank's message")]
    SmsCode,
    /// Not 13 to 19 digits, or the last one, a check digit, is wrong.
    #[error("the card number")]
    CardNumber,
    /// Empty, or longer than 64 characters.
    #[error("the name")]
    Name,
    /// Not a resident identity number of 18 characters, or its last one, a check character, is wrong.
    #[error("the identity number")]
    IdNumber,
    /// Not a mobile number of 11 digits.
    #[error("the phone number")]
    PhoneNumber,
    /// Not the code of a provider or a place.
    #[error("the place")]
    Place,
    /// More than 500 characters, or none where some are needed.
    #[error("the text")]
    Text,
}

impl From<InputField> for CoreError {
    fn from(field: InputField) -> Self {
        Self::InvalidInput { field }
    }
}

/// A payment password: six digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentPassword(SecretText);

impl PaymentPassword {
    /// Takes a password for checking. The text is overwritten when this is dropped.
    ///
    /// # Errors
    ///
    /// [`InputField::PaymentPassword`].
    pub fn new(digits: Zeroizing<String>) -> Result<Self, InputField> {
        six_digits(digits, InputField::PaymentPassword).map(Self)
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// A payment password that may be set: six digits that others don't guess at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPaymentPassword(PaymentPassword);

impl NewPaymentPassword {
    /// Takes a password to be set.
    ///
    /// # Errors
    ///
    /// [`CoreError::InvalidInput`], [`CoreError::WeakPassword`].
    pub fn new(digits: Zeroizing<String>) -> Result<Self, CoreError> {
        let password = PaymentPassword::new(digits)?;
        match is_weak(password.expose().as_bytes()) {
            true => Err(CoreError::WeakPassword),
            false => Ok(Self(password)),
        }
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Whether it stands in a number that others may know.
    pub(super) fn is_part_of(&self, number: &str) -> bool {
        number.contains(self.expose())
    }
}

/// Few different digits, steps of one, or a block repeated: what people try first.
fn is_weak(digits: &[u8]) -> bool {
    let step = |by: i16| {
        digits
            .windows(2)
            .all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == by)
    };
    let repeats = |period: usize| digits.iter().zip(&digits[period..]).all(|(a, b)| a == b);
    let mut different = [false; 10];
    for digit in digits {
        different[usize::from(digit - b'0')] = true;
    }
    let different = different.iter().filter(|&&seen| seen).count();
    different <= 2 || [-1, 1].map(step).contains(&true) || [1, 2, 3].map(repeats).contains(&true)
}

/// The code of the bank's message: six digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsCode(SecretText);

impl SmsCode {
    /// Takes the code.
    ///
    /// # Errors
    ///
    /// [`InputField::SmsCode`].
    pub fn new(digits: Zeroizing<String>) -> Result<Self, InputField> {
        six_digits(digits, InputField::SmsCode).map(Self)
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// Who the holder is to the bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub(super) name: SecretText,
    pub(super) id_number: SecretText,
}

impl Identity {
    /// Name and number of the resident identity card. What is kept is overwritten when this is dropped; the caller's copy is the
    /// caller's to overwrite.
    ///
    /// # Errors
    ///
    /// [`InputField::Name`], [`InputField::IdNumber`].
    pub fn new(name: &str, id_number: &str) -> Result<Self, InputField> {
        let id_number = Zeroizing::new(id_number.trim().to_ascii_uppercase());
        if !is_id_number(id_number.as_bytes()) {
            return Err(InputField::IdNumber);
        }
        Ok(Self {
            name: checked_name(name)?,
            id_number: id_number.into(),
        })
    }
}

/// A debit card to be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardDetails {
    pub(super) number: SecretText,
    pub(super) holder: Identity,
    pub(super) phone: SecretText,
}

impl CardDetails {
    /// The card's number, its holder, and the phone that the bank knows. Spaces in the numbers don't matter.
    ///
    /// # Errors
    ///
    /// [`InputField::CardNumber`], [`InputField::PhoneNumber`].
    pub fn new(number: &str, holder: Identity, phone: &str) -> Result<Self, InputField> {
        let (number, phone) = (without_spaces(number), without_spaces(phone));
        if !is_digits(&number, 13..=19) || !has_luhn_digit(number.as_bytes()) {
            return Err(InputField::CardNumber);
        }
        if !is_digits(&phone, 11..=11) || !phone.starts_with('1') {
            return Err(InputField::PhoneNumber);
        }
        Ok(Self {
            number: number.into(),
            holder,
            phone: phone.into(),
        })
    }
}

fn six_digits(digits: Zeroizing<String>, field: InputField) -> Result<SecretText, InputField> {
    match is_digits(&digits, 6..=6) {
        true => Ok(digits.into()),
        false => Err(field),
    }
}

fn without_spaces(text: &str) -> Zeroizing<String> {
    // One allocation of the whole length: growing would leave copies behind.
    let mut kept = Zeroizing::new(String::with_capacity(text.len()));
    kept.extend(text.chars().filter(|char| !char.is_whitespace()));
    kept
}

fn checked_name(name: &str) -> Result<SecretText, InputField> {
    let name = name.trim();
    match (1..=64).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        true => Ok(Zeroizing::new(name.to_owned()).into()),
        false => Err(InputField::Name),
    }
}

fn is_digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// ISO/IEC 7812-1, annex B.
fn has_luhn_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let digit = u32::from(digit - b'0') << (at % 2);
            if digit > 9 { digit - 9 } else { digit }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// GB 11643: 17 digits and a check character, ISO/IEC 7064 MOD 11-2.
fn is_id_number(number: &[u8]) -> bool {
    let Some((&check, digits)) = number.split_last() else {
        return false;
    };
    if digits.len() != 17 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let rest = digits
        .iter()
        .fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    let expected = match (12 - rest) % 11 {
        10 => b'X',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    };
    check == expected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[test]
    fn a_payment_password_is_six_digits() {
        assert!(PaymentPassword::new(text("000000")).is_ok());
        for wrong in ["", "12345", "1234567", "12345a", "１２３４５６", "123 56"] {
            assert_eq!(
                PaymentPassword::new(text(wrong)),
                Err(InputField::PaymentPassword)
            );
        }
    }

    #[test]
    fn what_people_try_first_is_refused() {
        for weak in [
            "000000", "111112", "123456", "654321", "121212", "123123", "112112", "345678", "989898",
            "770077",
        ] {
            assert_eq!(
                NewPaymentPassword::new(text(weak)).err(),
                Some(CoreError::WeakPassword),
                "{weak}"
            );
        }
        for good in ["204816", "135792", "998244"] {
            assert!(NewPaymentPassword::new(text(good)).is_ok(), "{good}");
        }
    }

    #[test]
    fn check_characters_are_checked() {
        // The example of GB 11643, and one that ends in X in either case.
        for good in ["11010519491231002X", "11010519491231002x", "440524188001010014"] {
            assert!(Identity::new("张三", good).is_ok(), "{good}");
        }
        for wrong in [
            "110105194912310021",
            "11010519491231002",
            "44052418800101001X",
            "",
            "X",
        ] {
            assert_eq!(
                Identity::new("张三", wrong).err(),
                Some(InputField::IdNumber),
                "{wrong}"
            );
        }
        let card = |number, phone| {
            let holder = Identity::new("张三", "11010519491231002X").unwrap();
            CardDetails::new(number, holder, phone).err()
        };
        assert_eq!(card("6222 0212 3456 7890 128", "138 0013 8000"), None);
        assert_eq!(
            card("6222021234567890123", "13800138000"),
            Some(InputField::CardNumber)
        );
        assert_eq!(card("62220212345", "13800138000"), Some(InputField::CardNumber));
        assert_eq!(
            card("6222021234567890128", "23800138000"),
            Some(InputField::PhoneNumber)
        );
    }

    #[test]
    fn names_are_of_people() {
        for wrong in ["", "  ", "a\nb", &"x".repeat(65)] {
            assert_eq!(
                Identity::new(wrong, "11010519491231002X").err(),
                Some(InputField::Name)
            );
        }
    }

    #[test]
    fn debug_shows_nothing_of_them() {
        let identity = Identity::new("张三", "11010519491231002X").unwrap();
        let details = CardDetails::new("6222021234567890128", identity, "13800138000").unwrap();
        let shown = format!(
            "{details:?} {:?} {:?}",
            NewPaymentPassword::new(text("204816")).unwrap(),
            SmsCode::new(text("998244")).unwrap()
        );
        for secret in ["6222", "11010", "张三", "13800", "204816", "998244"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
