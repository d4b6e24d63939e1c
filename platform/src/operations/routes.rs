//! The endpoints of operations.

use super::service;
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiJson, ApiPath, ApiQuery, IdempotencyKey};
use crate::sessions::Session;
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use yika_api::Problem;
use yika_api::operation::{Operation, OperationPage, OperationQuery, OperationRequest};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(start, page))
        .routes(routes!(one))
}

/// Takes an operation on; sent again, answers how the same one stands.
#[utoipa::path(
    post,
    path = "/v1/operations",
    params(("Idempotency-Key" = Uuid, Header, description = "The operation's id.")),
    request_body = OperationRequest,
    responses(
        (status = 200, body = Operation),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem)
    )
)]
async fn start(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiJson(request): ApiJson<OperationRequest>,
) -> Result<Json<Operation>> {
    service::start(&platform, &session, key, &request).await.map(Json)
}

/// One operation, as it stands.
#[utoipa::path(
    get,
    path = "/v1/operations/{id}",
    params(("id" = Uuid, Path, description = "The operation.")),
    responses(
        (status = 200, body = Operation),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
async fn one(
    State(platform): State<Platform>,
    session: Session,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Json<Operation>> {
    service::one(&platform, session.holder, id).await.map(Json)
}

/// The holder's operations, in the order of their changes.
#[utoipa::path(
    get,
    path = "/v1/operations",
    params(OperationQuery),
    responses((status = 200, body = OperationPage), (status = 400, body = Problem), (status = 401, body = Problem))
)]
async fn page(
    State(platform): State<Platform>,
    session: Session,
    ApiQuery(query): ApiQuery<OperationQuery>,
) -> Result<Json<OperationPage>> {
    service::page(&platform, session.holder, &query).await.map(Json)
}
