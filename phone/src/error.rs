//! What can go wrong on the command line, each with the stable code that is printed first.

use std::path::PathBuf;

use yika_core::face::{Advice, TooFewBytes};
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
    /// No bank card is bound.
    #[error("no bank card is bound; `wallet bind` binds one")]
    NoCard,
    /// There is no wallet.
    #[error("there is no wallet; `wallet open` opens one")]
    NoWallet,
    /// The holder works at no stall.
    #[error("you work at no stall; the card office says who does")]
    NoStall,
    /// An operation ended without the money having arrived.
    #[error("the operation was not made, or was taken back; nothing was charged in the end")]
    OperationFailed(String),
    /// The school's time zone or a date can't be used.
    #[error("the time zone or the date cannot be used: {0}")]
    Time(String),
    /// The file of authorities is none.
    #[error("cannot use {}: {source}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: AuthorityError,
    },
    /// A photo can't be read.
    #[error("cannot read {}: {reason}", path.display())]
    Photo {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A photo will not do.
    #[error("{}", crate::face::said(*.0))]
    PhotoRefused(Advice),
    /// A portrait does not fit.
    #[error(transparent)]
    Portrait(TooFewBytes),
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
    // Taken by value because `map_err` gives it so.
    #[expect(clippy::needless_pass_by_value)]
    pub(crate) fn time(error: jiff::Error) -> Self {
        Self::Time(error.to_string())
    }

    /// What the process ends with.
    pub(crate) fn exit(&self) -> u8 {
        match self {
            Self::Photo { .. } => 2,
            _ => 1,
        }
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Core(error) => error.code(),
            Self::Host(_) => "host_token",
            Self::NoSuchSlot(_) => "account_unknown",
            Self::NoCard => "card_not_bound",
            Self::NoWallet => "wallet_not_open",
            Self::NoStall => "no_stall",
            Self::OperationFailed(code) => code,
            Self::Time(_) => "time_zone",
            Self::CaFile { .. } => "ca_file",
            Self::Photo { .. } => "unreadable",
            Self::PhotoRefused(advice) => advice.code(),
            Self::Portrait(_) => "portrait_too_large",
            Self::Write { .. } => "write_failed",
            Self::System(_) => "system",
        }
    }
}
