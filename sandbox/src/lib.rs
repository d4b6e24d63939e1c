//! The platform with an identity provider, seed data and a console for trials, in one process.
//!
//! It composes the production platform unchanged and adds routes below `/sandbox`: the host app's identity provider
//! (`host`), a bank and meters that play faults on demand (`bank`, `meters`), and an admin API that reads and changes what a
//! card office would (`admin`). It listens on loopback only. Everything is kept in one folder, but for the books where
//! another database is named; started again on it, the sandbox goes on where it stopped.

mod admin;
mod bank;
mod clock;
mod database;
mod disputes;
mod faces;
mod faults;
mod host;
mod keyfile;
mod merchants;
mod meters;
mod seed;

pub use bank::{BankError, BankFault};
pub use host::HostError;
pub use keyfile::KeyFileError;
pub use meters::MeterError;

use axum::Router;
use bank::{Bank, BankKeys};
use clock::ShiftedClock;
use faces::FaceOffice;
use host::Host;
use meters::Meters;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use url::Url;
use yika_api::LocalizedText;
use yika_platform::{
    BankConfig, CardSystem, Config, ConfigError, CredentialPolicy, DatabaseUrl, DiscoveredKeys, FacePolicy,
    HostConfig, HostTokenError, HttpBank, HttpLimits, HttpUtility, ListenPolicy, MerchantPolicy,
    OperationTimes, Platform, Ports, PublicOrigin, SchoolConfig, TerminalEnrolment, UtilityConfig,
    WalletPolicy,
};

/// The `aud` of the ID tokens that the sandbox's host signs for the platform.
pub const HOST_AUDIENCE: &str = "yika";
/// The school of a sandbox that is told no other.
pub const SCHOOL_DOMAIN: &str = "demo.yika.example";

/// What a sandbox is told.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Where to listen: loopback. Port 0 picks one.
    pub listen: SocketAddr,
    /// The folder that everything is kept in.
    pub data: PathBuf,
    /// The school's lower-case DNS name.
    pub school_domain: String,
    /// What goes wrong with every order at the bank, until the admin API says something else.
    pub bank_fault: Option<BankFault>,
    /// How long the bank may take to answer the platform.
    pub bank_timeout: Duration,
    /// How long the platform's reply to an operation on money waits for its end.
    pub reply_wait: Duration,
    /// The database; a file in the folder where there is none.
    pub database: Option<DatabaseUrl>,
    /// The origin that phones and terminals use, where a proxy stands in between.
    pub public_origin: Option<PublicOrigin>,
}

