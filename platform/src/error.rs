//! The platform's one error: either a refusal that the caller is told, or a failure that only the log is told.

use crate::config::ConfigError;
use crate::issuer::SignerError;
use yika_api::{Fen, FenError, Problem, ProblemCode, UnixMillis};
use yika_format::{DecodeError, SealError};

/// Shorthand for results of the platform.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not have it, and is told why.
    #[error("refused: {}", .0.code.as_str())]
    Refused(Box<Problem>),
    /// The configuration does not describe a platform that may run.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database could not do it; the transaction was rolled back.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The database is of another school, of a newer version, or was changed by hand.
    #[error("the database cannot be used: {0}")]
    Schema(String),
    /// A server key could not be made, read or used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A sum left 64 bits: nothing was booked.
    #[error(transparent)]
    Amount(#[from] FenError),
    /// Postings do not sum to zero: nothing was booked.
    #[error("the postings of a transaction do not sum to zero; nothing was booked")]
    Unbalanced,
    /// Bytes that the platform stored itself do not read back.
    #[error("stored bytes do not read back: {0}")]
    Stored(#[from] DecodeError),
    /// A stored value is not one of its set.
    #[error("stored value {value:?} of {what} is not known to this version")]
    StoredValue {
        /// The column.
        what: &'static str,
        /// What stands there.
        value: String,
    },
    /// A directory could not be sealed to the key that its desk enrolled.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
    /// A worker that computed for a request stopped before its end.
    #[error("a worker stopped before its end")]
    Worker(#[from] tokio::task::JoinError),
    /// A reply could not be written as JSON.
    #[error("a reply could not be written: {0}")]
    Json(#[from] serde_json::Error),
    /// Reading, writing or listening failed.
    #[error("input or output failed: {0}")]
    Io(#[from] std::io::Error),
}

impl Error {
    /// A refusal with this code and nothing particular.
    pub fn refused(code: ProblemCode) -> Self {
        Self::Refused(Box::new(Problem::new(code)))
    }

    /// A refusal with this code and what is particular about this time.
    pub fn refused_because(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self::Refused(Box::new(Problem::new(code).with_detail(detail)))
    }

    /// A refusal about an amount.
    pub fn refused_amount(code: ProblemCode, amount: Fen) -> Self {
        Self::Refused(Box::new(Problem {
            amount: Some(amount),
            ..Problem::new(code)
        }))
    }

    /// A refusal that holds since an instant.
    pub fn refused_since(code: ProblemCode, at: UnixMillis) -> Self {
        Self::Refused(Box::new(Problem {
            at: Some(at),
            ..Problem::new(code)
        }))
    }

    /// The code that the caller is told.
    pub fn code(&self) -> ProblemCode {
        match self {
            Self::Refused(problem) => problem.code,
            Self::Database(error) if crate::db::is_busy(error) => ProblemCode::ServerBusy,
            _ => ProblemCode::Internal,
        }
    }
}
