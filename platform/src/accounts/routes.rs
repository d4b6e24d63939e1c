//! The endpoints of accounts and bills.

use super::{feed, low_balance, shown_accounts};
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiJson, ApiPath, ApiQuery, IdempotencyKey, stored_json};
use crate::sessions::Session;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use yika_api::Problem;
use yika_api::account::{AccountList, LowBalance};
use yika_api::payment::{PaymentPage, PaymentQuery};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(accounts))
        .routes(routes!(set_low_balance))
        .routes(routes!(payments))
}

/// The holder's accounts.
#[utoipa::path(get, path = "/v1/accounts", responses((status = 200, body = AccountList), (status = 401, body = Problem)))]
async fn accounts(State(platform): State<Platform>, session: Session) -> Result<Json<AccountList>> {
    let mut snapshot = platform.db().snapshot().await?;
    shown_accounts(&mut snapshot, &platform, session.holder)
        .await
        .map(Json)
}

/// Says below which balance of an account the holder wants to be told, and answers all accounts.
#[utoipa::path(
    put,
    path = "/v1/accounts/{id}/low-balance",
    params(
        ("id" = Uuid, Path, description = "The account."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    request_body = LowBalance,
    responses(
        (status = 200, body = AccountList),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem)
    )
)]
async fn set_low_balance(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(account): ApiPath<Uuid>,
    ApiJson(request): ApiJson<LowBalance>,
) -> Result<Response> {
    low_balance::set(&platform, session.holder, key, account, request)
        .await
        .map(stored_json)
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
