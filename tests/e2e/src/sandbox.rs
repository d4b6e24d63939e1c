//! A running sandbox: started, asked through its admin API, stopped and started again on the same data.

use crate::process::command_line;
use crate::program::{Kind, Program};
use crate::{Error, Result, http};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};

/// The signal of a process that aborts.
const SIGABRT: i32 = 6;

/// That a program is a sandbox.
#[derive(Clone, Copy, Debug)]
pub struct SandboxKind;

impl Kind for SandboxKind {
    const BINARY: &'static str = "yika-sandbox";
    const HOME_OPTION: &'static str = "--data";
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As it was asked to.
    Asked,
    /// It aborted: a fault killed it.
    Died,
}

/// A sandbox, with its process while it runs.
#[derive(Debug)]
pub struct Sandbox {
    program: Program<SandboxKind>,
    port: u16,
    url: String,
    child: Option<Child>,
    /// What it has logged, a file a start.
    logs: Vec<File>,
}

impl Sandbox {
    /// Starts one on a port of its own choice.
    pub fn start(program: Program<SandboxKind>) -> Result<Self> {
        let mut sandbox = Self {
            program,
            port: 0,
            url: String::new(),
            child: None,
            logs: Vec::new(),
        };
        sandbox.launch(&[])?;
        Ok(sandbox)
    }

    /// Starts it again, on the same port and data, with these variables in its environment.
    pub fn restart(&mut self, environment: &[(&str, &str)]) -> Result<()> {
        self.stop()?;
        self.launch(environment)
    }

    fn launch(&mut self, environment: &[(&str, &str)]) -> Result<()> {
        let address = format!("127.0.0.1:{}", self.port);
        let mut command = self
            .program
            .with_environment(environment)
            .command(&["--listen", &address])?;
        let mut log = tempfile::tempfile().map_err(Error::io("making a file for the sandbox's log"))?;
        let also = log
            .try_clone()
            .map_err(Error::io("opening the sandbox's log twice"))?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(also);
        let mut child = command.spawn().map_err(Error::io("starting the sandbox"))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(Error::io("reading the sandbox's first line"))?;
        }
        let Some(url) = line.trim().strip_prefix("listening on ") else {
            return Err(ended_early(&command, child, &mut log));
        };
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
        self.port = port.ok_or_else(|| Error::answer("no port in the address", url))?;
        self.url = url.to_owned();
        self.child = Some(child);
        self.logs.push(log);
        Ok(())
    }

    /// All that it has logged so far, as it came.
    pub fn log(&self) -> Result<Vec<u8>> {
        let doing = || "reading the sandbox's log";
        let mut whole = Vec::new();
        for file in &self.logs {
            let length = file.metadata().map_err(Error::io(doing()))?.len();
            let mut part = vec![0; usize::try_from(length).unwrap_or(0)];
            // Where the process writes next is not changed by reading so.
            file.read_exact_at(&mut part, 0).map_err(Error::io(doing()))?;
            whole.append(&mut part);
        }
        Ok(whole)
    }

    /// The program and its folder.
    pub const fn program(&self) -> &Program<SandboxKind> {
        &self.program
    }

    /// Its address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Stops the process, as an operator would, and waits until it has ended.
    pub fn stop(&mut self) -> Result<End> {
        let Some(mut child) = self.child.take() else {
            return Ok(End::Asked);
        };
        let pid = child.id().to_string();
        // Where there is no such process any more, it says so itself.
        let _asked = Command::new("kill")
            .args(["-TERM", &pid])
            .stderr(Stdio::null())
            .status()
            .map_err(Error::io("sending SIGTERM"))?;
        let ended = child.wait().map_err(Error::io("waiting for the sandbox"))?;
        match (ended.code(), ended.signal()) {
            (Some(0), _) => Ok(End::Asked),
            (None, Some(SIGABRT)) => Ok(End::Died),
            _ => Err(Error::answer("the sandbox did not end well", ended)),
        }
    }

    /// Leaves the process running after this value is gone, and returns its id.
    pub fn leave_running(mut self) -> Option<u32> {
        self.child.take().map(|child| child.id())
    }

    /// `GET` from the admin API or any other open address.
    pub fn get(&self, path: &str) -> Result<Value> {
        http::request(self.port, "GET", path, None)
    }

    /// `PUT` to the admin API.
    pub fn put(&self, path: &str, body: &Value) -> Result<Value> {
        http::request(self.port, "PUT", path, Some(body))
    }

    /// `POST` to the admin API or any other open address.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        http::request(self.port, "POST", path, Some(body))
    }
}

/// Why there is no first line: the process ended, with these last words.
fn ended_early(command: &Command, mut child: Child, log: &mut File) -> Error {
    let mut stderr = String::new();
    // Of what can't be read nothing can be shown.
    let code = child.wait().ok().and_then(|status| status.code());
    let _ = log.rewind().and_then(|()| log.read_to_string(&mut stderr));
    Error::Command {
        command: command_line(command),
        code,
        stdout: String::new(),
        stderr,
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Nothing can be reported from here, and the process may be gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
