//! What of the session lives in the journal.

use super::model::SessionRecord;
use crate::clock::ClockState;
use crate::store::Record;

impl Record for SessionRecord {
    const NAME: &'static str = "session";
}

impl Record for ClockState {
    const NAME: &'static str = "clock";
}
