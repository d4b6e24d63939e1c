//! What can go wrong in a command. Written out by hand rather than derived: every command waits for this crate to
//! compile, so it stays free of procedural macros.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a command stopped.
#[derive(Debug)]
pub(crate) enum Error {
    /// The command line is wrong; the text says in what.
    Usage(String),
    /// Started other than by cargo, so the workspace can't be found.
    NotUnderCargo,
    /// A program couldn't be started at all.
    Start {
        /// The program's name.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program ran and said no.
    Exit {
        /// The program's name.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A file or directory of the workspace couldn't be read or written.
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The house rules are broken in so many places; each was printed.
    House(usize),
    /// These steps of a stage failed; what they said is above.
    Steps(Vec<String>),
    /// So many stages of the test run failed; the table says which.
    Stages(usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => f.write_str(text),
            Self::NotUnderCargo => f.write_str("run this as `cargo xtask …`, inside the repository"),
            Self::Start { program, source } => write!(f, "can't start {program}: {source}"),
            Self::Exit { program, status } => write!(f, "{program} failed: {status}"),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
            Self::House(1) => f.write_str("1 place breaks a house rule"),
            Self::House(count) => write!(f, "{count} places break a house rule"),
            Self::Steps(names) => write!(f, "failed: {}", names.join(", ")),
            Self::Stages(1) => f.write_str("1 stage failed"),
            Self::Stages(count) => write!(f, "{count} stages failed"),
        }
    }
}

impl std::error::Error for Error {}
