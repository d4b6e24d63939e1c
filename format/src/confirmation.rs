//! What a terminal shows when a payment must be confirmed on the phone: itself, a nonce and the amount.
//!
//! The phone scans it, shows the amount, and answers with a code of type 3 whose signature covers it all.

use crate::base45;
use crate::decode::{Reader, tag};
use crate::{Amount, DecodeError, SchoolHash};

const PREFIX: &[u8; 2] = b"C3";
const LEN: usize = 24;

/// A terminal's request for one confirmed payment. The nonce is used once and for at most 60 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Confirmation {
    /// The terminal.
    pub terminal: u64,
    /// Random, never 0: records without a confirmation carry 0.
    pub nonce: u64,
    /// What is to be paid, above 0.
    pub amount: Amount,
}

impl Confirmation {
    /// The text of the terminal's QR code: `C3` and Base45, 38 characters.
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(38);
        text.push_str("C3");
        base45::encode_pairs(&self.to_bytes(), &mut text);
        text
    }

    /// Reads what a phone scanned.
    pub fn from_text(text: &[u8]) -> Result<Self, DecodeError> {
        let (prefix, body) = base45::strip_scanner(text)
            .split_first_chunk::<2>()
            .ok_or(DecodeError::Length)?;
        if !prefix.eq_ignore_ascii_case(PREFIX) {
            return Err(DecodeError::Prefix);
        }
        let bytes = base45::decode_pairs::<LEN>(body)?;
        let mut reader = Reader::new(&bytes);
        let (terminal, nonce, amount) = (reader.u64()?, reader.u64()?, Amount(reader.u64()?));
        if nonce == 0 {
            return Err(DecodeError::Field("nonce"));
        }
        if amount.0 == 0 {
            return Err(DecodeError::Field("amount"));
        }
        Ok(Self {
            terminal,
            nonce,
            amount,
        })
    }

    fn to_bytes(self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        bytes[..8].copy_from_slice(&self.terminal.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.nonce.to_be_bytes());
        bytes[16..].copy_from_slice(&self.amount.0.to_be_bytes());
        bytes
    }

    /// The hash that a confirmed code's signature covers besides the code.
    pub(crate) fn hash(&self, school: &SchoolHash) -> [u8; 32] {
        let preimage = [&tag("YIKA1.ctx")[..], &school.0, &self.to_bytes()].concat();
        let mut hash = [0; 32];
        hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, &preimage).as_ref());
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Confirmation = Confirmation {
        terminal: 7,
        nonce: 0x0102_0304_0506_0708,
        amount: Amount(1250),
    };

    #[test]
    fn a_request_without_nonce_or_amount_is_refused() {
        let text = |request: Confirmation| request.to_text().into_bytes();
        let no_nonce = text(Confirmation { nonce: 0, ..REQUEST });
        assert_eq!(
            Confirmation::from_text(&no_nonce),
            Err(DecodeError::Field("nonce"))
        );
        let free = text(Confirmation {
            amount: Amount(0),
            ..REQUEST
        });
        assert_eq!(Confirmation::from_text(&free), Err(DecodeError::Field("amount")));
        assert_eq!(Confirmation::from_text(b"C3"), Err(DecodeError::Length));
        assert_eq!(Confirmation::from_text(b"C1000"), Err(DecodeError::Prefix));
    }

    #[test]
    fn a_request_survives_the_scanner() {
        let text = format!("]q1{}\r\n", REQUEST.to_text().to_lowercase());
        assert_eq!(REQUEST.to_text().len(), 38);
        assert_eq!(Confirmation::from_text(text.as_bytes()), Ok(REQUEST));
    }

    #[test]
    fn another_school_another_hash() {
        let hash = |domain| REQUEST.hash(&SchoolHash::of_domain(domain));
        assert_ne!(hash("a.example"), hash("b.example"));
    }
}
