//! The holder's side of the books: accounts with their balances, and the feed of bills.

mod feed;
mod low_balance;
mod routes;
mod store;

pub(crate) use feed::{NewPayment, add_payments, take_change, void_payment, void_payment_of};
pub(crate) use routes::routes;
pub(crate) use store::{
    CardAccount, HolderRow, HolderStatus, card_account_by_id, card_account_of, funds_of_slots, holder_by_id,
    holder_by_number, insert_holder, list_accounts, list_holders, open_card_account, set_holder_status,
    slots_of,
};

#[cfg(test)]
mod tests;
