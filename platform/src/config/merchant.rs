//! What the platform is told about the merchant centre.

use crate::clock::{DAY, MINUTE};

/// What people at stalls may do.
#[derive(Clone, Copy, Debug)]
pub struct MerchantPolicy {
    /// For how long after a sale it can be voided, by its terminal's clock, in milliseconds.
    pub void_within_ms: i64,
    /// Whether a cashier may void the last sale of a terminal.
    pub cashiers_may_void: bool,
    /// Whether a cashier may refund.
    pub cashiers_may_refund: bool,
    /// After how long without an upload a terminal is said to be late, in milliseconds.
    pub late_after_ms: i64,
}

impl Default for MerchantPolicy {
    /// The last sale of a terminal can be voided for half an hour, by a cashier too; refunds are the owner's; a terminal that
    /// was not heard for a day is late.
    fn default() -> Self {
        Self {
            void_within_ms: 30 * MINUTE,
            cashiers_may_void: true,
            cashiers_may_refund: false,
            late_after_ms: DAY,
        }
    }
}
