//! The faults that the meters play on demand.

use serde::{Deserialize, Serialize};

/// What goes wrong with a credit. Silence is a connection that is closed without an answer, as the bank plays it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MeterFault {
    /// The meter refuses.
    Refused,
    /// The credit gets lost; nothing is answered.
    TimeoutBeforeCredit,
    /// The place is credited; nothing is answered.
    TimeoutAfterCredit,
    /// The first reply, *pending*, comes once more when the credit is asked for, though the place has been credited.
    DuplicateReply,
}
