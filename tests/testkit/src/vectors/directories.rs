//! Directories, good ones and what is wrong with one: the message around it, the seal, and what was sealed.

use super::list_accepted::accepted;
use super::list_refused::Lists;
use super::world::{World, pseudonym};
use super::{ListMessage, Vector, describe_directory};
use crate::{DirectoryBuilder, ListBuilder, MessageBuilder, TestKey, directory_entry};
use yika_format::RecipientKey;
use yika_format::lists::{Directory, DirectoryEntry, HolderNumber, Keyset};

/// The library desk that the directories are for.
pub(super) const DESK: u64 = 7;

/// The key that it enrolled.
pub(super) fn desk_key() -> TestKey {
    TestKey::named("north.example library desk")
}

pub(super) fn vectors(world: &World) -> Vec<Vector> {
    let mut vectors = good(world);
    let mut lists = Lists(Vec::new());
    messages(world, &mut lists);
    bodies(world, &mut lists);
    seals(world, &mut lists);
    entries(world, &mut lists);
    vectors.append(&mut lists.0);
    vectors
}

fn entry(name: &str, number: &str) -> DirectoryEntry {
    DirectoryEntry {
        pseudonym: pseudonym(name),
        number: HolderNumber::new(number).expect("1 to 32 visible characters"),
    }
}

/// Three holders.
fn holders() -> [DirectoryEntry; 3] {
    [
        entry("alice", "20260001"),
        entry("bruno", "20260002"),
        entry("carla", "T-0815"),
    ]
}

fn good(world: &World) -> Vec<Vector> {
    let north = world.north_lists();
    let keyset = Keyset::open(&north.keyset(), &world.north.pinned_root()).expect("a good keyset opens");
    let key = RecipientKey::from_bytes(&desk_key().private()).expect("a private key");
    let vector = |name, why, entries: &[DirectoryEntry]| {
        let bytes = north.directory(DESK, &desk_key().expanded(), entries);
        let directory = Directory::open(&bytes, &keyset, DESK, &key).expect("a good directory opens");
        accepted(
            name,
            why,
            ListMessage::Directory,
            bytes,
            describe_directory(&directory),
        )
    };
    let longest: String = ('!'..='~').rev().take(HolderNumber::MAX_LEN).collect();
    vec![
        vector("a directory is accepted", "Three holders.", &holders()),
        vector(
            "an empty directory is accepted",
            "Nobody has enrolled yet; 16 sealed bytes are the tag.",
            &[],
        ),
        vector(
            "a directory with the shortest and the longest number is accepted",
            "Numbers have 1 to 32 characters from ! to ~.",
            &[entry("alice", "!"), entry("bruno", &longest)],
        ),
    ]
}

/// The three holders, to be changed before they are sealed.
fn three(world: &World) -> DirectoryBuilder {
    DirectoryBuilder {
        entries: [
            directory_entry(b"alice", b"20260001"),
            directory_entry(b"bruno", b"20260002"),
            directory_entry(b"carla", b"T-0815"),
        ]
        .concat(),
        ..DirectoryBuilder::new(&world.north, &desk_key())
    }
}

fn messages(world: &World, lists: &mut Lists) {
    let north = world.north_lists();
    let good = north.directory(DESK, &desk_key().expanded(), &holders());
    lists.add(
        "WRONG_MESSAGE",
        "a directory is no list of revocations",
        "A good message, of another kind than was asked for.",
        ListMessage::Revocations,
        good.clone(),
    );
    let south = ListBuilder::new(&world.south).directory(DESK, &desk_key().expanded(), &holders());
    lists.add(
        "WRONG_SCHOOL",
        "a directory of another school is refused",
        "South's directory, for the same number and key.",
        ListMessage::Directory,
        south,
    );
    for (name, why, signer, key) in [
        (
            "a directory by the credentials' key is refused",
            "Key 1 signs credentials only.",
            1,
            &world.north.credential,
        ),
        (
            "a directory by the time's key is refused",
            "Key 20 signs time only.",
            20,
            &world.north.time,
        ),
    ] {
        let mut directory = three(world);
        directory.message.signer = signer;
        directory.message.key = key.clone();
        lists.add(
            "SIGNER_UNKNOWN",
            name,
            why,
            ListMessage::Directory,
            directory.build(),
        );
    }
    let mut other_tag = three(world);
    other_tag.message.tag = "YIKA1.table";
    lists.add(
        "SIGNER_SIG",
        "a directory signed under another tag is refused",
        "Each kind of message has its own tag.",
        ListMessage::Directory,
        other_tag.build(),
    );
    let mut readdressed = good.clone();
    readdressed[57] = 8;
    lists.asked(
        "SIGNER_SIG",
        "a directory readdressed after signing is refused",
        "The terminal's number is signed; it was changed from 7 to 8, and terminal 8 opens it.",
        ListMessage::Directory,
        readdressed,
        |case| case.terminal = Some(8),
    );
    lists.asked(
        "NOT_NEWER",
        "the directory that a terminal has already is refused",
        "Versions only rise.",
        ListMessage::Directory,
        good.clone(),
        |case| case.have_version = Some(7),
    );
    lists.asked(
        "NOT_NEWER",
        "an older directory is refused",
        "Otherwise who has left could be brought back.",
        ListMessage::Directory,
        good,
        |case| case.have_version = Some(8),
    );
    let mut behind = three(world);
    behind.message.after = vec![0];
    lists.add(
        "MALFORMED",
        "a directory with a byte behind is refused",
        "Nothing follows the signature.",
        ListMessage::Directory,
        behind.build(),
    );
}

