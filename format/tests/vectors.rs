//! The committed test vectors against this crate: each gives the one outcome that it names, the files are those that
//! the generator makes, and no bit of a good one can be changed.

mod support;

use std::collections::BTreeSet;
use std::fs;

use support::Shared;
use yika_format::code::Code;
use yika_format::verifier::Reason;
use yika_testkit::vectors::{Case, files};

#[test]
fn every_vector_gives_the_outcome_that_it_names() {
    let shared = Shared::read();
    let mut wrong = Vec::new();
    for (name, vector) in support::vectors() {
        let outcome = shared.run(&vector.case);
        if outcome.word != vector.expect {
            wrong.push(format!("{name}: {} instead of {}", outcome.word, vector.expect));
        } else if vector.fields.is_some() && outcome.fields != vector.fields {
            wrong.push(format!("{name}: read {:?}", outcome.fields));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_committed_files_are_those_that_the_generator_makes() {
    let made = files();
    let expected: BTreeSet<_> = made.iter().map(|(name, _)| name.clone()).collect();
    let committed: BTreeSet<_> = fs::read_dir(support::folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    assert_eq!(
        committed, expected,
        "run `cargo run -p yika-testkit --bin make-vectors`"
    );
    for (name, text) in made {
        let found = fs::read_to_string(support::folder().join(&name)).unwrap();
        assert!(
            found == text,
            "{name} differs; run `cargo run -p yika-testkit --bin make-vectors`"
        );
    }
}

#[test]
fn every_reason_that_a_verifier_can_give_has_its_vector() {
    let expected: BTreeSet<_> = support::vectors()
        .into_iter()
        .map(|(_, vector)| vector.expect)
        .collect();
    for reason in Reason::ALL {
        // Storage is the terminal's own, outside of any decision about bytes.
        assert!(
            reason == Reason::Storage || expected.contains(reason.code()),
            "no vector is refused as {}",
            reason.code()
        );
    }
    for list in [
        "WRONG_MESSAGE",
        "WRONG_SCHOOL",
        "SIGNER_UNKNOWN",
        "SIGNER_SIG",
        "CHUNK",
        "WRONG_BASE",
        "NOT_NEWER",
        "WRONG_NONCE",
        "WRONG_TERMINAL",
        "SEALED",
    ] {
        assert!(expected.contains(list), "no vector is refused as {list}");
    }
}

/// `bytes` with one bit after the other flipped.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

#[test]
fn no_code_with_a_flipped_bit_is_accepted() {
    let shared = Shared::read();
    let mut flipped = 0;
    for (name, vector) in support::vectors() {
        let Case::Code(case) = &vector.case else { continue };
        if !matches!(vector.expect.as_str(), "APPROVE" | "ANSWER_AS_BEFORE") {
            continue;
        }
        let bytes = Code::from_text(case.input.as_bytes()).unwrap().to_bytes();
        for bytes in flips(&bytes) {
            flipped += 1;
            let decision = shared.decide(case, Code::from_bytes(&bytes));
            assert!(
                decision.is_err(),
                "{name} after a flip: {}",
                String::from(yika_testkit::vectors::Hex(bytes))
            );
        }
    }
    assert!(flipped > 20_000, "only {flipped} flips");
}

#[test]
fn no_code_with_a_changed_character_is_accepted_as_another() {
    let shared = Shared::read();
    for (name, vector) in support::vectors() {
        let Case::Code(case) = &vector.case else { continue };
        if vector.expect != "APPROVE" {
            continue;
        }
        let good = Code::from_text(case.input.as_bytes()).unwrap();
        for at in 0..case.input.len() {
            for change in [1, 2, 0x20, 0x80] {
                let mut text = case.input.clone().into_bytes();
                text[at] ^= change;
                let code = Code::from_text(&text);
                // A letter in the other case is the same letter; a line end may be another.
                if code != Ok(good) {
                    assert!(shared.decide(case, code).is_err(), "{name} with {change} at {at}");
                }
            }
        }
    }
}

#[test]
fn no_message_with_a_flipped_bit_is_accepted() {
    let shared = Shared::read();
    for (name, vector) in support::vectors() {
        let Case::List(case) = &vector.case else { continue };
        // The rows made by rule are covered by the small table.
        if vector.expect != "ACCEPT" || case.input.rows.is_some() {
            continue;
        }
        for bytes in flips(&case.input.bytes()) {
            assert!(shared.run_list(case, &bytes).is_err(), "{name} after a flip");
        }
    }
}

#[test]
fn no_record_with_a_flipped_bit_is_accepted() {
    let shared = Shared::read();
    for (name, vector) in support::vectors() {
        let Case::Sale(case) = &vector.case else { continue };
        if vector.expect != "ACCEPT" {
            continue;
        }
        for bytes in flips(&case.input.0) {
            assert!(shared.run_sale(case, &bytes).is_err(), "{name} after a flip");
        }
    }
}
