//! The stage `rust`: unit, property and vector tests of every crate, and the examples in their documentation.

use crate::error::Error;
use crate::process::{self, Steps};
use crate::stages::{Effort, Stage};
use crate::tools;
use crate::workspace::Workspace;

pub(crate) const STAGE: Stage = Stage {
    name: "rust",
    about: "unit, property, vector and documentation tests",
    budget_minutes: 14,
    exists: |_| true,
    needs: &[],
    wants: &[&tools::CARGO_NEXTEST],
    run,
};

/// The crate whose tests are the stage `e2e`.
const E2E: &str = "yika-e2e";
/// The crate whose tests run on PostgreSQL too.
const PLATFORM: &str = "yika-platform";
/// The end-to-end tests that need PostgreSQL. Like others that do, they are ignored where nobody asks for them.
const E2E_SERVERS: &str = "servers";

/// Which tests to run.
#[derive(Clone, Copy)]
pub(crate) enum Selection<'a> {
    EndToEnd,
    /// Those that need a database, on the PostgreSQL server of this URL.
    OnPostgres(&'a str),
    AllOther,
}

/// Runs the chosen Rust tests. Long runs set `YIKA_LONG=1`, which tests with a number of rounds read, and ask proptest
/// for more cases.
pub(crate) fn run_tests(
    workspace: &Workspace,
    selection: Selection<'_>,
    effort: Effort,
) -> Result<(), Error> {
    let mut command;
    if tools::CARGO_NEXTEST.is_here(workspace) {
        command = workspace
            .cargo("nextest run --workspace --all-features --cargo-profile ci --no-fail-fast --filterset");
        // A filter rather than `--package` or `--exclude`: whatever is chosen, the same things are built.
        match selection {
            Selection::EndToEnd => command.arg(format!("package(={E2E})")),
            Selection::OnPostgres(_) => command
                .arg(format!(
                    "package(={PLATFORM}) or (package(={E2E}) and binary(={E2E_SERVERS}))"
                ))
                .args(["--run-ignored", "all"]),
            Selection::AllOther => command.arg(format!("not package(={E2E})")),
        };
        if effort == Effort::Long {
            command.args(["--profile", "long"]);
        }
    } else {
        command = workspace.cargo("test --all-features --profile ci --no-fail-fast");
        match selection {
            Selection::OnPostgres(_) => command.args(["--lib", "--test", E2E_SERVERS]),
            Selection::EndToEnd | Selection::AllOther => command.args(["--lib", "--bins", "--tests"]),
        };
        match selection {
            Selection::EndToEnd => command.args(["--package", E2E]),
            Selection::OnPostgres(_) => {
                command.args(["--package", PLATFORM, "--package", E2E, "--", "--include-ignored"])
            }
            Selection::AllOther => command.args(["--workspace", "--exclude", E2E]),
        };
    }
    if let Selection::OnPostgres(server) = selection {
        command.env("YIKA_TEST_POSTGRES", server);
    }
    if effort == Effort::Long {
        command.env("YIKA_LONG", "1").env("PROPTEST_CASES", "10000");
    }
    process::run(&mut command)
}

fn run(workspace: &Workspace, effort: Effort) -> Result<(), Error> {
    let mut steps = Steps::default();
    steps.note("tests", run_tests(workspace, Selection::AllOther, effort));
    steps.run(
        "doc tests",
        &mut workspace.cargo("test --doc --workspace --all-features --profile ci"),
    );
    steps.finish()
}
