//! The endpoints of automatic top-ups.

use super::service;
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiJson, ApiPath, IdempotencyKey, stored_json};
use crate::sessions::Session;
use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use yika_api::Problem;
use yika_api::account::AccountList;
use yika_api::auto_top_up::SetAutoTopUp;

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(set, end))
}

/// Has an account topped up by itself, in place of the rule before, and answers all accounts.
#[utoipa::path(
    put,
    path = "/v1/accounts/{id}/auto-top-up",
    params(
        ("id" = Uuid, Path, description = "The account."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    request_body = SetAutoTopUp,
    responses(
        (status = 200, body = AccountList),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn set(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(account): ApiPath<Uuid>,
    ApiJson(request): ApiJson<SetAutoTopUp>,
) -> Result<Response> {
    service::set(&platform, session.holder, key, account, &request)
        .await
        .map(stored_json)
}

/// Ends it at once, and answers all accounts. A top-up under way goes on to its end.
#[utoipa::path(
    delete,
    path = "/v1/accounts/{id}/auto-top-up",
    params(
        ("id" = Uuid, Path, description = "The account."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    responses(
        (status = 200, body = AccountList),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem)
    )
)]
async fn end(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(account): ApiPath<Uuid>,
) -> Result<Response> {
    service::end(&platform, session.holder, key, account)
        .await
        .map(stored_json)
}
