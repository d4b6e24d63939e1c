//! The endpoints of accounts and bills.

use super::{feed, list_accounts};
use crate::Platform;
use crate::error::Result;
use crate::http::ApiQuery;
use crate::sessions::Session;
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yika_api::Problem;
use yika_api::account::AccountList;
use yika_api::payment::{PaymentPage, PaymentQuery};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(accounts))
        .routes(routes!(payments))
}

/// The holder's accounts.
#[utoipa::path(get, path = "/v1/accounts", responses((status = 200, body = AccountList), (status = 401, body = Problem)))]
async fn accounts(State(platform): State<Platform>, session: Session) -> Result<Json<AccountList>> {
    let mut reader = platform.db().read().await?;
    let accounts = list_accounts(&mut reader, session.holder, platform.now()).await?;
    Ok(Json(AccountList { accounts }))
}

/// The holder's bills, in the order of their changes.
#[utoipa::path(
    get,
    path = "/v1/payments",
    params(PaymentQuery),
    responses((status = 200, body = PaymentPage), (status = 400, body = Problem), (status = 401, body = Problem))
)]
async fn payments(
    State(platform): State<Platform>,
    session: Session,
    ApiQuery(query): ApiQuery<PaymentQuery>,
) -> Result<Json<PaymentPage>> {
    let mut reader = platform.db().read().await?;
    Ok(Json(
        feed::page(&mut reader, session.holder, &query, platform.now()).await?,
    ))
}
