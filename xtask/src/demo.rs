//! `cargo xtask demo`: the main job, played with the real programs on loopback.

use crate::error::Error;
use crate::process;
use crate::programs;
use crate::workspace::Workspace;

/// Builds the programs and plays the demo, which takes the arguments.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    programs::build(workspace)?;
    process::run(
        workspace
            .command(workspace.build_dir().join("yika-demo"))
            .args(arguments),
    )
}
