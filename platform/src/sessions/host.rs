//! The host app's tokens: ID tokens that are exchanged for sessions, logout tokens that end them.
//!
//! Keys come from the host's discovery document (OpenID Connect Discovery 1.0), are kept for an hour, and are fetched
//! again at once when a token names a key that is not among them, but not more than once in half a minute. Only
//! ES256 and RS256 are accepted, whatever a token says. Times are checked against the platform's own clock.

use crate::clock::{HOUR, SECOND};
use crate::config::HostConfig;
use crate::http::outbound_client;
use futures_util::future::BoxFuture;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use yika_api::UnixMillis;
use yika_api::session::LOGOUT_EVENT;

/// Difference between the host's clock and ours that is forgiven.
const LEEWAY_MS: i64 = 60 * SECOND;
/// An ID token older than this is not exchanged, however long it says it lasts.
const MAX_AGE_MS: i64 = HOUR;
const KEYS_FRESH_MS: i64 = HOUR;
const REFETCH_PAUSE_MS: i64 = 30 * SECOND;
/// How long the host may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why a token of the host is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum HostTokenError {
    /// Not a JWT, or without a key id, or without a claim that must be there.
    #[error("not a token of the documented form")]
    Malformed,
    /// Signed with another algorithm than ES256 or RS256.
    #[error("the token's algorithm is not accepted; the host signs with ES256 or RS256")]
    Algorithm,
    /// The host publishes no key of that name.
    #[error("the host publishes no key of that name")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the token's signature does not verify")]
    Signature,
    /// From another issuer or for another audience.
    #[error("the token is from another issuer or for another audience")]
    NotForUs,
    /// Expired, too old, or from the future.
    #[error("the token is not valid at this time")]
    NotNow,
    /// The host's keys could not be fetched.
    #[error("the host's keys could not be fetched: {0}")]
    Unreachable(String),
}

/// Who the host says is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostIdentity {
    /// The person, in the host's words.
    pub(crate) subject: String,
    /// The host's session.
    pub(crate) sid: Option<String>,
    /// When the token ends.
    pub(crate) expires_at: UnixMillis,
    /// When the person last signed in, where the host says so.
    pub(crate) signed_in_at: Option<UnixMillis>,
}

/// Whom the host says has signed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostLogoutSubject {
    /// One session of the host.
    Session(String),
    /// All sessions of a person.
    Person(String),
}

/// Where the host's keys come from.
pub trait HostKeySource: Send + Sync {
    /// The keys that the host publishes now.
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, HostTokenError>>;
}

