//! What phone and bank say past the platform: certificates, sealed fields and notices, right and wrong.

use proptest::prelude::*;
use yika_format::bank::{BankKeys, CertificateError, Field, FieldError, FieldSeal, notice_preimage};
use yika_format::{Amount, DecodeError, SchoolHash, SignatureError, UnixMillis};
use yika_testkit::{BankKit, TestKey, at, at_ms};

fn kit() -> BankKit {
    BankKit::new("bank.example", 3)
}

fn password() -> FieldSeal {
    FieldSeal {
        school: SchoolHash::of_domain("north.example"),
        operation: [0x11; 16],
        customer: [0x22; 16],
        amount: Amount(5_000),
        field: Field::Password,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn malformed(field: &'static str) -> CertificateError {
    DecodeError::Field(field).into()
}

#[test]
fn a_certificate_opens_under_the_root_that_signed_it_and_no_other() {
    let kit = kit();
    let certificate = kit.certificate();
    assert_eq!(certificate.len(), BankKeys::CERTIFICATE_LEN);
    assert_eq!(BankKeys::open(&certificate, &kit.root.expanded()), Ok(kit.keys));
    assert_eq!(
        BankKeys::open(&certificate, &kit.notice.expanded()),
        Err(CertificateError::BadSignature)
    );
}

#[test]
fn every_flipped_bit_of_a_certificate_is_refused() {
    let kit = kit();
    let certificate = kit.certificate();
    for bit in 0..certificate.len() * 8 {
        let mut flipped = certificate.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(
            BankKeys::open(&flipped, &kit.root.expanded()).is_err(),
            "bit {bit}"
        );
    }
}

#[test]
fn a_certificate_of_another_length_is_refused() {
    let kit = kit();
    let certificate = [&kit.certificate()[..], &[0]].concat();
    for len in (0..=certificate.len()).filter(|&len| len != BankKeys::CERTIFICATE_LEN) {
        assert_eq!(
            BankKeys::open(&certificate[..len], &kit.root.expanded()),
            Err(DecodeError::Length.into()),
            "{len}"
        );
    }
}

#[test]
fn what_no_certificate_may_say_is_refused_also_where_the_root_signed_it() {
    let kit = kit();
    let signed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut preimage = kit.keys.unsigned().preimage().to_vec();
        change(&mut preimage);
        let signature = kit.root.sign(&preimage);
        let certificate = [&preimage[16..], signature.as_bytes()].concat();
        BankKeys::open(&certificate, &kit.root.expanded()).map(|_| ())
    };
    assert_eq!(signed(&|_| ()), Ok(()));
    assert_eq!(signed(&|b| b[16] = b'X'), Err(DecodeError::Prefix.into()));
    assert_eq!(signed(&|b| b[18] = 2), Err(DecodeError::Header.into()));
    assert_eq!(signed(&|b| b[19..21].fill(0)), Err(malformed("number")));
    assert_eq!(signed(&|b| b.copy_within(21..25, 25)), Err(malformed("to")));
    assert_eq!(signed(&|b| b[29] = 4), Err(malformed("sealing key")));
    assert_eq!(signed(&|b| b[63..95].fill(0xff)), Err(malformed("notice key")));
    assert_eq!(
        signed(&|b| b.copy_within(29..62, 62)),
        Err(malformed("notice key"))
    );
}

#[test]
fn keys_hold_from_their_first_second_until_before_their_last() {
    let keys = kit().keys;
    let at = |offset_s, ms: i64| UnixMillis(at_ms(offset_s).0.checked_add_signed(ms).unwrap());
    for (moment, holds) in [
        (at(-3600, -1), false),
        (at(-3600, 0), true),
        (at(3600, -1), true),
        (at(3600, 0), false),
    ] {
        assert_eq!(keys.is_in_date(moment), holds, "{moment:?}");
    }
}

#[test]
fn a_notice_is_the_bank_s_only_as_it_was_signed() {
    let kit = kit();
    let signature = kit.notice.sign(&notice_preimage(b"{}"));
    assert_eq!(kit.keys.verify_notice(b"{}", &signature), Ok(()));
    assert_eq!(
        kit.keys.verify_notice(b"{ }", &signature),
        Err(SignatureError::Mismatch)
    );
    let of_another_key = kit.root.sign(&notice_preimage(b"{}"));
    assert_eq!(
        kit.keys.verify_notice(b"{}", &of_another_key),
        Err(SignatureError::Mismatch)
    );
}

#[test]
fn a_seal_opens_for_nothing_but_what_it_was_made_for() {
    let kit = kit();
    let seal = password();
    let sealed = kit.keys.seal(&seal, "204816", [7; 32]).unwrap();
    assert_eq!(
        seal.open(&sealed, 3, &kit.recipient()).unwrap().as_str(),
        "204816"
    );
    let others = [
        FieldSeal {
            school: SchoolHash::of_domain("south.example"),
            ..seal
        },
        FieldSeal {
            operation: [0x12; 16],
            ..seal
        },
        FieldSeal {
            customer: [0x23; 16],
            ..seal
        },
        FieldSeal {
            amount: Amount(5_001),
            ..seal
        },
        FieldSeal {
            field: Field::NewPassword,
            ..seal
        },
        FieldSeal {
            field: Field::Code,
            ..seal
        },
    ];
    for other in others {
        assert_eq!(
            other.open(&sealed, 3, &kit.recipient()),
            Err(FieldError::Unopened),
            "{other:?}"
        );
    }
    assert_eq!(seal.open(&sealed, 4, &kit.recipient()), Err(FieldError::Unopened));
    let stranger = BankKit::new("other.example", 3).recipient();
    assert_eq!(seal.open(&sealed, 3, &stranger), Err(FieldError::Unopened));
}

#[test]
fn every_flipped_bit_of_a_sealed_field_is_refused() {
    let kit = kit();
    let sealed = kit.keys.seal(&password(), "204816", [7; 32]).unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(
            password().open(&flipped, 3, &kit.recipient()).is_err(),
            "bit {bit}"
        );
    }
    for len in 0..sealed.len() {
        assert!(
            password().open(&sealed[..len], 3, &kit.recipient()).is_err(),
            "length {len}"
        );
    }
}

