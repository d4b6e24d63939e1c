//! Bounds from both sides. Each of these is what a reader gets wrong that has one line changed and gives every other vector
//! its outcome.

use super::list_accepted::{accepted, asked};
use super::world::{Codes, World};
use super::{Case, Hex, ListInput, ListMessage, Vector, describe_keyset, describe_revocations};
use crate::lists::KEYS_FROM;
use crate::{CodeBuilder, ListBuilder, at, at_ms};
use yika_format::code::ClockConfidence;
use yika_format::lists::{Keyset, Revocations};
use yika_format::{KeyId, UnixMillis, UnixSeconds};

const DAY_S: i64 = 86_400;
/// The last day of david's row ended eight hours before now, with this second.
const LAST_SECOND_S: i64 = -8 * 3600 - 1;

pub(super) fn vectors(world: &World) -> Vec<Vector> {
    let mut codes = Codes::new(world);
    times(&mut codes);
    values(&mut codes);
    let mut vectors = codes.vectors;
    vectors.extend(keys_in_time(world));
    vectors.extend(keysets(world));
    vectors
}

fn times(codes: &mut Codes<'_>) {
    let world = codes.world;
    let david = |seconds| {
        let mut david = world.person("david");
        david.dynamic.time = at(seconds);
        david.short().to_text()
    };
    for (expect, name, why, seconds) in [
        (
            "APPROVE",
            "a short code in the last second of its row is approved",
            "A row is good to the end of its last day.",
            LAST_SECOND_S,
        ),
        (
            "EXPIRED",
            "a short code in the first second after its row is refused",
            "Its last day is over.",
            LAST_SECOND_S + 1,
        ),
    ] {
        codes.pos(expect, name, why, david(seconds), |case| {
            case.time.now_ms = at_ms(seconds).0;
        });
    }
    let tomorrow = || {
        let mut alice = CodeBuilder::new(&world.north);
        alice.dynamic.time = at(DAY_S);
        alice
    };
    for (expect, name, why, input, late_ms) in [
        (
            "APPROVE",
            "a short code at the last moment of table and revocations is approved",
            "Good until is inclusive.",
            tomorrow().short().to_text(),
            0,
        ),
        (
            "UNKNOWN",
            "a short code a millisecond after the table's last is refused",
            "A table out of date serves no short code.",
            tomorrow().short().to_text(),
            1,
        ),
        (
            "LISTS_STALE",
            "a full code a millisecond after the last of the revocations is refused",
            "Payments need revocations in date.",
            tomorrow().full().to_text(),
            1,
        ),
    ] {
        codes.pos(expect, name, why, input, |case| {
            case.time.now_ms = at_ms(DAY_S).0 + late_ms;
        });
    }
}

fn values(codes: &mut Codes<'_>) {
    let world = codes.world;
    let mut unsure = CodeBuilder::new(&world.north);
    unsure.dynamic.clock = ClockConfidence::Anchored(250);
    codes.pos(
        "APPROVE",
        "the least sure anchored clock may pass the limit of unanchored ones",
        "Only 251 and 252 are unanchored.",
        unsure.short().to_text(),
        |case| case.request.pay_fen = Some(2010),
    );
    // Classes 1 to 4 in the low half, where the key lives in the bits above.
    for (class, what) in [(0x01, "a student's"), (0x24, "another's secure")] {
        codes.pos(
            "APPROVE",
            &format!("{what} class is approved"),
            "The least and the greatest class there is.",
            world.full_patched(|bytes| bytes[19] = class),
            |case| case.schools[0].table = None,
        );
    }
    let text = CodeBuilder::new(&world.north).short().to_text();
    codes.pos(
        "MALFORMED",
        "a group of exactly 65536 is refused",
        "GGW is 16 + 16 · 45 + 32 · 2025: one more than two bytes hold.",
        format!("C1GGW{}", &text[5..]),
        |_| {},
    );
}

/// Revocations issued at the edges of their signer's time.
fn keys_in_time(world: &World) -> Vec<Vector> {
    let north = world.north_lists();
    let keyset = Keyset::open(&north.keyset(), &world.north.pinned_root()).expect("a good keyset opens");
    let from = UnixMillis(u64::from(KEYS_FROM.0) * 1000);
    let issued = |issued: UnixMillis, good_until: UnixMillis| {
        ListBuilder {
            issued,
            good_until,
            ..north.clone()
        }
        .revocations()
    };
    let tomorrow = at_ms(DAY_S);
    let good = |name, why, bytes: Vec<u8>| {
        let fields =
            describe_revocations(&Revocations::open(&bytes, &keyset).expect("good revocations open"));
        accepted(name, why, ListMessage::Revocations, bytes, fields)
    };
    vec![
        good(
            "revocations issued in the first millisecond of their key are accepted",
            "From is inclusive.",
            issued(from, tomorrow),
        ),
        refused(
            "SIGNER_UNKNOWN",
            "revocations issued a millisecond before their key are refused",
            "Its time had not begun.",
            issued(UnixMillis(from.0 - 1), tomorrow),
        ),
        good(
            "revocations that are good for one moment are accepted",
            "Good until may be issued.",
            issued(at_ms(-600), at_ms(-600)),
        ),
    ]
}

fn keysets(world: &World) -> Vec<Vector> {
    let keyset = |change: fn(&mut ListBuilder)| {
        let mut lists = world.north_lists();
        change(&mut lists);
        let bytes = lists.keyset();
        let opened = Keyset::open(&bytes, &world.north.pinned_root()).expect("a good keyset opens");
        (bytes, describe_keyset(&opened))
    };
    let (longest, longest_fields) = keyset(|lists| {
        let key = lists
            .keys
            .iter_mut()
            .find(|key| key.id == KeyId(1))
            .expect("key 1");
        key.to = UnixSeconds(key.from.0 + 2 * 366 * 86_400);
    });
    let (empty, empty_fields) = keyset(|lists| lists.keys.clear());
    vec![
        accepted(
            "a credentials key of exactly two years is accepted",
            "63,244,800 seconds: hours from its beginning still fit two bytes.",
            ListMessage::Keyset,
            longest,
            longest_fields,
        ),
        accepted(
            "a keyset without keys is accepted",
            "A school may take back everything.",
            ListMessage::Keyset,
            empty,
            empty_fields,
        ),
    ]
}

fn refused(expect: &str, name: &str, why: &str, bytes: Vec<u8>) -> Vector {
    let input = ListInput {
        hex: Hex(bytes),
        rows: None,
    };
    Vector {
        name: name.to_owned(),
        why: why.to_owned(),
        case: Case::List(Box::new(asked(ListMessage::Revocations, input))),
        expect: expect.to_owned(),
        fields: None,
    }
}
