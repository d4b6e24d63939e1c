//! The real processes over loopback: phone, terminals, platform and sandbox as their users start them.
//!
//! The harness knows the command lines and the JSON that they print, and so doubles as a test that both stay stable.
//! Each of them is a [`Program`] with a folder; a [`Sandbox`] is also its process, and dropping it kills that. Of Yika
//! nothing is linked here but what a [`WalletPhone`] puts on the wire: the messages, the sealing, a key.

mod banking;
mod campus;
mod disk;
mod holder;
mod http;
mod money;
mod people;
mod phone;
mod process;
mod program;
mod proxy;
mod sandbox;
mod terminal;
mod wallet;

pub use banking::{BANK_FAULTS, Books, total};
pub use campus::Campus;
pub use disk::Disk;
pub use holder::Holder;
pub use http::Reply;
pub use money::{Balances, Money, is_end, phase};
pub use people::{Person, WANG, ZHANG};
pub use phone::{Phone, PhoneKind, Use};
pub use process::{Output, binary};
pub use program::{Kind, Program};
pub use proxy::{Exchange, Proxy};
pub use sandbox::{End, Sandbox, SandboxKind};
pub use terminal::{OpenTerminal, Terminal, TerminalKind, Verdict};
pub use wallet::{AutoTopUpRule, Deed, Move, WalletPhone};

/// Why a step of a run failed: what was done, and what came of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A binary is not beside this one.
    #[error(
        "{name} is not built; build the workspace's binaries into the same profile first (looked in {dir})"
    )]
    BinaryMissing {
        /// The binary.
        name: String,
        /// Where it should be.
        dir: String,
    },
    /// The operating system refused something.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A command ended otherwise than it should.
    #[error("`{command}` ended with {code:?}\nstdout: {stdout}\nstderr: {stderr}")]
    Command {
        /// The command line.
        command: String,
        /// Its exit code; `None` for a signal.
        code: Option<i32>,
        /// What it printed.
        stdout: String,
        /// What it complained of.
        stderr: String,
    },
    /// An answer is not of the documented shape.
    #[error("{what}: {text}")]
    Answer {
        /// What was expected.
        what: String,
        /// What came.
        text: String,
    },
}

impl Error {
    /// Turns a system error into one that says what was being done.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// An answer that is not as it should be.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand over whatever they can show"
    )]
    pub fn answer(what: impl Into<String>, text: impl ToString) -> Self {
        Self::Answer {
            what: what.into(),
            text: text.to_string(),
        }
    }
}

/// The result of a step.
pub type Result<T, E = Error> = std::result::Result<T, E>;