/// The host's keys by its discovery document, over HTTPS (cleartext for loopback only).
#[derive(Debug)]
pub struct DiscoveredKeys {
    issuer: String,
    client: reqwest::Client,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl DiscoveredKeys {
    /// Fetches from the discovery document of this issuer.
    pub fn new(issuer: &str) -> Result<Self, HostTokenError> {
        let unusable = |error: &dyn std::fmt::Display| HostTokenError::Unreachable(error.to_string());
        let address = url::Url::parse(issuer).map_err(|error| unusable(&error))?;
        let client = outbound_client(&address, TIMEOUT).map_err(|error| unusable(&error))?;
        Ok(Self {
            issuer: issuer.trim_end_matches('/').to_owned(),
            client,
        })
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, HostTokenError> {
        if crate::config::PublicOrigin::of_url(url).is_err() {
            return Err(HostTokenError::Unreachable(format!("{url:?} has no TLS")));
        }
        let unreachable = |error: reqwest::Error| HostTokenError::Unreachable(error.to_string());
        let response = self.client.get(url).send().await.map_err(unreachable)?;
        response
            .error_for_status()
            .map_err(unreachable)?
            .json()
            .await
            .map_err(unreachable)
    }
}

impl HostKeySource for DiscoveredKeys {
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, HostTokenError>> {
        Box::pin(async move {
            let discovery: Discovery = self
                .get(&format!("{}/.well-known/openid-configuration", self.issuer))
                .await?;
            if discovery.issuer.trim_end_matches('/') != self.issuer {
                return Err(HostTokenError::Unreachable(
                    "the discovery document is another issuer's".to_owned(),
                ));
            }
            self.get(&discovery.jwks_uri).await
        })
    }
}

struct CachedKeys {
    keys: JwkSet,
    fetched_at: UnixMillis,
}

/// Checks the host's tokens.
pub(crate) struct HostVerifier {
    config: HostConfig,
    source: Arc<dyn HostKeySource>,
    cache: Mutex<Option<CachedKeys>>,
}

#[derive(Deserialize)]
struct IdClaims {
    sub: String,
    exp: i64,
    iat: i64,
    sid: Option<String>,
    auth_time: Option<i64>,
}

#[derive(Deserialize)]
struct LogoutClaims {
    iat: i64,
    exp: Option<i64>,
    sub: Option<String>,
    sid: Option<String>,
    nonce: Option<String>,
    events: serde_json::Map<String, serde_json::Value>,
}

impl HostVerifier {
    pub(crate) fn new(config: HostConfig, source: Arc<dyn HostKeySource>) -> Self {
        Self {
            config,
            source,
            cache: Mutex::new(None),
        }
    }

    /// Checks an ID token (OpenID Connect Core 1.0, section 3.1.3.7).
    pub(crate) async fn identity(
        &self,
        token: &str,
        now: UnixMillis,
    ) -> Result<HostIdentity, HostTokenError> {
        let claims: IdClaims = self.claims(token, now).await?;
        let (issued, expires) = (seconds(claims.iat), seconds(claims.exp));
        let in_time = issued.0 <= now.plus_millis(LEEWAY_MS).0
            && now.0 <= issued.plus_millis(MAX_AGE_MS).0
            && now.0 < expires.plus_millis(LEEWAY_MS).0;
        match in_time {
            true => Ok(HostIdentity {
                subject: claims.sub,
                sid: claims.sid,
                expires_at: expires,
                signed_in_at: claims.auth_time.map(seconds),
            }),
            false => Err(HostTokenError::NotNow),
        }
    }

    /// Checks a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6).
    pub(crate) async fn logout(
        &self,
        token: &str,
        now: UnixMillis,
    ) -> Result<HostLogoutSubject, HostTokenError> {
        let claims: LogoutClaims = self.claims(token, now).await?;
        if claims.nonce.is_some() || !claims.events.contains_key(LOGOUT_EVENT) {
            return Err(HostTokenError::Malformed);
        }
        let expired = claims
            .exp
            .is_some_and(|exp| now.0 >= seconds(exp).plus_millis(LEEWAY_MS).0);
        let from_future = seconds(claims.iat).0 > now.plus_millis(LEEWAY_MS).0;
        if expired || from_future || now.0 > seconds(claims.iat).plus_millis(MAX_AGE_MS).0 {
            return Err(HostTokenError::NotNow);
        }
        match (claims.sid, claims.sub) {
            (Some(sid), _) => Ok(HostLogoutSubject::Session(sid)),
            (None, Some(subject)) => Ok(HostLogoutSubject::Person(subject)),
            (None, None) => Err(HostTokenError::Malformed),
        }
    }

    /// The claims of a token whose signature, issuer and audience are right.
    async fn claims<T: DeserializeOwned>(&self, token: &str, now: UnixMillis) -> Result<T, HostTokenError> {
        let header = decode_header(token).map_err(|_| HostTokenError::Malformed)?;
        if !matches!(header.alg, Algorithm::ES256 | Algorithm::RS256) {
            return Err(HostTokenError::Algorithm);
        }
        let kid = header.kid.ok_or(HostTokenError::Malformed)?;
        let key = self.key(&kid, now).await?;
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.config.issuer]);
        validation.set_audience(&[&self.config.audience]);
        validation.set_required_spec_claims(&["iss", "aud"]);
        validation.validate_exp = false;
        let token = decode::<T>(token, &key, &validation).map_err(|error| refusal(error.kind()))?;
        Ok(token.claims)
    }

    async fn key(&self, kid: &str, now: UnixMillis) -> Result<DecodingKey, HostTokenError> {
        let mut cache = self.cache.lock().await;
        let age = cache.as_ref().map(|cached| (now.0 - cached.fetched_at.0).abs());
        let known = cache
            .as_ref()
            .is_some_and(|cached| cached.keys.find(kid).is_some());
        let stale = age.is_none_or(|age| age > KEYS_FRESH_MS);
        let rotated = !known && age.is_none_or(|age| age > REFETCH_PAUSE_MS);
        if stale || rotated {
            match self.source.fetch().await {
                Ok(keys) => {
                    *cache = Some(CachedKeys {
                        keys,
                        fetched_at: now,
                    });
                }
                Err(error) if known => tracing::warn!(%error, "keeping the host's keys of earlier"),
                Err(error) => return Err(error),
            }
        }
        let jwk = cache
            .as_ref()
            .and_then(|cached| cached.keys.find(kid))
            .ok_or(HostTokenError::UnknownKey)?;
        DecodingKey::from_jwk(jwk).map_err(|_| HostTokenError::UnknownKey)
    }
}

fn seconds(unix: i64) -> UnixMillis {
    UnixMillis(unix.saturating_mul(1000))
}

fn refusal(kind: &jsonwebtoken::errors::ErrorKind) -> HostTokenError {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => HostTokenError::Signature,
        ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => HostTokenError::NotForUs,
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => HostTokenError::Algorithm,
        _ => HostTokenError::Malformed,
    }
}
