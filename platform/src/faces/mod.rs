//! Face photos: consent, intake, the card office's review, delivery to gates and POS, and deletion.
//!
//! A portrait lies in the database in parts, sealed under a key of its own, and the key in a file outside of it. To delete a
//! portrait is to delete its parts and to destroy its key, so that it can't be read from a backup either. Terminals get signed
//! references and fetch what these name; each copy is written down until its terminal says that it is gone, or its lease is
//! over. Everything that was done stays as an event, without a picture in it.

mod delivery;
mod intake;
mod keys;
mod office;
mod routes;
mod service;
mod store;
mod sweep;

pub(crate) use keys::PhotoKeys;
pub use office::FaceReview;
pub(crate) use routes::routes;
pub use store::{FaceEvent, FaceEventKind};
pub(crate) use sweep::{sweep, sweep_for_ever};

#[cfg(test)]
mod tests;
