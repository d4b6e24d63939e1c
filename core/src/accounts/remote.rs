//! The requests for balances and bills.

use yika_api::account::AccountList;
use yika_api::payment::{PaymentPage, PaymentQuery};

use crate::error::CoreError;
use crate::http::Call;
use crate::session::Sessions;

/// As many as the platform gives at once.
const PAGE: u16 = 500;

pub(super) async fn accounts(sessions: &Sessions) -> Result<AccountList, CoreError> {
    Ok(sessions.send(&Call::get("/v1/accounts")).await?.json()?)
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
