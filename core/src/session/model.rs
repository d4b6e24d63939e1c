//! What a session is, in memory and in the journal.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::school::School;
use yika_api::{LocalizedText, UnixMillis};
use yika_format::SchoolHash;
use yika_link::Origin;

use crate::keys::StoredKey;
use crate::secret::SecretText;

/// The host app's OIDC ID token, which a session is exchanged for.
pub type HostIdToken = SecretText;

/// Whether a card is bound, for the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// No card is bound.
    Unbound,
    /// Bound, and the platform can be asked.
    Active(BoundCard),
    /// Bound, but the session has ended: sign in again. Codes that are still valid go on.
    Ended(BoundCard),
}

/// What a phone is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundCard {
    /// The platform's address.
    pub platform: Origin,
    /// The school's DNS name, which every signature covers.
    pub school_domain: String,
    /// The school's name.
    pub school_name: LocalizedText,
    /// The school's time zone (IANA name).
    pub time_zone: String,
    /// This phone, as the platform knows it.
    pub device_id: Uuid,
}

/// Whose session it is: issuer and subject of the host's ID token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub iss: String,
    pub sub: String,
}

/// The tokens of a session that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub access: SecretText,
    pub access_until: UnixMillis,
    pub refresh: SecretText,
}

/// The session as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionRecord {
    pub origin: Origin,
    pub school: School,
    /// Unknown where the host's token could not be read: then the next one is taken for somebody else's.
    pub holder: Option<Holder>,
    pub device_id: Uuid,
    pub key: StoredKey,
    /// Absent once the session has ended.
    pub tokens: Option<Tokens>,
}

impl SessionRecord {
    pub(crate) fn school_hash(&self) -> SchoolHash {
        SchoolHash::of_domain(&self.school.domain)
    }

    pub(crate) fn state(&self) -> SessionState {
        let card = BoundCard {
            platform: self.origin.clone(),
            school_domain: self.school.domain.clone(),
            school_name: self.school.name.clone(),
            time_zone: self.school.time_zone.clone(),
            device_id: self.device_id,
        };
        if self.tokens.is_some() {
            SessionState::Active(card)
        } else {
            SessionState::Ended(card)
        }
    }
}
