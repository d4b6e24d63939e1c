//! The stage `arm64`: the face detector's NEON path, which phones run, on a processor that QEMU imitates. What it computes is
//! checked there; how fast it is, only a phone can say.

use crate::error::Error;
use crate::process;
use crate::stages::{Effort, Stage};
use crate::tools;
use crate::workspace::Workspace;

pub(crate) const STAGE: Stage = Stage {
    name: "arm64",
    about: "the face detector on arm64, under emulation",
    budget_minutes: 4,
    exists: |workspace| workspace.has("face/Cargo.toml"),
    needs: &[&tools::ARM64_STD, &tools::ARM64_GCC, &tools::QEMU_ARM64],
    wants: &[],
    run,
};

fn run(workspace: &Workspace, _effort: Effort) -> Result<(), Error> {
    process::run(
        workspace
            .cargo("test --package yika-face --profile ci --target aarch64-unknown-linux-gnu")
            .env(
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
                "aarch64-linux-gnu-gcc",
            )
            .env(
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER",
                "qemu-aarch64 -L /usr/aarch64-linux-gnu",
            ),
    )
}
