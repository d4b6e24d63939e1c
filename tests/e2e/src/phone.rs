//! A phone on the command line: one home, driven as a person would type.

use crate::{Output, Result, binary};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a code is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// `code pay`.
    Pay,
    /// `code identity`.
    Identity,
}

/// A phone's home.
#[derive(Clone, Debug)]
pub struct Phone {
    home: PathBuf,
    options: Vec<String>,
}

impl Phone {
    /// The phone that lives in this folder, which need not exist yet.
    pub fn at(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
            options: Vec::new(),
        }
    }

    /// The same phone with more options before each command, such as those of test builds that move its clocks.
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
        let mut command = Command::new(binary("yika-phone")?);
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

    /// Binds to the card of this student with the sandbox host's token.
    pub fn bind(&self, platform: &str, student: &str) -> Result<()> {
        self.run(&["bind", "--platform", platform, "--student", student])?
            .success()
            .map(drop)
    }

    /// The text of the next code, in short form unless the options name another.
    pub fn code(&self, usage: Use, options: &[&str]) -> Result<String> {
        let usage = match usage {
            Use::Pay => "pay",
            Use::Identity => "identity",
        };
        let form: &[&str] = if options.contains(&"--form") {
            &[]
        } else {
            &["--form", "short"]
        };
        let words = [&["code", usage, "--text"], form, options].concat();
        Ok(self
            .run(&words)?
            .success()?
            .stdout
            .trim_end_matches(['\r', '\n'])
            .to_owned())
    }

    /// Brings everything up to date.
    pub fn sync(&self) -> Result<()> {
        self.run(&["sync"])?.success().map(drop)
    }

    /// What a `--json` command prints.
    pub fn json(&self, words: &[&str]) -> Result<Value> {
        self.run(&[words, &["--json"]].concat())?.success()?.json()
    }
}
