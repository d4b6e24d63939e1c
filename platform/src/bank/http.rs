//! The bank's adapter over HTTP, as `yika_api::bank` describes it.

use super::{BankAnswer, BankError, BankGateway};
use crate::config::BankConfig;
use crate::error::Result;
use crate::http::{Adapter, exchange, read, unexpected};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use uuid::Uuid;
use yika_api::bank::{
    CardChallenge, CardCode, CheckPassword, CloseCustomer, NewCard, NewMandate, OpenCustomer, Order,
    OrderState, OrderStatus, SetPassword,
};
use yika_format::ExpandedKey;

/// The bank's adapter.
#[derive(Debug)]
pub struct HttpBank {
    adapter: Adapter,
    root: ExpandedKey,
}

type Answer<T> = std::result::Result<T, BankError>;

impl HttpBank {
    /// Talks to the adapter at this address.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(config: &BankConfig) -> Result<Self> {
        Ok(Self {
            adapter: Adapter::new(&config.url, config.timeout)?,
            root: config.root,
        })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.adapter.request(method, path)
    }

    fn with_body(&self, method: Method, path: &str, body: &impl Serialize) -> RequestBuilder {
        self.request(method, path).json(body)
    }
}

/// Sends, and takes refusals and silences apart.
async fn send(request: RequestBuilder) -> Answer<Response> {
    let response = exchange(request).await?;
    match response.status() {
        status if status.is_success() || status == StatusCode::NOT_FOUND => Ok(response),
        StatusCode::UNPROCESSABLE_ENTITY => Err(BankError::Refused(read(response).await?)),
        _ => Err(unexpected(&response).into()),
    }
}

fn found(response: Response) -> Answer<Response> {
    match response.status() {
        StatusCode::NOT_FOUND => Err(unexpected(&response).into()),
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

    fn check_password<'a>(&'a self, customer: Uuid, check: &'a CheckPassword) -> BankAnswer<'a, ()> {
        Box::pin(done(self.with_body(
            Method::POST,
            &format!("customers/{customer}/password/check"),
            check,
        )))
    }

    fn begin_card<'a>(&'a self, customer: Uuid, card: &'a NewCard) -> BankAnswer<'a, CardChallenge> {
        let request = self.with_body(Method::POST, &format!("customers/{customer}/cards"), card);
        Box::pin(async move { Ok(read(found(send(request).await?)?).await?) })
    }

    fn confirm_card<'a>(&'a self, customer: Uuid, card: Uuid, code: &'a CardCode) -> BankAnswer<'a, ()> {
        let path = format!("customers/{customer}/cards/{card}/confirm");
        Box::pin(done(self.with_body(Method::POST, &path, code)))
    }

    fn give_mandate<'a>(&'a self, customer: Uuid, mandate: Uuid, new: &'a NewMandate) -> BankAnswer<'a, ()> {
        let path = format!("customers/{customer}/mandates/{mandate}");
        Box::pin(done(self.with_body(Method::PUT, &path, new)))
    }

    fn end_mandate(&self, customer: Uuid, mandate: Uuid) -> BankAnswer<'_, ()> {
        let path = format!("customers/{customer}/mandates/{mandate}");
        Box::pin(done(self.request(Method::DELETE, &path)))
    }

    fn unbind_card(&self, customer: Uuid, card: Uuid) -> BankAnswer<'_, ()> {
        Box::pin(done(self.request(
            Method::DELETE,
            &format!("customers/{customer}/cards/{card}"),
        )))
    }
}
