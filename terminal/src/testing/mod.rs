//! What this crate's tests share: a clock that obeys, and a terminal on a temporary folder with the test kit's lists.

mod bench;
pub(crate) mod platform;

pub(crate) use bench::Bench;
pub(crate) use platform::{DOMAIN, TERMINAL, enrolled};

use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;
use yika_api::terminal::TerminalKind;
use yika_format::code::Code;
use yika_format::sale::SignedSale;
use yika_format::{Amount, UnixMillis, UnixSeconds};
use yika_testkit::{CodeBuilder, ListBuilder, SignerKit};

use crate::clock::{Anchor, BootId, ClockError, ClockSample, ClockState, SystemClock};
use crate::directory::load_or_make_key;
use crate::home::Home;
use crate::keys::TerminalKey;
use crate::store::{Enrolment, Store};
use crate::{Approval, Purpose, Reason, Request, SaleId, Terminal, TerminalOptions, Verdict, new_sale_id};

/// When tests begin: the test kit's moment.
pub(crate) const NOW_MS: UnixMillis = UnixMillis(yika_testkit::NOW.0 as u64 * 1000);

/// A machine's clocks that do what a test says.
pub(crate) struct FakeClock(Mutex<ClockSample>);

impl FakeClock {
    /// Up for 1,000 s, with a right wall clock.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(ClockSample {
            boot_id: BootId([1; 16]),
            monotonic_ms: 1_000_000,
            wall: NOW_MS,
        })))
    }

    /// What a terminal knows that asked the platform for the time at the beginning.
    pub(crate) fn anchored_state(&self) -> ClockState {
        let sample = self.sample().unwrap();
        let mut state = ClockState::default();
        state.set_anchor(Anchor::new(sample, sample, NOW_MS).unwrap());
        state
    }

    pub(crate) fn advance(&self, ms: u64) {
        let mut sample = self.0.lock().unwrap();
        sample.monotonic_ms += ms;
        sample.wall.0 += ms;
    }

    /// Restarts the machine. Its wall clock goes on.
    pub(crate) fn reboot(&self) {
        let mut sample = self.0.lock().unwrap();
        sample.boot_id.0[0] += 1;
        sample.monotonic_ms = 5_000;
    }

    pub(crate) fn set_wall(&self, wall_ms: u64) {
        self.0.lock().unwrap().wall = UnixMillis(wall_ms);
    }
}

impl SystemClock for FakeClock {
    fn sample(&self) -> Result<ClockSample, ClockError> {
        Ok(*self.0.lock().unwrap())
    }
}

/// A terminal on a folder of its own, enrolled and synced without network.
pub(crate) struct Desk {
    pub(crate) dir: TempDir,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) kit: SignerKit,
    terminal: Option<Terminal>,
}

impl Deref for Desk {
    type Target = Terminal;

    fn deref(&self) -> &Terminal {
        self.terminal.as_ref().unwrap()
    }
}

impl Desk {
    /// With the kit's usual lists.
    pub(crate) fn new(kind: TerminalKind) -> Self {
        let desk = Self::without_lists(kind);
        let lists = ListBuilder::new(&desk.kit);
        desk.accept_table(&lists.table()).unwrap();
        desk.accept_revocations(&lists.revocations()).unwrap();
        desk
    }

    /// With nothing but the keyset and the time.
    pub(crate) fn without_lists(kind: TerminalKind) -> Self {
        let (dir, clock, kit) = (
            tempfile::tempdir().unwrap(),
            FakeClock::new(),
            SignerKit::new(DOMAIN),
        );
        let home = Home::take(dir.path(), Duration::ZERO).unwrap();
        let key = TerminalKey::load_or_make(&home.key()).unwrap();
        if kind == TerminalKind::Library {
            load_or_make_key(&home.directory_key()).unwrap();
        }
        let enrolment = Enrolment {
            platform: "https://card.campus.example".parse().unwrap(),
            root_key: kit.root.expanded(),
            own_key: key.public().compress(),
            installed: UnixSeconds(yika_testkit::NOW.0 - 60),
            answer: enrolled(&kit, kind),
        };
        let keyset = ListBuilder::new(&kit).keyset();
        let mut store = Store::open(&home).unwrap();
        store
            .enrol(&enrolment, (7, &keyset), &clock.anchored_state())
            .unwrap();
        drop((store, home));
        let mut desk = Self {
            dir,
            clock,
            kit,
            terminal: None,
        };
        desk.restart();
        desk
    }

    pub(crate) fn options(&self) -> TerminalOptions {
        TerminalOptions {
            clock: self.clock.clone(),
            patience: Duration::ZERO,
        }
    }

    /// Ends the process, as far as the terminal can tell.
    pub(crate) fn close(&mut self) {
        self.terminal = None;
    }

    /// Ends the process and starts another.
    pub(crate) fn restart(&mut self) {
        self.close();
        self.terminal = Some(Terminal::open(self.dir.path(), &self.options()).unwrap());
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.terminal.as_ref().unwrap().clock.now().now
    }

    /// The kit's phone showing a payment code now.
    pub(crate) fn shown(&self, counter: u16) -> CodeBuilder {
        let mut code = CodeBuilder::new(&self.kit).counter(counter);
        code.dynamic.time = UnixSeconds(u32::try_from(self.now().seconds()).unwrap());
        code
    }

    /// The same as text, in short form.
    pub(crate) fn code(&self, counter: u16) -> String {
        self.shown(counter).short().to_text()
    }

    pub(crate) fn text(&self, code: &Code) -> String {
        match code {
            Code::Short(code) => code.to_text(),
            Code::Full(code) => code.to_text(),
        }
    }

    /// The approval of a code that must be approved anew.
    #[track_caller]
    pub(crate) fn approval(&self, text: &str, request: Request) -> Approval {
        match self.verify(text.as_bytes(), request).unwrap() {
            Verdict::Approved {
                approval,
                repeated: false,
                ..
            } => approval,
            other => panic!("not approved: {other:?}"),
        }
    }

    /// The reason why a code is refused that must be.
    #[track_caller]
    pub(crate) fn refusal(&self, text: &str, request: Request) -> Reason {
        match self.verify(text.as_bytes(), request).unwrap() {
            Verdict::Refused { refusal, .. } => refusal.reason,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// The journal, each record checked: signature, number, chain.
    pub(crate) fn records(&self) -> Vec<SignedSale> {
        let records = self.store().records_from(1, usize::MAX).unwrap();
        let records: Vec<_> = records
            .iter()
            .map(|bytes| SignedSale::decode(bytes).unwrap())
            .collect();
        let mut previous = [0; 32];
        for (number, sale) in (1..).zip(&records) {
            assert_eq!((sale.record.sequence, sale.record.previous), (number, previous));
            assert_eq!(sale.verify(self.key.public()), Ok(()));
            previous = sale.record.hash();
        }
        records
    }
}

/// A payment of so many fen, as a new sale.
pub(crate) fn pay(fen: u64) -> Request {
    pay_for(fen, new_sale_id())
}

/// A payment of so many fen, as this sale.
pub(crate) fn pay_for(fen: u64, sale: SaleId) -> Request {
    let purpose = Purpose::Payment { amount: Amount(fen) };
    Request { purpose, sale }
}

/// A look at an identity, as a new sale.
pub(crate) fn identity() -> Request {
    Request {
        purpose: Purpose::Identity,
        sale: new_sale_id(),
    }
}
