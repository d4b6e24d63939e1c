//! From an error to what the caller sees: a problem document (RFC 9457), and for failures a reference into the log.

use crate::error::Error;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use yika_api::{Problem, ProblemCode};

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let problem = match self {
            Self::Refused(problem) => *problem,
            failure => logged(&failure),
        };
        respond(&problem)
    }
}

/// Logs a failure under a fresh reference. The caller learns the reference and nothing else.
fn logged(failure: &Error) -> Problem {
    let reference = uuid::Uuid::new_v4().to_string();
    tracing::error!(%reference, error = %failure, "a request failed");
    Problem::new(failure.code()).with_reference(reference)
}

fn respond(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(problem).unwrap_or_default();
    let kind = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    match authenticate_hint(problem.code) {
        Some(hint) => (
            status,
            [kind, (header::WWW_AUTHENTICATE, HeaderValue::from_static(hint))],
            body,
        )
            .into_response(),
        None => (status, [kind], body).into_response(),
    }
}

/// What `WWW-Authenticate` says (RFC 9449, sections 7.1 and 9).
fn authenticate_hint(code: ProblemCode) -> Option<&'static str> {
    match code {
        ProblemCode::SessionExpired => Some(r#"DPoP algs="ES256", error="invalid_token""#),
        ProblemCode::UseDpopNonce => Some(r#"DPoP algs="ES256", error="use_dpop_nonce""#),
        ProblemCode::InvalidDpopProof => Some(r#"DPoP algs="ES256", error="invalid_dpop_proof""#),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_tells_a_reference_and_nothing_else() {
        let response = Error::Schema("secret detail".to_owned()).into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert!(problem.reference.is_some());
        assert!(!String::from_utf8_lossy(&body).contains("secret"));
    }
}
