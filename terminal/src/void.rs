//! Taking the last payment back: a signed record of its own, at the same terminal, within ten minutes, once.

use yika_format::sale::{SaleKind, SaleRecord};
use yika_format::{Amount, UnixMillis};

use crate::error::StoreError;
use crate::keys::TerminalKeyError;
use crate::terminal::Terminal;

/// How long after a payment it can be taken back, in milliseconds.
pub const VOID_WITHIN_MS: u64 = 10 * 60_000;

/// A payment was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Void {
    /// The number of the record that says so.
    pub record: u64,
    /// The number of the payment's record.
    pub voids: u64,
    /// How much.
    pub amount: Amount,
    /// When, by the terminal's clock.
    pub time: UnixMillis,
}

/// Why a payment can't be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VoidRefusal {
    /// There is no payment.
    #[error("there is no payment to take back")]
    Nothing,
    /// It was taken back before.
    #[error("the last payment was taken back already")]
    AlreadyVoid,
    /// It is too long ago.
    #[error("the last payment is more than ten minutes ago; the card office can return it")]
    TooLate,
    /// The terminal doesn't know the time well enough.
    #[error("the terminal's time is not confirmed; connect the terminal")]
    NoTime,
    /// It could not be recorded.
    #[error("the terminal cannot store it; the payment stands")]
    Storage,
}

impl VoidRefusal {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Nothing => "NOTHING_TO_VOID",
            Self::AlreadyVoid => "ALREADY_VOID",
            Self::TooLate => "TOO_LATE",
            Self::NoTime => "NO_TIME",
            Self::Storage => "STORAGE",
        }
    }
}

impl From<StoreError> for VoidRefusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed; the payment stands");
        Self::Storage
    }
}

impl From<TerminalKeyError> for VoidRefusal {
    fn from(error: TerminalKeyError) -> Self {
        tracing::error!(%error, "the record could not be signed; the payment stands");
        Self::Storage
    }
}

impl Terminal {
    /// Takes the last payment back, whole. It leaves the sum of what the holder spent here.
    ///
    /// # Errors
    ///
    /// [`VoidRefusal`]: the payment stands.
    pub fn void_last(&self) -> Result<Void, VoidRefusal> {
        let mut store = self.store();
        let target = store.last_payment()?.ok_or(VoidRefusal::Nothing)?;
        if target.is_void {
            return Err(VoidRefusal::AlreadyVoid);
        }
        let time = self.clock.now();
        if !time.is_anchored {
            return Err(VoidRefusal::NoTime);
        }
        let payment = &target.payment.record;
        if time.now.0.saturating_sub(payment.time.0) > VOID_WITHIN_MS {
            return Err(VoidRefusal::TooLate);
        }
        let lists = self.lists();
        let record = SaleRecord {
            kind: SaleKind::Void {
                sequence: payment.sequence,
            },
            time: time.now,
            uncertainty_s: u16::try_from(time.uncertainty_s).unwrap_or(u16::MAX),
            table_version: lists.table().map_or(0, |table| table.header().version),
            revocations_version: lists.revocations().map_or(0, |list| list.header().version),
            nonce: 0,
            ..*payment
        };
        let void = store.head()?.append(record, &self.key)?;
        store.commit_void(target.pseudonym, &void)?;
        self.clock.update(|state| state.raise_floor(time.now));
        Ok(Void {
            record: void.record.sequence,
            voids: payment.sequence,
            amount: payment.amount,
            time: time.now,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Desk, pay, pay_for};
    use crate::{SaleId, TerminalError};
    use yika_api::terminal::TerminalKind;

    #[test]
    fn there_is_nothing_to_take_back_before_the_first_payment() {
        assert_eq!(
            Desk::new(TerminalKind::Pos).void_last(),
            Err(VoidRefusal::Nothing)
        );
    }

    #[test]
    fn a_payment_is_taken_back_once() {
        let mut desk = Desk::new(TerminalKind::Pos);
        desk.approval(&desk.code(100), pay(1250));
        let void = desk.void_last().unwrap();
        assert_eq!((void.record, void.voids, void.amount), (2, 1, Amount(1250)));
        assert_eq!(desk.void_last(), Err(VoidRefusal::AlreadyVoid));
        desk.restart();
        assert_eq!(desk.void_last(), Err(VoidRefusal::AlreadyVoid));
        let records = desk.records();
        assert_eq!(records[1].record.kind, SaleKind::Void { sequence: 1 });
        assert_eq!(records[1].record.previous, records[0].record.hash());
    }

    #[test]
    fn ten_minutes_later_it_stands() {
        let desk = Desk::new(TerminalKind::Pos);
        desk.approval(&desk.code(100), pay(1250));
        desk.clock.advance(VOID_WITHIN_MS + 1);
        assert_eq!(desk.void_last(), Err(VoidRefusal::TooLate));
    }

    #[test]
    fn without_a_confirmed_time_nobody_can_say_how_long_ago_it_was() {
        let mut desk = Desk::new(TerminalKind::Pos);
        desk.approval(&desk.code(100), pay(1250));
        desk.clock.reboot();
        desk.restart();
        assert_eq!(desk.void_last(), Err(VoidRefusal::NoTime));
    }

    #[test]
    fn what_was_taken_back_may_be_spent_again_but_not_under_the_same_number() {
        let desk = Desk::new(TerminalKind::Pos);
        let sale = SaleId([9; 16]);
        let full = 5_000;
        desk.approval(&desk.code(100), pay(full));
        desk.approval(&desk.code(101), pay_for(full, sale));
        desk.void_last().unwrap();
        let again = desk.verify(desk.code(101).as_bytes(), pay_for(full, sale));
        assert!(matches!(again, Err(TerminalError::SaleVoided)), "{again:?}");
        desk.approval(&desk.code(102), pay(full));
    }
}
