//! The small values that must not be mixed up, each with its range.

use crate::DecodeError;
use std::fmt;
use std::str::FromStr;

/// Which school a signature is for: the first 16 bytes of SHA-256 of `yika-school:` and the school's DNS name.
///
/// Signed everywhere, sent in codes nowhere: a code of one school is nothing at another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchoolHash(pub [u8; 16]);

impl SchoolHash {
    /// The hash for a school's DNS name, in whatever case it is written.
    pub fn of_domain(domain: &str) -> Self {
        let text = format!("yika-school:{}", domain.to_ascii_lowercase());
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest.as_ref()[..16]);
        Self(hash)
    }
}

/// The number of a key in the school's keyset. 0 is the root key, which no keyset lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u16);

/// The algorithm of a key and of the signatures made with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Profile {
    /// ECDSA on P-256 with SHA-256.
    P256 = 0,
    /// SM2 with SM3. The format has room for it; this version verifies none.
    Sm2 = 1,
}

impl Profile {
    pub(crate) fn from_bits(bits: u8) -> Result<Self, DecodeError> {
        match bits {
            0 => Ok(Self::P256),
            1 => Ok(Self::Sm2),
            _ => Err(DecodeError::Field("profile")),
        }
    }
}

/// A random name for one enrolment of one code key. Never given to anyone else. `Debug` shows it in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub [u8; 5]);

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonym(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// A random name for one portrait; a new portrait of the same holder gets a new one. It says nothing about the holder.
///
/// As text it has 32 lower-case hexadecimal digits.
///
/// ```
/// # use yika_format::FaceReference;
/// let reference: FaceReference = "000102030405060708090a0b0c0d0e0f".parse()?;
/// assert_eq!(reference.to_string(), "000102030405060708090a0b0c0d0e0f");
/// # Ok::<(), yika_format::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaceReference(pub [u8; 16]);

impl fmt::Display for FaceReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for FaceReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaceReference({self})")
    }
}

impl FromStr for FaceReference {
    type Err = DecodeError;

    /// Reads exactly what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(DecodeError::Field("reference")),
        };
        let digits: &[u8; 32] = text.as_bytes().try_into().map_err(|_| DecodeError::Length)?;
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

/// The generation of a credential, 1–254. Attributes are constant within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u8);

impl Epoch {
    /// The first epoch of a pseudonym.
    pub const FIRST: Self = Self(1);

    /// Epoch `value`, unless it is 0 or 255.
    pub fn new(value: u8) -> Result<Self, DecodeError> {
        if (1..=254).contains(&value) {
            Ok(Self(value))
        } else {
            Err(DecodeError::Field("epoch"))
        }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The epoch after this one; `None` after 254, where a new pseudonym is due.
    pub fn next(self) -> Option<Self> {
        Self::new(self.0.checked_add(1)?).ok()
    }
}

/// The lowest epoch that is still accepted, 1–255; 255 accepts none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MinEpoch(u8);

impl MinEpoch {
    /// Accepts every epoch.
    pub const ALL: Self = Self(1);
    /// Accepts none, for good.
    pub const DEAD: Self = Self(255);

    /// Accepts `value` and later ones.
    pub fn new(value: u8) -> Result<Self, DecodeError> {
        if value == 0 {
            Err(DecodeError::Field("min_epoch"))
        } else {
            Ok(Self(value))
        }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether codes of `epoch` are accepted.
    pub const fn accepts(self, epoch: Epoch) -> bool {
        epoch.0 >= self.0
    }
}

/// The number of a code within its epoch, 1–65535. Durable before the code is shown, never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter(u16);

impl Counter {
    /// Counter `value`, unless it is 0.
    pub fn new(value: u16) -> Result<Self, DecodeError> {
        if value == 0 {
            Err(DecodeError::Field("counter"))
        } else {
            Ok(Self(value))
        }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// Epoch and counter as one 24-bit number that only rises over the life of a pseudonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u32);

impl Sequence {
    /// The sequence of this epoch and counter.
    pub fn new(epoch: Epoch, counter: Counter) -> Self {
        Self(u32::from(epoch.0) << 16 | u32::from(counter.0))
    }

    /// The number: epoch · 65536 + counter.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The place 1–8 of an account on the card. A slot never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u8);

impl Slot {
    /// Slot `value`, if it is 1–8.
    pub fn new(value: u8) -> Result<Self, DecodeError> {
        if (1..=8).contains(&value) {
            Ok(Self(value))
        } else {
            Err(DecodeError::Field("slot"))
        }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The accounts that a credential may pay from: bit s−1 stands for slot s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AccountMask(pub u8);

impl AccountMask {
    /// The mask of these slots.
    pub fn of(slots: impl IntoIterator<Item = Slot>) -> Self {
        Self(slots.into_iter().fold(0, |mask, slot| mask | 1 << (slot.0 - 1)))
    }

    /// Whether `slot` is in it.
    pub const fn contains(self, slot: Slot) -> bool {
        self.0 & 1 << (slot.0 - 1) != 0
    }
}

/// An amount of money in fen, as signed bytes carry it: never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u64);

/// A limit in units of 10 fen, as a credential carries it: at most ¥6,553.50.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitUnits(pub u16);

impl LimitUnits {
    /// The limit in fen.
    pub fn amount(self) -> Amount {
        Amount(u64::from(self.0) * 10)
    }
}

/// Hours since the issuer key's `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hours(pub u16);

/// Seconds since 1970-01-01T00:00:00Z, as codes carry time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u32);

/// Milliseconds since 1970-01-01T00:00:00Z, as lists and records carry time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Whole seconds, rounded down.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }
}

impl From<UnixSeconds> for UnixMillis {
    fn from(seconds: UnixSeconds) -> Self {
        Self(u64::from(seconds.0) * 1000)
    }
}
