//! Sealing of columns: AES-256-GCM (NIST SP 800-38D) under a key that is used once. Each sealing draws 16 random bytes and derives its own
//! key from the master key, the table and those bytes (HKDF, RFC 5869), so that a nonce can never meet the same key
//! twice, whatever copies of the store exist. Where a value belongs is authenticated with it: a value moved to another
//! table, column, row or version does not open.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::StoreError;

/// The first byte of everything sealed: how it was done.
const SCHEME: u8 = 1;
const SALT_LEN: usize = 16;

/// Where a sealed value belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub table: &'static str,
    pub column: &'static str,
    /// The row's primary key.
    pub row: &'a [u8],
    /// The row's version; 0 in tables without.
    pub version: u64,
}

impl Place<'_> {
    /// Each part with its length in front, so that no two places read the same.
    fn associated_data(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(64);
        for part in [
            self.table.as_bytes(),
            self.column.as_bytes(),
            self.row,
            &self.version.to_be_bytes(),
        ] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

/// Seals and opens under one master key.
pub(crate) struct Sealer {
    master: Zeroizing<[u8; 32]>,
    random: SystemRandom,
}

impl Sealer {
    pub(crate) fn new(master: Zeroizing<[u8; 32]>) -> Self {
        Self {
            master,
            random: SystemRandom::new(),
        }
    }

    /// Seals `plain` for `place`: scheme, salt, ciphertext, tag.
    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut salt = [0; SALT_LEN];
        self.random.fill(&mut salt).map_err(|_| StoreError::Random)?;
        let mut sealed = Vec::with_capacity(1 + SALT_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.push(SCHEME);
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(plain);
        let body = &mut sealed[1 + SALT_LEN..];
        let tag = self
            .key(place.table, &salt)?
            .seal_in_place_separate_tag(only_nonce(), Aad::from(place.associated_data()), body)
            .map_err(|_| StoreError::Encoding)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] where a byte changed, or where it was sealed for another place or under another key.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let [SCHEME, rest @ ..] = sealed else {
            return Err(StoreError::Damaged);
        };
        let (salt, body) = rest.split_first_chunk::<SALT_LEN>().ok_or(StoreError::Damaged)?;
        let mut plain = Zeroizing::new(body.to_vec());
        let len = self
            .key(place.table, salt)?
            .open_in_place(only_nonce(), Aad::from(place.associated_data()), &mut plain)
            .map_err(|_| StoreError::Damaged)?
            .len();
        plain.truncate(len);
        Ok(plain)
    }

    fn key(&self, table: &'static str, salt: &[u8; SALT_LEN]) -> Result<LessSafeKey, StoreError> {
        let info = [b"yika-store-1|".as_slice(), table.as_bytes()];
        let key = Salt::new(HKDF_SHA256, salt).extract(self.master.as_slice());
        let key = key
            .expand(&info, &AES_256_GCM)
            .map(UnboundKey::from)
            .map_err(|_| StoreError::Encoding)?;
        Ok(LessSafeKey::new(key))
    }
}

/// The key is new each time, so the nonce need not be.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLACE: Place<'_> = Place {
        table: "records",
        column: "sealed",
        row: b"session",
        version: 3,
    };

    fn sealer() -> Sealer {
        Sealer::new(Zeroizing::new([5; 32]))
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let sealed = sealer().seal(PLACE, b"refresh token").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                sealer().open(PLACE, &changed).unwrap_err(),
                StoreError::Damaged,
                "bit {bit}"
            );
        }
    }

    #[test]
    fn every_missing_end_is_noticed() {
        let sealed = sealer().seal(PLACE, b"refresh token").unwrap();
        for len in 0..sealed.len() {
            assert_eq!(
                sealer().open(PLACE, &sealed[..len]).unwrap_err(),
                StoreError::Damaged,
                "{len} bytes"
            );
        }
    }

    #[test]
    fn a_value_opens_at_its_own_place_only() {
        let sealed = sealer().seal(PLACE, b"refresh token").unwrap();
        for place in [
            Place {
                table: "bills",
                ..PLACE
            },
            Place {
                column: "other",
                ..PLACE
            },
            Place {
                row: b"sessio",
                ..PLACE
            },
            Place { version: 2, ..PLACE },
            // The same bytes, parted elsewhere.
            Place {
                table: "record",
                column: "ssealed",
                ..PLACE
            },
        ] {
            assert_eq!(
                sealer().open(place, &sealed).unwrap_err(),
                StoreError::Damaged,
                "{place:?}"
            );
        }
        let other = Sealer::new(Zeroizing::new([6; 32]));
        assert_eq!(other.open(PLACE, &sealed).unwrap_err(), StoreError::Damaged);
    }

    #[test]
    fn the_same_value_never_looks_the_same_twice() {
        let sealer = sealer();
        assert_ne!(
            sealer.seal(PLACE, b"same").unwrap(),
            sealer.seal(PLACE, b"same").unwrap()
        );
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_again(plain: Vec<u8>, row: Vec<u8>, version: u64) {
            let place = Place { row: &row, version, ..PLACE };
            let sealed = sealer().seal(place, &plain).unwrap();
            prop_assert_eq!(sealer().open(place, &sealed).unwrap().to_vec(), plain);
        }

        #[test]
        fn arbitrary_bytes_are_refused(sealed: Vec<u8>) {
            prop_assert_eq!(sealer().open(PLACE, &sealed).unwrap_err(), StoreError::Damaged);
        }
    }
}
