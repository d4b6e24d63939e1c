//! Codes that are well formed and not genuine, or of a credential that is not accepted; and before all others the five
//! mistakes that verifiers in use have made.

use super::Vector;
use super::code_accepted::SOUGHT;
use super::world::{Codes, World, epoch};
use super::{code_tampered, list_refused};
use crate::{CodeBuilder, TestKey, at, to_text, yuan};
use yika_format::{Hours, KeyId, Profile};

/// What verifiers in use got wrong, with numbers in front.
pub(super) fn first_five(world: &World, vectors: &mut Vec<(String, Vector)>) {
    let mut codes = Codes::new(world);
    let mut forged = CodeBuilder::new(&world.north);
    forged.device = TestKey::named("forger");
    forged.credential.body.device_key = forged.device.public();
    forged.credential.issuer = forged.device.clone();
    codes.pos(
        "ISSUER_SIG",
        "a credential signed by its own key is refused",
        "Seen in use: a terminal took the issuer's key from the code itself, so everyone could make codes.",
        forged.full().to_text(),
        |_| {},
    );
    let mut ahead = CodeBuilder::new(&world.north);
    ahead.dynamic.time = at(30);
    codes.pos(
        "FUTURE",
        "a code one life ahead is refused",
        "Seen in use: a terminal took a code's life in both directions.",
        ahead.short().to_text(),
        |_| {},
    );
    codes.pos("REPLAY", "a code shown again after a later one is refused", "Seen in use: a terminal remembered the last code only, so A, B, A paid twice. Here 101 was accepted, and 100 comes again.", CodeBuilder::new(&world.north).short().to_text(), |case| case.standing.last = Some(3 << 16 | 101));
    codes.vectors.push(list_refused::unsigned_time(world));
    let mut old = CodeBuilder::new(&world.north);
    old.dynamic.time = at(-600);
    codes.pos(
        "STALE",
        "a code ten minutes old is refused",
        "Seen in use: a verifier read a life in seconds as minutes, and took being stale as a mere warning.",
        old.short().to_text(),
        |_| {},
    );
    for (number, vector) in (1..).zip(codes.vectors) {
        vectors.push((format!("{number:03}-{}", super::kebab(&vector.name)), vector));
    }
}

pub(super) fn vectors(world: &World) -> Vec<Vector> {
    let mut codes = Codes::new(world);
    issuers(&mut codes);
    validity(&mut codes);
    against_the_table(&mut codes);
    profiles(&mut codes);
    revoked(&mut codes);
    not_asked(&mut codes);
    code_tampered::collect(&mut codes);
    codes.vectors
}

