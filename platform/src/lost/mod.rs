//! What is reported lost and found again, and what the card office freezes.
//!
//! A report is a row that stays; what it does follows from all rows that are open: the holder's status, the phones', the
//! credentials', and what the school's card system is told. So it doesn't matter in which order several begin and end. The
//! holder ends what the holder reported, and has to show to be there for it; the card office ends anything.

mod effect;
mod office;
mod routes;
mod service;
mod store;

pub(crate) use effect::end_of_device;
pub use office::CardChange;
pub(crate) use office::end_all;
pub(crate) use routes::routes;
pub(crate) use service::{Claim, prove_holder};

#[cfg(test)]
mod tests;