#[test]
fn every_password_fills_one_block_and_sealing_again_gives_other_bytes() {
    let kit = kit();
    let seal = |random| kit.keys.seal(&password(), "204816", [random; 32]).unwrap();
    assert_eq!(seal(1).len(), 65 + 64 + 16);
    assert_ne!(seal(1), seal(2));
    assert_eq!(seal(1), seal(1));
}

#[test]
fn a_text_that_is_not_of_the_field_s_form_is_neither_sealed_nor_opened() {
    let kit = kit();
    let long = "x".repeat(1023);
    for (field, text) in [
        (Field::Password, "12345"),
        (Field::Password, "1234567"),
        (Field::NewPassword, "12345a"),
        (Field::Code, "１２"),
        (Field::Identity, ""),
        (Field::Card, long.as_str()),
    ] {
        let seal = FieldSeal { field, ..password() };
        assert_eq!(
            kit.keys.seal(&seal, text, [7; 32]),
            Err(FieldError::Form(field)),
            "{text}"
        );
        let sealed = kit.seal_plain(&seal, &padded(text.as_bytes()));
        assert!(seal.open(&sealed, 3, &kit.recipient()).is_err(), "{text}");
    }
}

/// `length ‖ text ‖ zeros`, laid out once more.
fn padded(text: &[u8]) -> Vec<u8> {
    let len = text.len().to_be_bytes();
    let mut plain = [&len[len.len() - 2..], text].concat();
    plain.resize(plain.len().div_ceil(64) * 64, 0);
    plain
}

#[test]
fn padding_that_is_not_the_one_of_its_text_is_refused() {
    let kit = kit();
    let seal = FieldSeal {
        field: Field::Identity,
        ..password()
    };
    let open = |plain: &[u8]| seal.open(&kit.seal_plain(&seal, plain), 3, &kit.recipient());
    assert_eq!(open(&padded(b"{}")).unwrap().as_str(), "{}");
    let padding = Err(DecodeError::Field("padding").into());
    let mut dirty = padded(b"{}");
    dirty[63] = 1;
    assert_eq!(open(&dirty), padding);
    assert_eq!(
        open(&[&padded(b"{}")[..], &[0; 64]].concat()),
        padding,
        "a block too many"
    );
    assert_eq!(open(&padded(b"{}")[..63]), padding, "not whole blocks");
    assert_eq!(
        open(&[0xff; 64]),
        Err(DecodeError::Length.into()),
        "longer than what is there"
    );
    assert_eq!(open(&[0]), Err(DecodeError::Length.into()));
    assert_eq!(open(&[]), Err(DecodeError::Length.into()));
    assert_eq!(open(&padded(b"\xff\xff")), Err(DecodeError::Field("text").into()));
    assert_eq!(open(&padded(&[b'x'; 1023])), Err(DecodeError::Length.into()));
}

