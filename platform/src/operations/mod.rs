//! Operations on money that the bank or a utility has a part in: top-ups, recharges, withdrawals, utility payments.
//!
//! `flow` decides, as a function of values; `booking` says what that books; `service` takes an operation on; `driver` tells
//! the others, hears them, and stores what follows. The one idea: an operation's row is its own outbox, so whatever dies, the
//! next server that looks at it says the same thing to them again.

mod automatic;
mod booking;
mod driver;
mod flow;
mod reconcile;
mod routes;
mod service;
mod store;
mod stored;

pub(crate) use automatic::begin_by_mandate;
pub(crate) use driver::{drive_due, drive_for_ever, hear};
pub(crate) use reconcile::reconcile;
pub use reconcile::{Difference, DifferenceKind, Reconciliation};
pub(crate) use routes::routes;
pub(crate) use service::{check_sealed, top_ups_of_today};
pub(crate) use store::{automatic_since, under_way};

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
