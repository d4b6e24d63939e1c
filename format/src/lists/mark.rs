//! The settled mark: how far a terminal's records are settled, so that those payments leave its sums of what was spent.

use super::{Header, Keyset, ListError, MessageKind, Unsigned, open_whole};
use crate::decode::Reader;

/// An opened mark. It only rises: a terminal keeps the highest `sequence` that it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledMark {
    /// The terminal.
    pub terminal: u64,
    /// The last record such that it and all before are settled; 0 for none.
    pub sequence: u64,
}

impl SettledMark {
    /// Lays out a mark for signing.
    pub fn unsigned(&self, header: &Header) -> Unsigned {
        let body = [self.terminal.to_be_bytes(), self.sequence.to_be_bytes()].concat();
        Unsigned::new(MessageKind::SettledMark, header, &body)
    }

    /// Opens a mark.
    pub fn open(bytes: &[u8], keyset: &Keyset) -> Result<Self, ListError> {
        let (_, body) = open_whole(bytes, MessageKind::SettledMark, keyset)?;
        let mut reader = Reader::new(body);
        let mark = Self {
            terminal: reader.u64()?,
            sequence: reader.u64()?,
        };
        reader.finish()?;
        Ok(mark)
    }
}
