//! The stage `postgres`: the platform's tests once more on a real PostgreSQL server, and those about several servers on
//! one database, in one process and in many.

use crate::error::Error;
use crate::postgres::{Durability, PostgresServer};
use crate::programs;
use crate::stages::rust::{Selection, run_tests};
use crate::stages::{Effort, Stage};
use crate::tools;
use crate::workspace::Workspace;

pub(crate) const STAGE: Stage = Stage {
    name: "postgres",
    about: "the platform's tests on PostgreSQL, and many servers on one",
    budget_minutes: 4,
    exists: |workspace| workspace.has("platform/src/db/migrations/postgres"),
    needs: &[&tools::POSTGRES],
    wants: &[&tools::CARGO_NEXTEST],
    run,
};

fn run(workspace: &Workspace, effort: Effort) -> Result<(), Error> {
    programs::build(workspace)?;
    let server = PostgresServer::start(workspace, Durability::None)?;
    run_tests(workspace, Selection::OnPostgres(&server.url()), effort)
}