/// Why a sandbox does not run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The platform does not open or serve.
    #[error(transparent)]
    Platform(#[from] yika_platform::Error),
    /// The identity provider has no key.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The bank does not open.
    #[error(transparent)]
    Bank(#[from] BankError),
    /// The meters do not open.
    #[error(transparent)]
    Meters(#[from] MeterError),
    /// The platform could not be told where the host's keys are.
    #[error(transparent)]
    HostKeys(#[from] HostTokenError),
    /// The clock's offset cannot be kept.
    #[error("cannot keep the clock's offset in {path}: {source}")]
    Clock {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It cannot be told to stop.
    #[error("cannot take the signals that stop it: {0}")]
    Signals(#[source] std::io::Error),
    /// It cannot listen there.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// A sandbox that listens and is seeded, ready to serve.
pub struct Sandbox {
    address: SocketAddr,
    listener: TcpListener,
    platform: Platform,
    bank: Bank,
    faces: FaceOffice,
    router: Router,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sandbox({}, {:?})", self.address, self.platform)
    }
}

impl Sandbox {
    /// Opens a sandbox: binds its address, opens or makes its data.
    ///
    /// # Errors
    /// Where the address is not loopback or taken, or the data cannot be made or opened.
    pub async fn open(config: SandboxConfig) -> Result<Self, SandboxError> {
        ListenPolicy::LoopbackOnly
            .check(config.listen)
            .map_err(yika_platform::Error::from)?;
        let failed = |source| SandboxError::Listen {
            address: config.listen,
            source,
        };
        let listener = yika_platform::listen(config.listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let origin = format!("http://{address}");
        let host_config = HostConfig {
            issuer: format!("{origin}/sandbox/host"),
            audience: HOST_AUDIENCE.to_owned(),
        };
        let clock = Arc::new(ShiftedClock::open(config.data.join("clock-offset-ms"))?);
        let host = Host::open(
            &config.data.join("host").join("key.p8"),
            &host_config,
            Arc::clone(&clock),
        )?;
        let host_keys = Arc::new(DiscoveredKeys::new(&host_config.issuer)?);
        let bank_folder = config.data.join("bank");
        let bank_keys = BankKeys::open(&bank_folder)?;
        let bank_config = BankConfig {
            url: Url::parse(&format!("{origin}/sandbox/bank"))
                .map_err(|_| yika_platform::Error::from(ConfigError::Origin(origin.clone())))?,
            timeout: config.bank_timeout,
            root: *bank_keys.root(),
        };
        let public_origin = match &config.public_origin {
            Some(public) => public.clone(),
            None => PublicOrigin::parse(&origin).map_err(yika_platform::Error::from)?,
        };
        let meters = Meters::open(&config.data.join("meters.db"), Arc::clone(&clock)).await?;
        let utility_config =
            UtilityConfig::at(&format!("{origin}/sandbox/meters")).map_err(yika_platform::Error::from)?;
        let ports = Ports {
            clock: Arc::clone(&clock) as _,
            host_keys,
            bank: Some(Arc::new(HttpBank::new(&bank_config)?)),
            utility: Some(Arc::new(HttpUtility::new(&utility_config)?)),
        };
        let platform_config = platform_config(&config, public_origin, host_config, bank_config);
        let platform = Platform::open_with(platform_config, ports).await?;
        seed::plant(&platform).await?;
        let bank = Bank::open(
            &bank_folder,
            bank_keys,
            &config.school_domain,
            Arc::clone(&clock),
            platform.router(),
            config.bank_fault,
        )
        .await?;
        let faces = FaceOffice::new(platform.clone());
        let router = platform
            .router()
            .merge(bank.routes())
            .merge(meters.routes())
            .merge(disputes::routes(platform.clone()))
            .merge(merchants::routes(platform.clone()))
            .merge(faces.clone().routes())
            .merge(admin::routes(platform.clone(), clock))
            .merge(admin::money_routes(platform.clone(), bank.clone()))
            .merge(admin::suspension_routes(platform.clone()))
            .merge(host::routes(host, platform.router()));
        Ok(Self {
            address,
            listener,
            platform,
            bank,
            faces,
            router,
        })
    }

    /// The address at which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The platform inside.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Serves, and drives operations on money, until told to stop. The requests at hand end first, then the driver, and
    /// then what all of them write to.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let driver = self.platform.clone();
        let clerk = self.faces.clone();
        let driving = tokio::spawn(async move { tokio::join!(driver.drive_operations(), clerk.work()) });
        yika_platform::serve(self.listener, self.router, self.platform.http_limits(), stop).await;
        // What is half said to the bank is said again after the next start.
        driving.abort();
        let _cancelled = driving.await;
        self.bank.close().await;
        self.platform.close().await;
    }
}

fn platform_config(
    config: &SandboxConfig,
    public_origin: PublicOrigin,
    host: HostConfig,
    bank: BankConfig,
) -> Config {
    Config {
        data_dir: config.data.clone(),
        database: config
            .database
            .clone()
            .unwrap_or_else(|| DatabaseUrl::sqlite_file(config.data.join("platform.db"))),
        public_origin,
        school: SchoolConfig {
            domain: config.school_domain.clone(),
            name: LocalizedText {
                zh: "示范大学".to_owned(),
                en: "Demo University".to_owned(),
            },
            time_zone: "Asia/Shanghai".to_owned(),
        },
        host,
        terminal_enrolment: TerminalEnrolment::Open,
        credentials: CredentialPolicy::default(),
        bank: Some(bank),
        utility: None,
        wallet: WalletPolicy {
            times: OperationTimes {
                reply_wait: config.reply_wait,
                ..OperationTimes::default()
            },
            ..WalletPolicy::default()
        },
        faces: FacePolicy::with_keys_in(&config.data.join("photo-keys")),
        cards: CardSystem::default(),
        merchants: MerchantPolicy::default(),
        http: HttpLimits::default(),
    }
}

#[cfg(test)]
mod tests;
