//! The faults that the meters play on demand.

use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

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

/// What is to go wrong next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultPlan {
    /// Nothing, where there is none.
    pub(super) fault: Option<MeterFault>,
    /// With so many new credits; without a number, with all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) count: Option<u32>,
}

/// The plan that is left.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<FaultPlan>);

impl Faults {
    pub(super) fn set(&self, plan: FaultPlan) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    pub(super) fn next(&self) -> FaultPlan {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong with a credit, which is a new one.
    pub(super) fn take(&self) -> Option<MeterFault> {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match plan.count {
            Some(0) => None,
            Some(count) => {
                plan.count = Some(count - 1);
                plan.fault
            }
            None => plan.fault,
        }
    }
}
