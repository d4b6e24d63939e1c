//! Credentials by themselves, confirmations, and proofs of possession.

use super::code_accepted::SOUGHT;
use super::code_malformed::ORDER;
use super::world::{World, epoch, off_curve};
use super::{
    Case, ConfirmationCase, CredentialCase, Hex, ProofCase, Vector, describe_confirmation,
    describe_credential,
};
use crate::{CredentialBuilder, SignerKit, TestKey, to_text};
use serde_json::Value;
use yika_format::Hours;
use yika_format::confirmation::Confirmation;
use yika_format::credential::{HolderClass, KeyStorage};
use yika_format::proof::key_proof_preimage;

pub(super) fn vectors(world: &World) -> Vec<Vector> {
    let mut vectors = credentials(world);
    vectors.extend(confirmations());
    vectors.extend(proofs(world));
    vectors
}

fn vector(expect: &str, name: &str, why: &str, case: Case, fields: Option<Value>) -> Vector {
    Vector {
        name: name.to_owned(),
        why: why.to_owned(),
        case,
        expect: expect.to_owned(),
        fields,
    }
}

fn credentials(world: &World) -> Vec<Vector> {
    let kit = &world.north;
    let case = |bytes: &[u8]| {
        Case::Credential(CredentialCase {
            school: "north".to_owned(),
            issuer_key: Hex(kit.credential.public().as_bytes().to_vec()),
            input: Hex(bytes.to_vec()),
        })
    };
    let usual = CredentialBuilder::new(kit);
    let mut widest = usual.clone();
    let body = &mut widest.body;
    body.epoch = epoch(254);
    (body.not_before, body.life_hours, body.code_life_s) = (Hours(u16::MAX), 255, 120);
    (body.attributes.per_use.0, body.attributes.cumulative.0) = (u16::MAX, u16::MAX);
    body.attributes.accounts.0 = 0xff;
    (body.attributes.class, body.attributes.key_storage) = (HolderClass::Other, KeyStorage::SecureElement);
    let mut no_point = usual.clone();
    no_point.body.device_key = off_curve();
    let mut vectors: Vec<_> = [
        (
            "a credential is accepted",
            "As the phone gets it from the issuer.",
            &usual,
        ),
        (
            "a credential of the largest values is accepted",
            "Every field at its upper end.",
            &widest,
        ),
        (
            "a credential whose device key is no point is read",
            "Terminals look at it when a code is verified: there it is refused.",
            &no_point,
        ),
    ]
    .map(|(name, why, builder)| {
        let credential = builder.build();
        let fields = describe_credential(&credential, &kit.school);
        vector("ACCEPT", name, why, case(&credential.to_bytes()), Some(fields))
    })
    .into();
    let good = usual.build().to_bytes();
    let mut raised = good;
    raised[14] ^= 1;
    let other_school = CredentialBuilder {
        school: world.south.school,
        ..usual
    };
    vectors.extend([
        vector(
            "MALFORMED",
            "a credential without its last byte is refused",
            "Credentials have 117 bytes.",
            case(&good[..116]),
            None,
        ),
        vector(
            "MALFORMED",
            "a credential with a byte more is refused",
            "Credentials have 117 bytes.",
            case(&[&good[..], &[0]].concat()),
            None,
        ),
        vector(
            "ISSUER_SIG",
            "a credential with a changed limit is refused",
            "Limits are signed.",
            case(&raised),
            None,
        ),
        vector(
            "ISSUER_SIG",
            "a credential signed for another school is refused",
            "The school is signed.",
            case(&other_school.build().to_bytes()),
            None,
        ),
    ]);
    vectors
}

