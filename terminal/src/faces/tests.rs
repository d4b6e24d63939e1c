//! Portraits: what the list has is fetched, what it hasn't is gone before the platform hears so, and without a list in
//! date nothing is left.

use super::*;
use crate::HttpError;
use crate::testing::platform::file_names;
use crate::testing::{Bench, NOW_MS};
use std::fs;
use std::path::PathBuf;
use yika_api::ProblemCode;
use yika_api::terminal::TerminalKind as Kind;
use yika_format::UnixMillis;
use yika_format::lists::ListError;
use yika_testkit::{ListBuilder, face_entry};

const DAY_MS: u64 = 86_400_000;

/// The portrait of this reference, as the platform has it.
fn jpeg(reference: u8) -> Vec<u8> {
    [b"\xff\xd8 portrait ", &[reference; 2000][..]].concat()
}

fn entry(reference: u8) -> FaceEntry {
    face_entry(reference, &jpeg(reference))
}

fn file(reference: u8) -> String {
    format!("{}.jpg", entry(reference).reference)
}

fn files(references: &[u8]) -> Vec<String> {
    references.iter().copied().map(file).collect()
}

/// The platform lists these portraits, under this version, and has them.
fn list(bench: &Bench, version: u64, references: &[u8]) {
    let mut campus = bench.platform.campus();
    campus.lists.version = version;
    campus.faces = Some(references.iter().copied().map(entry).collect());
    campus.portraits = references
        .iter()
        .map(|&reference| (entry(reference).reference, jpeg(reference)))
        .collect();
    campus.faces_folder = bench.dir.path().join("faces");
}

/// A terminal whose platform lists these portraits.
async fn enrolled(kind: Kind, references: &[u8]) -> (Bench, Terminal) {
    let bench = Bench::of(kind).await;
    bench.enrol(None).await.unwrap();
    list(&bench, 7, references);
    let terminal = bench.open();
    (bench, terminal)
}

/// The same, and it has them.
async fn synced(references: &[u8]) -> (Bench, Terminal) {
    let (bench, terminal) = enrolled(Kind::Gate, references).await;
    terminal.sync().await.unwrap();
    assert_eq!(on_disk(&bench), files(references));
    (bench, terminal)
}

fn folder(bench: &Bench) -> PathBuf {
    bench.dir.path().join("faces")
}

fn on_disk(bench: &Bench) -> Vec<String> {
    file_names(&folder(bench))
}

fn applied(bench: &Bench) -> Vec<(u64, Vec<String>)> {
    bench.platform.campus().applied.clone()
}

/// What a face engine is given.
fn given(terminal: &Terminal) -> Vec<FaceReference> {
    let faces: Vec<_> = terminal.faces().collect();
    for face in &faces {
        assert_eq!(face.jpeg, jpeg(face.reference.0[0]));
    }
    faces.into_iter().map(|face| face.reference).collect()
}

fn references(of: &[u8]) -> Vec<FaceReference> {
    of.iter().map(|&reference| entry(reference).reference).collect()
}

async fn report(terminal: &Terminal) -> FacesReport {
    terminal.sync().await.unwrap().faces.unwrap()
}

fn counts(report: FacesReport) -> (Accepted, usize, usize, usize) {
    (report.accepted, report.fetched, report.removed, report.refused)
}

#[tokio::test]
async fn a_sync_fetches_what_is_listed_last_and_once() {
    for kind in [Kind::Gate, Kind::Pos] {
        let (bench, terminal) = enrolled(kind, &[1, 2]).await;
        assert_eq!(counts(report(&terminal).await), (Accepted::New, 2, 0, 0));
        assert_eq!(given(&terminal), references(&[1, 2]));
        assert_eq!(applied(&bench), [(7, files(&[1, 2]))]);
        let last = bench.platform.campus().seen.last().cloned();
        assert_eq!(last.as_deref(), Some("POST /v1/terminals/faces/applied"));
        assert_eq!(counts(report(&terminal).await), (Accepted::Unchanged, 0, 0, 0));
        assert_eq!(applied(&bench).len(), 2, "told again, lest it was lost");
        let status = terminal.status().unwrap().faces.unwrap();
        assert_eq!(
            (
                status.list.version,
                status.list.in_date,
                status.listed,
                status.kept
            ),
            (7, true, 2, 2)
        );
    }
}

#[tokio::test]
async fn who_is_not_listed_any_more_is_gone_before_the_platform_hears_so() {
    let (bench, terminal) = synced(&[1, 2, 3]).await;
    list(&bench, 8, &[1, 4]);
    assert_eq!(counts(report(&terminal).await), (Accepted::New, 1, 2, 0));
    assert_eq!(applied(&bench).last(), Some(&(8, files(&[1, 4]))));
    assert_eq!(given(&terminal), references(&[1, 4]));
}

