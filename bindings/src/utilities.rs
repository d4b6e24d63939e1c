//! Electricity and network accounts.

use crate::error::YikaError;
use crate::types::{Fen, LocalizedText, UnixMillis, Uuid};

pub use yika_core::utilities::{
    BoundPlace, MeterBalance, Place, PlaceBalance, PlaceLookup, Provider, UtilityKind,
};

/// Electricity and network accounts. A place is found once and bound; paying for it is `operations().plan_utility`.
///
/// All of it may fail with `Money` (`UtilityNotOffered`, `UtilityUnavailable`), `NotBound`, `SessionExpired`, `Network` and
/// the like.
#[derive(uniffi::Object)]
pub struct UtilityService {
    pub(crate) core: yika_core::UtilityService,
}

#[uniffi::export]
impl UtilityService {
    /// Who sells what places use. Touches the network.
    pub async fn providers(&self) -> Result<Vec<Provider>, YikaError> {
        Ok(self.core.providers().await?)
    }

    /// The parts of a provider's place, such as the rooms of a building; those at the top if `below` is absent. Touches the
    /// network. Fails with `InvalidInput` for a code that is none.
    pub async fn places(&self, provider: String, below: Option<String>) -> Result<Vec<Place>, YikaError> {
        Ok(self.core.places(provider, below).await?)
    }

    /// Remembers a place. Touches the network and the disk. Fails with `InvalidInput` for a code that is none.
    pub async fn bind(&self, provider: String, code: String) -> Result<BoundPlace, YikaError> {
        Ok(self.core.bind(provider, code).await?)
    }

    /// Forgets a place. Touches the network and the disk.
    pub async fn unbind(&self, place: Uuid) -> Result<(), YikaError> {
        Ok(self.core.unbind(place).await?)
    }

    /// The bound places as last told, the one bound last first. Touches the disk; no network.
    pub async fn bound(&self) -> Result<Vec<BoundPlace>, YikaError> {
        Ok(self.core.bound().await?)
    }

    /// The bound places as they are. Touches the network and the disk.
    pub async fn sync(&self) -> Result<Vec<BoundPlace>, YikaError> {
        Ok(self.core.synchronise().await?)
    }

    /// What was left at a bound place when it was last told; absent where that was never, which is not zero. Touches the
    /// disk; no network.
    pub async fn known_balance(&self, place: Uuid) -> Result<Option<MeterBalance>, YikaError> {
        Ok(self.core.known_balance(place).await?)
    }

    /// What is left at a bound place. Touches the network and the disk.
    pub async fn balance(&self, place: Uuid) -> Result<PlaceBalance, YikaError> {
        Ok(self.core.balance(place).await?)
    }
}

/// Who sells what a place uses.
#[uniffi::remote(Record)]
pub struct Provider {
    /// Its code.
    pub code: String,
    /// What it sells.
    pub kind: UtilityKind,
    /// Its name.
    pub name: LocalizedText,
    /// How a place is found.
    pub lookup: PlaceLookup,
}

/// What a utility sells.
#[uniffi::remote(Enum)]
pub enum UtilityKind {
    /// Electricity.
    Electricity,
    /// Network access.
    Network,
    /// Water.
    Water,
    /// Something else, or a kind that this version does not know.
    Other,
}

/// How a place of a provider is found.
#[uniffi::remote(Enum)]
pub enum PlaceLookup {
    /// By going down the list, from building to room.
    Browse,
    /// By typing its code, such as the number of a network account.
    Code,
}

/// A place of a provider: a building, or a room or account that can be paid for.
#[uniffi::remote(Record)]
pub struct Place {
    /// Its code at the provider.
    pub code: String,
    /// Its whole name, as it is to be shown on its own.
    pub name: LocalizedText,
    /// Whether it can be bound and paid for. Others only have places below them.
    pub is_payable: bool,
}

/// A place that the holder has bound.
#[uniffi::remote(Record)]
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

/// What is left at a bound place, as far as is known.
#[uniffi::remote(Record)]
pub struct PlaceBalance {
    /// The newest that is known; absent while none is, which is not zero.
    pub balance: Option<MeterBalance>,
    /// Whether the utility didn't answer just now, so that the balance is one of earlier.
    pub is_stale: bool,
}

/// What is left at a place.
#[uniffi::remote(Record)]
pub struct MeterBalance {
    /// In money; below zero where the place owes.
    pub amount: Fen,
    /// When the utility last knew it.
    pub as_of: UnixMillis,
}
