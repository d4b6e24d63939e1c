//! The stage `lint`: what can be said about the sources without running them.

use crate::error::Error;
use crate::house;
use crate::process::Steps;
use crate::stages::{Effort, Stage};
use crate::workspace::Workspace;

pub(crate) const STAGE: Stage = Stage {
    name: "lint",
    about: "formatting, house rules, clippy, documentation",
    budget_minutes: 7,
    exists: |_| true,
    needs: &[],
    wants: &[],
    run,
};

/// The manifests whose sources `cargo fmt` covers: the workspace, and the fuzz crate, which stands outside it.
pub(crate) fn manifests(workspace: &Workspace) -> impl Iterator<Item = &'static str> {
    ["Cargo.toml", "fuzz/Cargo.toml"]
        .into_iter()
        .filter(|manifest| workspace.has(manifest))
}

fn run(workspace: &Workspace, _effort: Effort) -> Result<(), Error> {
    let mut steps = Steps::default();
    for manifest in manifests(workspace) {
        steps.run(
            "fmt",
            &mut workspace.cargo(&format!("fmt --all --check --manifest-path {manifest}")),
        );
    }
    steps.note("house", house::check(workspace));
    // Both what ships and what tests build: a feature must neither hide a warning nor be needed to compile.
    for features in ["", "--all-features"] {
        steps.run(
            "clippy",
            &mut workspace.cargo(&format!(
                "clippy --workspace --all-targets --profile ci {features} -- -D warnings"
            )),
        );
    }
    steps.run(
        "clippy",
        &mut workspace.cargo(
            "clippy --package yika-core --package yika --no-default-features --profile ci -- -D warnings",
        ),
    );
    steps.run(
        "doc",
        workspace
            .cargo("doc --workspace --all-features --no-deps --profile ci")
            .env("RUSTDOCFLAGS", "-D warnings"),
    );
    steps.finish()
}
