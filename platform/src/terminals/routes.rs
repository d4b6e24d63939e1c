//! The endpoints of terminals. Their lists are the issuer's, their records settlement's.

use super::Terminal;
use super::service::{self, TerminalKey};
use crate::Platform;
use crate::error::Result;
use crate::http::ApiJson;
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yika_api::Problem;
use yika_api::terminal::{EnrolTerminal, EnrolledTerminal, TerminalStatus};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(enrol))
        .routes(routes!(current))
}

/// Enrols a terminal with the key of the request's proof.
#[utoipa::path(
    post,
    path = "/v1/terminals",
    request_body = EnrolTerminal,
    responses(
        (status = 200, body = EnrolledTerminal),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem)
    )
)]
async fn enrol(
    State(platform): State<Platform>,
    TerminalKey(key): TerminalKey,
    ApiJson(request): ApiJson<EnrolTerminal>,
) -> Result<Json<EnrolledTerminal>> {
    service::enrol(&platform, &key, &request).await.map(Json)
}

/// How the platform sees this terminal.
#[utoipa::path(
    get,
    path = "/v1/terminals/current",
    responses((status = 200, body = TerminalStatus), (status = 401, body = Problem), (status = 403, body = Problem))
)]
async fn current(Terminal(terminal): Terminal) -> Json<TerminalStatus> {
    Json(service::status(&terminal))
}
