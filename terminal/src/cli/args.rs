//! The command line. What gets past here is right by type.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use yika_api::Fen;
use yika_api::terminal::TerminalKind;
use yika_format::{Amount, PublicKey};
use yika_terminal::{Origin, SaleId};

/// A campus terminal: takes payments and looks at identities, offline.
#[derive(Debug, Parser)]
#[command(name = "yika-terminal", version)]
pub(crate) struct Args {
    /// The folder that the terminal lives in; one process at a time.
    #[arg(long)]
    pub(crate) home: PathBuf,
    /// Print JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[cfg(feature = "test-clock")]
    #[command(flatten)]
    pub(crate) clock: super::controls::ControlledClock,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make this terminal known to its platform.
    Enroll(Enroll),
    /// Fetch lists and time.
    Sync,
    /// Hand in what was sold.
    Upload,
    /// Decide about a code. No network, ever. Exit code 0: approved, 1: refused.
    #[command(subcommand)]
    Verify(Verify),
    /// Take the last payment back, within ten minutes.
    Void,
    /// Ask a holder to confirm an amount: prints the text of the QR code to show.
    Confirm {
        /// In yuan, like 12.50.
        #[arg(long, value_parser = amount)]
        amount: Amount,
    },
    /// Tell how the terminal stands.
    Status,
    /// Answer JSON requests, one a line, until standard input ends.
    Run,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Enroll {
    /// Where the platform is, like https://card.school.example.
    #[arg(long)]
    pub(crate) platform: Origin,
    /// What the terminal is to be.
    #[arg(long)]
    pub(crate) kind: Kind,
    /// For whom it takes payments.
    #[arg(long)]
    pub(crate) merchant: Option<u64>,
    /// The name on receipts.
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// The one-use code from the card office.
    #[arg(long)]
    pub(crate) enrolment_code: Option<String>,
    /// The school's root key, 66 hexadecimal digits; without it, the platform's word is pinned.
    #[arg(long)]
    pub(crate) root_key: Option<PublicKey>,
    /// Authorities that vouch for the platform, as PEM, instead of public ones; remembered.
    #[arg(long, value_name = "FILE", env = "YIKA_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    /// Takes payments.
    Pos,
    /// Opens for an identity.
    Gate,
    /// Lends on an identity, and takes fees.
    Library,
}

impl From<Kind> for TerminalKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Pos => Self::Pos,
            Kind::Gate => Self::Gate,
            Kind::Library => Self::Library,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verify {
    /// A payment.
    Pay {
        /// In yuan, like 12.50.
        #[arg(long, value_parser = amount)]
        amount: Amount,
        #[command(flatten)]
        shown: Shown,
    },
    /// An identity.
    Identity {
        #[command(flatten)]
        shown: Shown,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Shown {
    /// The till's own number for the sale, a UUID: asked again with the same one, the terminal answers as before.
    #[arg(long, value_parser = sale)]
    pub(crate) sale: Option<SaleId>,
    /// What the scanner typed; `-` reads it from standard input.
    pub(crate) code: String,
}

/// An amount above zero, in yuan.
pub(crate) fn amount(text: &str) -> Result<Amount, String> {
    let fen: Fen = text.parse().map_err(|error| format!("{error}"))?;
    match u64::try_from(fen.get()) {
        Ok(fen) if fen > 0 => Ok(Amount(fen)),
        _ => Err("the amount must be above zero".to_owned()),
    }
}

/// A sale's number, a UUID.
pub(crate) fn sale(text: &str) -> Result<SaleId, String> {
    let uuid = uuid::Uuid::parse_str(text).map_err(|_| "the sale number must be a UUID".to_owned())?;
    Ok(SaleId(uuid.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn amounts_must_be_above_zero_and_exact() {
        for text in ["0", "0.00", "-1", "1.234", "", "12,50", "1e3"] {
            assert!(amount(text).is_err(), "{text}");
        }
        assert_eq!(amount("12.50"), Ok(Amount(1250)));
        assert_eq!(amount("0.01"), Ok(Amount(1)));
    }

    #[test]
    fn the_stable_command_lines_are_understood() {
        let sale = "--sale=0191e7a0-0000-7000-8000-000000000000";
        for line in [
            "enroll --platform http://127.0.0.1:1 --kind pos --merchant 7",
            "enroll --platform https://card.school.example --kind gate --label Gate --enrolment-code x --ca-file ca.pem",
            "sync",
            "upload --json",
            "verify pay --amount 12.50 C1ABC",
            &format!("verify pay --amount 12.50 {sale} --json -"),
            "verify identity C1ABC --json",
            "void --json",
            "confirm --amount 12.50",
            "status --json",
            "run --json",
        ] {
            let words = ["yika-terminal", "--home", "/tmp/home"]
                .into_iter()
                .chain(line.split(' '));
            assert!(Args::try_parse_from(words).is_ok(), "{line}");
        }
    }
}
