//! The school behind a platform: who it is, and the keys and names a client pins. `GET /v1/school/keyset` gives the
//! school's online keys as the code format's keyset (`application/octet-stream`), open to everyone. So is
//! `GET /v1/school/bank`, which answers [`SchoolBank`](crate::wallet::SchoolBank) where the school has wallets.

use crate::{Base64Url, LocalizedText, UnixMillis};
use serde::{Deserialize, Serialize};

/// `GET /v1/school`, open to everyone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct School {
    /// The school's lower-case DNS name. Every signature covers its hash, so a code of one school is nothing at another.
    pub domain: String,
    /// The school's name.
    pub name: LocalizedText,
    /// The compressed P-256 key (33 bytes) that signs the keyset. Clients pin it.
    pub root_key: Base64Url,
    /// The school's time zone (IANA name), in which days and limits are counted.
    pub time_zone: String,
    /// The `iss` of the host app's ID tokens.
    pub host_issuer: String,
    /// The `aud` that an ID token must carry to be exchanged here.
    pub host_audience: String,
}

/// `GET /v1/time`, open to everyone: what a phone anchors its own clock to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ServerTime {
    /// The platform's time.
    pub now: UnixMillis,
}
