//! What the card office and the school's card system do about what is lost.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::lost::Suspension;
use yika_platform::{Platform, Result};

#[derive(Serialize)]
struct Suspensions {
    suspensions: Vec<Suspension>,
}

#[derive(Serialize)]
struct Changes {
    changes: Vec<Change>,
}

#[derive(Serialize)]
struct Change {
    number: u64,
    holder: String,
    suspended: bool,
    at: UnixMillis,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    #[serde(default)]
    after: u64,
}

/// The console's routes about what is lost.
pub(crate) fn routes(platform: Platform) -> Router {
    Router::new()
        .route("/sandbox/admin/students/{number}/suspensions", get(suspensions))
        .route("/sandbox/admin/students/{number}/suspensions/{id}/end", post(end))
        .route("/sandbox/admin/cards", get(changes))
        .with_state(platform)
}

async fn suspensions(
    State(platform): State<Platform>,
    Path(number): Path<String>,
) -> Result<Json<Suspensions>> {
    let suspensions = platform.admin().suspensions(&number).await?;
    Ok(Json(Suspensions { suspensions }))
}

async fn end(
    State(platform): State<Platform>,
    Path((number, id)): Path<(String, Uuid)>,
) -> Result<StatusCode> {
    platform.admin().end_suspension(&number, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn changes(
    State(platform): State<Platform>,
    Query(After { after }): Query<After>,
) -> Result<Json<Changes>> {
    let changes = platform.admin().card_changes(after).await?;
    let change = |change: yika_platform::CardChange| Change {
        number: change.number,
        holder: change.holder,
        suspended: change.is_suspended,
        at: change.at,
    };
    Ok(Json(Changes {
        changes: changes.into_iter().map(change).collect(),
    }))
}
