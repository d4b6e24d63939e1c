//! Automatic top-up (圈存): rules that holders agreed to, and the runner that begins their top-ups.
//!
//! The money moves as with any other operation; here is only when one begins, and what a refusal makes of the rule. The
//! bank has a mandate for each rule, with the rule's own limits, so not even this platform can take more than was agreed to.

mod routes;
mod runner;
mod service;
mod store;

pub(crate) use routes::routes;
pub(crate) use runner::{ended, run_due};
pub(crate) use service::rules;
pub(crate) use store::end_with_wallet;

#[cfg(test)]
mod tests;
