//! Codes that are good: each form, account, use and clock, what scanners may do to the text, and every edge from inside.

use super::world::{Codes, World, epoch, held};
use super::{Hex, Sought, Vector};
use crate::{CodeBuilder, at, slot, to_text, yuan};
use yika_format::code::{ClockConfidence, Site, Use};
use yika_format::{Hours, Sequence};

/// What the confirmed codes answer: ¥80 at terminal 7.
pub(super) const SOUGHT: Sought = Sought {
    terminal: 7,
    nonce: 0x0001_0203_0405_0607,
    amount_fen: 8000,
};

pub(super) fn vectors(world: &World) -> Vec<Vector> {
    let mut codes = Codes::new(world);
    forms_and_uses(&mut codes);
    accounts_and_clocks(&mut codes);
    scanners(&mut codes);
    edges(&mut codes);
    credentials(&mut codes);
    codes.vectors
}

fn forms_and_uses(codes: &mut Codes<'_>) {
    let world = codes.world;
    let alice = CodeBuilder::new(&world.north);
    let identity = CodeBuilder::identity(&world.north);
    codes.pos(
        "APPROVE",
        "a short payment code is approved",
        "The everyday code.",
        alice.short().to_text(),
        |_| {},
    );
    codes.pos(
        "APPROVE",
        "a full payment code is approved",
        "The same moment with its credential in front.",
        alice.full().to_text(),
        |_| {},
    );
    codes.pos(
        "APPROVE",
        "a full payment code is approved without a table",
        "A terminal that never saw the holder needs the keyset and revocations only.",
        alice.full().to_text(),
        |case| case.schools[0].table = None,
    );
    codes.pos(
        "APPROVE",
        "a full payment code is approved with a table out of date",
        "Only the short form depends on a fresh table.",
        alice.full().to_text(),
        |case| case.schools[0].table = Some("north-table-out-of-date".into()),
    );
    codes.add(
        "APPROVE",
        "a short identity code opens a gate",
        "Identity at a gate asks for the scope of gates.",
        identity.short().to_text(),
        world.at_gate(),
    );
    codes.add(
        "APPROVE",
        "a full identity code opens a gate",
        "The same in the full form.",
        identity.full().to_text(),
        world.at_gate(),
    );
    codes.add(
        "APPROVE",
        "an identity code borrows at the library",
        "The library desk takes identity for borrowing.",
        identity.short().to_text(),
        world.at_library(),
    );
    let mut fee = world.at_library();
    fee.request.pay_fen = Some(1250);
    codes.add(
        "APPROVE",
        "a payment code pays a fee at the library",
        "The library desk takes payments for what was lost.",
        alice.short().to_text(),
        fee,
    );
    let mut machine = world.at_pos();
    machine.terminal.attended = false;
    codes.add(
        "APPROVE",
        "a payment code pays at a machine that nobody attends",
        "With the scope for unattended payments.",
        alice.short().to_text(),
        machine,
    );
    for form in ["short", "full"] {
        let confirmed = CodeBuilder::confirmed(&world.north, SOUGHT.into());
        let text = if form == "short" {
            confirmed.short().to_text()
        } else {
            confirmed.full().to_text()
        };
        let name = format!("a {form} code confirms an amount above the limit per use");
        codes.pos(
            "APPROVE",
            &name,
            "The holder saw the amount: 80 yuan pass, though 50 are the limit per use.",
            text,
            |case| {
                case.confirmation = Some(SOUGHT);
                case.request.pay_fen = Some(SOUGHT.amount_fen);
            },
        );
    }
    let mut identity_offline = world.at_gate();
    identity_offline.schools[0].revocations = Some("north-revocations-out-of-date".into());
    codes.add(
        "APPROVE",
        "an identity code opens a gate though the revocations are out of date",
        "The table's policy of this school allows it.",
        identity.short().to_text(),
        identity_offline,
    );
    let mut unanchored = world.at_gate();
    unanchored.time.anchored = false;
    codes.add(
        "APPROVE",
        "an identity code opens a gate whose time is not confirmed",
        "Only payments need signed time.",
        identity.short().to_text(),
        unanchored,
    );
    codes.pos(
        "APPROVE",
        "a code of the second school is approved",
        "A terminal may accept several schools; the signature says which one it is.",
        {
            let mut south = CodeBuilder::new(&world.south);
            south.device = world.north.device.clone();
            south.credential.body.device_key = south.device.public();
            south.short().to_text()
        },
        |case| case.schools.push(held("south")),
    );
    codes.pos(
        "ANSWER_AS_BEFORE",
        "the same code for the same sale is answered as before",
        "The till asks again after a lost answer, even when the code is too old by now.",
        alice.short().to_text(),
        |case| {
            case.time.now_ms += 3_600_000;
            case.standing.last = Some(3 << 16 | 100);
            case.standing.spent_fen = 1250;
            case.standing.accepted_for = Some(Hex(vec![0x11; 16]));
        },
    );
}

