//! The campus side of one school: issuer, accounts, ledger, settlement, terminals.
//!
//! [`Platform::open`] takes a [`Config`] and gives what serves it: [`Platform::router`] speaks the HTTP API of
//! `yika-api`, [`Platform::admin`] is what the card office does. The production face is all there is here; the identity
//! provider and trial data belong to `yika-sandbox`, which composes the same platform. One instance is one school.

mod accounts;
mod admin;
mod approvals;
mod auto_top_up;
mod bank;
mod clock;
mod config;
mod days;
mod db;
mod devices;
mod disputes;
mod error;
mod faces;
mod files;
mod http;
mod idempotency;
mod issuer;
mod ledger;
mod limits;
mod lost;
mod merchants;
mod office;
mod operations;
mod program;
mod random;
mod school;
#[cfg(test)]
mod servers;
mod sessions;
mod settlement;
mod terminals;
#[cfg(test)]
mod testing;
mod utilities;
mod wallet;

pub use admin::{Admin, Books, HolderView, MerchantView, OpeningAccount, TerminalView};
pub use bank::{BankAnswer, BankError, BankGateway, HttpBank};
pub use clock::{Clock, SystemClock};
pub use config::{
    BankConfig, CardSystem, Config, ConfigError, CredentialPolicy, DatabaseUrl, FacePolicy, HostConfig,
    Limits, MerchantPolicy, OperationTimes, PostgresUrl, PublicOrigin, SchoolConfig, TerminalEnrolment,
    UtilityConfig, WalletPolicy,
};
pub use disputes::DisputeView;
pub use error::{Error, Result};
pub use faces::{FaceEvent, FaceEventKind, FaceReview};
pub use http::{AdapterError, HttpLimits, ListenPolicy, listen, serve, stop_signal};
pub use issuer::{KeySigner, Rotation, SignerError};
pub use ledger::{KindTotal, Statement, StatementLine, StatementOf};
pub use lost::CardChange;
pub use merchants::{MerchantEvent, MerchantStaff, TakingsDifference};
pub use office::{
    Action, Actor, Counts, Fault, ImportFiles, ImportKind, ImportReport, OfficeEvent, PlannedTerminal, Role,
    StaffMember,
};
pub use operations::{Difference, DifferenceKind, Reconciliation};
pub use program::{exit_code, log_to_stderr};
pub use sessions::{DiscoveredKeys, HostKeySource, HostTokenError};
pub use utilities::{HttpUtility, UtilityAnswer, UtilityGateway};

use axum::body::Bytes;
use bank::Bank;
use db::{Db, IfEmpty};
use faces::PhotoKeys;
use issuer::KeyRing;
use sessions::{HostVerifier, Nonces};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Mutex, Notify};
use yika_api::UnixMillis;
use yika_api::school::School;

/// What a platform needs from around it.
#[derive(Clone)]
pub struct Ports {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where the host's keys come from.
    pub host_keys: Arc<dyn HostKeySource>,
    /// The bank that holds the wallets, where there is one.
    pub bank: Option<Arc<dyn BankGateway>>,
    /// The utilities, where there are any.
    pub utility: Option<Arc<dyn UtilityGateway>>,
}

impl Ports {
    /// The system's clock, the keys of the host's discovery document, the adapters.
    fn of_system(config: &Config) -> Result<Self> {
        let host_keys = DiscoveredKeys::new(&config.host.issuer)
            .map_err(|error| Error::Io(std::io::Error::other(error.to_string())))?;
        Ok(Self {
            clock: Arc::new(SystemClock),
            host_keys: Arc::new(host_keys),
            bank: match &config.bank {
                Some(bank) => Some(Arc::new(HttpBank::new(bank)?)),
                None => None,
            },
            utility: match &config.utility {
                Some(utility) => Some(Arc::new(HttpUtility::new(utility)?)),
                None => None,
            },
        })
    }
}

/// An open platform. Cheap to clone: all clones are the same one.
#[derive(Clone)]
pub struct Platform(Arc<Inner>);

struct Inner {
    config: Config,
    clock: Arc<dyn Clock>,
    db: Db,
    /// Replaced when the keyset was signed anew beside this server.
    keys: RwLock<Arc<KeyRing>>,
    photo_keys: PhotoKeys,
    nonces: Nonces,
    host: HostVerifier,
    /// Held by the upload whose records are being verified.
    verifying: Mutex<()>,
    bank: Option<Bank>,
    utility: Option<Arc<dyn UtilityGateway>>,
    /// Told whenever an operation changed, so that whoever waits for one looks again.
    operations_changed: Notify,
    /// The newest whole table that somebody asked for, with its version.
    table_cache: Mutex<Option<(u64, Bytes)>>,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Platform({})", self.0.config.school.domain)
    }
}

impl Platform {
    /// Opens the platform with the system's clock and the keys that the host's discovery document leads to. Makes
    /// database and server keys at first start.
    ///
    /// # Errors
    /// Where the configuration is refused, or keys or database cannot be made, opened or do not belong together.
    pub async fn open(config: Config) -> Result<Self> {
        let ports = Ports::of_system(&config)?;
        Self::open_with(config, ports).await
    }

