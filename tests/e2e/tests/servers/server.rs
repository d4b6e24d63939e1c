//! A server process, and the database that many of them share.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use yika_e2e::{Error, Output, Result, binary};

/// A new database on the server that `YIKA_TEST_POSTGRES` names; dropped with this value.
pub(crate) struct Database {
    server: String,
    name: String,
}

impl Database {
    /// Makes one.
    pub(crate) fn make() -> Result<Self> {
        let server = std::env::var("YIKA_TEST_POSTGRES").map_err(|_| {
            Error::answer(
                "no server in YIKA_TEST_POSTGRES",
                "`cargo xtask test postgres` starts one",
            )
        })?;
        // One for each test of this process.
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("yika_e2e_{}_{number}", std::process::id());
        let database = Self { server, name };
        database.ask(&format!("CREATE DATABASE {}", database.name))?;
        Ok(database)
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        let server = self.server.rsplit_once('/').map_or("", |(server, _)| server);
        format!("{server}/{}", self.name)
    }

    fn ask(&self, statement: &str) -> Result<()> {
        Output::of(Command::new("psql").args([&self.server, "--quiet", "--command", statement]))?
            .success()
            .map(drop)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server's processes are killed beside this one, and may still be going.
        if let Err(error) = self.ask(&format!("DROP DATABASE {} WITH (FORCE)", self.name)) {
            eprintln!("{error}");
        }
    }
}

/// What all servers of a school are told.
pub(crate) struct School<'a> {
    /// Where the books are.
    pub(crate) database: &'a str,
    /// The folder of the server keys.
    pub(crate) data: &'a Path,
    /// The proxy in front.
    pub(crate) origin: &'a str,
    /// The host app's identity provider.
    pub(crate) host_issuer: &'a str,
}

/// A `yika-platform` process. Killed when it is dropped.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts one that listens when this returns.
    pub(crate) fn start(school: &School<'_>, environment: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new(binary("yika-platform")?);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--open-terminal-enrolment"])
            .args(["--public-origin", school.origin])
            .args(["--school-domain", "demo.yika.example"])
            .args(["--host-issuer", school.host_issuer])
            .arg("--data")
            .arg(school.data)
            .env("YIKA_DATABASE", school.database)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(Error::io("starting a server"))?;
        let Some(stderr) = child.stderr.take() else {
            return Err(Error::answer("no log", "of a server"));
        };
        let (mut lines, mut log) = (BufReader::new(stderr).lines(), String::new());
        for line in lines.by_ref().map_while(std::result::Result::ok) {
            let address = line
                .split("address=")
                .nth(1)
                .and_then(|text| text.split(' ').next());
            if let Some(address) = address.and_then(|text| text.parse().ok()) {
                // What it says later must be taken from it, or it would wait to be rid of it.
                thread::spawn(move || lines.map_while(std::result::Result::ok).for_each(drop));
                return Ok(Self { address, child });
            }
            log.push_str(&line);
        }
        let _ = child.wait();
        Err(Error::answer("a server did not start", log))
    }

    /// Whether a signal has ended it.
    pub(crate) fn has_died(&mut self) -> Result<bool> {
        let ended = self
            .child
            .try_wait()
            .map_err(Error::io("looking after a server"))?;
        Ok(ended.is_some_and(|status| status.code().is_none()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
