//! A school whose private keys we hold, with as many holders as one likes, and a terminal of it. The terminal is the real
//! one: it enrols over loopback with a platform that knows no more than that takes, and is given its lists afterwards.

use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use yika_api::school::{School as ToldSchool, ServerTime};
use yika_api::terminal::{EnrolTerminal, EnrolledTerminal, Merchant, MerchantId, TerminalId, TerminalKind};
use yika_format::lists::Row;
use yika_format::verifier::{TerminalProfile, TerminalTime};
use yika_format::{Amount, Pseudonym, PublicKey, UnixMillis, UnixSeconds};
use yika_terminal::clock::{BootId, ClockError, ClockSample, SystemClock};
use yika_terminal::{Enrol, Purpose, Request, Terminal, TerminalOptions, enrol, new_sale_id};
use yika_testkit::{CodeBuilder, ListBuilder, NOW, SignerKit, TestKey, sha256};

use crate::Result;
use crate::campus::text;

const DOMAIN: &str = "campus.example";
const NOW_MS: UnixMillis = UnixMillis(NOW.0 as u64 * 1000);

/// A school with holders.
pub(crate) struct School {
    pub lists: ListBuilder,
    holders: Vec<TestKey>,
}

impl School {
    /// A school whose table has `rows` rows. The first `holders` of them, spread over the table, are of phones whose
    /// keys we hold; the keys of the others are numbers that nobody ever expands.
    pub(crate) fn new(rows: u32, holders: u32) -> Self {
        let mut lists = ListBuilder::new(&SignerKit::new(DOMAIN));
        let model = ListBuilder::row(&lists.kit);
        let keys: Vec<_> = (0..holders)
            .map(|number| TestKey::named(&format!("holder {number}")))
            .collect();
        let every = rows / holders.max(1);
        lists.rows = (0..rows)
            .map(|number| {
                let key = (number % every.max(1) == 0).then(|| keys.get((number / every.max(1)) as usize));
                Row {
                    pseudonym: pseudonym(number),
                    key: key.flatten().map_or_else(|| nobodys_key(number), TestKey::public),
                    ..model
                }
            })
            .collect();
        Self { lists, holders: keys }
    }

    /// How many phones there are.
    pub(crate) fn holders(&self) -> usize {
        self.holders.len()
    }

    /// A code of this holder's phone at the moment that all terminals here live in.
    pub(crate) fn code(&self, holder: usize, counter: u16) -> CodeBuilder {
        let every = self.lists.rows.len() / self.holders.len();
        let mut code = CodeBuilder::new(&self.lists.kit).counter(counter);
        code.device = self.holders[holder].clone();
        code.credential.body.pseudonym = self.lists.rows[holder * every].pseudonym;
        code.credential.body.device_key = code.device.public();
        code
    }

    /// Enrols a terminal in `folder` and gives it this school's lists.
    pub(crate) fn terminal(&self, folder: &Path) -> Result<Terminal> {
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let platform = format!("http://{}", listener.local_addr()?).parse()?;
        runtime.spawn(yika_platform::serve(
            listener,
            self.platform(),
            yika_platform::HttpLimits::default(),
            std::future::pending(),
        ));
        let request = EnrolTerminal {
            kind: TerminalKind::Pos,
            merchant: None,
            label: None,
            enrolment_code: None,
            directory_key: None,
        };
        let enrolment = Enrol {
            platform,
            request,
            root_key: None,
            authorities: Vec::new(),
        };
        runtime.block_on(enrol(folder, &options(), &enrolment))?;
        runtime.shutdown_background();
        let terminal = Terminal::open(folder, &options())?;
        terminal.accept_table(&self.lists.table())?;
        terminal.accept_revocations(&self.lists.revocations())?;
        Ok(terminal)
    }

    /// What a terminal asks when it enrols, and the answers.
    fn platform(&self) -> Router {
        let (lists, keyset) = (self.lists.clone(), self.lists.keyset());
        let answer = EnrolledTerminal {
            id: TerminalId(7),
            kind: TerminalKind::Pos,
            label: "till".to_owned(),
            merchant: Some(Merchant {
                id: MerchantId(42),
                name: text("stall"),
            }),
            sites: Vec::new(),
            school: ToldSchool {
                domain: DOMAIN.to_owned(),
                name: text("school"),
                root_key: self.lists.kit.root.public().as_bytes().to_vec().into(),
                time_zone: "Asia/Shanghai".to_owned(),
                host_issuer: "https://host.example".to_owned(),
                host_audience: "yika".to_owned(),
            },
        };
        let now = ServerTime {
            now: yika_api::UnixMillis(i64::from(NOW.0) * 1000),
        };
        Router::new()
            .route("/v1/time", get(move || std::future::ready(Json(now))))
            .route("/v1/terminals", post(move || std::future::ready(Json(answer))))
            .route("/v1/school/keyset", get(move || std::future::ready(keyset)))
            .route(
                "/v1/terminals/time",
                post(move |nonce: Bytes| {
                    let nonce = <[u8; 16]>::try_from(nonce.as_ref()).unwrap_or_default();
                    std::future::ready(lists.time(&nonce, NOW_MS))
                }),
            )
    }
}

/// Pseudonyms rise with their numbers.
fn pseudonym(number: u32) -> Pseudonym {
    let [a, b, c, d] = number.to_be_bytes();
    Pseudonym([a, b, c, d, 1])
}

fn nobodys_key(number: u32) -> PublicKey {
    let mut bytes = [2; 33];
    bytes[1..].copy_from_slice(&sha256(&number.to_be_bytes()));
    // The first byte is a good one, and nothing else is looked at.
    PublicKey::from_compressed(bytes).unwrap_or_else(|_| TestKey::named("nobody").public())
}

/// How terminals here are opened, and opened again.
pub(crate) fn options() -> TerminalOptions {
    TerminalOptions::new(Arc::new(StoppedClock))
}

/// The terminal's clock, which stands still at the test kit's moment.
struct StoppedClock;

impl SystemClock for StoppedClock {
    fn sample(&self) -> std::result::Result<ClockSample, ClockError> {
        Ok(ClockSample {
            boot_id: BootId([1; 16]),
            monotonic_ms: 1_000_000,
            wall: NOW_MS,
        })
    }
}

/// The time as a terminal here sees it.
pub(crate) fn terminal_time() -> TerminalTime {
    TerminalTime {
        now: NOW_MS,
        uncertainty_s: 1,
        is_anchored: true,
    }
}

/// What the terminals here are.
pub(crate) fn profile() -> TerminalProfile {
    TerminalProfile {
        kind: yika_format::verifier::TerminalKind::Pos,
        sites: Vec::new(),
        is_attended: true,
        installed: UnixSeconds(NOW.0 - 60),
    }
}

/// One fen, as a new sale.
pub(crate) fn one_fen() -> Request {
    Request {
        purpose: Purpose::Payment { amount: Amount(1) },
        sale: new_sale_id(),
    }
}
