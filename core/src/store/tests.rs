//! The store against damage, theft of its files, a second process and a full disk.

use super::*;
use crate::ports::software::FileKeyWrap;
use std::collections::BTreeMap;
use tempfile::TempDir;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    text: String,
}

impl Record for Note {
    const NAME: &'static str = "note";
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Other {
    text: String,
}

impl Record for Other {
    const NAME: &'static str = "other";
}

const CANARY: &str = "CANARY-refresh-token-8d1f";

fn note() -> Note {
    Note {
        text: CANARY.to_owned(),
    }
}

struct Phone {
    home: TempDir,
}

impl Phone {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("store")
    }

    fn open(&self) -> Result<Store, StoreError> {
        Store::open(
            &self.folder(),
            Arc::new(FileKeyWrap::new(self.home.path().join("device/key"))),
        )
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.folder()).unwrap().map(Result::unwrap);
        entries
            .map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap()))
            .collect()
    }
}

fn phone_with_a_note() -> Phone {
    let phone = Phone::new();
    phone
        .open()
        .unwrap()
        .commit(&Changes::new().put(&note()).unwrap())
        .unwrap();
    phone
}

/// A phone whose journal is in one file, without a log.
fn phone_with_a_note_checkpointed() -> Phone {
    let phone = phone_with_a_note();
    let raw = Connection::open(phone.folder().join("journal.db")).unwrap();
    raw.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    phone
}

fn raw(phone: &Phone) -> Connection {
    Connection::open(phone.folder().join("journal.db")).unwrap()
}

#[test]
fn a_second_opener_is_told_that_the_store_is_busy() {
    let phone = Phone::new();
    let first = phone.open().unwrap();
    assert_eq!(phone.open().err(), Some(StoreError::Busy));
    drop(first);
    assert!(phone.open().is_ok());
}

#[test]
fn every_changed_byte_of_a_sealed_record_is_noticed_and_the_file_is_kept() {
    let phone = phone_with_a_note_checkpointed();
    let sealed: Vec<u8> = raw(&phone)
        .query_row("SELECT sealed FROM records WHERE name = 'note'", [], |row| {
            row.get(0)
        })
        .unwrap();
    let files = phone.files();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 0x40;
        raw(&phone)
            .execute("UPDATE records SET sealed = ?1 WHERE name = 'note'", [changed])
            .unwrap();
        let store = phone.open().unwrap();
        let loss = store.get::<Loss>().unwrap().unwrap();
        assert_eq!(
            (loss.cause, store.get::<Note>().unwrap()),
            (LossCause::Damaged, None),
            "byte {at}"
        );
        let kept = loss.kept.unwrap();
        assert!(kept.exists());
        drop(store);
        for entry in fs::read_dir(phone.folder()).unwrap().map(Result::unwrap) {
            fs::remove_file(entry.path()).unwrap();
        }
        fs::write(phone.folder().join("journal.db"), &files["journal.db"]).unwrap();
    }
}

