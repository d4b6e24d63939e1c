//! The utilities' adapter over HTTP, as `yika_api::utility` describes it.

use super::{UtilityAnswer, UtilityGateway};
use crate::config::UtilityConfig;
use crate::error::Result;
use crate::http::{Adapter, AdapterError, exchange, read, unexpected};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use uuid::Uuid;
use yika_api::utility::{Credit, CreditState, CreditStatus, MeterBalance, Place, Provider};

/// The utilities' adapter.
#[derive(Debug)]
pub struct HttpUtility {
    adapter: Adapter,
}

impl HttpUtility {
    /// Talks to the adapter at this address.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(config: &UtilityConfig) -> Result<Self> {
        Ok(Self {
            adapter: Adapter::new(&config.url, config.timeout)?,
        })
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.adapter.request(Method::GET, path)
    }
}

/// What is answered with 200, or `None` where it is 404.
async fn found<T: DeserializeOwned>(request: RequestBuilder) -> Result<Option<T>, AdapterError> {
    let response = exchange(request).await?;
    match response.status() {
        StatusCode::OK => read(response).await.map(Some),
        StatusCode::NOT_FOUND => Ok(None),
        _ => Err(unexpected(&response)),
    }
}

/// How a credit stands, or `None` where it was never heard of.
async fn credit(id: Uuid, request: RequestBuilder) -> Result<Option<CreditState>, AdapterError> {
    match found::<CreditStatus>(request).await? {
        Some(status) if status.id != id => Err(AdapterError::Malformed("another credit's status".to_owned())),
        status => Ok(status.map(|status| status.state)),
    }
}

fn missing() -> AdapterError {
    AdapterError::Malformed("status 404".to_owned())
}

impl UtilityGateway for HttpUtility {
    fn providers(&self) -> UtilityAnswer<'_, Vec<Provider>> {
        let request = self.get("providers");
        Box::pin(async move { found(request).await?.ok_or_else(missing) })
    }

    fn places<'a>(
        &'a self,
        provider: &'a str,
        below: Option<&'a str>,
    ) -> UtilityAnswer<'a, Option<Vec<Place>>> {
        let request = self.get(&format!("providers/{provider}/places"));
        Box::pin(found(request.query(&below.map(|below| [("below", below)]))))
    }

    fn place<'a>(&'a self, provider: &'a str, code: &'a str) -> UtilityAnswer<'a, Option<Place>> {
        Box::pin(found(self.get(&format!("providers/{provider}/places/{code}"))))
    }

    fn balance<'a>(&'a self, provider: &'a str, code: &'a str) -> UtilityAnswer<'a, Option<MeterBalance>> {
        Box::pin(found(
            self.get(&format!("providers/{provider}/places/{code}/balance")),
        ))
    }

    fn credit<'a>(&'a self, sent: &'a Credit) -> UtilityAnswer<'a, CreditState> {
        let request = self.adapter.request(Method::POST, "credits").json(sent);
        Box::pin(async move { credit(sent.id, request).await?.ok_or_else(missing) })
    }

    fn query(&self, id: Uuid) -> UtilityAnswer<'_, Option<CreditState>> {
        Box::pin(credit(id, self.get(&format!("credits/{id}"))))
    }

    fn cancel(&self, id: Uuid) -> UtilityAnswer<'_, Option<CreditState>> {
        let request = self
            .adapter
            .request(Method::POST, &format!("credits/{id}/cancel"));
        Box::pin(credit(id, request))
    }
}
