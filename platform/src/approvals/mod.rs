//! Step-up: whether the holder is there, for what the session alone must not do. The payment password shows it, which the
//! bank checks, or a signature under the approval key of the phone's session, which was agreed to with the password once.

mod routes;
mod service;
mod store;

pub(crate) use routes::routes;
pub(crate) use service::prove;

use yika_api::approval::StepUp;

/// Whether the holder has shown to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Unproven,
    Proven,
}

impl Presence {
    /// As if what is given were right: for what must be refused anyway.
    pub(crate) const fn if_given(step_up: Option<&StepUp>) -> Self {
        match step_up {
            Some(_) => Self::Proven,
            None => Self::Unproven,
        }
    }
}

#[cfg(test)]
mod tests;
