//! Settlement: what terminals approved offline becomes postings, each record exactly once.
//!
//! An upload goes three ways in a row. It is *verified* on worker threads, without the database's write lock. Then, in one
//! write transaction, what the books say is loaded, each record is *decided* by pure rules ([`flow`]), and all effects
//! are *booked* in a handful of statements. The keys of the tables, not the code, are what makes a record count once.

mod flow;
mod routes;
mod service;
mod store;
mod verify;

pub(crate) use routes::routes;
pub(crate) use store::{alarm_counts, result_counts};

#[cfg(test)]
mod tests;
