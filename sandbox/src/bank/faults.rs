//! The faults that the bank plays on demand, and which order gets which. What else a customer asks for meets the first
//! three, and only where it is named: a wallet that can't be opened would leave nothing to try.

use crate::faults::{Faults, Plan};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// What goes wrong with an order. Silence is a connection that is closed without an answer, so nobody waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum BankFault {
    /// The bank refuses.
    RefusedBeforeDebit,
    /// The order gets lost; nothing is answered.
    TimeoutBeforeDebit,
    /// The order is carried out; nothing is answered.
    TimeoutAfterDebit,
    /// The first reply, *pending*, comes once more when the order is asked for, though the money has moved.
    DuplicateReply,
    /// The notice comes twice.
    DuplicateCallback,
    /// The order is decided, and the notice comes, when the console says so.
    LateCallback,
    /// The notice comes before the reply.
    CallbackBeforeReply,
    /// The order is carried out, and taken back when the console says so.
    SuccessThenReversal,
    /// The statement leaves the order out.
    StatementMissing,
    /// The statement has a row of an order that nobody placed beside it.
    StatementExtra,
    /// The statement tells another amount.
    StatementDifferent,
}

impl BankFault {
    /// The name, as everywhere.
    pub(super) fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// What is to go wrong next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultPlan {
    /// Nothing, where there is none.
    pub(super) fault: Option<BankFault>,
    /// With so many orders; without a number, with all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) count: Option<u32>,
    /// With this order alone, or with what else this operation is for; it has not come yet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) order: Option<Uuid>,
}

/// The plans that are left.
#[derive(Debug)]
pub(super) struct BankFaults {
    /// For orders that are not named.
    next: Faults<BankFault>,
    orders: Mutex<HashMap<Uuid, BankFault>>,
}

impl BankFaults {
    /// This fault with every order, until something else is said.
    pub(super) fn new(fault: Option<BankFault>) -> Self {
        Self {
            next: Faults::new(fault),
            orders: Mutex::default(),
        }
    }

    pub(super) fn set(&self, plan: FaultPlan) {
        let FaultPlan { fault, count, order } = plan;
        match (order, fault) {
            (Some(order), Some(fault)) => drop(self.orders().insert(order, fault)),
            (Some(order), None) => drop(self.orders().remove(&order)),
            (None, _) => self.next.set(Plan { fault, count }),
        }
    }

    /// What is left of the plan for orders that are not named.
    pub(super) fn next(&self) -> FaultPlan {
        let Plan { fault, count } = self.next.next();
        FaultPlan {
            fault,
            count,
            order: None,
        }
    }

    /// What goes wrong with what is named so and comes for the first time.
    pub(super) fn take_named(&self, operation: Uuid) -> Option<BankFault> {
        self.orders().remove(&operation)
    }

    /// What goes wrong with this order, which is a new one.
    pub(super) fn take(&self, order: Uuid) -> Option<BankFault> {
        self.take_named(order).or_else(|| self.next.take())
    }

    fn orders(&self) -> MutexGuard<'_, HashMap<Uuid, BankFault>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
