//! What an operator does beside the servers for the card office: import, staff, keys, the log.

use super::Store;
use clap::{Args, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
use yika_format::lists;
use yika_platform::{Error, ImportFiles, ImportReport, Role};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[derive(Args)]
pub(super) struct Import {
    /// `number,name,class`; the class is student, staff, visitor or other.
    #[arg(long, value_name = "FILE")]
    holders: Option<PathBuf>,
    /// `number,slot,name_zh,name_en,balance`; the balance, in yuan, is what a new account begins with.
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// `id,name_zh,name_en,default_for`; the last is pos, library or empty.
    #[arg(long, value_name = "FILE")]
    merchants: Option<PathBuf>,
    /// `label,kind,merchant`; the kind is pos, gate or library. The code for each is printed.
    #[arg(long, value_name = "FILE")]
    terminals: Option<PathBuf>,
    /// Only says what would come of it.
    #[arg(long)]
    trial: bool,
    #[command(flatten)]
    store: Store,
}

impl Import {
    /// Says whether everything was right.
    pub(super) async fn run(self) -> Result<bool, Error> {
        let read = |path: Option<PathBuf>| path.map(std::fs::read).transpose();
        let files = ImportFiles {
            holders: read(self.holders)?,
            accounts: read(self.accounts)?,
            merchants: read(self.merchants)?,
            terminals: read(self.terminals)?,
        };
        let platform = self.store.open().await?;
        let report = platform.admin().import(&files, self.trial).await;
        platform.close().await;
        let report = report?;
        for fault in &report.faults {
            eprintln!("{fault}");
        }
        if !report.faults.is_empty() {
            eprintln!("nothing was imported: {} lines are wrong", report.faults.len());
            return Ok(false);
        }
        print_report(&report, self.trial)?;
        Ok(true)
    }
}

fn print_report(report: &ImportReport, is_trial: bool) -> Result<(), Error> {
    eprintln!("holders: {}", report.holders);
    eprintln!("accounts: {}", report.accounts);
    eprintln!("merchants: {}", report.merchants);
    eprintln!(
        "terminals: {} to enrol, {} enrolled already",
        report.terminals.len(),
        report.enrolled
    );
    if is_trial {
        eprintln!("a trial: nothing was kept");
        return Ok(());
    }
    if report.terminals.is_empty() {
        return Ok(());
    }
    let rows = report.terminals.iter().map(|terminal| {
        let merchant = terminal.merchant.map(|merchant| merchant.0.to_string());
        [
            terminal.label.clone(),
            merchant.unwrap_or_default(),
            terminal.code.clone(),
        ]
    });
    print_csv(["label", "merchant", "code"], rows)
}

fn print_csv<const N: usize>(
    heading: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<(), Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let unwritable = |error: csv::Error| Error::Io(error.into());
    table.write_record(heading).map_err(unwritable)?;
    for row in rows {
        table.write_record(row).map_err(unwritable)?;
    }
    let bytes = table
        .into_inner()
        .map_err(|error| Error::Io(error.into_error()))?;
    Ok(std::io::stdout().write_all(&bytes)?)
}

#[derive(Args)]
pub(super) struct RotateIssuer {
    /// What the key signs.
    #[arg(long, default_value = "credential", value_parser = ["credential", "table", "time"])]
    role: String,
    /// In how many days it begins to sign. Terminals and phones that were not online until then don't know it yet.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=365))]
    starts_in_days: u16,
    /// The credential key was stolen: a new one takes its place at once, and no credential signed by the old one holds any more once
    /// terminals have heard.
    #[arg(long, conflicts_with_all = ["role", "starts_in_days"])]
    stolen: bool,
    #[command(flatten)]
    store: Store,
}

impl RotateIssuer {
    pub(super) async fn run(self) -> Result<(), Error> {
        let role = match self.role.as_str() {
            "table" => lists::Role::Table,
            "time" => lists::Role::Time,
            _ => lists::Role::Credential,
        };
        let platform = self.store.open().await?;
        let starts_at = platform
            .now()
            .plus_millis(i64::from(self.starts_in_days) * DAY_MS);
        let rotated = match self.stolen {
            true => platform.admin().replace_credential_key().await,
            false => platform.admin().rotate_key(role, starts_at).await,
        };
        platform.close().await;
        let rotated = rotated?;
        println!(
            "key {} signs from {} on (Unix milliseconds); {} older struck out. Copy its file to every server before.",
            rotated.id, rotated.starts_at.0, rotated.dropped
        );
        Ok(())
    }
}

#[derive(Subcommand)]
pub(super) enum Staff {
    /// Gives somebody a role.
    Grant(Granted),
    /// Takes a role away.
    Revoke(Granted),
    /// Prints everybody with their roles.
    List(Store),
}

#[derive(Args)]
pub(super) struct Granted {
    /// The staff number.
    number: String,
    /// clerk, accountant, administrator or auditor.
    #[arg(value_parser = role)]
    role: Role,
    #[command(flatten)]
    store: Store,
}

fn role(name: &str) -> Result<Role, String> {
    Role::of_name(name).ok_or_else(|| format!("a role is one of {}", Role::ALL.map(Role::name).join(", ")))
}

impl Staff {
    pub(super) async fn run(self) -> Result<(), Error> {
        match self {
            Self::Grant(Granted { number, role, store }) => {
                let platform = store.open().await?;
                let granted = platform.admin().grant_role(&number, role).await;
                platform.close().await;
                println!("{}", if granted? { "granted" } else { "had it already" });
            }
            Self::Revoke(Granted { number, role, store }) => {
                let platform = store.open().await?;
                let revoked = platform.admin().revoke_role(&number, role).await;
                platform.close().await;
                println!("{}", if revoked? { "revoked" } else { "did not have it" });
            }
            Self::List(store) => {
                let platform = store.open().await?;
                let staff = platform.admin().staff().await;
                platform.close().await;
                for member in staff? {
                    let roles: Vec<&str> = member.roles.iter().map(|role| role.name()).collect();
                    println!("{}\t{}\t{}", member.number, member.name, roles.join(","));
                }
            }
        }
        Ok(())
    }
}

#[derive(Args)]
pub(super) struct Log {
    /// Only what was done to this holder.
    #[arg(long, value_name = "NUMBER")]
    about: Option<String>,
    /// Only what came before this entry.
    #[arg(long, value_name = "ID")]
    before: Option<u64>,
    #[command(flatten)]
    store: Store,
}

impl Log {
    pub(super) async fn run(self) -> Result<(), Error> {
        let platform = self.store.open().await?;
        let events = platform.admin().log(self.before, self.about.as_deref()).await;
        platform.close().await;
        let rows = events?.into_iter().map(|event| {
            [
                event.id.to_string(),
                event.at.0.to_string(),
                event.actor.unwrap_or_else(|| "operator".to_owned()),
                event.action.name().to_owned(),
                event.subject.unwrap_or_default(),
                event.detail,
            ]
        });
        print_csv(["id", "at", "by", "action", "subject", "detail"], rows)
    }
}
