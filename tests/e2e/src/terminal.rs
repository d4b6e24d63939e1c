//! A terminal on the command line: enrolled, synced, verifying with the network down, uploading later.

use crate::program::{Kind, Program};
use crate::{Error, Output, Result};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

/// That a program is a terminal.
#[derive(Clone, Copy, Debug)]
pub struct TerminalKind;

impl Kind for TerminalKind {
    const BINARY: &'static str = "yika-terminal";
    const HOME_OPTION: &'static str = "--home";
}

/// A terminal.
pub type Terminal = Program<TerminalKind>;

/// What a terminal said of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Approved, with everything that it printed.
    Approved(Value),
    /// Refused for this reason.
    Refused(String),
}

impl Terminal {
    /// Enrols it and fetches its lists.
    pub fn enroll(&self, platform: &str, kind: &str, merchant: Option<&str>) -> Result<()> {
        let merchant = merchant.map_or(vec![], |id| vec!["--merchant", id]);
        self.run(&[&["enroll", "--platform", platform, "--kind", kind], &merchant[..]].concat())?
            .success()?;
        self.sync()
    }

    /// Uploads the journal and returns what it printed.
    pub fn upload(&self) -> Result<Value> {
        self.json(&["upload"])
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

    /// Takes the last payment back and returns what it printed, `decision` and all.
    pub fn void(&self) -> Result<Value> {
        self.decision(self.run(&["void", "--json"])?)
    }

    /// Looks at an identity.
    pub fn identity(&self, code: &str) -> Result<Verdict> {
        self.verdict(self.run(&["verify", "identity", "--json", code])?)
    }

    /// Opens it for requests line by line.
    pub fn keep_open(&self) -> Result<OpenTerminal> {
        let mut command = self.command(&["run", "--json"])?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(Error::io("starting a terminal"))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(requests), Some(answers)) => Ok(OpenTerminal {
                requests,
                answers: BufReader::new(answers),
                child,
            }),
            _ => Err(Error::answer("a terminal without input or output", child.id())),
        }
    }

    /// Reads a verdict: exit code and JSON must agree.
    pub fn verdict(&self, output: Output) -> Result<Verdict> {
        let answer = self.decision(output)?;
        match (answer["decision"].as_str(), answer["reason"].as_str()) {
            (Some("approved"), _) => Ok(Verdict::Approved(answer)),
            (Some("refused"), Some(reason)) => Ok(Verdict::Refused(reason.to_owned())),
            _ => Err(Error::answer("not a verdict", answer)),
        }
    }

    /// Reads a decision of any kind: refused is exit code 1, all others are 0.
    pub fn decision(&self, output: Output) -> Result<Value> {
        let answer = match output.code {
            Some(0 | 1) => output.json()?,
            _ => return Err(output.into_error()),
        };
        match (output.code, &answer["decision"]) {
            (Some(1), decision) if decision == "refused" => Ok(answer),
            (Some(0), decision) if decision != "refused" => Ok(answer),
            _ => Err(Error::answer("exit code and decision differ", answer)),
        }
    }

    /// Runs a command that can't be done, and returns its exit code with the `error` that it names.
    pub fn failure(&self, words: &[&str]) -> Result<(Option<i32>, String)> {
        let output = self.run(&[words, &["--json"]].concat())?;
        let answer = output.json()?;
        match answer["error"].as_str() {
            Some(error) => Ok((output.code, error.to_owned())),
            None => Err(output.into_error()),
        }
    }
}

/// A terminal that one process keeps open. It ends when this is dropped.
#[derive(Debug)]
pub struct OpenTerminal {
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    child: Child,
}

impl OpenTerminal {
    /// Sends a request and returns its answer.
    pub fn ask(&mut self, request: &Value) -> Result<Value> {
        let mut answer = String::new();
        writeln!(self.requests, "{request}")
            .and_then(|()| self.requests.flush())
            .and_then(|()| self.answers.read_line(&mut answer))
            .map_err(Error::io(format!("asking a terminal for {request}")))?;
        serde_json::from_str(&answer).map_err(|_| Error::answer("no JSON from a terminal", answer))
    }
}

impl Drop for OpenTerminal {
    fn drop(&mut self) {
        // Nothing can be reported from here, and the process may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
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
