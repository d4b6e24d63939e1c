//! Signed messages that are refused for their body. They are signed by the right key nevertheless, so that nothing but
//! the decoder stands in their way.

use super::list_accepted::{NONCE, changed_rows, numbered, revocation};
use super::list_refused::{Change, Lists, revocations};
use super::world::{World, off_curve};
use super::{Hex, ListMessage};
use crate::{ListBuilder, MessageBuilder, at_ms, sha256};
use yika_format::lists::Row;

pub(super) fn collect(world: &World, lists: &mut Lists) {
    keysets(world, lists);
    tables(world, lists);
    rows(world, lists);
    deltas(world, lists);
    small_bodies(world, lists);
}

/// North's keyset after `change`, signed after it.
pub(super) fn keyset_body(world: &World, change: impl FnOnce(&mut MessageBuilder)) -> Vec<u8> {
    let good = world.north_lists().keyset();
    let mut message = MessageBuilder::new(
        &world.north,
        1,
        "YIKA1.keyset",
        good[50..good.len() - 64].to_vec(),
    );
    change(&mut message);
    message.build()
}

fn keysets(world: &World, lists: &mut Lists) {
    // Entries of 45 bytes: number 0–1, role 2, algorithm 3, from 4–7, to 8–11, key 12–44.
    let changes: [Change<Vec<u8>>; 12] = [
        (
            "a keyset with half an entry is refused",
            "Entries have 45 bytes.",
            |body| body.truncate(60),
        ),
        (
            "a keyset that lists key 0 is refused",
            "0 is the root, which is pinned, not listed.",
            |body| body[..2].fill(0),
        ),
        (
            "a keyset that lists a key twice is refused",
            "Numbers rise strictly.",
            |body| body[46] = 1,
        ),
        (
            "a keyset out of order is refused",
            "Numbers rise strictly.",
            |body| body[1] = 5,
        ),
        ("a key without a role is refused", "Roles are 1 to 3.", |body| {
            body[2] = 0;
        }),
        ("a key of role 4 is refused", "Roles are 1 to 3.", |body| {
            body[2] = 4;
        }),
        (
            "a key of another algorithm is refused",
            "This version verifies algorithm 0.",
            |body| body[3] = 1,
        ),
        (
            "a key that ends when it begins is refused",
            "Its time is empty.",
            |body| body.copy_within(4..8, 8),
        ),
        (
            "a key that ends before it begins is refused",
            "Its time is negative.",
            |body| body[8..12].fill(0),
        ),
        (
            "a credentials' key of more than two years is refused",
            "Hours since its beginning must never wrap.",
            |body| body[8..12].fill(0xff),
        ),
        (
            "a key with an unknown mark is refused",
            "Keys begin with 02 or 03.",
            |body| body[12] = 5,
        ),
        (
            "a key off the curve is refused",
            "Keysets are searched for such keys when they are opened.",
            |body| body[12..45].copy_from_slice(off_curve().as_bytes()),
        ),
    ];
    for (name, why, change) in changes {
        lists.add(
            "MALFORMED",
            name,
            why,
            ListMessage::Keyset,
            keyset_body(world, |message| change(&mut message.body)),
        );
    }
}

/// A table of these rows, whose message body and rows were changed before signing; hashes are made after the rows.
fn table_of(world: &World, policy: [u8; 5], count: u32, rows: &[u8], hashes: &[[u8; 32]]) -> Vec<u8> {
    let body = [&policy[..], &count.to_be_bytes(), hashes.as_flattened()].concat();
    let mut message = MessageBuilder::new(&world.north, 2, "YIKA1.table", body);
    message.after = rows.to_vec();
    message.build()
}

const POLICY: [u8; 5] = [30, 60, 0, 200, 1];

fn two_rows(world: &World) -> [[u8; 50]; 2] {
    changed_rows(world).map(|row| row.to_bytes())
}

