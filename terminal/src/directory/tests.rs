//! The directory at a desk: whom it names, when it doesn't, and that it decides nothing.

use super::*;
use crate::store::ListKind;
use crate::testing::{Desk, TERMINAL, identity, pay};
use crate::{Accepted, Request, TerminalError, Verdict};
use yika_api::terminal::TerminalKind as Kind;
use yika_format::code::Use;
use yika_format::lists::DirectoryEntry;
use yika_testkit::{DirectoryBuilder, ListBuilder, TestKey};

const NUMBER: &str = "20260001";

fn entry(pseudonym: &[u8; 5], number: &str) -> DirectoryEntry {
    DirectoryEntry {
        pseudonym: Pseudonym(*pseudonym),
        number: HolderNumber::new(number).unwrap(),
    }
}

/// A directory of this version, sealed to the desk's key.
fn directory(desk: &Desk, version: u64, entries: &[DirectoryEntry]) -> Vec<u8> {
    let key = load_key(&desk.home.directory_key()).unwrap().unwrap();
    let lists = ListBuilder {
        version,
        ..ListBuilder::new(&desk.kit)
    };
    lists.directory(TERMINAL, &key.public(), entries)
}

/// A library desk that knows whose pseudonym the kit's phone has.
fn informed_desk() -> Desk {
    let desk = Desk::new(Kind::Library);
    let bytes = directory(&desk, 7, &[entry(b"alice", NUMBER)]);
    assert_eq!(desk.accept_directory(&bytes).unwrap(), Accepted::New);
    desk
}

/// The kit's phone showing an identity, in full form: no table is asked.
fn identity_code(desk: &Desk, counter: u16) -> String {
    let mut code = desk.shown(counter);
    code.dynamic.usage = Use::Identity;
    code.full().to_text()
}

/// Whom the desk names behind a code that it must approve.
#[track_caller]
fn named(desk: &Desk, text: &str, request: Request) -> Option<Holder> {
    match desk.verify(text.as_bytes(), request).unwrap() {
        Verdict::Approved { holder, .. } => holder,
        refused => panic!("{refused:?}"),
    }
}

#[track_caller]
fn named_now(desk: &Desk, counter: u16) -> Holder {
    named(desk, &identity_code(desk, counter), identity()).unwrap()
}

fn refusal(result: Result<Accepted, TerminalError>) -> ListError {
    match result {
        Err(TerminalError::List { source, .. }) => source,
        other => panic!("{other:?}"),
    }
}

fn alice() -> Holder {
    Holder::Number(HolderNumber::new(NUMBER).unwrap())
}

#[test]
fn a_desk_names_the_holder_also_after_a_restart() {
    let mut desk = informed_desk();
    assert_eq!(named_now(&desk, 100), alice());
    desk.restart();
    assert_eq!(named_now(&desk, 101), alice());
}

#[test]
fn a_desk_that_is_asked_again_names_the_holder_again() {
    let desk = informed_desk();
    let (text, request) = (identity_code(&desk, 100), identity());
    for _ in 0..2 {
        assert_eq!(named(&desk, &text, request), Some(alice()));
    }
}

#[test]
fn who_is_not_in_the_directory_is_approved_without_a_number() {
    let desk = Desk::new(Kind::Library);
    let bytes = directory(&desk, 7, &[entry(b"bobby", NUMBER)]);
    desk.accept_directory(&bytes).unwrap();
    assert_eq!(named_now(&desk, 100), Holder::Unknown);
}

#[test]
fn without_a_directory_nobody_is_named() {
    assert_eq!(named_now(&Desk::new(Kind::Library), 100), Holder::NoDirectory);
}

#[test]
fn past_its_date_a_directory_names_nobody_and_refuses_nobody() {
    let desk = informed_desk();
    desk.clock.advance(86_400_000);
    assert_eq!(named_now(&desk, 100), alice(), "in the last millisecond");
    desk.clock.advance(1);
    assert_eq!(named_now(&desk, 101), Holder::OutOfDate);
    assert!(!desk.status().unwrap().directory.unwrap().in_date);
}

#[test]
fn numbers_are_told_for_identities_at_library_desks_alone() {
    let desk = informed_desk();
    assert_eq!(named(&desk, &desk.code(100), pay(300)), None);
    let gate = Desk::new(Kind::Gate);
    assert_eq!(named(&gate, &identity_code(&gate, 100), identity()), None);
    let pos = Desk::new(Kind::Pos);
    let bytes = informed_desk().store().list(ListKind::Directory).unwrap().bytes;
    assert!(matches!(
        pos.accept_directory(&bytes),
        Err(TerminalError::HasNoDirectory)
    ));
}

