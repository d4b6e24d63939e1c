//! The host app's identity provider, as far as a trial needs it: discovery, keys, ID tokens for the asking, sign-out.
//!
//! Below `/sandbox/host`: `GET .well-known/openid-configuration`, `GET jwks.json`, `POST token {"student": "20260001"}`
//! answers `{"id_token", "sid", "expires_in"}`, with `"sign_in": true` as after a sign-in just now; `POST logout {"student": "20260001"}` ends the host session and tells the
//! platform, as a host does (OpenID Connect Back-Channel Logout 1.0).

use crate::HOST_AUDIENCE;
use crate::clock::ShiftedClock;
use crate::keyfile::{self, KeyFileError};
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tower::ServiceExt as _;
use uuid::Uuid;
use yika_api::dpop::Jwk;
use yika_api::session::LOGOUT_EVENT;
use yika_api::{Problem, ProblemCode};
use yika_platform::{Clock as _, HostConfig};

/// Seconds that an ID token lasts.
const TOKEN_LIFE_S: i64 = 300;
const KID: &str = "sandbox-host-1";

/// Why the identity provider cannot work.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// There is no key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Its key file holds no key.
    #[error("{0} holds no P-256 private key; remove it, and phones bind again")]
    Unreadable(PathBuf),
    /// A token could not be signed.
    #[error("a token could not be signed: {0}")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

/// The identity provider.
pub(crate) struct Host {
    issuer: String,
    key: EncodingKey,
    jwk: Value,
    clock: Arc<ShiftedClock>,
    /// The host session of each student who is signed in.
    sessions: Mutex<HashMap<String, HostSession>>,
}

/// That a student is signed in.
#[derive(Clone)]
struct HostSession {
    sid: String,
    /// When the student last was at it, in seconds: `auth_time`.
    signed_in_at: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Student {
    student: String,
}

/// Who asks for a token, and whether by signing in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    student: String,
    #[serde(default)]
    sign_in: bool,
}

#[derive(Serialize)]
struct IssuedToken {
    id_token: String,
    sid: String,
    expires_in: i64,
}

impl Host {
    /// Opens the provider with the key of this file, which is made where there is none.
    pub(crate) fn open(
        path: &Path,
        config: &HostConfig,
        clock: Arc<ShiftedClock>,
    ) -> Result<Self, HostError> {
        let pkcs8 = keyfile::read_or_make(path, keyfile::new_signer)?;
        let unreadable = || HostError::Unreadable(path.to_owned());
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &SystemRandom::new())
            .map_err(|_| unreadable())?;
        let jwk = Jwk::from_uncompressed(pair.public_key().as_ref()).ok_or_else(unreadable)?;
        let jwk = json!({
            "kty": jwk.kty, "crv": jwk.crv, "x": jwk.x.encode(), "y": jwk.y.encode(),
            "kid": KID, "alg": "ES256", "use": "sig",
        });
        let key = EncodingKey::from_ec_der(&pkcs8);
        Ok(Self {
            issuer: config.issuer.clone(),
            key,
            jwk,
            clock,
            sessions: Mutex::default(),
        })
    }

    fn sign(&self, claims: &Value) -> Result<String, HostError> {
        let header = Header {
            kid: Some(KID.to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        Ok(encode(&header, claims, &self.key)?)
    }

    fn id_token(&self, student: &str, sign_in: bool) -> Result<IssuedToken, HostError> {
        let now = self.clock.now().0 / 1000;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.entry(student.to_owned()).or_insert_with(|| HostSession {
            sid: Uuid::new_v4().to_string(),
            signed_in_at: now,
        });
        if sign_in {
            session.signed_in_at = now;
        }
        let HostSession { sid, signed_in_at } = session.clone();
        let id_token = self.sign(&json!({
            "iss": self.issuer, "aud": HOST_AUDIENCE, "sub": student, "sid": sid,
            "iat": now, "exp": now + TOKEN_LIFE_S, "auth_time": signed_in_at, "jti": Uuid::new_v4().to_string(),
        }))?;
        Ok(IssuedToken {
            id_token,
            sid,
            expires_in: TOKEN_LIFE_S,
        })
    }

    fn logout_token(&self, student: &str) -> Result<String, HostError> {
        let now = self.clock.now().0 / 1000;
        self.sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(student);
        self.sign(&json!({
            "iss": self.issuer, "aud": HOST_AUDIENCE, "sub": student, "iat": now, "exp": now + 120,
            "jti": Uuid::new_v4().to_string(), "events": { LOGOUT_EVENT: {} },
        }))
    }
}

#[derive(Clone)]
struct Service {
    host: Arc<Host>,
    /// The platform's own door, for the back channel.
    platform: Router,
}

/// The provider's routes. `platform` is told of sign-outs.
pub(crate) fn routes(host: Host, platform: Router) -> Router {
    Router::new()
        .route("/sandbox/host/.well-known/openid-configuration", get(discovery))
        .route("/sandbox/host/jwks.json", get(jwks))
        .route("/sandbox/host/token", post(token))
        .route("/sandbox/host/logout", post(logout))
        .with_state(Service {
            host: Arc::new(host),
            platform,
        })
}

async fn discovery(State(Service { host, .. }): State<Service>) -> Json<Value> {
    let issuer = &host.issuer;
    Json(json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/jwks.json"),
        "token_endpoint": format!("{issuer}/token"),
        "authorization_endpoint": format!("{issuer}/authorize"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
    }))
}

async fn jwks(State(Service { host, .. }): State<Service>) -> Json<Value> {
    Json(json!({ "keys": [host.jwk] }))
}

async fn token(State(Service { host, .. }): State<Service>, Json(request): Json<TokenRequest>) -> Response {
    match host.id_token(&request.student, request.sign_in) {
        Ok(issued) => Json(issued).into_response(),
        Err(error) => failed(&error),
    }
}

async fn logout(State(service): State<Service>, Json(student): Json<Student>) -> Response {
    let token = match service.host.logout_token(&student.student) {
        Ok(token) => token,
        Err(error) => return failed(&error),
    };
    // A JWT consists of characters that a form leaves as they are.
    let request = Request::post("/v1/sessions/host-logout")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!("logout_token={token}")));
    match request {
        Ok(request) => service.platform.oneshot(request).await.into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::fmt::Display) -> Response {
    tracing::error!(%error, "the identity provider failed");
    let problem = Problem::new(ProblemCode::Internal).with_detail(error.to_string());
    (StatusCode::INTERNAL_SERVER_ERROR, Json(problem)).into_response()
}
