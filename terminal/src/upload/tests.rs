//! Uploads against a platform that loses replies, lags behind with settling, or has records that the journal lacks.

use super::*;
use crate::testing::platform::FakePlatform;
use crate::testing::{DOMAIN, FakeClock, enrolled, pay};
use crate::{Enrol, HttpError, Reason, TerminalOptions, Verdict, enrol};
use std::time::Duration;
use tempfile::TempDir;
use yika_api::terminal::{EnrolTerminal, TerminalKind as Kind};
use yika_format::UnixSeconds;
use yika_testkit::{CodeBuilder, ListBuilder, SignerKit};

struct Bench {
    platform: FakePlatform,
    kit: SignerKit,
    terminal: Terminal,
    _dir: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let (kit, dir) = (SignerKit::new(DOMAIN), tempfile::tempdir().unwrap());
        let platform = FakePlatform::start(ListBuilder::new(&kit), enrolled(&kit, Kind::Pos)).await;
        let request = Enrol {
            platform: platform.origin().parse().unwrap(),
            request: EnrolTerminal {
                kind: Kind::Pos,
                merchant: None,
                label: None,
                enrolment_code: None,
                directory_key: None,
            },
            root_key: None,
            authorities: Vec::new(),
        };
        let options = TerminalOptions {
            clock: FakeClock::new(),
            patience: Duration::ZERO,
        };
        enrol(dir.path(), &options, &request).await.unwrap();
        let terminal = Terminal::open(dir.path(), &options).unwrap();
        terminal.sync().await.unwrap();
        Self {
            platform,
            kit,
            terminal,
            _dir: dir,
        }
    }

    fn pay(&self, counter: u16, fen: u64) -> Verdict {
        let mut code = CodeBuilder::new(&self.kit).counter(counter);
        code.dynamic.time = UnixSeconds(yika_testkit::NOW.0);
        self.terminal
            .verify(code.short().to_text().as_bytes(), pay(fen))
            .unwrap()
    }

    fn sell(&self, counters: std::ops::RangeInclusive<u16>) {
        for counter in counters {
            let verdict = self.pay(counter, 1);
            assert!(matches!(verdict, Verdict::Approved { .. }), "{verdict:?}");
        }
    }

    fn uploads(&self) -> usize {
        let campus = self.platform.campus();
        campus
            .seen
            .iter()
            .filter(|line| line.as_str() == "POST /v1/terminals/sales")
            .count()
    }
}

#[tokio::test]
async fn a_lost_reply_is_made_up_for_by_the_next_upload() {
    let bench = Bench::new().await;
    bench.sell(1..=3);
    bench.platform.campus().lost_replies = 1;
    let lost = bench.terminal.upload().await;
    assert!(
        matches!(lost, Err(TerminalError::Http(HttpError::Refused(_)))),
        "{lost:?}"
    );
    assert_eq!(bench.terminal.status().unwrap().pending_records, 3);
    bench.sell(4..=4);
    let report = bench.terminal.upload().await.unwrap();
    let repeated: Vec<_> = report.outcomes.iter().map(|outcome| outcome.repeated).collect();
    assert_eq!(repeated, [true, true, true, false]);
    assert_eq!((report.next_record, report.settled_record), (5, 4));
    assert_eq!(bench.terminal.status().unwrap().pending_records, 0);
}

#[tokio::test]
async fn nothing_new_is_nothing_sent() {
    let bench = Bench::new().await;
    assert_eq!(bench.terminal.upload().await.unwrap().outcomes, []);
    bench.sell(1..=1);
    bench.terminal.upload().await.unwrap();
    assert_eq!(bench.terminal.upload().await.unwrap().outcomes, []);
    assert_eq!(bench.uploads(), 1);
}

#[tokio::test]
async fn large_journals_go_in_batches() {
    let bench = Bench::new().await;
    let last = u16::try_from(MAX_BATCH).unwrap() + 1;
    bench.sell(1..=last);
    let report = bench.terminal.upload().await.unwrap();
    assert_eq!((report.outcomes.len(), report.next_record), (501, 502));
    assert_eq!(bench.uploads(), 2);
}

#[tokio::test]
async fn what_is_settled_leaves_the_holders_sum_and_what_is_not_stays() {
    let bench = Bench::new().await;
    for counter in [1, 2] {
        assert!(matches!(bench.pay(counter, 5_000), Verdict::Approved { .. }));
    }
    bench.platform.campus().settled = Some(1);
    assert_eq!(bench.terminal.upload().await.unwrap().settled_record, 1);
    let refused = bench.pay(3, 5_001);
    assert!(
        matches!(refused, Verdict::Refused { refusal, .. } if refusal.reason == Reason::Limit),
        "{refused:?}"
    );
    bench.platform.campus().settled = None;
    let report = bench.terminal.upload().await.unwrap();
    assert_eq!(
        (report.outcomes.len(), report.settled_record),
        (1, 2),
        "the last record brings the newest mark"
    );
    assert!(matches!(bench.pay(3, 5_000), Verdict::Approved { .. }));
}

#[tokio::test]
async fn a_platform_with_records_that_the_journal_lacks_stops_the_upload() {
    let bench = Bench::new().await;
    bench.sell(1..=1);
    bench.terminal.upload().await.unwrap();
    let record = bench.platform.campus().records[&1].clone();
    bench.platform.campus().records.insert(2, record);
    let refused = bench.terminal.upload().await;
    assert!(
        matches!(
            refused,
            Err(TerminalError::JournalBehind {
                platform: 2,
                journal: 1
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_mark_of_another_terminal_is_refused() {
    let bench = Bench::new().await;
    bench.sell(1..=1);
    bench.platform.campus().enrolled.id.0 = 8;
    let refused = bench.terminal.upload().await;
    assert!(
        matches!(refused, Err(TerminalError::UploadAnswer(_))),
        "{refused:?}"
    );
    assert_eq!(bench.terminal.status().unwrap().pending_records, 1);
}

#[tokio::test]
async fn a_void_is_handed_in_as_a_record_of_its_own() {
    let bench = Bench::new().await;
    bench.sell(1..=1);
    bench.terminal.void_last().unwrap();
    let report = bench.terminal.upload().await.unwrap();
    assert_eq!(report.outcomes.len(), 2);
}
