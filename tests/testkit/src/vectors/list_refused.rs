//! Signed messages that are refused for their envelope, their signer or their version.

use super::list_accepted::{NONCE, asked, changed_rows};
use super::list_bodies::{self, keyset_body, time_body};
use super::world::World;
use super::{Case, Hex, ListCase, ListInput, ListMessage, Vector};
use crate::{ListBuilder, MessageBuilder, TestKey, at_ms};

/// The time that a QR code without a signature would set.
pub(super) fn unsigned_time(_world: &World) -> Vector {
    let mut lists = Lists(Vec::new());
    let json = br#"{"time":1788249600000}"#.to_vec();
    lists.add(
        "MALFORMED",
        "unsigned JSON does not set the time",
        "Seen in use: a terminal took its time from a QR code that anyone could make.",
        ListMessage::Time,
        json,
    );
    lists.0.remove(0)
}

pub(super) fn vectors(world: &World) -> Vec<Vector> {
    let mut lists = Lists(Vec::new());
    envelopes(world, &mut lists);
    signers(world, &mut lists);
    versions(world, &mut lists);
    list_bodies::collect(world, &mut lists);
    lists.0
}

/// The name of a vector, why it matters, and what makes a good value wrong.
pub(super) type Change<T> = (&'static str, &'static str, fn(&mut T));

/// Vectors of messages, collected.
pub(super) struct Lists(pub(super) Vec<Vector>);

impl Lists {
    /// A message under the usual circumstances.
    pub(super) fn add(&mut self, expect: &str, name: &str, why: &str, message: ListMessage, bytes: Vec<u8>) {
        self.asked(expect, name, why, message, bytes, |_| {});
    }

    /// A message under circumstances after `change`.
    pub(super) fn asked(
        &mut self,
        expect: &str,
        name: &str,
        why: &str,
        message: ListMessage,
        bytes: Vec<u8>,
        change: impl FnOnce(&mut ListCase),
    ) {
        let input = ListInput {
            hex: Hex(bytes),
            rows: None,
        };
        let mut case = asked(message, input);
        change(&mut case);
        self.0.push(Vector {
            name: name.to_owned(),
            why: why.to_owned(),
            case: Case::List(Box::new(case)),
            expect: expect.to_owned(),
            fields: None,
        });
    }
}

/// A good message that says that julia is revoked.
pub(super) fn revocations(world: &World) -> MessageBuilder {
    MessageBuilder::new(&world.north, 4, "YIKA1.revoke", b"julia\xff".to_vec())
}

fn envelopes(world: &World, lists: &mut Lists) {
    let good = revocations(world);
    let changes: [Change<MessageBuilder>; 6] = [
        (
            "a message with another magic is refused",
            "Messages begin with YK.",
            |message| message.magic = *b"KY",
        ),
        ("a message of type 0 is refused", "Types are 1 to 8.", |message| {
            message.kind = 0;
        }),
        ("a message of type 9 is refused", "Types are 1 to 8.", |message| {
            message.kind = 9;
        }),
        (
            "a message of another algorithm is refused",
            "This version verifies algorithm 0.",
            |message| message.algorithm = 1,
        ),
        (
            "a message that ends before it is issued is refused",
            "good_until is not before issued.",
            |message| message.good_until = at_ms(-601),
        ),
        (
            "a message with a byte behind is refused",
            "Nothing follows the signature, but for a table's rows.",
            |message| message.after = vec![0],
        ),
    ];
    for (name, why, change) in changes {
        let mut message = good.clone();
        change(&mut message);
        lists.add("MALFORMED", name, why, ListMessage::Revocations, message.build());
    }
    let bytes = good.build();
    lists.add(
        "MALFORMED",
        "an empty message is refused",
        "There is nothing to read.",
        ListMessage::Revocations,
        Vec::new(),
    );
    lists.add(
        "MALFORMED",
        "a message without its last byte is refused",
        "A download may be cut.",
        ListMessage::Revocations,
        bytes[..bytes.len() - 1].to_vec(),
    );
    let mut long = bytes.clone();
    long[46..50].fill(0xff);
    lists.add(
        "MALFORMED",
        "a message whose length claims four gigabytes is refused",
        "Lengths are compared before anything is reserved.",
        ListMessage::Revocations,
        long,
    );
    let mut zero = bytes;
    let start = zero.len() - 64;
    zero[start..start + 32].fill(0);
    lists.add(
        "MALFORMED",
        "a message whose r is 0 is refused",
        "r and s are from 1 to n − 1.",
        ListMessage::Revocations,
        zero,
    );
    lists.add(
        "WRONG_MESSAGE",
        "revocations are no table",
        "A good message, of another kind than was asked for.",
        ListMessage::Table,
        good.build(),
    );
    lists.add(
        "WRONG_MESSAGE",
        "a table is no keyset",
        "A good message, of another kind than was asked for.",
        ListMessage::Keyset,
        world.north_lists().table(),
    );
    lists.add(
        "WRONG_SCHOOL",
        "revocations of another school are refused",
        "South's list at a terminal of the north.",
        ListMessage::Revocations,
        world.south_lists().revocations(),
    );
    lists.add(
        "WRONG_SCHOOL",
        "a keyset of another school is refused",
        "South's keyset under north's root.",
        ListMessage::Keyset,
        world.south_lists().keyset(),
    );
}

