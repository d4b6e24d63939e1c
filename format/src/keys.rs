//! P-256 keys and signatures as raw bytes, and their verification with ring.
//!
//! Keys travel compressed (33 bytes) and signatures as r‖s (64 bytes). ring takes no compressed key, so a key is
//! expanded once and can be kept that way. High-S signatures are accepted: secure hardware makes them.

use crate::DecodeError;
use crate::curve::second_coordinate;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use std::fmt;
use std::str::FromStr;

/// A compressed public key: `02` or `03` and the x coordinate. Whether it lies on the curve shows when it is expanded.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 33]);

/// A public key with both coordinates, known to be on P-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ExpandedKey([u8; 65]);

/// A signature r‖s with 1 ≤ r, s < n.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

/// Why bytes are no usable key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a point of P-256 in a form that this version takes.
    #[error("not a P-256 public key")]
    NotOnCurve,
    /// Zero, or not below the order of P-256.
    #[error("not a P-256 private key")]
    NotPrivate,
    /// Not the text of a compressed key.
    #[error("a public key has 66 hexadecimal digits and begins with 02 or 03")]
    NotHex,
}

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Neither raw r‖s nor DER, or a number out of range.
    #[error("not an ECDSA signature in raw or DER form")]
    Malformed,
    /// It is not of this key over this message.
    #[error("the signature does not verify")]
    Mismatch,
}

/// The order of P-256 (SEC 2, version 2.0, section 2.4.2), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

impl PublicKey {
    /// A key from its compressed form. Only the first byte is looked at here.
    pub fn from_compressed(bytes: [u8; 33]) -> Result<Self, DecodeError> {
        if matches!(bytes[0], 2 | 3) {
            Ok(Self(bytes))
        } else {
            Err(DecodeError::Field("key"))
        }
    }

    /// The compressed form.
    pub const fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }

    /// The key with both coordinates.
    pub fn expand(&self) -> Result<ExpandedKey, KeyError> {
        let [sign, x @ ..] = &self.0;
        let y = second_coordinate(x, sign & 1 == 1).ok_or(KeyError::NotOnCurve)?;
        let mut bytes = [4; 65];
        bytes[1..33].copy_from_slice(x);
        bytes[33..].copy_from_slice(&y);
        Ok(ExpandedKey(bytes))
    }
}

/// A key as people pass it on: its compressed form, 66 hexadecimal digits.
impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; 33];
        // Digits are looked at first: the number parser would also take a sign.
        if text.len() != 2 * bytes.len() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(KeyError::NotHex);
        }
        for (byte, start) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[start..start + 2], 16).map_err(|_| KeyError::NotHex)?;
        }
        Self::from_compressed(bytes).map_err(|_| KeyError::NotHex)
    }
}

impl ExpandedKey {
    /// A key from its uncompressed form (`04`, x, y).
    pub fn from_uncompressed(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: [u8; 65] = bytes.try_into().map_err(|_| KeyError::NotOnCurve)?;
        let key = Self(bytes);
        match bytes[0] == 4 && key.compress().expand() == Ok(key) {
            true => Ok(key),
            false => Err(KeyError::NotOnCurve),
        }
    }

    /// A key from the uncompressed form of what is a point by its type.
    pub(crate) const fn of_point(bytes: [u8; 65]) -> Self {
        Self(bytes)
    }

    /// The uncompressed form.
    pub const fn as_bytes(&self) -> &[u8; 65] {
        &self.0
    }

    /// The compressed form.
    pub fn compress(&self) -> PublicKey {
        let mut bytes = [0; 33];
        bytes[0] = 2 | self.0[64] & 1;
        bytes[1..].copy_from_slice(&self.0[1..33]);
        PublicKey(bytes)
    }

    /// Checks that `signature` is this key's over `message` (ECDSA with SHA-256).
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.0)
            .verify(message, &signature.0)
            .map_err(|_| SignatureError::Mismatch)
    }
}

impl Signature {
    /// A signature from r‖s.
    pub fn from_raw(bytes: [u8; 64]) -> Result<Self, DecodeError> {
        let in_range = |half: &[u8]| half < &ORDER[..] && half.iter().any(|&byte| byte != 0);
        if in_range(&bytes[..32]) && in_range(&bytes[32..]) {
            Ok(Self(bytes))
        } else {
            Err(DecodeError::Field("signature"))
        }
    }

    /// A signature as key stores return it: raw r‖s, or DER (`ECDSA-Sig-Value`, RFC 3279, section 2.2.3).
    ///
    /// 64 bytes are raw: a DER signature of that length would need two numbers some 32 bits short, which no one meets.
    pub fn from_raw_or_der(bytes: &[u8]) -> Result<Self, SignatureError> {
        let raw = match bytes.try_into() {
            Ok(raw) => raw,
            Err(_) => der_to_raw(bytes).ok_or(SignatureError::Malformed)?,
        };
        Self::from_raw(raw).map_err(|_| SignatureError::Malformed)
    }

