//! Payment passwords: which are too weak, and how they are kept: salted and hashed (PBKDF2, RFC 8018), never in the clear.

use ring::pbkdf2::{self, PBKDF2_HMAC_SHA256};
use std::num::NonZeroU32;

/// Tries before the password is locked.
pub(super) const TRIES: u8 = 3;
/// For how long it is locked.
pub(super) const LOCK_MS: i64 = 30 * 60_000;

const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).unwrap();

/// Whether others guess it first: repeats, runs, and what the identity number says of the day of birth.
pub(super) fn is_weak(password: &str, id_number: &str) -> bool {
    let digits = password.as_bytes();
    let all_steps = |step: i16| {
        digits
            .windows(2)
            .all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == step)
    };
    let is_repeated = |part: usize| digits.chunks(part).all(|chunk| chunk == &digits[..part]);
    let birthday = id_number.get(6..14).unwrap_or_default();
    all_steps(1) || all_steps(-1) || (1..=3).any(is_repeated) || birthday.contains(password)
}

pub(super) fn hash(password: &str, salt: &[u8]) -> Vec<u8> {
    let mut hash = vec![0; 32];
    pbkdf2::derive(PBKDF2_HMAC_SHA256, ROUNDS, salt, password.as_bytes(), &mut hash);
    hash
}

pub(super) fn is_right(password: &str, salt: &[u8], hash: &[u8]) -> bool {
    pbkdf2::verify(PBKDF2_HMAC_SHA256, ROUNDS, salt, password.as_bytes(), hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_others_guess_are_weak() {
        let id_number = "990101200504121103";
        for weak in [
            "111111", "121212", "123123", "123456", "987654", "050412", "200504",
        ] {
            assert!(is_weak(weak, id_number), "{weak}");
        }
        for good in ["204816", "135792", "890123"] {
            assert!(!is_weak(good, id_number), "{good}");
        }
    }

    #[test]
    fn only_the_password_and_its_salt_give_the_hash() {
        let kept = hash("204816", b"salt");
        assert!(is_right("204816", b"salt", &kept));
        assert!(!is_right("204817", b"salt", &kept));
        assert!(!is_right("204816", b"pepper", &kept));
    }
}