/// The name of a vector, why it matters, and what makes the sealed message wrong.
type Change = (&'static str, &'static str, fn(&mut MessageBuilder));

// Bodies: terminal 0–7, encapsulated key 8–72, length 73–76, sealed entries from 77 on.
fn bodies(world: &World, lists: &mut Lists) {
    let changes: [Change; 7] = [
        (
            "a directory without a body is refused",
            "There is no terminal in it.",
            |message| message.body.clear(),
        ),
        (
            "a directory that ends in its length is refused",
            "77 bytes come before the sealed entries.",
            |message| message.body.truncate(76),
        ),
        (
            "a directory whose encapsulated key is compressed is refused",
            "It begins with 04.",
            |message| message.body[8] = 2,
        ),
        (
            "a directory of 15 sealed bytes is refused",
            "The tag alone has 16.",
            |message| {
                message.body[73..77].copy_from_slice(&15_u32.to_be_bytes());
                message.body.truncate(77 + 15);
            },
        ),
        (
            "a directory whose sealed entries are cut is refused",
            "The length says how many bytes there are.",
            |message| {
                message.body.pop();
            },
        ),
        (
            "a directory with a byte behind its sealed entries is refused",
            "The length says how many bytes there are.",
            |message| message.body.push(0),
        ),
        (
            "a directory that claims four gigabytes of sealed entries is refused",
            "Lengths are compared before anything is reserved.",
            |message| message.body[73..77].fill(0xff),
        ),
    ];
    for (name, why, change) in changes {
        let mut message = three(world).seal();
        change(&mut message);
        lists.add("MALFORMED", name, why, ListMessage::Directory, message.build());
    }
    let addressed = |change: fn(&mut MessageBuilder)| {
        let mut message = DirectoryBuilder {
            terminal: 8,
            sealed_for: (world.north.school, 8),
            ..three(world)
        }
        .seal();
        change(&mut message);
        message.build()
    };
    lists.add(
        "WRONG_TERMINAL",
        "the directory of another terminal is refused",
        "It is sealed for terminal 8, to the key that terminal 7 has too.",
        ListMessage::Directory,
        addressed(|_| {}),
    );
    lists.add(
        "WRONG_TERMINAL",
        "the directory of another terminal is refused before it is opened",
        "Its sealed entries are changed besides.",
        ListMessage::Directory,
        addressed(|message| message.body[77] ^= 1),
    );
    lists.add(
        "MALFORMED",
        "the directory of another terminal is refused for its layout first",
        "Its last byte is missing besides.",
        ListMessage::Directory,
        addressed(|message| {
            message.body.pop();
        }),
    );
}

