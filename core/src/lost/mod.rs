//! What is lost and found: the plastic card, a phone, everything; and the phones that the card is on. A report is durable here before
//! it is told, and stops this phone's codes at once where it is about them: without a network too. How long the rest goes on is
//! the platform's word, which is kept.

mod drafts;
mod flow;
mod model;
mod remote;
#[cfg(test)]
mod tests;

pub(crate) use drafts::LostDrafts;
pub(crate) use flow::{Losses, Proving, local_stop};
pub use model::{CardDevice, LostItem, LostRow, LostState, Security, SuspendedBy};
