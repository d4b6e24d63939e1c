//! What holds at the edge whatever the shell does: panics and misbehaving ports become typed errors, and objects may be dropped
//! anywhere.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread::{self, ThreadId};

use yika_core::CoreError;

use super::*;

/// What the clock port does when it is asked.
#[derive(Clone, Copy)]
enum Mood {
    Answers,
    Fails,
    Panics,
}

struct Clock(Mutex<Mood>);

impl DeviceClock for Clock {
    fn sample(&self) -> Result<ClockSample, DeviceClockError> {
        let mood = *self.0.lock().unwrap();
        match mood {
            Mood::Answers => Ok(ClockSample {
                wall: UnixMillis(1_795_000_000_000),
                monotonic_ms: 1,
                boot_name: "first".to_owned(),
            }),
            Mood::Fails => Err(DeviceClockError::Unavailable),
            Mood::Panics => panic!("told to"),
        }
    }
}

/// A wrapping key that wraps nothing: the store's own sealing is not what is tested here.
struct NoWrap;

impl KeyWrap for NoWrap {
    fn wrap(&self, key: Vec<u8>, _: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
        Ok(key)
    }

    fn unwrap(&self, wrapped: Vec<u8>, _: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
        Ok(wrapped)
    }

    fn forget(&self) -> Result<(), DeviceKeyError> {
        Ok(())
    }
}

/// A wrapping key that is locked.
struct LockedWrap;

impl KeyWrap for LockedWrap {
    fn wrap(&self, _: Vec<u8>, _: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
        Err(DeviceKeyError::Locked)
    }

    fn unwrap(&self, _: Vec<u8>, _: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
        Err(DeviceKeyError::Locked)
    }

    fn forget(&self) -> Result<(), DeviceKeyError> {
        Err(DeviceKeyError::Locked)
    }
}

/// A wrapping key that answers only when the other end is gone.
struct HangingWrap(Mutex<mpsc::Receiver<()>>);

impl HangingWrap {
    fn new() -> (mpsc::Sender<()>, Arc<Self>) {
        let (release, hang) = mpsc::channel();
        (release, Arc::new(Self(Mutex::new(hang))))
    }

    fn hang(&self) {
        // Ends with an error when the sender is dropped, which is what is waited for.
        let _ = self.0.lock().unwrap().recv();
    }
}

impl KeyWrap for HangingWrap {
    fn wrap(&self, key: Vec<u8>, _: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
        self.hang();
        Ok(key)
    }

    fn unwrap(&self, wrapped: Vec<u8>, _: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
        self.hang();
        Ok(wrapped)
    }

    fn forget(&self) -> Result<(), DeviceKeyError> {
        Ok(())
    }
}

/// Ports that remember on which threads they were called.
#[derive(Default)]
struct Watched {
    threads: Mutex<HashSet<ThreadId>>,
    memory: Memory,
}

impl Watched {
    fn note(&self) {
        self.threads.lock().unwrap().insert(thread::current().id());
    }
}

impl DeviceClock for Watched {
    fn sample(&self) -> Result<ClockSample, DeviceClockError> {
        self.note();
        Clock(Mutex::new(Mood::Answers)).sample()
    }
}

impl KeyWrap for Watched {
    fn wrap(&self, key: Vec<u8>, aad: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
        self.note();
        NoWrap.wrap(key, aad)
    }

    fn unwrap(&self, wrapped: Vec<u8>, aad: Vec<u8>) -> Result<Vec<u8>, DeviceKeyError> {
        self.note();
        NoWrap.unwrap(wrapped, aad)
    }

    fn forget(&self) -> Result<(), DeviceKeyError> {
        self.note();
        Ok(())
    }
}

impl Witness for Watched {
    fn load(&self) -> Result<Option<Vec<u8>>, WitnessError> {
        self.note();
        self.memory.load()
    }

    fn store(&self, bytes: Vec<u8>) -> Result<(), WitnessError> {
        self.note();
        self.memory.store(bytes)
    }

    fn clear(&self) -> Result<(), WitnessError> {
        self.note();
        self.memory.clear()
    }
}

/// A witness in memory.
#[derive(Default)]
struct Memory(Mutex<Option<Vec<u8>>>);

impl Witness for Memory {
    fn load(&self) -> Result<Option<Vec<u8>>, WitnessError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn store(&self, bytes: Vec<u8>) -> Result<(), WitnessError> {
        *self.0.lock().unwrap() = Some(bytes);
        Ok(())
    }

