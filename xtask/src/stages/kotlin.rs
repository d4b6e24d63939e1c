//! The stage `kotlin`: the generated Kotlin on a plain JVM, against the real library, sandbox and terminal.

use crate::bindings::{self, Language};
use crate::error::Error;
use crate::process;
use crate::programs;
use crate::stages::{Effort, Stage};
use crate::tools;
use crate::workspace::Workspace;

pub(crate) const STAGE: Stage = Stage {
    name: "kotlin",
    about: "the Kotlin bindings on a JVM, against the real programs",
    budget_minutes: 11,
    // The project holds helpers for tests; without a test there is nothing to run.
    exists: |workspace| {
        workspace.files(&["kt"]).is_ok_and(|files| {
            files.iter().any(|file| {
                file.starts_with("bindings/kotlin")
                    && file.to_str().is_some_and(|name| name.ends_with("Test.kt"))
            })
        })
    },
    needs: &[&tools::JAVA, &tools::MAVEN],
    wants: &[],
    run,
};

fn run(workspace: &Workspace, _effort: Effort) -> Result<(), Error> {
    programs::build(workspace)?;
    bindings::generate(
        workspace,
        Language::Kotlin,
        &workspace.path("bindings/kotlin/target/generated"),
    )?;
    let build_dir = workspace.build_dir();
    process::run(
        tools::maven(workspace, "bindings/kotlin/pom.xml")
            .arg("test")
            .arg(format!("-Drust.library.dir={}", build_dir.display()))
            .arg(format!("-Drust.binary.dir={}", build_dir.display())),
    )
}
