//! The bank as a port: what the platform asks of it, and the ways in which it can fail to answer.
//!
//! The one idea: a caller can always tell *certainly not sent* from *perhaps sent*. Everything else about an order is in
//! the words of `docs/bank-protocol.md`.

mod http;

pub use http::HttpBank;

use crate::clock::HOUR;
use crate::error::{Error, Result};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::Mutex;
use uuid::Uuid;
use yika_api::bank::{
    CardChallenge, CardCode, CloseCustomer, NewCard, OpenCustomer, Order, OrderState, SetPassword,
};
use yika_api::operation::Refusal;
use yika_api::{Base64Url, Problem, ProblemCode, UnixMillis};

/// For how long the certificate of the bank's keys is not asked for again.
const KEY_FRESH_MS: i64 = HOUR;

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
    /// Sends the holder a code for a card to be bound.
    fn begin_card<'a>(&'a self, customer: Uuid, card: &'a NewCard) -> BankAnswer<'a, CardChallenge>;
    /// Binds a card.
    fn confirm_card<'a>(&'a self, customer: Uuid, card: Uuid, code: &'a CardCode) -> BankAnswer<'a, ()>;
    /// Unbinds a card.
    fn unbind_card(&self, customer: Uuid, card: Uuid) -> BankAnswer<'_, ()>;
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
    key: Mutex<Option<(Base64Url, UnixMillis)>>,
}

impl Bank {
    pub(crate) fn new(gateway: Arc<dyn BankGateway>) -> Self {
        Self {
            gateway,
            key: Mutex::new(None),
        }
    }

    pub(crate) fn gateway(&self) -> &dyn BankGateway {
        &*self.gateway
    }

    /// The certificate of the bank's keys. Where the bank doesn't answer, the last one has to do.
    pub(crate) async fn key(&self, now: UnixMillis) -> Result<Base64Url> {
        let mut cache = self.key.lock().await;
        if let Some((key, at)) = &*cache
            && (now.0 - at.0).abs() <= KEY_FRESH_MS
        {
            return Ok(key.clone());
        }
        match (self.gateway.key().await, &*cache) {
            (Ok(key), _) => {
                let key = Base64Url::from(key);
                *cache = Some((key.clone(), now));
                Ok(key)
            }
            (Err(error), Some((key, _))) => {
                tracing::warn!(%error, "keeping the bank's keys of earlier");
                Ok(key.clone())
            }
            (Err(error), None) => Err(error.into()),
        }
    }
}
