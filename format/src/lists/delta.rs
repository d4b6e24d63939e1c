//! A delta: what changed in the table since the version before. Applied whole or not at all.

use super::{Header, Keyset, ListError, MessageKind, ROW_LEN, Row, Unsigned, open_whole};
use crate::decode::Reader;
use crate::{DecodeError, Pseudonym};

/// An opened delta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    header: Header,
    base: u64,
    upserts: Vec<Row>,
    deletes: Vec<Pseudonym>,
}

/// One change, by the pseudonym that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change<'a> {
    Upsert(&'a Row),
    Delete(Pseudonym),
}

impl<'a> Change<'a> {
    pub(super) fn pseudonym(&self) -> Pseudonym {
        match self {
            Self::Upsert(row) => row.pseudonym,
            Self::Delete(pseudonym) => *pseudonym,
        }
    }

    pub(super) fn row(&self) -> Option<&'a Row> {
        match self {
            Self::Upsert(row) => Some(row),
            Self::Delete(_) => None,
        }
    }
}

impl Delta {
    /// Lays out a delta for signing. The header's version is one above the base; rows and deletes come in rising order
    /// of their pseudonyms, and none is in both.
    pub fn unsigned(header: &Header, upserts: &[Row], deletes: &[Pseudonym]) -> Unsigned {
        let mut body = Vec::with_capacity(16 + upserts.len() * ROW_LEN + deletes.len() * 5);
        body.extend_from_slice(&header.version.saturating_sub(1).to_be_bytes());
        for count in [upserts.len(), deletes.len()] {
            body.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
        }
        upserts
            .iter()
            .for_each(|row| body.extend_from_slice(&row.to_bytes()));
        deletes
            .iter()
            .for_each(|pseudonym| body.extend_from_slice(&pseudonym.0));
        Unsigned::new(MessageKind::Delta, header, &body)
    }

    /// Opens a delta.
    pub fn open(bytes: &[u8], keyset: &Keyset) -> Result<Self, ListError> {
        let (header, body) = open_whole(bytes, MessageKind::Delta, keyset)?;
        Ok(Self::read(header, body)?)
    }

    fn read(header: Header, body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(body);
        let base = reader.u64()?;
        if base.checked_add(1) != Some(header.version) {
            return Err(DecodeError::Field("base"));
        }
        let (upsert_count, delete_count) = (reader.u32()?, reader.u32()?);
        let expected = 16 + u64::from(upsert_count) * ROW_LEN as u64 + u64::from(delete_count) * 5;
        if u64::try_from(body.len()) != Ok(expected) {
            return Err(DecodeError::Length);
        }
        let upserts = (0..upsert_count)
            .map(|_| Row::decode(&reader.array()?))
            .collect::<Result<Vec<_>, DecodeError>>()?;
        let deletes = (0..delete_count)
            .map(|_| reader.array().map(Pseudonym))
            .collect::<Result<Vec<_>, DecodeError>>()?;
        let upserts_rise = upserts.is_sorted_by(|a, b| a.pseudonym < b.pseudonym);
        let disjoint = deletes
            .iter()
            .all(|gone| upserts.binary_search_by_key(gone, |row| row.pseudonym).is_err());
        if upserts_rise && deletes.is_sorted_by(|a, b| a < b) && disjoint {
            Ok(Self {
                header,
                base,
                upserts,
                deletes,
            })
        } else {
            Err(DecodeError::Field("pseudonym"))
        }
    }

    /// Who says it and until when.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The version of the table that it applies to.
    pub const fn base(&self) -> u64 {
        self.base
    }

    /// The rows that are new or changed.
    pub fn upserts(&self) -> &[Row] {
        &self.upserts
    }

    /// The rows that are gone.
    pub fn deletes(&self) -> &[Pseudonym] {
        &self.deletes
    }

    /// Both, merged in the order of their pseudonyms.
    pub(super) fn changes(&self) -> Vec<Change<'_>> {
        let mut changes: Vec<_> = self
            .upserts
            .iter()
            .map(Change::Upsert)
            .chain(self.deletes.iter().copied().map(Change::Delete))
            .collect();
        changes.sort_unstable_by_key(Change::pseudonym);
        changes
    }
}
