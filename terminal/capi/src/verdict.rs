//! A verdict as C sees it: one flat struct of fixed size, with nothing to free.

use std::ffi::c_char;
use std::fmt;

use yika_terminal::{Holder, HolderNumber, SaleId, Verdict};

/// The size of a sale's number.
pub const YIKA_SALE_BYTES: usize = 16;
/// The size of a reason's code with its NUL.
pub const YIKA_REASON_BYTES: usize = 24;
/// The size of a reason's text with its NUL.
pub const YIKA_MESSAGE_BYTES: usize = 128;

/// The size of a holder's number with its NUL.
pub const YIKA_NUMBER_BYTES: usize = 33;

/// Whether the number of the holder is known whose identity a library desk approved.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YikaHolder {
    /// Nobody asked: refused, a payment, or no library desk.
    NotAsked = 0,
    /// `holder_number` has it.
    Known = 1,
    /// The directory doesn't know this holder.
    Unknown = 2,
    /// The directory is out of date: sync.
    OutOfDate = 3,
    /// The desk has no directory: sync.
    NoDirectory = 4,
}

/// What the terminal says of a code. Fields that don't apply are zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct YikaVerdict {
    /// Whether the code is approved, and that is on the disk.
    pub is_approved: bool,
    /// Whether it had been approved for this sale before, and nothing was recorded now.
    pub is_repeated: bool,
    /// Who it was: 1 student, 2 staff, 3 visitor, 4 other; 0 when refused.
    pub holder_class: u8,
    /// From which account of the card was paid, 1 to 8; 0 for an identity.
    pub account_slot: u8,
    /// Why it was refused: a stable code such as "REPLAY", NUL-terminated; empty when approved.
    pub reason: [c_char; YIKA_REASON_BYTES],
    /// The same for people, in English, NUL-terminated; empty when approved.
    pub message: [c_char; YIKA_MESSAGE_BYTES],
    /// With "STALE" and "FUTURE": the code's time less the terminal's, in seconds.
    pub offset_s: i64,
    /// The number of the sale.
    pub sale: [u8; YIKA_SALE_BYTES],
    /// When it was approved, by the terminal's clock, in Unix milliseconds.
    pub time_ms: u64,
    /// What was paid, in fen; 0 for an identity.
    pub amount_fen: u64,
    /// The number of the payment's record in the terminal's journal, from 1; 0 for an identity.
    pub record: u64,
    /// Whether the holder's number is known. It had no say in the decision.
    pub holder: YikaHolder,
    /// The holder's number, NUL-terminated; empty where it is not known.
    pub holder_number: [c_char; YIKA_NUMBER_BYTES],
}

const _: () = assert!(YIKA_NUMBER_BYTES == HolderNumber::MAX_LEN + 1);

impl YikaVerdict {
    pub(crate) fn new(verdict: &Verdict, sale: SaleId) -> Self {
        let nothing = Self {
            is_approved: false,
            is_repeated: false,
            holder_class: 0,
            account_slot: 0,
            reason: [0; _],
            message: [0; _],
            offset_s: 0,
            sale: sale.0,
            time_ms: 0,
            amount_fen: 0,
            record: 0,
            holder: YikaHolder::NotAsked,
            holder_number: [0; _],
        };
        match verdict {
            Verdict::Refused { refusal, .. } => Self {
                reason: c_text(refusal.reason.code()),
                message: c_text(&refusal.reason.to_string()),
                offset_s: refusal.offset_s.unwrap_or(0),
                ..nothing
            },
            Verdict::Approved {
                approval,
                repeated,
                holder,
            } => Self {
                is_approved: true,
                is_repeated: *repeated,
                holder_class: approval.holder_class as u8,
                account_slot: approval.payment.map_or(0, |payment| payment.slot.get()),
                time_ms: approval.time.0,
                amount_fen: approval.payment.map_or(0, |payment| payment.amount.0),
                record: approval.payment.map_or(0, |payment| payment.record),
                holder: match holder {
                    None => YikaHolder::NotAsked,
                    Some(Holder::Number(_)) => YikaHolder::Known,
                    Some(Holder::Unknown) => YikaHolder::Unknown,
                    Some(Holder::OutOfDate) => YikaHolder::OutOfDate,
                    Some(Holder::NoDirectory) => YikaHolder::NoDirectory,
                },
                holder_number: holder
                    .and_then(|holder| holder.number())
                    .map_or([0; _], |number| c_text(number.as_str())),
                ..nothing
            },
        }
    }
}

/// Without the holder's number: that belongs to a person.
impl fmt::Debug for YikaVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("YikaVerdict")
            .field("is_approved", &self.is_approved)
            .field("is_repeated", &self.is_repeated)
            .field("record", &self.record)
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

/// As much of the text as fits before a NUL.
fn c_text<const N: usize>(text: &str) -> [c_char; N] {
    let mut chars = [0; N];
    for (char, byte) in chars.iter_mut().zip(text.bytes().take(N - 1)) {
        *char = c_char::from_ne_bytes([byte]);
    }
    chars
}

#[cfg(test)]
mod tests {
    use super::*;
    use yika_terminal::Reason;

    #[test]
    fn every_reason_fits_whole() {
        for reason in Reason::ALL {
            assert!(reason.code().len() < YIKA_REASON_BYTES, "{reason:?}");
            assert!(reason.to_string().len() < YIKA_MESSAGE_BYTES, "{reason:?}");
        }
    }

    #[test]
    fn a_text_that_is_too_long_still_ends() {
        let text: [c_char; 3] = c_text("abc");
        assert_eq!(text.map(|char| char.to_ne_bytes()[0]), *b"ab\0");
    }
}
