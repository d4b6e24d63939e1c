//! Signed time: the platform's answer to a terminal's nonce, the only thing a terminal sets its clock by.

use super::{Header, Keyset, ListError, MessageKind, Unsigned, open_whole};
use crate::UnixMillis;
use crate::decode::Reader;

/// An opened answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedTime {
    /// The platform's time when it answered.
    pub now: UnixMillis,
}

impl SignedTime {
    /// Lays out an answer for signing.
    pub fn unsigned(header: &Header, nonce: &[u8; 16], now: UnixMillis) -> Unsigned {
        Unsigned::new(
            MessageKind::Time,
            header,
            &[&nonce[..], &now.0.to_be_bytes()].concat(),
        )
    }

    /// Opens an answer to `nonce`. The terminal takes it only if it came within 5 seconds of the question.
    pub fn open(bytes: &[u8], keyset: &Keyset, nonce: &[u8; 16]) -> Result<Self, ListError> {
        let (_, body) = open_whole(bytes, MessageKind::Time, keyset)?;
        let mut reader = Reader::new(body);
        let (answers, now) = (reader.array::<16>()?, UnixMillis(reader.u64()?));
        reader.finish()?;
        if answers == *nonce {
            Ok(Self { now })
        } else {
            Err(ListError::WrongNonce)
        }
    }
}