#[test]
fn no_changed_byte_of_the_file_changes_what_is_read() {
    let phone = phone_with_a_note_checkpointed();
    let whole = phone.files()["journal.db"].clone();
    let mut noticed = 0;
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x01;
        for name in phone.files().keys() {
            fs::remove_file(phone.folder().join(name)).unwrap();
        }
        fs::write(phone.folder().join("journal.db"), &changed).unwrap();
        match phone.open() {
            Ok(store) => match store.get::<Note>() {
                Ok(Some(read)) => assert_eq!(read, note(), "byte {at}"),
                Ok(None) => {
                    assert!(
                        store.get::<Loss>().unwrap().is_some() || store.is_new(),
                        "byte {at} lost the note silently"
                    );
                    noticed += 1;
                }
                Err(error) => panic!("byte {at}: {error}"),
            },
            Err(StoreError::Newer | StoreError::Failed { .. }) => noticed += 1,
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert!(noticed > 200, "only {noticed} changes noticed");
}

#[test]
fn records_that_change_places_are_noticed() {
    let phone = Phone::new();
    let changes = Changes::new()
        .put(&note())
        .unwrap()
        .put(&Other { text: "x".into() })
        .unwrap();
    phone.open().unwrap().commit(&changes).unwrap();
    raw(&phone)
        .execute_batch(
            "UPDATE records SET name = 'between' WHERE name = 'note';
             UPDATE records SET name = 'note' WHERE name = 'other';
             UPDATE records SET name = 'other' WHERE name = 'between';",
        )
        .unwrap();
    assert_eq!(
        phone.open().unwrap().get::<Loss>().unwrap().unwrap().cause,
        LossCause::Damaged
    );
}

#[test]
fn a_record_with_another_version_is_noticed() {
    let phone = phone_with_a_note();
    raw(&phone)
        .execute("UPDATE records SET version = version + 1", [])
        .unwrap();
    assert_eq!(
        phone.open().unwrap().get::<Loss>().unwrap().unwrap().cause,
        LossCause::Damaged
    );
}

#[test]
fn a_file_that_is_no_database_is_put_aside_whole() {
    let phone = phone_with_a_note_checkpointed();
    fs::write(
        phone.folder().join("journal.db"),
        b"no database at all, but long enough to be looked at",
    )
    .unwrap();
    let store = phone.open().unwrap();
    let kept = store.get::<Loss>().unwrap().unwrap().kept.unwrap();
    assert!(fs::read(kept).unwrap().starts_with(b"no database"));
    drop(store);
    assert!(
        phone.open().unwrap().get::<Loss>().unwrap().is_some(),
        "the loss is forgotten by the next open"
    );
}

#[test]
fn without_its_wrapping_key_the_journal_is_put_aside_as_invalidated() {
    let phone = phone_with_a_note();
    fs::remove_file(phone.home.path().join("device/key")).unwrap();
    let loss = phone.open().unwrap().get::<Loss>().unwrap().unwrap();
    assert_eq!(loss.cause, LossCause::KeyInvalidated);
    assert!(loss.kept.unwrap().exists());
}

#[test]
fn nothing_secret_is_in_the_files() {
    let phone = phone_with_a_note();
    let store = phone.open().unwrap();
    store
        .with_cache(|cache, sealer| {
            let id = Uuid::from_u128(7);
            let place = Place {
                table: "accounts",
                column: "sealed",
                row: id.as_bytes(),
                version: 1,
            };
            let sealed = sealer.seal(place, CANARY.as_bytes())?;
            let row = rusqlite::params![id.as_bytes(), 1, 1, sealed];
            cache.execute(
                "INSERT INTO accounts (id, slot, version, sealed) VALUES (?1, ?2, ?3, ?4)",
                row,
            )?;
            Ok(())
        })
        .unwrap();
    let files = phone.files();
    assert!(
        files.contains_key("journal.db-wal") && files.contains_key("cache.db-wal"),
        "{:?}",
        files.keys()
    );
    for (name, bytes) in files {
        assert!(
            !bytes.windows(12).any(|w| w == &CANARY.as_bytes()[..12]),
            "the canary is in {name}"
        );
    }
    assert_eq!(store.get::<Note>().unwrap(), Some(note()));
}

#[test]
fn a_full_disk_is_told_as_such_and_loses_nothing() {
    let phone = phone_with_a_note();
    let store = phone.open().unwrap();
    let limit = |pages: u32| {
        let journal = lock_of(&store.journal);
        let connection = journal.as_ref().unwrap().connection();
        connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
            .unwrap();
    };
    limit(1);
    let large = Note {
        text: "x".repeat(100_000),
    };
    assert_eq!(
        store.commit(&Changes::new().put(&large).unwrap()),
        Err(StoreError::Full)
    );
    assert_eq!(store.get::<Note>().unwrap(), Some(note()));
    limit(1_000);
    store.commit(&Changes::new().put(&large).unwrap()).unwrap();
    drop(store);
    assert_eq!(phone.open().unwrap().get::<Note>().unwrap(), Some(large));
}

#[test]
fn changes_are_made_together_and_records_can_be_removed() {
    let phone = phone_with_a_note();
    let store = phone.open().unwrap();
    let changes = Changes::new()
        .put(&Other { text: "y".into() })
        .unwrap()
        .remove::<Note>();
    store.commit(&changes).unwrap();
    drop(store);
    let store = phone.open().unwrap();
    assert_eq!(
        (store.get::<Note>(), store.get::<Other>()),
        (Ok(None), Ok(Some(Other { text: "y".into() })))
    );
}

#[test]
fn a_damaged_cache_is_put_aside_and_rebuilt_while_the_journal_stays() {
    let phone = phone_with_a_note();
    phone.open().unwrap().with_cache(|_, _| Ok(())).unwrap();
    fs::write(
        phone.folder().join("cache.db"),
        b"rubbish, and more of it than a header is long",
    )
    .unwrap();
    let store = phone.open().unwrap();
    let bills = |store: &Store| {
        store.with_cache(|cache, _| {
            Ok(cache.query_row("SELECT count(*) FROM bills", [], |row| row.get::<_, i64>(0))?)
        })
    };
    assert_eq!(bills(&store), Ok(0));
    assert!(phone.folder().join("cache.damaged-1.db").exists());
    assert_eq!(store.get::<Note>().unwrap(), Some(note()));
}

#[test]
fn wiping_leaves_nothing_and_the_store_usable() {
    let phone = phone_with_a_note();
    let key = fs::read(phone.home.path().join("device/key")).unwrap();
    fs::write(phone.folder().join("journal.damaged-1.db"), b"an old one").unwrap();
    let store = phone.open().unwrap();
    store.with_cache(|_, _| Ok(())).unwrap();
    store.wipe().unwrap();
    assert_eq!((store.get::<Note>(), store.is_new()), (Ok(None), true));
    assert!(
        !phone.folder().join("journal.damaged-1.db").exists() && !phone.folder().join("cache.db").exists()
    );
    assert_ne!(fs::read(phone.home.path().join("device/key")).unwrap(), key);
    store.commit(&Changes::new().put(&note()).unwrap()).unwrap();
    drop(store);
    assert_eq!(phone.open().unwrap().get::<Note>().unwrap(), Some(note()));
}

#[test]
fn a_store_of_a_newer_version_is_left_alone() {
    let phone = phone_with_a_note_checkpointed();
    raw(&phone).pragma_update(None, "user_version", 99).unwrap();
    assert_eq!(phone.open().err(), Some(StoreError::Newer));
    assert!(phone.folder().join("journal.db").exists());
}

#[test]
fn the_log_is_emptied_when_it_has_grown() {
    let phone = phone_with_a_note();
    let store = phone.open().unwrap();
    let log = || fs::metadata(phone.folder().join("journal.db-wal")).unwrap().len();
    for number in 0..100 {
        store
            .commit(
                &Changes::new()
                    .put(&Note {
                        text: number.to_string(),
                    })
                    .unwrap(),
            )
            .unwrap();
    }
    assert!(log() > 128 * 1024);
    store.tidy().unwrap();
    assert_eq!(log(), 0);
    drop(store);
    assert_eq!(
        phone.open().unwrap().get::<Note>().unwrap(),
        Some(Note { text: "99".into() })
    );
}
