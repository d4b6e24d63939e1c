//! The issuer: server keys, credentials and their states, and the lists that tell terminals about them.

mod directory;
mod flow;
mod keyring;
mod keys;
mod lists;
mod reach;
mod routes;
mod service;
mod store;

pub use keyring::Rotation;
pub use keys::{KeySigner, SignerError};

pub(crate) use keyring::{KeyRing, Start, api_millis, rotate, take_up_keys_for_ever};
pub(crate) use lists::{RevocationsValidity, end_of_row, revocations_validity, terminal_policy};
pub(crate) use reach::Reach;
pub(crate) use routes::routes;
pub(crate) use service::{resume, revoke_device, revoke_holder, settled_mark, suspend};
pub(crate) use store::{mark_holder_dirty, set_epoch_due};

#[cfg(test)]
mod tests;
