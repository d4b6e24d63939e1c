//! `GET /v1/accounts`: the holder's accounts, any of which a payment code can name. `PUT /v1/accounts/{id}/low-balance` takes
//! [`LowBalance`] under an idempotency key and answers them all.

use crate::auto_top_up::AutoTopUp;
use crate::{Fen, LocalizedText, UnixMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// All accounts of the holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccountList {
    /// In the order of their slots.
    pub accounts: Vec<Account>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Account {
    /// The account, for ever.
    pub id: Uuid,
    /// The number 1–8 by which a code names it. A slot never changes its meaning.
    pub slot: u8,
    /// What it is called.
    pub name: LocalizedText,
    /// What is on it.
    pub balance: Balance,
    /// Whether payments from it are possible now.
    pub status: AccountStatus,
    /// Below which balance the holder wants to be told; absent where at none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub low_below: Option<Fen>,
    /// The rule by which it is topped up by itself; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auto_top_up: Option<AutoTopUp>,
}

/// `PUT /v1/accounts/{id}/low-balance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LowBalance {
    /// Below which balance the holder wants to be told, above zero; absent for at none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub below: Option<Fen>,
}

/// What is on an account, as far as somebody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Balance {
    /// The sum of its postings. Below zero where offline payments passed what was on it.
    pub amount: Fen,
    /// The time of the answer that this is from.
    pub as_of: UnixMillis,
    /// Rises with each posting; an answer with a lower one is old.
    pub version: u64,
    /// What is not final. Of a wallet, what operations under way hold and may take off. Of a card account, what is under
    /// dispute: a code's second use, which may still come off, and payments that the holder disputes, which may come back.
    pub pending: Fen,
}

/// Whether an account can pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    /// It can.
    Open,
    /// Not for now: the card office or the holder froze it.
    Frozen,
    /// Not any more.
    Closed,
}
