//! The stage `vectors-python`: a second reader of the code format, which shares no code with the first, gives the same
//! answers as ours on every vector.

use crate::error::Error;
use crate::process;
use crate::stages::{Effort, Stage};
use crate::tools;
use crate::workspace::Workspace;

const READER: &str = "tests/vectors/reader/check.py";

pub(crate) const STAGE: Stage = Stage {
    name: "vectors-python",
    about: "an independent reader agrees on every vector",
    budget_minutes: 1,
    exists: |workspace| workspace.has(READER),
    needs: &[&tools::PY_CRYPTOGRAPHY],
    wants: &[],
    run,
};

fn run(workspace: &Workspace, _effort: Effort) -> Result<(), Error> {
    process::run(workspace.command("python3").args([READER, "tests/vectors"]))
}