    /// Opens the platform with these ports.
    ///
    /// # Errors
    /// As [`Platform::open`].
    pub async fn open_with(config: Config, ports: Ports) -> Result<Self> {
        Self::open_or(IfEmpty::Create, config, ports).await
    }

    /// Opens a platform that a server has made before, for an operator's command beside it.
    ///
    /// # Errors
    /// As [`Platform::open`], and where there is none.
    pub async fn open_existing(config: Config) -> Result<Self> {
        let ports = Ports::of_system(&config)?;
        Self::open_or(IfEmpty::Refuse, config, ports).await
    }

    async fn open_or(if_empty: IfEmpty, config: Config, ports: Ports) -> Result<Self> {
        config.school.validate()?;
        let db = Db::open(&config.database, if_empty).await?;
        let keys = KeyRing::open(&config, &db, ports.clock.now()).await?;
        let nonces = Nonces::open(&db).await?;
        let host = HostVerifier::new(config.host.clone(), ports.host_keys);
        let photo_keys = PhotoKeys::new(&config.faces.keys_dir);
        let platform = Self(Arc::new(Inner {
            config,
            clock: ports.clock,
            db,
            keys: RwLock::new(Arc::new(keys)),
            photo_keys,
            nonces,
            host,
            verifying: Mutex::new(()),
            bank: ports.bank.map(Bank::new),
            utility: ports.utility,
            operations_changed: Notify::new(),
            table_cache: Mutex::new(None),
        }));
        platform.admin().open_school_accounts().await?;
        merchants::make_if_missing(&platform).await?;
        Ok(platform)
    }

    /// Everything that the platform serves.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    /// What a connection to it may take: for [`serve`].
    pub fn http_limits(&self) -> HttpLimits {
        self.config().http
    }

    /// What the card office does, by an operator at the server.
    pub fn admin(&self) -> Admin<'_> {
        Admin::new(self, Actor::Operator)
    }

    /// The school, with the root key to pin.
    pub fn school(&self) -> School {
        let (config, keys) = (&self.0.config, self.keys());
        School {
            domain: config.school.domain.clone(),
            name: config.school.name.clone(),
            root_key: keys.root.as_bytes().to_vec().into(),
            time_zone: config.school.time_zone.clone(),
            host_issuer: config.host.issuer.clone(),
            host_audience: config.host.audience.clone(),
        }
    }

    /// The platform's time.
    pub fn now(&self) -> UnixMillis {
        self.0.clock.now()
    }

    /// Does what is due about face photos: destroys keys, drops what never came whole.
    ///
    /// # Errors
    /// Where the database or the folder of the keys fails.
    pub async fn sweep_faces(&self) -> Result<()> {
        faces::sweep(self).await
    }

    /// Tells the bank what is due, once each, and returns how many operations that were.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn drive_due_operations(&self) -> Result<usize> {
        operations::drive_due(self).await
    }

    /// Takes up keys that were made beside this server, where there are any: see [`Admin::rotate_key`].
    ///
    /// # Errors
    /// Where the database fails, or a new key's file is not in this server's folder. It goes on with the keys that it has then.
    pub async fn take_up_keys(&self) -> Result<()> {
        if self.keys().is_outdated(self.db()).await? {
            let keys = KeyRing::open(self.config(), self.db(), self.now()).await?;
            tracing::info!(keyset = keys.keyset.header().version, "took up new server keys");
            *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        }
        Ok(())
    }

    /// Drives operations, sweeps face photos and takes up new keys, for ever: what servers do beside serving. Several on one
    /// database share the work.
    pub async fn drive_operations(&self) {
        tokio::join!(
            operations::drive_for_ever(self),
            faces::sweep_for_ever(self),
            issuer::take_up_keys_for_ever(self)
        );
    }

    /// Closes the database once nobody uses it any more.
    pub async fn close(&self) {
        self.0.db.close().await;
    }

    fn config(&self) -> &Config {
        &self.0.config
    }

    fn db(&self) -> &Db {
        &self.0.db
    }

    fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.0.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn photo_keys(&self) -> &PhotoKeys {
        &self.0.photo_keys
    }

    fn nonces(&self) -> &Nonces {
        &self.0.nonces
    }

    fn host(&self) -> &HostVerifier {
        &self.0.host
    }

    fn verifying(&self) -> &Mutex<()> {
        &self.0.verifying
    }

    /// The bank, or the refusal of who has none.
    fn bank(&self) -> Result<&Bank> {
        let bank = self.0.bank.as_ref();
        bank.ok_or_else(|| Error::refused(yika_api::ProblemCode::WalletNotOffered))
    }

    /// The utilities, or the refusal of who has none.
    fn utility(&self) -> Result<&dyn UtilityGateway> {
        let utility = self.0.utility.as_deref();
        utility.ok_or_else(|| Error::refused(yika_api::ProblemCode::UtilityNotOffered))
    }

    fn operations_changed(&self) -> &Notify {
        &self.0.operations_changed
    }

    fn table_cache(&self) -> &Mutex<Option<(u64, Bytes)>> {
        &self.0.table_cache
    }
}
