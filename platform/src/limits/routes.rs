//! The endpoints of payments' limits. Those of top-ups are the wallet's.

use super::service;
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiJson, IdempotencyKey, stored_json};
use crate::sessions::Session;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yika_api::Problem;
use yika_api::limit::{SetLimits, SpendLimits};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(show, set))
}

/// The limits of payments off card accounts.
#[utoipa::path(
    get,
    path = "/v1/limits",
    responses((status = 200, body = SpendLimits), (status = 401, body = Problem))
)]
async fn show(State(platform): State<Platform>, session: Session) -> Result<Json<SpendLimits>> {
    service::show(&platform, session.holder).await.map(Json)
}

/// Lowers them, or raises them with a step-up.
#[utoipa::path(
    put,
    path = "/v1/limits",
    params(("Idempotency-Key" = Uuid, Header, description = "Names the operation.")),
    request_body = SetLimits,
    responses(
        (status = 200, body = SpendLimits),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
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
    ApiJson(request): ApiJson<SetLimits>,
) -> Result<Response> {
    service::set(&platform, &session, key, &request)
        .await
        .map(stored_json)
}
