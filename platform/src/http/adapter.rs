//! An adapter beside the platform, such as the bank's: HTTP below one base address, and what it means when nothing whole
//! comes back.

use super::outbound::outbound_client;
use crate::error::{Error, Result};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use std::time::Duration;
use url::Url;

/// Why an adapter's answer is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// It was not reached: nothing has left this machine.
    #[error("it was not reached")]
    Unreachable,
    /// Something was sent and nothing whole came back: it may have done it.
    #[error("it did not answer")]
    Silent,
    /// It answered something that the protocol doesn't know: it may have done it.
    #[error("its answer is not of the documented form: {0}")]
    Malformed(String),
}

/// An adapter.
#[derive(Debug)]
pub(crate) struct Adapter {
    base: Url,
    client: reqwest::Client,
}

impl Adapter {
    /// The adapter at this address, which has so long to answer.
    pub(crate) fn new(base: &Url, timeout: Duration) -> Result<Self> {
        let client =
            outbound_client(base, timeout).map_err(|error| Error::Io(std::io::Error::other(error)))?;
        Ok(Self {
            base: base.clone(),
            client,
        })
    }

    /// A request for what stands below the base address under this path.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        self.client.request(method, url)
    }
}

/// Sends a request; the answer has a status below 500.
pub(crate) async fn exchange(request: RequestBuilder) -> Result<Response, AdapterError> {
    let response = request.send().await.map_err(|error| match error.is_connect() {
        true => AdapterError::Unreachable,
        false => AdapterError::Silent,
    })?;
    match response.status().is_server_error() {
        true => Err(AdapterError::Silent),
        false => Ok(response),
    }
}

/// The answer's body as JSON.
pub(crate) async fn read<T: DeserializeOwned>(response: Response) -> Result<T, AdapterError> {
    let body = response.bytes().await.map_err(|_| AdapterError::Silent)?;
    serde_json::from_slice(&body).map_err(|error| AdapterError::Malformed(error.to_string()))
}

/// The refusal of an answer with a status that the protocol doesn't know there.
pub(crate) fn unexpected(response: &Response) -> AdapterError {
    AdapterError::Malformed(format!("status {}", response.status()))
}
