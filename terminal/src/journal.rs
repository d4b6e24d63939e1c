//! The chain of signed records: each has the number after the one before, and its hash.

use yika_format::sale::{SaleRecord, SignedSale};

use crate::keys::{TerminalKey, TerminalKeyError};

/// The end of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// The number of the last record; 0 for none.
    pub(crate) sequence: u64,
    /// Its hash; zeros for none.
    pub(crate) hash: [u8; 32],
}

impl Head {
    /// Before the first record.
    pub(crate) const START: Self = Self {
        sequence: 0,
        hash: [0; 32],
    };

    /// Puts a record at the end: gives it its number and the hash of the one before, and signs it.
    pub(crate) fn append(
        &self,
        record: SaleRecord,
        key: &TerminalKey,
    ) -> Result<SignedSale, TerminalKeyError> {
        let record = SaleRecord {
            sequence: self.sequence + 1,
            previous: self.hash,
            ..record
        };
        let signature = key.sign(&record.preimage())?;
        Ok(record.with_signature(signature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yika_testkit::{SaleBuilder, SignerKit};

    #[test]
    fn records_are_numbered_chained_and_signed() {
        let dir = tempfile::tempdir().unwrap();
        let key = TerminalKey::load_or_make(&dir.path().join("key")).unwrap();
        let record = SaleBuilder::new(&SignerKit::new("campus.example")).record;
        let first = Head::START.append(record, &key).unwrap();
        assert_eq!((first.record.sequence, first.record.previous), (1, [0; 32]));
        let head = Head {
            sequence: 1,
            hash: first.record.hash(),
        };
        let second = head.append(record, &key).unwrap();
        assert_eq!(
            (second.record.sequence, second.record.previous),
            (2, first.record.hash())
        );
        assert_eq!(second.verify(key.public()), Ok(()));
    }
}
