//! Money between the real platform and the sandbox's bank, which plays every fault that it knows with every kind of
//! operation.
//!
//! Whatever the bank does, each operation comes to exactly one end, the same however often it is sent, by the time that
//! the day is reconciled; the books sum to nothing and say what the bank says, but for what its statement gets wrong.

mod automatic;
mod customers;
mod office;
mod orders;
