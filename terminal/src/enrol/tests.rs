//! Enrolment and sync, over HTTP against a platform that insists on proofs.

use super::*;
use crate::testing::{Bench, NOW_MS};
use crate::{Accepted, HttpError, Terminal};
use yika_api::ProblemCode;
use yika_api::terminal::TerminalKind as Kind;
use yika_format::Pseudonym;
use yika_format::lists::{DirectoryEntry, HolderNumber, ListError};
use yika_testkit::{ListBuilder, TestKey};

/// A library desk's.
async fn desk() -> Bench {
    Bench::of(Kind::Library).await
}

#[tokio::test]
async fn a_root_key_other_than_expected_enrols_nothing() {
    let bench = desk().await;
    let other = TestKey::named("another root").public();
    assert!(matches!(
        bench.enrol(Some(other)).await,
        Err(TerminalError::RootKeyMismatch)
    ));
    let opened = Terminal::open(bench.dir.path(), &bench.options());
    assert!(matches!(opened, Err(TerminalError::NotEnrolled)), "{opened:?}");
    let first = bench.platform.campus().directory_key;
    bench.enrol(Some(bench.kit.root.public())).await.unwrap();
    assert!(first.is_some());
    assert_eq!(
        bench.platform.campus().directory_key,
        first,
        "tried again, a desk sends the same key for directories"
    );
}

