//! The endpoints of what is lost and found. A phone that is itself reported lost may use them.

use super::service;
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiJson, ApiPath, IdempotencyKey, stored_json};
use crate::sessions::MaybeLost;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use yika_api::Problem;
use yika_api::lost::{ReportFound, ReportLost, Suspension, SuspensionList};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(report))
        .routes(routes!(found))
}

/// Everything of the holder that is suspended now.
#[utoipa::path(
    get,
    path = "/v1/cards/suspensions",
    responses((status = 200, body = SuspensionList), (status = 401, body = Problem))
)]
async fn list(
    State(platform): State<Platform>,
    MaybeLost(session): MaybeLost,
) -> Result<Json<SuspensionList>> {
    service::list(&platform, session.holder).await.map(Json)
}

/// Reports something lost, named by the phone, and answers from when it counts where.
#[utoipa::path(
    put,
    path = "/v1/cards/suspensions/{id}",
    params(("id" = Uuid, Path, description = "The report.")),
    request_body = ReportLost,
    responses(
        (status = 200, body = Suspension),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem, description = "The holder has no such phone."),
        (status = 409, body = Problem, description = "This name stands for another report."),
        (status = 422, body = Problem)
    )
)]
async fn report(
    State(platform): State<Platform>,
    MaybeLost(session): MaybeLost,
    ApiPath(id): ApiPath<Uuid>,
    ApiJson(request): ApiJson<ReportLost>,
) -> Result<Json<Suspension>> {
    service::report(&platform, &session, id, &request).await.map(Json)
}

/// Reports it found, with a step-up.
#[utoipa::path(
    put,
    path = "/v1/cards/suspensions/{id}/found",
    params(
        ("id" = Uuid, Path, description = "The report."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    request_body = ReportFound,
    responses(
        (status = 200, body = SuspensionList),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "The holder must show to be there, or the card office froze it."),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn found(
    State(platform): State<Platform>,
    MaybeLost(session): MaybeLost,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<Uuid>,
    ApiJson(request): ApiJson<ReportFound>,
) -> Result<Response> {
    service::found(&platform, &session, key, id, &request)
        .await
        .map(stored_json)
}
