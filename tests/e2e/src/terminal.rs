//! A terminal on the command line: enrolled, synced, verifying with the network down, uploading later.

use crate::{Error, Output, Result, binary};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A terminal's home.
#[derive(Clone, Debug)]
pub struct Terminal {
    home: PathBuf,
    options: Vec<String>,
}

/// What a terminal said of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Approved, with everything that it printed.
    Approved(Value),
    /// Refused for this reason.
    Refused(String),
}

impl Terminal {
    /// The terminal that lives in this folder, which need not exist yet.
    pub fn at(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
            options: Vec::new(),
        }
    }

    /// The same terminal with more options before each command, such as those of test builds that move its clock.
    pub fn with_options(&self, options: &[&str]) -> Self {
        let options = self
            .options
            .iter()
            .cloned()
            .chain(options.iter().map(ToString::to_string))
            .collect();
        Self {
            home: self.home.clone(),
            options,
        }
    }

    /// The folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The command with these words, not yet run.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = Command::new(binary("yika-terminal")?);
        command
            .arg("--home")
            .arg(&self.home)
            .args(&self.options)
            .args(words);
        Ok(command)
    }

    /// Runs a command, however it ends.
    pub fn run(&self, words: &[&str]) -> Result<Output> {
        Output::of(&mut self.command(words)?)
    }

    /// Enrols it and fetches its lists.
    pub fn enroll(&self, platform: &str, kind: &str, merchant: Option<&str>) -> Result<()> {
        let merchant = merchant.map_or(vec![], |id| vec!["--merchant", id]);
        self.run(&[&["enroll", "--platform", platform, "--kind", kind], &merchant[..]].concat())?
            .success()?;
        self.sync()
    }

    /// Fetches lists and time.
    pub fn sync(&self) -> Result<()> {
        self.run(&["sync"])?.success().map(drop)
    }

    /// Uploads the journal and returns what it printed.
    pub fn upload(&self) -> Result<Value> {
        self.run(&["upload", "--json"])?.success()?.json()
    }

    /// Takes a payment.
    pub fn pay(&self, amount: &str, code: &str) -> Result<Verdict> {
        self.verdict(self.run(&["verify", "pay", "--amount", amount, "--json", code])?)
    }

    /// Takes a payment under the till's own number for the sale.
    pub fn pay_for(&self, sale: &str, amount: &str, code: &str) -> Result<Verdict> {
        self.verdict(self.run(&[
            "verify", "pay", "--amount", amount, "--sale", sale, "--json", code,
        ])?)
    }

    /// Looks at an identity.
    pub fn identity(&self, code: &str) -> Result<Verdict> {
        self.verdict(self.run(&["verify", "identity", "--json", code])?)
    }

    /// Reads a verdict: exit code and JSON must agree.
    pub fn verdict(&self, output: Output) -> Result<Verdict> {
        let answer = match output.code {
            Some(0 | 1) => output.json()?,
            _ => return Err(output.into_error()),
        };
        match (
            output.code,
            answer["decision"].as_str(),
            answer["reason"].as_str(),
        ) {
            (Some(0), Some("approved"), _) => Ok(Verdict::Approved(answer)),
            (Some(1), Some("refused"), Some(reason)) => Ok(Verdict::Refused(reason.to_owned())),
            _ => Err(Error::answer("exit code and decision differ", answer)),
        }
    }
}

impl Verdict {
    /// What was printed with the approval.
    pub fn approved(self) -> Result<Value> {
        match self {
            Self::Approved(answer) => Ok(answer),
            Self::Refused(reason) => Err(Error::answer("refused", reason)),
        }
    }

    /// The reason of the refusal.
    pub fn refused(self) -> Result<String> {
        match self {
            Self::Refused(reason) => Ok(reason),
            Self::Approved(answer) => Err(Error::answer("approved", answer)),
        }
    }

    /// Whether it was approved.
    pub const fn is_approved(&self) -> bool {
        matches!(self, Self::Approved(_))
    }
}
