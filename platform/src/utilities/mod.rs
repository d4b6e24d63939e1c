//! Utilities: whose places a holder can bind, see and pay for. What moves the money is in `operations`; here is who is
//! asked, and what is remembered of the answers.

mod http;
mod routes;
mod service;
mod store;

pub use http::HttpUtility;
pub(crate) use routes::routes;
pub(crate) use store::bound_place;

use crate::error::Error;
use crate::http::AdapterError;
use futures_util::future::BoxFuture;
use uuid::Uuid;
use yika_api::ProblemCode;
use yika_api::utility::{Credit, CreditState, MeterBalance, Place, Provider};

/// What comes of asking the utilities' adapter.
pub type UtilityAnswer<'a, T> = BoxFuture<'a, Result<T, AdapterError>>;

/// The utilities. Naming the same credit again has no second effect; `None` means that there is no such thing, of a credit
/// that it was never heard of.
pub trait UtilityGateway: Send + Sync {
    /// Who sells what.
    fn providers(&self) -> UtilityAnswer<'_, Vec<Provider>>;
    /// The places of a provider below a place, or at the top.
    fn places<'a>(
        &'a self,
        provider: &'a str,
        below: Option<&'a str>,
    ) -> UtilityAnswer<'a, Option<Vec<Place>>>;
    /// A place.
    fn place<'a>(&'a self, provider: &'a str, code: &'a str) -> UtilityAnswer<'a, Option<Place>>;
    /// What is left at a place.
    fn balance<'a>(&'a self, provider: &'a str, code: &'a str) -> UtilityAnswer<'a, Option<MeterBalance>>;
    /// Makes a credit.
    fn credit<'a>(&'a self, credit: &'a Credit) -> UtilityAnswer<'a, CreditState>;
    /// How a credit stands.
    fn query(&self, credit: Uuid) -> UtilityAnswer<'_, Option<CreditState>>;
    /// Makes sure that a credit which was not made never will be.
    fn cancel(&self, credit: Uuid) -> UtilityAnswer<'_, Option<CreditState>>;
}

/// For questions: those about credits never end in a refusal.
fn unavailable(error: &AdapterError) -> Error {
    if let AdapterError::Malformed(why) = error {
        tracing::error!(why, "the utility's answer is not of the documented form");
    }
    Error::refused(ProblemCode::UtilityUnavailable)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
