//! Terminals: enrolled with a key of their own, which they prove with each request instead of carrying a token.

mod routes;
mod service;
mod store;

pub(crate) use routes::routes;
pub(crate) use service::{Terminal, new_enrolment_code, plan};
pub(crate) use store::{
    MerchantRow, NewCode, TerminalRow, default_merchant, insert_merchant, is_enrolled, list_merchants,
    list_terminals, lock_terminal, merchant_by_id, rename_merchant, set_default_merchant,
    terminals_of_merchant,
};

#[cfg(test)]
mod tests;
