//! What the platform is told about the school's own card system, which looks after the plastic cards.

use crate::clock::{DAY, MINUTE};

/// How soon a plastic card that is reported lost is refused. Holders are told so; the platform can't see to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardSystem {
    /// After how long the card system's readers that are online refuse it, in milliseconds: until it has asked for what is new,
    /// and has told them.
    pub online_ms: i64,
    /// After how long the last of its readers refuses it, in milliseconds: how old their lists may be.
    pub offline_ms: i64,
}

impl Default for CardSystem {
    /// Five minutes, and a day.
    fn default() -> Self {
        Self {
            online_ms: 5 * MINUTE,
            offline_ms: DAY,
        }
    }
}
