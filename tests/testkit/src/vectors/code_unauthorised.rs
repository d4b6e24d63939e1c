//! Genuine codes that are not good for this, here and now: lists, time, memory, place and limits.

use super::code_accepted::SOUGHT;
use super::world::{Codes, World};
use super::{Hex, Kind, Vector};
use crate::{CodeBuilder, at, slot, yuan};
use yika_format::code::{ClockConfidence, Site, Use};

pub(super) fn vectors(world: &World) -> Vec<Vector> {
    let mut codes = Codes::new(world);
    lists(&mut codes);
    time(&mut codes);
    memory(&mut codes);
    kinds(&mut codes);
    scopes(&mut codes);
    sites_and_accounts(&mut codes);
    limits(&mut codes);
    codes.vectors
}

fn lists(codes: &mut Codes<'_>) {
    let world = codes.world;
    let pay = CodeBuilder::new(&world.north);
    let identity = CodeBuilder::identity(&world.north).full().to_text();
    codes.pos(
        "LISTS_STALE",
        "a payment without revocations is refused",
        "Nobody could be revoked.",
        pay.short().to_text(),
        |case| case.schools[0].revocations = None,
    );
    codes.pos(
        "LISTS_STALE",
        "a payment with revocations out of date is refused",
        "Payments never go without.",
        pay.short().to_text(),
        |case| case.schools[0].revocations = Some("north-revocations-out-of-date".into()),
    );
    let mut strict = world.at_gate();
    strict.schools[0].table = Some("north-table-strict".into());
    strict.schools[0].revocations = None;
    codes.add(
        "LISTS_STALE",
        "an identity without revocations is refused where the policy is strict",
        "The table of this school does not allow it.",
        identity.clone(),
        strict,
    );
    let mut bare = world.at_gate();
    bare.schools[0].table = None;
    bare.schools[0].revocations = Some("north-revocations-out-of-date".into());
    codes.add(
        "LISTS_STALE",
        "an identity without table and fresh revocations is refused",
        "Without a table nothing allows it.",
        identity,
        bare,
    );
}

fn time(codes: &mut Codes<'_>) {
    let world = codes.world;
    let shown = |seconds: i64, clock: ClockConfidence| {
        let mut alice = CodeBuilder::new(&world.north);
        (alice.dynamic.time, alice.dynamic.clock) = (at(seconds), clock);
        alice
    };
    let sure = ClockConfidence::Anchored(1);
    codes.pos(
        "NO_TIME",
        "a payment at a terminal whose time is not confirmed is refused",
        "After a reboot without signed time, money is not taken.",
        shown(0, sure).short().to_text(),
        |case| case.time.anchored = false,
    );
    let stale = [
        (
            "a code one second past its life is refused",
            "Life 30 s and uncertainties of 2 and 1 s: 33 s.",
            -34,
            sure,
        ),
        (
            "a code eight hours old is refused",
            "Seen in use: a terminal took eight hours of difference as a time zone.",
            -28_800,
            sure,
        ),
        (
            "a clock that is sure of nothing does not widen the window beyond the policy",
            "250 means 500 s; the skew counts up to 60 s.",
            -91,
            ClockConfidence::Anchored(250),
        ),
        (
            "an unanchored code past the largest skew is refused",
            "Life 30 s and 60 s of skew.",
            -91,
            ClockConfidence::WallOnly,
        ),
    ];
    for (name, why, seconds, clock) in stale {
        codes.pos(
            "STALE",
            name,
            why,
            shown(seconds, clock).short().to_text(),
            |_| {},
        );
    }
    let mut brief = shown(-20, sure);
    brief.credential.body.code_life_s = 10;
    brief.credential.body.pseudonym = super::world::pseudonym("nadia");
    codes.pos(
        "STALE",
        "a full code past the life that its certificate gives is refused",
        "10 s for this certificate, though the table says 30.",
        brief.full().to_text(),
        |_| {},
    );
    let future = [
        (
            "a code one second too far ahead is refused",
            "Uncertainties of 2 and 1 s.",
            4,
            sure,
        ),
        (
            "a code eight hours ahead is refused",
            "A life never counts forward, nor does a time zone.",
            28_800,
            sure,
        ),
        (
            "an unanchored code ahead of the largest skew is refused",
            "60 s of skew.",
            61,
            ClockConfidence::Rebooted,
        ),
    ];
    for (name, why, seconds, clock) in future {
        codes.pos(
            "FUTURE",
            name,
            why,
            shown(seconds, clock).short().to_text(),
            |_| {},
        );
    }
    let mut gate = world.at_gate();
    gate.time.anchored = false;
    let mut identity = CodeBuilder::identity(&world.north);
    identity.dynamic.time = at(-91);
    codes.add(
        "STALE",
        "an old identity at a terminal whose time is not confirmed is refused",
        "The skew is the largest, no more.",
        identity.short().to_text(),
        gate,
    );
    codes.pos(
        "BEFORE_INSTALL",
        "a code made before the terminal was installed is refused",
        "The terminal can't know whether it was used.",
        shown(0, sure).short().to_text(),
        |case| case.terminal.installed = at(1).0,
    );
}

