//! The credential: the issuer's word, for some hours, that a device key may show codes with these attributes.
//!
//! 117 bytes: a body of 53 and the issuer's signature. It is the first part of every full code. The first byte is the
//! full code's header, whose profile says what algorithm the *device* key uses; the issuer's follows from its key id.

use crate::decode::{Reader, tag};
use crate::{
    AccountMask, DecodeError, Epoch, ExpandedKey, Hours, KeyId, LimitUnits, Profile, Pseudonym, PublicKey,
    SchoolHash, Signature, UnixSeconds,
};

/// How far a credential reaches. Constant within an epoch: any change makes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attributes {
    /// The most one unconfirmed payment may take.
    pub per_use: LimitUnits,
    /// The most that one terminal group approves before settlement. Never below `per_use`.
    pub cumulative: LimitUnits,
    /// The accounts it may pay from.
    pub accounts: AccountMask,
    /// The places it is good at.
    pub scopes: Scopes,
    /// Who holds it.
    pub class: HolderClass,
    /// Where its key lives.
    pub key_storage: KeyStorage,
}

/// The places a credential is good at, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// Identity at gates.
    pub const GATE: Self = Self(1);
    /// Identity at the library, for borrowing.
    pub const LIBRARY: Self = Self(1 << 1);
    /// Payments at a POS.
    pub const POS: Self = Self(1 << 2);
    /// Fees at the library desk.
    pub const LIBRARY_FEE: Self = Self(1 << 3);
    /// Payments at machines that nobody attends.
    pub const UNATTENDED: Self = Self(1 << 4);
    /// Payments whose amount the holder confirmed on the phone.
    pub const CONFIRMED: Self = Self(1 << 5);
    /// Everything that takes money.
    pub const PAYMENTS: Self =
        Self(Self::POS.0 | Self::LIBRARY_FEE.0 | Self::UNATTENDED.0 | Self::CONFIRMED.0);

    /// The scopes of these bits, of which only 0–5 exist.
    pub fn from_bits(bits: u8) -> Result<Self, DecodeError> {
        if bits >> 6 == 0 {
            Ok(Self(bits))
        } else {
            Err(DecodeError::Field("scopes"))
        }
    }

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// These and those.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What both have.
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// These without those.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of `other` is in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Who holds a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum HolderClass {
    /// A student.
    Student = 1,
    /// A member of staff.
    Staff = 2,
    /// A visitor.
    Visitor = 3,
    /// Anyone else.
    Other = 4,
}

/// Where the device key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum KeyStorage {
    /// In the app's store.
    Software = 0,
    /// In a trusted execution environment.
    Tee = 1,
    /// In a secure element of its own.
    SecureElement = 2,
}

impl Attributes {
    /// The length in a credential and in a table row.
    pub(crate) const LEN: usize = 7;

    pub(crate) fn to_bytes(self) -> [u8; Self::LEN] {
        let ([a, b], [c, d]) = (self.per_use.0.to_be_bytes(), self.cumulative.0.to_be_bytes());
        let class = self.class as u8 | (self.key_storage as u8) << 4;
        [a, b, c, d, self.accounts.0, self.scopes.0, class]
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (per_use, cumulative) = (LimitUnits(reader.u16()?), LimitUnits(reader.u16()?));
        if per_use > cumulative {
            return Err(DecodeError::Field("limits"));
        }
        let (accounts, scopes) = (AccountMask(reader.u8()?), Scopes::from_bits(reader.u8()?)?);
        let class_byte = reader.u8()?;
        let class = match class_byte & 0x0f {
            1 => HolderClass::Student,
            2 => HolderClass::Staff,
            3 => HolderClass::Visitor,
            4 => HolderClass::Other,
            _ => return Err(DecodeError::Field("class")),
        };
        let key_storage = match class_byte >> 4 {
            0 => KeyStorage::Software,
            1 => KeyStorage::Tee,
            2 => KeyStorage::SecureElement,
            _ => return Err(DecodeError::Field("class")),
        };
        Ok(Self {
            per_use,
            cumulative,
            accounts,
            scopes,
            class,
            key_storage,
        })
    }

    /// The least of both: what is left to an older certificate when the table has moved on.
    pub fn least(self, newer: Self) -> Self {
        Self {
            per_use: self.per_use.min(newer.per_use),
            cumulative: self.cumulative.min(newer.cumulative),
            accounts: AccountMask(self.accounts.0 & newer.accounts.0),
            scopes: self.scopes.intersection(newer.scopes),
            class: newer.class,
            key_storage: newer.key_storage,
        }
    }
}

