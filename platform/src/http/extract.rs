//! Extractors whose refusals are problem documents, and small readers of headers.

use crate::error::{Error, Result};
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FormRejection, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use yika_api::{IDEMPOTENCY_KEY, ProblemCode};

/// A JSON body.
pub(crate) struct ApiJson<T>(pub(crate) T);

/// A form body.
pub(crate) struct ApiForm<T>(pub(crate) T);

/// The parameters of a query.
pub(crate) struct ApiQuery<T>(pub(crate) T);

/// A parameter of the path.
pub(crate) struct ApiPath<T>(pub(crate) T);

/// A body as it came.
pub(crate) struct ApiBytes(pub(crate) Bytes);

/// The name of an operation: a UUID, which its sender wrote down before it sent it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdempotencyKey(pub(crate) Uuid);

fn body_refused(status: StatusCode, text: String) -> Error {
    let code = match status.as_u16() {
        413 => ProblemCode::TooLarge,
        415 => ProblemCode::UnsupportedMediaType,
        _ => ProblemCode::InvalidRequest,
    };
    Error::refused_because(code, text)
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ApiJson<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let axum::Json(value) = axum::Json::from_request(request, state)
            .await
            .map_err(|refusal: JsonRejection| body_refused(refusal.status(), refusal.body_text()))?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for ApiForm<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let axum::Form(value) =
            axum::Form::from_request(request, state)
                .await
                .map_err(|refusal: FormRejection| {
                    body_refused(refusal.into_response().status(), "not the form".into())
                })?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync> FromRequest<S> for ApiBytes {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|refusal: BytesRejection| body_refused(refusal.status(), refusal.body_text()))?;
        Ok(Self(bytes))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let Query(value) = Query::try_from_uri(&parts.uri)
            .map_err(|refusal| Error::refused_because(ProblemCode::InvalidRequest, refusal.body_text()))?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for ApiPath<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Path(value) = Path::from_request_parts(parts, state)
            .await
            .map_err(|refusal| Error::refused_because(ProblemCode::InvalidRequest, refusal.body_text()))?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let text = one_header(&parts.headers, IDEMPOTENCY_KEY);
        text.and_then(|text| Uuid::try_parse(text).ok())
            .map(Self)
            .ok_or_else(|| {
                Error::refused_because(
                    ProblemCode::InvalidRequest,
                    "name the operation: Idempotency-Key with a UUID",
                )
            })
    }
}

/// The text of a header that occurs exactly once.
pub(crate) fn one_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok()
}
