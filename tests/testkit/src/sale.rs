//! Records of sales.

use crate::{CodeBuilder, SignerKit, TestKey, at_ms, fen};
use yika_format::code::Code;
use yika_format::sale::{SaleKind, SaleRecord, SignedSale};

/// A record to be: the first of terminal 7, ¥12.50 to merchant 42 by the usual short code.
#[derive(Clone)]
pub struct SaleBuilder {
    /// What is signed.
    pub record: SaleRecord,
    /// The key that signs.
    pub terminal: TestKey,
}

impl SaleBuilder {
    /// The usual record of the kit's terminal.
    pub fn new(kit: &SignerKit) -> Self {
        Self {
            record: SaleRecord {
                school: kit.school,
                terminal: 7,
                sequence: 1,
                previous: [0; 32],
                kind: SaleKind::Purchase(Code::Short(CodeBuilder::new(kit).short())),
                amount: fen(1250),
                merchant: 42,
                time: at_ms(1),
                uncertainty_s: 1,
                table_version: 7,
                revocations_version: 7,
                nonce: 0,
            },
            terminal: kit.terminal.clone(),
        }
    }

    /// The record that follows `previous` in the terminal's chain.
    #[must_use]
    pub fn after(mut self, previous: &SaleRecord) -> Self {
        self.record.sequence = previous.sequence + 1;
        self.record.previous = previous.hash();
        self
    }

    /// The signed record.
    pub fn build(&self) -> SignedSale {
        self.record
            .with_signature(self.terminal.sign(&self.record.preimage()))
    }
}
