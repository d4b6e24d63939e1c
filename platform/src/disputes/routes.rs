//! The endpoints of disputes.

use super::service;
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiJson, ApiPath, IdempotencyKey, stored_json};
use crate::sessions::Session;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use yika_api::Problem;
use yika_api::dispute::{Dispute, DisputeList, OpenDispute};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(open))
        .routes(routes!(list))
        .routes(routes!(withdraw))
}

/// Disputes a payment.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/disputes",
    params(
        ("id" = Uuid, Path, description = "The payment."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    request_body = OpenDispute,
    responses(
        (status = 200, body = Dispute),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem)
    )
)]
async fn open(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(payment): ApiPath<Uuid>,
    ApiJson(request): ApiJson<OpenDispute>,
) -> Result<Response> {
    service::open(&platform, session.holder, key, payment, &request)
        .await
        .map(stored_json)
}

/// The holder's disputes, the newest first.
#[utoipa::path(
    get,
    path = "/v1/disputes",
    responses((status = 200, body = DisputeList), (status = 401, body = Problem))
)]
async fn list(State(platform): State<Platform>, session: Session) -> Result<Json<DisputeList>> {
    service::list(&platform, session.holder).await.map(Json)
}

/// Takes a dispute back.
#[utoipa::path(
    post,
    path = "/v1/disputes/{id}/withdraw",
    params(
        ("id" = Uuid, Path, description = "The dispute."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    responses(
        (status = 200, body = Dispute),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem)
    )
)]
async fn withdraw(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(dispute): ApiPath<Uuid>,
) -> Result<Response> {
    service::withdraw(&platform, session.holder, key, dispute)
        .await
        .map(stored_json)
}
