//! The codes that a phone shows: short (80 bytes) for terminals that have the table, full (190 bytes) for the others.
//!
//! Both carry the same nine dynamic bytes and the same device signature; the full form puts the credential in front.
//! As text they are `C1` or `C2` and Base45: 122 characters (QR version 5-M) or 287 (9-L or 10-M).

use crate::confirmation::Confirmation;
use crate::credential::{CREDENTIAL_LEN, Credential};
use crate::decode::{Reader, tag};
use crate::{
    Counter, DecodeError, Epoch, ExpandedKey, Profile, Pseudonym, SchoolHash, Sequence, Signature,
    SignatureError, Slot, UnixSeconds, base45,
};

const VERSION: u8 = 0b0001;
pub(crate) const FORM_SHORT: u8 = 0b01;
pub(crate) const FORM_FULL: u8 = 0b10;

/// The length of the short form in bytes.
pub const SHORT_LEN: usize = 80;
/// The length of the full form in bytes.
pub const FULL_LEN: usize = 190;
/// The characters of a short code's text.
pub const SHORT_TEXT_LEN: usize = 122;
/// The characters of a full code's text.
pub const FULL_TEXT_LEN: usize = 287;
/// The dynamic bytes.
pub const DYNAMIC_LEN: usize = 9;

pub(crate) fn header(form: u8, profile: Profile) -> u8 {
    VERSION << 4 | form << 2 | profile as u8
}

pub(crate) fn profile_of_header(byte: u8, form: u8) -> Result<Profile, DecodeError> {
    [Profile::P256, Profile::Sm2]
        .into_iter()
        .find(|&profile| header(form, profile) == byte)
        .ok_or(DecodeError::Header)
}

/// What a code is for. Identity names no account; a payment names exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Use {
    /// Shows who the holder is. Never pays.
    Identity,
    /// Pays whatever the terminal asks, within the limits.
    Payment(Slot),
    /// Pays exactly what the holder confirmed, at exactly one terminal.
    ConfirmedPayment(Slot),
}

impl Use {
    fn to_byte(self) -> u8 {
        match self {
            Self::Identity => 1,
            Self::Payment(slot) => slot.get() << 4 | 2,
            Self::ConfirmedPayment(slot) => slot.get() << 4 | 3,
        }
    }

    fn from_byte(byte: u8) -> Result<Self, DecodeError> {
        match (byte & 0x0f, byte >> 4) {
            (1, 0) => Ok(Self::Identity),
            (2, slot) => Slot::new(slot).map(Self::Payment),
            (3, slot) => Slot::new(slot).map(Self::ConfirmedPayment),
            _ => Err(DecodeError::Field("use")),
        }
    }

    /// Whether the holder confirmed the amount on the phone.
    pub const fn is_confirmed(self) -> bool {
        matches!(self, Self::ConfirmedPayment(_))
    }

    /// The account that pays; `None` for identity.
    pub const fn slot(self) -> Option<Slot> {
        match self {
            Self::Identity => None,
            Self::Payment(slot) | Self::ConfirmedPayment(slot) => Some(slot),
        }
    }
}

/// The group of sites a code is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Site {
    /// Any terminal of the school.
    Any,
    /// Terminals of this group, 1–254.
    Group(u8),
}

impl Site {
    fn to_byte(self) -> u8 {
        match self {
            Self::Any => 0,
            Self::Group(group) => group,
        }
    }

    fn from_byte(byte: u8) -> Result<Self, DecodeError> {
        match byte {
            0 => Ok(Self::Any),
            255 => Err(DecodeError::Field("site")),
            group => Ok(Self::Group(group)),
        }
    }
}

/// How sure the phone is of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClockConfidence {
    /// Anchored to the platform's time since boot. The value is the uncertainty in units of 2 seconds, 0–250.
    Anchored(u8),
    /// Rebooted since it was anchored: the wall clock and the offset stored then.
    Rebooted,
    /// Never anchored: the wall clock alone.
    WallOnly,
}

impl ClockConfidence {
    fn to_byte(self) -> u8 {
        match self {
            Self::Anchored(units) => units,
            Self::Rebooted => 251,
            Self::WallOnly => 252,
        }
    }

