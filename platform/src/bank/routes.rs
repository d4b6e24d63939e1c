//! What the bank tells unasked.

use crate::error::Result;
use crate::http::ApiJson;
use crate::{Platform, operations};
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yika_api::Problem;
use yika_api::bank::Notice;

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(notice))
}

/// How an order stands, in the bank's own words. Comes as often as the bank likes and in any order.
#[utoipa::path(
    post,
    path = "/v1/bank/notices",
    request_body = Notice,
    responses(
        (status = 204, description = "Heard."),
        (status = 400, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn notice(State(platform): State<Platform>, ApiJson(notice): ApiJson<Notice>) -> Result<StatusCode> {
    let status = platform.bank()?.open_notice(&notice, platform.now()).await?;
    operations::hear(&platform, status.id, &status.state).await?;
    Ok(StatusCode::NO_CONTENT)
}
