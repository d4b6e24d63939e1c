//! The adapter's routes, below `/sandbox/bank`: the messages of [`yika_api::bank`], as they are.
//!
//! `Yika-Bank-Fault: NAME` on an order plays that fault with it.

use super::customers::CustomerRequest;
use super::faults::BankFault;
use super::orders::Reply;
use super::{Bank, Failure};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use clap::ValueEnum as _;
use uuid::Uuid;
use yika_api::bank::{
    CardCode, CheckPassword, CloseCustomer, NewCard, NewMandate, OpenCustomer, Order, OrderStatus,
    SetPassword, StatementRow,
};
use yika_api::{Problem, ProblemCode};

const FAULT: &str = "Yika-Bank-Fault";

/// The adapter's routes.
pub(super) fn routes(bank: Bank) -> Router {
    Router::new()
        .route("/sandbox/bank/orders", post(place))
        .route("/sandbox/bank/orders/{id}", get(order))
        .route("/sandbox/bank/orders/{id}/cancel", post(cancel))
        .route("/sandbox/bank/orders/{id}/refund", post(refund))
        .route("/sandbox/bank/customers", post(open))
        .route("/sandbox/bank/customers/{customer}/close", post(close))
        .route("/sandbox/bank/customers/{customer}/password", put(set_password))
        .route(
            "/sandbox/bank/customers/{customer}/password/check",
            post(check_password),
        )
        .route("/sandbox/bank/customers/{customer}/cards", post(bind))
        .route(
            "/sandbox/bank/customers/{customer}/cards/{card}/confirm",
            post(confirm),
        )
        .route("/sandbox/bank/customers/{customer}/cards/{card}", delete(unbind))
        .route(
            "/sandbox/bank/customers/{customer}/mandates/{mandate}",
            put(give_mandate).delete(end_mandate),
        )
        .route("/sandbox/bank/key", get(key))
        .route("/sandbox/bank/statements/{day}", get(statement))
        .with_state(bank)
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(refusal) => (StatusCode::UNPROCESSABLE_ENTITY, Json(refusal)).into_response(),
            Self::Missing => StatusCode::NOT_FOUND.into_response(),
            Self::Silence => silence(),
            Self::Broken(error) => {
                tracing::error!(%error, "the bank failed");
                let problem = Problem::new(ProblemCode::Internal).with_detail(error.to_string());
                (StatusCode::INTERNAL_SERVER_ERROR, Json(problem)).into_response()
            }
        }
    }
}

async fn place(
    State(bank): State<Bank>,
    headers: HeaderMap,
    Json(order): Json<Order>,
) -> Result<Response, Failure> {
    let name = headers.get(FAULT).and_then(|name| name.to_str().ok());
    let fault = name.and_then(|name| BankFault::from_str(name, false).ok());
    if name.is_some() && fault.is_none() {
        return Ok((
            StatusCode::BAD_REQUEST,
            Json(Problem::new(ProblemCode::InvalidRequest)),
        )
            .into_response());
    }
    // A task of its own: a caller who gives up doesn't stop it halfway.
    let placed = tokio::spawn(async move { bank.place(&order, fault).await }).await;
    Ok(match placed.unwrap_or(Ok(Reply::Silence))? {
        Reply::Told(status) => Json(status).into_response(),
        Reply::Silence => silence(),
    })
}

/// Closes the connection before a byte of an answer: the body fails before the head is flushed.
pub(crate) fn silence() -> Response {
    let failure = std::io::Error::other("whoever was asked keeps silent");
    let body = futures_util::stream::once(async { Err::<Vec<u8>, _>(failure) });
    Body::from_stream(body).into_response()
}

async fn order(State(bank): State<Bank>, Path(id): Path<Uuid>) -> Result<Json<OrderStatus>, Failure> {
    Ok(Json(bank.order(id).await?.ok_or(Failure::Missing)?))
}

async fn cancel(State(bank): State<Bank>, Path(id): Path<Uuid>) -> Result<Json<OrderStatus>, Failure> {
    Ok(Json(bank.end(id, false).await?))
}

async fn refund(State(bank): State<Bank>, Path(id): Path<Uuid>) -> Result<Json<OrderStatus>, Failure> {
    Ok(Json(bank.end(id, true).await?))
}

async fn answer(bank: &Bank, request: CustomerRequest) -> Result<Response, Failure> {
    Ok(match bank.answer(request).await? {
        Some(challenge) => Json(challenge).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

async fn open(State(bank): State<Bank>, Json(body): Json<OpenCustomer>) -> Result<Response, Failure> {
    answer(&bank, CustomerRequest::Open(body)).await
}

async fn close(
    State(bank): State<Bank>,
    Path(customer): Path<Uuid>,
    Json(body): Json<CloseCustomer>,
) -> Result<Response, Failure> {
    answer(&bank, CustomerRequest::Close(customer, body)).await
}

async fn set_password(
    State(bank): State<Bank>,
    Path(customer): Path<Uuid>,
    Json(body): Json<SetPassword>,
) -> Result<Response, Failure> {
    answer(&bank, CustomerRequest::Password(customer, body)).await
}

async fn check_password(
    State(bank): State<Bank>,
    Path(customer): Path<Uuid>,
    Json(body): Json<CheckPassword>,
) -> Result<Response, Failure> {
    answer(&bank, CustomerRequest::Check(customer, body)).await
}

async fn bind(
    State(bank): State<Bank>,
    Path(customer): Path<Uuid>,
    Json(body): Json<NewCard>,
) -> Result<Response, Failure> {
    answer(&bank, CustomerRequest::Bind(customer, body)).await
}

async fn confirm(
    State(bank): State<Bank>,
    Path((customer, card)): Path<(Uuid, Uuid)>,
    Json(body): Json<CardCode>,
) -> Result<Response, Failure> {
    answer(&bank, CustomerRequest::Confirm(customer, card, body)).await
}

async fn unbind(
    State(bank): State<Bank>,
    Path((customer, card)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Failure> {
    bank.unbind(customer, card).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn give_mandate(
    State(bank): State<Bank>,
    Path((customer, mandate)): Path<(Uuid, Uuid)>,
    Json(body): Json<NewMandate>,
) -> Result<Response, Failure> {
    answer(&bank, CustomerRequest::Mandate(customer, mandate, body)).await
}

async fn end_mandate(
    State(bank): State<Bank>,
    Path((customer, mandate)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Failure> {
    bank.end_mandate(customer, mandate).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn key(State(bank): State<Bank>) -> Response {
    let octets = [(header::CONTENT_TYPE, "application/octet-stream")];
    (octets, bank.0.keys.certificate().to_vec()).into_response()
}

async fn statement(
    State(bank): State<Bank>,
    Path(day): Path<String>,
) -> Result<Json<Vec<StatementRow>>, Failure> {
    Ok(Json(bank.statement(&day, true).await?))
}
