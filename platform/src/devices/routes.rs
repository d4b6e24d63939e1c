//! The endpoints of a holder's phones.

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
use yika_api::device::{DeviceList, RemoveDevice};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(remove))
}

/// The phones that are bound to the holder's card.
#[utoipa::path(
    get,
    path = "/v1/devices",
    responses((status = 200, body = DeviceList), (status = 401, body = Problem))
)]
async fn list(State(platform): State<Platform>, session: Session) -> Result<Json<DeviceList>> {
    service::list(&platform, &session).await.map(Json)
}

/// Signs another phone of the holder out, with a step-up.
#[utoipa::path(
    put,
    path = "/v1/devices/{id}/removal",
    params(
        ("id" = Uuid, Path, description = "The phone."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    request_body = RemoveDevice,
    responses(
        (status = 200, body = DeviceList),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn remove(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(id): ApiPath<Uuid>,
    ApiJson(request): ApiJson<RemoveDevice>,
) -> Result<Response> {
    service::remove(&platform, &session, key, id, &request)
        .await
        .map(stored_json)
}
