//! Texts that are no canonical code. Where bytes are wrong they are signed after they were made wrong, so that nothing
//! but the decoder stands in their way.

use super::Vector;
use super::world::{Codes, World, off_curve};
use crate::{CodeBuilder, to_text};

const MALFORMED: &str = "MALFORMED";

/// The order of P-256, big-endian.
pub(super) const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
    0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

pub(super) fn vectors(world: &World) -> Vec<Vector> {
    let mut codes = Codes::new(world);
    texts(&mut codes);
    shared_fields(&mut codes);
    credential_fields(&mut codes);
    signatures(&mut codes);
    codes.vectors
}

fn texts(codes: &mut Codes<'_>) {
    let alice = CodeBuilder::new(&codes.world.north);
    let (short, full) = (alice.short().to_text(), alice.full().to_text());
    // A counter that gives a text with a space inside, so that trimming it does harm.
    let with_space = (1..=u16::MAX)
        .map(|counter| {
            CodeBuilder::new(&codes.world.north)
                .counter(counter)
                .short()
                .to_text()
        })
        .find(|text| text.contains(' '))
        .unwrap_or_default();
    let body = &short[2..];
    let texts: [(&str, &str, String); 18] = [
        (
            "an empty text is refused",
            "A scanner may send its line end alone.",
            String::new(),
        ),
        ("a prefix alone is refused", "Nothing follows it.", "C1".into()),
        (
            "an unknown prefix is refused",
            "C4 is no form of this version.",
            format!("C4{body}"),
        ),
        (
            "a confirmation is no code",
            "C3 is what a terminal shows.",
            format!("C3{body}"),
        ),
        (
            "a short code under the full prefix is refused",
            "Prefix and length belong together.",
            format!("C2{body}"),
        ),
        (
            "a full code under the short prefix is refused",
            "Prefix and length belong together.",
            format!("C1{}", &full[2..]),
        ),
        (
            "a code without its last character is refused",
            "A scan may be cut.",
            short[..121].into(),
        ),
        (
            "a code with one character more is refused",
            "Nothing may follow but line ends.",
            format!("{short}0"),
        ),
        (
            "a code with a pair more is refused",
            "A whole Base45 group too much.",
            format!("{short}000"),
        ),
        (
            "a space in front is refused",
            "Only an AIM identifier may stand there.",
            format!(" {short}"),
        ),
        (
            "a space behind is refused",
            "Only CR, LF and TAB may stand there.",
            format!("{short} "),
        ),
        (
            "a code whose inner spaces were trimmed is refused",
            "The space belongs to the alphabet; scanners must not drop it.",
            with_space.replace(' ', ""),
        ),
        (
            "a line break inside is refused",
            "Line ends are dropped behind only.",
            format!("{}\n{}", &short[..60], &short[60..]),
        ),
        (
            "another AIM identifier is refused",
            "QR codes have Q0 to Q6.",
            format!("]Q7{short}"),
        ),
        (
            "two AIM identifiers are refused",
            "One is dropped.",
            format!("]Q1]Q1{short}"),
        ),
        (
            "a character outside the alphabet is refused",
            "A French keyboard layout types such.",
            format!("{}&{}", &short[..40], &short[41..]),
        ),
        (
            "a letter outside ASCII is refused",
            "Full-width letters are no letters of Base45.",
            format!("{}\u{ff21}{}", &short[..40], &short[41..]),
        ),
        (
            "a triple above 65535 is refused",
            "Base45 has room for more than two bytes in three characters.",
            format!("C1:::{}", &body[3..]),
        ),
    ];
    for (name, why, text) in texts {
        codes.pos(MALFORMED, name, why, text, |_| {});
    }
}

fn shared_fields(codes: &mut Codes<'_>) {
    let fields: [(&str, &str, usize, u8); 17] = [
        (
            "a code of version 2 is refused",
            "The upper four bits of the header are 1.",
            0,
            0x24,
        ),
        (
            "a header without a form is refused",
            "The form bits are 00.",
            0,
            0x10,
        ),
        (
            "a header of both forms is refused",
            "The form bits are 11.",
            0,
            0x1c,
        ),
        (
            "a full header in a short code is refused",
            "Header and prefix belong together.",
            0,
            0x18,
        ),
        (
            "a header of an unknown profile is refused",
            "The profile bits are 10.",
            0,
            0x16,
        ),
        ("epoch 0 is refused", "Epochs are 1 to 254.", 6, 0),
        ("epoch 255 is refused", "Epochs are 1 to 254.", 6, 255),
        ("use 0 is refused", "Types are 1 to 3.", 13, 0x10),
        ("use 4 is refused", "Types are 1 to 3.", 13, 0x14),
        (
            "an identity that names an account is refused",
            "Identity has slot 0.",
            13,
            0x11,
        ),
        (
            "a payment that names no account is refused",
            "Payments have slots 1 to 8.",
            13,
            0x02,
        ),
        (
            "a confirmed payment that names no account is refused",
            "Payments have slots 1 to 8.",
            13,
            0x03,
        ),
        ("account 9 is refused", "Payments have slots 1 to 8.", 13, 0x92),
        (
            "site group 255 is refused",
            "Groups are 1 to 254, 0 is any.",
            14,
            255,
        ),
        (
            "clock 253 is refused",
            "252 is the highest that means anything.",
            15,
            253,
        ),
        (
            "clock 254 is refused",
            "252 is the highest that means anything.",
            15,
            254,
        ),
        (
            "clock 255 is refused",
            "252 is the highest that means anything.",
            15,
            255,
        ),
    ];
    for (name, why, at, value) in fields {
        let text = codes.world.short_patched(|bytes| bytes[at] = value);
        codes.pos(MALFORMED, name, why, text, |_| {});
    }
    let text = codes.world.short_patched(|bytes| bytes[11..13].fill(0));
    codes.pos(
        MALFORMED,
        "counter 0 is refused",
        "Counters are 1 to 65535.",
        text,
        |_| {},
    );
    let text = codes.world.full_patched(|bytes| bytes[121..123].fill(0));
    codes.pos(
        MALFORMED,
        "counter 0 in a full code is refused",
        "The dynamic part has the same rules in both forms.",
        text,
        |_| {},
    );
}