    /// r‖s.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// r‖s of a DER sequence of two integers, where it is DER and both fit 32 bytes.
fn der_to_raw(der: &[u8]) -> Option<[u8; 64]> {
    let [0x30, len, body @ ..] = der else { return None };
    if usize::from(*len) != body.len() {
        return None;
    }
    let mut raw = [0; 64];
    let (first, second) = raw.split_at_mut(32);
    let rest = der_integer(body, first)?;
    der_integer(rest, second)?.is_empty().then_some(raw)
}

/// Reads one non-negative DER integer into `out`, right-aligned, and returns what follows it.
fn der_integer<'a>(der: &'a [u8], out: &mut [u8]) -> Option<&'a [u8]> {
    let [0x02, len, rest @ ..] = der else { return None };
    let (number, rest) = rest.split_at_checked(usize::from(*len))?;
    let digits = match number {
        [0, high, ..] if high & 0x80 != 0 => &number[1..],
        [high, ..] if high & 0x80 == 0 && (*high != 0 || number.len() == 1) => number,
        _ => return None,
    };
    let start = out.len().checked_sub(digits.len())?;
    out[start..].copy_from_slice(digits);
    Some(rest)
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

impl fmt::Debug for ExpandedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expanded{:?}", self.compress())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

    fn der_signer() -> (EcdsaKeyPair, ExpandedKey) {
        let rng = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &rng).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &rng).unwrap();
        let key = ExpandedKey::from_uncompressed(pair.public_key().as_ref()).unwrap();
        (pair, key)
    }

    #[test]
    fn numbers_out_of_range_are_no_signature() {
        let mut one = [0; 64];
        one[31] = 1;
        one[63] = 1;
        assert!(Signature::from_raw(one).is_ok());
        for half in [0, 32] {
            let mut zero = one;
            zero[half + 31] = 0;
            assert_eq!(Signature::from_raw(zero), Err(DecodeError::Field("signature")));
            let mut order = one;
            order[half..half + 32].copy_from_slice(&ORDER);
            assert_eq!(Signature::from_raw(order), Err(DecodeError::Field("signature")));
        }
    }

    #[test]
    fn der_that_is_not_strict_is_refused() {
        let good = [0x30, 6, 2, 1, 1, 2, 1, 1];
        assert!(Signature::from_raw_or_der(&good).is_ok());
        let bad: [&[u8]; 8] = [
            &[],
            &[0x30, 6, 2, 1, 1, 2, 1],
            &[0x30, 7, 2, 1, 1, 2, 1, 1],
            &[0x30, 6, 2, 1, 1, 2, 1, 1, 0],
            &[0x30, 7, 2, 2, 0, 1, 2, 1, 1],
            &[0x30, 6, 2, 1, 0x81, 2, 1, 1],
            &[0x30, 6, 2, 1, 0, 2, 1, 1],
            &[0x30, 5, 2, 0, 2, 1, 1],
        ];
        for der in bad {
            assert_eq!(
                Signature::from_raw_or_der(der),
                Err(SignatureError::Malformed),
                "{der:?}"
            );
        }
    }

    #[test]
    fn a_der_signature_verifies_after_normalising_and_so_does_its_high_s_twin() {
        let (pair, key) = der_signer();
        for round in 0..64_u8 {
            let der = pair.sign(&SystemRandom::new(), &[round]).unwrap();
            let signature = Signature::from_raw_or_der(der.as_ref()).unwrap();
            assert_eq!(key.verify(&[round], &signature), Ok(()));
            assert_eq!(key.verify(&[!round], &signature), Err(SignatureError::Mismatch));
            assert_eq!(key.verify(&[round], &twin(&signature)), Ok(()));
        }
    }

    /// (r, n − s): the other valid signature.
    fn twin(signature: &Signature) -> Signature {
        let mut raw = *signature.as_bytes();
        let mut borrow = 0_i16;
        for i in (0..32).rev() {
            let digit = i16::from(ORDER[i]) - i16::from(raw[32 + i]) - borrow;
            borrow = i16::from(digit < 0);
            raw[32 + i] = u8::try_from(digit & 0xff).unwrap();
        }
        Signature::from_raw(raw).unwrap()
    }

    #[test]
    fn a_point_off_the_curve_does_not_expand() {
        let (_, key) = der_signer();
        let on_curve = |last: u8| {
            let mut bytes = *key.compress().as_bytes();
            bytes[32] = last;
            PublicKey::from_compressed(bytes).unwrap().expand().is_ok()
        };
        let expanding = (0..=255).filter(|&last| on_curve(last)).count();
        assert!(
            (64..192).contains(&expanding),
            "about half of all x are on the curve, not {expanding} of 256"
        );
        assert_eq!(
            PublicKey::from_compressed([4; 33]),
            Err(DecodeError::Field("key"))
        );
        assert_eq!(
            ExpandedKey::from_uncompressed(&[4; 65]),
            Err(KeyError::NotOnCurve)
        );
    }

    #[test]
    fn a_key_is_read_from_66_digits_and_from_nothing_else() {
        let text = format!("02{}", "ab".repeat(32));
        let key: PublicKey = text.parse().unwrap();
        assert_eq!(key.as_bytes()[..2], [2, 0xab]);
        assert_eq!(text.to_uppercase().parse(), Ok(key));
        for text in [
            "",
            "02",
            &text.replace("02", "04"),
            &text.replace("ab", "+b"),
            &text.replace("ab", "é"),
            &format!("{text}00"),
        ] {
            assert_eq!(text.parse::<PublicKey>(), Err(KeyError::NotHex), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Signature::from_raw_or_der(&bytes);
            let _ = ExpandedKey::from_uncompressed(&bytes);
        }
    }

    #[test]
    fn compressing_and_expanding_are_inverse() {
        for _ in 0..16 {
            let (_, key) = der_signer();
            assert_eq!(key.compress().expand(), Ok(key));
        }
    }
}
