//! Codes whose device signature does not fit: changed after signing, signed by somebody else, or for something else.

use super::Sought;
use super::code_accepted::SOUGHT;
use super::world::{Codes, epoch, held};
use crate::{CodeBuilder, TestKey, at, sign_full, slot, to_text};
use yika_format::Sequence;
use yika_format::code::{ClockConfidence, Site, Use};

pub(super) fn collect(codes: &mut Codes<'_>) {
    tampered(codes);
    other_contexts(codes);
}

fn tampered(codes: &mut Codes<'_>) {
    let world = codes.world;
    let alice = CodeBuilder::new(&world.north);
    let changed = |change: fn(&mut yika_format::code::Dynamic)| {
        let mut code = alice.short();
        change(&mut code.moment.dynamic);
        code.to_text()
    };
    codes.pos(
        "DEVICE_SIG",
        "a short code whose account was flipped is refused",
        "The account is under the device's signature.",
        changed(|dynamic| dynamic.usage = Use::Payment(slot(2))),
        |_| {},
    );
    codes.pos(
        "DEVICE_SIG",
        "a short code whose counter was raised is refused",
        "The counter is under the device's signature.",
        {
            let mut code = alice.short();
            code.moment.dynamic.counter = alice.clone().counter(101).dynamic.counter;
            code.to_text()
        },
        |_| {},
    );
    codes.pos(
        "DEVICE_SIG",
        "a short code whose time was moved is refused",
        "The time is under the device's signature.",
        changed(|dynamic| dynamic.time = at(1)),
        |_| {},
    );
    codes.pos(
        "DEVICE_SIG",
        "a short code whose site was widened is refused",
        "The site is under the device's signature.",
        changed(|dynamic| dynamic.site = Site::Group(1)),
        |_| {},
    );
    codes.pos(
        "DEVICE_SIG",
        "a short code whose clock was made less sure is refused",
        "The clock is under the device's signature.",
        changed(|dynamic| dynamic.clock = ClockConfidence::WallOnly),
        |_| {},
    );
    codes.pos(
        "DEVICE_SIG",
        "an identity code made a payment is refused",
        "Identity never pays.",
        {
            let mut code = CodeBuilder::identity(&world.north).short();
            code.moment.dynamic.usage = Use::Payment(slot(1));
            code.to_text()
        },
        |_| {},
    );
    let mut full = alice.full();
    full.dynamic.usage = Use::Payment(slot(2));
    codes.pos(
        "DEVICE_SIG",
        "a full code whose account was flipped is refused",
        "The account is under the device's signature.",
        full.to_text(),
        |_| {},
    );
    let mut mixed = alice.full();
    mixed.credential = world.person("nadia").credential.build();
    codes.pos(
        "DEVICE_SIG",
        "a code on another holder's credential is refused",
        "The pseudonym is under the device's signature.",
        mixed.to_text(),
        |_| {},
    );
    let mut forged = CodeBuilder::new(&world.north);
    forged.device = TestKey::named("forger");
    codes.pos(
        "DEVICE_SIG",
        "a short code signed by another key is refused",
        "The row's key counts.",
        forged.short().to_text(),
        |_| {},
    );
    codes.pos(
        "DEVICE_SIG",
        "a full code signed by another key is refused",
        "The certificate's key counts.",
        forged.full().to_text(),
        |_| {},
    );
    let mut irene = CodeBuilder::new(&world.north);
    irene.credential.body.pseudonym = super::world::pseudonym("irene");
    codes.pos(
        "DEVICE_SIG",
        "a short code whose row has a key off the curve is refused",
        "Tables are not searched for such keys when they are opened; nothing verifies under them.",
        irene.short().to_text(),
        |_| {},
    );
}

