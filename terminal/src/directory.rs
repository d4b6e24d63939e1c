//! The directory of a library desk: whose number stands behind the pseudonym of a code.
//!
//! The desk's platform seals it to a key that is made here at enrolment and never leaves the home. It is kept as it came,
//! sealed, and opened at each start. It names holders and decides nothing: with a directory that is missing, damaged or
//! out of date, codes are approved and refused as before.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use ring::rand::{SecureRandom as _, SystemRandom};
use yika_format::lists::{Directory, HolderNumber, Keyset, ListError};
use yika_format::verifier::{Purpose, TerminalKind};
use yika_format::{Pseudonym, RecipientKey, UnixMillis};
use zeroize::Zeroizing;

use crate::home::{Home, write_durably};
use crate::keys::TerminalKeyError;
use crate::store::Enrolment;
use crate::terminal::Terminal;

/// Who stands behind an identity that a library desk approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The holder of this number.
    Number(HolderNumber),
    /// Somebody whom the directory doesn't know, or not yet.
    Unknown,
    /// Not told: the directory is out of date.
    OutOfDate,
    /// Not told: the desk has no directory.
    NoDirectory,
}

impl Holder {
    /// The number, where it is known.
    pub const fn number(&self) -> Option<HolderNumber> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Unknown | Self::OutOfDate | Self::NoDirectory => None,
        }
    }

    /// Why it is not known, as a stable word.
    pub const fn missing(&self) -> Option<&'static str> {
        match self {
            Self::Number(_) => None,
            Self::Unknown => Some("unknown"),
            Self::OutOfDate => Some("out_of_date"),
            Self::NoDirectory => Some("none"),
        }
    }
}

/// What opens the directories of one library desk: its number and its private key.
pub(crate) struct DirectoryKey {
    terminal: u64,
    key: RecipientKey,
}

impl DirectoryKey {
    /// The key of the desk that lives in this home; `None` for other terminals, and where it does not serve: a directory
    /// is no reason not to open a terminal.
    pub(crate) fn load(home: &Home, enrolment: &Enrolment) -> Option<Self> {
        if enrolment.profile().kind != TerminalKind::Library {
            return None;
        }
        match load_key(&home.directory_key()) {
            Ok(Some(key)) => Some(Self {
                terminal: enrolment.answer.id.0,
                key,
            }),
            Ok(None) => {
                tracing::warn!(
                    "this desk has no key for directories; enrol it anew to learn holders' numbers"
                );
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the key for directories does not serve; no holder's number is told");
                None
            }
        }
    }

    /// Opens a directory.
    pub(crate) fn open(&self, bytes: &[u8], keyset: &Keyset) -> Result<Directory, ListError> {
        Directory::open(bytes, keyset, self.terminal, &self.key)
    }
}

impl fmt::Debug for DirectoryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DirectoryKey(of terminal {})", self.terminal)
    }
}

/// The key in this file; `None` where there is no file.
fn load_key(path: &Path) -> Result<Option<RecipientKey>, TerminalKeyError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let bytes = bytes.first_chunk().filter(|key| key.len() == bytes.len());
    bytes
        .and_then(|bytes| RecipientKey::from_bytes(bytes).ok())
        .map(Some)
        .ok_or(TerminalKeyError::Damaged)
}

/// The key in this file; a new one where there is no file. It is durable when this returns.
pub(crate) fn load_or_make_key(path: &Path) -> Result<RecipientKey, TerminalKeyError> {
    if let Some(key) = load_key(path)? {
        return Ok(key);
    }
    let mut random = Zeroizing::new([0; 32]);
    SystemRandom::new()
        .fill(&mut random[..])
        .map_err(|_| TerminalKeyError::Failed)?;
    let key = RecipientKey::derive(&random);
    write_durably(path, &key.to_bytes()[..])?;
    Ok(key)
}

impl Terminal {
    /// Who stands behind a code that was approved; `None` where nobody is asked for a number.
    pub(crate) fn holder(&self, pseudonym: Pseudonym, purpose: Purpose, now: UnixMillis) -> Option<Holder> {
        if self.profile.kind != TerminalKind::Library || purpose != Purpose::Identity {
            return None;
        }
        let lists = self.lists();
        Some(match lists.directory() {
            None => Holder::NoDirectory,
            Some(directory) if !directory.header().is_in_date(now) => Holder::OutOfDate,
            Some(directory) => directory
                .number(pseudonym)
                .map_or(Holder::Unknown, Holder::Number),
        })
    }
}

#[cfg(test)]
mod tests;
