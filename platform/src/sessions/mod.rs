//! Sessions: a phone is bound by the host's ID token to its own session key, and proves that key with each request.
//!
//! Access tokens last ten minutes, refresh tokens rotate, both are kept as hashes. A session ends when the holder signs
//! out here or at the host, when a refresh token of long ago shows up, or after ninety days without a refresh. The session of a
//! phone that is reported lost goes on, so that it can be reported found, and does nothing else.

mod dpop;
mod host;
mod nonces;
mod routes;
mod store;

pub use host::{DiscoveredKeys, HostKeySource, HostTokenError};

pub(crate) use dpop::{ProofError, ProofKey, Target};
pub(crate) use host::HostVerifier;
pub(crate) use nonces::Nonces;
pub(crate) use routes::routes;
pub(crate) use store::{DeviceRow, DeviceStatus, devices_of_holder, own_device, set_device_status};

use crate::Platform;
use crate::clock::{DAY, MINUTE, SECOND};
use crate::db::{Connection, TransactionError, transact};
use crate::error::{Error, Result};
use crate::http::one_header;
use crate::issuer;
use crate::random::{new_id, random_bytes, sha256};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use host::HostLogoutSubject;
use store::{EndReason, RefreshState, TokenHash};
use uuid::Uuid;
use yika_api::session::{ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE, TokenErrorCode, TokenResponse};
use yika_api::{Base64Url, DPOP, ProblemCode, UnixMillis};

const ACCESS_TOKEN_MS: i64 = 10 * MINUTE;
const SESSION_MS: i64 = 90 * DAY;
const MAX_DEVICE_NAME_CHARS: usize = 64;

/// Who makes a request: a bound phone, its proof checked.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) device: Uuid,
    pub(crate) holder: i64,
}

/// The same of a phone that may be reported lost: for what even such a one may do.
#[derive(Clone, Debug)]
pub(crate) struct MaybeLost(pub(crate) Session);

/// Why the token endpoint gives no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenFailure {
    /// A refusal in OAuth's words.
    #[error("{description}")]
    Refused {
        code: TokenErrorCode,
        description: String,
    },
    /// A failure of the platform.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl TokenFailure {
    fn refused(code: TokenErrorCode, description: impl Into<String>) -> Self {
        Self::Refused {
            code,
            description: description.into(),
        }
    }
}

impl From<sqlx::Error> for TokenFailure {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl TransactionError for TokenFailure {
    fn database_error(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Failed(error) => error.database_error(),
            Self::Refused { .. } => None,
        }
    }
}

impl From<ProofError> for TokenFailure {
    fn from(error: ProofError) -> Self {
        let code = match error {
            ProofError::Nonce => TokenErrorCode::UseDpopNonce,
            _ => TokenErrorCode::InvalidDpopProof,
        };
        Self::refused(code, error.to_string())
    }
}

impl From<HostTokenError> for TokenFailure {
    fn from(error: HostTokenError) -> Self {
        let code = match error {
            HostTokenError::Unreachable(_) => TokenErrorCode::TemporarilyUnavailable,
            _ => TokenErrorCode::InvalidGrant,
        };
        Self::refused(code, error.to_string())
    }
}

/// The host's word that is exchanged for a session.
pub(crate) struct Exchange {
    pub(crate) subject_token: String,
    pub(crate) subject_token_type: String,
    pub(crate) device_name: String,
}

/// Exchanges an ID token for a session of this key (RFC 8693).
pub(crate) async fn exchange(
    platform: &Platform,
    request: Exchange,
    key: &ProofKey,
) -> Result<TokenResponse, TokenFailure> {
    let invalid = |why: &str| TokenFailure::refused(TokenErrorCode::InvalidRequest, why);
    if request.subject_token_type != ID_TOKEN_TYPE {
        return Err(invalid("subject_token_type must name an ID token"));
    }
    let name = request.device_name.trim();
    if name.is_empty() || name.chars().count() > MAX_DEVICE_NAME_CHARS || name.contains(char::is_control) {
        return Err(invalid("device_name must have 1 to 64 characters"));
    }
    let now = platform.now();
    let identity = platform.host().identity(&request.subject_token, now).await?;
    let token_hash = sha256(request.subject_token.as_bytes());
    let denied = |why: &str| TokenFailure::refused(TokenErrorCode::AccessDenied, why);
    let response = transact!(platform.db().writer(), |tx| {
        if !store::claim_id_token(tx, &token_hash, &key.thumbprint, identity.expires_at, now).await? {
            return Err(TokenFailure::refused(
                TokenErrorCode::InvalidGrant,
                "this ID token was used by another phone",
            ));
        }
        let Some(holder) = store::holder_of_subject(tx, &identity.subject).await? else {
            return Err(denied("no campus card for this person"));
        };
        let device = match store::find_device(tx, holder, &key.thumbprint).await? {
            // One that is reported lost is still the same phone.
            Some(device) => device,
            None => store::insert_device(tx, new_id(now), holder, &key.thumbprint, name, now).await?,
        };
        store::bind_device(tx, device, name, now).await?;
        store::end_sessions_of_device(tx, device, EndReason::Replaced, now).await?;
        let session = new_id(now).to_string();
        let until = now.plus_millis(SESSION_MS);
        store::insert_session(tx, &session, device, identity.sid.as_deref(), until, now).await?;
        Ok(new_tokens(tx, &session, device, now).await?)
    })?;
    tracing::info!(device = %response.device_id, "a phone was bound");
    Ok(response)
}

