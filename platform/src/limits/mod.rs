//! Limits that holders set for themselves. The school's stand above them; lowering is free, raising needs a
//! step-up. The decision is a function of values, made where the change is stored, so no two requests can add up to a
//! raise that nobody proved.

mod routes;
mod service;
mod store;

pub(crate) use routes::routes;
pub(crate) use service::{
    check_top_up_bounds, credential_limits, most_of_payments, set_top_up_bounds, spend_bounds, spent_today,
    top_up_bounds,
};
pub(crate) use store::clear;

use crate::approvals::Presence;
use crate::error::{Error, Result};
use yika_api::{Fen, ProblemCode};

/// The most at once and the most of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) single: Fen,
    pub(crate) day: Fen,
}

impl Bounds {
    /// These, but never above others.
    fn within(self, most: Self) -> Self {
        Self {
            single: self.single.min(most.single),
            day: self.day.min(most.day),
        }
    }

    fn raises(self, current: Self) -> bool {
        self.single > current.single || self.day > current.day
    }

    /// Whether these may take the place of the current ones.
    fn check_change(self, current: Self, least: Fen, most: Self, presence: Presence) -> Result<()> {
        let out_of_range = |limit| Err(Error::refused_amount(ProblemCode::AmountOutOfRange, limit));
        if self.single < least {
            return out_of_range(least);
        }
        if self.single > most.single {
            return out_of_range(most.single);
        }
        if self.day < self.single {
            return out_of_range(self.single);
        }
        if self.day > most.day {
            return out_of_range(most.day);
        }
        match (self.raises(current), presence) {
            (true, Presence::Unproven) => Err(Error::refused(ProblemCode::StepUpRequired)),
            (false, _) | (true, Presence::Proven) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
