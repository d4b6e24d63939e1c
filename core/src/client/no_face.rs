//! What stands in for face photos where the library is built without them.

use std::sync::Arc;

use crate::error::CoreError;
use crate::session::Sessions;
use crate::store::{Changes, Store};

/// Nothing: there are no face photos.
pub(super) struct FaceState;

impl FaceState {
    pub(super) fn new(_store: &Arc<Store>) -> Self {
        Self
    }

    pub(super) fn forget(changes: Changes) -> Changes {
        changes
    }

    pub(super) async fn synchronise(&self, _sessions: &Sessions) -> Result<(), CoreError> {
        Ok(())
    }

    pub(super) async fn send_withdrawal(&self, _sessions: &Sessions) -> Result<(), CoreError> {
        Ok(())
    }
}
