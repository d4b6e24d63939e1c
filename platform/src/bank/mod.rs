//! The bank as a port: what the platform asks of it, and the ways in which it can fail to answer.
//!
//! The one idea: a caller can always tell *certainly not sent* from *perhaps sent*. Everything else about an order is in
//! the words of `docs/bank-protocol.md`.

mod http;
mod routes;

pub use http::HttpBank;
pub(crate) use routes::routes;

use crate::clock::{HOUR, SECOND};
use crate::error::{Error, Result};
use crate::http::AdapterError;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::Mutex;
use uuid::Uuid;
use yika_api::bank::{
    CardChallenge, CardCode, CheckPassword, CloseCustomer, NewCard, NewMandate, Notice, OpenCustomer, Order,
    OrderState, OrderStatus, SetPassword,
};
use yika_api::operation::Refusal;
use yika_api::{Base64Url, Problem, ProblemCode, UnixMillis};
use yika_format::bank::BankKeys;
use yika_format::{ExpandedKey, PublicKey, Signature};

/// For how long the certificate of the bank's keys is not asked for again.
const KEY_FRESH_MS: i64 = HOUR;
/// Nor for so long where a notice names another key.
const REFETCH_PAUSE_MS: i64 = 30 * SECOND;

/// Why the bank did not do it, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BankError {
    /// It says no, and has done nothing.
    #[error("the bank refused: {:?}", .0.reason)]
    Refused(Refusal),
    /// It was not reached: nothing has left this machine.
    #[error("the bank was not reached")]
    Unreachable,
    /// Something was sent and nothing whole came back: it may have done it.
    #[error("the bank did not answer")]
    Silent,
    /// It answered something that the protocol doesn't know: it may have done it.
    #[error("the bank's answer is not of the documented form: {0}")]
    Malformed(String),
}

/// What comes of asking the bank.
pub type BankAnswer<'a, T> = BoxFuture<'a, std::result::Result<T, BankError>>;

/// The bank. Naming the same operation again has no second effect; `None` means that it never heard of an order.
pub trait BankGateway: Send + Sync {
    /// What vouches for the bank's keys, known from elsewhere.
    fn root(&self) -> &ExpandedKey;
    /// Carries an order out.
    fn submit<'a>(&'a self, order: &'a Order) -> BankAnswer<'a, OrderState>;
    /// How an order stands.
    fn query(&self, order: Uuid) -> BankAnswer<'_, Option<OrderState>>;
    /// Makes sure that an order which was not carried out never will be.
    fn call_off(&self, order: Uuid) -> BankAnswer<'_, Option<OrderState>>;
    /// Gives back what an order took.
    fn give_back(&self, order: Uuid) -> BankAnswer<'_, Option<OrderState>>;
    /// The certificate of its keys.
    fn key(&self) -> BankAnswer<'_, Vec<u8>>;
    /// Opens a wallet.
    fn open_customer<'a>(&'a self, customer: &'a OpenCustomer) -> BankAnswer<'a, ()>;
    /// Closes a wallet.
    fn close_customer<'a>(&'a self, customer: Uuid, close: &'a CloseCustomer) -> BankAnswer<'a, ()>;
    /// Sets another payment password.
    fn set_password<'a>(&'a self, customer: Uuid, password: &'a SetPassword) -> BankAnswer<'a, ()>;
    /// Checks the payment password: done means that it is the one.
    fn check_password<'a>(&'a self, customer: Uuid, check: &'a CheckPassword) -> BankAnswer<'a, ()>;
    /// Sends the holder a code for a card to be bound.
    fn begin_card<'a>(&'a self, customer: Uuid, card: &'a NewCard) -> BankAnswer<'a, CardChallenge>;
    /// Binds a card.
    fn confirm_card<'a>(&'a self, customer: Uuid, card: Uuid, code: &'a CardCode) -> BankAnswer<'a, ()>;
    /// Unbinds a card.
    fn unbind_card(&self, customer: Uuid, card: Uuid) -> BankAnswer<'_, ()>;
    /// Keeps a mandate for orders without the password.
    fn give_mandate<'a>(&'a self, customer: Uuid, mandate: Uuid, new: &'a NewMandate) -> BankAnswer<'a, ()>;
    /// Ends a mandate, or finds it ended.
    fn end_mandate(&self, customer: Uuid, mandate: Uuid) -> BankAnswer<'_, ()>;
}