fn memory(codes: &mut Codes<'_>) {
    let alice = CodeBuilder::new(&codes.world.north);
    const LAST: u32 = 3 << 16 | 100;
    codes.pos(
        "REPLAY",
        "the same code for another sale is refused",
        "It was accepted for one sale and counts once.",
        alice.short().to_text(),
        |case| {
            case.standing.last = Some(LAST);
            case.standing.accepted_for = Some(Hex(vec![0x22; 16]));
        },
    );
    codes.pos(
        "REPLAY",
        "the same code again is refused",
        "Its counter was accepted here.",
        alice.short().to_text(),
        |case| case.standing.last = Some(LAST),
    );
    codes.pos(
        "REPLAY",
        "the full form of an accepted short code is refused",
        "Both forms of a moment share one counter.",
        alice.full().to_text(),
        |case| case.standing.last = Some(LAST),
    );
    codes.pos(
        "REPLAY",
        "another code with an accepted counter is refused",
        "A phone that used a counter twice.",
        {
            let mut twice = alice.clone();
            twice.dynamic.usage = Use::Payment(slot(2));
            twice.short().to_text()
        },
        |case| case.standing.last = Some(LAST),
    );
    codes.pos(
        "REPLAY",
        "a high counter of an older epoch is refused",
        "Epoch 3 was accepted at this terminal as 4 was already.",
        alice.clone().counter(65535).short().to_text(),
        |case| case.standing.last = Some(4 << 16 | 1),
    );
    let mut identity = CodeBuilder::identity(&codes.world.north);
    identity.dynamic.clock = ClockConfidence::Anchored(0);
    let mut gate = codes.world.at_gate();
    gate.standing.last = Some(LAST);
    codes.add(
        "REPLAY",
        "an identity shown twice is refused",
        "A gate opens once for each code.",
        identity.short().to_text(),
        gate,
    );
}

fn kinds(codes: &mut Codes<'_>) {
    let world = codes.world;
    let pay = CodeBuilder::new(&world.north).short().to_text();
    let identity = CodeBuilder::identity(&world.north).short().to_text();
    codes.pos(
        "WRONG_KIND",
        "an identity does not pay",
        "A POS asks for payments.",
        identity.clone(),
        |_| {},
    );
    codes.pos(
        "WRONG_KIND",
        "a POS does not take identities",
        "Asked for identity, whatever is shown.",
        identity.clone(),
        |case| case.request.pay_fen = None,
    );
    codes.add(
        "WRONG_KIND",
        "a payment does not open a gate",
        "A gate asks for identity.",
        pay.clone(),
        world.at_gate(),
    );
    let mut paying_gate = world.at_gate();
    paying_gate.request.pay_fen = Some(1250);
    codes.add(
        "WRONG_KIND",
        "a gate does not take payments",
        "Asked for a payment, with a payment's code.",
        pay.clone(),
        paying_gate,
    );
    codes.add(
        "WRONG_KIND",
        "a payment does not borrow",
        "Borrowing at the library asks for identity.",
        pay,
        world.at_library(),
    );
    let mut fee = world.at_library();
    fee.request.pay_fen = Some(1250);
    codes.add(
        "WRONG_KIND",
        "an identity does not pay a fee",
        "Fees at the library ask for a payment.",
        identity,
        fee,
    );
}

