//! The store's own laws, and what becomes of a file that is damaged, newer, or full.

use super::*;
use crate::testing::{Desk, pay};
use crate::{StoreError, Terminal, TerminalError};
use std::fs;
use yika_api::terminal::{SaleOutcome, SaleResult, TerminalKind as Kind};
use yika_format::UnixMillis;

fn outcome(sequence: u64) -> SaleOutcome {
    SaleOutcome {
        sequence,
        result: SaleResult::Posted,
        repeated: false,
    }
}

#[test]
fn a_damaged_file_is_moved_aside_and_the_terminal_can_be_enrolled_anew() {
    let mut desk = Desk::new(Kind::Pos);
    desk.approval(&desk.code(100), pay(1250));
    desk.close();
    let path = desk.dir.path().join("store.db");
    fs::write(&path, vec![0x5a; 8192]).unwrap();
    let aside = desk.dir.path().join("damaged-1");
    match Terminal::open(desk.dir.path(), &desk.options()) {
        Err(TerminalError::Store(StoreError::Damaged { aside: told })) => assert_eq!(told, aside),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(aside.join("store.db")).unwrap(), vec![0x5a; 8192]);
    assert!(aside.join("terminal.key").exists() && !desk.dir.path().join("terminal.key").exists());
    let again = Terminal::open(desk.dir.path(), &desk.options());
    assert!(matches!(again, Err(TerminalError::NotEnrolled)), "{again:?}");
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let mut desk = Desk::new(Kind::Pos);
    desk.close();
    let path = desk.dir.path().join("store.db");
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let opened = Terminal::open(desk.dir.path(), &desk.options());
    let newer = StoreError::Newer { found: 99, known: 1 };
    assert!(
        matches!(&opened, Err(TerminalError::Store(error)) if error.to_string() == newer.to_string()),
        "{opened:?}"
    );
    assert!(path.exists());
}

#[test]
fn commits_are_on_the_disk_before_they_count() {
    let desk = Desk::new(Kind::Pos);
    let store = desk.store();
    let pragma = |name| {
        store
            .connection
            .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
    };
    assert_eq!(
        pragma("journal_mode").unwrap(),
        rusqlite::types::Value::Text("wal".to_owned())
    );
    assert_eq!(
        pragma("synchronous").unwrap(),
        rusqlite::types::Value::Integer(2),
        "FULL"
    );
}

#[test]
fn what_must_only_rise_cannot_fall_even_by_mistake() {
    let desk = Desk::new(Kind::Pos);
    desk.approval(&desk.code(100), pay(1250));
    let store = desk.store();
    for mistake in [
        "UPDATE holder SET last_sequence = last_sequence - 1",
        "UPDATE clock SET floor_ms = floor_ms - 1",
        "UPDATE list SET version = version - 1",
        "INSERT INTO record SELECT 3, kind, pseudonym, amount, voids, time_ms, hash, bytes, NULL FROM record",
        "INSERT INTO settled VALUES (1, 5, x''); UPDATE settled SET sequence = 4",
    ] {
        assert!(store.connection.execute_batch(mistake).is_err(), "{mistake}");
    }
}

#[test]
fn a_mark_that_falls_is_passed_over() {
    let desk = Desk::new(Kind::Pos);
    let mut store = desk.store();
    store.keep_outcomes(&[], 5, b"newer").unwrap();
    store.keep_outcomes(&[], 4, b"older").unwrap();
    assert_eq!(store.pending().unwrap().settled, 5);
}

#[test]
fn what_is_settled_long_ago_is_forgotten_but_the_chain_goes_on() {
    let desk = Desk::new(Kind::Pos);
    for counter in [100, 101, 102] {
        desk.approval(&desk.code(counter), pay(100));
    }
    let last = desk.records()[2];
    let later = UnixMillis(desk.now().0 + 36 * 86_400_000);
    let mut store = desk.store();
    store
        .keep_outcomes(&[outcome(1), outcome(2), outcome(3)], 1, b"mark")
        .unwrap();
    store.prune(later).unwrap();
    assert!(matches!(store.records_from(1, 10), Err(StoreError::Pruned)));
    assert_eq!(
        store.records_from(2, 10).unwrap().len(),
        2,
        "what is not settled stays"
    );
    store.keep_outcomes(&[], 3, b"mark").unwrap();
    store.prune(later).unwrap();
    assert_eq!(
        store.records_from(3, 10).unwrap(),
        [last.to_bytes()],
        "the last stays"
    );
    drop(store);
    assert_eq!(desk.refusal(&desk.code(102), pay(100)), crate::Reason::Replay);
    let next = desk.approval(&desk.code(103), pay(100));
    assert_eq!(next.payment.unwrap().record, 4);
}

#[test]
fn a_terminal_without_its_key_does_not_open() {
    let mut desk = Desk::new(Kind::Pos);
    desk.close();
    fs::remove_file(desk.dir.path().join("terminal.key")).unwrap();
    let opened = Terminal::open(desk.dir.path(), &desk.options());
    assert!(matches!(opened, Err(TerminalError::Key(_))), "{opened:?}");
}

#[test]
fn a_second_process_is_told_that_the_terminal_is_busy() {
    let desk = Desk::new(Kind::Pos);
    let second = Terminal::open(desk.dir.path(), &desk.options());
    assert!(
        matches!(second, Err(TerminalError::Store(StoreError::Busy))),
        "{second:?}"
    );
}
