//! The bank's adapter over HTTP, as `yika_api::bank` describes it.

use super::{BankAnswer, BankError, BankGateway};
use crate::config::BankConfig;
use crate::error::{Error, Result};
use crate::http::outbound_client;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;
use yika_api::bank::{
    CardChallenge, CardCode, CloseCustomer, NewCard, OpenCustomer, Order, OrderState, OrderStatus,
    SetPassword,
};
use yika_format::ExpandedKey;

/// The bank's adapter.
#[derive(Debug)]
pub struct HttpBank {
    base: Url,
    root: ExpandedKey,
    client: reqwest::Client,
}

type Answer<T> = std::result::Result<T, BankError>;

impl HttpBank {
    /// Talks to the adapter at this address.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(config: &BankConfig) -> Result<Self> {
        let client = outbound_client(&config.url, config.timeout)
            .map_err(|error| Error::Io(std::io::Error::other(error)))?;
        Ok(Self {
            base: config.url.clone(),
            root: config.root,
            client,
        })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        self.client.request(method, url)
    }

    fn with_body(&self, method: Method, path: &str, body: &impl Serialize) -> RequestBuilder {
        self.request(method, path).json(body)
    }
}

/// Sends, and takes refusals and silences apart.
async fn send(request: RequestBuilder) -> Answer<Response> {
    let response = request.send().await.map_err(|error| match error.is_connect() {
        true => BankError::Unreachable,
        false => BankError::Silent,
    })?;
    match response.status() {
        status if status.is_success() || status == StatusCode::NOT_FOUND => Ok(response),
        StatusCode::UNPROCESSABLE_ENTITY => Err(BankError::Refused(read(response).await?)),
        status if status.is_server_error() => Err(BankError::Silent),
        status => Err(BankError::Malformed(format!("status {status}"))),
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Answer<T> {
    let body = response.bytes().await.map_err(|_| BankError::Silent)?;
    serde_json::from_slice(&body).map_err(|error| BankError::Malformed(error.to_string()))
}

fn found(response: Response) -> Answer<Response> {
    match response.status() {
        StatusCode::NOT_FOUND => Err(BankError::Malformed("status 404".to_owned())),
        _ => Ok(response),
    }
}

/// How an order stands, or `None` where the bank never heard of it.
async fn order(id: Uuid, request: RequestBuilder) -> Answer<Option<OrderState>> {
    let response = send(request).await?;
    if response.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let status: OrderStatus = read(response).await?;
    match status.id == id {
        true => Ok(Some(status.state)),
        false => Err(BankError::Malformed("another order's status".to_owned())),
    }
}

/// What is answered with 204.
async fn done(request: RequestBuilder) -> Answer<()> {
    found(send(request).await?).map(drop)
}

impl BankGateway for HttpBank {
    fn root(&self) -> &ExpandedKey {
        &self.root
    }

    fn submit<'a>(&'a self, sent: &'a Order) -> BankAnswer<'a, OrderState> {
        let request = self.with_body(Method::POST, "orders", sent);
        Box::pin(async move {
            let answer = order(sent.id, request).await?;
            answer.ok_or_else(|| BankError::Malformed("status 404".to_owned()))
        })
    }

    fn query(&self, id: Uuid) -> BankAnswer<'_, Option<OrderState>> {
        Box::pin(order(id, self.request(Method::GET, &format!("orders/{id}"))))
    }

    fn call_off(&self, id: Uuid) -> BankAnswer<'_, Option<OrderState>> {
        Box::pin(order(
            id,
            self.request(Method::POST, &format!("orders/{id}/cancel")),
        ))
    }

    fn give_back(&self, id: Uuid) -> BankAnswer<'_, Option<OrderState>> {
        Box::pin(order(
            id,
            self.request(Method::POST, &format!("orders/{id}/refund")),
        ))
    }

    fn key(&self) -> BankAnswer<'_, Vec<u8>> {
        let request = self.request(Method::GET, "key");
        Box::pin(async move {
            let response = found(send(request).await?)?;
            let bytes = response.bytes().await.map_err(|_| BankError::Silent)?;
            Ok(bytes.to_vec())
        })
    }

    fn open_customer<'a>(&'a self, customer: &'a OpenCustomer) -> BankAnswer<'a, ()> {
        Box::pin(done(self.with_body(Method::POST, "customers", customer)))
    }

    fn close_customer<'a>(&'a self, customer: Uuid, close: &'a CloseCustomer) -> BankAnswer<'a, ()> {
        Box::pin(done(self.with_body(
            Method::POST,
            &format!("customers/{customer}/close"),
            close,
        )))
    }

    fn set_password<'a>(&'a self, customer: Uuid, password: &'a SetPassword) -> BankAnswer<'a, ()> {
        Box::pin(done(self.with_body(
            Method::PUT,
            &format!("customers/{customer}/password"),
            password,
        )))
    }

    fn begin_card<'a>(&'a self, customer: Uuid, card: &'a NewCard) -> BankAnswer<'a, CardChallenge> {
        let request = self.with_body(Method::POST, &format!("customers/{customer}/cards"), card);
        Box::pin(async move { read(found(send(request).await?)?).await })
    }

    fn confirm_card<'a>(&'a self, customer: Uuid, card: Uuid, code: &'a CardCode) -> BankAnswer<'a, ()> {
        let path = format!("customers/{customer}/cards/{card}/confirm");
        Box::pin(done(self.with_body(Method::POST, &path, code)))
    }

    fn unbind_card(&self, customer: Uuid, card: Uuid) -> BankAnswer<'_, ()> {
        Box::pin(done(self.request(
            Method::DELETE,
            &format!("customers/{customer}/cards/{card}"),
        )))
    }
}
