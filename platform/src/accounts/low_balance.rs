//! Below which balance a holder wants to be told. The phone compares and tells; here it is remembered, for all phones.

use super::shown_accounts;
use super::store::{card_account_of, set_low_below};
use crate::Platform;
use crate::db::transact;
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::idempotency::{Deed, Operation};
use uuid::Uuid;
use yika_api::account::LowBalance;
use yika_api::{Fen, ProblemCode};

/// More than anybody keeps on a card.
const MOST: Fen = Fen::new(10_000_000);

/// Sets it for one account, and answers all.
pub(super) async fn set(
    platform: &Platform,
    holder: i64,
    key: IdempotencyKey,
    account: Uuid,
    request: LowBalance,
) -> Result<String> {
    if let Some(below) = request
        .below
        .filter(|below| !below.is_positive() || *below > MOST)
    {
        let limit = if below > MOST { MOST } else { Fen::new(1) };
        return Err(Error::refused_amount(ProblemCode::AmountOutOfRange, limit));
    }
    let deed = Deed::new("account.low_balance", holder, key, &(account, request))?;
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        let found = card_account_of(tx, holder, account).await?;
        let account = found.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        set_low_below(tx, account.funds.card(), request.below).await?;
        let accounts = shown_accounts(tx, platform, holder).await?;
        slot.store(tx, &accounts, now).await
    })
}
