//! Revocations: the lowest accepted epoch of each pseudonym of which an older certificate may still be about.
//!
//! The list is always whole. It reaches terminals that have no table, and those whose table is older than the loss.

use super::{Header, Keyset, ListError, MessageKind, Unsigned, open_whole};
use crate::decode::Reader;
use crate::{DecodeError, MinEpoch, Pseudonym};

/// One entry: 6 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revocation {
    /// The enrolment.
    pub pseudonym: Pseudonym,
    /// The lowest epoch accepted.
    pub min_epoch: MinEpoch,
}

/// An opened list of revocations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocations {
    header: Header,
    entries: Vec<Revocation>,
}

const ENTRY_LEN: usize = 6;

impl Revocations {
    /// Lays out a list for signing. Entries come in rising order of their pseudonyms.
    pub fn unsigned(header: &Header, entries: &[Revocation]) -> Unsigned {
        let mut body = Vec::with_capacity(entries.len() * ENTRY_LEN);
        for entry in entries {
            body.extend_from_slice(&entry.pseudonym.0);
            body.push(entry.min_epoch.get());
        }
        Unsigned::new(MessageKind::Revocations, header, &body)
    }

    /// Opens a list.
    pub fn open(bytes: &[u8], keyset: &Keyset) -> Result<Self, ListError> {
        let (header, body) = open_whole(bytes, MessageKind::Revocations, keyset)?;
        let mut reader = Reader::new(body);
        let mut entries = Vec::with_capacity(body.len() / ENTRY_LEN);
        for _ in 0..body.len() / ENTRY_LEN {
            entries.push(Revocation {
                pseudonym: Pseudonym(reader.array()?),
                min_epoch: MinEpoch::new(reader.u8()?)?,
            });
        }
        reader.finish()?;
        if !entries.is_sorted_by(|a, b| a.pseudonym < b.pseudonym) {
            return Err(DecodeError::Field("pseudonym").into());
        }
        Ok(Self { header, entries })
    }

    /// Who says it and until when.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The lowest accepted epoch of this pseudonym: all, where the list doesn't have it.
    pub fn min_epoch(&self, pseudonym: Pseudonym) -> MinEpoch {
        let found = self
            .entries
            .binary_search_by_key(&pseudonym, |entry| entry.pseudonym);
        found.map_or(MinEpoch::ALL, |index| self.entries[index].min_epoch)
    }

    /// The entries, in the order of their pseudonyms.
    pub fn entries(&self) -> &[Revocation] {
        &self.entries
    }
}
