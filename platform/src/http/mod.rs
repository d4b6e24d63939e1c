//! The HTTP floor under all features: routes put together, limits, problem documents, the server itself.

mod adapter;
mod document;
mod extract;
mod listen;
mod outbound;
mod problem;
mod serve;

pub use adapter::AdapterError;
pub(crate) use adapter::{Adapter, exchange, read, unexpected};
pub(crate) use extract::{ApiBytes, ApiForm, ApiJson, ApiPath, ApiQuery, IdempotencyKey, one_header};
pub use listen::listen;
pub(crate) use outbound::outbound_client;
pub use serve::{HttpLimits, ListenPolicy, serve, stop_signal};

use crate::Platform;
use crate::error::Error;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use std::time::Duration;
use tracing::Instrument as _;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use yika_api::{DPOP_NONCE, Problem, ProblemCode};

/// Bytes of a request's body, where a resource doesn't say otherwise.
const BODY_LIMIT: usize = 64 * 1024;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Yika platform",
        description = "The campus side of one school: sessions, accounts, credentials, terminals, settlement."
    ),
    components(schemas(
        Problem,
        ProblemCode,
        yika_api::session::TokenRequest,
        yika_api::session::HostLogout,
        yika_api::credential::IssueRequest,
        yika_api::terminal::SaleResult
    ))
)]
struct Document;

/// Everything that the platform serves, with its description at `/openapi.json`.
pub(crate) fn router(platform: Platform) -> Router {
    let (router, mut document) = documented_routes().split_for_parts();
    document::complete(&mut document);
    router
        .route(
            "/openapi.json",
            get(move || std::future::ready(axum::Json(document.clone()))),
        )
        .fallback(|| std::future::ready(Error::refused(ProblemCode::NotFound)))
        .method_not_allowed_fallback(|| std::future::ready(Error::refused(ProblemCode::MethodNotAllowed)))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(
            platform.config().http.request_timeout,
            within_time,
        ))
        .layer(from_fn_with_state(platform.clone(), with_common_headers))
        .layer(from_fn(traced))
        .with_state(platform)
}

/// A reply as it was stored with its idempotency key: JSON already.
pub(crate) fn stored_json(reply: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], reply).into_response()
}

fn documented_routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(crate::school::routes())
        .merge(crate::sessions::routes())
        .merge(crate::accounts::routes())
        .merge(crate::issuer::routes())
        .merge(crate::terminals::routes())
        .merge(crate::settlement::routes())
        .merge(crate::wallet::routes())
        .merge(crate::operations::routes())
        .merge(crate::bank::routes())
        .merge(crate::utilities::routes())
        .merge(crate::approvals::routes())
        .merge(crate::disputes::routes())
        .merge(crate::limits::routes())
        .merge(crate::auto_top_up::routes())
        .merge(crate::faces::routes())
        .merge(crate::lost::routes())
        .merge(crate::devices::routes())
        .merge(crate::merchants::routes())
}

/// Ends a request that takes too long, be it that its body doesn't come. What it had committed stays; its idempotency key tells
/// on a retry.
async fn within_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Error::refused(ProblemCode::ServerBusy).into_response(),
    }
}

/// Hands out the next nonce with every answer (RFC 9449, section 8.2), and keeps answers out of caches.
async fn with_common_headers(State(platform): State<Platform>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if let (Ok(name), Ok(nonce)) = (
        HeaderName::try_from(DPOP_NONCE),
        HeaderValue::try_from(platform.nonces().issue(platform.now())),
    ) {
        headers.insert(name, nonce);
    }
    response
}

/// One span a request: method, path without query, status. Never headers or bodies.
async fn traced(request: Request, next: Next) -> Response {
    let span = tracing::info_span!("request", method = %request.method(), path = request.uri().path());
    async move {
        yika_fault::reach("platform.http.after-request");
        let response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), "answered");
        yika_fault::reach("platform.http.before-reply");
        response
    }
    .instrument(span)
    .await
}

#[cfg(test)]
mod tests {
    use crate::testing::TestPlatform;
    use axum::http::{Method, StatusCode};
    use yika_api::ProblemCode;

