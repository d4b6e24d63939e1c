//! How a terminal decides, as pure functions: [`authenticate`] the code, then [`authorise`] what it is shown for.
//!
//! Between the two the caller looks up what it remembers of the holder ([`Standing`]); after them it commits sequence,
//! sum and record in one durable step before it says "approved". Checks come in the order of [`Reason`]; a refusal
//! changes nothing, so a refused code can be shown again.

mod authenticate;
mod authorise;
mod reason;

pub use authenticate::{Authenticated, ExpandKeys, NoKeyCache, SchoolLists, authenticate};
pub use authorise::{Decision, Purpose, Request, SaleId, Standing, TerminalProfile, authorise, check_window};
pub use reason::{Reason, Refusal};

use crate::UnixMillis;

/// What a terminal is, as far as codes are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TerminalKind {
    /// Takes payments.
    Pos,
    /// Opens for an identity.
    Gate,
    /// Lends on an identity, and takes payments for fees.
    Library,
}

/// What a terminal knows of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalTime {
    /// The best it has. Never before its durable floor.
    pub now: UnixMillis,
    /// How far that may be off, in seconds.
    pub uncertainty_s: u32,
    /// Whether it stems from signed time, with a monotonic clock since. If not, payments are refused.
    pub is_anchored: bool,
}