    fn from_byte(byte: u8) -> Result<Self, DecodeError> {
        match byte {
            0..=250 => Ok(Self::Anchored(byte)),
            251 => Ok(Self::Rebooted),
            252 => Ok(Self::WallOnly),
            _ => Err(DecodeError::Field("clock")),
        }
    }

    /// The confidence for an uncertainty of so many seconds, rounded up; the largest that fits beyond 500.
    pub fn anchored(uncertainty_s: u32) -> Self {
        Self::Anchored(u8::try_from(uncertainty_s.div_ceil(2)).unwrap_or(250).min(250))
    }

    /// The uncertainty in seconds; `None` where the phone's time is not anchored.
    pub fn uncertainty_s(self) -> Option<u32> {
        match self {
            Self::Anchored(units) => Some(u32::from(units) * 2),
            Self::Rebooted | Self::WallOnly => None,
        }
    }
}

/// The part of a code that is new each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dynamic {
    /// When the code is shown, by the phone's trusted time.
    pub time: UnixSeconds,
    /// Its number within the epoch.
    pub counter: Counter,
    /// What it is for.
    pub usage: Use,
    /// Where it is for.
    pub site: Site,
    /// How sure the phone is of `time`.
    pub clock: ClockConfidence,
}

impl Dynamic {
    /// The nine bytes. Settlement tells a replay from a counter used twice by them.
    pub fn to_bytes(&self) -> [u8; DYNAMIC_LEN] {
        let ([a, b, c, d], [e, f]) = (self.time.0.to_be_bytes(), self.counter.get().to_be_bytes());
        [
            a,
            b,
            c,
            d,
            e,
            f,
            self.usage.to_byte(),
            self.site.to_byte(),
            self.clock.to_byte(),
        ]
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            time: UnixSeconds(reader.u32()?),
            counter: Counter::new(reader.u16()?)?,
            usage: Use::from_byte(reader.u8()?)?,
            site: Site::from_byte(reader.u8()?)?,
            clock: ClockConfidence::from_byte(reader.u8()?)?,
        })
    }
}

/// Whose code it is and what the device signed: what both forms share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The device key's algorithm.
    pub profile: Profile,
    /// The enrolment.
    pub pseudonym: Pseudonym,
    /// The generation.
    pub epoch: Epoch,
    /// The part that is new each time.
    pub dynamic: Dynamic,
}

impl Moment {
    /// What the device signs: 48 bytes, and 32 more where the holder confirmed an amount.
    pub fn preimage(&self, school: &SchoolHash, confirmation: Option<&Confirmation>) -> Vec<u8> {
        let mut preimage = Vec::with_capacity(80);
        preimage.extend_from_slice(&tag("YIKA1.code"));
        preimage.extend_from_slice(&school.0);
        preimage.push(0x10 | self.profile as u8);
        preimage.extend_from_slice(&self.pseudonym.0);
        preimage.push(self.epoch.get());
        preimage.extend_from_slice(&self.dynamic.to_bytes());
        if let Some(confirmation) = confirmation {
            preimage.extend_from_slice(&confirmation.hash(school));
        }
        preimage
    }

    /// The place of this code in the life of its pseudonym.
    pub fn sequence(&self) -> Sequence {
        Sequence::new(self.epoch, self.dynamic.counter)
    }
}

/// A code without its credential, for terminals that have the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortCode {
    /// What the device signed.
    pub moment: Moment,
    /// The device's signature.
    pub signature: Signature,
}

/// A code with its credential, for terminals that never saw the holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FullCode {
    /// The issuer's word.
    pub credential: Credential,
    /// The part that is new each time.
    pub dynamic: Dynamic,
    /// The device's signature, the same as in the short form.
    pub signature: Signature,
}

/// A code in either form, decoded but not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Without credential.
    Short(ShortCode),
    /// With credential.
    Full(FullCode),
}

impl ShortCode {
    /// The 80 bytes.
    pub fn to_bytes(&self) -> [u8; SHORT_LEN] {
        let mut bytes = [0; SHORT_LEN];
        bytes[0] = header(FORM_SHORT, self.moment.profile);
        bytes[1..6].copy_from_slice(&self.moment.pseudonym.0);
        bytes[6] = self.moment.epoch.get();
        bytes[7..16].copy_from_slice(&self.moment.dynamic.to_bytes());
        bytes[16..].copy_from_slice(self.signature.as_bytes());
        bytes
    }

