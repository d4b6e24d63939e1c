//! The grammar of commands about money. Amounts are yuan as people write them, such as `12.50`; secrets are read from standard
//! input, one a line, and never stand on a command line, which others on the machine can see.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use uuid::Uuid;
use yika_api::Fen;

use super::{AccountName, Output};

/// A top-up of a card account.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("how_much").required(true)))]
pub(crate) struct TopUp {
    /// How much arrives.
    #[arg(group = "how_much")]
    pub(crate) amount: Option<Fen>,
    /// As much as brings the account to this balance.
    #[arg(long, group = "how_much", value_name = "BALANCE")]
    pub(crate) to: Option<Fen>,
    /// The account, by its id or its slot 1–8; the first one if absent.
    #[arg(long)]
    pub(crate) account: Option<AccountName>,
    /// What pays; the wallet, and the default bank card for what is short, if absent.
    #[arg(long)]
    pub(crate) from: Option<Source>,
    #[command(flatten)]
    pub(crate) confirmation: Confirmation,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Source {
    /// The wallet alone.
    Wallet,
    /// The default bank card alone.
    Card,
}

/// How an operation is confirmed and followed.
#[derive(Debug, Args)]
pub(crate) struct Confirmation {
    /// Read the payment password from standard input.
    #[arg(long, required_unless_present = "dry_run")]
    pub(crate) password_stdin: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Wait until the operation has ended.
    #[arg(long)]
    pub(crate) wait: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// The e-wallet.
#[derive(Debug, Subcommand)]
pub(crate) enum Wallet {
    /// How it stands, as last told.
    Show(Output),
    /// Open it, accepting the terms of that version.
    Open {
        /// The version that `wallet show` tells.
        #[arg(long, value_name = "VERSION")]
        accept_terms: u32,
        #[command(flatten)]
        secrets: Secrets,
    },
    /// The bound cards; or make one the default, or unbind one.
    Cards {
        /// Make this card the default.
        #[arg(long, value_name = "ID", conflicts_with = "unbind")]
        default: Option<Uuid>,
        /// Unbind this card.
        #[arg(long, value_name = "ID")]
        unbind: Option<Uuid>,
        #[command(flatten)]
        output: Output,
    },
    /// Bind a debit card: first its data, then, with `--confirm`, the code of the bank's message.
    Bind {
        /// The binding that the first step printed.
        #[arg(long, value_name = "ID")]
        confirm: Option<Uuid>,
        #[command(flatten)]
        secrets: Secrets,
    },
    /// Money off a bank card into the wallet.
    Recharge {
        /// How much.
        amount: Fen,
        /// The card; the default one if absent.
        #[arg(long)]
        card: Option<Uuid>,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Money out of the wallet onto a bank card.
    Withdraw {
        /// How much; all that is free if absent.
        amount: Option<Fen>,
        /// The card; the default one if absent.
        #[arg(long)]
        card: Option<Uuid>,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// The limits of top-ups; with both of them given, set.
    Limits(Limits),
    /// The wallet's bills.
    Transactions(BillFilter),
    /// Change the payment password; with `--forgotten` by the identity data.
    Password {
        /// Without the password that holds now.
        #[arg(long)]
        forgotten: bool,
        #[command(flatten)]
        secrets: Secrets,
    },
    /// Close it.
    Close {
        /// Read the payment password from standard input.
        #[arg(long, required = true)]
        password_stdin: bool,
        #[command(flatten)]
        output: Output,
    },
}

/// Secrets of a command, read from standard input.
#[derive(Debug, Args)]
pub(crate) struct Secrets {
    /// Read them from standard input, one a line; the README says which.
    #[arg(long, required = true)]
    pub(crate) secrets_stdin: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Limits to be looked at or set.
#[derive(Debug, Args)]
pub(crate) struct Limits {
    /// The most at once.
    #[arg(long, requires = "day")]
    pub(crate) single: Option<Fen>,
    /// The most of a day.
    #[arg(long, requires = "single")]
    pub(crate) day: Option<Fen>,
    /// Read the payment password from standard input: raising a limit takes it.
    #[arg(long)]
    pub(crate) password_stdin: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// When an account is topped up by itself. Without a rule and without `--off` it is only shown.
#[derive(Debug, Args)]
pub(crate) struct AutoTopUp {
    /// The account, by its id or its slot 1–8.
    pub(crate) account: AccountName,
    /// Below which balance.
    #[arg(long, value_name = "BALANCE", conflicts_with = "off", requires_all = ["add", "day_cap", "agree", "password_stdin"])]
    pub(crate) below: Option<Fen>,
    /// What arrives each time.
    #[arg(long, value_name = "AMOUNT", requires = "below")]
    pub(crate) add: Option<Fen>,
    /// The most of a day.
    #[arg(long, value_name = "AMOUNT", requires = "below")]
    pub(crate) day_cap: Option<Fen>,
    /// Agree that the school takes so much, from the wallet and then off the default bank card, without asking again, until you
    /// end it.
    #[arg(long, requires = "below")]
    agree: bool,
    /// Read the payment password from standard input.
    #[arg(long, requires = "below")]
    password_stdin: bool,
    /// End the rule.
    #[arg(long)]
    pub(crate) off: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// A payment to be disputed.
#[derive(Debug, Args)]
pub(crate) struct Dispute {
    /// The bill's id.
    #[arg(required_unless_present_any = ["withdraw", "drafts", "discard"])]
    pub(crate) payment: Option<Uuid>,
    /// What is wrong.
    #[arg(long, required_unless_present_any = ["withdraw", "drafts", "discard"])]
    pub(crate) reason: Option<Reason>,
    /// What there is to say, at most 500 characters; needed for `other`.
    #[arg(long, default_value = "")]
    pub(crate) text: String,
    /// Take back this dispute, by the id that its bill tells.
    #[arg(long, value_name = "ID", conflicts_with_all = ["payment", "reason"])]
    pub(crate) withdraw: Option<Uuid>,
    /// Show what waits for a network, and what was refused when there was one.
    #[arg(long, conflicts_with_all = ["payment", "reason", "withdraw"])]
    pub(crate) drafts: bool,
    /// Forget one of those.
    #[arg(long, value_name = "ID", conflicts_with_all = ["payment", "reason", "withdraw", "drafts"])]
    pub(crate) discard: Option<Uuid>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Reason {
    /// Another amount was agreed on.
    WrongAmount,
    /// It was charged twice.
    Twice,
    /// Somebody else paid there.
    NotMe,
    /// Something else; say it with `--text`.
    Other,
}

/// Electricity and network accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum Utility {
    /// The bound places, and what is left there.
    List(Output),
    /// Who sells what places use.
    Providers(Output),
    /// A provider's places, such as its buildings, or the rooms of one.
    Places {
        /// The provider's code.
        provider: String,
        /// The code of the place whose parts are wanted.
        #[arg(long, value_name = "CODE")]
        below: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// Remember a place.
    Bind {
        /// The provider's code.
        provider: String,
        /// The place's code.
        code: String,
        #[command(flatten)]
        output: Output,
    },
    /// Forget a place.
    Unbind {
        /// The binding.
        place: Uuid,
        #[command(flatten)]
        output: Output,
    },
    /// Pay for a place.
    Pay {
        /// The binding.
        place: Uuid,
        /// How much.
        amount: Fen,
        /// The card account that pays, by its id or its slot 1–8.
        #[arg(long, conflicts_with = "from")]
        account: Option<AccountName>,
        /// What pays by way of the bank; the wallet, and the default bank card for what is short, if neither is given.
        #[arg(long)]
        from: Option<Source>,
        /// Read the payment password from standard input: paying by way of the bank takes it, and so does a card account above
        /// your own limits.
        #[arg(long, required_unless_present_any = ["dry_run", "account"])]
        password_stdin: bool,
        /// Show what would be done, and do nothing.
        #[arg(long)]
        dry_run: bool,
        /// Wait until the operation has ended.
        #[arg(long)]
        wait: bool,
        #[command(flatten)]
        output: Output,
    },
}

/// Operations on money.
#[derive(Debug, Args)]
pub(crate) struct Operations {
    /// Follow this one until it has ended.
    #[arg(long, value_name = "ID", conflicts_with = "cancel")]
    pub(crate) watch: Option<Uuid>,
    /// Take back this one, which was never sent.
    #[arg(long, value_name = "ID")]
    pub(crate) cancel: Option<Uuid>,
    /// At most so many, 1–500.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) limit: u16,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Which bills, and how.
#[derive(Debug, Args)]
pub(crate) struct BillFilter {
    /// Those of a month, such as 2026-11, in the school's time zone; the newest ones if absent.
    #[arg(long)]
    pub(crate) month: Option<Month>,
    /// Those of an account, by its id or its slot 1–8; of all if absent.
    #[arg(long)]
    pub(crate) account: Option<AccountName>,
    /// Those with this text in the merchant's name, the terminal's label or the reference.
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// At most so many, 1–500.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub(crate) limit: u16,
    /// Write all of them as a table for spreadsheets.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// A month, as `2026-11`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Month(pub(crate) Date);

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        format!("{text}-01")
            .parse()
            .map(Self)
            .map_err(|_| "write the month as 2026-11".to_owned())
    }
}
