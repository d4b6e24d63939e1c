//! The endpoints of the approval key.

use super::service;
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiJson, IdempotencyKey, stored_json};
use crate::sessions::Session;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yika_api::Problem;
use yika_api::approval::{ApprovalKey, SetApprovalKey};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(set, forget))
}

/// Lets this phone approve from now on.
#[utoipa::path(
    put,
    path = "/v1/sessions/current/approval-key",
    params(("Idempotency-Key" = Uuid, Header, description = "Names the operation.")),
    request_body = SetApprovalKey,
    responses(
        (status = 200, body = ApprovalKey),
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
    ApiJson(request): ApiJson<SetApprovalKey>,
) -> Result<Response> {
    service::set(&platform, &session, key, &request)
        .await
        .map(stored_json)
}

/// Forgets the key, where there is one.
#[utoipa::path(
    delete,
    path = "/v1/sessions/current/approval-key",
    responses((status = 204, description = "This phone approves nothing."), (status = 401, body = Problem))
)]
async fn forget(State(platform): State<Platform>, session: Session) -> Result<StatusCode> {
    service::forget(&platform, &session).await?;
    Ok(StatusCode::NO_CONTENT)
}