fn accounts_and_clocks(codes: &mut Codes<'_>) {
    let world = codes.world;
    for number in 1..=8 {
        let mut mario = world.person("mario");
        mario.dynamic.usage = Use::Payment(slot(number));
        let name = format!("account {number} pays");
        codes.pos(
            "APPROVE",
            &name,
            "The upper four bits of the use name the account.",
            mario.short().to_text(),
            |_| {},
        );
    }
    let clocks = [
        ("a clock that is sure to the second", ClockConfidence::Anchored(0)),
        ("the least sure anchored clock", ClockConfidence::Anchored(250)),
        ("a clock after a reboot", ClockConfidence::Rebooted),
        ("a bare wall clock", ClockConfidence::WallOnly),
    ];
    for (what, clock) in clocks {
        let mut alice = CodeBuilder::new(&world.north);
        alice.dynamic.clock = clock;
        codes.pos(
            "APPROVE",
            &format!("a payment by {what} is approved"),
            "Every value of the clock byte up to 252 is good at the right time.",
            alice.short().to_text(),
            |_| {},
        );
    }
    let mut here = CodeBuilder::new(&world.north);
    here.dynamic.site = Site::Group(2);
    codes.pos(
        "APPROVE",
        "a code for this group of sites is approved",
        "The terminal belongs to groups 1 and 2.",
        here.short().to_text(),
        |_| {},
    );
}

fn scanners(codes: &mut Codes<'_>) {
    let world = codes.world;
    let text = CodeBuilder::new(&world.north).short().to_text();
    let full = CodeBuilder::new(&world.north).full().to_text();
    codes.pos(
        "APPROVE",
        "a short code typed with caps lock on is approved",
        "Base45 has one letter case, so the other is folded.",
        text.to_lowercase(),
        |_| {},
    );
    codes.pos(
        "APPROVE",
        "a full code typed with caps lock on is approved",
        "The same for the full form.",
        full.to_lowercase(),
        |_| {},
    );
    codes.pos(
        "APPROVE",
        "an AIM identifier in front is dropped",
        "Scanners may be set to say what symbology they read.",
        format!("]Q1{text}"),
        |_| {},
    );
    codes.pos(
        "APPROVE",
        "line ends behind are dropped",
        "Scanners end a code as they are set to.",
        format!("{text}\t\r\n"),
        |_| {},
    );
}

