//! What can go wrong on the command line, each with the stable code that is printed first.

use std::path::PathBuf;

use yika_core::{AuthorityError, CoreError};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PhoneError {
    /// The core says so.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// The sandbox's host gave no token.
    #[error(
        "the sandbox's host gave no token for this student ({0}); is it a sandbox, and the number right?"
    )]
    Host(String),
    /// A slot that the holder has no account in.
    #[error("no account in slot {0}; `accounts` lists them")]
    NoSuchSlot(u8),
    /// The file of authorities is none.
    #[error("cannot use {}: {source}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: AuthorityError,
    },
    /// A file could not be written.
    #[error("cannot write {}: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// Standard output is closed, or a runtime could not be started.
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
}

impl PhoneError {
    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Core(error) => error.code(),
            Self::Host(_) => "host_token",
            Self::NoSuchSlot(_) => "account_unknown",
            Self::CaFile { .. } => "ca_file",
            Self::Write { .. } => "write_failed",
            Self::System(_) => "system",
        }
    }
}
