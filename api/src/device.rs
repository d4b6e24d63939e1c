//! The phones that a holder's card is on.
//!
//! `GET /v1/devices` answers [`DeviceList`]. `PUT /v1/devices/{id}/removal` takes [`RemoveDevice`] under an idempotency key and
//! answers the list as it is then. It is no `DELETE`, because it takes a step-up, and what the body of a `DELETE` means is not
//! defined (RFC 9110, section 9.3.5).

use crate::UnixMillis;
use crate::approval::StepUp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A phone that is bound to the holder's card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Device {
    /// Its name, for the platform.
    pub id: Uuid,
    /// Its name, for people.
    pub name: String,
    /// When it was bound last.
    pub bound_at: UnixMillis,
    /// When it was last heard of, to some minutes.
    pub last_seen: UnixMillis,
    /// Whether it is the one that asks.
    pub is_this: bool,
    /// Whether it is reported lost.
    pub is_lost: bool,
}

/// The phones that are bound to a holder's card: the one seen last comes first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeviceList {
    /// The phones.
    pub devices: Vec<Device>,
    /// When the platform said so.
    pub as_of: UnixMillis,
}

/// `PUT /v1/devices/{id}/removal`: signs another phone out. Its session ends, and its codes are dead for good; it can be bound
/// again like any phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveDevice {
    /// How the holder shows to be there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step_up: Option<StepUp>,
}
