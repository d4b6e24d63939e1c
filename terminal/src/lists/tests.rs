//! Lists: only newer ones that check out are taken, durably; what is damaged on the disk serves no more.

use super::*;
use crate::testing::{Desk, pay};
use crate::{Purpose, Reason};
use std::sync::atomic::{AtomicBool, Ordering};
use yika_api::terminal::TerminalKind as Kind;
use yika_format::lists::Row;
use yika_format::{Epoch, Pseudonym};
use yika_testkit::{ListBuilder, SignerKit};

fn row(desk: &Desk, pseudonym: &[u8; 5]) -> Row {
    Row {
        pseudonym: Pseudonym(*pseudonym),
        ..ListBuilder::row(&desk.kit)
    }
}

fn lists(desk: &Desk, version: u64) -> ListBuilder {
    ListBuilder {
        version,
        ..ListBuilder::new(&desk.kit)
    }
}

fn refusal(result: Result<Accepted, TerminalError>) -> ListError {
    match result {
        Err(TerminalError::List { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

fn version(desk: &Desk) -> Option<u64> {
    desk.lists().table().map(|table| table.header().version)
}

#[test]
fn an_older_list_is_refused_also_after_a_restart() {
    let mut desk = Desk::new(Kind::Pos);
    desk.accept_table(&lists(&desk, 9).table()).unwrap();
    desk.accept_revocations(&lists(&desk, 9).revocations()).unwrap();
    desk.accept_keyset(&lists(&desk, 9).keyset()).unwrap();
    desk.restart();
    let older = lists(&desk, 8);
    let not_newer = ListError::NotNewer { got: 8, have: 9 };
    assert_eq!(refusal(desk.accept_table(&older.table())), not_newer);
    assert_eq!(refusal(desk.accept_revocations(&older.revocations())), not_newer);
    assert_eq!(refusal(desk.accept_keyset(&older.keyset())), not_newer);
    assert_eq!(version(&desk), Some(9));
}

#[test]
fn the_same_version_again_changes_nothing() {
    let desk = Desk::new(Kind::Pos);
    assert_eq!(
        desk.accept_table(&lists(&desk, 7).table()).unwrap(),
        Accepted::Unchanged
    );
    assert_eq!(
        desk.accept_revocations(&lists(&desk, 7).revocations()).unwrap(),
        Accepted::Unchanged
    );
    assert_eq!(
        desk.accept_keyset(&lists(&desk, 7).keyset()).unwrap(),
        Accepted::Unchanged
    );
}

#[test]
fn lists_of_another_school_are_refused() {
    let desk = Desk::new(Kind::Pos);
    let mut other = ListBuilder::new(&SignerKit::new("other.example"));
    other.version = 8;
    assert_eq!(refusal(desk.accept_table(&other.table())), ListError::WrongSchool);
    assert_eq!(
        refusal(desk.accept_keyset(&other.keyset())),
        ListError::WrongSchool
    );
    assert_eq!(version(&desk), Some(7));
}

#[test]
fn deltas_apply_in_order_and_again_after_a_restart() {
    let mut desk = Desk::new(Kind::Pos);
    let deltas = [
        lists(&desk, 8).delta(&[row(&desk, b"bobby")], &[]),
        lists(&desk, 9).delta(&[row(&desk, b"carol")], &[Pseudonym(*b"bobby")]),
    ];
    assert_eq!(desk.accept_deltas(&deltas).unwrap(), Accepted::New);
    for _ in 0..2 {
        let snapshot = desk.lists();
        let table = snapshot.table().unwrap();
        assert_eq!((table.header().version, table.len()), (9, 2));
        assert!(table.row(Pseudonym(*b"carol")).is_some());
        desk.restart();
    }
}

#[test]
fn a_gap_in_the_deltas_takes_none_of_them() {
    let desk = Desk::new(Kind::Pos);
    let chain = [
        lists(&desk, 8).delta(&[row(&desk, b"bobby")], &[]),
        lists(&desk, 10).delta(&[row(&desk, b"carol")], &[]),
    ];
    assert_eq!(
        refusal(desk.accept_deltas(&chain)),
        ListError::WrongBase { base: 9, have: 8 }
    );
    assert_eq!(version(&desk), Some(7));
    desk.accept_table(&lists(&desk, 10).table()).unwrap();
    assert_eq!(version(&desk), Some(10));
}

#[test]
fn a_delta_needs_a_table() {
    let desk = Desk::without_lists(Kind::Pos);
    let delta = lists(&desk, 8).delta(&[], &[]);
    assert_eq!(
        refusal(desk.accept_deltas(&[delta])),
        ListError::WrongBase { base: 7, have: 0 }
    );
}

#[test]
fn a_whole_table_takes_the_place_of_the_old_one_and_its_deltas() {
    let mut desk = Desk::new(Kind::Pos);
    desk.accept_deltas(&[lists(&desk, 8).delta(&[row(&desk, b"bobby")], &[])])
        .unwrap();
    desk.accept_table(&lists(&desk, 12).table()).unwrap();
    desk.restart();
    assert_eq!(
        (version(&desk), desk.lists().table().unwrap().len()),
        (Some(12), 1)
    );
    let files = fs::read_dir(desk.dir.path()).unwrap();
    let tables = files.filter(|file| {
        file.as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("table-")
    });
    assert_eq!(tables.count(), 1);
}

#[test]
fn a_damaged_table_file_serves_no_more_and_is_fetched_anew() {
    let mut desk = Desk::new(Kind::Pos);
    let path = desk.dir.path().join("table-7.bin");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    desk.restart();
    assert_eq!(version(&desk), None);
    assert_eq!(desk.refusal(&desk.code(100), pay(1250)), Reason::Unknown);
    desk.approval(&desk.shown(100).full().to_text(), pay(1250));
    let older = ListError::NotNewer { got: 6, have: 7 };
    assert_eq!(refusal(desk.accept_table(&lists(&desk, 6).table())), older);
    assert_eq!(
        desk.accept_table(&lists(&desk, 7).table()).unwrap(),
        Accepted::New
    );
    desk.approval(&desk.code(101), pay(1250));
}

#[test]
fn a_keyset_without_the_tables_key_takes_the_lists_out_of_service() {
    let desk = Desk::new(Kind::Pos);
    let mut rotated = lists(&desk, 8);
    rotated.keys.retain(|entry| entry.id.0 != 10);
    desk.accept_keyset(&rotated.keyset()).unwrap();
    assert_eq!(version(&desk), None);
    assert!(desk.lists().revocations().is_none());
    assert_eq!(
        desk.refusal(&desk.shown(100).full().to_text(), pay(1250)),
        Reason::ListsStale
    );
}

#[test]
fn a_change_in_the_table_counts_at_once() {
    let desk = Desk::new(Kind::Pos);
    let mut newer = ListBuilder::row(&desk.kit);
    newer.epoch = Epoch::new(4).unwrap();
    newer.min_epoch = yika_format::MinEpoch::new(4).unwrap();
    let code = desk.code(100);
    desk.accept_deltas(&[lists(&desk, 8).delta(&[newer], &[])])
        .unwrap();
    assert_eq!(desk.refusal(&code, pay(1250)), Reason::Revoked);
}

#[test]
fn the_table_serves_while_deltas_are_applied() {
    let desk = Desk::new(Kind::Gate);
    let deltas: Vec<_> = (8..40)
        .map(|version| lists(&desk, version).delta(&[], &[]))
        .collect();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for delta in &deltas {
                desk.accept_deltas(&[delta]).unwrap();
            }
            is_done.store(true, Ordering::Release);
        });
        let mut seen = 7;
        while !is_done.load(Ordering::Acquire) {
            let now = version(&desk).unwrap();
            assert!(now >= seen, "versions only rise");
            seen = now;
            let request = crate::Request {
                purpose: Purpose::Identity,
                sale: crate::new_sale_id(),
            };
            assert_eq!(desk.refusal(&desk.code(100), request), Reason::WrongKind);
        }
    });
    assert_eq!(version(&desk), Some(39));
}
