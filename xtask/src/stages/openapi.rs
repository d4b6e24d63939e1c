//! The stage `openapi`: the platform of a running sandbox answers as its own description says, whatever it is sent.

use crate::error::Error;
use crate::process;
use crate::programs;
use crate::stages::{Effort, Stage};
use crate::tools;
use crate::workspace::Workspace;

const CHECK: &str = "tests/openapi/check.py";

pub(crate) const STAGE: Stage = Stage {
    name: "openapi",
    about: "schemathesis holds the platform to its OpenAPI document",
    budget_minutes: 2,
    exists: |workspace| workspace.has(CHECK),
    needs: &[&tools::SCHEMATHESIS, &tools::PY_CRYPTOGRAPHY],
    wants: &[],
    run,
};

fn run(workspace: &Workspace, _effort: Effort) -> Result<(), Error> {
    programs::build(workspace)?;
    process::run(workspace.command("python3").arg(CHECK).arg(workspace.build_dir()))
}
