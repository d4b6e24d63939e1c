//! What the platform signs for its terminals: one envelope, and a body for each kind of message.
//!
//! A message is signed by a key that the keyset lists for that role; the keyset itself by the root key that clients pin.
//! Opening a message checks all of it and hands out its body by type, so a list in hand is a list to be trusted. What
//! only a terminal can know, that versions rise and that a list is still in date, it asks [`Header`].

mod delta;
mod directory;
mod faces;
mod keyset;
mod mark;
mod revocations;
mod table;
mod time;

pub use delta::Delta;
pub use directory::{Directory, DirectoryEntry, HolderNumber};
pub use faces::{FaceEntry, Faces};
pub use keyset::{IssuerKey, Keyset, KeysetEntry, Role, Root};
pub use mark::SettledMark;
pub use revocations::{Revocation, Revocations};
pub use table::{CHUNK_ROWS, ROW_LEN, Row, RowFlags, Table, TablePolicy, UnsignedTable};
pub use time::SignedTime;

use crate::decode::{Reader, tag};
use crate::{DecodeError, KeyId, Profile, SchoolHash, Signature, UnixMillis};

/// Why a message is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// It is not laid out as the format says.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// It is a good message of another kind.
    #[error("not the kind of message that was asked for")]
    WrongKind,
    /// It is for another school.
    #[error("signed for another school")]
    WrongSchool,
    /// The keyset lists no key of that number for that role, valid when the message was issued.
    #[error("signed by a key that is not in the keyset for this role; fetch the keyset")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the signature does not verify")]
    BadSignature,
    /// A chunk of rows is not the one that was signed.
    #[error("rows {first} to {last} are not those that were signed; download the table again")]
    ChunkMismatch {
        /// The first row of the chunk, from 0.
        first: usize,
        /// The last row of the chunk.
        last: usize,
    },
    /// The delta is for another version of the table.
    #[error("the delta applies to version {base}, not to {have}")]
    WrongBase {
        /// What the delta applies to.
        base: u64,
        /// What it was applied to.
        have: u64,
    },
    /// The message is not newer than what the terminal already has.
    #[error("version {got} is not newer than {have}")]
    NotNewer {
        /// What the message says.
        got: u64,
        /// What the terminal has.
        have: u64,
    },
    /// The time is for another question.
    #[error("the signed time answers another nonce")]
    WrongNonce,
    /// The directory is for another terminal.
    #[error("made for another terminal")]
    WrongTerminal,
    /// What was sealed does not open: it is sealed to another key, or was changed before it was signed.
    #[error("sealed to another key than this terminal's; enrol the terminal anew")]
    Sealed,
}

impl ListError {
    /// The stable code, as the test vectors name it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed(_) => "MALFORMED",
            Self::WrongKind => "WRONG_MESSAGE",
            Self::WrongSchool => "WRONG_SCHOOL",
            Self::UnknownKey => "SIGNER_UNKNOWN",
            Self::BadSignature => "SIGNER_SIG",
            Self::ChunkMismatch { .. } => "CHUNK",
            Self::WrongBase { .. } => "WRONG_BASE",
            Self::NotNewer { .. } => "NOT_NEWER",
            Self::WrongNonce => "WRONG_NONCE",
            Self::WrongTerminal => "WRONG_TERMINAL",
            Self::Sealed => "SEALED",
        }
    }
}

/// The kinds of signed messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum MessageKind {
    /// The school's keys.
    Keyset = 1,
    /// Every credential, a row each.
    Table = 2,
    /// What changed since the version before.
    Delta = 3,
    /// The lowest accepted epochs.
    Revocations = 4,
    /// The platform's time, for one nonce.
    Time = 5,
    /// Who stands behind a pseudonym, for one library desk.
    Directory = 6,
    /// How far a terminal's records are settled.
    SettledMark = 7,
    /// Which portraits a terminal may hold.
    Faces = 8,
}

impl MessageKind {
    const ALL: [Self; 8] = [
        Self::Keyset,
        Self::Table,
        Self::Delta,
        Self::Revocations,
        Self::Time,
        Self::Directory,
        Self::SettledMark,
        Self::Faces,
    ];

    const fn tag(self) -> [u8; 16] {
        tag(match self {
            Self::Keyset => "YIKA1.keyset",
            Self::Table => "YIKA1.table",
            Self::Delta => "YIKA1.delta",
            Self::Revocations => "YIKA1.revoke",
            Self::Time => "YIKA1.time",
            Self::Directory => "YIKA1.dir",
            Self::SettledMark => "YIKA1.mark",
            Self::Faces => "YIKA1.faces",
        })
    }
}

/// Who says it, when, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The school.
    pub school: SchoolHash,
    /// The key that signs.
    pub signer: KeyId,
    /// Rises with each message of a kind.
    pub version: u64,
    /// When it was made.
    pub issued: UnixMillis,
    /// Until when it may be relied on, inclusive.
    pub good_until: UnixMillis,
}

