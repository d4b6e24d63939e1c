//! The command line's grammar.

mod lost;
mod merchant;
mod money;

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use url::Url;
use uuid::Uuid;
use yika_api::Fen;
use yika_core::face::PORTRAIT_BYTES;
use yika_format::PublicKey;

use crate::clock::PhoneClock;

pub(crate) use lost::{Devices, DevicesAct, Item, Lost, LostAct, Proof, What};
pub(crate) use merchant::{Days, Format, Look, Merchant, What as StallFile};
pub(crate) use money::{
    AutoTopUp, BillFilter, Confirmation, Dispute, Limits, Month, Operations, Reason, Source, TopUp, Utility,
    Wallet,
};

/// A phone that is a campus card.
#[derive(Debug, Parser)]
#[command(name = "yika-phone", version, about)]
pub(crate) struct Arguments {
    /// The folder that this phone lives in; made if it isn't there.
    #[arg(long)]
    pub(crate) home: PathBuf,
    /// Authorities that vouch for the platform, as PEM, instead of public ones: for commands that use the network.
    #[arg(long, value_name = "FILE", env = "YIKA_CA_FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) clock: PhoneClock,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bind to the card of a student of a sandbox, with the token of the sandbox's host.
    Bind {
        /// The platform's address.
        #[arg(long)]
        platform: Url,
        /// The student's number.
        #[arg(long)]
        student: String,
        /// The school's root key, 66 hexadecimal digits; without it, the platform's word is pinned.
        #[arg(long)]
        root_key: Option<PublicKey>,
        /// The root key of the school's bank, 66 hexadecimal digits; without it, the platform's word is pinned.
        #[arg(long)]
        bank_root_key: Option<PublicKey>,
    },
    /// Show the next code. Never uses the network.
    #[command(subcommand)]
    Code(Code),
    /// Bring time, credential, operations, balances, bills and wallet up to date.
    Sync(Output),
    /// The accounts with their balances, as last told.
    Accounts(Output),
    /// Set below which balance of an account to be told.
    LowBalance {
        /// The account, by its id or its slot 1–8.
        account: AccountName,
        /// The balance; at none if absent.
        below: Option<Fen>,
        #[command(flatten)]
        output: Output,
    },
    /// Have an account topped up by itself, or not any more.
    AutoTopup(AutoTopUp),
    /// Bills, as last told.
    Bills(BillFilter),
    /// Move money onto a card account.
    Topup(TopUp),
    /// The e-wallet.
    #[command(subcommand)]
    Wallet(Wallet),
    /// Operations on money, newest first.
    Operations(Operations),
    /// The limits of payments; with both of them given, set.
    Limits(Limits),
    /// Dispute a payment, or take a dispute back.
    Dispute(Dispute),
    /// Electricity and network accounts.
    #[command(subcommand)]
    Utility(Utility),
    /// Report the card, a phone or everything lost, and found again.
    Lost(Lost),
    /// The phones that the card is on.
    Devices(Devices),
    /// The stalls at which the holder works: what they earn, and giving money back.
    #[command(subcommand)]
    Merchant(Merchant),
    /// Face photos. Needs no card, and leaves the home alone.
    #[command(subcommand)]
    Face(Face),
    /// Whether a card is bound, and how long its codes last.
    Status(Output),
    /// Forget the card: keys, codes, balances, bills. Works without a network too.
    SignOut,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Face {
    /// Say whether a photo will do, and what to change.
    Check {
        /// A JPEG, PNG or WebP file.
        file: PathBuf,
        #[command(flatten)]
        output: Output,
    },
    /// Make the portrait that gates get, of any photo with a face.
    Normalise {
        /// A JPEG, PNG or WebP file.
        file: PathBuf,
        /// Where to write it, in JPEG.
        #[arg(long)]
        out: PathBuf,
        /// How large the file may be.
        #[arg(long, default_value_t = PORTRAIT_BYTES)]
        max_bytes: usize,
        #[command(flatten)]
        output: Output,
    },
    /// Send the portrait of a photo to the school, after the holder has agreed to the text that `face status` shows.
    Upload {
        /// A JPEG, PNG or WebP file.
        file: PathBuf,
        /// Agree to this version of the text.
        #[arg(long, value_name = "VERSION")]
        agree: Option<u32>,
        /// Send it although it will not do: a person at the school looks at it.
        #[arg(long)]
        manual: bool,
        /// Send it although one is on file: it takes its place once it is accepted.
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Tell how the photo at the school stands, and what there is to agree to.
    Status(Output),
    /// Take the consent back: the photo is deleted everywhere.
    Withdraw(Output),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Code {
    /// A payment code.
    Pay {
        /// The account that pays, by its id or its slot 1–8; the default one if absent.
        #[arg(long)]
        account: Option<AccountName>,
        #[command(flatten)]
        drawing: Drawing,
    },
    /// An identity code.
    Identity {
        #[command(flatten)]
        drawing: Drawing,
    },
}

/// How a code is put out. Without any of these it is drawn in the terminal.
#[derive(Debug, Args)]
pub(crate) struct Drawing {
    /// The form; by turns, as a phone shows it, if absent.
    #[arg(long)]
    pub(crate) form: Option<Form>,
    /// Write a PNG, quiet zone included.
    #[arg(long, value_name = "FILE")]
    pub(crate) png: Option<PathBuf>,
    /// Write an SVG, quiet zone included.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Print what is in the code, as a scanner would type it.
    #[arg(long)]
    pub(crate) text: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Form {
    /// For terminals that have the table.
    Short,
    /// For all terminals.
    Full,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Output {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// An account as a person names it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AccountName {
    Id(Uuid),
    Slot(u8),
}

impl FromStr for AccountName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text.parse(), text.parse()) {
            (Ok(slot), _) => Ok(Self::Slot(slot)),
            (_, Ok(id)) => Ok(Self::Id(id)),
            _ => Err("neither an account's id nor a slot 1–8".to_owned()),
        }
    }
}
