//! What the core's own tests share: clocks, keystores and witnesses that do as they are told.

pub(crate) mod faces;
pub(crate) mod lost;
pub(crate) mod money;
pub(crate) mod platform;
mod samples;
pub(crate) mod stalls;
pub(crate) mod step_up;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _};
use tempfile::TempDir;
use yika_api::credential::KeyStorage;
use yika_api::{Base64Url, UnixMillis};
use yika_format::PublicKey;

use crate::ports::software::FileKeyWrap;
use crate::ports::{
    BootId, ClockError, ClockSample, DeviceKey, DeviceSigner, KeyError, KeyLabel, KeyPurpose, KeySource,
    Ports, SystemClock, Witness, WitnessError,
};
use crate::session::HostIdToken;
use crate::{CampusCard, Config, CoreError, HttpLimits};
use platform::FakePlatform;

/// A clock that stands still until it is moved.
pub(crate) struct FakeClock(Mutex<ClockSample>);

impl FakeClock {
    /// 2026-11-18, a quarter of an hour after the phone was started.
    pub(crate) const START: UnixMillis = UnixMillis(1_795_000_000_000);

    pub(crate) fn new() -> Arc<Self> {
        let boot_id = BootId::of(b"first");
        Arc::new(Self(Mutex::new(ClockSample {
            wall: Self::START,
            monotonic_ms: 900_000,
            boot_id,
        })))
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, ms: u32) {
        let mut sample = self.0.lock().unwrap();
        sample.wall = sample.wall.plus_millis(ms.into());
        sample.monotonic_ms += u64::from(ms);
    }

    /// Somebody sets the wall clock.
    pub(crate) fn set_wall(&self, wall: UnixMillis) {
        self.0.lock().unwrap().wall = wall;
    }

    /// The phone is started again.
    pub(crate) fn reboot(&self, name: &str) {
        let mut sample = self.0.lock().unwrap();
        sample.boot_id = BootId::of(name.as_bytes());
        sample.monotonic_ms = 20_000;
    }
}

impl SystemClock for FakeClock {
    fn sample(&self) -> Result<ClockSample, ClockError> {
        Ok(*self.0.lock().unwrap())
    }
}

/// A witness in memory.
#[derive(Default)]
pub(crate) struct FakeWitness {
    bytes: Mutex<Option<Vec<u8>>>,
    fails: AtomicBool,
}

impl FakeWitness {
    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::Release);
    }

    fn check(&self) -> Result<(), WitnessError> {
        if self.fails.load(Ordering::Acquire) {
            Err(WitnessError::Unavailable)
        } else {
            Ok(())
        }
    }
}

impl Witness for FakeWitness {
    fn load(&self) -> Result<Option<Vec<u8>>, WitnessError> {
        self.check()?;
        Ok(self.bytes.lock().unwrap().clone())
    }

    fn store(&self, bytes: &[u8]) -> Result<(), WitnessError> {
        self.check()?;
        *self.bytes.lock().unwrap() = Some(bytes.to_vec());
        Ok(())
    }

    fn clear(&self) -> Result<(), WitnessError> {
        self.check()?;
        *self.bytes.lock().unwrap() = None;
        Ok(())
    }
}

/// A keystore that does as it is told.
pub(crate) struct FakeKeystore {
    algorithm: &'static EcdsaSigningAlgorithm,
    keys: Mutex<HashMap<KeyLabel, EcdsaKeyPair>>,
    error: Mutex<Option<KeyError>>,
    answer: Mutex<Option<Vec<u8>>>,
    hang: Mutex<Option<mpsc::Receiver<()>>>,
    panics: AtomicBool,
    messages: Mutex<Vec<Vec<u8>>>,
}

impl Default for FakeKeystore {
    fn default() -> Self {
        Self::with_algorithm(&ECDSA_P256_SHA256_ASN1_SIGNING)
    }
}

impl FakeKeystore {
    /// Every way to fail.
    pub(crate) const ERRORS: [KeyError; 9] = [
        KeyError::Invalidated,
        KeyError::Cancelled,
        KeyError::Locked,
        KeyError::LockedOut,
        KeyError::NoScreenLock,
        KeyError::Busy,
        KeyError::Missing,
        KeyError::Full,
        KeyError::Unavailable,
    ];

    pub(crate) fn with_algorithm(algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        Self {
            algorithm,
            keys: Mutex::default(),
            error: Mutex::default(),
            answer: Mutex::default(),
            hang: Mutex::default(),
            panics: AtomicBool::default(),
            messages: Mutex::default(),
        }
    }

    pub(crate) fn fail_with(&self, error: Option<KeyError>) {
        *self.error.lock().unwrap() = error;
    }

    pub(crate) fn answer_with(&self, bytes: Option<Vec<u8>>) {
        *self.answer.lock().unwrap() = bytes;
    }

