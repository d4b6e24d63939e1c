//! What a phone and a bank say past the platform: the certificate of the bank's keys, fields that only the bank can read,
//! and the notices that it signs. The bank's root is pinned by the app, so a platform that lies about the bank's keys is
//! found out on the phone, and one that changes an amount is found out at the bank: a seal opens for one operation, one
//! customer, one amount and one field. `docs/bank-protocol.md` is the specification of the same bytes.

use crate::decode::{Reader, tag};
use crate::sealing::{self, ENCAPSULATED_LEN, TAG_LEN};
use crate::{
    Amount, DecodeError, ExpandedKey, PublicKey, RecipientKey, SchoolHash, SealError, Signature,
    SignatureError, UnixMillis, UnixSeconds,
};
use zeroize::Zeroizing;

const MAGIC: &[u8; 2] = b"YB";
const VERSION: u8 = 1;
/// What is sealed fills whole blocks, so that its length tells little.
const BLOCK: usize = 64;
/// The most bytes of a field's text: 16 blocks with the length before it.
const MAX_TEXT: usize = 16 * BLOCK - 2;

/// The bank's keys of one number, known to be two points of the curve. `Debug` shows public things only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BankKeys {
    number: u16,
    from: UnixSeconds,
    to: UnixSeconds,
    sealing: ExpandedKey,
    notice: ExpandedKey,
}

/// A certificate that the bank's root still has to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsignedCertificate {
    preimage: Vec<u8>,
}

/// Why a certificate of the bank's keys is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is not laid out as the protocol says.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// It is not signed by the bank's root.
    #[error("the bank's root did not sign these keys")]
    BadSignature,
}

impl BankKeys {
    /// The bytes of a certificate.
    pub const CERTIFICATE_LEN: usize = 143;

    /// Keys that hold from `from` to before `to`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Field`] where the number is 0, no second lies between the times, or both keys are one.
    pub fn new(
        number: u16,
        from: UnixSeconds,
        to: UnixSeconds,
        sealing: ExpandedKey,
        notice: ExpandedKey,
    ) -> Result<Self, DecodeError> {
        if number == 0 {
            return Err(DecodeError::Field("number"));
        }
        if to <= from {
            return Err(DecodeError::Field("to"));
        }
        if sealing == notice {
            return Err(DecodeError::Field("notice key"));
        }
        Ok(Self {
            number,
            from,
            to,
            sealing,
            notice,
        })
    }

    /// Lays out the certificate for the root to sign.
    pub fn unsigned(&self) -> UnsignedCertificate {
        let mut preimage = Vec::with_capacity(16 + Self::CERTIFICATE_LEN);
        preimage.extend_from_slice(&tag("YIKA1.bankkey"));
        preimage.extend_from_slice(MAGIC);
        preimage.push(VERSION);
        preimage.extend_from_slice(&self.number.to_be_bytes());
        preimage.extend_from_slice(&self.from.0.to_be_bytes());
        preimage.extend_from_slice(&self.to.0.to_be_bytes());
        preimage.extend_from_slice(self.sealing.compress().as_bytes());
        preimage.extend_from_slice(self.notice.compress().as_bytes());
        UnsignedCertificate { preimage }
    }

    /// Opens a certificate under the pinned root of the bank. Whether it holds now is asked of [`Self::is_in_date`].
    pub fn open(certificate: &[u8], root: &ExpandedKey) -> Result<Self, CertificateError> {
        let mut reader = Reader::new(certificate);
        if reader.array()? != *MAGIC {
            return Err(DecodeError::Prefix.into());
        }
        if reader.u8()? != VERSION {
            return Err(DecodeError::Header.into());
        }
        let number = reader.u16()?;
        let (from, to) = (UnixSeconds(reader.u32()?), UnixSeconds(reader.u32()?));
        let sealing = read_key(&mut reader, "sealing key")?;
        let notice = read_key(&mut reader, "notice key")?;
        let signature = Signature::from_raw(reader.array()?)?;
        reader.finish()?;
        let keys = Self::new(number, from, to, sealing, notice)?;
        // The encoding is canonical: what was signed is what laying it out again gives.
        root.verify(keys.unsigned().preimage(), &signature)
            .map_err(|_| CertificateError::BadSignature)?;
        Ok(keys)
    }

    /// The number by which fields and notices name these keys.
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// Whether something may be sealed to these keys at `now`.
    pub fn is_in_date(&self, now: UnixMillis) -> bool {
        (UnixMillis::from(self.from)..UnixMillis::from(self.to)).contains(&now)
    }

    /// Checks that a notice of these bytes is the bank's.
    pub fn verify_notice(&self, status: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        self.notice.verify(&notice_preimage(status), signature)
    }

