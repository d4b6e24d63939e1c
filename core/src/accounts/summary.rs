//! What bills come to.

use std::collections::HashMap;

use yika_api::Fen;

use super::model::{Bill, BillKind, BillStatus, BillSummary, KindTotal, MerchantTotal};
use crate::store::StoreError;

/// Sums up bills as they are read, one at a time: a month may have many.
#[derive(Default)]
pub(super) struct Summing {
    out: Fen,
    income: Fen,
    count: u64,
    merchants: HashMap<String, MerchantTotal>,
    kinds: HashMap<BillKind, Fen>,
}

impl Summing {
    /// Counts a bill, if it moved money: one that was taken back, or is under dispute, did not.
    pub(super) fn add(&mut self, bill: &Bill) -> Result<(), StoreError> {
        if bill.status != BillStatus::Posted {
            return Ok(());
        }
        self.count += 1;
        let side = match bill.amount.is_negative() {
            true => &mut self.out,
            false => &mut self.income,
        };
        add_to(side, bill.amount)?;
        add_to(self.kinds.entry(bill.kind).or_default(), bill.amount)?;
        if let Some(name) = &bill.merchant {
            let total = self
                .merchants
                .entry(name.zh.clone())
                .or_insert_with(|| MerchantTotal {
                    merchant: name.clone(),
                    amount: Fen::ZERO,
                });
            add_to(&mut total.amount, bill.amount)?;
        }
        Ok(())
    }

    /// The sums, those that moved most first.
    pub(super) fn finish(self) -> BillSummary {
        let mut merchants: Vec<_> = self.merchants.into_values().collect();
        merchants.sort_by(|a, b| (a.amount, &a.merchant.zh).cmp(&(b.amount, &b.merchant.zh)));
        let mut kinds: Vec<_> = self
            .kinds
            .into_iter()
            .map(|(kind, amount)| KindTotal { kind, amount })
            .collect();
        kinds.sort_by_key(|total| total.amount);
        BillSummary {
            out: self.out,
            income: self.income,
            count: self.count,
            merchants,
            kinds,
        }
    }
}

/// Bills whose sum leaves 64 bits are not ones that a platform told.
fn add_to(sum: &mut Fen, amount: Fen) -> Result<(), StoreError> {
    *sum = sum.checked_add(amount).map_err(|_| StoreError::Damaged)?;
    Ok(())
}
