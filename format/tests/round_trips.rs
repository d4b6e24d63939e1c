//! Properties of every encoding: what is written is read again, what is read has no other encoding, and nothing at all
//! makes a decoder panic.

mod strategies;

use proptest::prelude::*;
use strategies as any_of;
use yika_format::code::Code;
use yika_format::confirmation::Confirmation;
use yika_format::credential::Credential;
use yika_format::lists::{Delta, Directory, Faces, Keyset, Revocations, Row, SettledMark, SignedTime, Table};
use yika_format::sale::SignedSale;
use yika_format::{FaceReference, RecipientKey, Sequence, Signature, UnixMillis};
use yika_testkit::{ListBuilder, SignerKit};

fn kit() -> SignerKit {
    SignerKit::new("north.example")
}

fn text_of(code: &Code) -> String {
    match code {
        Code::Short(code) => code.to_text(),
        Code::Full(code) => code.to_text(),
    }
}

/// Reads bytes with every decoder, and checks that what was read has exactly these bytes.
fn read_with_all(bytes: &[u8]) {
    let keyset = kit().keyset();
    if let Ok(code) = Code::from_bytes(bytes) {
        assert_eq!(code.to_bytes(), bytes);
    }
    if let Ok(credential) = Credential::decode(bytes) {
        assert_eq!(credential.to_bytes(), bytes);
    }
    if let Ok(sale) = SignedSale::decode(bytes) {
        assert_eq!(sale.to_bytes(), bytes);
    }
    if let Some(Ok(row)) = bytes.first_chunk().map(Row::decode) {
        assert_eq!(row.to_bytes(), bytes[..50]);
    }
    let _ = Code::from_text(bytes);
    let _ = Confirmation::from_text(bytes);
    let _ = Signature::from_raw_or_der(bytes);
    let _ = Keyset::open(bytes, &kit().pinned_root());
    let _ = Table::open(bytes, &keyset);
    let _ = Delta::open(bytes, &keyset);
    let _ = Revocations::open(bytes, &keyset);
    let _ = SignedTime::open(bytes, &keyset, &[0; 16]);
    let _ = SettledMark::open(bytes, &keyset);
    let _ = Faces::open(bytes, &keyset);
    let _ = Directory::open(bytes, &keyset, 7, &RecipientKey::derive(&[7; 32]));
}

proptest! {
    #[test]
    fn any_bytes_are_taken_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_with_all(&bytes);
    }

    #[test]
    fn good_bytes_with_some_changed_are_refused_or_are_the_one_encoding(
        code in any_of::code_for(any_of::usage()),
        sale in any_of::sale(),
        signature in any_of::signature(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let good = [code.to_bytes(), sale.with_signature(signature).to_bytes()];
        for mut bytes in good {
            for (at, value) in &changes {
                *at.get_mut(&mut bytes) = *value;
            }
            read_with_all(&bytes);
            read_with_all(&bytes[..117.min(bytes.len())]);
        }
    }

    #[test]
    fn any_text_is_taken_without_panic(text in "(\\]Q[0-9])?C[123][0-9A-Za-z $%*+./:\r\n-]{0,290}") {
        if let Ok(code) = Code::from_text(text.as_bytes()) {
            prop_assert!(text.to_ascii_uppercase().contains(&text_of(&code)));
        }
        let _ = Confirmation::from_text(text.as_bytes());
    }

    #[test]
    fn codes_survive_as_bytes_and_as_text(code in any_of::code_for(any_of::usage())) {
        prop_assert_eq!(Code::from_bytes(&code.to_bytes()), Ok(code));
        let text = text_of(&code);
        prop_assert_eq!(Code::from_text(text.as_bytes()), Ok(code));
        let typed = format!("]Q1{}\r\n", text.to_ascii_lowercase());
        prop_assert_eq!(Code::from_text(typed.as_bytes()), Ok(code));
    }

    #[test]
    fn credentials_survive(credential in any_of::credential()) {
        prop_assert_eq!(Credential::decode(&credential.to_bytes()), Ok(credential));
    }

    #[test]
    fn rows_survive(row in any_of::row()) {
        prop_assert_eq!(Row::decode(&row.to_bytes()), Ok(row));
    }

    #[test]
    fn confirmations_survive(asked in any_of::confirmation()) {
        prop_assert_eq!(Confirmation::from_text(asked.to_text().as_bytes()), Ok(asked));
    }

    #[test]
    fn references_of_faces_survive_as_text(reference in any_of::face_reference()) {
        let text = reference.to_string();
        prop_assert_eq!(text.parse::<FaceReference>(), Ok(reference));
        let upper = text.to_ascii_uppercase();
        prop_assert_eq!(upper.parse::<FaceReference>().is_ok(), upper == text);
        prop_assert!((text.clone() + "0").parse::<FaceReference>().is_err());
        prop_assert!(text[1..].parse::<FaceReference>().is_err());
    }

    #[test]
    fn references_of_faces_have_one_text(text in "[0-9a-gA-F/.]{32}|.{0,40}") {
        if let Ok(reference) = text.parse::<FaceReference>() {
            prop_assert_eq!(reference.to_string(), text);
        }
    }

    #[test]
    fn records_of_sales_survive(record in any_of::sale(), signature in any_of::signature()) {
        let sale = record.with_signature(signature);
        prop_assert_eq!(SignedSale::decode(&sale.to_bytes()), Ok(sale));
    }

    #[test]
    fn sequences_rise_with_epoch_first_and_counter_second(
        (a, b) in (any_of::epoch(), any_of::epoch()),
        (c, d) in (any_of::counter(), any_of::counter()),
    ) {
        prop_assert_eq!(Sequence::new(a, c).cmp(&Sequence::new(b, d)), (a, c).cmp(&(b, d)));
        prop_assert!(Sequence::new(a, c).get() < 1 << 24);
    }
}

