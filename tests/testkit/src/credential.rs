//! Credentials.

use crate::{SignerKit, TestKey, at, yuan};
use yika_format::credential::{Attributes, Credential, CredentialBody, HolderClass, KeyStorage, Scopes};
use yika_format::{AccountMask, Epoch, Hours, KeyId, Profile, Pseudonym, SchoolHash};

/// A credential to be: a student's, issued an hour before [`crate::NOW`] for a week, epoch 3.
#[derive(Clone)]
pub struct CredentialBuilder {
    /// The school that is signed.
    pub school: SchoolHash,
    /// The key that signs.
    pub issuer: TestKey,
    /// What is signed.
    pub body: CredentialBody,
}

/// ¥50 a payment, ¥100 in sum, accounts 1–3, every scope, a student's key in a TEE.
pub fn attributes() -> Attributes {
    Attributes {
        per_use: yuan(50),
        cumulative: yuan(100),
        accounts: AccountMask(0b0000_0111),
        scopes: Scopes::GATE.union(Scopes::LIBRARY).union(Scopes::PAYMENTS),
        class: HolderClass::Student,
        key_storage: KeyStorage::Tee,
    }
}

impl CredentialBuilder {
    /// The usual credential of the kit's device.
    pub fn new(kit: &SignerKit) -> Self {
        let hours = (at(-3600).0 - crate::lists::KEYS_FROM.0) / 3600;
        Self {
            school: kit.school,
            issuer: kit.credential.clone(),
            body: CredentialBody {
                profile: Profile::P256,
                issuer: KeyId(1),
                pseudonym: Pseudonym(*b"alice"),
                epoch: Epoch::new(3).expect("3 is an epoch"),
                not_before: Hours(u16::try_from(hours).expect("within two years")),
                life_hours: 168,
                code_life_s: 30,
                attributes: attributes(),
                device_key: kit.device.public(),
            },
        }
    }

    /// The signed credential.
    pub fn build(&self) -> Credential {
        self.body
            .with_signature(self.issuer.sign(&self.body.preimage(&self.school)))
    }
}
