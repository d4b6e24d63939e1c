//! The endpoints of utilities. Paying one is an operation.

use super::service;
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiJson, ApiPath, ApiQuery, IdempotencyKey, stored_json};
use crate::sessions::Session;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use yika_api::Problem;
use yika_api::utility::{
    BindPlace, BoundPlace, BoundPlaceList, PlaceBalance, PlaceList, PlaceQuery, ProviderList,
};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(providers))
        .routes(routes!(places))
        .routes(routes!(bound, bind))
        .routes(routes!(forget))
        .routes(routes!(balance))
}

/// Who sells electricity, network access and the like here.
#[utoipa::path(
    get,
    path = "/v1/utilities/providers",
    responses(
        (status = 200, body = ProviderList),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn providers(State(platform): State<Platform>, _session: Session) -> Result<Json<ProviderList>> {
    service::providers(&platform).await.map(Json)
}

/// The places of a provider, level by level.
#[utoipa::path(
    get,
    path = "/v1/utilities/providers/{provider}/places",
    params(("provider" = String, Path, description = "The provider's code."), PlaceQuery),
    responses(
        (status = 200, body = PlaceList),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn places(
    State(platform): State<Platform>,
    _session: Session,
    ApiPath(provider): ApiPath<String>,
    ApiQuery(query): ApiQuery<PlaceQuery>,
) -> Result<Json<PlaceList>> {
    service::places(&platform, &provider, &query).await.map(Json)
}

/// The places that the holder has bound.
#[utoipa::path(
    get,
    path = "/v1/utilities/places",
    responses((status = 200, body = BoundPlaceList), (status = 401, body = Problem))
)]
async fn bound(State(platform): State<Platform>, session: Session) -> Result<Json<BoundPlaceList>> {
    service::bound(&platform, session.holder).await.map(Json)
}

/// Binds a place.
#[utoipa::path(
    post,
    path = "/v1/utilities/places",
    params(("Idempotency-Key" = Uuid, Header, description = "Names the operation.")),
    request_body = BindPlace,
    responses(
        (status = 200, body = BoundPlace),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn bind(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiJson(request): ApiJson<BindPlace>,
) -> Result<Response> {
    service::bind(&platform, session.holder, key, &request)
        .await
        .map(stored_json)
}

/// Forgets a place, and answers those that are left. What is under way for it goes on.
#[utoipa::path(
    delete,
    path = "/v1/utilities/places/{id}",
    params(
        ("id" = Uuid, Path, description = "The binding."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    responses(
        (status = 200, body = BoundPlaceList),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem)
    )
)]
async fn forget(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(place): ApiPath<Uuid>,
) -> Result<Response> {
    service::forget(&platform, session.holder, key, place)
        .await
        .map(stored_json)
}

/// What is left at a bound place, also where the utility doesn't answer: then the newest that it ever told.
#[utoipa::path(
    get,
    path = "/v1/utilities/places/{id}/balance",
    params(("id" = Uuid, Path, description = "The binding.")),
    responses(
        (status = 200, body = PlaceBalance),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem)
    )
)]
async fn balance(
    State(platform): State<Platform>,
    session: Session,
    ApiPath(place): ApiPath<Uuid>,
) -> Result<Json<PlaceBalance>> {
    service::balance(&platform, session.holder, place).await.map(Json)
}
