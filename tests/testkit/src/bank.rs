//! A bank whose keys everyone knows, and fields that are sealed to it, right or wrong inside.

use crate::{TestKey, at, sealing};
use yika_format::RecipientKey;
use yika_format::bank::{BankKeys, FieldSeal};

/// A bank's root and its keys of one number.
#[derive(Clone)]
pub struct BankKit {
    /// What the app pins.
    pub root: TestKey,
    /// What fields are sealed to.
    pub sealing: TestKey,
    /// What signs notices.
    pub notice: TestKey,
    /// The keys, as the phone sees them.
    pub keys: BankKeys,
}

impl BankKit {
    /// The keys of this number of the bank of this name, for an hour each way.
    pub fn new(name: &str, number: u16) -> Self {
        let key = |of: &str| TestKey::named(&format!("{name} {of} {number}"));
        let (sealing, notice) = (key("sealing"), key("notice"));
        Self {
            root: TestKey::named(&format!("{name} root")),
            keys: BankKeys::new(number, at(-3600), at(3600), sealing.expanded(), notice.expanded())
                .expect("two keys and a while"),
            sealing,
            notice,
        }
    }

    /// The certificate of the keys.
    pub fn certificate(&self) -> Vec<u8> {
        let unsigned = self.keys.unsigned();
        let signature = self.root.sign(unsigned.preimage());
        unsigned.with_signature(&signature)
    }

    /// The private half of the sealing key.
    pub fn recipient(&self) -> RecipientKey {
        RecipientKey::from_bytes(&self.sealing.private()).expect("a test key is a private key")
    }

    /// Seals any bytes, as a phone would that lays out fields in its own way.
    pub fn seal_plain(&self, seal: &FieldSeal, plain: &[u8]) -> Vec<u8> {
        let number = self.keys.number().to_be_bytes();
        let info = [b"YIKA1.bank\0\0\0\0\0\0", &seal.school.0[..], &number].concat();
        let amount = seal.amount.0.to_be_bytes();
        let aad = [&seal.operation[..], &seal.customer, &amount, &[seal.field as u8]].concat();
        let (encapsulated, sealed) = sealing::seal(&self.sealing, &info, &aad, plain);
        [encapsulated, sealed].concat()
    }
}
