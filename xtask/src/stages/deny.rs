//! The stage `deny`: what is linked into Yika, by the rules of `deny.toml`. It asks no network; security advisories do,
//! so they are checked where there is one.

use crate::error::Error;
use crate::process;
use crate::stages::{Effort, Stage};
use crate::tools;
use crate::workspace::Workspace;

pub(crate) const STAGE: Stage = Stage {
    name: "deny",
    about: "licences, banned crates and where crates come from",
    budget_minutes: 1,
    exists: |workspace| workspace.has("deny.toml"),
    needs: &[&tools::CARGO_DENY],
    wants: &[],
    run,
};

fn run(workspace: &Workspace, _effort: Effort) -> Result<(), Error> {
    process::run(&mut workspace.cargo("deny --workspace check licenses bans sources"))
}
