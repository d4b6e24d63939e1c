//! The keyset: the school's online keys with their roles and times, signed by the root key that clients pin.

use super::{Envelope, Header, ListError, MessageKind, Unsigned};
use crate::decode::Reader;
use crate::{DecodeError, ExpandedKey, KeyId, Profile, PublicKey, SchoolHash, UnixMillis, UnixSeconds};

/// The root key of one school, as a client pins it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The school it speaks for.
    pub school: SchoolHash,
    /// The key. Its private half stays offline.
    pub key: ExpandedKey,
}

/// What a key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Credentials.
    Credential = 1,
    /// Tables, deltas, revocations, directories and settled marks.
    Table = 2,
    /// Time.
    Time = 3,
}

/// One key of the keyset: 45 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeysetEntry {
    /// Its number, not 0.
    pub id: KeyId,
    /// What it may sign.
    pub role: Role,
    /// From when.
    pub from: UnixSeconds,
    /// Until before when. A credential key lasts two years at most, so that hours since `from` never wrap.
    pub to: UnixSeconds,
    /// The key.
    pub key: PublicKey,
}

const ENTRY_LEN: usize = 2 + 1 + 1 + 4 + 4 + 33;
const TWO_YEARS_S: u32 = 2 * 366 * 86_400;

/// A key of the keyset, ready to verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuerKey {
    /// When its time began.
    pub from: UnixSeconds,
    /// The key.
    pub key: ExpandedKey,
}

/// An opened keyset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyset {
    header: Header,
    entries: Vec<(KeysetEntry, ExpandedKey)>,
}

impl KeysetEntry {
    fn write(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(&self.id.0.to_be_bytes());
        body.extend_from_slice(&[self.role as u8, Profile::P256 as u8]);
        body.extend_from_slice(&self.from.0.to_be_bytes());
        body.extend_from_slice(&self.to.0.to_be_bytes());
        body.extend_from_slice(self.key.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let id = KeyId(reader.u16()?);
        let role = match reader.u8()? {
            1 => Role::Credential,
            2 => Role::Table,
            3 => Role::Time,
            _ => return Err(DecodeError::Field("role")),
        };
        if reader.u8()? != Profile::P256 as u8 {
            return Err(DecodeError::Field("alg"));
        }
        let (from, to) = (UnixSeconds(reader.u32()?), UnixSeconds(reader.u32()?));
        let life =
            to.0.checked_sub(from.0)
                .filter(|&life| life > 0)
                .ok_or(DecodeError::Field("to"))?;
        if role == Role::Credential && life > TWO_YEARS_S {
            return Err(DecodeError::Field("to"));
        }
        Ok(Self {
            id,
            role,
            from,
            to,
            key: PublicKey::from_compressed(reader.array()?)?,
        })
    }
}

impl Keyset {
    /// Lays out a keyset for the root key to sign. Entries come in rising order of their numbers.
    pub fn unsigned(header: &Header, entries: &[KeysetEntry]) -> Unsigned {
        let mut body = Vec::with_capacity(entries.len() * ENTRY_LEN);
        entries.iter().for_each(|entry| entry.write(&mut body));
        Unsigned::new(MessageKind::Keyset, header, &body)
    }

    /// Opens a keyset under the pinned root key.
    pub fn open(bytes: &[u8], root: &Root) -> Result<Self, ListError> {
        let (envelope, rest) = Envelope::decode(bytes)?;
        if envelope.kind != MessageKind::Keyset {
            return Err(ListError::WrongKind);
        }
        if envelope.header.school != root.school {
            return Err(ListError::WrongSchool);
        }
        if envelope.header.signer != KeyId(0) {
            return Err(ListError::UnknownKey);
        }
        envelope.verify(&root.key)?;
        if !rest.is_empty() || !envelope.body.len().is_multiple_of(ENTRY_LEN) {
            return Err(DecodeError::Length.into());
        }
        let mut reader = Reader::new(envelope.body);
        let mut entries = Vec::with_capacity(envelope.body.len() / ENTRY_LEN);
        let mut last = KeyId(0);
        for _ in 0..envelope.body.len() / ENTRY_LEN {
            let entry = KeysetEntry::read(&mut reader)?;
            if entry.id <= last {
                return Err(DecodeError::Field("kid").into());
            }
            last = entry.id;
            entries.push((entry, entry.key.expand().map_err(|_| DecodeError::Field("key"))?));
        }
        Ok(Self {
            header: envelope.header,
            entries,
        })
    }

    /// Who says it and until when.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The key of this number, if it has this role and `at` is within its time.
    pub fn key(&self, id: KeyId, role: Role, at: UnixMillis) -> Option<IssuerKey> {
        let found = self
            .entries
            .binary_search_by_key(&id, |(entry, _)| entry.id)
            .ok()?;
        let (entry, key) = &self.entries[found];
        let in_time = (u64::from(entry.from.0)..u64::from(entry.to.0)).contains(&at.seconds());
        (entry.role == role && in_time).then_some(IssuerKey {
            from: entry.from,
            key: *key,
        })
    }

    /// The keys, in the order of their numbers.
    pub fn entries(&self) -> impl Iterator<Item = &KeysetEntry> {
        self.entries.iter().map(|(entry, _)| entry)
    }
}
