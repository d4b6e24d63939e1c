//! What a holder does about places: look for one, bind it, see what is left there, forget it.

use super::{store, unavailable};
use crate::Platform;
use crate::db::transact;
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::idempotency::{Deed, Operation};
use uuid::Uuid;
use yika_api::ProblemCode;
use yika_api::utility::{
    BindPlace, BoundPlaceList, Place, PlaceBalance, PlaceList, PlaceQuery, Provider, ProviderList, is_code,
};

/// Who sells what.
pub(super) async fn providers(platform: &Platform) -> Result<ProviderList> {
    let answer = platform.utility()?.providers().await;
    let providers = answer.map_err(|error| unavailable(&error))?;
    Ok(ProviderList { providers })
}

/// The places of a provider below a place, or at the top.
pub(super) async fn places(platform: &Platform, provider: &str, query: &PlaceQuery) -> Result<PlaceList> {
    let below = query.below.as_deref();
    check_code(provider)?;
    below.map(check_code).transpose()?;
    let answer = platform.utility()?.places(provider, below).await;
    let places = answer.map_err(|error| unavailable(&error))?;
    let places = places.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    Ok(PlaceList { places })
}

/// The places that the holder has bound.
pub(super) async fn bound(platform: &Platform, holder: i64) -> Result<BoundPlaceList> {
    let mut reader = platform.db().read().await?;
    let places = store::bound_places(&mut reader, holder).await?;
    Ok(BoundPlaceList { places })
}

/// Binds a place that the utility knows.
pub(super) async fn bind(
    platform: &Platform,
    holder: i64,
    key: IdempotencyKey,
    request: &BindPlace,
) -> Result<String> {
    let deed = Deed::new("utility.bind", holder, key, request)?;
    let before: Result<Option<String>> = transact!(platform.db().writer(), |tx| { deed.reply(tx).await });
    if let Some(reply) = before? {
        return Ok(reply);
    }
    let (provider, place) = payable(platform, request).await?;
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        let bound = store::bind(tx, holder, &provider, &place, now).await?;
        slot.store(tx, &bound, now).await
    })
}

/// The provider and the place that a request names, where the place can be paid for.
async fn payable(platform: &Platform, request: &BindPlace) -> Result<(Provider, Place)> {
    check_code(&request.provider)?;
    check_code(&request.code)?;
    let utility = platform.utility()?;
    let known = utility.providers().await.map_err(|error| unavailable(&error))?;
    let provider = known
        .into_iter()
        .find(|provider| provider.code == request.provider);
    let provider = provider.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    let place = utility.place(&request.provider, &request.code).await;
    let place = place.map_err(|error| unavailable(&error))?;
    let place = place.filter(|place| place.is_payable && place.code == request.code);
    Ok((
        provider,
        place.ok_or_else(|| Error::refused(ProblemCode::NotFound))?,
    ))
}

/// Forgets a place, and answers those that are left.
pub(super) async fn forget(
    platform: &Platform,
    holder: i64,
    key: IdempotencyKey,
    place: Uuid,
) -> Result<String> {
    let (deed, now) = (Deed::new("utility.forget", holder, key, &place)?, platform.now());
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        let bound = store::bound_place(tx, holder, place).await?;
        bound.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
        store::forget(tx, place, now).await?;
        let places = store::bound_places(tx, holder).await?;
        slot.store(tx, &BoundPlaceList { places }, now).await
    })
}

/// What is left at a place, as far as anybody knows.
pub(super) async fn balance(platform: &Platform, holder: i64, place: Uuid) -> Result<PlaceBalance> {
    let mut reader = platform.db().read().await?;
    let bound = store::bound_place(&mut reader, holder, place).await?;
    let bound = bound.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    let known = store::known_balance(&mut reader, place).await?;
    drop(reader);
    let told = match platform.utility() {
        Ok(utility) => utility.balance(&bound.provider, &bound.code).await,
        Err(_) => Ok(None),
    };
    let told = told.unwrap_or_else(|error| {
        tracing::warn!(%error, "the utility tells no balance");
        None
    });
    let newer = told.filter(|told| known.is_none_or(|known| told.as_of > known.as_of));
    if let Some(newer) = newer {
        let kept: Result<()> = transact!(platform.db().writer(), |tx| {
            store::keep_balance(tx, place, newer).await
        });
        kept?;
    }
    Ok(PlaceBalance {
        balance: newer.or(known),
        is_stale: told.is_none(),
    })
}

fn check_code(code: &str) -> Result<()> {
    match is_code(code) {
        true => Ok(()),
        false => Err(Error::refused_because(
            ProblemCode::InvalidRequest,
            "a code is 1 to 64 letters, digits, - and _",
        )),
    }
}
