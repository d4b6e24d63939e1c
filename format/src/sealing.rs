//! Sealing to one reader: HPKE (RFC 9180), base mode, one message, with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and
//! AES-256-GCM. The one suite of the format, done in place, with randomness that the caller brings.

use crate::{ExpandedKey, KeyError};
use chacha20::ChaCha20Rng;
use hpke::aead::{AeadTag, AesGcm256};
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::DhP256HkdfSha256;
use hpke::rand_core::SeedableRng as _;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use std::fmt;
use zeroize::Zeroizing;

type PrivateKey = <DhP256HkdfSha256 as Kem>::PrivateKey;
type KemPublicKey = <DhP256HkdfSha256 as Kem>::PublicKey;
type EncappedKey = <DhP256HkdfSha256 as Kem>::EncappedKey;

/// The bytes of an encapsulated key: a point in uncompressed form.
pub(crate) const ENCAPSULATED_LEN: usize = 65;
/// The bytes by which a sealed text is longer than the plain one.
pub(crate) const TAG_LEN: usize = 16;

/// The private key of who opens what was sealed. It is wiped from memory when it is dropped.
pub struct RecipientKey(PrivateKey);

/// Something could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it could not be sealed")]
pub struct SealError;

impl RecipientKey {
    /// The key that follows from 32 random bytes (RFC 9180, section 7.1.3).
    pub fn derive(random: &[u8; 32]) -> Self {
        Self(DhP256HkdfSha256::derive_keypair(random).0)
    }

    /// A key from its 32 bytes, big-endian.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        PrivateKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| KeyError::NotPrivate)
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.0.write_exact(&mut bytes[..]);
        bytes
    }

    /// The public half.
    pub fn public(&self) -> ExpandedKey {
        let mut bytes = [0; 65];
        DhP256HkdfSha256::sk_to_pk(&self.0).write_exact(&mut bytes);
        ExpandedKey::of_point(bytes)
    }

    /// Opens `sealed` in place, whose last [`TAG_LEN`] bytes are the tag, and takes the tag off.
    pub(crate) fn open(
        &self,
        encapsulated: &[u8; ENCAPSULATED_LEN],
        info: &[u8],
        aad: &[u8],
        sealed: &mut Vec<u8>,
    ) -> Result<(), Unopened> {
        let at = sealed.len().checked_sub(TAG_LEN).ok_or(Unopened)?;
        let tag = AeadTag::from_bytes(&sealed[at..]).map_err(|_| Unopened)?;
        sealed.truncate(at);
        let encapsulated = EncappedKey::from_bytes(encapsulated).map_err(|_| Unopened)?;
        hpke::single_shot_open_inout_detached::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
            &OpModeR::Base,
            &self.0,
            &encapsulated,
            info,
            InOutBuf::from(&mut sealed[..]),
            aad,
            &tag,
        )
        .map_err(|_| Unopened)
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecipientKey(…)")
    }
}

/// Sealed to another key, under other circumstances, or changed: nobody can tell which.
pub(crate) struct Unopened;

/// Seals `text` in place to this key; returns the encapsulated key and the tag. `random` must never be used twice.
pub(crate) fn seal(
    recipient: &ExpandedKey,
    info: &[u8],
    aad: &[u8],
    text: &mut [u8],
    random: [u8; 32],
) -> Result<([u8; ENCAPSULATED_LEN], [u8; TAG_LEN]), SealError> {
    let recipient = KemPublicKey::from_bytes(recipient.as_bytes()).map_err(|_| SealError)?;
    let (encapsulated, tag) =
        hpke::single_shot_seal_inout_detached_with_rng::<AesGcm256, HkdfSha256, DhP256HkdfSha256>(
            &OpModeS::Base,
            &recipient,
            info,
            InOutBuf::from(text),
            aad,
            &mut ChaCha20Rng::from_seed(random),
        )
        .map_err(|_| SealError)?;
    Ok((encapsulated.to_bytes().into(), tag.to_bytes().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of hexadecimal digits.
    fn hex<const N: usize>(digits: &str) -> [u8; N] {
        assert_eq!(digits.len(), 2 * N);
        std::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
    }

    #[test]
    fn keys_are_derived_as_rfc_9180_shows_in_its_section_a_3_1() {
        let key = RecipientKey::derive(&hex(
            "668b37171f1072f3cf12ea8a236a45df23fc13b82af3609ad1e354f6ef817550",
        ));
        let private = hex("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2");
        assert_eq!(*key.to_bytes(), private);
        let public: [u8; 65] = hex(concat!(
            "04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a82",
            "6a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0",
        ));
        assert_eq!(key.public().as_bytes(), &public);
        assert_eq!(ExpandedKey::from_uncompressed(&public), Ok(key.public()));
        let again = RecipientKey::from_bytes(&private).unwrap();
        assert_eq!(again.public(), key.public());
    }

    #[test]
    fn a_private_key_is_above_zero_and_below_the_order() {
        for bytes in [[0; 32], [0xff; 32]] {
            assert_eq!(
                RecipientKey::from_bytes(&bytes).map(|_| ()),
                Err(KeyError::NotPrivate)
            );
        }
    }

    #[test]
    fn what_is_shorter_than_its_tag_does_not_open() {
        let key = RecipientKey::derive(&[1; 32]);
        let encapsulated = *key.public().as_bytes();
        for len in 0..TAG_LEN {
            assert!(key.open(&encapsulated, b"", b"", &mut vec![0; len]).is_err());
        }
    }
}
