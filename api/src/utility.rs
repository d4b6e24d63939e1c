//! Utilities: electricity and network accounts that the holder pays for, such as that of a dormitory room.
//!
//! `GET /v1/utilities/providers` answers [`ProviderList`], `GET /v1/utilities/providers/{provider}/places` the
//! [`PlaceList`] below a place, from the whole campus down to the room. `POST /v1/utilities/places` ([`BindPlace`],
//! answers [`BoundPlace`]) remembers a place, `DELETE /v1/utilities/places/{id}` forgets it; both take an idempotency
//! key. `GET /v1/utilities/places` answers [`BoundPlaceList`], `GET /v1/utilities/places/{id}/balance`
//! [`PlaceBalance`]. Paying is an operation ([`crate::operation::OperationRequest::Utility`]).
//!
//! The second half is what the platform asks of the utility's adapter, over HTTP below one base address: `GET providers`
//! answers [`Provider`]s, `GET providers/{provider}/places?below={code}` [`Place`]s,
//! `GET providers/{provider}/places/{code}` one [`Place`] (404: none), `GET providers/{provider}/places/{code}/balance`
//! its [`MeterBalance`]. A credit is named by the operation that it is for: `POST credits` takes [`Credit`],
//! `GET credits/{id}` asks (404: never heard of it), `POST credits/{id}/cancel` makes sure that a credit which was not
//! made never will be; all answer [`CreditStatus`].

use crate::operation::Refusal;
use crate::{Fen, LocalizedText, UnixMillis};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `GET /v1/utilities/providers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProviderList {
    /// In the order in which they are to be shown.
    pub providers: Vec<Provider>,
}

/// Who sells what a place uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Provider {
    /// Its code, 1–64 letters, digits, `-` and `_`.
    pub code: String,
    /// What it sells.
    pub kind: UtilityKind,
    /// Its name.
    pub name: LocalizedText,
    /// How a place is found.
    pub lookup: PlaceLookup,
}

/// What a utility sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UtilityKind {
    /// Electricity.
    Electricity,
    /// Network access.
    Network,
    /// Water.
    Water,
    /// Something else, or a kind of a newer server.
    #[serde(other)]
    Other,
}

/// How a place of a provider is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaceLookup {
    /// By going down the list, from building to room.
    Browse,
    /// By typing its code, such as the number of a network account.
    Code,
}

/// The query of `GET /v1/utilities/providers/{provider}/places`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PlaceQuery {
    /// The code of the place whose parts are wanted; without it, those at the top.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub below: Option<String>,
}

/// Places of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlaceList {
    /// In the order in which they are to be shown.
    pub places: Vec<Place>,
}

/// A place of a provider: a building, or a room or account that can be paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Place {
    /// Its code at the provider, 1–64 letters, digits, `-` and `_`.
    pub code: String,
    /// Its whole name, as it is to be shown on its own, such as `Building 3, room 402`.
    pub name: LocalizedText,
    /// Whether it has an account of its own, so that it can be bound and paid for. Others only have places below them.
    pub is_payable: bool,
}

/// `POST /v1/utilities/places`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BindPlace {
    /// The provider's code.
    pub provider: String,
    /// The place's code.
    pub code: String,
}

/// The places that the holder has bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BoundPlaceList {
    /// The one bound last first.
    pub places: Vec<BoundPlace>,
}

/// A place that the holder has bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BoundPlace {
    /// The binding, by which it is paid for.
    pub id: Uuid,
    /// The provider's code.
    pub provider: String,
    /// What the provider sells.
    pub kind: UtilityKind,
    /// The place's code.
    pub code: String,
    /// The place's whole name.
    pub name: LocalizedText,
}

/// `GET /v1/utilities/places/{id}/balance`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PlaceBalance {
    /// The newest that is known; absent while none is, which is not zero.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub balance: Option<MeterBalance>,
    /// Whether the utility didn't answer just now, so that the balance is one of earlier.
    pub is_stale: bool,
}

/// What is left at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MeterBalance {
    /// In money; below zero where the place owes.
    pub amount: Fen,
    /// When the utility last knew it.
    pub as_of: UnixMillis,
}

/// Money to be credited to a place, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Credit {
    /// The operation's id.
    pub id: Uuid,
    /// The provider's code.
    pub provider: String,
    /// The place's code.
    pub code: String,
    /// How much.
    pub amount: Fen,
}

/// How a credit stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreditStatus {
    /// Which credit.
    pub id: Uuid,
    /// How it stands.
    #[serde(flatten)]
    pub state: CreditState,
}

/// How a credit stands. `Credited` and `Refused` are final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CreditState {
    /// Taken, and not yet decided.
    Pending,
    /// The place has it.
    Credited {
        /// When.
        at: UnixMillis,
        /// The utility's own number for it.
        trace: String,
    },
    /// The place doesn't have it and never will.
    Refused {
        /// Why.
        refusal: Refusal,
    },
}

/// Whether this can be the code of a provider or a place: 1–64 letters, digits, `-` and `_`.
pub fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_short_and_cannot_leave_its_place_in_an_address() {
        for code in ["b3-402", "net_20260001", "A", &"x".repeat(64)] {
            assert!(is_code(code), "{code}");
        }
        for code in ["", "..", "a/b", "a b", "a?b", "楼", "%2e", &"x".repeat(65)] {
            assert!(!is_code(code), "{code}");
        }
    }

    #[test]
    fn a_credit_reads_as_its_adapter_writes_it() {
        let id = Uuid::nil();
        let json = format!(r#"{{"id":"{id}","state":"refused","refusal":{{"reason":"account_unusable"}}}}"#);
        let status: CreditStatus = serde_json::from_str(&json).unwrap();
        assert!(matches!(status.state, CreditState::Refused { .. }));
        assert_eq!(serde_json::to_string(&status).unwrap(), json);
    }
}
