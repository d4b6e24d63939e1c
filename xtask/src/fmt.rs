//! `cargo xtask fmt`: formats what `cargo xtask test` will look at. Kotlin is left alone where Maven is missing.

use crate::error::Error;
use crate::process;
use crate::stages::{ktlint, lint};
use crate::tools;
use crate::workspace::Workspace;

/// Runs the command; it takes no arguments.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    if let Some(argument) = arguments.first() {
        return Err(Error::Usage(format!("`fmt` takes no `{argument}`")));
    }
    for manifest in lint::manifests(workspace) {
        process::run(&mut workspace.cargo(&format!("fmt --all --manifest-path {manifest}")))?;
    }
    if ktlint::exists(workspace) && tools::MAVEN.is_here(workspace) && tools::JAVA.is_here(workspace) {
        ktlint::ktlint(workspace, "--format")?;
    }
    Ok(())
}