#[test]
fn nothing_that_is_shown_tells_what_is_secret() {
    let kit = kit();
    let opened = password().open(
        &kit.keys.seal(&password(), "204816", [7; 32]).unwrap(),
        3,
        &kit.recipient(),
    );
    let errors = [
        format!("{:?}", kit.keys.seal(&password(), "2048167", [7; 32])),
        format!("{:?}", password().open(&[4; 200], 3, &kit.recipient())),
        format!("{:?} {:?} {:?}", kit.keys, password(), kit.recipient()),
        FieldError::Form(Field::Password).to_string(),
    ];
    assert!(opened.is_ok());
    for text in errors {
        assert!(!text.contains("204816"), "{text}");
        assert!(!text.contains(&hex(&kit.sealing.private())), "{text}");
    }
}

/// The worked example of `docs/bank-protocol.md`, character for character.
#[test]
fn the_worked_example_of_the_specification_is_what_this_code_does() {
    let page = include_str!("../../docs/bank-protocol.md");
    let (_, example) = page.split_once("## A worked example").unwrap();
    let value = |name: &str| {
        let (_, rest) = example.split_once(&format!("\n{name}\n")).unwrap();
        rest.lines()
            .take_while(|line| line.starts_with("  "))
            .map(str::trim)
            .collect::<String>()
    };
    let kit = kit();
    assert_eq!(hex(&kit.root.private()), value("root, private"));
    assert_eq!(hex(&kit.sealing.private()), value("sealing key, private"));
    assert_eq!(hex(&kit.notice.private()), value("notice key, private"));
    assert_eq!(hex(&kit.certificate()), value("certificate"));
    let sealed = kit.seal_plain(&password(), &padded(b"204816"));
    assert_eq!(hex(&sealed), value("sealed field"));
    assert_eq!(
        password().open(&sealed, 3, &kit.recipient()).unwrap().as_str(),
        "204816"
    );
    let signature = kit.notice.sign(&notice_preimage(b"{}"));
    assert_eq!(hex(signature.as_bytes()), value("signature of the notice"));
}

fn fields() -> impl Strategy<Value = (Field, String)> {
    let digits = "[0-9]{6}";
    prop_oneof![
        digits.prop_map(|text| (Field::Password, text)),
        digits.prop_map(|text| (Field::NewPassword, text)),
        digits.prop_map(|text| (Field::Code, text)),
        "\\PC{1,255}".prop_map(|text| (Field::Identity, text)),
        "\\PC{1,255}".prop_map(|text| (Field::Card, text)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_opens_again(
        (field, text) in fields(), operation: [u8; 16], customer: [u8; 16], amount: u64, random: [u8; 32],
    ) {
        let kit = kit();
        let seal = FieldSeal { operation, customer, amount: Amount(amount), field, ..password() };
        let sealed = kit.keys.seal(&seal, &text, random).unwrap();
        prop_assert_eq!((sealed.len() - 65 - 16) % 64, 0);
        let opened = seal.open(&sealed, 3, &kit.recipient()).unwrap();
        prop_assert_eq!(opened.as_str(), text);
    }

    #[test]
    fn certificates_open_to_the_keys_that_they_were_made_of(number in 1_u16.., from in -9999_i64..0, life in 1_i64..9999) {
        let kit = kit();
        let (sealing, notice) = (TestKey::named("one").expanded(), TestKey::named("two").expanded());
        let keys = BankKeys::new(number, at(from), at(from + life), sealing, notice).unwrap();
        let certificate = BankKit { keys, ..kit.clone() }.certificate();
        let opened = BankKeys::open(&certificate, &kit.root.expanded()).unwrap();
        prop_assert_eq!(opened, keys);
        prop_assert_eq!(opened.number(), number);
    }

    #[test]
    fn any_bytes_are_taken_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let kit = kit();
        let _ = BankKeys::open(&bytes, &kit.root.expanded());
        let _ = password().open(&bytes, 3, &kit.recipient());
        let plain = kit.seal_plain(&password(), &bytes);
        let _ = password().open(&plain, 3, &kit.recipient());
    }
}
