//! What everyone may ask: whose platform this is, what time it is, whether it is well.

use crate::Platform;
use crate::error::Result;
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yika_api::Problem;
use yika_api::school::{School, ServerTime};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(school))
        .routes(routes!(time))
}

/// Whether the platform can answer: its database reads.
#[utoipa::path(get, path = "/healthz", responses((status = 200, description = "It can."), (status = 503, body = Problem)))]
async fn health(State(platform): State<Platform>) -> Result<&'static str> {
    let mut reader = platform.db().read().await?;
    sqlx::query("SELECT 1").execute(&mut *reader).await?;
    Ok("ok")
}

/// The school, with the root key to pin.
#[utoipa::path(get, path = "/v1/school", responses((status = 200, body = School)))]
async fn school(State(platform): State<Platform>) -> Json<School> {
    Json(platform.school())
}

/// The platform's time.
#[utoipa::path(get, path = "/v1/time", responses((status = 200, body = ServerTime)))]
async fn time(State(platform): State<Platform>) -> Json<ServerTime> {
    Json(ServerTime { now: platform.now() })
}
