//! The requests about utilities.

use uuid::Uuid;
use yika_api::utility::{
    BindPlace, BoundPlace, BoundPlaceList, Place, PlaceBalance, PlaceList, PlaceQuery, Provider,
    ProviderList, is_code,
};

use crate::error::CoreError;
use crate::http::Call;
use crate::session::Sessions;
use crate::wallet::InputField;

pub(super) async fn providers(sessions: &Sessions) -> Result<Vec<Provider>, CoreError> {
    let list: ProviderList = sessions
        .send(&Call::get("/v1/utilities/providers"))
        .await?
        .json()?;
    Ok(list.providers)
}

pub(super) async fn places(
    sessions: &Sessions,
    provider: &str,
    below: Option<String>,
) -> Result<Vec<Place>, CoreError> {
    // It becomes part of an address.
    if !is_code(provider) {
        return Err(InputField::Place.into());
    }
    let call =
        Call::get(format!("/v1/utilities/providers/{provider}/places")).query(&PlaceQuery { below })?;
    let list: PlaceList = sessions.send(&call).await?.json()?;
    Ok(list.places)
}

pub(super) async fn bound(sessions: &Sessions) -> Result<Vec<BoundPlace>, CoreError> {
    let list: BoundPlaceList = sessions.send(&Call::get("/v1/utilities/places")).await?.json()?;
    Ok(list.places)
}

pub(super) async fn bind(
    sessions: &Sessions,
    operation: Uuid,
    provider: String,
    code: String,
) -> Result<BoundPlace, CoreError> {
    if !is_code(&provider) || !is_code(&code) {
        return Err(InputField::Place.into());
    }
    let call = Call::post("/v1/utilities/places").json(&BindPlace { provider, code })?;
    Ok(sessions.send(&call.operation(operation)).await?.json()?)
}

pub(super) async fn unbind(sessions: &Sessions, operation: Uuid, place: Uuid) -> Result<(), CoreError> {
    let call = Call::delete(format!("/v1/utilities/places/{place}"));
    sessions.send(&call.operation(operation)).await?;
    Ok(())
}

pub(super) async fn balance(sessions: &Sessions, place: Uuid) -> Result<PlaceBalance, CoreError> {
    let call = Call::get(format!("/v1/utilities/places/{place}/balance"));
    Ok(sessions.send(&call).await?.json()?)
}
