//! The holder's side of the books: accounts with their balances, and the feed of bills.

mod feed;
mod low_balance;
mod routes;
mod store;

use crate::db::Connection;
use crate::error::Result;
use crate::{Platform, auto_top_up};
pub(crate) use feed::{NewPayment, add_payments, take_change, void_payment, void_payment_of};
pub(crate) use routes::routes;
use yika_api::account::AccountList;

pub(crate) use store::{
    CardAccount, HolderRow, HolderStatus, account_name, card_account_by_id, card_account_of, funds_of_slots,
    holder_by_id, holder_by_number, insert_holder, list_accounts, list_holders, open_card_account,
    rename_account, set_account_status, set_holder_status, set_name_and_class, slots_of,
};

/// A holder's accounts as the phone shows them.
pub(crate) async fn shown_accounts(
    db: &mut Connection,
    platform: &Platform,
    holder: i64,
) -> Result<AccountList> {
    let mut accounts = list_accounts(db, holder, platform.now()).await?;
    let mut rules = auto_top_up::rules(db, platform, holder).await?;
    for account in &mut accounts {
        account.auto_top_up = rules.remove(&account.id);
    }
    Ok(AccountList { accounts })
}

#[cfg(test)]
mod tests;