impl Header {
    /// Whether the message may still be relied on at `now`.
    pub fn is_in_date(&self, now: UnixMillis) -> bool {
        now <= self.good_until
    }

    /// The bytes of a message before its body of so many bytes.
    fn envelope(&self, kind: MessageKind, body_len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ENVELOPE_LEN);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[kind as u8, Profile::P256 as u8]);
        bytes.extend_from_slice(&self.school.0);
        bytes.extend_from_slice(&self.signer.0.to_be_bytes());
        for number in [self.version, self.issued.0, self.good_until.0] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        let len = u32::try_from(body_len).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&len.to_be_bytes());
        bytes
    }

    /// Checks that this message is newer than the version a terminal has; terminals keep that version durably.
    pub fn check_newer_than(&self, have: u64) -> Result<(), ListError> {
        if self.version > have {
            Ok(())
        } else {
            Err(ListError::NotNewer {
                got: self.version,
                have,
            })
        }
    }
}

/// A message that still has to be signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    preimage: Vec<u8>,
}

impl Unsigned {
    /// Lays out a message. The header's times must fit the signer's key; [`Keyset`] and the bodies check the rest.
    fn new(kind: MessageKind, header: &Header, body: &[u8]) -> Self {
        let mut preimage = Vec::with_capacity(16 + ENVELOPE_LEN + body.len() + 64);
        preimage.extend_from_slice(&kind.tag());
        preimage.extend_from_slice(&header.envelope(kind, body.len()));
        preimage.extend_from_slice(body);
        Self { preimage }
    }

    /// What the signer signs.
    pub fn preimage(&self) -> &[u8] {
        &self.preimage
    }

    /// The finished message.
    pub fn with_signature(mut self, signature: &Signature) -> Vec<u8> {
        self.preimage.extend_from_slice(signature.as_bytes());
        self.preimage.split_off(16)
    }
}

const MAGIC: &[u8; 2] = b"YK";
/// The bytes before the body.
const ENVELOPE_LEN: usize = 2 + 1 + 1 + 16 + 2 + 8 + 8 + 8 + 4;

/// A message taken apart, its signature not yet checked.
struct Envelope<'a> {
    kind: MessageKind,
    header: Header,
    body: &'a [u8],
    /// Everything before the signature.
    signed: &'a [u8],
    signature: Signature,
}

impl<'a> Envelope<'a> {
    /// Takes one message off the front of `bytes` and returns what follows it.
    fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.array()? != *MAGIC {
            return Err(DecodeError::Prefix);
        }
        let kind = reader.u8()?;
        let kind = MessageKind::ALL
            .into_iter()
            .find(|&known| known as u8 == kind)
            .ok_or(DecodeError::Header)?;
        if reader.u8()? != Profile::P256 as u8 {
            return Err(DecodeError::Field("alg"));
        }
        let header = Header {
            school: SchoolHash(reader.array()?),
            signer: KeyId(reader.u16()?),
            version: reader.u64()?,
            issued: UnixMillis(reader.u64()?),
            good_until: UnixMillis(reader.u64()?),
        };
        if header.good_until < header.issued {
            return Err(DecodeError::Field("good_until"));
        }
        let body_len = usize::try_from(reader.u32()?).map_err(|_| DecodeError::Length)?;
        let body = reader.slice(body_len)?;
        let signature = Signature::from_raw(reader.array()?)?;
        let signed = &bytes[..ENVELOPE_LEN + body_len];
        Ok((
            Self {
                kind,
                header,
                body,
                signed,
                signature,
            },
            reader.rest(),
        ))
    }

    fn verify(&self, key: &crate::ExpandedKey) -> Result<(), ListError> {
        let preimage = [&self.kind.tag()[..], self.signed].concat();
        key.verify(&preimage, &self.signature)
            .map_err(|_| ListError::BadSignature)
    }
}

/// Opens a message of `kind`, checking signer, school and signature; returns what follows it.
fn open<'a>(
    bytes: &'a [u8],
    kind: MessageKind,
    keyset: &Keyset,
) -> Result<(Header, &'a [u8], &'a [u8]), ListError> {
    let (envelope, rest) = Envelope::decode(bytes)?;
    if envelope.kind != kind {
        return Err(ListError::WrongKind);
    }
    let header = envelope.header;
    if header.school != keyset.header().school {
        return Err(ListError::WrongSchool);
    }
    let role = if kind == MessageKind::Time {
        Role::Time
    } else {
        Role::Table
    };
    let key = keyset
        .key(header.signer, role, header.issued)
        .ok_or(ListError::UnknownKey)?;
    envelope.verify(&key.key)?;
    Ok((header, envelope.body, rest))
}

/// Opens a message that nothing may follow.
fn open_whole<'a>(
    bytes: &'a [u8],
    kind: MessageKind,
    keyset: &Keyset,
) -> Result<(Header, &'a [u8]), ListError> {
    let (header, body, rest) = open(bytes, kind, keyset)?;
    if rest.is_empty() {
        Ok((header, body))
    } else {
        Err(DecodeError::Length.into())
    }
}