fn confirmations() -> Vec<Vector> {
    let text = |terminal: u64, nonce: u64, amount: u64| {
        to_text(
            "C3",
            [terminal, nonce, amount].map(u64::to_be_bytes).as_flattened(),
        )
    };
    let asked = Confirmation::from(SOUGHT);
    let good = text(asked.terminal, asked.nonce, asked.amount.0);
    let case = |input: String| Case::Confirmation(ConfirmationCase { input });
    let fields = Some(describe_confirmation(&asked));
    let refused = |name: &str, why: &str, input: String| vector("MALFORMED", name, why, case(input), None);
    vec![
        vector(
            "ACCEPT",
            "a confirmation is read",
            "38 characters: terminal, nonce and amount.",
            case(good.clone()),
            fields.clone(),
        ),
        vector(
            "ACCEPT",
            "a confirmation is read in either letter case",
            "With what scanners add.",
            case(format!("]q1{}\r\n", good.to_lowercase())),
            fields,
        ),
        refused(
            "a confirmation without a nonce is refused",
            "0 stands for none in records.",
            text(7, 0, 8000),
        ),
        refused(
            "a confirmation of nothing is refused",
            "Amounts are above zero.",
            text(7, 9, 0),
        ),
        refused(
            "a confirmation without its last character is refused",
            "It has 38 characters.",
            good[..37].to_owned(),
        ),
        refused(
            "a confirmation under the prefix of codes is refused",
            "It begins with C3.",
            good.replace("C3", "C1"),
        ),
    ]
}

fn proofs(world: &World) -> Vec<Vector> {
    let kit = &world.north;
    let (nonce, device) = ([0x0a; 32], [0x0b; 16]);
    let preimage = |kit: &SignerKit, nonce: &[u8; 32], device: &[u8; 16]| {
        key_proof_preimage(&kit.school, nonce, device, &world.north.device.public())
    };
    let good = preimage(kit, &nonce, &device);
    let case = |input: Vec<u8>| {
        Case::Proof(ProofCase {
            school: "north".to_owned(),
            nonce: nonce.into(),
            device: device.into(),
            key: Hex(kit.device.public().as_bytes().to_vec()),
            input: Hex(input),
        })
    };
    let raw = |preimage: &[u8]| kit.device.sign(preimage).as_bytes().to_vec();
    let mut padded = kit.device.sign_der(&good);
    padded.push(0);
    vec![
        vector(
            "ACCEPT",
            "a proof of possession is accepted",
            "The key signs the platform's nonce.",
            case(raw(&good)),
            None,
        ),
        vector(
            "ACCEPT",
            "a proof of possession in DER is accepted",
            "As key stores return signatures.",
            case(kit.device.sign_der(&good)),
            None,
        ),
        vector(
            "MALFORMED",
            "a proof in DER with a byte behind is refused",
            "DER is strict.",
            case(padded),
            None,
        ),
        vector(
            "MALFORMED",
            "a proof of 63 bytes is refused",
            "Neither raw nor DER.",
            case(raw(&good)[..63].to_vec()),
            None,
        ),
        vector(
            "MALFORMED",
            "a proof whose r is 0 is refused",
            "r and s are from 1 to n − 1, in DER too.",
            case(vec![0x30, 6, 2, 1, 0, 2, 1, 1]),
            None,
        ),
        vector(
            "MALFORMED",
            "a proof whose s is n is refused",
            "r and s are from 1 to n − 1, in DER too.",
            case([&[0x30, 38, 2, 1, 1, 2, 33, 0][..], &ORDER].concat()),
            None,
        ),
        vector(
            "DEVICE_SIG",
            "a proof for another nonce is refused",
            "It may be an old one.",
            case(raw(&preimage(kit, &[0; 32], &device))),
            None,
        ),
        vector(
            "DEVICE_SIG",
            "a proof for another device is refused",
            "The device is signed.",
            case(raw(&preimage(kit, &nonce, &[0; 16]))),
            None,
        ),
        vector(
            "DEVICE_SIG",
            "a proof for another school is refused",
            "The school is signed.",
            case(raw(&preimage(&world.south, &nonce, &device))),
            None,
        ),
        vector(
            "DEVICE_SIG",
            "a proof by another key is refused",
            "The key that is to be enrolled signs.",
            case(TestKey::named("forger").sign(&good).as_bytes().to_vec()),
            None,
        ),
    ]
}
