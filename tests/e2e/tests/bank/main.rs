//! Money between the real platform and the sandbox's bank, which plays every fault that it knows with every kind of
//! operation.
//!
//! Whatever the bank does, each operation comes to exactly one end, the same however often it is sent, by the time that
//! the day is reconciled; the books sum to nothing and say what the bank says, but for what its statement gets wrong.

mod customers;
mod orders;

/// The faults of orders, each with the end that an operation comes to.
const FAULTS: [(&str, &str); 11] = [
    ("refused-before-debit", "refused"),
    ("timeout-before-debit", "credited"),
    ("timeout-after-debit", "credited"),
    ("duplicate-reply", "credited"),
    ("duplicate-callback", "credited"),
    ("late-callback", "credited"),
    ("callback-before-reply", "credited"),
    ("success-then-reversal", "refunded"),
    ("statement-missing", "credited"),
    ("statement-extra", "credited"),
    ("statement-different", "credited"),
];
