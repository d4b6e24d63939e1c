//! The endpoints of the e-wallet.

use super::service::Visit;
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiJson, ApiPath, IdempotencyKey, stored_json};
use crate::sessions::Session;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use yika_api::Problem;
use yika_api::limit::SetLimits;
use yika_api::wallet::{BindCard, CardBinding, ChangePassword, CloseWallet, ConfirmCard, OpenWallet, Wallet};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(show, open))
        .routes(routes!(close))
        .routes(routes!(set_password))
        .routes(routes!(set_limits))
        .routes(routes!(begin_card))
        .routes(routes!(unbind_card))
        .routes(routes!(confirm_card))
        .routes(routes!(set_default))
}

/// How the wallet stands, also where there is none yet.
#[utoipa::path(
    get,
    path = "/v1/wallet",
    responses(
        (status = 200, body = Wallet),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn show(State(platform): State<Platform>, session: Session) -> Result<Json<Wallet>> {
    Visit::new(&platform, &session).show().await.map(Json)
}

/// Opens the wallet.
#[utoipa::path(
    post,
    path = "/v1/wallet",
    params(("Idempotency-Key" = Uuid, Header, description = "Names the operation.")),
    request_body = OpenWallet,
    responses(
        (status = 200, body = Wallet),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn open(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiJson(request): ApiJson<OpenWallet>,
) -> Result<Response> {
    Visit::new(&platform, &session)
        .open(key, &request)
        .await
        .map(stored_json)
}

/// Closes the wallet.
#[utoipa::path(
    post,
    path = "/v1/wallet/close",
    params(("Idempotency-Key" = Uuid, Header, description = "Names the operation.")),
    request_body = CloseWallet,
    responses(
        (status = 200, body = Wallet),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn close(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiJson(request): ApiJson<CloseWallet>,
) -> Result<Response> {
    Visit::new(&platform, &session)
        .close(key, &request)
        .await
        .map(stored_json)
}

/// Sets another payment password.
#[utoipa::path(
    put,
    path = "/v1/wallet/password",
    params(("Idempotency-Key" = Uuid, Header, description = "Names the operation.")),
    request_body = ChangePassword,
    responses(
        (status = 200, body = Wallet),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn set_password(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiJson(request): ApiJson<ChangePassword>,
) -> Result<Response> {
    Visit::new(&platform, &session)
        .set_password(key, &request)
        .await
        .map(stored_json)
}

/// Lowers the limits of top-ups, or raises them with the payment password.
#[utoipa::path(
    put,
    path = "/v1/wallet/limits",
    params(("Idempotency-Key" = Uuid, Header, description = "Names the operation.")),
    request_body = SetLimits,
    responses(
        (status = 200, body = Wallet),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn set_limits(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiJson(request): ApiJson<SetLimits>,
) -> Result<Response> {
    Visit::new(&platform, &session)
        .set_limits(key, &request)
        .await
        .map(stored_json)
}

/// Begins binding a bank card: the bank sends its holder a code.
#[utoipa::path(
    post,
    path = "/v1/wallet/cards",
    params(("Idempotency-Key" = Uuid, Header, description = "Names the operation.")),
    request_body = BindCard,
    responses(
        (status = 200, body = CardBinding),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn begin_card(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiJson(request): ApiJson<BindCard>,
) -> Result<Response> {
    Visit::new(&platform, &session)
        .begin_card(key, &request)
        .await
        .map(stored_json)
}

/// Binds a bank card with the code.
#[utoipa::path(
    post,
    path = "/v1/wallet/cards/{id}/confirm",
    params(
        ("id" = Uuid, Path, description = "The card."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    request_body = ConfirmCard,
    responses(
        (status = 200, body = Wallet),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn confirm_card(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(card): ApiPath<Uuid>,
    ApiJson(request): ApiJson<ConfirmCard>,
) -> Result<Response> {
    Visit::new(&platform, &session)
        .confirm_card(key, card, &request)
        .await
        .map(stored_json)
}

/// Makes a bank card the default.
#[utoipa::path(
    put,
    path = "/v1/wallet/cards/{id}/default",
    params(
        ("id" = Uuid, Path, description = "The card."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    responses(
        (status = 200, body = Wallet),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn set_default(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(card): ApiPath<Uuid>,
) -> Result<Response> {
    Visit::new(&platform, &session)
        .set_default(key, card)
        .await
        .map(stored_json)
}

/// Unbinds a bank card.
#[utoipa::path(
    delete,
    path = "/v1/wallet/cards/{id}",
    params(
        ("id" = Uuid, Path, description = "The card."),
        ("Idempotency-Key" = Uuid, Header, description = "Names the operation.")
    ),
    responses(
        (status = 200, body = Wallet),
        (status = 400, body = Problem),
        (status = 401, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem)
    )
)]
async fn unbind_card(
    State(platform): State<Platform>,
    session: Session,
    key: IdempotencyKey,
    ApiPath(card): ApiPath<Uuid>,
) -> Result<Response> {
    Visit::new(&platform, &session)
        .unbind_card(key, card)
        .await
        .map(stored_json)
}
