//! Why the terminal could not do what it was asked. A refused code is no error: that is a [`crate::Verdict`].

use std::io;
use std::path::{Path, PathBuf};

use yika_format::lists::ListError;
use yika_link::AuthorityError;

use crate::clock::{AnchorError, ClockError};
use crate::http::HttpError;
use crate::keys::TerminalKeyError;

/// Why the terminal could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TerminalError {
    /// The home has no enrolment.
    #[error("this terminal is not enrolled; run `enroll` first")]
    NotEnrolled,
    /// The home has one already.
    #[error("this home is enrolled as terminal {terminal}; use another home for another terminal")]
    AlreadyEnrolled {
        /// Its number.
        terminal: u64,
    },
    /// The platform's root key is not the one that was expected.
    #[error("the platform's root key is not the expected one; check the address and ask the card office")]
    RootKeyMismatch,
    /// The platform's answer to the enrolment can't be: an invalid root key, or another kind of terminal.
    #[error("the platform's answer to the enrolment makes no sense ({0}); ask the card office")]
    EnrolmentAnswer(&'static str),
    /// A gate was asked to take money.
    #[error("this terminal takes no payments")]
    TakesNoPayments,
    /// A terminal that is no library desk, or lost the key for it, was given a directory.
    #[error(
        "this terminal has no directory; only a library desk has one, and the key that it was enrolled with"
    )]
    HasNoDirectory,
    /// A library desk was given a list of faces.
    #[error("this terminal has no faces; only gates and POS have them")]
    HasNoFaces,
    /// The till's number for a sale was used for another holder or amount.
    #[error("this sale number was used for another sale; make a new number for each sale")]
    SaleConflict,
    /// The till's number is that of a payment which was taken back.
    #[error("this sale was taken back; make a new number for a new sale")]
    SaleVoided,
    /// A list from the platform is not acceptable.
    #[error("the platform's {list} is not acceptable: {source}")]
    List {
        /// Which one.
        list: &'static str,
        /// Why.
        source: ListError,
    },
    /// The platform expects a record that is not made yet: this journal is older than what was uploaded.
    #[error(
        "the platform has records up to {platform}, this journal ends at {journal}: the store is an old copy; \
         move the home folder aside and enrol the terminal anew"
    )]
    JournalBehind {
        /// The last record that the platform has.
        platform: u64,
        /// The last record here.
        journal: u64,
    },
    /// The platform's answer to an upload can't be.
    #[error(
        "the platform's answer to the upload makes no sense ({0}); the records stay and can be sent again"
    )]
    UploadAnswer(&'static str),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The terminal's key can't be used.
    #[error(transparent)]
    Key(#[from] TerminalKeyError),
    /// The machine's clocks can't be read.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The platform's time can't be used.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// The file of the authorities that vouch for the platform is none.
    #[error("cannot use {path}: {source}")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        source: AuthorityError,
    },
    /// The platform can't be reached, or refused.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    Random,
}

impl TerminalError {
    /// For the list of this name.
    pub(crate) fn list(list: &'static str) -> impl FnOnce(ListError) -> Self {
        move |source| Self::List { list, source }
    }

    /// Whether it was called wrongly, rather than unable to do what it was asked: exit code 2 of the command line.
    pub const fn is_misuse(&self) -> bool {
        matches!(
            self,
            Self::NotEnrolled
                | Self::AlreadyEnrolled { .. }
                | Self::TakesNoPayments
                | Self::HasNoDirectory
                | Self::HasNoFaces
                | Self::SaleConflict
                | Self::SaleVoided
        )
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEnrolled => "NOT_ENROLLED",
            Self::AlreadyEnrolled { .. } => "ALREADY_ENROLLED",
            Self::RootKeyMismatch => "ROOT_KEY_MISMATCH",
            Self::EnrolmentAnswer(_) => "ENROLMENT_ANSWER",
            Self::TakesNoPayments => "TAKES_NO_PAYMENTS",
            Self::HasNoDirectory => "HAS_NO_DIRECTORY",
            Self::HasNoFaces => "HAS_NO_FACES",
            Self::SaleConflict => "SALE_CONFLICT",
            Self::SaleVoided => "SALE_VOIDED",
            Self::List { .. } => "LIST",
            Self::JournalBehind { .. } => "JOURNAL_BEHIND",
            Self::UploadAnswer(_) => "UPLOAD_ANSWER",
            Self::Store(error) => error.code(),
            Self::Key(_) => "KEY",
            Self::Clock(_) => "CLOCK",
            Self::Anchor(_) => "TIME",
            Self::Authorities { .. } => "CA_FILE",
            Self::Http(error) => error.code(),
            Self::Random => "RANDOM",
        }
    }
}

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process works in the same home.
    #[error("another process is using this terminal's home; wait for it or end it")]
    Busy,
    /// The file was damaged. It was moved aside, with the key that belongs to it.
    #[error(
        "the store was damaged and moved to {aside}; enrol the terminal anew, and keep that folder: \
         it may hold payments that were not uploaded"
    )]
    Damaged {
        /// Where it is now.
        aside: PathBuf,
    },
    /// The file is damaged.
    #[error("the store is damaged; start again, it will then be moved aside")]
    Corrupt,
    /// No space is left.
    #[error("the disk is full; make space")]
    Full,
    /// A newer version has written the file.
    #[error("the store has schema {found}, this version knows {known}; use the newer version again")]
    Newer {
        /// Its schema.
        found: u32,
        /// The newest known here.
        known: u32,
    },
    /// A record that the platform asks for is gone from here: it was settled long ago.
    #[error("the platform asks for records that were settled and forgotten long ago; ask the card office")]
    Pruned,
    /// A number doesn't fit.
    #[error("a number is too large for the store")]
    Number,
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("the store failed: {0}")]
    Database(#[source] rusqlite::Error),
}

impl StoreError {
    /// For the file or folder at this path.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Busy => "BUSY",
            Self::Damaged { .. } | Self::Corrupt => "STORE_DAMAGED",
            Self::Full => "STORE_FULL",
            Self::Newer { .. } => "STORE_NEWER",
            Self::Pruned => "RECORDS_GONE",
            Self::Number | Self::Io { .. } | Self::Database(_) => "STORE",
        }
    }
}