fn tables(world: &World, lists: &mut Lists) {
    let rows = two_rows(world);
    let rows = rows.as_flattened();
    let policies: [(&str, &str, [u8; 5]); 4] = [
        (
            "a table whose codes last 9 seconds is refused",
            "Code lives are 10 to 120 seconds.",
            [9, 60, 0, 200, 1],
        ),
        (
            "a table whose codes last 121 seconds is refused",
            "Code lives are 10 to 120 seconds.",
            [121, 60, 0, 200, 1],
        ),
        (
            "a table that allows more than a minute of skew is refused",
            "The skew is at most 60 seconds.",
            [30, 61, 0, 200, 1],
        ),
        (
            "a table with an unknown policy is refused",
            "The last byte of the policy is 0 or 1.",
            [30, 60, 0, 200, 2],
        ),
    ];
    for (name, why, policy) in policies {
        lists.add(
            "MALFORMED",
            name,
            why,
            ListMessage::Table,
            table_of(world, policy, 2, rows, &[sha256(rows)]),
        );
    }
    let hash = sha256(rows);
    lists.add(
        "MALFORMED",
        "a table with fewer rows than it counts is refused",
        "Three are counted, two are there.",
        ListMessage::Table,
        table_of(world, POLICY, 3, rows, &[hash]),
    );
    lists.add(
        "MALFORMED",
        "a table with more rows than it counts is refused",
        "One is counted, two are there.",
        ListMessage::Table,
        table_of(world, POLICY, 1, rows, &[hash]),
    );
    lists.add(
        "MALFORMED",
        "a table that counts four billion rows is refused",
        "Counts are compared before anything is reserved.",
        ListMessage::Table,
        table_of(world, POLICY, u32::MAX, rows, &[hash]),
    );
    lists.add(
        "MALFORMED",
        "a table without its hash is refused",
        "Two rows are one chunk.",
        ListMessage::Table,
        table_of(world, POLICY, 2, rows, &[]),
    );
    lists.add(
        "MALFORMED",
        "a table with a hash too many is refused",
        "Two rows are one chunk.",
        ListMessage::Table,
        table_of(world, POLICY, 2, rows, &[hash, hash]),
    );
    lists.add(
        "CHUNK",
        "a table with other rows than were signed is refused",
        "The hash of the only chunk differs.",
        ListMessage::Table,
        table_of(world, POLICY, 2, rows, &[[7; 32]]),
    );
    let mut raised = world.north_lists().table();
    let end = raised.len();
    raised[end - 41] ^= 1;
    lists.add(
        "CHUNK",
        "a table whose last row was changed is refused",
        "The limit of the last row was raised after signing.",
        ListMessage::Table,
        raised,
    );
    let (bytes, mut input) = numbered(world);
    let mut rows = bytes[input.hex.0.len()..].to_vec();
    let hashes = [sha256(&rows[..4096 * 50]), {
        let last = rows.len() - 1;
        rows[last] ^= 1;
        sha256(&rows[4096 * 50..])
    }];
    let message = table_of(world, POLICY, super::list_accepted::MANY, &[], &hashes);
    input.hex = Hex(message);
    lists.asked(
        "CHUNK",
        "a table whose second chunk differs is refused",
        "The rows from 4,096 on are not those that were signed.",
        ListMessage::Table,
        Vec::new(),
        |case| case.input = input,
    );
}

fn rows(world: &World, lists: &mut Lists) {
    // Rows of 50 bytes: pseudonym 0–4, epoch 5, lowest epoch 6, until 7–8, attributes 9–15, flags 16, key 17–49.
    let changes: [(&str, &str, usize, u8); 9] = [
        ("a row of epoch 0 is refused", "Epochs are 1 to 254.", 5, 0),
        ("a row of epoch 255 is refused", "Epochs are 1 to 254.", 5, 255),
        (
            "a row whose lowest epoch is 0 is refused",
            "Lowest epochs are 1 to 255.",
            6,
            0,
        ),
        (
            "a row whose limit per use is above the cumulative one is refused",
            "The first byte of the limit per use raised.",
            9,
            0xff,
        ),
        (
            "a row with an unknown scope is refused",
            "Scopes are bits 0 to 5.",
            14,
            0x80,
        ),
        (
            "a row of an unknown class is refused",
            "Classes are 1 to 4.",
            15,
            0x16,
        ),
        (
            "a row with an unknown flag is refused",
            "Flags are bits 0 to 2.",
            16,
            0x0c,
        ),
        (
            "a row of an unknown profile is refused",
            "Profiles are 0 and 1.",
            16,
            0x06,
        ),
        (
            "a row whose key has an unknown mark is refused",
            "Keys begin with 02 or 03.",
            17,
            4,
        ),
    ];
    for (name, why, at, value) in changes {
        let mut rows = two_rows(world);
        rows[1][at] = value;
        let rows = rows.as_flattened();
        lists.add(
            "MALFORMED",
            name,
            why,
            ListMessage::Table,
            table_of(world, POLICY, 2, rows, &[sha256(rows)]),
        );
    }
    let [alice, nadia] = two_rows(world);
    for (name, rows) in [
        ("a table out of order is refused", [nadia, alice]),
        ("a table that has a pseudonym twice is refused", [alice, alice]),
    ] {
        let rows = rows.as_flattened();
        lists.add(
            "MALFORMED",
            name,
            "Pseudonyms rise strictly.",
            ListMessage::Table,
            table_of(world, POLICY, 2, rows, &[sha256(rows)]),
        );
    }
}