    #[tokio::test]
    async fn what_does_not_exist_is_a_problem_document() {
        let campus = TestPlatform::open().await;
        let reply = campus.send(Method::GET, "/v1/nothing", &[], Vec::new()).await;
        assert_eq!(
            (reply.status, reply.problem().code),
            (StatusCode::NOT_FOUND, ProblemCode::NotFound)
        );
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let reply = campus.send(Method::DELETE, "/v1/school", &[], Vec::new()).await;
        assert_eq!(reply.problem().code, ProblemCode::MethodNotAllowed);
    }

    #[tokio::test]
    async fn bodies_of_a_wrong_kind_or_size_are_problem_documents() {
        let campus = TestPlatform::open().await;
        let send = |kind: &'static str, body: Vec<u8>| {
            let campus = &campus;
            async move {
                let headers = [("content-type", kind.to_owned())];
                campus
                    .send(Method::POST, "/v1/sessions/host-logout", &headers, body)
                    .await
                    .problem()
                    .code
            }
        };
        assert_eq!(
            send("text/plain", b"x".to_vec()).await,
            ProblemCode::UnsupportedMediaType
        );
        assert_eq!(
            send("application/x-www-form-urlencoded", b"a=b".to_vec()).await,
            ProblemCode::InvalidRequest
        );
        let huge = [b"logout_token=".to_vec(), vec![b'a'; 100_000]].concat();
        assert_eq!(
            send("application/x-www-form-urlencoded", huge).await,
            ProblemCode::TooLarge
        );
    }

    #[tokio::test]
    async fn the_description_has_every_endpoint_and_is_openapi_3_1() {
        let campus = TestPlatform::open().await;
        let reply = campus.send(Method::GET, "/openapi.json", &[], Vec::new()).await;
        let document: serde_json::Value = reply.json();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let paths: Vec<&str> = document["paths"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        for path in [
            "/healthz",
            "/v1/school",
            "/v1/school/keyset",
            "/v1/school/bank",
            "/v1/time",
            "/v1/sessions/token",
            "/v1/sessions/current",
            "/v1/sessions/host-logout",
            "/v1/accounts",
            "/v1/accounts/{id}/low-balance",
            "/v1/payments",
            "/v1/credentials",
            "/v1/credentials/challenge",
            "/v1/credentials/current",
            "/v1/terminals",
            "/v1/terminals/current",
            "/v1/terminals/table",
            "/v1/terminals/deltas",
            "/v1/terminals/revocations",
            "/v1/terminals/directory",
            "/v1/terminals/time",
            "/v1/terminals/sales",
            "/v1/wallet",
            "/v1/wallet/close",
            "/v1/wallet/password",
            "/v1/wallet/limits",
            "/v1/limits",
            "/v1/wallet/cards",
            "/v1/wallet/cards/{id}",
            "/v1/wallet/cards/{id}/confirm",
            "/v1/wallet/cards/{id}/default",
            "/v1/operations",
            "/v1/operations/{id}",
            "/v1/bank/notices",
            "/v1/disputes",
            "/v1/disputes/{id}/withdraw",
            "/v1/payments/{id}/disputes",
            "/v1/utilities/providers",
            "/v1/utilities/providers/{provider}/places",
            "/v1/utilities/places",
            "/v1/utilities/places/{id}",
            "/v1/utilities/places/{id}/balance",
            "/v1/cards/suspensions",
            "/v1/cards/suspensions/{id}",
            "/v1/cards/suspensions/{id}/found",
            "/v1/devices",
            "/v1/devices/{id}/removal",
            "/v1/merchants",
            "/v1/merchants/{id}/days",
            "/v1/merchants/{id}/payments",
            "/v1/merchants/{id}/payments/{payment}/void",
            "/v1/merchants/{id}/payments/{payment}/refund",
            "/v1/merchants/{id}/statements",
            "/v1/merchants/{id}/export",
        ] {
            assert!(paths.contains(&path), "{path} is not described");
        }
        for schema in [
            "Problem",
            "TokenRequest",
            "TokenError",
            "IssueRequest",
            "SaleUpload",
            "PaymentPage",
            "Wallet",
            "SchoolBank",
            "OperationRequest",
            "Operation",
            "Balance",
        ] {
            assert!(
                document["components"]["schemas"].get(schema).is_some(),
                "{schema} is not described"
            );
        }
    }
}
