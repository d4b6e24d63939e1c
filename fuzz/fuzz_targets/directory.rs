//! Directories: whole, as bodies that are signed well (after a `b`), or as entries that are sealed and signed well (after
//! an `e`).
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use yika_format::RecipientKey;
use yika_format::lists::{Directory, ListError};
use yika_fuzz::SCHOOL;
use yika_testkit::{DirectoryBuilder, MessageBuilder, TestKey, directory_entry};

struct Desk {
    key: TestKey,
    recipient: RecipientKey,
}

/// The library desk of the test vectors, so that their whole messages open here too.
static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let key = TestKey::named("north.example library desk");
    Desk {
        recipient: RecipientKey::from_bytes(&key.private()).expect("a test key is a private key"),
        key,
    }
});

fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((b'b', body)) => {
            let message = MessageBuilder::new(&SCHOOL.kit, 6, "YIKA1.dir", body.to_vec());
            let _ = open(&message.build());
        }
        Some((b'e', entries)) => {
            let sealed = DirectoryBuilder {
                entries: entries.to_vec(),
                ..DirectoryBuilder::new(&SCHOOL.kit, &DESK.key)
            };
            match open(&sealed.build()) {
                Ok(directory) => assert_is_the_one_encoding(&directory, entries),
                Err(error) => assert_eq!(error.code(), "MALFORMED"),
            }
        }
        _ => {
            let _ = open(data);
        }
    }
});

fn open(bytes: &[u8]) -> Result<Directory, ListError> {
    Directory::open(bytes, &SCHOOL.keyset, 7, &DESK.recipient)
}

fn assert_is_the_one_encoding(directory: &Directory, entries: &[u8]) {
    let mut again = Vec::new();
    for entry in directory.entries() {
        assert_eq!(directory.number(entry.pseudonym), Some(entry.number));
        again.extend(directory_entry(
            &entry.pseudonym.0,
            entry.number.as_str().as_bytes(),
        ));
    }
    assert_eq!(again, entries, "another encoding of the same entries");
}