fn issuers(codes: &mut Codes<'_>) {
    let world = codes.world;
    let by = |id: u16, key: &TestKey| {
        let mut alice = CodeBuilder::new(&world.north);
        alice.credential.body.issuer = KeyId(id);
        alice.credential.issuer = key.clone();
        alice.full().to_text()
    };
    let named = |name: &str| TestKey::named(&format!("north.example {name}"));
    codes.pos(
        "ISSUER_UNKNOWN",
        "an issuer key that the keyset does not list is refused",
        "Key 9 is not there.",
        by(9, &world.north.credential),
        |_| {},
    );
    codes.pos(
        "ISSUER_UNKNOWN",
        "a credential signed by the table's key is refused",
        "Key 10 is good, but not for credentials.",
        by(10, &world.north.table),
        |_| {},
    );
    codes.pos(
        "ISSUER_UNKNOWN",
        "a credential signed by the root is refused",
        "Key 0 is the root and signs keysets only.",
        by(0, &world.north.root),
        |_| {},
    );
    codes.pos(
        "ISSUER_UNKNOWN",
        "an issuer key whose time has passed is refused",
        "Key 2 was good until yesterday.",
        by(2, &named("credential before")),
        |_| {},
    );
    codes.pos(
        "ISSUER_UNKNOWN",
        "an issuer key whose time has not begun is refused",
        "Key 3 will be good from tomorrow on.",
        by(3, &named("credential next")),
        |_| {},
    );
    let alice = CodeBuilder::new(&world.north);
    codes.pos(
        "ISSUER_UNKNOWN",
        "a full code at a terminal that accepts no school is refused",
        "There is no keyset at all.",
        alice.full().to_text(),
        |case| case.schools.clear(),
    );
    codes.pos(
        "ISSUER_SIG",
        "a full code of another school is refused",
        "South's issuer has the number of north's, and the pseudonym and the key are the same.",
        {
            let mut south = CodeBuilder::new(&world.south);
            south.device = world.north.device.clone();
            south.credential.body.device_key = south.device.public();
            south.full().to_text()
        },
        |_| {},
    );
    let mut raised = alice.full();
    raised.credential.body.attributes.cumulative = yuan(6000);
    codes.pos(
        "ISSUER_SIG",
        "a credential whose limit was raised is refused",
        "Limits are under the issuer's signature.",
        raised.to_text(),
        |_| {},
    );
    let mut longer = alice.full();
    longer.credential.body.life_hours = 255;
    codes.pos(
        "ISSUER_SIG",
        "a credential whose life was lengthened is refused",
        "Life is under the issuer's signature.",
        longer.to_text(),
        |_| {},
    );
    let mut other_key = alice.full();
    other_key.credential.body.device_key = TestKey::named("forger").public();
    codes.pos(
        "ISSUER_SIG",
        "a credential with another device key is refused",
        "The device key is under the issuer's signature.",
        other_key.to_text(),
        |_| {},
    );
    let mut flipped = alice.full();
    flipped.credential.body.profile = Profile::Sm2;
    codes.pos(
        "ISSUER_SIG",
        "a full code whose profile was flipped is refused",
        "The header is under the issuer's signature.",
        flipped.to_text(),
        |_| {},
    );
    let mut wrong_tag = alice.full().to_bytes();
    let signature = world.north.credential.sign(
        &[
            &crate::message::padded("YIKA1.code")[..],
            &world.north.school.0,
            &wrong_tag[..53],
        ]
        .concat(),
    );
    wrong_tag[53..117].copy_from_slice(signature.as_bytes());
    codes.pos(
        "ISSUER_SIG",
        "a credential signed under the tag of codes is refused",
        "Each kind of signature has its own tag.",
        to_text("C2", &wrong_tag),
        |_| {},
    );
}

fn validity(codes: &mut Codes<'_>) {
    let world = codes.world;
    let now = CodeBuilder::new(&world.north).credential.body.not_before.0 + 1;
    let from = |hours: u16| {
        let mut alice = CodeBuilder::new(&world.north);
        alice.credential.body.not_before = Hours(hours);
        alice.full().to_text()
    };
    codes.pos(
        "NOT_YET",
        "a credential before its first second is refused",
        "It begins in an hour.",
        from(now + 1),
        |_| {},
    );
    codes.pos(
        "EXPIRED",
        "a credential at its end is refused",
        "Life 168 h: the first second that is no longer part of it.",
        from(now - 168),
        |_| {},
    );
    codes.pos(
        "EXPIRED",
        "a credential long over is refused",
        "Seen in use: a terminal did not look at the end of the authorisation.",
        from(1),
        |_| {},
    );
    codes.pos(
        "EXPIRED",
        "a short code whose row has ended is refused",
        "David's last day was yesterday.",
        world.person("david").short().to_text(),
        |_| {},
    );
    codes.pos(
        "EXPIRED",
        "a short code that one school knows and another does not is refused for the nearer reason",
        "North finds the row ended, south finds none: what came furthest is told, whatever the order.",
        world.person("david").short().to_text(),
        |case| case.schools.push(super::world::held("south")),
    );
}

