//! The endpoints of face photos: of phones, and of the terminals that look at faces.

use super::{delivery, service};
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiBytes, ApiJson, ApiPath, ApiQuery};
use crate::sessions::Session;
use crate::terminals::Terminal;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use yika_api::Problem;
use yika_api::face::{BeginPhoto, FaceFile, FacePhoto, GiveConsent, PhotoBytesQuery};
use yika_api::terminal::FacesApplied;

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(file))
        .routes(routes!(give_consent, withdraw_consent))
        .routes(routes!(begin_photo))
        .routes(routes!(append_bytes))
        .routes(routes!(list))
        .routes(routes!(portrait))
        .routes(routes!(applied))
}

/// Everything about the holder's photo but the photo.
#[utoipa::path(
    get,
    path = "/v1/face",
    responses((status = 200, body = FaceFile), (status = 401, body = Problem))
)]
async fn file(State(platform): State<Platform>, session: Session) -> Result<Json<FaceFile>> {
    service::file(&platform, session.holder).await.map(Json)
}

/// Records the holder's consent, named by the phone.
#[utoipa::path(
    put,
    path = "/v1/face/consents/{id}",
    params(("id" = Uuid, Path, description = "The consent.")),
    request_body = GiveConsent,
    responses(
        (status = 200, body = FaceFile),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 409, body = Problem, description = "Other terms are in force, or this name stands for another consent.")
    )
)]
async fn give_consent(
    State(platform): State<Platform>,
    session: Session,
    ApiPath(id): ApiPath<Uuid>,
    ApiJson(request): ApiJson<GiveConsent>,
) -> Result<Json<FaceFile>> {
    service::give_consent(&platform, session.holder, id, &request)
        .await
        .map(Json)
}

/// Ends the holder's consent and deletes every portrait.
#[utoipa::path(
    delete,
    path = "/v1/face/consents/{id}",
    params(("id" = Uuid, Path, description = "The consent.")),
    responses(
        (status = 200, body = FaceFile),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
async fn withdraw_consent(
    State(platform): State<Platform>,
    session: Session,
    ApiPath(id): ApiPath<Uuid>,
) -> Result<Json<FaceFile>> {
    service::withdraw(&platform, session.holder, id).await.map(Json)
}

/// Announces a portrait, named by the phone.
#[utoipa::path(
    put,
    path = "/v1/face/photos/{id}",
    params(("id" = Uuid, Path, description = "The portrait.")),
    request_body = BeginPhoto,
    responses(
        (status = 200, body = FacePhoto),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 409, body = Problem, description = "Without consent, or this name stands for another portrait.")
    )
)]
async fn begin_photo(
    State(platform): State<Platform>,
    session: Session,
    ApiPath(id): ApiPath<Uuid>,
    ApiJson(request): ApiJson<BeginPhoto>,
) -> Result<Json<FacePhoto>> {
    service::begin(&platform, session.holder, id, &request)
        .await
        .map(Json)
}

/// Takes bytes of a portrait, and answers how many are there.
#[utoipa::path(
    post,
    path = "/v1/face/photos/{id}/bytes",
    params(("id" = Uuid, Path, description = "The portrait."), PhotoBytesQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = FacePhoto),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
async fn append_bytes(
    State(platform): State<Platform>,
    session: Session,
    ApiPath(id): ApiPath<Uuid>,
    ApiQuery(query): ApiQuery<PhotoBytesQuery>,
    ApiBytes(body): ApiBytes,
) -> Result<Json<FacePhoto>> {
    service::append(&platform, session.holder, id, query.from, &body)
        .await
        .map(Json)
}

/// The signed list of the portraits that gates and POS may use.
#[utoipa::path(
    get,
    path = "/v1/terminals/faces",
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "A library desk, or frozen.")
    )
)]
async fn list(State(platform): State<Platform>, Terminal(terminal): Terminal) -> Result<impl IntoResponse> {
    let bytes = delivery::list(&platform, &terminal).await?;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], bytes))
}

/// A portrait that is on the list.
#[utoipa::path(
    get,
    path = "/v1/terminals/faces/{reference}",
    params(("reference" = Uuid, Path, description = "The reference on the list, in hexadecimal.")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "image/jpeg"),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "A library desk, or frozen."),
        (status = 404, body = Problem)
    )
)]
async fn portrait(
    State(platform): State<Platform>,
    Terminal(terminal): Terminal,
    ApiPath(reference): ApiPath<Uuid>,
) -> Result<impl IntoResponse> {
    let bytes = delivery::portrait(&platform, &terminal, reference).await?;
    Ok(([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "no-store")], bytes))
}

/// Says that a terminal has nothing any more that is not in a version of the list.
#[utoipa::path(
    post,
    path = "/v1/terminals/faces/applied",
    request_body = FacesApplied,
    responses(
        (status = 204),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "A library desk, or frozen.")
    )
)]
async fn applied(
    State(platform): State<Platform>,
    Terminal(terminal): Terminal,
    ApiJson(request): ApiJson<FacesApplied>,
) -> Result<StatusCode> {
    delivery::applied(&platform, &terminal, request.version).await?;
    Ok(StatusCode::NO_CONTENT)
}
