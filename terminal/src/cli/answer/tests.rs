//! The JSON that tills read, and the same for people.

use super::*;
use serde_json::{Value, json};
use yika_terminal::{HolderNumber, SaleId};

/// A sync, in both ways to tell it.
fn synced(faces: Option<FacesReport>) -> (Value, String) {
    let answer = Answer::synced(&SyncReport {
        keyset: Accepted::Unchanged,
        revocations: Accepted::New,
        table: Accepted::New,
        deltas: 2,
        directory: None,
        faces,
    });
    (serde_json::to_value(&answer).unwrap(), answer.to_string())
}

#[test]
fn a_sync_tells_what_became_of_portraits() {
    let mut faces = FacesReport {
        accepted: Accepted::New,
        fetched: 3,
        removed: 1,
        refused: 0,
    };
    let (json, text) = synced(Some(faces));
    let expected = json!({
        "keyset": "unchanged",
        "revocations": "new",
        "table": "new",
        "deltas": 2,
        "faces": { "list": "new", "fetched": 3, "removed": 1, "refused": 0 },
    });
    assert_eq!(json, expected);
    assert!(text.ends_with(", faces new (3 fetched, 1 removed)"), "{text}");
    faces.refused = 2;
    let (_, text) = synced(Some(faces));
    assert!(text.ends_with("1 removed, 2 REFUSED)"), "{text}");
}

#[test]
fn a_sync_without_faces_says_nothing_of_them() {
    let (json, text) = synced(None);
    assert!(json.get("faces").is_none() && !text.contains("faces"), "{text}");
}

#[test]
fn a_list_of_faces_has_the_fields_of_a_list_and_two_counts() {
    let list = ListStatus {
        version: 7,
        issued: UnixMillis(1_000),
        good_until: UnixMillis(9_000),
        in_date: true,
    };
    let status = FacesStatus {
        list,
        listed: 3,
        kept: 2,
    };
    let json = serde_json::to_value(Faces::of(&status, UnixMillis(4_000))).unwrap();
    let expected = json!({
        "version": 7, "age_s": 3, "good_until_ms": 9_000, "in_date": true, "listed": 3, "kept": 2,
    });
    assert_eq!(json, expected);
}

/// An identity, approved, in both ways to tell it.
fn approved(holder: Option<Holder>) -> (Value, String) {
    let answer = Answer::verdict(&Verdict::Approved {
        approval: Approval {
            sale: SaleId([7; 16]),
            holder_class: HolderClass::Student,
            time: UnixMillis(5),
            payment: None,
        },
        repeated: false,
        holder,
    });
    (serde_json::to_value(&answer).unwrap(), answer.to_string())
}

#[test]
fn a_number_is_told_or_why_it_is_not() {
    let number = Holder::Number(HolderNumber::new("20260001").unwrap());
    let (json, text) = approved(Some(number));
    assert_eq!(json["holder_number"], "20260001");
    assert_eq!(json.get("holder_number_missing"), None);
    assert_eq!(text, "APPROVED student, number 20260001");
    for (holder, word) in [
        (Holder::Unknown, "unknown"),
        (Holder::OutOfDate, "out_of_date"),
        (Holder::NoDirectory, "none"),
    ] {
        let (json, text) = approved(Some(holder));
        assert_eq!(json["holder_number_missing"], word);
        assert_eq!(json.get("holder_number"), None);
        assert!(text.starts_with("APPROVED student, number not known: "), "{text}");
    }
}

#[test]
fn where_nobody_asks_nothing_is_said_of_a_number() {
    let (json, text) = approved(None);
    let expected = json!({
        "decision": "approved",
        "purpose": "identity",
        "sale": "07070707-0707-0707-0707-070707070707",
        "holder_class": "student",
        "time_ms": 5,
        "repeated": false,
    });
    assert_eq!((json, text.as_str()), (expected, "APPROVED student"));
}
