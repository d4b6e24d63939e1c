//! The phones that a holder's card is on, and how one of them is signed out from another.

mod routes;
mod service;

pub(crate) use routes::routes;

#[cfg(test)]
mod tests;