fn credential_fields(codes: &mut Codes<'_>) {
    let fields: [(&str, &str, usize, u8); 16] = [
        (
            "a short header in a full code is refused",
            "Header and prefix belong together.",
            0,
            0x14,
        ),
        ("a full code of epoch 0 is refused", "Epochs are 1 to 254.", 8, 0),
        (
            "a credential without life is refused",
            "Lives are 1 to 255 hours.",
            11,
            0,
        ),
        (
            "a code life of 9 seconds is refused",
            "Code lives are 10 to 120 seconds.",
            12,
            9,
        ),
        (
            "a code life of 121 seconds is refused",
            "Code lives are 10 to 120 seconds.",
            12,
            121,
        ),
        (
            "a limit per use above the cumulative one is refused",
            "The first byte of the limit per use raised.",
            13,
            0xff,
        ),
        ("an unknown scope is refused", "Scopes are bits 0 to 5.", 18, 0x40),
        (
            "another unknown scope is refused",
            "Scopes are bits 0 to 5.",
            18,
            0x80,
        ),
        ("holder class 0 is refused", "Classes are 1 to 4.", 19, 0x10),
        ("holder class 5 is refused", "Classes are 1 to 4.", 19, 0x15),
        ("key storage 3 is refused", "Storages are 0 to 2.", 19, 0x31),
        (
            "a reserved bit of the class is refused",
            "Bits 6 and 7 are 0.",
            19,
            0x51,
        ),
        (
            "an uncompressed mark in front of the device key is refused",
            "Keys begin with 02 or 03.",
            20,
            4,
        ),
        (
            "a device key at infinity is refused",
            "Keys begin with 02 or 03.",
            20,
            0,
        ),
        (
            "site group 255 in a full code is refused",
            "The dynamic part has the same rules in both forms.",
            124,
            255,
        ),
        (
            "clock 253 in a full code is refused",
            "The dynamic part has the same rules in both forms.",
            125,
            253,
        ),
    ];
    for (name, why, at, value) in fields {
        let text = codes.world.full_patched(|bytes| bytes[at] = value);
        codes.pos(MALFORMED, name, why, text, |_| {});
    }
    let text = codes
        .world
        .full_patched(|bytes| bytes[20..53].copy_from_slice(off_curve().as_bytes()));
    codes.pos(
        MALFORMED,
        "a device key off the curve is refused",
        "No point has this x.",
        text,
        |_| {},
    );
}

fn signatures(codes: &mut Codes<'_>) {
    let alice = CodeBuilder::new(&codes.world.north);
    let halves: [(&str, usize, [u8; 32]); 4] = [
        ("a signature whose r is 0 is refused", 0, [0; 32]),
        ("a signature whose s is 0 is refused", 32, [0; 32]),
        ("a signature whose r is the order is refused", 0, ORDER),
        ("a signature whose s is the order is refused", 32, ORDER),
    ];
    for (name, at, half) in halves {
        let mut bytes = alice.short().to_bytes();
        bytes[16 + at..][..32].copy_from_slice(&half);
        codes.pos(
            MALFORMED,
            name,
            "r and s are from 1 to n − 1.",
            to_text("C1", &bytes),
            |_| {},
        );
    }
    let mut bytes = alice.full().to_bytes();
    bytes[53..85].fill(0);
    codes.pos(
        MALFORMED,
        "an issuer signature whose r is 0 is refused",
        "r and s are from 1 to n − 1.",
        to_text("C2", &bytes),
        |_| {},
    );
    let mut bytes = alice.full().to_bytes();
    bytes[158..].copy_from_slice(&ORDER);
    codes.pos(
        MALFORMED,
        "a device signature in a full code whose s is the order is refused",
        "r and s are from 1 to n − 1.",
        to_text("C2", &bytes),
        |_| {},
    );
}
