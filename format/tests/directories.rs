//! A directory tells its terminal what was sealed, and nobody anything else.

// Helpers of tests stop where a test would.
#![allow(clippy::unwrap_used)]

mod strategies;

use proptest::prelude::*;
use strategies as any_of;
use yika_format::lists::{Directory, HolderNumber, ListError};
use yika_format::{DecodeError, Pseudonym, RecipientKey};
use yika_testkit::{DirectoryBuilder, ListBuilder, SignerKit, TestKey, at_ms, directory_entry};

const DESK: u64 = 7;

fn kit() -> SignerKit {
    SignerKit::new("north.example")
}

fn desk_key() -> TestKey {
    TestKey::named("library desk")
}

fn recipient(key: &TestKey) -> RecipientKey {
    RecipientKey::from_bytes(&key.private()).unwrap()
}

fn open(bytes: &[u8]) -> Result<Directory, ListError> {
    Directory::open(bytes, &kit().keyset(), DESK, &recipient(&desk_key()))
}

fn number(text: &str) -> HolderNumber {
    HolderNumber::new(text).unwrap()
}

/// Two holders, to be changed before they are sealed or signed.
fn two_holders() -> DirectoryBuilder {
    DirectoryBuilder {
        entries: [
            directory_entry(b"alice", b"20260001"),
            directory_entry(b"bruno", b"20260002"),
        ]
        .concat(),
        ..DirectoryBuilder::new(&kit(), &desk_key())
    }
}

#[test]
fn a_directory_laid_out_after_the_specification_opens() {
    let directory = open(&two_holders().build()).unwrap();
    assert_eq!((directory.terminal(), directory.len()), (DESK, 2));
    assert_eq!(directory.header().version, 7);
    assert_eq!(directory.number(Pseudonym(*b"alice")), Some(number("20260001")));
    assert_eq!(directory.number(Pseudonym(*b"bruno")), Some(number("20260002")));
    for nobody in [b"aaaaa", b"alicf", b"zzzzz"] {
        assert_eq!(directory.number(Pseudonym(*nobody)), None);
    }
}

#[test]
fn no_bit_of_the_body_can_be_changed_even_by_who_signs() {
    let good = two_holders().seal();
    for bit in 0..good.body.len() * 8 {
        let mut message = good.clone();
        message.body[bit / 8] ^= 1 << (bit % 8);
        let refused = open(&message.build());
        let expected = match bit / 8 {
            0..8 => matches!(refused, Err(ListError::WrongTerminal)),
            8 | 73..77 => matches!(refused, Err(ListError::Malformed(_))),
            _ => matches!(refused, Err(ListError::Sealed)),
        };
        assert!(expected, "bit {bit}: {refused:?}");
    }
}

#[test]
fn a_directory_is_good_to_the_last_millisecond_of_its_lease() {
    let directory = open(&ListBuilder::new(&kit()).directory(DESK, &desk_key().expanded(), &[])).unwrap();
    assert!(directory.is_empty());
    assert!(directory.header().is_in_date(at_ms(86_400)));
    let mut after = at_ms(86_400);
    after.0 += 1;
    assert!(!directory.header().is_in_date(after));
}

#[test]
fn the_same_entries_are_never_sealed_to_the_same_bytes() {
    let seal = |random| {
        let header = ListBuilder::new(&kit()).header(10);
        Directory::unsigned(&header, DESK, &desk_key().expanded(), &[], random)
            .unwrap()
            .preimage()
            .to_vec()
    };
    assert_eq!(seal([1; 32]), seal([1; 32]));
    assert_ne!(seal([1; 32]), seal([2; 32]));
}

#[test]
fn neither_numbers_nor_keys_are_shown_to_who_debugs() {
    let directory = open(&two_holders().build()).unwrap();
    let key = recipient(&desk_key());
    let shown = format!(
        "{directory:?} {:?} {key:?}",
        directory.entries().collect::<Vec<_>>()
    );
    assert!(!shown.contains("2026"), "{shown}");
    assert!(shown.contains("RecipientKey(…)"), "{shown}");
}

#[test]
fn a_number_is_one_to_thirty_two_visible_characters() {
    let longest = "~".repeat(32);
    for good in ["!", "20260001", &longest] {
        assert_eq!(number(good).as_str(), good);
    }
    let too_long = "7".repeat(33);
    for bad in ["", " ", "2026 0001", "2026\n", "学号", "\u{7f}", &too_long] {
        assert_eq!(
            HolderNumber::new(bad),
            Err(DecodeError::Field("number")),
            "{bad:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn directories_survive_and_find_everyone(
        entries in any_of::directory_entries(),
        asked in prop::collection::vec(any_of::pseudonym(), 20),
        random in any::<[u8; 32]>(),
    ) {
        let lists = ListBuilder::new(&kit());
        let unsigned =
            Directory::unsigned(&lists.header(10), DESK, &desk_key().expanded(), &entries, random).unwrap();
        let signature = kit().table.sign(unsigned.preimage());
        let directory = open(&unsigned.with_signature(&signature)).unwrap();
        prop_assert_eq!(directory.entries().collect::<Vec<_>>(), entries.clone());
        prop_assert_eq!(directory.len(), entries.len());
        for entry in &entries {
            prop_assert_eq!(directory.number(entry.pseudonym), Some(entry.number));
        }
        for pseudonym in asked {
            let found = entries.iter().find(|entry| entry.pseudonym == pseudonym);
            prop_assert_eq!(directory.number(pseudonym), found.map(|entry| entry.number));
        }
    }

    #[test]
    fn whatever_was_sealed_is_refused_or_is_the_one_encoding(
        entries in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..120),
            // Near enough to good ones that some are.
            prop::collection::vec((0..4_u8, 0..4_usize), 0..4).prop_map(|entries| {
                entries
                    .into_iter()
                    .flat_map(|(name, len)| directory_entry(&[name; 5], &vec![b'7'; len]))
                    .collect()
            }),
        ],
    ) {
        let sealed = DirectoryBuilder { entries: entries.clone(), ..two_holders() };
        match open(&sealed.build()) {
            Err(error) => prop_assert!(matches!(error, ListError::Malformed(_)), "{:?}", error),
            Ok(directory) => {
                let again: Vec<u8> = directory
                    .entries()
                    .flat_map(|entry| directory_entry(&entry.pseudonym.0, entry.number.as_str().as_bytes()))
                    .collect();
                prop_assert_eq!(again, entries);
            }
        }
    }

    #[test]
    fn a_directory_opens_for_no_other_key_and_no_other_terminal(
        random in any::<[u8; 32]>(),
        terminal in any::<u64>().prop_filter("another one", |number| *number != DESK),
    ) {
        let bytes = two_holders().build();
        let other = RecipientKey::derive(&random);
        prop_assert_eq!(Directory::open(&bytes, &kit().keyset(), DESK, &other), Err(ListError::Sealed));
        let key = recipient(&desk_key());
        let opened = Directory::open(&bytes, &kit().keyset(), terminal, &key);
        prop_assert_eq!(opened, Err(ListError::WrongTerminal));
    }
}