    /// `C1` and Base45.
    pub fn to_text(&self) -> String {
        to_text("C1", SHORT_TEXT_LEN, &self.to_bytes())
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let profile = profile_of_header(reader.u8()?, FORM_SHORT)?;
        let pseudonym = Pseudonym(reader.array()?);
        let epoch = Epoch::new(reader.u8()?)?;
        let dynamic = Dynamic::read(&mut reader)?;
        let signature = Signature::from_raw(reader.array()?)?;
        reader.finish()?;
        Ok(Self {
            moment: Moment {
                profile,
                pseudonym,
                epoch,
                dynamic,
            },
            signature,
        })
    }
}

impl FullCode {
    /// The 190 bytes.
    pub fn to_bytes(&self) -> [u8; FULL_LEN] {
        let mut bytes = [0; FULL_LEN];
        bytes[..CREDENTIAL_LEN].copy_from_slice(&self.credential.to_bytes());
        bytes[CREDENTIAL_LEN..CREDENTIAL_LEN + DYNAMIC_LEN].copy_from_slice(&self.dynamic.to_bytes());
        bytes[CREDENTIAL_LEN + DYNAMIC_LEN..].copy_from_slice(self.signature.as_bytes());
        bytes
    }

    /// `C2` and Base45.
    pub fn to_text(&self) -> String {
        to_text("C2", FULL_TEXT_LEN, &self.to_bytes())
    }

    /// What the device signed.
    pub fn moment(&self) -> Moment {
        let body = &self.credential.body;
        Moment {
            profile: body.profile,
            pseudonym: body.pseudonym,
            epoch: body.epoch,
            dynamic: self.dynamic,
        }
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let credential = Credential::read(&mut reader)?;
        let dynamic = Dynamic::read(&mut reader)?;
        let signature = Signature::from_raw(reader.array()?)?;
        reader.finish()?;
        Ok(Self {
            credential,
            dynamic,
            signature,
        })
    }
}

impl Code {
    /// Reads what a scanner typed: an AIM identifier before and line ends behind are dropped, letter case is folded,
    /// and everything else must be the one canonical text.
    pub fn from_text(text: &[u8]) -> Result<Self, DecodeError> {
        let (prefix, body) = base45::strip_scanner(text)
            .split_first_chunk::<2>()
            .ok_or(DecodeError::Length)?;
        match prefix {
            b"C1" | b"c1" => ShortCode::decode(&base45::decode_pairs::<SHORT_LEN>(body)?).map(Self::Short),
            b"C2" | b"c2" => FullCode::decode(&base45::decode_pairs::<FULL_LEN>(body)?).map(Self::Full),
            _ => Err(DecodeError::Prefix),
        }
    }

    /// Reads the bytes that a sale record keeps.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.len() {
            SHORT_LEN => ShortCode::decode(bytes).map(Self::Short),
            FULL_LEN => FullCode::decode(bytes).map(Self::Full),
            _ => Err(DecodeError::Length),
        }
    }

    /// The bytes, 80 or 190.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Short(code) => code.to_bytes().to_vec(),
            Self::Full(code) => code.to_bytes().to_vec(),
        }
    }

    /// What the device signed.
    pub fn moment(&self) -> Moment {
        match self {
            Self::Short(code) => code.moment,
            Self::Full(code) => code.moment(),
        }
    }

    /// Checks the device's signature under `key`.
    pub fn verify_device(
        &self,
        school: &SchoolHash,
        key: &ExpandedKey,
        confirmation: Option<&Confirmation>,
    ) -> Result<(), SignatureError> {
        let signature = match self {
            Self::Short(code) => &code.signature,
            Self::Full(code) => &code.signature,
        };
        key.verify(&self.moment().preimage(school, confirmation), signature)
    }
}

fn to_text(prefix: &str, len: usize, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(len);
    text.push_str(prefix);
    base45::encode_pairs(bytes, &mut text);
    text
}
