//! The requests for balances and bills.

use uuid::Uuid;
use yika_api::account::{AccountList, LowBalance};
use yika_api::payment::{PaymentPage, PaymentQuery};

use crate::error::CoreError;
use crate::http::Call;
use crate::session::Sessions;

/// As many as the platform gives at once.
const PAGE: u16 = 500;

pub(super) async fn accounts(sessions: &Sessions) -> Result<AccountList, CoreError> {
    Ok(sessions.send(&Call::get("/v1/accounts")).await?.json()?)
}

pub(super) async fn set_low_balance(
    sessions: &Sessions,
    account: Uuid,
    request: LowBalance,
) -> Result<AccountList, CoreError> {
    let call = Call::put(format!("/v1/accounts/{account}/low-balance")).json(&request)?;
    Ok(sessions.send(&call.operation(Uuid::now_v7())).await?.json()?)
}

pub(super) async fn payments(sessions: &Sessions, after: Option<String>) -> Result<PaymentPage, CoreError> {
    let query = PaymentQuery {
        after,
        limit: Some(PAGE),
    };
    Ok(sessions
        .send(&Call::get("/v1/payments").query(&query)?)
        .await?
        .json()?)
}
