//! Codes in both forms.

use crate::{CredentialBuilder, NOW, SignerKit, TestKey, slot};
use yika_format::code::{ClockConfidence, Dynamic, FullCode, Moment, ShortCode, Site, Use};
use yika_format::confirmation::Confirmation;
use yika_format::{Counter, SchoolHash, Signature};

/// A code to be: a payment from account 1, shown at [`crate::NOW`], counter 100, for any site, clock sure to 2 s.
#[derive(Clone)]
pub struct CodeBuilder {
    /// The school that the device signs for.
    pub school: SchoolHash,
    /// The credential, for the full form and for who it is.
    pub credential: CredentialBuilder,
    /// The key that signs the code.
    pub device: TestKey,
    /// The part that is new each time.
    pub dynamic: Dynamic,
    /// What the holder confirmed.
    pub confirmation: Option<Confirmation>,
}

impl CodeBuilder {
    /// The usual code of the kit's device.
    pub fn new(kit: &SignerKit) -> Self {
        Self {
            school: kit.school,
            credential: CredentialBuilder::new(kit),
            device: kit.device.clone(),
            dynamic: Dynamic {
                time: NOW,
                counter: Counter::new(100).expect("100 is a counter"),
                usage: Use::Payment(slot(1)),
                site: Site::Any,
                clock: ClockConfidence::anchored(2),
            },
            confirmation: None,
        }
    }

    /// The same for identity.
    pub fn identity(kit: &SignerKit) -> Self {
        let mut code = Self::new(kit);
        code.dynamic.usage = Use::Identity;
        code
    }

    /// The same for a payment that the holder confirmed.
    pub fn confirmed(kit: &SignerKit, confirmation: Confirmation) -> Self {
        let mut code = Self::new(kit);
        code.dynamic.usage = Use::ConfirmedPayment(slot(1));
        code.confirmation = Some(confirmation);
        code
    }

    /// The same with another counter.
    #[must_use]
    pub fn counter(mut self, counter: u16) -> Self {
        self.dynamic.counter = Counter::new(counter).expect("a counter is not 0");
        self
    }

    /// What the device signs.
    pub fn moment(&self) -> Moment {
        Moment {
            profile: self.credential.body.profile,
            pseudonym: self.credential.body.pseudonym,
            epoch: self.credential.body.epoch,
            dynamic: self.dynamic,
        }
    }

    /// What the device signs, as bytes.
    pub fn preimage(&self) -> Vec<u8> {
        self.moment().preimage(&self.school, self.confirmation.as_ref())
    }

    fn signature(&self) -> Signature {
        self.device.sign(&self.preimage())
    }

    /// The short form.
    pub fn short(&self) -> ShortCode {
        ShortCode {
            moment: self.moment(),
            signature: self.signature(),
        }
    }

    /// The full form.
    pub fn full(&self) -> FullCode {
        FullCode {
            credential: self.credential.build(),
            dynamic: self.dynamic,
            signature: self.signature(),
        }
    }
}
