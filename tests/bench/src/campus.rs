//! A whole campus in this process: the real platform, served on loopback, with a host that signs ID
//! tokens; and phones, which are the real core with ports that cost next to nothing.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use futures_util::future::BoxFuture;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use url::Url;
use uuid::Uuid;
use yika_api::dpop::Jwk;
use yika_api::terminal::{MerchantId, TerminalKind};
use yika_api::{Fen, LocalizedText};
use yika_core::ports::software::{FileKeyWrap, FileWitness, LinuxClock};
use yika_core::ports::{ClockError, ClockSample, KeySource, Ports, SystemClock};
use yika_core::session::HostIdToken;
use yika_core::{CampusCard, Config};
use yika_platform::{
    CredentialPolicy, DatabaseUrl, HostConfig, HostKeySource, HostTokenError, OpeningAccount, Platform,
    PublicOrigin, SchoolConfig, TerminalEnrolment,
};

use crate::Result;
use crate::bank::PromptBank;
use crate::books::Books;

const ISSUER: &str = "https://host.example";
const AUDIENCE: &str = "yika";
/// The stall that terminals sell for.
const STALL: MerchantId = MerchantId(1);

/// The campus while it runs.
pub(crate) struct Campus {
    pub runtime: Runtime,
    pub platform: Platform,
    /// What the platform serves, for requests without a network.
    pub router: Router,
    /// Where it is served, without a slash at the end.
    pub origin: String,
    /// The platform's books.
    pub books: Books,
    host: Arc<Host>,
}

impl Campus {
    /// Opens a platform in `folder`, with its books in a file there, and serves it.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        Self::open_on(Books::in_folder(folder), folder)
    }

    /// Opens a platform with these books, whose keys are in `folder`, and serves it.
    pub(crate) fn open_on(books: Books, folder: &Path) -> Result<Self> {
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let origin = format!("http://{}", listener.local_addr()?);
        let host = Arc::new(Host::new()?);
        let config = config(folder, books.database()?, &origin)?;
        let ports = yika_platform::Ports {
            clock: Arc::new(yika_platform::SystemClock),
            host_keys: Arc::clone(&host) as _,
            bank: Some(Arc::new(PromptBank::new()?)),
            utility: None,
        };
        let platform = runtime.block_on(Platform::open_with(config, ports))?;
        let admin = platform.admin();
        runtime.block_on(admin.add_merchant(STALL, text("stall"), Some(TerminalKind::Pos)))?;
        let router = platform.router();
        runtime.spawn(yika_platform::serve(
            listener,
            router.clone(),
            platform.http_limits(),
            std::future::pending(),
        ));
        Ok(Self {
            runtime,
            platform,
            router,
            origin,
            books,
            host,
        })
    }

    /// Adds a student with one account and plenty on it.
    pub(crate) fn add_student(&self, number: &str) -> Result<()> {
        let account = OpeningAccount {
            slot: 1,
            name: text("account"),
            balance: Fen::new(100_000_000),
        };
        let admin = self.platform.admin();
        self.runtime
            .block_on(admin.add_student(number, "Student", &[account]))?;
        Ok(())
    }

    /// The host's word for a student.
    pub(crate) fn id_token(&self, number: &str) -> Result<String> {
        self.host.sign(number, self.platform.now().0 / 1000)
    }

    /// Binds a new student's phone, whose store will be in `folder`, and brings it up to date.
    pub(crate) fn phone(&self, number: &str, folder: &Path) -> Result<CampusCard> {
        self.add_student(number)?;
        let card = open_card(folder, Arc::new(StoppedClock::now()?))?;
        let token = HostIdToken::from(self.id_token(number)?);
        self.runtime
            .block_on(card.session().bind(Url::parse(&self.origin)?, token))?;
        Ok(card)
    }
}

/// Opens the card whose store is in `folder`.
pub(crate) fn open_card(folder: &Path, clock: Arc<dyn SystemClock>) -> Result<CampusCard> {
    let ports = Ports {
        clock,
        keys: KeySource::Software,
        key_wrap: Arc::new(FileKeyWrap::new(folder.join("device/key"))),
        witness: Arc::new(FileWitness::new(folder.join("device/witness"))),
    };
    Ok(CampusCard::open_blocking(
        Config::new(folder.join("store")),
        ports,
    )?)
}

/// A phone's clock that was read once: how long a phone takes to tell its time is not ours to measure.
struct StoppedClock(ClockSample);

impl StoppedClock {
    fn now() -> Result<Self> {
        Ok(Self(LinuxClock.sample()?))
    }
}

impl SystemClock for StoppedClock {
    fn sample(&self) -> std::result::Result<ClockSample, ClockError> {
        Ok(self.0)
    }
}

fn config(folder: &Path, database: DatabaseUrl, origin: &str) -> Result<yika_platform::Config> {
    Ok(yika_platform::Config {
        data_dir: folder.to_owned(),
        database,
        public_origin: PublicOrigin::parse(origin)?,
        school: SchoolConfig {
            domain: "campus.example".to_owned(),
            name: text("school"),
            time_zone: "Asia/Shanghai".to_owned(),
        },
        host: HostConfig {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
        },
        terminal_enrolment: TerminalEnrolment::Open,
        credentials: CredentialPolicy::default(),
        http: yika_platform::HttpLimits::default(),
        bank: None,
        utility: None,
        wallet: yika_platform::WalletPolicy::default(),
        merchants: yika_platform::MerchantPolicy::default(),
        faces: yika_platform::FacePolicy::with_keys_in(&folder.join("photo-keys")),
        cards: yika_platform::CardSystem::default(),
    })
}

pub(crate) fn text(name: &str) -> LocalizedText {
    LocalizedText {
        zh: name.to_owned(),
        en: name.to_owned(),
    }
}

/// The host app's identity provider.
struct Host {
    key: EncodingKey,
    keys: JwkSet,
}

impl Host {
    fn new() -> Result<Self> {
        let random = SystemRandom::new();
        let failed = "the host's key could not be made";
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).map_err(|_| failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
            .map_err(|_| failed)?;
        let jwk = Jwk::from_uncompressed(pair.public_key().as_ref()).ok_or(failed)?;
        let (x, y) = (jwk.x.encode(), jwk.y.encode());
        let keys =
            json!({"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "host", "use": "sig"}]});
        Ok(Self {
            key: EncodingKey::from_ec_der(pkcs8.as_ref()),
            keys: serde_json::from_value(keys)?,
        })
    }

    fn sign(&self, subject: &str, now_s: i64) -> Result<String> {
        let header = Header {
            kid: Some("host".to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        let (id, expires) = (Uuid::new_v4(), now_s + 300);
        let claims =
            json!({"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "jti": id, "iat": now_s, "exp": expires});
        Ok(encode(&header, &claims, &self.key)?)
    }
}

impl HostKeySource for Host {
    fn fetch(&self) -> BoxFuture<'_, std::result::Result<JwkSet, HostTokenError>> {
        Box::pin(std::future::ready(Ok(self.keys.clone())))
    }
}
