//! What commands print: tables for people, and the documented JSON for scripts.

use serde_json::{Value, json};
use yika_api::LocalizedText;
use yika_core::CampusCard;
use yika_core::accounts::{Account, Bill, BillPage};
use yika_core::clock::ClockQuality;
use yika_core::session::SessionState;

/// The accounts.
pub(crate) fn accounts_json(accounts: &[Account]) -> Value {
    let account = |account: &Account| {
        json!({
            "id": account.id,
            "slot": account.slot.get(),
            "name": account.name,
            "status": account.status,
            "balance": account.balance.map(|balance| json!({
                "amount": balance.amount,
                "as_of": balance.as_of,
                "version": balance.version,
                "pending": balance.pending,
            })),
        })
    };
    json!({ "accounts": accounts.iter().map(account).collect::<Vec<_>>() })
}

/// The accounts, a line each. An unknown balance is a dash, never a zero.
pub(crate) fn accounts_text(accounts: &[Account]) -> String {
    let line = |account: &Account| {
        let balance = account
            .balance
            .map_or("—".to_owned(), |balance| format!("¥{}", balance.amount));
        format!("{}  {}  {balance}", account.slot.get(), both(&account.name))
    };
    accounts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A page of bills.
pub(crate) fn bills_json(page: &BillPage) -> Value {
    json!({ "bills": page.bills, "more": page.next.is_some(), "as_of": page.as_of })
}

/// A page of bills, a line each.
pub(crate) fn bills_text(page: &BillPage) -> String {
    let line = |bill: &Bill| {
        let merchant = bill.merchant.as_ref().map_or("—".to_owned(), both);
        format!(
            "{}  ¥{}  {merchant}  {:?}",
            bill.reference, bill.amount, bill.status
        )
    };
    page.bills.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How things stand with this phone.
pub(crate) fn status_json(card: &CampusCard) -> Value {
    let (state, bound) = match card.session().state() {
        SessionState::Unbound => ("unbound", None),
        SessionState::Active(bound) => ("active", Some(bound)),
        SessionState::Ended(bound) => ("ended", Some(bound)),
    };
    let codes = match card.codes().until_blocking() {
        Ok(until) => json!({ "full_until": until.full_until, "short_until": until.short_until }),
        Err(error) => json!({ "error": error.code() }),
    };
    let clock = card.codes().clock_quality().ok().map(|quality| match quality {
        ClockQuality::Good => "good",
        ClockQuality::Weak => "weak",
    });
    json!({
        "session": state,
        "platform": bound.as_ref().map(|bound| bound.platform.url()),
        "school": bound.as_ref().map(|bound| &bound.school_name),
        "device": bound.as_ref().map(|bound| bound.device_id),
        "codes": codes,
        "clock": clock,
    })
}

fn both(name: &LocalizedText) -> String {
    format!("{} {}", name.zh, name.en)
}
