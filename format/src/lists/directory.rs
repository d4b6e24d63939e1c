//! The directory: which holder's number stands behind a pseudonym, sealed to the one library desk that may know.
//!
//! Opened, the entries stay as the bytes that they came as: of varying length, so every 64th has its place marked, and an
//! entry is found by bisection of the marks and a short walk. A million take what they take on the wire, and 125 kB more.

use super::{ENVELOPE_LEN, Header, Keyset, ListError, MessageKind, Unsigned, open_whole};
use crate::decode::Reader;
use crate::sealing::{self, ENCAPSULATED_LEN, TAG_LEN};
use crate::{DecodeError, ExpandedKey, Pseudonym, RecipientKey, SchoolHash, SealError};
use std::fmt;
use zeroize::Zeroizing;

/// A holder's number: 1 to 32 ASCII characters from `!` to `~`. `Debug` doesn't show it: it belongs to a person.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HolderNumber {
    len: u8,
    characters: [u8; HolderNumber::MAX_LEN],
}

/// Who stands behind a pseudonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DirectoryEntry {
    /// The enrolment.
    pub pseudonym: Pseudonym,
    /// Whose it is.
    pub number: HolderNumber,
}

/// An opened directory. The entries are wiped from memory when it is dropped.
#[derive(PartialEq, Eq)]
pub struct Directory {
    header: Header,
    terminal: u64,
    entries: Zeroizing<Vec<u8>>,
    /// Where every [`WALK`]th entry begins.
    marks: Vec<usize>,
    len: usize,
}

/// The entries from one mark to the next.
const WALK: usize = 64;
/// The bytes of the body before the sealed entries.
const BEFORE_SEALED: usize = 8 + ENCAPSULATED_LEN + 4;

impl HolderNumber {
    /// The most characters that a number has.
    pub const MAX_LEN: usize = 32;

    /// The number of this text.
    pub fn new(text: &str) -> Result<Self, DecodeError> {
        Self::of_characters(text.as_bytes())
    }

    fn of_characters(text: &[u8]) -> Result<Self, DecodeError> {
        let mut characters = [0; Self::MAX_LEN];
        let place = characters.get_mut(..text.len());
        match (place, u8::try_from(text.len())) {
            (Some(place), Ok(len @ 1..)) if text.iter().all(u8::is_ascii_graphic) => {
                place.copy_from_slice(text);
                Ok(Self { len, characters })
            }
            _ => Err(DecodeError::Field("number")),
        }
    }

    fn characters(&self) -> &[u8] {
        &self.characters[..usize::from(self.len)]
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Made of ASCII only, so it always reads.
        std::str::from_utf8(self.characters()).unwrap_or_default()
    }
}

impl fmt::Debug for HolderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HolderNumber(…)")
    }
}

impl DirectoryEntry {
    fn write(&self, entries: &mut Vec<u8>) {
        entries.extend_from_slice(&self.pseudonym.0);
        entries.push(self.number.len);
        entries.extend_from_slice(self.number.characters());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let pseudonym = Pseudonym(reader.array()?);
        let len = usize::from(reader.u8()?);
        if len > HolderNumber::MAX_LEN {
            return Err(DecodeError::Field("number"));
        }
        let number = HolderNumber::of_characters(reader.slice(len)?)?;
        Ok(Self { pseudonym, number })
    }
}

impl Directory {
    /// Seals the entries to `recipient`, the key that `terminal` enrolled, and lays the directory out for signing. They
    /// come in rising order of their pseudonyms. `random` is 32 fresh random bytes, never used before.
    ///
    /// # Errors
    ///
    /// [`SealError`] where the entries are more than can be sealed.
    pub fn unsigned(
        header: &Header,
        terminal: u64,
        recipient: &ExpandedKey,
        entries: &[DirectoryEntry],
        random: [u8; 32],
    ) -> Result<Unsigned, SealError> {
        let plain_len: usize = entries
            .iter()
            .map(|entry| 5 + 1 + usize::from(entry.number.len))
            .sum();
        let sealed_len = plain_len + TAG_LEN;
        let body_len = BEFORE_SEALED + sealed_len;
        if u32::try_from(body_len).is_err() {
            return Err(SealError);
        }
        let mut body = Vec::with_capacity(body_len);
        body.extend_from_slice(&terminal.to_be_bytes());
        body.extend_from_slice(&[0; ENCAPSULATED_LEN]);
        body.extend_from_slice(&u32::try_from(sealed_len).map_err(|_| SealError)?.to_be_bytes());
        entries.iter().for_each(|entry| entry.write(&mut body));
        let (encapsulated, tag) = sealing::seal(
            recipient,
            &info(&header.school, terminal),
            &header.envelope(MessageKind::Directory, body_len),
            &mut body[BEFORE_SEALED..],
            random,
        )?;
        body[8..8 + ENCAPSULATED_LEN].copy_from_slice(&encapsulated);
        body.extend_from_slice(&tag);
        Ok(Unsigned::new(MessageKind::Directory, header, &body))
    }