impl From<AdapterError> for BankError {
    fn from(error: AdapterError) -> Self {
        match error {
            AdapterError::Unreachable => Self::Unreachable,
            AdapterError::Silent => Self::Silent,
            AdapterError::Malformed(why) => Self::Malformed(why),
        }
    }
}

impl From<BankError> for Error {
    fn from(error: BankError) -> Self {
        match error {
            BankError::Refused(refusal) => Self::Refused(Box::new(Problem {
                refusal: Some(refusal),
                ..Problem::new(ProblemCode::BankRefused)
            })),
            BankError::Unreachable | BankError::Silent => Self::refused(ProblemCode::BankUnavailable),
            BankError::Malformed(why) => {
                tracing::error!(why, "the bank's answer is not of the documented form");
                Self::refused(ProblemCode::BankUnavailable)
            }
        }
    }
}

/// The bank of this school, where it has one.
pub(crate) struct Bank {
    gateway: Arc<dyn BankGateway>,
    keys: Mutex<Option<Keys>>,
}

/// The bank's keys, as they were when they were last asked for.
#[derive(Clone)]
struct Keys {
    certificate: Base64Url,
    keys: BankKeys,
    at: UnixMillis,
}

impl Keys {
    fn is_younger_than(&self, age_ms: i64, now: UnixMillis) -> bool {
        (now.0 - self.at.0).abs() <= age_ms
    }
}

impl Bank {
    pub(crate) fn new(gateway: Arc<dyn BankGateway>) -> Self {
        Self {
            gateway,
            keys: Mutex::new(None),
        }
    }

    pub(crate) fn gateway(&self) -> &dyn BankGateway {
        &*self.gateway
    }

    /// The certificate of the bank's keys. Where the bank doesn't answer, the last one has to do.
    pub(crate) async fn certificate(&self, now: UnixMillis) -> Result<Base64Url> {
        Ok(self.keys(KEY_FRESH_MS, now).await?.certificate)
    }

    /// The root that vouches for the bank's keys.
    pub(crate) fn root(&self) -> PublicKey {
        self.gateway.root().compress()
    }

    /// What a notice says, if it is the bank's.
    async fn open_notice(&self, notice: &Notice, now: UnixMillis) -> Result<OrderStatus> {
        let forged = || Error::refused_because(ProblemCode::Forbidden, "not signed by the bank");
        let mut keys = self.keys(KEY_FRESH_MS, now).await?;
        if keys.keys.number() != notice.kid {
            keys = self.keys(REFETCH_PAUSE_MS, now).await?;
        }
        let signature = notice.signature.to_array().ok_or_else(forged)?;
        let signature = Signature::from_raw(signature).map_err(|_| forged())?;
        if keys.keys.number() != notice.kid || keys.keys.verify_notice(&notice.status.0, &signature).is_err()
        {
            return Err(forged());
        }
        serde_json::from_slice(&notice.status.0)
            .map_err(|_| Error::refused_because(ProblemCode::InvalidRequest, "not an order's status"))
    }

    async fn keys(&self, age_ms: i64, now: UnixMillis) -> Result<Keys> {
        let mut cache = self.keys.lock().await;
        if let Some(keys) = cache.as_ref().filter(|keys| keys.is_younger_than(age_ms, now)) {
            return Ok(keys.clone());
        }
        match (self.fetch(now).await, cache.as_ref()) {
            (Ok(keys), _) => {
                *cache = Some(keys.clone());
                Ok(keys)
            }
            (Err(error), Some(keys)) => {
                tracing::warn!(%error, "keeping the bank's keys of earlier");
                Ok(keys.clone())
            }
            (Err(error), None) => Err(error.into()),
        }
    }

    async fn fetch(&self, now: UnixMillis) -> std::result::Result<Keys, BankError> {
        let certificate = self.gateway.key().await?;
        let keys = BankKeys::open(&certificate, self.gateway.root())
            .map_err(|error| BankError::Malformed(error.to_string()))?;
        Ok(Keys {
            certificate: certificate.into(),
            keys,
            at: now,
        })
    }
}

#[cfg(test)]
mod tests;