    pub(crate) fn panic_once(&self) {
        self.panics.store(true, Ordering::Release);
    }

    /// The next signature is not made before what this returns is dropped.
    pub(crate) fn hang(&self) -> mpsc::Sender<()> {
        let (release, wait) = mpsc::channel();
        *self.hang.lock().unwrap() = Some(wait);
        release
    }

    /// What was to be signed.
    pub(crate) fn messages(&self) -> Vec<Vec<u8>> {
        self.messages.lock().unwrap().clone()
    }

    pub(crate) fn key_count(&self) -> usize {
        self.keys.lock().unwrap().len()
    }
}

impl DeviceSigner for FakeKeystore {
    fn create(&self, _: KeyPurpose, label: &KeyLabel) -> Result<DeviceKey, KeyError> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(self.algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(self.algorithm, pkcs8.as_ref(), &random).unwrap();
        let public_key = pair.public_key().as_ref().try_into().unwrap();
        self.keys.lock().unwrap().insert(label.clone(), pair);
        Ok(DeviceKey {
            public_key,
            storage: KeyStorage::Tee,
        })
    }

    fn sign(&self, label: &KeyLabel, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.messages.lock().unwrap().push(message.to_vec());
        let hang = self.hang.lock().unwrap().take();
        if let Some(hang) = hang {
            // Ends when the sender is dropped.
            let _ = hang.recv();
        }
        assert!(!self.panics.swap(false, Ordering::AcqRel), "told to panic");
        if let Some(error) = *self.error.lock().unwrap() {
            return Err(error);
        }
        if let Some(answer) = self.answer.lock().unwrap().clone() {
            return Ok(answer);
        }
        let keys = self.keys.lock().unwrap();
        let pair = keys.get(label).ok_or(KeyError::Missing)?;
        Ok(pair
            .sign(&SystemRandom::new(), message)
            .unwrap()
            .as_ref()
            .to_vec())
    }

    fn delete(&self, label: &KeyLabel) -> Result<(), KeyError> {
        self.keys.lock().unwrap().remove(label);
        Ok(())
    }
}

/// A phone for tests: a home, ports that do as they are told, and a platform.
pub(crate) struct TestPhone {
    pub home: TempDir,
    pub clock: Arc<FakeClock>,
    pub witness: Arc<FakeWitness>,
    pub keys: KeySource,
    pub platform: Arc<FakePlatform>,
    /// The school's root key, where the app has it.
    pub root_key: Option<PublicKey>,
    /// The bank's root key, where the app has it.
    pub bank_root_key: Option<PublicKey>,
}

impl TestPhone {
    pub(crate) fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            clock: FakeClock::new(),
            witness: Arc::default(),
            keys: KeySource::Software,
            platform: FakePlatform::start(),
            root_key: None,
            bank_root_key: None,
        }
    }

    pub(crate) fn with_keystore() -> (Self, Arc<FakeKeystore>) {
        let keystore = Arc::new(FakeKeystore::default());
        let keys = KeySource::Device(Arc::clone(&keystore) as Arc<dyn DeviceSigner>);
        (Self { keys, ..Self::new() }, keystore)
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.home.path().join("store")
    }

    pub(crate) fn try_open(&self) -> Result<CampusCard, CoreError> {
        let limits = HttpLimits {
            backoff: Duration::ZERO,
            ..HttpLimits::default()
        };
        let config = Config {
            root_key: self.root_key,
            bank_root_key: self.bank_root_key,
            limits,
            ..Config::new(self.folder())
        };
        CampusCard::open_blocking(config, self.ports())
    }

    pub(crate) fn ports(&self) -> Ports {
        Ports {
            clock: Arc::clone(&self.clock) as Arc<dyn SystemClock>,
            keys: self.keys.clone(),
            key_wrap: Arc::new(FileKeyWrap::new(self.home.path().join("device/key"))),
            witness: Arc::clone(&self.witness) as Arc<dyn Witness>,
        }
    }

    pub(crate) fn open(&self) -> CampusCard {
        self.try_open().unwrap()
    }

    /// A card that is bound and up to date.
    pub(crate) fn bound(&self) -> CampusCard {
        let card = self.open();
        block_on(card.session().bind(self.platform.url(), id_token("20260001"))).unwrap();
        card
    }

    /// Both the phone and the platform get older.
    pub(crate) fn advance(&self, ms: u32) {
        self.clock.advance(ms);
        let mut campus = self.platform.campus();
        campus.now = campus.now.plus_millis(ms.into());
    }
}

/// The host's word for who this is.
pub(crate) fn id_token(subject: &str) -> HostIdToken {
    let claims = format!(r#"{{"iss":"https://host.example","sub":"{subject}"}}"#);
    HostIdToken::from(format!(
        "e30.{}.CANARY",
        Base64Url::from(claims.as_bytes()).encode()
    ))
}

/// Waits on a thread that belongs to no runtime, as a shell's would.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}