fn signers(world: &World, lists: &mut Lists) {
    let by = |signer: u16, key: &TestKey| MessageBuilder {
        signer,
        key: key.clone(),
        ..revocations(world)
    };
    let north = &world.north;
    lists.add(
        "SIGNER_UNKNOWN",
        "revocations of an unknown key are refused",
        "The keyset lists no key 12.",
        ListMessage::Revocations,
        by(12, &north.table).build(),
    );
    lists.add(
        "SIGNER_UNKNOWN",
        "revocations by the credentials' key are refused",
        "Key 1 signs credentials only.",
        ListMessage::Revocations,
        by(1, &north.credential).build(),
    );
    lists.add(
        "SIGNER_UNKNOWN",
        "revocations by the root are refused",
        "The root signs keysets only.",
        ListMessage::Revocations,
        by(0, &north.root).build(),
    );
    lists.add(
        "SIGNER_UNKNOWN",
        "revocations by a key whose time has passed are refused",
        "Key 11 was good until yesterday.",
        ListMessage::Revocations,
        by(11, &TestKey::named("north.example table before")).build(),
    );
    lists.add(
        "SIGNER_UNKNOWN",
        "a time signed by the table's key is refused",
        "Only keys for time set clocks.",
        ListMessage::Time,
        time_body(world, |message| {
            message.signer = 10;
            message.key = north.table.clone();
        }),
    );
    lists.add(
        "SIGNER_UNKNOWN",
        "a keyset signed by the credentials' key is refused",
        "Only the root, key 0, signs keysets.",
        ListMessage::Keyset,
        keyset_body(world, |message| {
            message.signer = 1;
            message.key = north.credential.clone();
        }),
    );
    lists.add(
        "SIGNER_SIG",
        "a keyset signed by another root is refused",
        "The root is pinned.",
        ListMessage::Keyset,
        keyset_body(world, |message| message.key = TestKey::named("forger")),
    );
    lists.add(
        "SIGNER_SIG",
        "a time signed by a forger is refused",
        "Key 20 did not sign it.",
        ListMessage::Time,
        time_body(world, |message| message.key = TestKey::named("forger")),
    );
    lists.add(
        "SIGNER_SIG",
        "revocations signed under another tag are refused",
        "Each kind of message has its own tag.",
        ListMessage::Revocations,
        MessageBuilder {
            tag: "YIKA1.table",
            ..revocations(world)
        }
        .build(),
    );
    let mut shortened = revocations(world).build();
    shortened[55] = 1;
    lists.add(
        "SIGNER_SIG",
        "revocations with a changed entry are refused",
        "The body is signed.",
        ListMessage::Revocations,
        shortened,
    );
    let mut lasting = revocations(world).build();
    lasting[38] = 1;
    lists.add(
        "SIGNER_SIG",
        "revocations made good for longer are refused",
        "The header is signed.",
        ListMessage::Revocations,
        lasting,
    );
    let mut newer = world.north_lists().table();
    newer[29] = 200;
    lists.add(
        "SIGNER_SIG",
        "a table given a higher version is refused",
        "The header is signed.",
        ListMessage::Table,
        newer,
    );
}

fn versions(world: &World, lists: &mut Lists) {
    let north = world.north_lists();
    lists.asked(
        "NOT_NEWER",
        "the table that a terminal has already is refused",
        "Versions only rise.",
        ListMessage::Table,
        north.table(),
        |case| case.have_version = Some(7),
    );
    lists.asked(
        "NOT_NEWER",
        "older revocations are refused",
        "Otherwise who was revoked could be brought back.",
        ListMessage::Revocations,
        north.revocations(),
        |case| case.have_version = Some(8),
    );
    lists.asked(
        "NOT_NEWER",
        "an older keyset is refused",
        "Otherwise a key that was dropped could be brought back.",
        ListMessage::Keyset,
        north.keyset(),
        |case| case.have_version = Some(9),
    );
    for (version, name, why) in [
        (
            7,
            "a delta on an older version is refused",
            "It is from 6 to 7, the table is at 7.",
        ),
        (
            9,
            "a delta that leaves one out is refused",
            "It is from 8 to 9, the table is at 7.",
        ),
    ] {
        let delta = ListBuilder {
            version,
            ..north.clone()
        }
        .delta(&changed_rows(world), &[]);
        lists.add("WRONG_BASE", name, why, ListMessage::Delta, delta);
    }
    lists.asked(
        "WRONG_NONCE",
        "a time for another question is refused",
        "Answers kept from earlier can't set the clock back.",
        ListMessage::Time,
        north.time(&NONCE, at_ms(0)),
        |case| case.nonce = Some(Hex(vec![7; 16])),
    );
}
