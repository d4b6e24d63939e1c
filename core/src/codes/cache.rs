//! What of codes lives in the journal, and the witness's bytes outside of it.

use yika_format::{Epoch, Pseudonym};

use super::model::{CounterRecord, EnrolmentRecord, PendingIssue, Preferences, Stop};
use crate::store::Record;

impl Record for EnrolmentRecord {
    const NAME: &'static str = "enrolment";
}

impl Record for CounterRecord {
    const NAME: &'static str = "counter";
}

impl Record for PendingIssue {
    const NAME: &'static str = "pending_issue";
}

impl Record for Stop {
    const NAME: &'static str = "stop";
}

impl Record for Preferences {
    const NAME: &'static str = "preferences";
}

/// What the witness remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WitnessMark {
    pub pseudonym: Pseudonym,
    pub epoch: Epoch,
    /// Counters from here on have never been shown.
    pub ceiling: u32,
}

/// The layout of the witness's bytes: this, pseudonym, epoch, ceiling.
const WITNESS_VERSION: u8 = 1;

impl WitnessMark {
    pub(super) fn to_bytes(self) -> [u8; 11] {
        let mut bytes = [0; 11];
        bytes[0] = WITNESS_VERSION;
        bytes[1..6].copy_from_slice(&self.pseudonym.0);
        bytes[6] = self.epoch.get();
        bytes[7..].copy_from_slice(&self.ceiling.to_be_bytes());
        bytes
    }

    /// `None` where these bytes are no witness.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let [WITNESS_VERSION, a, b, c, d, e, epoch, ceiling @ ..] = bytes else {
            return None;
        };
        Some(Self {
            pseudonym: Pseudonym([*a, *b, *c, *d, *e]),
            epoch: Epoch::new(*epoch).ok()?,
            ceiling: u32::from_be_bytes(ceiling.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_witness_reads_back_and_nothing_shorter_or_longer_does(
            pseudonym: [u8; 5], epoch in 1u8..=254, ceiling: u32, cut in 0usize..11,
        ) {
            let epoch = Epoch::new(epoch).unwrap();
            let mark = WitnessMark { pseudonym: Pseudonym(pseudonym), epoch, ceiling };
            let bytes = mark.to_bytes();
            prop_assert_eq!(WitnessMark::from_bytes(&bytes), Some(mark));
            prop_assert_eq!(WitnessMark::from_bytes(&bytes[..cut]), None);
            prop_assert_eq!(WitnessMark::from_bytes(&[&bytes[..], &[0]].concat()), None);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            if let Some(mark) = WitnessMark::from_bytes(&bytes) {
                prop_assert_eq!(mark.to_bytes().to_vec(), bytes);
            }
        }
    }
}
