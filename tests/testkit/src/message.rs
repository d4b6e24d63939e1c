//! Messages and codes from raw bytes, laid out here once more: what is wrong on purpose, the typed builders can't say.

use crate::{SignerKit, TestKey, at_ms};
use yika_format::{SchoolHash, Signature, UnixMillis};

/// A signed message to be, of any bytes: by default a good empty envelope of the kit's table key, version 7.
#[derive(Clone)]
pub struct MessageBuilder {
    /// The two bytes in front.
    pub magic: [u8; 2],
    /// The type.
    pub kind: u8,
    /// The algorithm.
    pub algorithm: u8,
    /// The school.
    pub school: SchoolHash,
    /// The number of the key that signs.
    pub signer: u16,
    /// The version.
    pub version: u64,
    /// When it was made.
    pub issued: UnixMillis,
    /// Until when it may be relied on.
    pub good_until: UnixMillis,
    /// The body.
    pub body: Vec<u8>,
    /// The tag of the signature, without its zeros.
    pub tag: &'static str,
    /// The key that signs.
    pub key: TestKey,
    /// What follows the signature.
    pub after: Vec<u8>,
}

impl MessageBuilder {
    /// A message of this type and tag with this body.
    pub fn new(kit: &SignerKit, kind: u8, tag: &'static str, body: Vec<u8>) -> Self {
        let (signer, key) = match kind {
            1 => (0, &kit.root),
            5 => (20, &kit.time),
            _ => (10, &kit.table),
        };
        Self {
            magic: *b"YK",
            kind,
            algorithm: 0,
            school: kit.school,
            signer,
            version: 7,
            issued: at_ms(-600),
            good_until: at_ms(86_400),
            body,
            tag,
            key: key.clone(),
            after: Vec::new(),
        }
    }

    /// The bytes up to the signature.
    pub(crate) fn signed(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_vec();
        bytes.extend([self.kind, self.algorithm]);
        bytes.extend(self.school.0);
        bytes.extend(self.signer.to_be_bytes());
        for number in [self.version, self.issued.0, self.good_until.0] {
            bytes.extend(number.to_be_bytes());
        }
        let len = u32::try_from(self.body.len()).expect("bodies are small");
        bytes.extend(len.to_be_bytes());
        bytes.extend(&self.body);
        bytes
    }

    /// The message with its signature.
    pub fn build(&self) -> Vec<u8> {
        let mut bytes = self.signed();
        let signature = self.key.sign(&[&padded(self.tag)[..], &bytes].concat());
        bytes.extend(signature.as_bytes());
        bytes.extend(&self.after);
        bytes
    }
}

/// Signs the first 53 bytes of a full code as issuer and then its dynamic part as device, whatever they are.
pub fn sign_full(bytes: &mut [u8], school: &SchoolHash, issuer: &TestKey, device: &TestKey) {
    let signature = issuer.sign(&[&padded("YIKA1.cred")[..], &school.0, &bytes[..53]].concat());
    bytes[53..117].copy_from_slice(signature.as_bytes());
    let signature = sign_code(bytes[0], &bytes[3..9], &bytes[117..126], school, device);
    bytes[126..].copy_from_slice(signature.as_bytes());
}

/// Signs the first 16 bytes of a short code as device, whatever they are.
pub fn sign_short(bytes: &mut [u8], school: &SchoolHash, device: &TestKey) {
    let signature = sign_code(bytes[0], &bytes[1..7], &bytes[7..16], school, device);
    bytes[16..].copy_from_slice(signature.as_bytes());
}

fn sign_code(header: u8, who: &[u8], dynamic: &[u8], school: &SchoolHash, device: &TestKey) -> Signature {
    device.sign(
        &[
            &padded("YIKA1.code")[..],
            &school.0,
            &[0x10 | header & 3],
            who,
            dynamic,
        ]
        .concat(),
    )
}

pub(crate) fn padded(tag: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..tag.len()].copy_from_slice(tag.as_bytes());
    bytes
}

/// The text of any bytes, in whole pairs: a prefix and Base45 (RFC 9285).
pub fn to_text(prefix: &str, bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    let mut text = prefix.to_owned();
    for pair in bytes.chunks_exact(2) {
        let mut number = usize::from(pair[0]) * 256 + usize::from(pair[1]);
        for _ in 0..3 {
            text.push(char::from(ALPHABET[number % 45]));
            number /= 45;
        }
    }
    text
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    hash
}
