//! One of Yika's programs with the folder that it lives in: what phone, terminal and sandbox have in common.

use crate::{Output, Result, binary};
use serde_json::Value;
use std::ffi::OsString;
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which program it is.
pub trait Kind {
    /// The binary's name.
    const BINARY: &'static str;
    /// The option that takes its folder.
    const HOME_OPTION: &'static str;
}

/// A program of one kind, its folder, and what every start of it is given. Starts nothing by itself.
pub struct Program<K> {
    home: PathBuf,
    launcher: Vec<OsString>,
    options: Vec<String>,
    environment: Vec<(String, String)>,
    kind: PhantomData<K>,
}

// By hand: derived ones would ask the same of `K`, of which there is no value.
impl<K> Clone for Program<K> {
    fn clone(&self) -> Self {
        Self {
            home: self.home.clone(),
            launcher: self.launcher.clone(),
            options: self.options.clone(),
            environment: self.environment.clone(),
            kind: PhantomData,
        }
    }
}

impl<K: Kind> fmt::Debug for Program<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(K::BINARY)
            .field("home", &self.home)
            .field("launcher", &self.launcher)
            .field("options", &self.options)
            .field("environment", &self.environment)
            .finish()
    }
}

impl<K: Kind> Program<K> {
    /// The program that lives in this folder, which need not exist yet.
    pub fn at(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
            launcher: Vec::new(),
            options: Vec::new(),
            environment: Vec::new(),
            kind: PhantomData,
        }
    }

    /// The same with more options before each command, such as those of test builds that move its clocks.
    #[must_use]
    pub fn with_options(&self, options: &[&str]) -> Self {
        let mut changed = self.clone();
        changed.options.extend(options.iter().map(ToString::to_string));
        changed
    }

    /// The same with these variables in its environment.
    #[must_use]
    pub fn with_environment<T: AsRef<str>>(&self, variables: &[(&str, T)]) -> Self {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_ref().to_owned()));
        let mut changed = self.clone();
        changed.environment.extend(variables);
        changed
    }

    /// The same, started by another program: `unshare` and the like, with its arguments.
    #[must_use]
    pub fn through(&self, launcher: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            launcher: launcher.into_iter().map(Into::into).collect(),
            ..self.clone()
        }
    }

    /// The folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The command with these words, not yet run.
    pub fn command<T: AsRef<str>>(&self, words: &[T]) -> Result<Command> {
        let program = binary(K::BINARY)?;
        let mut command = match self.launcher.split_first() {
            None => Command::new(program),
            Some((launcher, arguments)) => {
                let mut command = Command::new(launcher);
                command.args(arguments).arg(program);
                command
            }
        };
        command
            .arg(K::HOME_OPTION)
            .arg(&self.home)
            .args(&self.options)
            .args(words.iter().map(AsRef::as_ref))
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// Runs a command to its end, however it ends.
    pub fn run(&self, words: &[&str]) -> Result<Output> {
        Output::of(&mut self.command(words)?)
    }

    /// The same with these lines on standard input.
    pub fn tell(&self, words: &[&str], lines: &[&str]) -> Result<Output> {
        let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
        Output::fed(&mut self.command(words)?, &input)
    }

    /// What a `--json` command prints.
    pub fn json(&self, words: &[&str]) -> Result<Value> {
        self.run(&[words, &["--json"]].concat())?.success()?.json()
    }

    /// Fetches what the platform has that is new.
    pub fn sync(&self) -> Result<()> {
        self.run(&["sync"])?.success().map(drop)
    }
}
