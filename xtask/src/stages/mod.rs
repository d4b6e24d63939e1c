//! The stages of `cargo xtask test`, in the order they run: what is quick to fail comes first. A new stage is a file
//! beside this one and its row in the table.

mod arm64;
mod deny;
mod e2e;
mod fuzz;
mod kotlin;
pub(crate) mod ktlint;
pub(crate) mod lint;
mod openapi;
mod postgres;
mod rust;
mod scan;
mod vectors;

use crate::error::Error;
use crate::tools::Tool;
use crate::workspace::Workspace;

/// How much time a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// What every change has to pass.
    Usual,
    /// The same with many more cases; for a night.
    Long,
}

/// One part of a test run that passes or fails as a whole.
pub(crate) struct Stage {
    /// What it is called on the command line and in the table.
    pub(crate) name: &'static str,
    /// One line for a person.
    pub(crate) about: &'static str,
    /// Whole minutes on two cores with nothing built.
    pub(crate) budget_minutes: u32,
    /// Whether this tree has anything for it to run.
    pub(crate) exists: fn(&Workspace) -> bool,
    /// Without one of these it is skipped.
    pub(crate) needs: &'static [&'static Tool],
    /// With these it is better or faster.
    pub(crate) wants: &'static [&'static Tool],
    /// Runs it.
    pub(crate) run: fn(&Workspace, Effort) -> Result<(), Error>,
}

/// Every stage there is.
pub(crate) const ALL: &[Stage] = &[
    lint::STAGE,
    deny::STAGE,
    ktlint::STAGE,
    rust::STAGE,
    vectors::STAGE,
    e2e::STAGE,
    postgres::STAGE,
    scan::STAGE,
    openapi::STAGE,
    kotlin::STAGE,
    fuzz::STAGE,
    arm64::STAGE,
];