fn seals(world: &World, lists: &mut Lists) {
    let sealed_wrong = [
        (
            "a directory sealed to another key is refused",
            "The terminal was enrolled anew, or the platform was given another key.",
            DirectoryBuilder {
                recipient: TestKey::named("another desk"),
                ..three(world)
            },
        ),
        (
            "a directory sealed for another terminal is refused",
            "The number is part of the seal: sealed entries can't be moved from desk to desk.",
            DirectoryBuilder {
                sealed_for: (world.north.school, 8),
                ..three(world)
            },
        ),
        (
            "a directory sealed for another school is refused",
            "The school is part of the seal.",
            DirectoryBuilder {
                sealed_for: (world.south.school, DESK),
                ..three(world)
            },
        ),
    ];
    for (name, why, directory) in sealed_wrong {
        lists.add("SEALED", name, why, ListMessage::Directory, directory.build());
    }
    let changes: [Change; 6] = [
        (
            "a directory whose first sealed bit was flipped is refused",
            "Signed after it: the seal itself finds the change.",
            |message| message.body[77] ^= 0x80,
        ),
        (
            "a directory whose tag was changed is refused",
            "The last 16 sealed bytes are the tag.",
            |message| {
                if let Some(last) = message.body.last_mut() {
                    *last ^= 1;
                }
            },
        ),
        (
            "a directory with another envelope than it was sealed in is refused",
            "The version is part of the seal.",
            |message| message.version = 9,
        ),
        (
            "a directory made good for longer than it was sealed for is refused",
            "The lease is part of the seal.",
            |message| message.good_until.0 += 1,
        ),
        (
            "a directory whose encapsulated key is off the curve is refused",
            "Such a point must not meet a private key.",
            |message| message.body[72] ^= 1,
        ),
        (
            "a directory whose encapsulated key is another point is refused",
            "The key that it was encapsulated in belongs to it.",
            |message| {
                message.body[8..73].copy_from_slice(desk_key().expanded().as_bytes());
            },
        ),
    ];
    for (name, why, change) in changes {
        let mut message = three(world).seal();
        change(&mut message);
        lists.add("SEALED", name, why, ListMessage::Directory, message.build());
    }
}

fn entries(world: &World, lists: &mut Lists) {
    for (name, why, entries) in wrong_entries() {
        let directory = DirectoryBuilder {
            entries,
            ..three(world)
        };
        lists.add("MALFORMED", name, why, ListMessage::Directory, directory.build());
    }
}

/// What is sealed in these vectors, for the fuzz target that seals what it is given.
pub(super) fn sealed_entries(world: &World) -> Vec<Vec<u8>> {
    let wrong = wrong_entries().into_iter().map(|(_, _, entries)| entries);
    std::iter::once(three(world).entries).chain(wrong).collect()
}

/// The name of a vector, why it matters, and the entries that are sealed well but wrong.
fn wrong_entries() -> [(&'static str, &'static str, Vec<u8>); 12] {
    let alice = directory_entry(b"alice", b"20260001");
    let bruno = directory_entry(b"bruno", b"20260002");
    let with_number = |number: &[u8]| [alice.clone(), directory_entry(b"bruno", number)].concat();
    [
        (
            "a directory out of order is refused",
            "Pseudonyms rise strictly.",
            [bruno.clone(), alice.clone()].concat(),
        ),
        (
            "a directory that has a pseudonym twice is refused",
            "Pseudonyms rise strictly.",
            [alice.clone(), directory_entry(b"alice", b"20260002")].concat(),
        ),
        (
            "a directory with an empty number is refused",
            "Numbers have 1 to 32 characters.",
            with_number(b""),
        ),
        (
            "a directory with a number of 33 characters is refused",
            "Numbers have 1 to 32 characters.",
            with_number(&[b'7'; 33]),
        ),
        (
            "a directory with a number of 255 characters is refused",
            "Numbers have 1 to 32 characters.",
            with_number(&[b'7'; 255]),
        ),
        (
            "a directory with a space in a number is refused",
            "Characters are from ! to ~.",
            with_number(b"2026 0002"),
        ),
        (
            "a directory with a control character in a number is refused",
            "Characters are from ! to ~.",
            with_number(b"2026\x7f0002"),
        ),
        (
            "a directory with a line break in a number is refused",
            "Characters are from ! to ~.",
            with_number(b"20260002\n"),
        ),
        (
            "a directory with a letter outside ASCII in a number is refused",
            "Characters are from ! to ~.",
            with_number("学0002".as_bytes()),
        ),
        (
            "a directory that ends in a pseudonym is refused",
            "Entries are whole.",
            [&alice[..], b"brun"].concat(),
        ),
        (
            "a directory that ends before a number is refused",
            "Entries are whole.",
            [&alice[..], b"bruno"].concat(),
        ),
        (
            "a directory that ends in a number is refused",
            "Entries are whole.",
            [&alice[..], &bruno[..bruno.len() - 1]].concat(),
        ),
    ]
}