    /// Opens the directory of the terminal of this number and key.
    pub fn open(bytes: &[u8], keyset: &Keyset, terminal: u64, key: &RecipientKey) -> Result<Self, ListError> {
        let (header, body) = open_whole(bytes, MessageKind::Directory, keyset)?;
        let mut reader = Reader::new(body);
        let addressee = reader.u64()?;
        let encapsulated: [u8; ENCAPSULATED_LEN] = reader.array()?;
        if encapsulated[0] != 4 {
            return Err(DecodeError::Field("encapsulated key").into());
        }
        let sealed_len = usize::try_from(reader.u32()?).map_err(|_| DecodeError::Length)?;
        let sealed = reader.slice(sealed_len)?;
        reader.finish()?;
        if sealed_len < TAG_LEN {
            return Err(DecodeError::Length.into());
        }
        if addressee != terminal {
            return Err(ListError::WrongTerminal);
        }
        let mut entries = Zeroizing::new(sealed.to_vec());
        let (info, envelope) = (info(&header.school, terminal), &bytes[..ENVELOPE_LEN]);
        key.open(&encapsulated, &info, envelope, &mut entries)
            .map_err(|_| ListError::Sealed)?;
        let (marks, len) = check(&entries)?;
        Ok(Self {
            header,
            terminal,
            entries,
            marks,
            len,
        })
    }

    /// Who says it and until when.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// For which terminal it is.
    pub const fn terminal(&self) -> u64 {
        self.terminal
    }

    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whose pseudonym it is.
    pub fn number(&self, pseudonym: Pseudonym) -> Option<HolderNumber> {
        let begins_after = |&mark: &usize| self.entries[mark..mark + 5] <= pseudonym.0[..];
        let walk = self.marks.partition_point(begins_after).checked_sub(1)?;
        let found = self
            .entries_from(self.marks[walk])
            .take(WALK)
            .find(|entry| entry.pseudonym == pseudonym);
        found.map(|entry| entry.number)
    }

    /// The entries, in the order of their pseudonyms.
    pub fn entries(&self) -> impl Iterator<Item = DirectoryEntry> + '_ {
        self.entries_from(0)
    }

    fn entries_from(&self, at: usize) -> impl Iterator<Item = DirectoryEntry> + '_ {
        let mut reader = Reader::new(&self.entries[at..]);
        // All of them were read before; at the end the reader has nothing left.
        std::iter::from_fn(move || DirectoryEntry::read(&mut reader).ok())
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("header", &self.header)
            .field("terminal", &self.terminal)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// What the seal is for, so that it opens nowhere else.
fn info(school: &SchoolHash, terminal: u64) -> Vec<u8> {
    let tag = MessageKind::Directory.tag();
    [&tag[..], &school.0, &terminal.to_be_bytes()].concat()
}

/// Checks that each entry is canonical and that their pseudonyms rise strictly; returns the marks and how many there are.
fn check(entries: &[u8]) -> Result<(Vec<usize>, usize), DecodeError> {
    let mut reader = Reader::new(entries);
    let (mut marks, mut len, mut last) = (Vec::new(), 0, None);
    while reader.remaining() > 0 {
        if len % WALK == 0 {
            marks.push(entries.len() - reader.remaining());
        }
        let entry = DirectoryEntry::read(&mut reader)?;
        if last.is_some_and(|last| last >= entry.pseudonym) {
            return Err(DecodeError::Field("pseudonym"));
        }
        last = Some(entry.pseudonym);
        len += 1;
    }
    Ok((marks, len))
}