/// Exchanges a refresh token for the next pair. The previous one stays good until the new one is used.
pub(crate) async fn refresh(
    platform: &Platform,
    token: &str,
    key: &ProofKey,
) -> Result<TokenResponse, TokenFailure> {
    let invalid = || {
        TokenFailure::refused(
            TokenErrorCode::InvalidGrant,
            "the refresh token is not valid for this key",
        )
    };
    let now = platform.now();
    let hash = sha256(token.as_bytes());
    match transact!(platform.db().writer(), |tx| {
        let found = store::find_refresh_token(tx, &hash).await?.ok_or_else(invalid)?;
        if found.thumbprint != key.thumbprint || found.ended || found.expires_at <= now {
            return Err(invalid());
        }
        let session = &found.session;
        store::note_seen(tx, found.device, now).await?;
        match found.state {
            RefreshState::Current => {
                store::move_refresh_token(tx, session, RefreshState::Previous, RefreshState::Retired).await?;
                store::move_refresh_token(tx, session, RefreshState::Current, RefreshState::Previous).await?;
            }
            // The reply to the first refresh was lost: what it gave out was never used, and never will be.
            RefreshState::Previous => {
                store::move_refresh_token(tx, session, RefreshState::Current, RefreshState::Retired).await?;
            }
            // Its successor was used: a copy of it is about, or a backup of the phone was restored. Nobody keeps a
            // session.
            RefreshState::Retired => {
                store::end_sessions_of_device(tx, found.device, EndReason::TokenReuse, now).await?;
                store::raise_token_alarm(tx, found.holder, now).await?;
                return Ok(Refresh::Reused(found.device));
            }
        }
        store::extend_session(tx, session, now.plus_millis(SESSION_MS)).await?;
        store::forget_old_tokens(tx, session, now).await?;
        Ok(Refresh::Tokens(new_tokens(tx, session, found.device, now).await?))
    })? {
        Refresh::Tokens(tokens) => Ok(tokens),
        Refresh::Reused(device) => {
            tracing::warn!(%device, "a retired refresh token was presented; the session is ended");
            Err(invalid())
        }
    }
}

/// What a refresh comes to. Both are committed.
enum Refresh {
    /// The next pair.
    Tokens(TokenResponse),
    /// The end of this device's session.
    Reused(Uuid),
}

/// Ends this session; the phone's credential dies with it.
pub(crate) async fn sign_out(platform: &Platform, session: &Session) -> Result<()> {
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        store::end_sessions_of_device(tx, session.device, EndReason::SignedOut, now).await?;
        issuer::revoke_device(tx, session.device, now).await
    })
}

/// Ends the sessions that came from a session of the host, and the credentials of their phones.
pub(crate) async fn host_logout(platform: &Platform, logout_token: &str) -> Result<()> {
    let now = platform.now();
    let subject = platform
        .host()
        .logout(logout_token, now)
        .await
        .map_err(|error| match error {
            HostTokenError::Unreachable(_) => {
                Error::refused_because(ProblemCode::ServerBusy, error.to_string())
            }
            _ => Error::refused_because(ProblemCode::InvalidRequest, error.to_string()),
        })?;
    let phones = transact!(platform.db().writer(), |tx| {
        let devices = match &subject {
            HostLogoutSubject::Session(sid) => store::devices_of_host_session(tx, sid).await?,
            HostLogoutSubject::Person(subject) => store::devices_of_subject(tx, subject).await?,
        };
        for &device in &devices {
            store::end_sessions_of_device(tx, device, EndReason::HostLogout, now).await?;
            issuer::revoke_device(tx, device, now).await?;
        }
        Ok::<_, Error>(devices.len())
    })?;
    tracing::info!(phones, "the host signed a person out");
    Ok(())
}