// Each case signs, so fewer of them.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn keysets_survive(keys in any_of::keys()) {
        let bytes = ListBuilder { keys: keys.clone(), ..ListBuilder::new(&kit()) }.keyset();
        let keyset = Keyset::open(&bytes, &kit().pinned_root()).unwrap();
        prop_assert_eq!(keyset.entries().copied().collect::<Vec<_>>(), keys.clone());
        for entry in keys {
            let at = |seconds: u32| keyset.key(entry.id, entry.role, yika_format::UnixSeconds(seconds).into());
            prop_assert!(at(entry.from.0).is_some_and(|found| found.key.compress() == entry.key));
            prop_assert!(at(entry.to.0).is_none());
        }
    }

    #[test]
    fn tables_survive(rows in any_of::rows(), policy in any_of::policy()) {
        let bytes = ListBuilder { rows: rows.clone(), policy, ..ListBuilder::new(&kit()) }.table();
        let table = Table::open(&bytes, &kit().keyset()).unwrap();
        prop_assert_eq!(table.rows().collect::<Vec<_>>(), rows.clone());
        prop_assert_eq!(*table.policy(), policy);
        prop_assert!(rows.iter().all(|row| table.row(row.pseudonym) == Some(*row)));
    }

    #[test]
    fn revocations_survive(revoked in any_of::revocations()) {
        let bytes = ListBuilder { revoked: revoked.clone(), ..ListBuilder::new(&kit()) }.revocations();
        let list = Revocations::open(&bytes, &kit().keyset()).unwrap();
        prop_assert_eq!(list.entries(), &revoked[..]);
        prop_assert!(revoked.iter().all(|entry| list.min_epoch(entry.pseudonym) == entry.min_epoch));
    }

    #[test]
    fn faces_survive_and_no_other_is_found(
        entries in any_of::face_entries(),
        asked in prop::collection::vec(any_of::face_reference(), 20),
    ) {
        let bytes = ListBuilder::new(&kit()).faces(&entries);
        let list = Faces::open(&bytes, &kit().keyset()).unwrap();
        prop_assert_eq!(list.entries(), &entries[..]);
        for reference in entries.iter().map(|entry| entry.reference).chain(asked) {
            let found = entries.iter().find(|entry| entry.reference == reference);
            prop_assert_eq!(list.digest(reference), found.map(|entry| entry.digest));
        }
    }

    #[test]
    fn times_and_marks_survive(nonce in any::<[u8; 16]>(), [a, b] in any::<[u64; 2]>()) {
        let lists = ListBuilder::new(&kit());
        let time = SignedTime::open(&lists.time(&nonce, UnixMillis(a)), &kit().keyset(), &nonce).unwrap();
        prop_assert_eq!(time.now, UnixMillis(a));
        let mark = SettledMark::open(&lists.mark(a, b), &kit().keyset()).unwrap();
        prop_assert_eq!(mark, SettledMark { terminal: a, sequence: b });
    }
}