    fn clear(&self) -> Result<(), WitnessError> {
        *self.0.lock().unwrap() = None;
        Ok(())
    }
}

struct Phone {
    card: Arc<CampusCard>,
    clock: Arc<Clock>,
    _folder: tempfile::TempDir,
}

fn config(folder: &Path) -> Config {
    let folder = folder.join("store").display().to_string();
    Config {
        folder,
        device_name: "test".to_owned(),
        roots: None,
        pins: vec![],
        root_key: None,
        bank_root_key: None,
        limits: None,
    }
}

fn ports(clock: &Arc<Clock>, key_wrap: Arc<dyn KeyWrap>) -> Ports {
    let clock = Arc::clone(clock) as Arc<dyn DeviceClock>;
    Ports {
        clock,
        signer: None,
        key_wrap,
        witness: Arc::new(Memory::default()),
    }
}

fn phone() -> Phone {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Clock(Mutex::new(Mood::Answers)));
    let card = wait(CampusCard::open(
        config(folder.path()),
        ports(&clock, Arc::new(NoWrap)),
    ))
    .unwrap();
    Phone {
        card,
        clock,
        _folder: folder,
    }
}

/// Any executor will do; this is one without the core's help.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn a_port_that_panics_is_a_typed_error_on_the_callers_thread_and_on_the_cores() {
    let phone = phone();
    *phone.clock.0.lock().unwrap() = Mood::Panics;
    let panicked = YikaError::Internal {
        fault: InternalFault::TaskEnded,
    };
    assert_eq!(phone.card.codes().clock_quality(), Err(panicked.clone()));
    assert_eq!(
        wait(phone.card.codes().show(CodePurpose::Identity, FormChoice::Short)),
        Err(panicked)
    );
    *phone.clock.0.lock().unwrap() = Mood::Answers;
    assert!(phone.card.codes().clock_quality().is_ok());
}

#[test]
fn a_clock_that_does_not_answer_is_a_typed_error() {
    let phone = phone();
    *phone.clock.0.lock().unwrap() = Mood::Fails;
    let fault = InternalFault::Clock;
    assert_eq!(
        phone.card.codes().clock_quality(),
        Err(YikaError::Internal { fault })
    );
}

#[test]
fn what_the_wrapping_key_says_reaches_whoever_opens_the_card() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Clock(Mutex::new(Mood::Answers)));
    let opened = wait(CampusCard::open(
        config(folder.path()),
        ports(&clock, Arc::new(LockedWrap)),
    ));
    assert_eq!(opened.err(), Some(YikaError::KeyLocked));
}

#[test]
fn a_store_that_is_open_cannot_be_opened_again() {
    let phone = phone();
    let again = wait(CampusCard::open(
        config(phone._folder.path()),
        ports(&phone.clock, Arc::new(NoWrap)),
    ));
    assert_eq!(again.err(), Some(YikaError::StoreBusy));
}

