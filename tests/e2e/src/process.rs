//! Finding the workspace's binaries and running them to their end.

use crate::{Error, Result};
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The path of a binary of this workspace, built into the same profile as the caller.
pub fn binary(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe().map_err(Error::io("finding this executable"))?;
    // A test lives in `target/<profile>/deps`, a program in `target/<profile>`.
    let dirs = own.ancestors().skip(1).take(2);
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    dirs.map(|dir| dir.join(&file))
        .find(|path| path.is_file())
        .ok_or_else(|| Error::BinaryMissing {
            name: name.to_owned(),
            dir: own
                .parent()
                .map(|dir| dir.display().to_string())
                .unwrap_or_default(),
        })
}

/// A command as it is typed, for messages.
pub(crate) fn command_line(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect();
    words.join(" ")
}

/// What a command left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; `None` for a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Runs a command to its end, without standard input.
    pub fn of(command: &mut Command) -> Result<Self> {
        let text = command_line(command);
        let output = command.stdin(Stdio::null()).output();
        Ok(Self::left(
            text.clone(),
            &output.map_err(Error::io(format!("starting `{text}`")))?,
        ))
    }

    /// Runs a command to its end with this on standard input.
    pub fn fed(command: &mut Command, input: &str) -> Result<Self> {
        let text = command_line(command);
        let doing = || format!("running `{text}`");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Error::io(doing()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // Who ends without having read it all is a case of its own: the output tells.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(Error::io(doing()))?;
        Ok(Self::left(text, &output))
    }

    fn left(command: String, output: &std::process::Output) -> Self {
        Self {
            command,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, if the exit code is 0.
    pub fn success(self) -> Result<Self> {
        if self.code == Some(0) {
            Ok(self)
        } else {
            Err(self.into_error())
        }
    }

    /// Standard output as one JSON value.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.stdout)
            .map_err(|_| Error::answer(format!("no JSON from `{}`", self.command), &self.stdout))
    }

    /// The one line on standard output.
    pub fn line(&self) -> String {
        self.stdout.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// The stable code that the last line on standard error begins with, `code: text`.
    pub fn complaint(&self) -> String {
        let last = self.stderr.lines().next_back().unwrap_or_default();
        last.split(':').next().unwrap_or_default().to_owned()
    }

    /// An error that shows everything.
    pub fn into_error(self) -> Error {
        Error::Command {
            command: self.command,
            code: self.code,
            stdout: self.stdout,
            stderr: self.stderr,
        }
    }
}