/// What the issuer signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialBody {
    /// The device key's algorithm.
    pub profile: Profile,
    /// The issuer key.
    pub issuer: KeyId,
    /// The enrolment.
    pub pseudonym: Pseudonym,
    /// The generation.
    pub epoch: Epoch,
    /// When it begins, counted from the issuer key's `from`. Issuers set it an hour back.
    pub not_before: Hours,
    /// Hours it lasts, 1–255.
    pub life_hours: u8,
    /// Seconds that a code in full form lasts, 10–120.
    pub code_life_s: u8,
    /// How far it reaches.
    pub attributes: Attributes,
    /// The device key.
    pub device_key: PublicKey,
}

/// A signed credential. Not verified by being decoded: [`Credential::verify`] does that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credential {
    /// What is signed.
    pub body: CredentialBody,
    /// The issuer's signature.
    pub signature: Signature,
}

/// The length of what the issuer signs, in bytes.
pub(crate) const BODY_LEN: usize = 53;
/// The length of a credential in bytes.
pub const CREDENTIAL_LEN: usize = BODY_LEN + 64;

impl CredentialBody {
    /// The 53 bytes. Whoever fills the fields keeps to their ranges; [`Credential::decode`] refuses what doesn't.
    pub fn to_bytes(&self) -> [u8; BODY_LEN] {
        let mut bytes = [0; BODY_LEN];
        bytes[0] = crate::code::header(crate::code::FORM_FULL, self.profile);
        bytes[1..3].copy_from_slice(&self.issuer.0.to_be_bytes());
        bytes[3..8].copy_from_slice(&self.pseudonym.0);
        bytes[8] = self.epoch.get();
        bytes[9..11].copy_from_slice(&self.not_before.0.to_be_bytes());
        bytes[11] = self.life_hours;
        bytes[12] = self.code_life_s;
        bytes[13..20].copy_from_slice(&self.attributes.to_bytes());
        bytes[20..].copy_from_slice(self.device_key.as_bytes());
        bytes
    }

    /// What the issuer signs: tag, school, body.
    pub fn preimage(&self, school: &SchoolHash) -> Vec<u8> {
        [&tag("YIKA1.cred")[..], &school.0, &self.to_bytes()].concat()
    }

    /// The credential with the issuer's signature over [`Self::preimage`].
    pub fn with_signature(self, signature: Signature) -> Credential {
        Credential {
            body: self,
            signature,
        }
    }

    /// From when until before when it is valid, in Unix seconds, given the `from` of its issuer key.
    pub fn validity(&self, issuer_from: UnixSeconds) -> (u64, u64) {
        let start = u64::from(issuer_from.0) + u64::from(self.not_before.0) * 3600;
        (start, start + u64::from(self.life_hours) * 3600)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let profile = crate::code::profile_of_header(reader.u8()?, crate::code::FORM_FULL)?;
        let issuer = KeyId(reader.u16()?);
        let pseudonym = Pseudonym(reader.array()?);
        let epoch = Epoch::new(reader.u8()?)?;
        let not_before = Hours(reader.u16()?);
        let life_hours = reader.u8()?;
        if life_hours == 0 {
            return Err(DecodeError::Field("life"));
        }
        let code_life_s = reader.u8()?;
        if !(10..=120).contains(&code_life_s) {
            return Err(DecodeError::Field("code_life"));
        }
        let attributes = Attributes::read(reader)?;
        let device_key = PublicKey::from_compressed(reader.array()?)?;
        Ok(Self {
            profile,
            issuer,
            pseudonym,
            epoch,
            not_before,
            life_hours,
            code_life_s,
            attributes,
            device_key,
        })
    }
}

impl Credential {
    /// The 117 bytes.
    pub fn to_bytes(&self) -> [u8; CREDENTIAL_LEN] {
        let mut bytes = [0; CREDENTIAL_LEN];
        bytes[..BODY_LEN].copy_from_slice(&self.body.to_bytes());
        bytes[BODY_LEN..].copy_from_slice(self.signature.as_bytes());
        bytes
    }

    /// Reads exactly one credential.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let credential = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(credential)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let body = CredentialBody::read(reader)?;
        Ok(Self {
            body,
            signature: Signature::from_raw(reader.array()?)?,
        })
    }

    /// Checks the issuer's signature.
    pub fn verify(&self, school: &SchoolHash, issuer: &ExpandedKey) -> Result<(), crate::SignatureError> {
        issuer.verify(&self.body.preimage(school), &self.signature)
    }
}
