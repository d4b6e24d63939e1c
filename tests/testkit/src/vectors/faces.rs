//! Lists of faces, good ones and what is wrong with one.

use super::list_accepted::accepted;
use super::list_refused::{Change, Lists};
use super::world::World;
use super::{ListMessage, Vector, describe_faces};
use crate::{ListBuilder, MessageBuilder, face_entry};
use yika_format::lists::{FaceEntry, Faces, Keyset};

const ENTRY_LEN: usize = 48;

pub(super) fn vectors(world: &World) -> Vec<Vector> {
    let mut vectors = good(world);
    let mut lists = Lists(Vec::new());
    messages(world, &mut lists);
    bodies(world, &mut lists);
    vectors.append(&mut lists.0);
    vectors
}

/// Three portraits.
fn three() -> [FaceEntry; 3] {
    [
        face_entry(0x11, b"one portrait"),
        face_entry(0x22, b"another portrait"),
        face_entry(0xee, b"a third portrait"),
    ]
}

fn good(world: &World) -> Vec<Vector> {
    let north = world.north_lists();
    let keyset = Keyset::open(&north.keyset(), &world.north.pinned_root()).expect("a good keyset opens");
    let vector = |name, why, entries: &[FaceEntry]| {
        let bytes = north.faces(entries);
        let faces = Faces::open(&bytes, &keyset).expect("good faces open");
        accepted(name, why, ListMessage::Faces, bytes, describe_faces(&faces))
    };
    vec![
        vector("faces are accepted", "Three entries.", &three()),
        vector(
            "empty faces are accepted",
            "Nobody has a portrait at this terminal any more.",
            &[],
        ),
        vector(
            "faces of the same portrait twice are accepted",
            "A portrait that was delivered anew has another reference and the same digest.",
            &[face_entry(0, b"one portrait"), face_entry(0xff, b"one portrait")],
        ),
    ]
}

/// The list of the three portraits, to be changed before it is signed.
fn message(world: &World) -> MessageBuilder {
    let good = world.north_lists().faces(&three());
    MessageBuilder::new(&world.north, 8, "YIKA1.faces", good[50..good.len() - 64].to_vec())
}

fn messages(world: &World, lists: &mut Lists) {
    let good = message(world);
    lists.add(
        "WRONG_MESSAGE",
        "faces are no revocations",
        "A good message, of another kind than was asked for.",
        ListMessage::Revocations,
        good.build(),
    );
    lists.add(
        "WRONG_SCHOOL",
        "faces of another school are refused",
        "South's list at a terminal of the north.",
        ListMessage::Faces,
        ListBuilder::new(&world.south).faces(&three()),
    );
    for (name, why, signer, key) in [
        (
            "faces by the credentials' key are refused",
            "Key 1 signs credentials only.",
            1,
            &world.north.credential,
        ),
        (
            "faces by the time's key are refused",
            "Key 20 signs time only.",
            20,
            &world.north.time,
        ),
    ] {
        let message = MessageBuilder {
            signer,
            key: key.clone(),
            ..good.clone()
        };
        lists.add("SIGNER_UNKNOWN", name, why, ListMessage::Faces, message.build());
    }
    let other_tag = MessageBuilder {
        tag: "YIKA1.dir",
        ..good.clone()
    };
    lists.add(
        "SIGNER_SIG",
        "faces signed under another tag are refused",
        "Each kind of message has its own tag.",
        ListMessage::Faces,
        other_tag.build(),
    );
    let mut replaced = good.build();
    replaced[50 + 16] ^= 1;
    lists.add(
        "SIGNER_SIG",
        "faces with another digest than was signed are refused",
        "Otherwise another's portrait could be put in.",
        ListMessage::Faces,
        replaced,
    );
    let mut lasting = good.build();
    lasting[38] = 1;
    lists.add(
        "SIGNER_SIG",
        "faces made good for longer are refused",
        "The lease is signed.",
        ListMessage::Faces,
        lasting,
    );
    for (have, name, why) in [
        (
            7,
            "the faces that a terminal has already are refused",
            "Versions only rise.",
        ),
        (
            8,
            "older faces are refused",
            "Otherwise a portrait that was taken back could return.",
        ),
    ] {
        lists.asked("NOT_NEWER", name, why, ListMessage::Faces, good.build(), |case| {
            case.have_version = Some(have);
        });
    }
}

fn bodies(world: &World, lists: &mut Lists) {
    // Entries of 48 bytes: reference 0–15, digest 16–47.
    let changes: [Change<MessageBuilder>; 5] = [
        (
            "faces with half an entry are refused",
            "Entries have 48 bytes.",
            |message| message.body.truncate(2 * ENTRY_LEN + 24),
        ),
        (
            "faces with a byte more are refused",
            "Entries have 48 bytes.",
            |message| message.body.push(0),
        ),
        (
            "faces out of order are refused",
            "References rise strictly.",
            |message| message.body.rotate_left(ENTRY_LEN),
        ),
        (
            "faces that have a reference twice are refused",
            "References rise strictly, whatever the digests are.",
            |message| message.body.copy_within(..16, ENTRY_LEN),
        ),
        (
            "faces with a byte behind are refused",
            "Nothing follows the signature.",
            |message| message.after = vec![0],
        ),
    ];
    for (name, why, change) in changes {
        let mut message = message(world);
        change(&mut message);
        lists.add("MALFORMED", name, why, ListMessage::Faces, message.build());
    }
}