fn delta_of(world: &World, base: u64, counts: [u32; 2], rows: &[Row], gone: &[&str]) -> Vec<u8> {
    let mut body = base.to_be_bytes().to_vec();
    body.extend(counts.map(u32::to_be_bytes).as_flattened());
    body.extend(rows.iter().flat_map(Row::to_bytes));
    body.extend(gone.iter().flat_map(|name| name.bytes()));
    MessageBuilder {
        version: 8,
        ..MessageBuilder::new(&world.north, 3, "YIKA1.delta", body)
    }
    .build()
}

fn deltas(world: &World, lists: &mut Lists) {
    let [alice, nadia] = changed_rows(world);
    let wrong: [(&str, &str, Vec<u8>); 8] = [
        (
            "a delta whose base is not one below its version is refused",
            "Version 8 is based on 7.",
            delta_of(world, 6, [0, 0], &[], &[]),
        ),
        (
            "a delta on the highest base is refused",
            "There is no version after it.",
            delta_of(world, u64::MAX, [0, 0], &[], &[]),
        ),
        (
            "a delta with more rows than it counts is refused",
            "Counts and length belong together.",
            delta_of(world, 7, [1, 0], &[alice, nadia], &[]),
        ),
        (
            "a delta that counts four billion rows is refused",
            "Counts are compared before anything is reserved.",
            delta_of(world, 7, [u32::MAX, u32::MAX], &[alice], &[]),
        ),
        (
            "a delta whose rows are out of order is refused",
            "Pseudonyms rise strictly.",
            delta_of(world, 7, [2, 0], &[nadia, alice], &[]),
        ),
        (
            "a delta whose deletes are out of order is refused",
            "Pseudonyms rise strictly.",
            delta_of(world, 7, [0, 2], &[], &["erika", "david"]),
        ),
        (
            "a delta that deletes twice is refused",
            "Pseudonyms rise strictly.",
            delta_of(world, 7, [0, 2], &[], &["david", "david"]),
        ),
        (
            "a delta that changes and deletes the same row is refused",
            "It must be one or the other.",
            delta_of(world, 7, [2, 1], &[alice, nadia], &["alice"]),
        ),
    ];
    for (name, why, bytes) in wrong {
        lists.add("MALFORMED", name, why, ListMessage::Delta, bytes);
    }
}

/// A good answer after `change`, signed after it.
pub(super) fn time_body(world: &World, change: impl FnOnce(&mut MessageBuilder)) -> Vec<u8> {
    let body = [&NONCE[..], &at_ms(0).0.to_be_bytes()].concat();
    let mut message = MessageBuilder::new(&world.north, 5, "YIKA1.time", body);
    change(&mut message);
    message.build()
}

fn small_bodies(world: &World, lists: &mut Lists) {
    let north = world.north_lists();
    let of = |body: &[u8]| {
        MessageBuilder {
            body: body.to_vec(),
            ..revocations(world)
        }
        .build()
    };
    lists.add(
        "MALFORMED",
        "revocations with half an entry are refused",
        "Entries have 6 bytes.",
        ListMessage::Revocations,
        of(b"julia\xffleo"),
    );
    lists.add(
        "MALFORMED",
        "revocations with a lowest epoch of 0 are refused",
        "Lowest epochs are 1 to 255.",
        ListMessage::Revocations,
        of(b"julia\x00"),
    );
    let revoked = |names: [&str; 2]| {
        let revoked = names.map(|name| revocation(name, 255)).to_vec();
        ListBuilder {
            revoked,
            ..north.clone()
        }
        .revocations()
    };
    lists.add(
        "MALFORMED",
        "revocations out of order are refused",
        "Pseudonyms rise strictly.",
        ListMessage::Revocations,
        revoked(["oscar", "julia"]),
    );
    lists.add(
        "MALFORMED",
        "revocations that have a pseudonym twice are refused",
        "Pseudonyms rise strictly.",
        ListMessage::Revocations,
        revoked(["julia", "julia"]),
    );
    lists.add(
        "MALFORMED",
        "a time without its last byte is refused",
        "Nonce 16 and time 8.",
        ListMessage::Time,
        time_body(world, |message| message.body.truncate(23)),
    );
    lists.add(
        "MALFORMED",
        "a time with a byte more is refused",
        "Nonce 16 and time 8.",
        ListMessage::Time,
        time_body(world, |message| message.body.push(0)),
    );
    for (name, body) in [
        ("a settled mark without its last byte is refused", vec![0; 15]),
        ("a settled mark with a byte more is refused", vec![0; 17]),
    ] {
        let message = MessageBuilder::new(&world.north, 7, "YIKA1.mark", body);
        lists.add(
            "MALFORMED",
            name,
            "Terminal 8 and record 8.",
            ListMessage::Mark,
            message.build(),
        );
    }
}
