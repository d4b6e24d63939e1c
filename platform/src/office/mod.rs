//! The card office's own affairs: who works there with which rights, what was done, and the import of what a school has.

mod import;
mod keys;
mod log;
mod staff;
#[cfg(test)]
mod tests;

pub use import::{Counts, Fault, ImportFiles, ImportKind, ImportReport, PlannedTerminal};
pub use log::{Action, Actor, OfficeEvent};
pub use staff::{Role, StaffMember};

pub(crate) use log::record;
