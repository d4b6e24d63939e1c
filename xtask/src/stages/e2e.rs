//! The stage `e2e`: the real programs against each other over loopback, killed and restarted.

use crate::error::Error;
use crate::programs;
use crate::stages::rust::{Selection, run_tests};
use crate::stages::{Effort, Stage};
use crate::tools;
use crate::workspace::Workspace;

pub(crate) const STAGE: Stage = Stage {
    name: "e2e",
    about: "the real programs against each other over loopback, with kills",
    budget_minutes: 8,
    exists: |workspace| workspace.has("tests/e2e/tests"),
    needs: &[],
    wants: &[&tools::CARGO_NEXTEST],
    run,
};

fn run(workspace: &Workspace, effort: Effort) -> Result<(), Error> {
    programs::build(workspace)?;
    run_tests(workspace, Selection::EndToEnd, effort)
}