fn edges(codes: &mut Codes<'_>) {
    let world = codes.world;
    let moved = |seconds| {
        let mut alice = CodeBuilder::new(&world.north);
        alice.dynamic.time = at(seconds);
        alice.short().to_text()
    };
    codes.pos(
        "APPROVE",
        "a code in its last second is approved",
        "Life 30 s and uncertainties of 2 and 1 s: 33 s.",
        moved(-33),
        |_| {},
    );
    codes.pos(
        "APPROVE",
        "a code as far ahead as the clocks allow is approved",
        "Uncertainties of 2 and 1 s.",
        moved(3),
        |_| {},
    );
    let mut bare = CodeBuilder::new(&world.north);
    (bare.dynamic.clock, bare.dynamic.time) = (ClockConfidence::WallOnly, at(-90));
    codes.pos(
        "APPROVE",
        "an unanchored code in its last second is approved",
        "Life 30 s and the largest skew of 60 s.",
        bare.short().to_text(),
        |_| {},
    );
    let alice = CodeBuilder::new(&world.north).short().to_text();
    codes.pos(
        "APPROVE",
        "a payment of exactly the limit per use is approved",
        "The limit is 50 yuan.",
        alice.clone(),
        |case| case.request.pay_fen = Some(5000),
    );
    codes.pos(
        "APPROVE",
        "a payment up to exactly the cumulative limit is approved",
        "The limit is 100 yuan.",
        alice.clone(),
        |case| case.standing.spent_fen = 8750,
    );
    let mut unanchored = CodeBuilder::new(&world.north);
    unanchored.dynamic.clock = ClockConfidence::Rebooted;
    codes.pos(
        "APPROVE",
        "an unanchored payment of exactly the policy's limit is approved",
        "The limit is 20 yuan.",
        unanchored.short().to_text(),
        |case| case.request.pay_fen = Some(2000),
    );
    codes.pos(
        "APPROVE",
        "the next counter is approved",
        "The terminal accepted 99.",
        alice.clone(),
        |case| case.standing.last = Some(3 << 16 | 99),
    );
    codes.pos(
        "APPROVE",
        "the first counter of the next epoch is approved",
        "The sequence is epoch and counter: 3 and 1 come after 2 and 65535.",
        CodeBuilder::new(&world.north).counter(1).short().to_text(),
        |case| case.standing.last = Some(2 << 16 | 65535),
    );
    codes.pos(
        "APPROVE",
        "a code of the second in which the terminal was installed is approved",
        "Only what is older is refused.",
        alice,
        |case| case.terminal.installed = at(0).0,
    );
    let twin = |patched: &CodeBuilder| {
        let mut bytes = patched.short().to_bytes();
        let signatures = [
            patched.device.sign(&patched.preimage()),
            patched.device.sign_twin(&patched.preimage()),
        ];
        let high = signatures.iter().max_by_key(|signature| signature.as_bytes()[32]);
        if let Some(high) = high {
            bytes[16..].copy_from_slice(high.as_bytes());
        }
        to_text("C1", &bytes)
    };
    codes.pos(
        "APPROVE",
        "a signature with a high S is approved",
        "Secure hardware makes them.",
        twin(&CodeBuilder::new(&world.north)),
        |_| {},
    );
}

fn credentials(codes: &mut Codes<'_>) {
    let world = codes.world;
    let hours = |hours: u16| {
        let mut alice = CodeBuilder::new(&world.north);
        alice.credential.body.not_before = Hours(hours);
        alice
    };
    let now = CodeBuilder::new(&world.north).credential.body.not_before.0 + 1;
    codes.pos(
        "APPROVE",
        "a credential in its first second is approved",
        "It begins on this hour.",
        hours(now).full().to_text(),
        |_| {},
    );
    codes.pos(
        "APPROVE",
        "a credential in its last second is approved",
        "Life 168 h; one second later it has ended.",
        hours(now - 168).full().to_text(),
        |case| {
            case.time.now_ms -= 1000;
        },
    );
    let mut newer = CodeBuilder::new(&world.north);
    newer.credential.body.epoch = epoch(4);
    newer.credential.body.attributes.per_use = yuan(60);
    codes.pos(
        "APPROVE",
        "a full code of an epoch newer than the row is approved",
        "The holder got a new credential after the table was made.",
        newer.full().to_text(),
        |case| case.request.pay_fen = Some(6000),
    );
    let carla = world.person("carla");
    codes.pos(
        "APPROVE",
        "a short code of an older epoch that is still accepted is approved",
        "The row is of epoch 4 and accepts 2.",
        carla.short().to_text(),
        |case| case.request.pay_fen = Some(1000),
    );
    codes.pos(
        "APPROVE",
        "an older full code within what both allow is approved",
        "Certificate and row are both asked for their least.",
        carla.full().to_text(),
        |case| case.request.pay_fen = Some(1000),
    );
    let mut lenny = world.person("lenny");
    lenny.credential.body.epoch = epoch(4);
    codes.pos(
        "APPROVE",
        "a full code of the lowest accepted epoch is approved",
        "The revocations accept 4.",
        lenny.full().to_text(),
        |_| {},
    );
    let erika = world.person("erika");
    let mut gate = CodeBuilder::identity(&world.north);
    (gate.device, gate.credential) = (erika.device, erika.credential);
    codes.add(
        "APPROVE",
        "who may not pay offline still opens a gate",
        "The flag takes away payments only.",
        gate.short().to_text(),
        world.at_gate(),
    );
    let previous = CodeBuilder::new(&world.north);
    let sequence = Sequence::new(epoch(3), previous.dynamic.counter).get();
    codes.pos(
        "APPROVE",
        "a full code is approved where the short form of the moment before was",
        "Both forms share the counter.",
        previous.full().to_text(),
        |case| case.standing.last = Some(sequence - 1),
    );
}
