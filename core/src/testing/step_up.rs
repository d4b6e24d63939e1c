//! The platform's side of step-up: limits, and the approval key of the phone.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::put;
use axum::{Json, Router};
use uuid::Uuid;
use yika_api::approval::{Act, ApprovalKey, SetApprovalKey, StepUp, approval_text};
use yika_api::limit::{SetLimits, SpendLimits};
use yika_api::operation::RefusalReason;
use yika_api::{Base64Url, Fen, ProblemCode};
use yika_format::bank::Field;
use yika_format::{ExpandedKey, Signature};

use super::money::{PASSWORD, bank_refused, name};
use super::platform::{Campus, DOMAIN, FakePlatform, problem};

/// The path of the approval key, as faults name it.
pub(crate) const PUT_APPROVAL_KEY: &str = "PUT /v1/sessions/current/approval-key";

/// Whom the platform lets step up.
pub(crate) struct Steps {
    pub limits: SpendLimits,
    pub key: Option<ExpandedKey>,
}

impl Steps {
    pub(super) fn new() -> Self {
        let (single, day) = (Fen::new(30_000), Fen::new(60_000));
        Self {
            limits: SpendLimits {
                single,
                day,
                most_single: single,
                most_day: day,
                day_used: Fen::ZERO,
            },
            key: None,
        }
    }
}

impl Campus {
    /// Why the holder is not taken to be there.
    pub(super) fn doubt(&mut self, operation: Uuid, act: Act, step_up: Option<&StepUp>) -> Option<Response> {
        match step_up {
            None => Some(problem(ProblemCode::StepUpRequired)),
            Some(StepUp::Password { password }) => {
                let opened = self.money.open(password, operation, Fen::ZERO, Field::Password);
                (opened.as_deref() != Some(PASSWORD)).then(|| bank_refused(RefusalReason::PasswordWrong))
            }
            Some(StepUp::Approval { signature }) => {
                let key = self.steps.key.as_ref();
                let is_good = key.is_some_and(|key| verifies(key, operation, act, signature));
                (!is_good).then(|| problem(ProblemCode::ApprovalRefused))
            }
            Some(StepUp::SignIn { .. }) => Some(problem(ProblemCode::StepUpRequired)),
        }
    }
}

fn verifies(key: &ExpandedKey, operation: Uuid, act: Act, signature: &Base64Url) -> bool {
    let signature = Signature::from_raw(signature.to_array().unwrap()).unwrap();
    let text = approval_text(DOMAIN, operation, act);
    key.verify(text.as_bytes(), &signature).is_ok()
}

type Shared = State<Arc<FakePlatform>>;

pub(super) fn routes() -> Router<Arc<FakePlatform>> {
    Router::new()
        .route("/v1/limits", put(set_limits).get(limits))
        .route(
            "/v1/sessions/current/approval-key",
            put(set_key).delete(forget_key),
        )
}

async fn limits(State(platform): Shared) -> Response {
    Json(platform.campus().steps.limits).into_response()
}

async fn set_limits(State(platform): Shared, headers: HeaderMap, Json(request): Json<SetLimits>) -> Response {
    let mut campus = platform.campus();
    let SetLimits { single, day, step_up } = request;
    let act = Act::SpendLimits { single, day };
    if single > campus.steps.limits.single
        && let Some(doubt) = campus.doubt(name(&headers), act, step_up.as_ref())
    {
        return doubt;
    }
    campus.steps.limits.single = single;
    campus.steps.limits.day = day;
    Json(campus.steps.limits).into_response()
}

async fn set_key(
    State(platform): Shared,
    headers: HeaderMap,
    Json(request): Json<SetApprovalKey>,
) -> Response {
    let mut campus = platform.campus();
    let operation = name(&headers);
    let key = ExpandedKey::from_uncompressed(&request.public_key.0).unwrap();
    if !verifies(&key, operation, Act::ApprovalKey, &request.proof) {
        return problem(ProblemCode::ApprovalRefused);
    }
    let opened = campus
        .money
        .open(&request.password, operation, Fen::ZERO, Field::Password);
    if opened.as_deref() != Some(PASSWORD) {
        return bank_refused(RefusalReason::PasswordWrong);
    }
    campus.steps.key = Some(key);
    let told = ApprovalKey {
        storage: request.storage,
        since: campus.now,
    };
    Json(told).into_response()
}

async fn forget_key(State(platform): Shared) -> StatusCode {
    platform.campus().steps.key = None;
    StatusCode::NO_CONTENT
}