fn against_the_table(codes: &mut Codes<'_>) {
    let world = codes.world;
    let mut other = CodeBuilder::new(&world.north);
    other.device = TestKey::named("north.example another phone");
    other.credential.body.device_key = other.device.public();
    codes.pos(
        "KEY_CONFLICT",
        "a full code with another key than the row is refused",
        "One pseudonym has one key, whatever the issuer signed.",
        other.full().to_text(),
        |_| {},
    );
    let mut higher = CodeBuilder::new(&world.north);
    higher.credential.body.attributes.per_use = yuan(80);
    codes.pos(
        "ATTR_CONFLICT",
        "a certificate with a higher limit than the row of its epoch is refused",
        "Attributes are constant within an epoch.",
        higher.full().to_text(),
        |_| {},
    );
    let mut lower = CodeBuilder::new(&world.north);
    lower.credential.body.attributes.per_use = yuan(10);
    codes.pos(
        "ATTR_CONFLICT",
        "a certificate with a lower limit than the row of its epoch is refused",
        "Neither may be lower: the epoch should have changed.",
        lower.full().to_text(),
        |_| {},
    );
    codes.pos(
        "UNKNOWN",
        "a short code of a stranger is refused",
        "The table has no such row: show the full code.",
        world.person("julia").short().to_text(),
        |_| {},
    );
    let mut newer = CodeBuilder::new(&world.north);
    newer.credential.body.epoch = epoch(4);
    codes.pos(
        "UNKNOWN",
        "a short code of an epoch newer than the row is refused",
        "The attributes of epoch 4 are not in this table.",
        newer.short().to_text(),
        |_| {},
    );
    let alice = CodeBuilder::new(&world.north).short().to_text();
    codes.pos(
        "UNKNOWN",
        "a short code without a table is refused",
        "Only the full form can be verified.",
        alice.clone(),
        |case| case.schools[0].table = None,
    );
    codes.pos(
        "UNKNOWN",
        "a short code with a table out of date is refused",
        "Only the full form can be verified.",
        alice.clone(),
        |case| case.schools[0].table = Some("north-table-out-of-date".into()),
    );
    codes.pos(
        "UNKNOWN",
        "a short code at a terminal that accepts no school is refused",
        "There is no table at all.",
        alice,
        |case| case.schools.clear(),
    );
}

fn profiles(codes: &mut Codes<'_>) {
    let world = codes.world;
    let sm2 = |name: &str| {
        let mut code = world.person(name);
        code.credential.body.profile = Profile::Sm2;
        code
    };
    codes.pos(
        "PROFILE",
        "a short code of another profile than the row is refused",
        "The row says P-256, the header SM2.",
        sm2("alice").short().to_text(),
        |_| {},
    );
    codes.pos(
        "PROFILE",
        "a short code of a row of another profile is refused",
        "The row says SM2, the header P-256.",
        world.person("fritz").short().to_text(),
        |_| {},
    );
    codes.pos("PROFILE", "a short code of the reserved profile is refused", "Row and header say SM2, which this version verifies nowhere: not even when the signature is a good one of P-256.", sm2("fritz").short().to_text(), |_| {});
    codes.pos(
        "PROFILE",
        "a full code of the reserved profile is refused",
        "The same in the full form, of a holder without a row.",
        sm2("nadia").full().to_text(),
        |_| {},
    );
    codes.pos(
        "PROFILE",
        "a full code of another profile than the row is refused",
        "The row says SM2, the certificate P-256, and the key is the same.",
        world.person("fritz").full().to_text(),
        |_| {},
    );
}

fn revoked(codes: &mut Codes<'_>) {
    let world = codes.world;
    let older = world.person("bruno");
    codes.pos(
        "REVOKED",
        "a short code of an old epoch is refused",
        "Bruno's phone was lost: epoch 5 is the lowest accepted, and the picture is of epoch 3.",
        older.short().to_text(),
        |_| {},
    );
    codes.pos(
        "REVOKED",
        "a full code of an old epoch is refused by the row",
        "The certificate is still in its time.",
        older.full().to_text(),
        |_| {},
    );
    codes.pos(
        "REVOKED",
        "a dead pseudonym is refused",
        "The lowest accepted epoch is 255.",
        world.person("heinz").short().to_text(),
        |_| {},
    );
    codes.pos(
        "REVOKED",
        "a full code that the revocations list is refused without a row",
        "Julia has no row; terminals without a table have the revocations.",
        world.person("julia").full().to_text(),
        |_| {},
    );
    codes.pos(
        "REVOKED",
        "a full code below the lowest epoch of the revocations is refused",
        "Lenny's epochs count from 4 on.",
        world.person("lenny").full().to_text(),
        |_| {},
    );
    codes.pos(
        "REVOKED",
        "a short code that the revocations list is refused though the row accepts it",
        "The higher of both lowest epochs counts.",
        world.person("oscar").short().to_text(),
        |_| {},
    );
    codes.pos(
        "REVOKED",
        "revocations out of date still revoke",
        "A lowest epoch only rises.",
        world.person("oscar").short().to_text(),
        |case| case.schools[0].revocations = Some("north-revocations-out-of-date".into()),
    );
}

fn not_asked(codes: &mut Codes<'_>) {
    let confirmed = CodeBuilder::confirmed(&codes.world.north, SOUGHT.into());
    codes.pos(
        "NOT_ASKED",
        "a confirmed code at a terminal that asked nothing is refused",
        "Its signature covers a nonce that this terminal never showed.",
        confirmed.short().to_text(),
        |_| {},
    );
}
