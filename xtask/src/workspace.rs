//! Where things are in this checkout, and how a child process sees it: started at the root, with our own tools first
//! on its path, nothing to read on stdin, and an environment in which cargo builds the same things as by hand.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::process;

/// The checkout this command works on.
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the checkout from what `cargo run` says about this crate.
    pub(crate) fn find() -> Result<Self, Error> {
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR").ok_or(Error::NotUnderCargo)?;
        let root = Path::new(&manifest_dir)
            .parent()
            .ok_or(Error::NotUnderCargo)?
            .to_owned();
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Ok(Self { root, target })
    }

    /// Whether the tree has this file or directory, named from the root.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// A path named from the root.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A path in cargo's target directory, where everything goes that can be made again.
    pub(crate) fn in_target(&self, path: &str) -> PathBuf {
        self.target.join(path)
    }

    /// Where the programs and libraries that tests drive are built.
    pub(crate) fn build_dir(&self) -> PathBuf {
        self.in_target("ci")
    }

    /// The Python environment that holds tools and modules from PyPI.
    pub(crate) fn venv(&self) -> PathBuf {
        self.in_target("tools/venv")
    }

    /// The directories in which a child finds programs.
    pub(crate) fn search_path(&self) -> Vec<PathBuf> {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        std::iter::once(self.venv().join("bin"))
            .chain(std::env::split_paths(&inherited))
            .collect()
    }

    /// A child process that will run at the root.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        // A path with a colon in it can't be joined; it was split at colons, so none has one.
        if let Ok(path) = std::env::join_paths(self.search_path()) {
            command.env("PATH", path);
        }
        // `cargo run` describes this crate to us. Handed on, it looks to some build scripts (ring's, say) like a changed
        // environment, and everything above them would be built again.
        for (name, _) in std::env::vars_os().filter(|(name, _)| describes_this_crate(name)) {
            command.env_remove(name);
        }
        command
    }

    /// Cargo, with a command line as one would type it: arguments apart by spaces, none with a space in it.
    pub(crate) fn cargo(&self, arguments: &str) -> Command {
        let mut cargo = self.command("cargo");
        cargo.args(arguments.split_whitespace());
        cargo
    }

    /// The files that belong to the tree, committed or new, whose extension is one of these; named from the root.
    pub(crate) fn files(&self, extensions: &[&str]) -> Result<Vec<PathBuf>, Error> {
        let mut git = self.command("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listed = process::output(&mut git)?;
        let mut files: Vec<PathBuf> = listed
            .split('\0')
            .map(PathBuf::from)
            .filter(|file| {
                file.extension()
                    .is_some_and(|found| extensions.iter().any(|wanted| found == *wanted))
            })
            .filter(|file| self.root.join(file).exists())
            .collect();
        files.sort();
        Ok(files)
    }
}

fn describes_this_crate(name: &OsString) -> bool {
    name.to_str()
        .is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
}
