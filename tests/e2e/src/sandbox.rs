//! A running sandbox: started, asked through its admin API, stopped and started again on the same data.

use crate::{Error, Result, admin, binary};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A sandbox process and the folder that it keeps everything in.
#[derive(Debug)]
pub struct Sandbox {
    data: PathBuf,
    port: u16,
    url: String,
    child: Option<Child>,
}

impl Sandbox {
    /// Starts one on a port of its own choice.
    pub fn start(data: &Path) -> Result<Self> {
        let mut sandbox = Self {
            data: data.to_owned(),
            port: 0,
            url: String::new(),
            child: None,
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
        let mut command = Command::new(binary("yika-sandbox")?);
        command
            .arg("--listen")
            .arg(format!("127.0.0.1:{}", self.port))
            .arg("--data")
            .arg(&self.data);
        command
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(Error::io("starting the sandbox"))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(Error::io("reading the sandbox's first line"))?;
        }
        self.child = Some(child);
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .ok_or_else(|| Error::answer("no address", &line))?;
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
        self.port = port.ok_or_else(|| Error::answer("no port in the address", url))?;
        self.url = url.to_owned();
        Ok(())
    }

    /// Its address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Stops the process, as an operator would, and waits until it has ended.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        let pid = child.id().to_string();
        let asked = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .map_err(Error::io("sending SIGTERM"))?;
        let ended = child.wait().map_err(Error::io("waiting for the sandbox"))?;
        // A process that was killed before, by a fault, has nothing left to end well.
        if ended.success() || !asked.success() || ended.code().is_none() {
            Ok(())
        } else {
            Err(Error::answer("the sandbox did not end well", ended))
        }
    }

    /// Leaves the process running after this value is gone, and returns its id.
    pub fn leave_running(mut self) -> Option<u32> {
        self.child.take().map(|child| child.id())
    }

    /// `GET` from the admin API or any other open address.
    pub fn get(&self, path: &str) -> Result<Value> {
        admin::request(self.port, "GET", path, None)
    }

    /// `POST` to the admin API or any other open address.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        admin::request(self.port, "POST", path, Some(body))
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
