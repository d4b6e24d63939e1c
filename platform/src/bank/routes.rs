//! What everyone may know of the bank, and what the bank tells unasked.

use crate::error::Result;
use crate::http::ApiJson;
use crate::{Platform, operations};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yika_api::Problem;
use yika_api::bank::Notice;
use yika_api::wallet::SchoolBank;

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(school_bank))
        .routes(routes!(notice))
}

/// The bank that keeps the wallets, with the root key to pin.
#[utoipa::path(
    get,
    path = "/v1/school/bank",
    responses(
        (status = 200, body = SchoolBank),
        (status = 404, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn school_bank(State(platform): State<Platform>) -> Result<Json<SchoolBank>> {
    let (bank, policy) = (platform.bank()?, &platform.config().wallet);
    let presets = policy.presets.iter().copied();
    Ok(Json(SchoolBank {
        root_key: bank.root().as_bytes().to_vec().into(),
        bank_key: bank.certificate(platform.now()).await?,
        terms: policy.terms.clone(),
        least: policy.least,
        single: policy.single,
        day: policy.day,
        presets: presets
            .filter(|amount| (policy.least..=policy.single).contains(amount))
            .collect(),
        fee: policy.fee,
    }))
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
