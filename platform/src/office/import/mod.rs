//! The import of what a school has: holders, accounts, merchants and terminals, as CSV files. All of it is taken or nothing, with
//! a word on every line that is wrong. What is there already stays, so that a file may be imported again with more in it.

mod apply;
mod rows;
mod table;
#[cfg(test)]
mod tests;

use super::log::{Action, record};
use crate::admin::Admin;
use crate::db::{TransactionError, transact};
use crate::error::{Error, Result};
use std::fmt;
use yika_api::terminal::{MerchantId, TerminalKind};

/// The files, as bytes in UTF-8. Absent ones bring nothing.
#[derive(Clone, Debug, Default)]
pub struct ImportFiles {
    /// `number,name,class`: the class is `student`, `staff`, `visitor` or `other`.
    pub holders: Option<Vec<u8>>,
    /// `number,slot,name_zh,name_en,balance`: the balance, in yuan, is what a new account begins with.
    pub accounts: Option<Vec<u8>>,
    /// `id,name_zh,name_en,default_for`: the last is `pos`, `library` or empty.
    pub merchants: Option<Vec<u8>>,
    /// `label,kind,merchant`: `pos`, `gate` or `library`; the merchant's number, or empty.
    pub terminals: Option<Vec<u8>>,
}

/// One of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImportKind {
    /// People.
    Holders,
    /// Their accounts.
    Accounts,
    /// Who earns.
    Merchants,
    /// Where.
    Terminals,
}

impl fmt::Display for ImportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holders => "holders",
            Self::Accounts => "accounts",
            Self::Merchants => "merchants",
            Self::Terminals => "terminals",
        })
    }
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// In which file.
    pub file: ImportKind,
    /// Its number in the file, as an editor counts: the heading is line 1.
    pub line: u64,
    /// What, and what to write instead.
    pub why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}", self.file, self.line, self.why)
    }
}

/// How many lines of a file came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// New.
    pub added: u64,
    /// There, and other than in the file: now as in the file.
    pub changed: u64,
    /// There.
    pub unchanged: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            added,
            changed,
            unchanged,
        } = self;
        write!(f, "{added} added, {changed} changed, {unchanged} as before")
    }
}

/// A terminal that may be enrolled now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTerminal {
    /// What it will be called.
    pub label: String,
    /// What it stands for.
    pub kind: TerminalKind,
    /// For whom it will take payments; the default for its kind if absent.
    pub merchant: Option<MerchantId>,
    /// With which it enrols, once, within thirty days. It is shown here and never again.
    pub code: String,
}

/// What an import did, or why it did nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// People.
    pub holders: Counts,
    /// Their accounts.
    pub accounts: Counts,
    /// Who earns.
    pub merchants: Counts,
    /// Terminals of that name that are enrolled already.
    pub enrolled: u64,
    /// The others. A code made for one earlier enrols it no more.
    pub terminals: Vec<PlannedTerminal>,
    /// What is wrong, by file and line. If there is anything, nothing was imported.
    pub faults: Vec<Fault>,
}

/// How an import's transaction may end without a commit.
enum End {
    Failed(Error),
    Nothing(ImportReport),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl TransactionError for End {
    fn database_error(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Failed(error) => error.database_error(),
            Self::Nothing(_) => None,
        }
    }
}

impl Admin<'_> {
    /// Imports the files, or says what is wrong with them. A trial (`is_trial`) does everything and keeps nothing of it.
    ///
    /// # Errors
    /// Where the database fails. What is wrong with the files is in the report.
    pub async fn import(&self, files: &ImportFiles, is_trial: bool) -> Result<ImportReport> {
        let rows = rows::read(files);
        let done: std::result::Result<ImportReport, End> = transact!(self.platform().db().writer(), |tx| {
            let report = apply::apply(tx, self, &rows).await?;
            if is_trial || !report.faults.is_empty() {
                return Err(End::Nothing(report));
            }
            let detail = format!(
                "holders: {}; accounts: {}; merchants: {}; terminals: {} to enrol",
                report.holders,
                report.accounts,
                report.merchants,
                report.terminals.len()
            );
            record(tx, self.actor(), Action::Imported, (None, detail), self.now()).await?;
            Ok(report)
        });
        match done {
            Ok(report) | Err(End::Nothing(report)) => Ok(report),
            Err(End::Failed(error)) => Err(error),
        }
    }
}