#[tokio::test]
async fn an_answer_with_a_keyset_of_another_root_enrols_nothing() {
    let bench = desk().await;
    bench.platform.campus().enrolled.school.root_key =
        TestKey::named("another root").public().as_bytes().to_vec().into();
    let refused = bench.enrol(None).await;
    assert!(
        matches!(
            &refused,
            Err(TerminalError::List {
                source: ListError::BadSignature,
                ..
            })
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_home_is_enrolled_once() {
    let bench = desk().await;
    bench.enrol(None).await.unwrap();
    assert!(matches!(
        bench.enrol(None).await,
        Err(TerminalError::AlreadyEnrolled { terminal: 7 })
    ));
}

#[tokio::test]
async fn an_enrolled_terminal_knows_its_school_and_the_time() {
    let bench = desk().await;
    let answer = bench.enrol(None).await.unwrap();
    let terminal = bench.open();
    assert_eq!((terminal.enrolled(), answer.kind), (&answer, Kind::Library));
    let status = terminal.status().unwrap();
    assert_eq!((status.time.now, status.time.is_anchored), (NOW_MS, true));
    assert_eq!((status.table, status.revocations), (None, None));
    assert_eq!(terminal.enrolment.installed, yika_testkit::NOW);
}

#[tokio::test]
async fn a_wrong_wall_clock_keeps_no_terminal_from_the_platform() {
    let bench = desk().await;
    bench.clock.set_wall(0);
    bench.enrol(None).await.unwrap();
    bench.clock.reboot();
    bench.clock.set_wall(NOW_MS.0 * 2);
    let terminal = bench.open();
    assert!(!terminal.status().unwrap().time.is_anchored);
    terminal.sync().await.unwrap();
    let time = terminal.status().unwrap().time;
    assert_eq!((time.now, time.is_anchored), (NOW_MS, true));
}

#[tokio::test]
async fn a_sync_fetches_everything_and_the_next_one_only_what_changed() {
    let bench = desk().await;
    bench.enrol(None).await.unwrap();
    let terminal = bench.open();
    let report = terminal.sync().await.unwrap();
    assert_eq!(
        (report.keyset, report.revocations),
        (Accepted::Unchanged, Accepted::New)
    );
    assert_eq!((report.table, report.deltas), (Accepted::New, 0));
    bench.publish(7, Some(Vec::new()));
    let report = terminal.sync().await.unwrap();
    assert_eq!(
        (report.revocations, report.table, report.deltas),
        (Accepted::Unchanged, Accepted::Unchanged, 0)
    );
    let delta = ListBuilder {
        version: 8,
        ..ListBuilder::new(&bench.kit)
    }
    .delta(&[], &[Pseudonym(*b"alice")]);
    bench.publish(8, Some(vec![delta]));
    let report = terminal.sync().await.unwrap();
    assert_eq!(
        (report.keyset, report.table, report.deltas),
        (Accepted::New, Accepted::New, 1)
    );
    assert_eq!(terminal.status().unwrap().holders, 0);
    let seen = bench.platform.campus().seen.clone();
    assert_eq!(
        seen.iter()
            .filter(|line| line.as_str() == "GET /v1/terminals/table")
            .count(),
        1,
        "{seen:?}"
    );
    assert!(
        seen.contains(&"GET /v1/terminals/deltas?base=7".to_owned()),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_gap_in_the_deltas_is_mended_by_the_whole_table() {
    let bench = desk().await;
    bench.enrol(None).await.unwrap();
    let terminal = bench.open();
    terminal.sync().await.unwrap();
    let newer = ListBuilder {
        version: 9,
        ..ListBuilder::new(&bench.kit)
    };
    bench.publish(9, Some(vec![newer.delta(&[], &[])]));
    assert_eq!(terminal.sync().await.unwrap().deltas, 0);
    assert_eq!(terminal.status().unwrap().table.unwrap().version, 9);
    bench.publish(12, None);
    terminal.sync().await.unwrap();
    assert_eq!(terminal.status().unwrap().table.unwrap().version, 12);
}

#[tokio::test]
async fn after_many_deltas_the_table_is_fetched_whole() {
    let bench = desk().await;
    bench.enrol(None).await.unwrap();
    let terminal = bench.open();
    terminal.sync().await.unwrap();
    let deltas = |versions: std::ops::RangeInclusive<u64>| {
        let delta = |version| {
            ListBuilder {
                version,
                ..ListBuilder::new(&bench.kit)
            }
            .delta(&[], &[])
        };
        Some(versions.map(delta).collect())
    };
    bench.publish(
        7 + crate::lists::MAX_DELTAS,
        deltas(8..=7 + crate::lists::MAX_DELTAS),
    );
    assert_eq!(terminal.sync().await.unwrap().deltas, 64);
    bench.publish(72, deltas(72..=72));
    assert_eq!(terminal.sync().await.unwrap().deltas, 0);
    assert_eq!(terminal.status().unwrap().table.unwrap().version, 72);
}

#[tokio::test]
async fn a_platform_that_refuses_is_told_by_its_own_words() {
    let bench = desk().await;
    bench.enrol(None).await.unwrap();
    let terminal = bench.open();
    let nowhere = terminal
        .connect()
        .await
        .unwrap()
        .bytes(&Call::get("/v1/nothing"))
        .await;
    assert!(
        matches!(&nowhere, Err(HttpError::Refused(problem)) if problem.status == 404),
        "{nowhere:?}"
    );
    let servers = yika_link::ServerTrust::default();
    let away = Platform::connect(
        "http://127.0.0.1:1".parse().unwrap(),
        &servers,
        terminal.clock.clone(),
        terminal.key.clone(),
    );
    let unreachable = away.await.unwrap().bytes(&Call::get("/v1/school/keyset")).await;
    assert!(
        matches!(unreachable, Err(HttpError::Unreachable(_))),
        "{unreachable:?}"
    );
}

#[tokio::test]
async fn a_library_desk_fetches_its_directory_last_and_whole() {
    let bench = desk().await;
    bench.enrol(None).await.unwrap();
    let terminal = bench.open();
    assert_eq!(terminal.sync().await.unwrap().directory, Some(Accepted::New));
    assert_eq!(
        terminal.sync().await.unwrap().directory,
        Some(Accepted::Unchanged)
    );
    let alice = DirectoryEntry {
        pseudonym: Pseudonym(*b"alice"),
        number: HolderNumber::new("20260001").unwrap(),
    };
    bench.platform.campus().holders = vec![alice];
    bench.publish(8, Some(Vec::new()));
    assert_eq!(terminal.sync().await.unwrap().directory, Some(Accepted::New));
    let lists = terminal.lists();
    assert_eq!(
        lists.directory().unwrap().number(alice.pseudonym),
        Some(alice.number)
    );
    let last = bench.platform.campus().seen.last().cloned();
    assert_eq!(last.as_deref(), Some("GET /v1/terminals/directory"));
}

#[tokio::test]
async fn a_directory_that_is_refused_stops_no_list() {
    let bench = desk().await;
    bench.enrol(None).await.unwrap();
    bench.platform.campus().directory_key = None;
    let terminal = bench.open();
    let refused = terminal.sync().await;
    assert!(
        matches!(&refused, Err(TerminalError::Http(error)) if error.problem() == Some(ProblemCode::Forbidden)),
        "{refused:?}"
    );
    let status = terminal.status().unwrap();
    assert_eq!(
        (status.table.unwrap().version, status.revocations.unwrap().version),
        (7, 7)
    );
    assert_eq!(status.directory, None);
}

#[tokio::test]
async fn other_terminals_have_no_key_for_directories_and_ask_for_none() {
    for kind in [Kind::Pos, Kind::Gate] {
        let bench = Bench::of(kind).await;
        bench.enrol(None).await.unwrap();
        assert_eq!(bench.platform.campus().directory_key, None);
        let terminal = bench.open();
        assert_eq!(terminal.sync().await.unwrap().directory, None);
        assert!(!terminal.home.directory_key().exists());
    }
}
