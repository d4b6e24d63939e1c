//! Private keys derived from names, and the set of them that one school needs.

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use yika_format::lists::{Keyset, Root};
use yika_format::{ExpandedKey, PublicKey, SchoolHash, Signature};

/// A private key that everyone knows: SHA-256 of `yika test key: ` and its name.
#[derive(Clone)]
pub struct TestKey(SigningKey);

impl TestKey {
    /// The key of this name.
    pub fn named(name: &str) -> Self {
        let text = format!("yika test key: {name}");
        Self(
            SigningKey::from_slice(&crate::sha256(text.as_bytes()))
                .expect("all but one in 2^32 hashes are below the order"),
        )
    }

    /// The private number, big-endian.
    pub fn private(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        self.expanded().compress()
    }

    /// The public key with both coordinates.
    pub fn expanded(&self) -> ExpandedKey {
        let point = self.0.verifying_key().to_sec1_point(false);
        ExpandedKey::from_uncompressed(point.as_bytes()).expect("a public key lies on the curve")
    }

    /// The signature over `message`, the same each time (RFC 6979).
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature: p256::ecdsa::Signature = self.0.sign(message);
        Signature::from_raw(signature.to_bytes().into()).expect("a signature is in range")
    }

    /// The other valid signature over `message`: (r, n − s).
    pub fn sign_twin(&self, message: &[u8]) -> Signature {
        let signature: p256::ecdsa::Signature = self.0.sign(message);
        let (r, s) = signature.split_scalars();
        let twin = p256::ecdsa::Signature::from_scalars(r, -s).expect("neither is zero");
        Signature::from_raw(twin.to_bytes().into()).expect("a signature is in range")
    }

    /// The signature over `message` in DER, as key stores return it.
    pub fn sign_der(&self, message: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.0.sign(message);
        signature.to_der().as_bytes().to_vec()
    }
}

/// The keys of one school, one of its devices and one of its terminals.
#[derive(Clone)]
pub struct SignerKit {
    /// The school.
    pub school: SchoolHash,
    /// Signs keysets; key 0.
    pub root: TestKey,
    /// Signs credentials; key 1.
    pub credential: TestKey,
    /// Signs lists; key 10.
    pub table: TestKey,
    /// Signs time; key 20.
    pub time: TestKey,
    /// A student's phone.
    pub device: TestKey,
    /// A POS.
    pub terminal: TestKey,
}

impl SignerKit {
    /// The keys of the school with this DNS name.
    pub fn new(domain: &str) -> Self {
        let key = |role: &str| TestKey::named(&format!("{domain} {role}"));
        Self {
            school: SchoolHash::of_domain(domain),
            root: key("root"),
            credential: key("credential"),
            table: key("table"),
            time: key("time"),
            device: key("device"),
            terminal: key("terminal"),
        }
    }

    /// The root as clients pin it.
    pub fn pinned_root(&self) -> Root {
        Root {
            school: self.school,
            key: self.root.expanded(),
        }
    }

    /// The school's keyset, opened.
    pub fn keyset(&self) -> Keyset {
        let bytes = crate::ListBuilder::new(self).keyset();
        Keyset::open(&bytes, &self.pinned_root()).expect("a good keyset opens")
    }
}
