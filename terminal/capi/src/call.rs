//! What every function of the C ABI does around its work: catch panics, remember what went wrong, answer with a status.

use std::cell::RefCell;
use std::ffi::{CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use yika_terminal::{TerminalError, VoidRefusal};

/// How a call ended: the same numbers as the exit codes of the command line.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YikaStatus {
    /// Done, or approved.
    Done = 0,
    /// Refused.
    Refused = 1,
    /// Called wrongly, or not enrolled: `yika_last_error` says what.
    Misuse = 2,
    /// Could not be done: `yika_last_error` says why.
    Failed = 3,
}

/// Why a call was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("`{0}` must not be NULL")]
    Null(&'static str),
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    #[error(transparent)]
    Void(#[from] VoidRefusal),
    #[error("the system gave no network: {0}")]
    Runtime(#[from] std::io::Error),
    #[error("a defect in the terminal library stopped the call; nothing counts that was not answered")]
    Panic,
}

impl CallError {
    const fn status(&self) -> YikaStatus {
        match self {
            Self::Null(_) => YikaStatus::Misuse,
            Self::Terminal(error) if error.is_misuse() => YikaStatus::Misuse,
            Self::Void(_) => YikaStatus::Refused,
            Self::Terminal(_) | Self::Runtime(_) | Self::Panic => YikaStatus::Failed,
        }
    }
}

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

/// Does `work` and remembers what went wrong.
pub(crate) fn call(work: impl FnOnce() -> Result<YikaStatus, CallError>) -> YikaStatus {
    // What the work shares is behind the terminal's locks, and a panic leaves no half-done commit there.
    let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(CallError::Panic));
    let (status, message) = match result {
        Ok(status) => (status, String::new()),
        Err(error) => (error.status(), error.to_string()),
    };
    let message = CString::new(message.replace('\0', " ")).unwrap_or_default();
    // On a thread that is ending there is nothing to remember it in, and nobody to ask.
    let _ = LAST_ERROR.try_with(|last| last.replace(message));
    status
}

/// Runs one thing that uses the network.
pub(crate) fn online<T>(future: impl Future<Output = Result<T, TerminalError>>) -> Result<T, CallError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(future)?)
}

/// What went wrong in the last call on this thread, in English; empty if nothing did, or if a code was refused (the
/// verdict says why). Never NULL, and valid until the next call on this thread.
#[unsafe(no_mangle)]
pub extern "C" fn yika_last_error() -> *const c_char {
    LAST_ERROR
        .try_with(|last| last.borrow().as_ptr())
        .unwrap_or(c"".as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn last_error() -> String {
        // SAFETY: never NULL, and nothing is called on this thread before it is copied.
        unsafe { CStr::from_ptr(yika_last_error()) }
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn a_panic_becomes_a_failure_and_the_next_call_goes_on() {
        assert_eq!(call(|| panic!("oops")), YikaStatus::Failed);
        assert!(last_error().starts_with("a defect"), "{}", last_error());
        assert_eq!(call(|| Ok(YikaStatus::Done)), YikaStatus::Done);
        assert_eq!(last_error(), "");
    }

    #[test]
    fn statuses_are_the_exit_codes_of_the_command_line() {
        for (error, status) in [
            (CallError::Null("home"), 2),
            (CallError::Terminal(TerminalError::NotEnrolled), 2),
            (CallError::Terminal(TerminalError::Random), 3),
            (CallError::Void(VoidRefusal::Nothing), 1),
        ] {
            assert_eq!(error.status() as i32, status, "{error}");
        }
    }
}