fn scopes(codes: &mut Codes<'_>) {
    let world = codes.world;
    let identity = |name: &str| {
        let mut code = world.person(name);
        code.dynamic.usage = Use::Identity;
        code.short().to_text()
    };
    codes.add(
        "SCOPE",
        "an identity without the scope of gates is refused",
        "Gerda has no scope at all.",
        identity("gerda"),
        world.at_gate(),
    );
    codes.add(
        "SCOPE",
        "an identity without the scope of the library is refused",
        "Hanna has gates, POS and fees.",
        identity("hanna"),
        world.at_library(),
    );
    codes.pos(
        "SCOPE",
        "a payment without the scope of POS is refused",
        "Gerda has no scope at all.",
        world.person("gerda").short().to_text(),
        |_| {},
    );
    let mut fee = world.at_library();
    fee.request.pay_fen = Some(500);
    codes.add(
        "SCOPE",
        "a fee without its scope is refused",
        "Gerda has no scope at all.",
        world.person("gerda").short().to_text(),
        fee.clone(),
    );
    codes.add(
        "SCOPE",
        "a fee by an older certificate whose row lost the scope is refused",
        "The certificate has it, the newer row has not.",
        world.person("carla").full().to_text(),
        fee,
    );
    codes.pos(
        "SCOPE",
        "a payment at a machine without its scope is refused",
        "Hanna may pay at POS that somebody attends.",
        world.person("hanna").short().to_text(),
        |case| case.terminal.attended = false,
    );
    let mut confirmed = world.person("hanna");
    confirmed.dynamic.usage = Use::ConfirmedPayment(slot(1));
    confirmed.confirmation = Some(SOUGHT.into());
    codes.pos(
        "SCOPE",
        "a confirmed payment without its scope is refused",
        "Hanna may not confirm.",
        confirmed.short().to_text(),
        |case| {
            case.confirmation = Some(SOUGHT);
            case.request.pay_fen = Some(SOUGHT.amount_fen);
        },
    );
    let erika = world.person("erika");
    codes.pos(
        "SCOPE",
        "a short code of who may not pay offline is refused",
        "The row's flag takes all payments away.",
        erika.short().to_text(),
        |_| {},
    );
    codes.pos(
        "SCOPE",
        "a full code of who may not pay offline is refused",
        "The row's flag counts for certificates too.",
        erika.full().to_text(),
        |_| {},
    );
}

fn sites_and_accounts(codes: &mut Codes<'_>) {
    let world = codes.world;
    let mut elsewhere = CodeBuilder::new(&world.north);
    elsewhere.dynamic.site = Site::Group(3);
    codes.pos(
        "SITE",
        "a code for another group of sites is refused",
        "The terminal belongs to groups 1 and 2.",
        elsewhere.short().to_text(),
        |_| {},
    );
    codes.pos(
        "SITE",
        "a code for a group at a terminal without groups is refused",
        "It takes codes for any site only.",
        elsewhere.short().to_text(),
        |case| case.terminal.sites.clear(),
    );
    let paying = |name: &str, number: u8| {
        let mut code = world.person(name);
        code.dynamic.usage = Use::Payment(slot(number));
        code
    };
    codes.pos(
        "ACCOUNT",
        "an account that the credential has not is refused",
        "Alice has accounts 1 to 3.",
        paying("alice", 4).short().to_text(),
        |_| {},
    );
    codes.pos(
        "ACCOUNT",
        "an account that the row took away is refused",
        "Carla's newer row has account 1 only.",
        paying("carla", 2).short().to_text(),
        |_| {},
    );
    codes.pos(
        "ACCOUNT",
        "an account of an older certificate that the row took away is refused",
        "Certificate and row must both have it.",
        paying("carla", 2).full().to_text(),
        |case| case.request.pay_fen = Some(500),
    );
}

