//! Faces: which portraits a terminal may hold, each by a reference that says nothing about its holder.
//!
//! The list is always whole, and it is a lease: a terminal keeps no portrait that isn't in its newest list, and none at
//! all once that list is out of date. The portraits come apart from it, and are told by their digests.

use super::{Header, Keyset, ListError, MessageKind, Unsigned, open_whole};
use crate::decode::Reader;
use crate::{DecodeError, FaceReference};

/// One entry: 48 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaceEntry {
    /// The portrait.
    pub reference: FaceReference,
    /// SHA-256 of its JPEG file.
    pub digest: [u8; 32],
}

/// An opened list of faces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faces {
    header: Header,
    entries: Vec<FaceEntry>,
}

const ENTRY_LEN: usize = 16 + 32;

impl Faces {
    /// Lays out a list for signing. Entries come in rising order of their references.
    pub fn unsigned(header: &Header, entries: &[FaceEntry]) -> Unsigned {
        let mut body = Vec::with_capacity(entries.len() * ENTRY_LEN);
        for entry in entries {
            body.extend_from_slice(&entry.reference.0);
            body.extend_from_slice(&entry.digest);
        }
        Unsigned::new(MessageKind::Faces, header, &body)
    }

    /// Opens a list.
    pub fn open(bytes: &[u8], keyset: &Keyset) -> Result<Self, ListError> {
        let (header, body) = open_whole(bytes, MessageKind::Faces, keyset)?;
        let mut reader = Reader::new(body);
        let mut entries = Vec::with_capacity(body.len() / ENTRY_LEN);
        for _ in 0..body.len() / ENTRY_LEN {
            entries.push(FaceEntry {
                reference: FaceReference(reader.array()?),
                digest: reader.array()?,
            });
        }
        reader.finish()?;
        if !entries.is_sorted_by(|a, b| a.reference < b.reference) {
            return Err(DecodeError::Field("reference").into());
        }
        Ok(Self { header, entries })
    }

    /// Who says it and until when.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The digest of this portrait's file; `None` where no terminal may hold it any more.
    pub fn digest(&self, reference: FaceReference) -> Option<[u8; 32]> {
        let found = self
            .entries
            .binary_search_by_key(&reference, |entry| entry.reference);
        found.ok().map(|index| self.entries[index].digest)
    }

    /// The entries, in the order of their references.
    pub fn entries(&self) -> &[FaceEntry] {
        &self.entries
    }
}
