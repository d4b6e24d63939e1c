//! The endpoints of the merchant centre.

use super::{access, export, income, payments, returns, statements};
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiJson, ApiPath, ApiQuery, IdempotencyKey, stored_json};
use crate::sessions::Session;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use yika_api::Problem;
use yika_api::merchant::{
    RefundPayment, StallExportFormat, StallExportQuery, StallIncome, StallIncomeQuery, StallList,
    StallPayment, StallPaymentPage, StallPaymentQuery, StallStatementPage, StallStatementQuery, VoidPayment,
};
use yika_api::terminal::MerchantId;

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(stalls))
        .routes(routes!(days))
        .routes(routes!(list_payments))
        .routes(routes!(void))
        .routes(routes!(refund))
        .routes(routes!(list_statements))
        .routes(routes!(file))
}

/// The stalls at which the holder works.
#[utoipa::path(
    get,
    path = "/v1/merchants",
    responses((status = 200, body = StallList), (status = 401, body = Problem))
)]
async fn stalls(State(platform): State<Platform>, session: Session) -> Result<Json<StallList>> {
    let mut reader = platform.db().read().await?;
    let places = access::places(&mut reader, session.holder).await?;
    let policy = &platform.config().merchants;
    Ok(Json(StallList {
        stalls: places.iter().map(|place| place.stall(policy)).collect(),
        as_of: platform.now(),
    }))
}

/// What a stall has earned on some days, by day, kind, terminal and hour.
#[utoipa::path(
    get,
    path = "/v1/merchants/{id}/days",
    params(("id" = u64, Path, description = "The merchant."), StallIncomeQuery),
    responses(
        (status = 200, body = StallIncome),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "A cashier sees today alone."),
        (status = 404, body = Problem)
    )
)]
async fn days(
    State(platform): State<Platform>,
    session: Session,
    ApiPath(id): ApiPath<MerchantId>,
    ApiQuery(query): ApiQuery<StallIncomeQuery>,
) -> Result<Json<StallIncome>> {
    income::income(&platform, session.holder, id, &query)
        .await
        .map(Json)
}

/// A stall's sales and refunds, the newest first.
#[utoipa::path(
    get,
    path = "/v1/merchants/{id}/payments",
    params(("id" = u64, Path, description = "The merchant."), StallPaymentQuery),
    responses(
        (status = 200, body = StallPaymentPage),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "A cashier sees today alone."),
        (status = 404, body = Problem)
    )
)]
async fn list_payments(
    State(platform): State<Platform>,
    session: Session,
    ApiPath(id): ApiPath<MerchantId>,
    ApiQuery(query): ApiQuery<StallPaymentQuery>,
) -> Result<Json<StallPaymentPage>> {
    payments::page(&platform, session.holder, id, &query)
        .await
        .map(Json)
}

/// Takes the last sale of a terminal back, as if it had not been.
#[utoipa::path(
    post,
    path = "/v1/merchants/{id}/payments/{payment}/void",
    params(
        ("id" = u64, Path, description = "The merchant."),
        ("payment" = Uuid, Path, description = "The sale."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    request_body = VoidPayment,
    responses(
        (status = 200, body = StallPayment),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem)
    )
)]
async fn void(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(named): ApiPath<(MerchantId, Uuid)>,
    ApiJson(request): ApiJson<VoidPayment>,
) -> Result<Response> {
    returns::void(&platform, session.holder, key, named, &request)
        .await
        .map(stored_json)
}

/// Gives a sale back, or a part of it.
#[utoipa::path(
    post,
    path = "/v1/merchants/{id}/payments/{payment}/refund",
    params(
        ("id" = u64, Path, description = "The merchant."),
        ("payment" = Uuid, Path, description = "The sale."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    request_body = RefundPayment,
    responses(
        (status = 200, body = StallPayment),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem)
    )
)]
async fn refund(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(named): ApiPath<(MerchantId, Uuid)>,
    ApiJson(request): ApiJson<RefundPayment>,
) -> Result<Response> {
    returns::refund(&platform, session.holder, key, named, &request)
        .await
        .map(stored_json)
}

/// A stall's statements: what was earned and paid out, settlement by settlement, and what is open.
#[utoipa::path(
    get,
    path = "/v1/merchants/{id}/statements",
    params(("id" = u64, Path, description = "The merchant."), StallStatementQuery),
    responses(
        (status = 200, body = StallStatementPage),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "Statements are the owner's."),
        (status = 404, body = Problem)
    )
)]
async fn list_statements(
    State(platform): State<Platform>,
    session: Session,
    ApiPath(id): ApiPath<MerchantId>,
    ApiQuery(query): ApiQuery<StallStatementQuery>,
) -> Result<Json<StallStatementPage>> {
    statements::page(&platform, session.holder, id, &query)
        .await
        .map(Json)
}

/// A stall's numbers as a file.
#[utoipa::path(
    get,
    path = "/v1/merchants/{id}/export",
    params(("id" = u64, Path, description = "The merchant."), StallExportQuery),
    responses(
        (status = 200, content((String = "text/csv"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem, description = "Exports are the owner's."),
        (status = 404, body = Problem)
    )
)]
async fn file(
    State(platform): State<Platform>,
    session: Session,
    headers: HeaderMap,
    ApiPath(id): ApiPath<MerchantId>,
    ApiQuery(query): ApiQuery<StallExportQuery>,
) -> Result<Response> {
    let file = export::export(&platform, session.holder, id, &query, accepted(&headers)).await?;
    let kind = match file.format {
        StallExportFormat::Csv => "text/csv; charset=utf-8",
        StallExportFormat::Xlsx => file.format.media_type(),
    };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}\"", file.name),
        ),
    ];
    Ok((headers, file.bytes).into_response())
}

/// The form that the caller takes: a workbook where `Accept` names one and no CSV.
fn accepted(headers: &HeaderMap) -> StallExportFormat {
    let names = |format: StallExportFormat| {
        let mut values = headers.get_all(header::ACCEPT).iter();
        values.any(|value| {
            value
                .to_str()
                .is_ok_and(|text| text.contains(format.media_type()))
        })
    };
    match names(StallExportFormat::Xlsx) && !names(StallExportFormat::Csv) {
        true => StallExportFormat::Xlsx,
        false => StallExportFormat::Csv,
    }
}
