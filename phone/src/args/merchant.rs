//! The grammar of the merchant centre.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;
use yika_api::Fen;

use super::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum Merchant {
    /// The stalls at which the holder works.
    Stalls(Look),
    /// What a stall has earned.
    Income {
        #[command(flatten)]
        days: Days,
        #[command(flatten)]
        look: Look,
    },
    /// A stall's sales and refunds, the newest first.
    Payments {
        #[command(flatten)]
        days: Days,
        /// The `cursor` of the page before.
        #[arg(long)]
        after: Option<String>,
        #[command(flatten)]
        look: Look,
    },
    /// What is open, and the settlements, the newest first.
    Statement {
        /// The stall's number; the first of the holder's if absent.
        #[arg(long)]
        stall: Option<u64>,
        /// The `cursor` of the page before.
        #[arg(long)]
        after: Option<String>,
        #[command(flatten)]
        look: Look,
    },
    /// Take the last sale of a terminal back, as if it had not been.
    Void {
        /// The sale.
        payment: Uuid,
        /// The stall's number; the first of the holder's if absent.
        #[arg(long)]
        stall: Option<u64>,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Give a sale back, or a part of it.
    Refund {
        /// The sale.
        payment: Uuid,
        /// How much, in yuan.
        amount: Fen,
        /// The stall's number; the first of the holder's if absent.
        #[arg(long)]
        stall: Option<u64>,
        /// Why.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Voids and refunds that wait for an answer.
    Waiting {
        /// Forget this one.
        #[arg(long, value_name = "ID")]
        discard: Option<Uuid>,
        #[command(flatten)]
        output: Output,
    },
    /// Write a stall's numbers to a file.
    Export {
        #[command(flatten)]
        days: Days,
        /// The file.
        #[arg(long)]
        out: PathBuf,
        /// What to write down.
        #[arg(long, default_value = "income")]
        what: What,
        /// In which form; as the file's name ends if absent.
        #[arg(long)]
        format: Option<Format>,
        #[command(flatten)]
        output: Output,
    },
}

/// Whose, and when.
#[derive(Clone, Debug, Args)]
pub(crate) struct Days {
    /// The stall's number; the first of the holder's if absent.
    #[arg(long)]
    pub(crate) stall: Option<u64>,
    /// The first day, yyyy-mm-dd in the school's time zone; today if absent.
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// The last day; the first one too if absent.
    #[arg(long)]
    pub(crate) to: Option<String>,
    /// Only what this terminal sold.
    #[arg(long)]
    pub(crate) terminal: Option<u64>,
}

/// Whether to ask, and how to say it.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Look {
    /// Show what was told last, without the network.
    #[arg(long)]
    pub(crate) known: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum What {
    /// Income by day, terminal, kind and hour.
    Income,
    /// Each sale and each refund.
    Payments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Comma-separated values.
    Csv,
    /// A workbook of Excel.
    Xlsx,
}
