//! The sandbox's bank: a whole adapter of `docs/bank-protocol.md` below `/sandbox/bank`, with wallets, debit cards, codes,
//! orders, notices and statements, and the faults that it plays on demand. Its folder keeps everything; each request is
//! one transaction, so it may be killed at any time. `POST` and `GET` are those of [`yika_api::bank`].

mod console;
mod customers;
mod faults;
mod keys;
mod mandates;
mod notices;
mod orders;
mod password;
mod routes;
mod statement;
mod store;

pub use faults::BankFault;
pub(crate) use keys::Keys as BankKeys;
pub(crate) use routes::silence;

use crate::clock::ShiftedClock;
use crate::keyfile::KeyFileError;
use axum::Router;
use faults::BankFaults;
use sqlx::SqlitePool;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;
use yika_api::operation::Refusal;
use yika_api::wallet::SealedField;
use yika_api::{Fen, UnixMillis};
use yika_format::bank::{Field, FieldSeal};
use yika_format::{Amount, SchoolHash};
use yika_platform::Clock as _;
use zeroize::Zeroizing;

/// Why the bank does not work.
#[derive(Debug, thiserror::Error)]
pub enum BankError {
    /// Its database.
    #[error("the bank's database: {0}")]
    Database(#[from] sqlx::Error),
    /// A key file cannot be made or read.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A key file holds no key.
    #[error("{0} holds no key of the bank; remove the bank's folder to begin anew")]
    Unreadable(PathBuf),
    /// The keys make no certificate or no signature.
    #[error("the bank's keys cannot be used")]
    Keys,
    /// Something kept is not what was stored.
    #[error("the bank's database holds something else than was stored: {0}")]
    Stored(#[from] serde_json::Error),
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
}

/// How a request ends that isn't carried out.
pub(crate) enum Failure {
    /// The bank says no.
    Refused(Refusal),
    /// There is no such thing.
    Missing,
    /// Nothing is answered: a fault.
    Silence,
    /// The bank itself failed.
    Broken(BankError),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl<E: Into<BankError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

/// The bank.
#[derive(Clone)]
pub(crate) struct Bank(Arc<Inner>);

struct Inner {
    db: SqlitePool,
    keys: BankKeys,
    school: SchoolHash,
    clock: Arc<ShiftedClock>,
    faults: BankFaults,
    /// The platform's door, for notices.
    platform: Router,
    /// One notice is told at a time, so that their order is that of what happened.
    telling: tokio::sync::Mutex<()>,
}

impl Bank {
    /// Opens the bank of this folder, with the keys that are in it, which serves this school, and tells the notices that
    /// are left from before.
    pub(crate) async fn open(
        folder: &Path,
        keys: BankKeys,
        domain: &str,
        clock: Arc<ShiftedClock>,
        platform: Router,
        fault: Option<BankFault>,
    ) -> Result<Self, BankError> {
        let db = store::open(&folder.join("bank.db")).await?;
        let bank = Self(Arc::new(Inner {
            db,
            keys,
            school: SchoolHash::of_domain(domain),
            clock,
            faults: BankFaults::new(fault),
            platform,
            telling: tokio::sync::Mutex::default(),
        }));
        tokio::spawn(bank.clone().tell());
        Ok(bank)
    }

    /// The adapter's routes and the console's.
    pub(crate) fn routes(&self) -> Router {
        routes::routes(self.clone()).merge(console::routes(self.clone()))
    }

    /// Closes its database once nobody uses it any more.
    pub(crate) async fn close(&self) {
        self.0.db.close().await;
    }

    fn now(&self) -> UnixMillis {
        self.0.clock.now()
    }

    /// What a field of this operation holds.
    fn open_field(
        &self,
        field: Field,
        sealed: &SealedField,
        operation: Uuid,
        customer: Uuid,
        amount: Fen,
    ) -> Result<Zeroizing<String>, Refusal> {
        let seal = FieldSeal {
            school: self.0.school,
            operation: operation.into_bytes(),
            customer: customer.into_bytes(),
            amount: Amount(u64::try_from(amount.get()).unwrap_or_default()),
            field,
        };
        self.0.keys.open_field(sealed, &seal)
    }
}

#[cfg(test)]
mod tests;
