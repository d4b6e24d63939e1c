//! The endpoints of credentials, and of the lists that terminals fetch.

use super::{directory, lists, service};
use crate::Platform;
use crate::error::{Error, Result};
use crate::http::{ApiBytes, ApiJson, ApiQuery, IdempotencyKey, stored_json};
use crate::sessions::Session;
use crate::terminals::Terminal;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yika_api::credential::{Challenge, CredentialStatus, IssueRequest, IssuedCredential};
use yika_api::terminal::{DeltaChain, DeltaQuery};
use yika_api::{Problem, ProblemCode};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(challenge))
        .routes(routes!(issue))
        .routes(routes!(current))
        .routes(routes!(keyset))
        .routes(routes!(table))
        .routes(routes!(deltas))
        .routes(routes!(revocations))
        .routes(routes!(library_directory))
        .routes(routes!(time))
}

/// A nonce for one key proof.
#[utoipa::path(
    post,
    path = "/v1/credentials/challenge",
    responses((status = 200, body = Challenge), (status = 401, body = Problem))
)]
async fn challenge(State(platform): State<Platform>, session: Session) -> Result<Json<Challenge>> {
    service::challenge(&platform, &session).await.map(Json)
}

/// Enrols a code key, renews its certificate, or moves to the next epoch.
#[utoipa::path(
    post,
    path = "/v1/credentials",
    params(("Idempotency-Key" = uuid::Uuid, Header, description = "Names the operation.")),
    request_body = IssueRequest,
    responses(
        (status = 200, body = IssuedCredential),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem)
    )
)]
async fn issue(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiJson(request): ApiJson<IssueRequest>,
) -> Result<Response> {
    let reply = service::issue(&platform, &session, key, &request).await?;
    Ok(stored_json(reply))
}

/// How things stand with this phone's credential.
#[utoipa::path(
    get,
    path = "/v1/credentials/current",
    responses((status = 200, body = CredentialStatus), (status = 401, body = Problem), (status = 404, body = Problem))
)]
async fn current(State(platform): State<Platform>, session: Session) -> Result<Json<CredentialStatus>> {
    service::status(&platform, &session).await.map(Json)
}

fn octets(bytes: impl IntoResponse) -> Response {
    let mut response = bytes.into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    response
}

/// The school's keys, signed by the root key: for phones and terminals, and no secret.
#[utoipa::path(
    get,
    path = "/v1/school/keyset",
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"))
)]
async fn keyset(State(platform): State<Platform>) -> Result<Response> {
    lists::current_keyset(&platform).await.map(octets)
}

/// Every credential, a row each.
#[utoipa::path(
    get,
    path = "/v1/terminals/table",
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 401, body = Problem))
)]
async fn table(State(platform): State<Platform>, _terminal: Terminal) -> Result<Response> {
    lists::whole_table(&platform).await.map(octets)
}

/// What changed in the table since a version.
#[utoipa::path(
    get,
    path = "/v1/terminals/deltas",
    params(DeltaQuery),
    responses(
        (status = 200, body = DeltaChain),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 410, body = Problem)
    )
)]
async fn deltas(
    State(platform): State<Platform>,
    _terminal: Terminal,
    ApiQuery(query): ApiQuery<DeltaQuery>,
) -> Result<Json<DeltaChain>> {
    let deltas = lists::deltas_since(&platform, query.base).await?;
    Ok(Json(DeltaChain {
        deltas: deltas.into_iter().map(Into::into).collect(),
    }))
}

/// The lowest accepted epochs.
#[utoipa::path(
    get,
    path = "/v1/terminals/revocations",
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 401, body = Problem))
)]
async fn revocations(State(platform): State<Platform>, _terminal: Terminal) -> Result<Response> {
    lists::current_revocations(&platform).await.map(octets)
}

/// Who stands behind each pseudonym, sealed to this library desk.
#[utoipa::path(
    get,
    path = "/v1/terminals/directory",
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "Not a library desk, or frozen.")
    )
)]
async fn library_directory(
    State(platform): State<Platform>,
    Terminal(terminal): Terminal,
) -> Result<Response> {
    directory::current_directory(&platform, &terminal)
        .await
        .map(octets)
}

/// The platform's time, signed for a terminal's nonce of 16 bytes.
#[utoipa::path(
    post,
    path = "/v1/terminals/time",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 400, body = Problem),
        (status = 401, body = Problem)
    )
)]
async fn time(
    State(platform): State<Platform>,
    _terminal: Terminal,
    ApiBytes(nonce): ApiBytes,
) -> Result<Response> {
    let nonce = <[u8; 16]>::try_from(&nonce[..])
        .map_err(|_| Error::refused_because(ProblemCode::InvalidRequest, "send 16 random bytes"))?;
    Ok(octets(service::signed_time(
        &platform.keys(),
        &nonce,
        platform.now(),
    )?))
}
