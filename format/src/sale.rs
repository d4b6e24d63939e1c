//! The record of a sale: what a terminal signs and journals before it says "approved", and uploads later.
//!
//! Records of a terminal are numbered without gaps and chained: each holds the hash of the one before. Times are the
//! terminal's, with its own uncertainty, and it says which lists it decided by.

use crate::code::{Code, Use};
use crate::confirmation::Confirmation;
use crate::decode::{Reader, tag};
use crate::{Amount, DecodeError, ExpandedKey, SchoolHash, Signature, SignatureError, UnixMillis};

/// What a terminal says happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaleKind {
    /// A payment at a POS, by this code.
    Purchase(Code),
    /// A fee at the library desk, by this code.
    LibraryFee(Code),
    /// The payment in this earlier record of the same terminal is taken back, whole.
    Void {
        /// The number of that record.
        sequence: u64,
    },
}

/// A record, not yet signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaleRecord {
    /// The school.
    pub school: SchoolHash,
    /// The terminal.
    pub terminal: u64,
    /// The record's number at this terminal, from 1.
    pub sequence: u64,
    /// [`SaleRecord::hash`] of the record before; zeros for record 1, which decoding checks.
    pub previous: [u8; 32],
    /// What happened.
    pub kind: SaleKind,
    /// How much, above 0. A void repeats the amount of what it takes back.
    pub amount: Amount,
    /// Who is paid.
    pub merchant: u64,
    /// When, by the terminal's clock.
    pub time: UnixMillis,
    /// The uncertainty of that clock in seconds.
    pub uncertainty_s: u16,
    /// The version of the table that it decided by; 0 for none.
    pub table_version: u64,
    /// The version of the revocations that it decided by; 0 for none.
    pub revocations_version: u64,
    /// The nonce of the confirmation; 0 where the code is not a confirmed one.
    pub nonce: u64,
}

/// A record with its terminal's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedSale {
    /// What is signed.
    pub record: SaleRecord,
    /// The terminal's signature.
    pub signature: Signature,
}

impl SaleRecord {
    /// What the terminal signs.
    pub fn preimage(&self) -> Vec<u8> {
        let (kind, code) = match &self.kind {
            SaleKind::Purchase(code) => (1, code.to_bytes()),
            SaleKind::Void { sequence } => (2, sequence.to_be_bytes().to_vec()),
            SaleKind::LibraryFee(code) => (3, code.to_bytes()),
        };
        let mut preimage = Vec::with_capacity(16 + 125 + code.len() + 64);
        preimage.extend_from_slice(&tag("YIKA1.sale"));
        preimage.extend_from_slice(&self.school.0);
        preimage.extend_from_slice(&self.terminal.to_be_bytes());
        preimage.extend_from_slice(&self.sequence.to_be_bytes());
        preimage.extend_from_slice(&self.previous);
        preimage.push(kind);
        for number in [self.amount.0, self.merchant, self.time.0] {
            preimage.extend_from_slice(&number.to_be_bytes());
        }
        preimage.extend_from_slice(&self.uncertainty_s.to_be_bytes());
        for number in [self.table_version, self.revocations_version, self.nonce] {
            preimage.extend_from_slice(&number.to_be_bytes());
        }
        preimage.extend_from_slice(&u16::try_from(code.len()).unwrap_or(u16::MAX).to_be_bytes());
        preimage.extend_from_slice(&code);
        preimage
    }

    /// The hash that the next record holds: SHA-256 of [`Self::preimage`].
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, &self.preimage()).as_ref());
        hash
    }

    /// The record with the terminal's signature over [`Self::preimage`].
    pub fn with_signature(self, signature: Signature) -> SignedSale {
        SignedSale {
            record: self,
            signature,
        }
    }

    /// The code that paid; `None` for a void.
    pub const fn code(&self) -> Option<&Code> {
        match &self.kind {
            SaleKind::Purchase(code) | SaleKind::LibraryFee(code) => Some(code),
            SaleKind::Void { .. } => None,
        }
    }

    /// The confirmation that the code answered; `None` where the code is not a confirmed one.
    pub fn confirmation(&self) -> Option<Confirmation> {
        (self.nonce != 0).then_some(Confirmation {
            terminal: self.terminal,
            nonce: self.nonce,
            amount: self.amount,
        })
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let school = SchoolHash(reader.array()?);
        let (terminal, sequence, previous) = (reader.u64()?, reader.u64()?, reader.array()?);
        if sequence == 0 {
            return Err(DecodeError::Field("seq"));
        }
        if sequence == 1 && previous != [0; 32] {
            return Err(DecodeError::Field("prev"));
        }
        let kind = reader.u8()?;
        let (amount, merchant, time) = (Amount(reader.u64()?), reader.u64()?, UnixMillis(reader.u64()?));
        if amount.0 == 0 {
            return Err(DecodeError::Field("amount"));
        }
        let uncertainty_s = reader.u16()?;
        let (table_version, revocations_version, nonce) = (reader.u64()?, reader.u64()?, reader.u64()?);
        let code_len = usize::from(reader.u16()?);
        let code = reader.slice(code_len)?;
        let kind = match kind {
            1 => SaleKind::Purchase(Code::from_bytes(code)?),
            2 => {
                let number = u64::from_be_bytes(code.try_into().map_err(|_| DecodeError::Length)?);
                if number == 0 || number >= sequence {
                    return Err(DecodeError::Field("voids"));
                }
                SaleKind::Void { sequence: number }
            }
            3 => SaleKind::LibraryFee(Code::from_bytes(code)?),
            _ => return Err(DecodeError::Field("kind")),
        };
        let usage = match kind {
            SaleKind::Purchase(code) | SaleKind::LibraryFee(code) => Some(code.moment().dynamic.usage),
            SaleKind::Void { .. } => None,
        };
        if usage == Some(Use::Identity) {
            return Err(DecodeError::Field("use"));
        }
        if usage.is_some_and(Use::is_confirmed) != (nonce != 0) {
            return Err(DecodeError::Field("nonce"));
        }
        Ok(Self {
            school,
            terminal,
            sequence,
            previous,
            kind,
            amount,
            merchant,
            time,
            uncertainty_s,
            table_version,
            revocations_version,
            nonce,
        })
    }
}

impl SignedSale {
    /// The bytes that are journalled and uploaded: the preimage without its tag, and the signature.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.record.preimage().split_off(16);
        bytes.extend_from_slice(self.signature.as_bytes());
        bytes
    }

    /// Reads exactly one record. Not verified by being decoded.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let record = SaleRecord::read(&mut reader)?;
        let signature = Signature::from_raw(reader.array()?)?;
        reader.finish()?;
        Ok(Self { record, signature })
    }

    /// Checks the terminal's signature.
    pub fn verify(&self, terminal: &ExpandedKey) -> Result<(), SignatureError> {
        terminal.verify(&self.record.preimage(), &self.signature)
    }
}
