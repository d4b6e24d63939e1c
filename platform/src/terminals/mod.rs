//! Terminals: enrolled with a key of their own, which they prove with each request instead of carrying a token.

mod routes;
mod service;
mod store;

pub(crate) use routes::routes;
pub(crate) use service::{Terminal, new_enrolment_code};
pub(crate) use store::{
    MerchantRow, TerminalRow, insert_merchant, list_merchants, list_terminals, lock_terminal,
};

#[cfg(test)]
mod tests;