    /// Seals a field's text. `random` is 32 fresh random bytes, never used before; keep what comes out and send that
    /// again, for sealing again gives other bytes.
    pub fn seal(&self, seal: &FieldSeal, text: &str, random: [u8; 32]) -> Result<Vec<u8>, FieldError> {
        seal.field.check(text)?;
        let text_len = u16::try_from(text.len()).map_err(|_| FieldError::Form(seal.field))?;
        let plain_len = (2 + text.len()).next_multiple_of(BLOCK);
        let mut plain = Zeroizing::new(vec![0; plain_len]);
        plain[..2].copy_from_slice(&text_len.to_be_bytes());
        plain[2..2 + text.len()].copy_from_slice(text.as_bytes());
        let info = seal.info(self.number);
        let (encapsulated, tag) = sealing::seal(&self.sealing, &info, &seal.aad(), &mut plain, random)?;
        Ok([&encapsulated[..], &plain, &tag].concat())
    }
}

impl UnsignedCertificate {
    /// What the root signs.
    pub fn preimage(&self) -> &[u8] {
        &self.preimage
    }

    /// The finished certificate.
    pub fn with_signature(mut self, signature: &Signature) -> Vec<u8> {
        self.preimage.extend_from_slice(signature.as_bytes());
        self.preimage.split_off(16)
    }
}

/// What the bank's notice key signs for a notice of these bytes.
pub fn notice_preimage(status: &[u8]) -> Vec<u8> {
    [&tag("YIKA1.notice")[..], status].concat()
}

fn read_key(reader: &mut Reader<'_>, name: &'static str) -> Result<ExpandedKey, DecodeError> {
    PublicKey::from_compressed(reader.array()?)
        .ok()
        .and_then(|key| key.expand().ok())
        .ok_or(DecodeError::Field(name))
}

/// What a sealed field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Field {
    /// The payment password: six digits.
    Password = 1,
    /// The payment password to come: six digits.
    NewPassword = 2,
    /// Name and number of the identity document, as JSON.
    Identity = 3,
    /// Number of a bank card, and its holder's name, identity number and phone number, as JSON.
    Card = 4,
    /// The code of the bank's message: six digits.
    Code = 5,
}

impl Field {
    /// Checks the form as far as bytes can tell; JSON is for whoever reads it.
    fn check(self, text: &str) -> Result<(), FieldError> {
        let is_of_form = match self {
            Self::Password | Self::NewPassword | Self::Code => {
                text.len() == 6 && text.bytes().all(|digit| digit.is_ascii_digit())
            }
            Self::Identity | Self::Card => (1..=MAX_TEXT).contains(&text.len()),
        };
        if is_of_form {
            Ok(())
        } else {
            Err(FieldError::Form(self))
        }
    }
}

/// What a field's seal is bound to. It opens for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSeal {
    /// The school.
    pub school: SchoolHash,
    /// The operation's UUID.
    pub operation: [u8; 16],
    /// The UUID under which the bank knows the holder.
    pub customer: [u8; 16],
    /// The operation's amount, 0 where none is moved.
    pub amount: Amount,
    /// What is sealed.
    pub field: Field,
}

/// Why a field is not sealed or not opened. It tells nothing of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// The text is not of the field's form.
    #[error("the text is not of the form of {0:?}")]
    Form(Field),
    /// The bytes are not laid out as the protocol says.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// Sealed to another key or for something else, or changed: nobody can tell which.
    #[error("sealed to another key or for another operation")]
    Unopened,
    /// It could not be sealed.
    #[error("the field could not be sealed")]
    Seal(#[from] SealError),
}

impl FieldSeal {
    /// Opens a field that was sealed to the bank's key of this number.
    pub fn open(
        &self,
        sealed: &[u8],
        number: u16,
        key: &RecipientKey,
    ) -> Result<Zeroizing<String>, FieldError> {
        let mut reader = Reader::new(sealed);
        let encapsulated: [u8; ENCAPSULATED_LEN] = reader.array()?;
        if encapsulated[0] != 4 {
            return Err(DecodeError::Field("encapsulated key").into());
        }
        let sealed_len = reader.remaining();
        if sealed_len <= TAG_LEN || sealed_len > 2 + MAX_TEXT + TAG_LEN {
            return Err(DecodeError::Length.into());
        }
        let mut plain = Zeroizing::new(reader.rest().to_vec());
        key.open(&encapsulated, &self.info(number), &self.aad(), &mut plain)
            .map_err(|_| FieldError::Unopened)?;
        let text = unpad(&plain)?;
        self.field.check(text)?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    fn info(&self, number: u16) -> Vec<u8> {
        [&tag("YIKA1.bank")[..], &self.school.0, &number.to_be_bytes()].concat()
    }

    fn aad(&self) -> Vec<u8> {
        let amount = self.amount.0.to_be_bytes();
        [&self.operation[..], &self.customer, &amount, &[self.field as u8]].concat()
    }
}

/// The text of `length ‖ text ‖ zeros` in as few blocks as it needs.
fn unpad(plain: &[u8]) -> Result<&str, DecodeError> {
    let mut reader = Reader::new(plain);
    let len = usize::from(reader.u16()?);
    let text = reader.slice(len)?;
    let is_padded =
        plain.len() == (2 + len).next_multiple_of(BLOCK) && reader.rest().iter().all(|&byte| byte == 0);
    if !is_padded {
        return Err(DecodeError::Field("padding"));
    }
    std::str::from_utf8(text).map_err(|_| DecodeError::Field("text"))
}
