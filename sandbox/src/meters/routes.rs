//! The adapter's routes, below `/sandbox/meters`: the messages of [`yika_api::utility`], as they are. Below
//! `/sandbox/admin/meters`, the console's:
//!
//! | request | answer |
//! |---|---|
//! | `GET .` | `{meters: [{provider, code, balance, credited}]}` |
//! | `GET fault`, `PUT fault {"fault", "count"}` | the plan for new credits |

use super::credits::{MeterView, Reply};
use super::faults::MeterFault;
use super::{MeterError, Meters};
use crate::bank::silence;
use crate::faults::Plan;
use crate::seed::meters;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use uuid::Uuid;
use yika_api::utility::{Credit, CreditStatus, MeterBalance, Place, PlaceQuery, Provider};
use yika_api::{Problem, ProblemCode};

#[derive(Serialize)]
struct Overview {
    meters: Vec<MeterView>,
}

/// How a request ends that isn't answered.
enum Failure {
    /// There is no such thing.
    Missing,
    /// The meters themselves failed.
    Broken(MeterError),
}

impl From<MeterError> for Failure {
    fn from(error: MeterError) -> Self {
        Self::Broken(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Missing => StatusCode::NOT_FOUND.into_response(),
            Self::Broken(error) => {
                tracing::error!(%error, "the meters failed");
                let problem = Problem::new(ProblemCode::Internal).with_detail(error.to_string());
                (StatusCode::INTERNAL_SERVER_ERROR, Json(problem)).into_response()
            }
        }
    }
}

/// The adapter's routes and the console's.
pub(super) fn routes(meters: Meters) -> Router {
    Router::new()
        .route("/sandbox/meters/providers", get(providers))
        .route("/sandbox/meters/providers/{provider}/places", get(places))
        .route("/sandbox/meters/providers/{provider}/places/{code}", get(place))
        .route(
            "/sandbox/meters/providers/{provider}/places/{code}/balance",
            get(balance),
        )
        .route("/sandbox/meters/credits", post(credit))
        .route("/sandbox/meters/credits/{id}", get(status))
        .route("/sandbox/meters/credits/{id}/cancel", post(cancel))
        .route("/sandbox/admin/meters", get(overview))
        .route("/sandbox/admin/meters/fault", get(fault).put(set_fault))
        .with_state(meters)
}

async fn providers() -> Json<Vec<Provider>> {
    Json(meters::providers())
}

async fn places(
    Path(provider): Path<String>,
    Query(query): Query<PlaceQuery>,
) -> Result<Json<Vec<Place>>, Failure> {
    let places = meters::places(&provider, query.below.as_deref());
    places.map(Json).ok_or(Failure::Missing)
}

async fn place(Path((provider, code)): Path<(String, String)>) -> Result<Json<Place>, Failure> {
    meters::place(&provider, &code).map(Json).ok_or(Failure::Missing)
}

async fn balance(
    State(meters): State<Meters>,
    Path((provider, code)): Path<(String, String)>,
) -> Result<Json<MeterBalance>, Failure> {
    let balance = meters.balance(&provider, &code).await?;
    balance.map(Json).ok_or(Failure::Missing)
}

async fn credit(State(meters): State<Meters>, Json(credit): Json<Credit>) -> Result<Response, Failure> {
    // A task of its own: a caller who gives up doesn't stop it halfway.
    let made = tokio::spawn(async move { meters.credit(&credit).await }).await;
    Ok(match made.unwrap_or(Ok(Reply::Silence))? {
        Reply::Told(status) => Json(status).into_response(),
        Reply::Silence => silence(),
    })
}

async fn status(State(meters): State<Meters>, Path(id): Path<Uuid>) -> Result<Json<CreditStatus>, Failure> {
    let status = meters.status(id).await?;
    status.map(Json).ok_or(Failure::Missing)
}

async fn cancel(State(meters): State<Meters>, Path(id): Path<Uuid>) -> Result<Json<CreditStatus>, Failure> {
    Ok(Json(meters.cancel(id).await?))
}

async fn overview(State(meters): State<Meters>) -> Result<Json<Overview>, Failure> {
    Ok(Json(Overview {
        meters: meters.all().await?,
    }))
}

async fn fault(State(meters): State<Meters>) -> Json<Plan<MeterFault>> {
    Json(meters.0.faults.next())
}

async fn set_fault(
    State(meters): State<Meters>,
    Json(plan): Json<Plan<MeterFault>>,
) -> Json<Plan<MeterFault>> {
    meters.0.faults.set(plan);
    fault(State(meters)).await
}
