//! What is to go wrong next, and how often: at the bank, and at the meters.

use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// A fault, and with how many it is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan<F> {
    /// Nothing, where there is none.
    pub(crate) fault: Option<F>,
    /// With so many; without a number, with all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) count: Option<u32>,
}

/// The plan that is left.
#[derive(Debug)]
pub(crate) struct Faults<F>(Mutex<Plan<F>>);

impl<F: Copy> Faults<F> {
    /// This fault with all, until something else is said.
    pub(crate) fn new(fault: Option<F>) -> Self {
        Self(Mutex::new(Plan { fault, count: None }))
    }

    pub(crate) fn set(&self, plan: Plan<F>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }

    /// What is left of the plan.
    pub(crate) fn next(&self) -> Plan<F> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong with one that is new.
    pub(crate) fn take(&self) -> Option<F> {
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
