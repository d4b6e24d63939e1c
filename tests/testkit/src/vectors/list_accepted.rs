//! Signed messages that are good.

use super::directories::{DESK, desk_key};
use super::world::{World, min_epoch, pseudonym};
use super::{
    Case, Hex, ListCase, ListInput, ListMessage, NumberedRows, Vector, describe_keyset, describe_revocations,
    describe_table,
};
use crate::{ListBuilder, at_ms};
use serde_json::{Value, json};
use yika_format::Pseudonym;
use yika_format::lists::{Delta, Keyset, Revocation, Revocations, Row, Table};

/// The nonce that signed times answer.
pub(super) const NONCE: [u8; 16] = *b"nonce of a POS 7";
/// The rows of the table that is too large to be written out: two chunks.
pub(super) const MANY: u32 = 5000;

pub(super) fn vectors(world: &World) -> Vec<Vector> {
    let north = world.north_lists();
    let keyset = Keyset::open(&north.keyset(), &world.north.pinned_root()).expect("a good keyset opens");
    let table = |bytes: &[u8]| describe_table(&Table::open(bytes, &keyset).expect("a good table opens"));
    let revocations = |bytes: &[u8]| {
        describe_revocations(&Revocations::open(bytes, &keyset).expect("good revocations open"))
    };
    let empty = ListBuilder {
        rows: Vec::new(),
        revoked: Vec::new(),
        ..north.clone()
    };
    let (large, large_input) = numbered(world);
    let time = at_ms(-1);
    vec![
        accepted(
            "a keyset is accepted",
            "Signed by the pinned root.",
            ListMessage::Keyset,
            north.keyset(),
            describe_keyset(&keyset),
        ),
        accepted(
            "a table is accepted",
            "Twelve rows of 50 bytes follow the message.",
            ListMessage::Table,
            north.table(),
            table(&north.table()),
        ),
        accepted(
            "an empty table is accepted",
            "A school may have nobody yet.",
            ListMessage::Table,
            empty.table(),
            table(&empty.table()),
        ),
        case(
            "a table of two chunks is accepted",
            "5,000 rows: a hash for 4,096 and one for the rest.",
            ListMessage::Table,
            large_input,
            table(&large),
        ),
        accepted(
            "revocations are accepted",
            "Three entries.",
            ListMessage::Revocations,
            north.revocations(),
            revocations(&north.revocations()),
        ),
        accepted(
            "empty revocations are accepted",
            "Nobody is revoked.",
            ListMessage::Revocations,
            empty.revocations(),
            revocations(&empty.revocations()),
        ),
        delta(world, &keyset),
        accepted(
            "a signed time is accepted",
            "It answers the terminal's nonce.",
            ListMessage::Time,
            north.time(&NONCE, time),
            json!({ "now_ms": time.0 }),
        ),
        accepted(
            "a settled mark is accepted",
            "Records 1 to 12 of terminal 7 are settled.",
            ListMessage::Mark,
            north.mark(7, 12),
            json!({ "terminal": 7, "sequence": 12 }),
        ),
    ]
}

fn delta(world: &World, keyset: &Keyset) -> Vector {
    let north = world.north_lists();
    let table = Table::open(&north.table(), keyset).expect("a good table opens");
    let next = ListBuilder { version: 8, ..north };
    let bytes = next.delta(&changed_rows(world), &[pseudonym("bruno"), pseudonym("nobdy")]);
    let delta = Delta::open(&bytes, keyset).expect("a good delta opens");
    let after = table.apply(&delta).expect("it is for this table");
    accepted(
        "a delta is applied",
        "Alice changes, nadia is new, bruno goes; one who was never there goes too, which is no fault.",
        ListMessage::Delta,
        bytes,
        describe_table(&after),
    )
}

/// Alice with a new epoch, and nadia.
pub(super) fn changed_rows(world: &World) -> [Row; 2] {
    let row = ListBuilder::row(&world.north);
    let alice = Row {
        min_epoch: min_epoch(3),
        ..row
    };
    [
        alice,
        Row {
            pseudonym: Pseudonym(*b"nadia"),
            ..row
        },
    ]
}

/// A large table: all of its bytes, and the same as message and rule.
pub(super) fn numbered(world: &World) -> (Vec<u8>, ListInput) {
    let template = ListBuilder::row(&world.north);
    let row = |number: u32| {
        let mut name = [0; 5];
        name[1..].copy_from_slice(&number.to_be_bytes());
        Row {
            pseudonym: Pseudonym(name),
            ..template
        }
    };
    let builder = ListBuilder {
        rows: (0..MANY).map(row).collect(),
        ..ListBuilder::new(&world.north)
    };
    let bytes = builder.table();
    let message = bytes.len() - builder.rows.len() * 50;
    let input = ListInput {
        hex: Hex(bytes[..message].to_vec()),
        rows: Some(NumberedRows {
            template: template.to_bytes().into(),
            count: MANY,
        }),
    };
    (bytes, input)
}

/// An entry of the revocations.
pub(super) fn revocation(name: &str, lowest: u8) -> Revocation {
    Revocation {
        pseudonym: pseudonym(name),
        min_epoch: min_epoch(lowest),
    }
}

pub(super) fn accepted(name: &str, why: &str, message: ListMessage, bytes: Vec<u8>, fields: Value) -> Vector {
    let input = ListInput {
        hex: Hex(bytes),
        rows: None,
    };
    case(name, why, message, input, fields)
}

fn case(name: &str, why: &str, message: ListMessage, input: ListInput, fields: Value) -> Vector {
    Vector {
        name: name.to_owned(),
        why: why.to_owned(),
        case: Case::List(Box::new(asked(message, input))),
        expect: "ACCEPT".to_owned(),
        fields: Some(fields),
    }
}

/// What a reader in the north asks for, who has version 6 of keyset, table, revocations, directory and faces, and of the
/// table version 7 where a delta comes. A directory is asked for by terminal 7.
pub(super) fn asked(message: ListMessage, input: ListInput) -> ListCase {
    let versioned = matches!(
        message,
        ListMessage::Keyset
            | ListMessage::Table
            | ListMessage::Revocations
            | ListMessage::Directory
            | ListMessage::Faces
    );
    ListCase {
        message,
        school: "north".to_owned(),
        keyset: (message != ListMessage::Keyset).then(|| "north-keyset".to_owned()),
        have_version: versioned.then_some(6),
        nonce: (message == ListMessage::Time).then(|| NONCE.into()),
        terminal: (message == ListMessage::Directory).then_some(DESK),
        private_key: (message == ListMessage::Directory).then(|| desk_key().private().into()),
        table: (message == ListMessage::Delta).then(|| "north-table".to_owned()),
        input,
    }
}
