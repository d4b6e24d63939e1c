//! The stage `ktlint`: the style of hand-written Kotlin. Apart from `lint`, because it needs a JVM and lint doesn't.

use crate::error::Error;
use crate::process;
use crate::stages::{Effort, Stage};
use crate::tools;
use crate::workspace::Workspace;

pub(crate) const STAGE: Stage = Stage {
    name: "ktlint",
    about: "the style of hand-written Kotlin",
    budget_minutes: 1,
    exists,
    needs: &[&tools::JAVA, &tools::MAVEN],
    wants: &[],
    run,
};

/// Whether the tree has hand-written Kotlin.
pub(crate) fn exists(workspace: &Workspace) -> bool {
    workspace
        .files(&["kt", "kts"])
        .is_ok_and(|files| !files.is_empty())
}

/// Runs ktlint over all hand-written Kotlin with one more option. The files are named one by one: a pattern would make
/// it walk through everything cargo has built.
pub(crate) fn ktlint(workspace: &Workspace, option: &str) -> Result<(), Error> {
    let files = workspace.files(&["kt", "kts"])?;
    let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    process::run(
        tools::maven(workspace, "xtask/ktlint/pom.xml")
            .arg("verify")
            .arg(format!("-Dktlint.arguments={option} {}", files.join(" "))),
    )
}

fn run(workspace: &Workspace, _effort: Effort) -> Result<(), Error> {
    ktlint(workspace, "--relative")
}
