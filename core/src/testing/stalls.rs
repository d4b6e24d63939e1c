//! The platform's side of the merchant centre: one stall, whose numbers a test sets.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use uuid::Uuid;
use yika_api::merchant::{
    RefundPayment, Stall, StallIncome, StallList, StallPayment, StallPaymentPage, StallPaymentStatus,
    StallRole, StallStatementPage, Takings, Tally,
};
use yika_api::payment::PaymentKind;
use yika_api::terminal::{MerchantId, TerminalId};
use yika_api::{Fen, ProblemCode, UnixMillis};

use super::money::name;
use super::platform::{Campus, FakePlatform, problem};
use super::samples::text;

/// The stall of which the holder is the owner.
pub(crate) const STALL: MerchantId = MerchantId(7);
/// Its one sale, of ¥12.00.
pub(crate) const SALE: Uuid = Uuid::from_u128(0x5a1e);

/// What the platform knows of the stall.
pub(crate) struct Stalls {
    /// What the holder is there; nobody if absent.
    pub role: Option<StallRole>,
    pub sale: StallPayment,
    /// Replies by the names of their operations.
    replies: HashMap<Uuid, StallPayment>,
}

impl Stalls {
    pub(super) fn new() -> Self {
        Self {
            role: Some(StallRole::Owner),
            sale: StallPayment {
                id: SALE,
                kind: PaymentKind::Purchase,
                status: StallPaymentStatus::Paid,
                amount: Fen::new(1_200),
                income: Fen::new(1_200),
                refunded: Fen::ZERO,
                refund_of: None,
                is_disputed: false,
                terminal: Some(TerminalId(1)),
                label: Some("POS 1".to_owned()),
                occurred_at: UnixMillis(0),
                posted_at: UnixMillis(0),
                reference: "1-1".to_owned(),
            },
            replies: HashMap::new(),
        }
    }
}

type Shared = State<Arc<FakePlatform>>;

pub(super) fn routes() -> Router<Arc<FakePlatform>> {
    Router::new()
        .route("/v1/merchants", get(stalls))
        .route("/v1/merchants/{id}/days", get(days))
        .route("/v1/merchants/{id}/payments", get(payments))
        .route("/v1/merchants/{id}/statements", get(statements))
        .route("/v1/merchants/{id}/export", get(|| async { "day\r\n" }))
        .route("/v1/merchants/{id}/payments/{payment}/refund", post(refund))
        .route("/v1/merchants/{id}/payments/{payment}/void", post(void))
}

fn role(campus: &Campus, id: MerchantId) -> Option<StallRole> {
    campus.stalls.role.filter(|_| id == STALL)
}

fn not_found() -> Response {
    problem(ProblemCode::NotFound)
}

async fn stalls(State(platform): Shared) -> Json<StallList> {
    let campus = platform.campus();
    let stall = campus.stalls.role.map(|role| Stall {
        id: STALL,
        name: text("Stall"),
        role,
        may_void: true,
        may_refund: role == StallRole::Owner,
        void_within_ms: 1_800_000,
    });
    Json(StallList {
        stalls: stall.into_iter().collect(),
        as_of: campus.now,
    })
}

async fn days(State(platform): Shared, Path(id): Path<MerchantId>) -> Response {
    let campus = platform.campus();
    let Some(role) = role(&campus, id) else {
        return not_found();
    };
    let sale = &campus.stalls.sale;
    Json(StallIncome {
        id,
        name: text("Stall"),
        role,
        from: "2026-11-18".to_owned(),
        to: "2026-11-18".to_owned(),
        total: Takings {
            sales: Tally {
                count: 1,
                amount: sale.amount,
            },
            income: sale.amount.checked_sub(sale.refunded).unwrap(),
            ..Takings::default()
        },
        settled: Some(Fen::ZERO),
        pending: Some(sale.amount),
        balance: Some(sale.amount),
        disputed: Tally::default(),
        days: Vec::new(),
        kinds: Vec::new(),
        terminals: Vec::new(),
        hours: Vec::new(),
        tills: Vec::new(),
        as_of: campus.now,
    })
    .into_response()
}

async fn payments(State(platform): Shared, Path(id): Path<MerchantId>) -> Response {
    let campus = platform.campus();
    if role(&campus, id).is_none() {
        return not_found();
    }
    Json(StallPaymentPage {
        payments: vec![campus.stalls.sale.clone()],
        cursor: None,
        as_of: campus.now,
    })
    .into_response()
}

async fn statements(State(platform): Shared, Path(id): Path<MerchantId>) -> Response {
    let campus = platform.campus();
    match role(&campus, id) {
        None => not_found(),
        Some(StallRole::Owner) => Json(StallStatementPage {
            open: None,
            statements: Vec::new(),
            cursor: None,
            as_of: campus.now,
        })
        .into_response(),
        Some(_) => problem(ProblemCode::Forbidden),
    }
}

async fn refund(
    State(platform): Shared,
    Path((id, _)): Path<(MerchantId, Uuid)>,
    headers: HeaderMap,
    Json(request): Json<RefundPayment>,
) -> Response {
    let mut campus = platform.campus();
    let operation = name(&headers);
    if let Some(reply) = campus.stalls.replies.get(&operation) {
        return Json(reply.clone()).into_response();
    }
    if role(&campus, id).is_none() {
        return not_found();
    }
    let sale = &mut campus.stalls.sale;
    let refunded = sale.refunded.checked_add(request.amount).unwrap();
    if refunded > sale.amount {
        return problem(ProblemCode::NotRefundable);
    }
    sale.refunded = refunded;
    let sale = sale.clone();
    campus.stalls.replies.insert(operation, sale.clone());
    Json(sale).into_response()
}

async fn void() -> Response {
    problem(ProblemCode::NotVoidable)
}
