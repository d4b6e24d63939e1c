//! The grammar of what is lost and found, and of the phones that the card is on.

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use super::Output;

/// What is lost: looked at, reported, found.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Lost {
    #[command(subcommand)]
    pub(crate) act: Option<LostAct>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LostAct {
    /// Tell how things stand; what waits is told to the platform.
    Status(Output),
    /// Report something lost. This phone's codes stop at once, without a network too.
    Report {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        output: Output,
    },
    /// Report it found.
    Found {
        #[command(flatten)]
        what: What,
        #[command(flatten)]
        proof: Proof,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct What {
    /// What is lost.
    pub(crate) item: Item,
    /// For `phone`: which one, by its id; this one if absent.
    #[arg(long)]
    pub(crate) device: Option<Uuid>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Item {
    /// The plastic card.
    Card,
    /// This phone, or another one.
    Phone,
    /// The plastic card and every phone.
    All,
}

/// How the holder shows to be there.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Proof {
    /// Read the payment password from standard input.
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Sign in anew at the sandbox's host as this student.
    #[arg(long, value_name = "STUDENT")]
    pub(crate) sign_in: Option<String>,
}

/// The phones that the card is on: listed, or one of them removed.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Devices {
    #[command(subcommand)]
    pub(crate) act: Option<DevicesAct>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DevicesAct {
    /// Sign another phone out, by its id.
    Remove {
        /// Which one.
        device: Uuid,
        #[command(flatten)]
        proof: Proof,
        #[command(flatten)]
        output: Output,
    },
}
