//! The last line between a defect in here and the host app: a panic becomes a typed error. UniFFI would turn it into an exception
//! outside of the error enum; and what runs on the core's own runtime is guarded there.

use std::panic::{self, AssertUnwindSafe};

use yika_core::{CoreError, InternalFault};

use crate::error::YikaError;

/// Runs `work` on this thread; a panic is [`InternalFault::TaskEnded`].
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, CoreError>) -> Result<T, YikaError> {
    // The core repairs or drops what a panic left half done: its locks don't trust a poisoned value's owner.
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => Ok(result?),
        Err(_) => Err(YikaError::Internal {
            fault: InternalFault::TaskEnded,
        }),
    }
}
