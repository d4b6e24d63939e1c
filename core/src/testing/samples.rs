//! What the test's platform tells where a test doesn't say otherwise.

use uuid::Uuid;
use yika_api::account::{Account, AccountStatus, Balance};
use yika_api::payment::{Payment, PaymentKind, PaymentStatus};
use yika_api::{Fen, LocalizedText, UnixMillis};

use super::FakeClock;

pub(super) fn text(name: &str) -> LocalizedText {
    LocalizedText {
        zh: name.to_owned(),
        en: name.to_owned(),
    }
}

pub(crate) fn account(id: Uuid, slot: u8, amount: i64, version: u64) -> Account {
    let balance = Balance {
        amount: Fen::new(amount),
        as_of: FakeClock::START,
        version,
        pending: Fen::ZERO,
    };
    Account {
        id,
        slot,
        name: text("account"),
        balance,
        status: AccountStatus::Open,
        low_below: None,
        auto_top_up: None,
    }
}

pub(crate) fn payment(number: u128, account_id: Uuid, occurred_at: UnixMillis) -> Payment {
    Payment {
        id: Uuid::from_u128(number),
        account_id,
        kind: PaymentKind::Purchase,
        status: PaymentStatus::Posted,
        amount: Fen::new(-1250),
        merchant: Some(text("CANARY-canteen")),
        terminal: None,
        place: None,
        occurred_at,
        posted_at: occurred_at,
        reference: format!("R{number}"),
        refund_of: None,
        refunded: Fen::ZERO,
        dispute: None,
    }
}
