//! The endpoints of sessions.

use super::{Exchange, MaybeLost, Target, TokenFailure, exchange, host_logout, refresh, sign_out};
use crate::Platform;
use crate::error::Result;
use crate::http::{ApiForm, one_header};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use yika_api::session::{HostLogout, TokenError, TokenErrorCode, TokenRequest, TokenResponse};
use yika_api::{DPOP, Problem, ProblemCode};

pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(token))
        .routes(routes!(end_current))
        .routes(routes!(end_from_host))
}

impl IntoResponse for TokenFailure {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Refused { code, description } => {
                let status = match code {
                    TokenErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::BAD_REQUEST,
                };
                (
                    status,
                    TokenError {
                        error: code,
                        error_description: Some(description),
                    },
                )
            }
            Self::Failed(error) => {
                let reference = uuid::Uuid::new_v4();
                tracing::error!(%reference, %error, "the token endpoint failed");
                let (status, code) = match error.code() {
                    ProblemCode::ServerBusy => (
                        StatusCode::SERVICE_UNAVAILABLE,
                        TokenErrorCode::TemporarilyUnavailable,
                    ),
                    _ => (StatusCode::INTERNAL_SERVER_ERROR, TokenErrorCode::ServerError),
                };
                (
                    status,
                    TokenError {
                        error: code,
                        error_description: Some(format!("reference {reference}")),
                    },
                )
            }
        };
        (status, Json(error)).into_response()
    }
}

/// Exchanges the host's ID token, or a refresh token, for a session bound to the key of the proof.
#[utoipa::path(
    post,
    path = "/v1/sessions/token",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = TokenResponse),
        (status = 400, body = TokenError),
        (status = 500, body = TokenError),
        (status = 503, body = TokenError)
    )
)]
async fn token(
    State(platform): State<Platform>,
    request: Request,
) -> Result<Json<TokenResponse>, TokenFailure> {
    let (parts, body) = request.into_parts();
    let target = Target {
        method: &parts.method,
        uri: &parts.uri,
        origin: &platform.config().public_origin,
        access_token: None,
    };
    let proof = one_header(&parts.headers, DPOP);
    let nonces = platform.nonces();
    let key = nonces
        .verify::<TokenFailure>(proof, target, platform.now())
        .await?;
    let request = read_token_request(Request::from_parts(parts, body), &platform).await?;
    let response = match request {
        TokenRequest::Exchange {
            subject_token,
            subject_token_type,
            device_name,
        } => {
            exchange(
                &platform,
                Exchange {
                    subject_token,
                    subject_token_type,
                    device_name,
                },
                &key,
            )
            .await?
        }
        TokenRequest::Refresh { refresh_token } => refresh(&platform, &refresh_token, &key).await?,
    };
    Ok(Json(response))
}

/// Reads the form, telling an unknown grant from a malformed one (RFC 6749, section 5.2).
async fn read_token_request(request: Request, platform: &Platform) -> Result<TokenRequest, TokenFailure> {
    let fields: Vec<(String, String)> = read_form(request, platform).await?;
    let grant = fields
        .iter()
        .find(|(name, _)| name == "grant_type")
        .map(|(_, value)| value.as_str());
    let known = ["urn:ietf:params:oauth:grant-type:token-exchange", "refresh_token"];
    let code = match grant {
        Some(grant) if !known.contains(&grant) => TokenErrorCode::UnsupportedGrantType,
        _ => TokenErrorCode::InvalidRequest,
    };
    let object = fields
        .into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect();
    serde_json::from_value(serde_json::Value::Object(object))
        .map_err(|error| TokenFailure::refused(code, error.to_string()))
}

async fn read_form<T: DeserializeOwned>(request: Request, platform: &Platform) -> Result<T, TokenFailure> {
    use axum::extract::FromRequest as _;
    match ApiForm::from_request(request, platform).await {
        Ok(ApiForm(form)) => Ok(form),
        Err(_) => Err(TokenFailure::refused(
            TokenErrorCode::InvalidRequest,
            "send the documented form",
        )),
    }
}

/// Signs this phone out.
#[utoipa::path(
    delete,
    path = "/v1/sessions/current",
    responses((status = 204, description = "The session is ended."), (status = 401, body = Problem))
)]
async fn end_current(State(platform): State<Platform>, MaybeLost(session): MaybeLost) -> Result<StatusCode> {
    sign_out(&platform, &session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The host's word that a person has signed out there (OpenID Connect Back-Channel Logout 1.0).
#[utoipa::path(
    post,
    path = "/v1/sessions/host-logout",
    request_body(content = HostLogout, content_type = "application/x-www-form-urlencoded"),
    responses((status = 204, description = "The sessions are ended."), (status = 400, body = Problem))
)]
async fn end_from_host(
    State(platform): State<Platform>,
    ApiForm(form): ApiForm<HostLogout>,
) -> Result<StatusCode> {
    host_logout(&platform, &form.logout_token).await?;
    Ok(StatusCode::NO_CONTENT)
}