#[test]
fn opening_waits_for_a_port_elsewhere_and_keeps_no_caller() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Clock(Mutex::new(Mood::Answers)));
    let (release, wrap) = HangingWrap::new();
    let mut opening = Box::pin(CampusCard::open(config(folder.path()), ports(&clock, wrap)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(opening.as_mut().poll(&mut context).is_pending());
    drop(release);
    assert!(wait(opening).is_ok());
}

#[test]
fn opening_that_is_cancelled_leaves_the_store_to_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(Clock(Mutex::new(Mood::Answers)));
    let (release, wrap) = HangingWrap::new();
    let mut opening = Box::pin(CampusCard::open(config(folder.path()), ports(&clock, wrap)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(opening.as_mut().poll(&mut context).is_pending());
    drop(opening);
    drop(release);
    let again = || {
        wait(CampusCard::open(
            config(folder.path()),
            ports(&clock, Arc::new(NoWrap)),
        ))
    };
    // The first one still has to open and close it.
    while again().err() == Some(YikaError::StoreBusy) {
        thread::yield_now();
    }
    assert!(again().is_ok());
}

#[test]
fn ports_are_called_on_threads_of_the_library_only() {
    let folder = tempfile::tempdir().unwrap();
    let watched = Arc::new(Watched::default());
    let ports = Ports {
        clock: Arc::clone(&watched) as Arc<dyn DeviceClock>,
        signer: None,
        key_wrap: Arc::clone(&watched) as Arc<dyn KeyWrap>,
        witness: Arc::clone(&watched) as Arc<dyn Witness>,
    };
    let card = wait(CampusCard::open(config(folder.path()), ports)).unwrap();
    let codes = card.codes();
    wait(codes.choose_clock(ClockStory::WallClock)).unwrap();
    wait(codes.erase()).unwrap();
    assert_eq!(wait(codes.until()), Err(YikaError::NotBound));
    assert_eq!(wait(codes.set_default_account(None)), Err(YikaError::NotBound));
    assert_eq!(wait(card.sync()), Err(YikaError::NotBound));
    wait(card.session().sign_out()).unwrap();
    wait(card.finish()).unwrap();
    let threads = watched.threads.lock().unwrap();
    assert!(!threads.is_empty() && !threads.contains(&thread::current().id()));
}

#[test]
fn without_a_card_everything_says_so() {
    let Phone { card, .. } = phone();
    let pay = || CodePurpose::Payment { account: None };
    assert_eq!(card.session().state(), SessionState::Unbound);
    assert_eq!(wait(card.sync()), Err(YikaError::NotBound));
    assert_eq!(
        wait(card.codes().show(pay(), FormChoice::Automatic)).err(),
        Some(YikaError::NotBound)
    );
    assert_eq!(
        card.codes().show_blocking(pay(), FormChoice::Automatic).err(),
        Some(YikaError::NotBound)
    );
    assert_eq!(wait(card.codes().until()), Err(YikaError::NotBound));
    assert_eq!(wait(card.accounts().list()), Err(YikaError::NotBound));
    assert_eq!(
        wait(card.bills().page(BillQuery::default(), 10)),
        Err(YikaError::NotBound)
    );
}

#[test]
fn objects_can_be_dropped_outside_of_any_runtime_inside_another_one_and_on_another_thread() {
    // Each has used the core's runtime before, so that there is one to shut down.
    let used = || {
        let phone = phone();
        assert_eq!(wait(phone.card.accounts().list()), Err(YikaError::NotBound));
        phone
    };
    drop(used());
    let inside = used();
    wait(async move { drop(inside) });
    let elsewhere = used();
    thread::spawn(move || drop(elsewhere)).join().unwrap();
    let Phone { card, _folder, .. } = used();
    let codes = card.codes();
    drop(card);
    assert_eq!(wait(codes.until()), Err(YikaError::NotBound));
    wait(async move { drop(codes) });
}

#[test]
fn a_call_that_is_cancelled_leaves_everything_in_order() {
    let Phone { card, _folder, .. } = phone();
    let accounts = card.accounts();
    let mut listing = Box::pin(accounts.list());
    let mut context = Context::from_waker(Waker::noop());
    // Whether it is done already is up to the core's threads.
    let _ = listing.as_mut().poll(&mut context);
    drop(listing);
    assert_eq!(wait(accounts.list()), Err(YikaError::NotBound));
}

#[test]
fn a_code_shows_nothing_of_itself_in_debug() {
    let frame = CodeFrame {
        modules: vec![0xAB; 185],
        size: 37,
        form: CodeForm::Short,
        text: "C1CANARY".to_owned(),
        account: None,
        slot: None,
        shown_at: UnixMillis(1),
        refresh_at: UnixMillis(2),
        expires_at: UnixMillis(3),
        refresh_in_ms: 1,
        expires_in_ms: 2,
        clock: ClockQuality::Good,
    };
    let shown = format!("{frame:?}");
    assert!(!shown.contains("CANARY") && !shown.contains("171"), "{shown}");
}

#[test]
fn what_a_port_throws_undeclared_is_told_by_kind_and_its_text_is_dropped() {
    let thrown = || uniffi::UnexpectedUniFFICallbackError::new("CANARY");
    let told = [
        format!("{:?}", DeviceKeyError::from(thrown())),
        format!("{:?}", DeviceClockError::from(thrown())),
        format!("{:?}", WitnessError::from(thrown())),
    ];
    assert_eq!(told, ["Unavailable", "Unavailable", "Unavailable"]);
    let key: yika_core::ports::KeyError = DeviceKeyError::from(thrown()).into();
    assert_eq!(YikaError::from(CoreError::from(key)), YikaError::KeyUnavailable);
}