fn other_contexts(codes: &mut Codes<'_>) {
    let world = codes.world;
    let mut south = CodeBuilder::new(&world.south);
    south.device = world.north.device.clone();
    codes.pos(
        "DEVICE_SIG",
        "a short code of another school is refused",
        "Pseudonym and key are the same; the school is signed.",
        south.short().to_text(),
        |_| {},
    );
    let alice = CodeBuilder::new(&world.north);
    codes.pos(
        "DEVICE_SIG",
        "a short code at another school is refused",
        "The same the other way round.",
        alice.short().to_text(),
        |case| case.schools = vec![held("south")],
    );
    let mut bytes = alice.short().to_bytes();
    let mut preimage = alice.preimage();
    preimage[32] = 0x11;
    bytes[16..].copy_from_slice(alice.device.sign(&preimage).as_bytes());
    codes.pos(
        "DEVICE_SIG",
        "a code signed for another profile is refused",
        "The profile is in what is signed.",
        to_text("C1", &bytes),
        |_| {},
    );
    let mut preimage = alice.preimage();
    preimage[..16].copy_from_slice(&crate::message::padded("YIKA1.pop"));
    bytes[16..].copy_from_slice(alice.device.sign(&preimage).as_bytes());
    codes.pos(
        "DEVICE_SIG",
        "a code signed under another tag is refused",
        "Each kind of signature has its own tag.",
        to_text("C1", &bytes),
        |_| {},
    );
    let mut full = alice.full().to_bytes();
    sign_full(
        &mut full,
        &world.south.school,
        &world.north.credential,
        &world.north.device,
    );
    codes.pos(
        "ISSUER_SIG",
        "a credential that north's issuer signed for another school is refused",
        "The school is in what is signed.",
        to_text("C2", &full),
        |_| {},
    );
    let others: [(&str, &str, Sought); 3] = [
        (
            "a confirmation of another amount is refused",
            "The holder confirmed 80 yuan, the terminal asked for 79.",
            Sought {
                amount_fen: 7900,
                ..SOUGHT
            },
        ),
        (
            "a confirmation of another nonce is refused",
            "The holder confirmed an earlier request.",
            Sought { nonce: 8, ..SOUGHT },
        ),
        (
            "a confirmation for another terminal is refused",
            "The holder confirmed at terminal 7, this is 8.",
            Sought {
                terminal: 8,
                ..SOUGHT
            },
        ),
    ];
    let confirmed = CodeBuilder::confirmed(&world.north, SOUGHT.into());
    for (name, why, asked) in others {
        codes.pos("DEVICE_SIG", name, why, confirmed.short().to_text(), |case| {
            case.confirmation = Some(asked);
            case.request.pay_fen = Some(asked.amount_fen);
        });
    }
    let mut bare = CodeBuilder::confirmed(&world.north, SOUGHT.into());
    bare.confirmation = None;
    codes.pos(
        "DEVICE_SIG",
        "a confirmed code that covers no confirmation is refused",
        "It must cover terminal, nonce and amount.",
        bare.short().to_text(),
        |case| {
            case.confirmation = Some(SOUGHT);
            case.request.pay_fen = Some(SOUGHT.amount_fen);
        },
    );
    let mut covering = CodeBuilder::new(&world.north);
    covering.confirmation = Some(SOUGHT.into());
    codes.pos(
        "DEVICE_SIG",
        "an unconfirmed code that covers a confirmation is refused",
        "Only type 3 has it.",
        covering.short().to_text(),
        |case| {
            case.confirmation = Some(SOUGHT);
            case.request.pay_fen = Some(SOUGHT.amount_fen);
        },
    );
    let refused = Sequence::new(epoch(3), alice.dynamic.counter).get();
    codes.pos(
        "DEVICE_SIG",
        "a forged code that was accepted before is still refused",
        "Signatures come before memory.",
        {
            let mut code = alice.short();
            code.moment.dynamic.usage = Use::Payment(slot(2));
            code.to_text()
        },
        |case| {
            case.standing.last = Some(refused);
            case.standing.accepted_for = Some(case.request.sale.clone());
        },
    );
}
