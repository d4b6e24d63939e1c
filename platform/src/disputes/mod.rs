//! Disputes of payments, and refunds: what a holder says against a payment, and what the card office answers.
//!
//! A dispute moves no money; a refund does, off the merchant's account, and never more than was paid. Both are seen in the
//! feed of bills: the payment appears again, a refund is a bill of its own.

mod office;
mod refund;
mod routes;
mod service;
mod store;

pub use office::DisputeView;
pub(crate) use refund::refund;
pub(crate) use routes::routes;
pub(crate) use store::{PaymentRow, dispute, end_by_refund, end_by_void, payment};

#[cfg(test)]
mod tests;
