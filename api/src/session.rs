//! Binding a phone: token exchange (RFC 8693) from the host app's ID token, bound to the phone's session key (RFC 9449).
//!
//! `POST /v1/sessions/token` takes a form ([`TokenRequest`]) and a `DPoP` proof, and answers [`TokenResponse`] or
//! [`TokenError`]. `DELETE /v1/sessions/current` signs this phone out. `POST /v1/sessions/host-logout` takes the host's
//! logout token (OpenID Connect Back-Channel Logout 1.0), which ends every session that came from that host session.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// The `subject_token_type` of an OpenID Connect ID token (RFC 8693, section 3).
pub const ID_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:id_token";
/// The `issued_token_type` of an access token (RFC 8693, section 3).
pub const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The event that a host's logout token must carry (OpenID Connect Back-Channel Logout 1.0, section 2.4).
pub const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What the token endpoint takes, as `application/x-www-form-urlencoded`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "grant_type")]
pub enum TokenRequest {
    /// The host app's ID token for a session on this phone.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    Exchange {
        /// The ID token.
        subject_token: String,
        /// [`ID_TOKEN_TYPE`].
        subject_token_type: String,
        /// What the holder will see this phone called in the list of devices.
        device_name: String,
    },
    /// A refresh token for a new pair. The previous one stays good, for the same key, until the new one is used.
    #[serde(rename = "refresh_token")]
    Refresh {
        /// The refresh token.
        refresh_token: String,
    },
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exchange { .. } => "TokenRequest::Exchange(…)",
            Self::Refresh { .. } => "TokenRequest::Refresh(…)",
        })
    }
}

/// A session on this phone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenResponse {
    /// Good only together with a proof under the session key.
    pub access_token: String,
    /// [`ACCESS_TOKEN_TYPE`].
    pub issued_token_type: String,
    /// `DPoP`.
    pub token_type: String,
    /// Seconds until the access token ends.
    pub expires_in: u32,
    /// Good for the next pair, under the same session key.
    pub refresh_token: String,
    /// This phone, as the platform knows it. Covered by key proofs.
    pub device_id: Uuid,
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "TokenResponse {{ device_id: {}, expires_in: {}, … }}",
            self.device_id, self.expires_in
        )
    }
}

/// A refusal of the token endpoint (RFC 6749, section 5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TokenError {
    /// What went wrong.
    pub error: TokenErrorCode,
    /// For a person who reads a log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error_description: Option<String>,
}

/// The codes of [`TokenError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenErrorCode {
    /// A parameter is missing or malformed.
    InvalidRequest,
    /// The ID token or refresh token is expired, revoked, from somebody else or for another key.
    InvalidGrant,
    /// The grant type is not one of [`TokenRequest`].
    UnsupportedGrantType,
    /// The proof of possession is wrong.
    InvalidDpopProof,
    /// The proof needs the nonce in the `DPoP-Nonce` header: repeat with it.
    UseDpopNonce,
    /// The person has no campus card here, or this phone was reported lost.
    AccessDenied,
    /// The server could not answer; nothing was changed.
    TemporarilyUnavailable,
    /// The server failed.
    ServerError,
    /// A code of a newer server.
    #[serde(other)]
    Unknown,
}

/// What the host posts when a person signs out there, as `application/x-www-form-urlencoded`.
#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HostLogout {
    /// A JWT of the host with `sub`, optionally `sid`, and the event [`LOGOUT_EVENT`].
    pub logout_token: String,
}
