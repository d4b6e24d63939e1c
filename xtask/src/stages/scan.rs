//! The stage `scan`: an independent reader reads the codes that the phone draws, at the smallest size they may have.

use crate::error::Error;
use crate::process;
use crate::programs;
use crate::stages::{Effort, Stage};
use crate::tools;
use crate::workspace::Workspace;

pub(crate) const STAGE: Stage = Stage {
    name: "scan",
    about: "zxing-cpp reads the phone's codes at their smallest",
    budget_minutes: 1,
    exists: |_| true,
    needs: &[&tools::PY_ZXING, &tools::PY_PILLOW],
    wants: &[],
    run,
};

fn run(workspace: &Workspace, _effort: Effort) -> Result<(), Error> {
    programs::build(workspace)?;
    process::run(
        workspace
            .command("python3")
            .arg("tests/scan/scan.py")
            .arg(workspace.build_dir()),
    )
}
