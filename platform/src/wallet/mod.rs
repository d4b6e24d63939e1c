//! The e-wallet: opened, closed, its password changed, bank cards bound and unbound. The money in it is the bank's to keep
//! and the ledger's to know; what moves it is in `operations`.

mod routes;
mod service;
mod store;

pub(crate) use routes::routes;
pub(crate) use store::{default_card, is_bound, open_customer, open_wallet_account, wallet_account};

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