#[tokio::test]
async fn an_empty_list_leaves_nothing() {
    let (bench, terminal) = synced(&[1, 2]).await;
    list(&bench, 8, &[]);
    assert_eq!(counts(report(&terminal).await), (Accepted::New, 0, 2, 0));
    assert_eq!(applied(&bench).last(), Some(&(8, Vec::new())));
}

#[tokio::test]
async fn what_was_taken_back_is_gone_even_where_nothing_new_can_be_fetched() {
    let (bench, terminal) = synced(&[1, 2]).await;
    list(&bench, 8, &[2, 3]);
    bench.platform.campus().cut = Some(entry(3).reference);
    assert!(terminal.sync().await.is_err());
    assert_eq!(on_disk(&bench), files(&[2]));
    assert_eq!(applied(&bench).len(), 1, "told at the end only");
}

#[tokio::test]
async fn a_portrait_with_other_bytes_is_refused_and_stops_no_other() {
    let (bench, terminal) = enrolled(Kind::Gate, &[1, 2, 3]).await;
    let right = bench
        .platform
        .campus()
        .portraits
        .insert(entry(2).reference, jpeg(9));
    assert_eq!(counts(report(&terminal).await), (Accepted::New, 2, 0, 1));
    assert_eq!(applied(&bench), [(7, files(&[1, 3]))]);
    assert_eq!(given(&terminal), references(&[1, 3]));
    let right = right.unwrap();
    bench
        .platform
        .campus()
        .portraits
        .insert(entry(2).reference, right);
    assert_eq!(counts(report(&terminal).await), (Accepted::Unchanged, 1, 0, 0));
    assert_eq!(given(&terminal), references(&[1, 2, 3]));
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_empty_is_refused_though_it_is_what_is_listed() {
    let (bench, terminal) = enrolled(Kind::Gate, &[1, 3]).await;
    for (reference, len) in [(2, MAX_PORTRAIT), (3, MAX_PORTRAIT + 1), (4, 0)] {
        let large = vec![reference; len];
        let mut campus = bench.platform.campus();
        let large_entry = face_entry(reference, &large);
        let faces = campus.faces.as_mut().unwrap();
        faces.retain(|face| face.reference != large_entry.reference);
        faces.push(large_entry);
        campus.portraits.insert(large_entry.reference, large);
    }
    assert_eq!(counts(report(&terminal).await), (Accepted::New, 2, 0, 2));
    assert_eq!(on_disk(&bench), files(&[1, 2]));
    assert_eq!(terminal.faces().count(), 2);
}

#[tokio::test]
async fn after_a_cut_connection_the_next_sync_goes_on() {
    let (bench, terminal) = enrolled(Kind::Gate, &[1, 2, 3]).await;
    bench.platform.campus().cut = Some(entry(2).reference);
    let cut = terminal.sync().await;
    assert!(
        matches!(&cut, Err(TerminalError::Http(HttpError::Unreachable(_)))),
        "{cut:?}"
    );
    assert_eq!(on_disk(&bench), files(&[1]));
    assert_eq!(given(&terminal), references(&[1]));
    assert_eq!(applied(&bench), []);
    let status = terminal.status().unwrap();
    assert_eq!(status.table.unwrap().version, 7, "what came before serves");
    let faces = status.faces.unwrap();
    assert_eq!((faces.listed, faces.kept), (3, 1));
    bench.platform.campus().cut = None;
    assert_eq!(counts(report(&terminal).await), (Accepted::Unchanged, 2, 0, 0));
    assert_eq!(applied(&bench), [(7, files(&[1, 2, 3]))]);
}

#[tokio::test]
async fn a_portrait_that_is_gone_meanwhile_is_no_failure() {
    let (bench, terminal) = enrolled(Kind::Gate, &[1, 2]).await;
    bench.platform.campus().portraits.remove(&entry(1).reference);
    assert_eq!(counts(report(&terminal).await), (Accepted::New, 1, 0, 0));
    assert_eq!(applied(&bench), [(7, files(&[2]))]);
}

#[tokio::test]
async fn a_library_desk_asks_for_no_faces_and_takes_none() {
    let (bench, terminal) = enrolled(Kind::Library, &[1]).await;
    assert_eq!(terminal.sync().await.unwrap().faces, None);
    let seen = bench.platform.campus().seen.clone();
    assert!(!seen.iter().any(|line| line.contains("faces")), "{seen:?}");
    let bytes = ListBuilder::new(&bench.kit).faces(&[entry(1)]);
    assert!(matches!(
        terminal.accept_faces(&bytes),
        Err(TerminalError::HasNoFaces)
    ));
    assert!(!folder(&bench).exists() && terminal.status().unwrap().faces.is_none());
}

#[tokio::test]
async fn a_platform_without_faces_is_no_failure() {
    let (bench, terminal) = enrolled(Kind::Gate, &[]).await;
    bench.platform.campus().faces = None;
    assert_eq!(terminal.sync().await.unwrap().faces, None);
    assert_eq!(terminal.status().unwrap().faces, None);
    assert_eq!(applied(&bench), []);
}

#[tokio::test]
async fn a_restart_keeps_the_portraits_in_service() {
    let (bench, terminal) = synced(&[1, 2]).await;
    drop(terminal);
    assert_eq!(given(&bench.open()), references(&[1, 2]));
}

#[tokio::test]
async fn a_restart_removes_what_a_crash_left_behind() {
    let (bench, terminal) = synced(&[1, 2]).await;
    drop(terminal);
    let half = entry(1).reference.to_string() + ".new";
    for name in [half, file(9), "elsewhere.jpg".to_owned(), file(1).to_uppercase()] {
        fs::write(folder(&bench).join(name), jpeg(9)).unwrap();
    }
    let terminal = bench.open();
    assert_eq!(on_disk(&bench), files(&[1, 2]));
    assert_eq!(given(&terminal), references(&[1, 2]));
}

#[tokio::test]
async fn after_a_crash_between_list_and_deletion_the_next_start_deletes() {
    let (bench, terminal) = synced(&[1, 2]).await;
    let newer = ListBuilder {
        version: 8,
        ..ListBuilder::new(&bench.kit)
    };
    terminal
        .store()
        .keep_list(crate::store::ListKind::Faces, 8, Some(&newer.faces(&[entry(2)])))
        .unwrap();
    drop(terminal);
    let terminal = bench.open();
    assert_eq!(on_disk(&bench), files(&[2]));
    assert_eq!(given(&terminal), references(&[2]));
}

#[tokio::test]
async fn past_the_lease_nothing_is_given_and_nothing_is_left() {
    for look in [
        (|terminal: &Terminal| terminal.faces().count()) as fn(&Terminal) -> usize,
        |terminal| terminal.status().unwrap().faces.unwrap().kept,
    ] {
        let (bench, terminal) = synced(&[1, 2]).await;
        bench.clock.advance(DAY_MS);
        assert_eq!(look(&terminal), 2, "in the last millisecond");
        bench.clock.advance(1);
        assert!(terminal.face(entry(1).reference).is_none());
        assert_eq!(look(&terminal), 0);
        assert_eq!(on_disk(&bench), files(&[]));
        assert!(!terminal.status().unwrap().faces.unwrap().list.in_date);
    }
}

#[tokio::test]
async fn past_the_lease_a_start_deletes() {
    let (bench, terminal) = synced(&[1]).await;
    drop(terminal);
    bench.clock.advance(DAY_MS + 1);
    let _terminal = bench.open();
    assert_eq!(on_disk(&bench), files(&[]));
}

#[tokio::test]
async fn a_list_that_is_out_of_date_when_it_comes_deletes_and_is_applied() {
    let (bench, terminal) = synced(&[1, 2]).await;
    list(&bench, 8, &[1, 2]);
    bench.platform.campus().lists.good_until = UnixMillis(NOW_MS.0 - 1);
    assert_eq!(counts(report(&terminal).await), (Accepted::New, 0, 2, 0));
    assert_eq!(applied(&bench).last(), Some(&(8, Vec::new())));
}

#[tokio::test]
async fn while_the_time_is_not_confirmed_none_is_given_and_none_deleted() {
    let (bench, terminal) = synced(&[1]).await;
    drop(terminal);
    bench.clock.reboot();
    let terminal = bench.open();
    assert_eq!(given(&terminal), []);
    assert_eq!(on_disk(&bench), files(&[1]));
    terminal.sync().await.unwrap();
    assert_eq!(given(&terminal), references(&[1]));
}

#[tokio::test]
async fn a_wall_clock_that_was_put_back_lengthens_no_lease() {
    let (bench, terminal) = synced(&[1]).await;
    drop(terminal);
    bench.clock.reboot();
    bench.clock.advance(DAY_MS + 1);
    bench.clock.set_wall(0);
    let terminal = bench.open();
    assert_eq!(given(&terminal), []);
    bench.clock.set_wall(NOW_MS.0 + DAY_MS + 1);
    terminal.status().unwrap();
    assert_eq!(
        on_disk(&bench),
        files(&[]),
        "even this clock says that it is over"
    );
}

#[tokio::test]
async fn an_older_list_is_refused_also_after_a_restart() {
    let (bench, terminal) = synced(&[1]).await;
    list(&bench, 9, &[2]);
    terminal.sync().await.unwrap();
    drop(terminal);
    let terminal = bench.open();
    let older = ListBuilder {
        version: 8,
        ..ListBuilder::new(&bench.kit)
    };
    let refused = terminal.accept_faces(&older.faces(&[entry(1)]));
    assert!(
        matches!(
            refused,
            Err(TerminalError::List {
                source: ListError::NotNewer { got: 8, have: 9 },
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(given(&terminal), references(&[2]));
}

#[tokio::test]
async fn a_list_that_the_tables_key_did_not_sign_changes_nothing() {
    let (bench, terminal) = synced(&[1]).await;
    let mut forged = ListBuilder {
        version: 8,
        ..ListBuilder::new(&bench.kit)
    };
    forged.kit.table = yika_testkit::TestKey::named("forger");
    let refused = terminal.accept_faces(&forged.faces(&[]));
    assert!(
        matches!(
            refused,
            Err(TerminalError::List {
                source: ListError::BadSignature,
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(given(&terminal), references(&[1]));
}

#[tokio::test]
async fn a_keyset_without_the_tables_key_takes_the_faces_out_of_service() {
    let (bench, terminal) = synced(&[1]).await;
    let mut rotated = ListBuilder {
        version: 8,
        ..ListBuilder::new(&bench.kit)
    };
    rotated.keys.retain(|key| key.id.0 != 10);
    terminal.accept_keyset(&rotated.keyset()).unwrap();
    assert!(terminal.lists().faces().is_none());
    assert_eq!(given(&terminal), []);
    assert_eq!(on_disk(&bench), files(&[]));
}

#[tokio::test]
async fn a_damaged_portrait_is_not_given_and_fetched_anew() {
    let (bench, terminal) = synced(&[1, 2]).await;
    fs::write(folder(&bench).join(file(1)), jpeg(2)).unwrap();
    assert_eq!(given(&terminal), references(&[2]));
    assert_eq!(on_disk(&bench), files(&[2]));
    assert_eq!(counts(report(&terminal).await), (Accepted::Unchanged, 1, 0, 0));
    assert_eq!(given(&terminal), references(&[1, 2]));
}

#[tokio::test]
async fn a_portrait_that_left_the_list_while_it_was_fetched_is_not_kept() {
    let (bench, terminal) = synced(&[1]).await;
    let newer = ListBuilder {
        version: 8,
        ..ListBuilder::new(&bench.kit)
    };
    terminal.accept_faces(&newer.faces(&[entry(2)])).unwrap();
    let late = terminal.keep_portrait(&entry(1), &jpeg(1));
    assert!(matches!(late, Ok(Fetched::Gone)));
    assert_eq!(on_disk(&bench), files(&[]));
}

#[tokio::test]
async fn a_terminal_that_the_platform_refuses_has_its_portraits_until_the_lease_is_over() {
    let (bench, terminal) = synced(&[1]).await;
    bench.platform.campus().own_key = None;
    let refused = terminal.sync().await;
    assert!(
        matches!(&refused, Err(TerminalError::Http(error)) if error.problem() == Some(ProblemCode::Forbidden)),
        "{refused:?}"
    );
    assert_eq!(given(&terminal), references(&[1]));
    bench.clock.advance(DAY_MS + 1);
    assert!(terminal.sync().await.is_err());
    assert_eq!(on_disk(&bench), files(&[]));
}

#[tokio::test]
async fn a_list_that_changes_while_faces_are_read_counts_at_once() {
    let (bench, terminal) = synced(&[1, 2, 3]).await;
    let mut faces = terminal.faces();
    assert_eq!(faces.next().unwrap().reference, entry(1).reference);
    let newer = ListBuilder {
        version: 8,
        ..ListBuilder::new(&bench.kit)
    };
    terminal
        .accept_faces(&newer.faces(&[entry(1), entry(3)]))
        .unwrap();
    let rest: Vec<_> = faces.map(|face| face.reference).collect();
    assert_eq!(rest, references(&[3]));
}

#[cfg(unix)]
#[tokio::test]
async fn portraits_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let (bench, _terminal) = synced(&[1]).await;
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder(&bench)), 0o700);
    assert_eq!(mode(folder(&bench).join(file(1))), 0o600);
}

#[tokio::test]
async fn a_portrait_is_not_shown_to_who_debugs() {
    let (_bench, terminal) = synced(&[1]).await;
    let face = terminal.face(entry(1).reference).unwrap();
    let shown = format!("{face:?}");
    assert!(!shown.contains("255") && shown.contains("0101"), "{shown}");
}
