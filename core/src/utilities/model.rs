//! Utilities as the phone knows them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use yika_api::utility::{
    BoundPlace, MeterBalance, Place, PlaceBalance, PlaceLookup, Provider, UtilityKind,
};

use crate::store::Snapshot;

/// The bound places as last told.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct PlacesRecord {
    pub places: Vec<BoundPlace>,
}

impl Snapshot for PlacesRecord {
    const NAME: &'static str = "utility_places";
}

/// What was left at places as last told.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct BalancesRecord {
    pub balances: BTreeMap<Uuid, MeterBalance>,
}

impl Snapshot for BalancesRecord {
    const NAME: &'static str = "utility_balances";
}
