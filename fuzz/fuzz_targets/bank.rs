//! What phone and bank say past the platform: certificates as they are (after a `c`), or signed well by the root (after a
//! `k`), and fields as they are (after an `f`), or sealed well, whatever is in them (after a `p` and the field's number).
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use yika_format::bank::{BankKeys, CertificateError, Field, FieldError, FieldSeal};
use yika_format::{Amount, RecipientKey, SchoolHash};
use yika_testkit::BankKit;

static BANK: LazyLock<(BankKit, RecipientKey)> = LazyLock::new(|| {
    let kit = BankKit::new("bank.example", 3);
    let recipient = kit.recipient();
    (kit, recipient)
});

fuzz_target!(|data: &[u8]| {
    let (kit, recipient) = &*BANK;
    match data {
        [b'c', certificate @ ..] => {
            let _ = open_certificate(kit, certificate);
        }
        [b'k', signed @ ..] => {
            let signature = kit.root.sign(&[b"YIKA1.bankkey\0\0\0", signed].concat());
            let opened = open_certificate(kit, &[signed, signature.as_bytes()].concat());
            assert!(!matches!(opened, Err(CertificateError::BadSignature)));
        }
        [b'f', sealed @ ..] => {
            let _ = seal_of(Field::Password).open(sealed, 3, recipient);
        }
        [b'p', number, plain @ ..] => {
            let field = match number {
                b'1' => Field::Password,
                b'2' => Field::NewPassword,
                b'3' => Field::Identity,
                b'4' => Field::Card,
                _ => Field::Code,
            };
            let seal = seal_of(field);
            match seal.open(&kit.seal_plain(&seal, plain), 3, recipient) {
                Ok(text) => {
                    let mut again = u16::try_from(text.len())
                        .expect("a field is short")
                        .to_be_bytes()
                        .to_vec();
                    again.extend(text.as_bytes());
                    again.resize(again.len().next_multiple_of(64), 0);
                    assert_eq!(again, plain, "another encoding of the same text");
                }
                Err(error) => assert_ne!(error, FieldError::Unopened),
            }
        }
        _ => {}
    }
});

fn open_certificate(kit: &BankKit, bytes: &[u8]) -> Result<(), CertificateError> {
    let keys = BankKeys::open(bytes, &kit.root.expanded())?;
    assert_eq!(
        keys.unsigned().preimage()[16..],
        bytes[..bytes.len() - 64],
        "another encoding of the same keys"
    );
    Ok(())
}

fn seal_of(field: Field) -> FieldSeal {
    FieldSeal {
        school: SchoolHash::of_domain("north.example"),
        operation: [0x11; 16],
        customer: [0x22; 16],
        amount: Amount(5_000),
        field,
    }
}
