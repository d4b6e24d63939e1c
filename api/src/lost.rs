//! What is reported lost and found again: the card, one phone, or everything.
//!
//! `GET /v1/cards/suspensions` answers [`SuspensionList`], everything that holds now. `PUT /v1/cards/suspensions/{id}` takes
//! [`ReportLost`] and answers the [`Suspension`]: the phone makes the name, so the report may be sent again and has one effect.
//! `PUT /v1/cards/suspensions/{id}/found` takes [`ReportFound`] under an idempotency key and answers the list as it is then. These
//! three are all that a phone which is itself reported lost may still ask, besides fresh tokens and to be signed out.

use crate::UnixMillis;
use crate::approval::StepUp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "scope", rename_all = "snake_case", deny_unknown_fields)]
pub enum Lost {
    /// The plastic card: the school's card system is told. Codes on phones go on.
    Card,
    /// One phone: its codes are dead, and all that its session may do is to report it found.
    Phone {
        /// Which one.
        device_id: Uuid,
    },
    /// The plastic card and every phone: no code of the holder is accepted, and nothing is paid off the accounts.
    All,
}

/// `PUT /v1/cards/suspensions/{id}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportLost {
    /// What is lost.
    pub lost: Lost,
    /// When the holder said so, by the phone's clock.
    pub decided_at: UnixMillis,
}

/// Who stopped it, and so who may let it go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum SuspendedBy {
    /// The holder, who may report it found.
    #[serde(rename = "self")]
    Holder,
    /// The card office, which alone may undo it.
    #[serde(rename = "office")]
    Office,
}

/// Something that was reported lost, or frozen by the card office.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Suspension {
    /// Its name.
    pub id: Uuid,
    /// What is lost.
    pub lost: Lost,
    /// Who said so.
    pub by: SuspendedBy,
    /// When they said so, by their own clock.
    pub decided_at: UnixMillis,
    /// From when terminals that are online refuse it.
    pub online_from: UnixMillis,
    /// Until when at the latest a terminal that has heard nothing since takes payments with it.
    pub offline_by: UnixMillis,
    /// Until when at the latest such a terminal takes it for an identity. Never before `offline_by`: a gate goes on with old
    /// lists where the school would rather let somebody in than lock everybody out.
    pub offline_identity_by: UnixMillis,
    /// When it ended: found again, or undone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended_at: Option<UnixMillis>,
}

/// Everything of a holder that is suspended now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SuspensionList {
    /// In the order in which it was reported.
    pub suspensions: Vec<Suspension>,
    /// Rises with each change.
    pub version: u64,
    /// When the platform said so.
    pub as_of: UnixMillis,
}

/// `PUT /v1/cards/suspensions/{id}/found`: ends what the holder reported of this, however often. What has ended already needs no
/// step-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportFound {
    /// How the holder shows to be there. An approval only from a phone that is not itself suspended by this or another report.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub step_up: Option<StepUp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_lost_reads_as_documented_and_nothing_else_does() {
        let phone = Lost::Phone {
            device_id: Uuid::nil(),
        };
        for (lost, written) in [
            (Lost::Card, json!({ "scope": "card" })),
            (phone, json!({ "scope": "phone", "device_id": Uuid::nil() })),
            (Lost::All, json!({ "scope": "all" })),
        ] {
            assert_eq!(serde_json::to_value(lost).unwrap(), written);
            assert_eq!(serde_json::from_value::<Lost>(written).unwrap(), lost);
        }
        for wrong in [
            json!({ "scope": "phone" }),
            json!({ "scope": "everything" }),
            json!({ "device_id": Uuid::nil() }),
        ] {
            assert!(serde_json::from_value::<Lost>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
