//! The endpoint of settlement.

use super::service;
use crate::Platform;
use crate::error::Result;
use crate::http::ApiJson;
use crate::terminals::Terminal;
use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yika_api::Problem;
use yika_api::terminal::{SaleUpload, SaleUploadReply};

/// 500 records of at most 380 bytes, in base64url and JSON.
const BODY_LIMIT: usize = 512 * 1024;

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(sales))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

/// Settles what a terminal approved offline. The same upload again gets the same outcomes.
#[utoipa::path(
    post,
    path = "/v1/terminals/sales",
    request_body = SaleUpload,
    responses(
        (status = 200, body = SaleUploadReply),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem)
    )
)]
async fn sales(
    State(platform): State<Platform>,
    terminal: Terminal,
    ApiJson(upload): ApiJson<SaleUpload>,
) -> Result<Json<SaleUploadReply>> {
    service::settle_upload(&platform, &terminal, upload)
        .await
        .map(Json)
}
