//! The stage `fuzz`: every fuzz target for a few seconds from its committed corpus. It runs on the stable compiler,
//! because `cargo fuzz` without a sanitizer asks for nothing unstable; what is looked for, panics and endless loops in
//! safe code, needs none. cargo-fuzz comes prebuilt, so there is no reason to imitate its compiler flags here.

use std::fs;

use crate::error::Error;
use crate::process;
use crate::stages::{Effort, Stage};
use crate::tools;
use crate::workspace::Workspace;

pub(crate) const STAGE: Stage = Stage {
    name: "fuzz",
    about: "every decoder fuzzed for a few seconds",
    budget_minutes: 5,
    exists: |workspace| workspace.has("fuzz/Cargo.toml"),
    needs: &[&tools::CARGO_FUZZ, &tools::CXX],
    wants: &[],
    run,
};

fn run(workspace: &Workspace, effort: Effort) -> Result<(), Error> {
    let seconds = match effort {
        Effort::Usual => 10,
        Effort::Long => 600,
    };
    let targets = process::output(&mut workspace.cargo("fuzz list --fuzz-dir fuzz"))?;
    process::run(&mut workspace.cargo("fuzz build --fuzz-dir fuzz --sanitizer none"))?;
    let mut failed = Vec::new();
    for target in targets.split_whitespace() {
        if let Err(error) = fuzz(workspace, target, seconds) {
            eprintln!("error: {target}: {error}");
            failed.push(target.to_owned());
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Error::Steps(failed))
    }
}

fn fuzz(workspace: &Workspace, target: &str, seconds: u32) -> Result<(), Error> {
    // New inputs go to the first directory, so that a run leaves the committed corpus as it was.
    let found = workspace.in_target("fuzz-found").join(target);
    fs::create_dir_all(&found).map_err(|source| Error::File {
        path: found.clone(),
        source,
    })?;
    let corpus = workspace.path("fuzz/corpus").join(target);
    process::run(
        workspace
            .cargo("fuzz run --fuzz-dir fuzz --sanitizer none")
            .arg(target)
            .args([&found, &corpus])
            .args(["--", "-timeout=10", "-verbosity=0", "-print_final_stats=1"])
            .arg(format!("-max_total_time={seconds}")),
    )
}