fn limits(codes: &mut Codes<'_>) {
    let world = codes.world;
    let alice = CodeBuilder::new(&world.north).short().to_text();
    codes.pos(
        "LIMIT",
        "a payment of nothing is refused",
        "Amounts are above zero.",
        alice.clone(),
        |case| case.request.pay_fen = Some(0),
    );
    codes.pos(
        "LIMIT",
        "a payment above the limit per use is refused",
        "One fen above 50 yuan.",
        alice.clone(),
        |case| case.request.pay_fen = Some(5001),
    );
    codes.pos(
        "LIMIT",
        "a payment above the cumulative limit is refused",
        "One fen above 100 yuan.",
        alice.clone(),
        |case| case.standing.spent_fen = 8751,
    );
    codes.pos(
        "LIMIT",
        "a sum that overflows is refused",
        "Sums are checked, never wrapped.",
        alice,
        |case| {
            case.request.pay_fen = Some(1);
            case.standing.spent_fen = u64::MAX;
        },
    );
    codes.pos(
        "LIMIT",
        "an older certificate with a higher limit is held to the row",
        "The certificate says 50 yuan, the newer row 10.",
        world.person("carla").full().to_text(),
        |case| case.request.pay_fen = Some(1001),
    );
    codes.pos(
        "LIMIT",
        "a short code of an older epoch is held to the row",
        "The row says 10 yuan.",
        world.person("carla").short().to_text(),
        |case| case.request.pay_fen = Some(1001),
    );
    let mut unanchored = CodeBuilder::new(&world.north);
    unanchored.dynamic.clock = ClockConfidence::WallOnly;
    codes.pos(
        "LIMIT",
        "an unanchored payment above the policy's limit is refused",
        "One fen above 20 yuan.",
        unanchored.short().to_text(),
        |case| case.request.pay_fen = Some(2001),
    );
    codes.pos(
        "LIMIT",
        "an unanchored payment without a table is refused",
        "Without a table the limit for them is zero.",
        unanchored.full().to_text(),
        |case| {
            case.schools[0].table = None;
            case.request.pay_fen = Some(1);
        },
    );
    let confirmed = CodeBuilder::confirmed(&world.north, SOUGHT.into())
        .short()
        .to_text();
    codes.pos(
        "LIMIT",
        "a confirmed payment above the cumulative limit is refused",
        "What is confirmed passes the limit per use, never the sum.",
        confirmed.clone(),
        |case| {
            case.confirmation = Some(SOUGHT);
            case.request.pay_fen = Some(SOUGHT.amount_fen);
            case.standing.spent_fen = 2001;
        },
    );
    codes.pos(
        "LIMIT",
        "a sale of another amount than the confirmed one is refused",
        "80 yuan were confirmed, 79 are to be taken.",
        confirmed,
        |case| {
            case.confirmation = Some(SOUGHT);
            case.request.pay_fen = Some(7900);
        },
    );
    let mut kiosk = world.person("mario");
    kiosk.credential.body.attributes.per_use = yuan(0);
    kiosk.credential.body.pseudonym = super::world::pseudonym("nadia");
    codes.pos(
        "LIMIT",
        "a credential that may not pay unconfirmed is refused",
        "Its limit per use is zero.",
        kiosk.full().to_text(),
        |case| {
            case.terminal.kind = Kind::Library;
            case.request.pay_fen = Some(1);
        },
    );
}
