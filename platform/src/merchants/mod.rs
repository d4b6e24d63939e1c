//! The merchant centre: what stalls earn, for who works there.
//!
//! Sums are kept by the hour, written by whoever books ([`takings`]), and can be compared with what was booked ([`raw`]). A
//! holder sees the stalls at which the card office has said that the holder works, and nobody else's.

mod access;
mod audit;
mod export;
mod income;
mod office;
mod payments;
mod raw;
mod returns;
mod routes;
mod statements;
mod takings;

pub use audit::MerchantEvent;
pub use office::MerchantStaff;
pub use raw::TakingsDifference;
pub(crate) use raw::make_if_missing;
pub(crate) use returns::count_refund;
pub(crate) use routes::routes;
pub(crate) use takings::{Counted, SoldKind, Taking, add};

#[cfg(test)]
mod tests;
