//! A small disk that a test can fill: a tmpfs in a mount namespace of its own, which needs no rights of the caller's.

use crate::{Error, Output, Result};
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A process that holds the namespace until its input ends, as it does with this one.
const HOLD: &str = r#"mount -t tmpfs -o "size=$2" tmpfs "$1" && echo mounted && exec cat"#;

/// The disk. It goes with this value.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    holder: Child,
}

impl Disk {
    /// Mounts one of so many bytes on a new folder.
    pub fn mount(folder: &Path, bytes: u64) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io(format!("making {}", folder.display())))?;
        let mut command = Command::new("unshare");
        command
            .args(["--map-root-user", "--mount", "sh", "-c", HOLD, "sh"])
            .arg(folder)
            .arg(bytes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut holder = command.spawn().map_err(Error::io("starting unshare"))?;
        let mut line = String::new();
        if let Some(stdout) = holder.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(Error::io("reading what unshare says"))?;
        }
        let disk = Self {
            folder: folder.to_owned(),
            holder,
        };
        if line == "mounted\n" {
            Ok(disk)
        } else {
            Err(Error::answer(
                "no disk could be mounted in a namespace of its own; are user namespaces allowed?",
                line,
            ))
        }
    }

    /// Where it is mounted, for whoever is [`launched`](Self::launcher) onto it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What starts a program where the disk is.
    pub fn launcher(&self) -> Vec<OsString> {
        let pid = self.holder.id().to_string();
        let words = [
            "nsenter",
            "--user",
            "--mount",
            "--preserve-credentials",
            "--target",
            &pid,
            "--",
        ];
        words.map(OsString::from).into()
    }

    /// Fills it, but for so many bytes.
    pub fn fill_but(&self, left: u64) -> Result<()> {
        self.free()?;
        let ballast = self.ballast();
        let full = self.run("dd", &["if=/dev/zero", &format!("of={ballast}"), "bs=4096"])?;
        if !full.stderr.contains("No space left") {
            return Err(full.into_error());
        }
        self.run("truncate", &["--size", &format!("-{left}"), &ballast])?
            .success()
            .map(drop)
    }

    /// Takes away what filled it.
    pub fn free(&self) -> Result<()> {
        self.run("rm", &["-f", &self.ballast()])?.success().map(drop)
    }

    fn ballast(&self) -> String {
        self.folder.join("ballast").display().to_string()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<Output> {
        let launcher = self.launcher();
        let mut command = Command::new(&launcher[0]);
        command.args(&launcher[1..]).arg(program).args(arguments);
        Output::of(command.env("LC_ALL", "C"))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Nothing can be reported from here; without the process the namespace goes, and the disk with it.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