#[test]
fn an_older_directory_is_refused_also_after_a_restart() {
    let mut desk = informed_desk();
    let newer = directory(&desk, 9, &[entry(b"alice", "T-7")]);
    assert_eq!(desk.accept_directory(&newer).unwrap(), Accepted::New);
    assert_eq!(desk.accept_directory(&newer).unwrap(), Accepted::Unchanged);
    desk.restart();
    let older = directory(&desk, 8, &[entry(b"alice", NUMBER)]);
    let not_newer = ListError::NotNewer { got: 8, have: 9 };
    assert_eq!(refusal(desk.accept_directory(&older)), not_newer);
    assert_eq!(desk.status().unwrap().directory.unwrap().version, 9);
    assert_eq!(named_now(&desk, 100).number().unwrap().as_str(), "T-7");
}

#[test]
fn a_directory_for_another_desk_or_key_leaves_the_old_one_in_service() {
    let desk = informed_desk();
    let other = |terminal| {
        let mut builder = DirectoryBuilder::new(&desk.kit, &TestKey::named("another desk"));
        builder.message.version = 8;
        builder.terminal = terminal;
        builder.sealed_for.1 = terminal;
        builder.build()
    };
    assert_eq!(
        refusal(desk.accept_directory(&other(8))),
        ListError::WrongTerminal
    );
    assert_eq!(
        refusal(desk.accept_directory(&other(TERMINAL))),
        ListError::Sealed
    );
    assert_eq!(named_now(&desk, 100), alice());
}

#[test]
fn without_its_key_a_desk_opens_and_decides_as_before_but_names_nobody() {
    for damage in [None, Some(&b"no key"[..]), Some(&[0; 32]), Some(&[1; 33])] {
        let mut desk = informed_desk();
        let path = desk.home.directory_key();
        desk.close();
        match damage {
            None => fs::remove_file(&path).unwrap(),
            Some(bytes) => fs::write(&path, bytes).unwrap(),
        }
        desk.restart();
        assert_eq!(named_now(&desk, 100), Holder::NoDirectory, "{damage:?}");
        assert_eq!(
            desk.refusal(&desk.code(101), identity()),
            crate::Reason::WrongKind
        );
    }
}

#[test]
fn a_kept_directory_that_is_damaged_serves_no_more_and_is_taken_anew() {
    let mut desk = informed_desk();
    let bytes = desk.store().list(ListKind::Directory).unwrap().bytes;
    let mut damaged = bytes.clone();
    damaged[100] ^= 1;
    desk.store()
        .keep_list(ListKind::Directory, 7, Some(&damaged))
        .unwrap();
    desk.restart();
    assert_eq!(named_now(&desk, 100), Holder::NoDirectory);
    assert_eq!(desk.accept_directory(&bytes).unwrap(), Accepted::New);
    assert_eq!(named_now(&desk, 101), alice());
}

#[test]
fn a_keyset_without_the_tables_key_takes_the_directory_out_of_service() {
    let desk = informed_desk();
    let mut rotated = ListBuilder {
        version: 8,
        ..ListBuilder::new(&desk.kit)
    };
    rotated.keys.retain(|key| key.id.0 != 10);
    desk.accept_keyset(&rotated.keyset()).unwrap();
    assert!(desk.lists().directory().is_none());
}

#[test]
fn numbers_are_neither_in_the_clear_on_the_disk_nor_shown_to_who_debugs() {
    let mut desk = informed_desk();
    let verdict = desk.verify(identity_code(&desk, 100).as_bytes(), identity());
    let shown = format!("{verdict:?} {:?} {:?}", desk.lists(), &*desk);
    assert!(!shown.contains(NUMBER), "{shown}");
    let key = fs::read(desk.home.directory_key()).unwrap();
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(
        !shown.contains(&hex) && !shown.contains(&format!("{key:?}")),
        "{shown}"
    );
    desk.close();
    for file in fs::read_dir(desk.dir.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(
            !bytes
                .windows(NUMBER.len())
                .any(|window| window == NUMBER.as_bytes()),
            "{}",
            path.display()
        );
    }
}

#[test]
fn each_answer_has_its_word() {
    let words = [Holder::Unknown, Holder::OutOfDate, Holder::NoDirectory].map(|holder| holder.missing());
    assert_eq!(words, [Some("unknown"), Some("out_of_date"), Some("none")]);
    assert_eq!((alice().missing(), Holder::Unknown.number()), (None, None));
}