async fn new_tokens(
    tx: &mut Connection,
    session: &str,
    device: Uuid,
    now: UnixMillis,
) -> Result<TokenResponse> {
    let ((access, access_hash), (refresh, refresh_hash)) = (new_token()?, new_token()?);
    store::insert_tokens(
        tx,
        session,
        &access_hash,
        now.plus_millis(ACCESS_TOKEN_MS),
        &refresh_hash,
        now,
    )
    .await?;
    Ok(TokenResponse {
        access_token: access,
        issued_token_type: ACCESS_TOKEN_TYPE.to_owned(),
        token_type: "DPoP".to_owned(),
        expires_in: u32::try_from(ACCESS_TOKEN_MS / 1000).unwrap_or(u32::MAX),
        refresh_token: refresh,
        device_id: device,
    })
}

/// A token of 32 random bytes, and its hash.
fn new_token() -> Result<(String, TokenHash)> {
    let token = Base64Url::from(random_bytes::<32>()?).encode();
    let hash = sha256(token.as_bytes());
    Ok((token, hash))
}

/// Signs another phone of the holder out: its session ends, and its credential dies.
pub(crate) async fn remove_device(tx: &mut Connection, device: Uuid, now: UnixMillis) -> Result<()> {
    store::end_sessions_of_device(tx, device, EndReason::SignedOut, now).await?;
    issuer::revoke_device(tx, device, now).await
}

/// Whether a holder has signed in at the host since an instant, by an ID token that says when that was.
pub(crate) async fn has_signed_in_since(
    platform: &Platform,
    holder: i64,
    id_token: &str,
    since: UnixMillis,
) -> Result<bool> {
    let identity = match platform.host().identity(id_token, platform.now()).await {
        Ok(identity) => identity,
        Err(error @ HostTokenError::Unreachable(_)) => {
            return Err(Error::refused_because(ProblemCode::ServerBusy, error.to_string()));
        }
        Err(error) => {
            tracing::info!(%error, "a sign-in that was to show the holder is refused");
            return Ok(false);
        }
    };
    let mut reader = platform.db().read().await?;
    let is_holder = store::holder_of_subject(&mut reader, &identity.subject).await? == Some(holder);
    // The host counts whole seconds.
    let since = since.0.div_euclid(SECOND);
    Ok(is_holder
        && identity
            .signed_in_at
            .is_some_and(|at| at.0.div_euclid(SECOND) >= since))
}

impl FromRequestParts<Platform> for Session {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self> {
        match session(parts, platform).await? {
            (session, DeviceStatus::Active) => Ok(session),
            (_, DeviceStatus::Lost) => Err(Error::refused(ProblemCode::DeviceLost)),
        }
    }
}

impl FromRequestParts<Platform> for MaybeLost {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self> {
        session(parts, platform).await.map(|(session, _)| Self(session))
    }
}

/// Who makes a request, its proof checked, and whether that phone is reported lost.
async fn session(parts: &mut Parts, platform: &Platform) -> Result<(Session, DeviceStatus)> {
    let expired = || Error::refused(ProblemCode::SessionExpired);
    let authorization = one_header(&parts.headers, "Authorization").ok_or_else(expired)?;
    let (scheme, token) = authorization.split_once(' ').ok_or_else(expired)?;
    if !scheme.eq_ignore_ascii_case("DPoP") {
        return Err(expired());
    }
    let now = platform.now();
    let target = Target {
        method: &parts.method,
        uri: &parts.uri,
        origin: &platform.config().public_origin,
        access_token: Some(token),
    };
    let proof = one_header(&parts.headers, DPOP);
    let key = platform.nonces().verify::<Error>(proof, target, now).await?;
    let mut reader = platform.db().read().await?;
    let found = store::find_access_token(&mut reader, &sha256(token.as_bytes()))
        .await?
        .ok_or_else(expired)?;
    if found.thumbprint != key.thumbprint || found.ended || found.expires_at <= now {
        return Err(expired());
    }
    let session = Session {
        device: found.device,
        holder: found.holder,
    };
    Ok((session, found.device_status))
}

impl From<ProofError> for Error {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Nonce => Self::refused(ProblemCode::UseDpopNonce),
            _ => Self::refused_because(ProblemCode::InvalidDpopProof, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
