//! The sandbox's clock: the system's, shifted as a test or a demonstration wants. The shift survives a restart.

use crate::SandboxError;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use yika_api::UnixMillis;
use yika_platform::{Clock, SystemClock};

/// The system's clock and an offset.
#[derive(Debug)]
pub(crate) struct ShiftedClock {
    offset_ms: AtomicI64,
    file: PathBuf,
}

impl Clock for ShiftedClock {
    fn now(&self) -> UnixMillis {
        SystemClock.now().plus_millis(self.offset_ms())
    }
}

impl ShiftedClock {
    /// A clock with the offset that the file keeps; none where there is no file.
    pub(crate) fn open(file: PathBuf) -> Result<Self, SandboxError> {
        let offset = match std::fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map_err(|_| {
                failed(
                    &file,
                    std::io::Error::other("the file holds no number of milliseconds"),
                )
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(failed(&file, error)),
        };
        Ok(Self {
            offset_ms: AtomicI64::new(offset),
            file,
        })
    }

    /// Milliseconds that this clock is ahead of the system's.
    pub(crate) fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::SeqCst)
    }

    /// Shifts the clock, now and after a restart.
    pub(crate) fn shift(&self, offset_ms: i64) -> Result<(), SandboxError> {
        std::fs::write(&self.file, offset_ms.to_string()).map_err(|error| failed(&self.file, error))?;
        self.offset_ms.store(offset_ms, Ordering::SeqCst);
        Ok(())
    }
}

fn failed(file: &std::path::Path, source: std::io::Error) -> SandboxError {
    SandboxError::Clock {
        path: file.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_number_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("offset");
        std::fs::write(&file, "tomorrow").unwrap();
        assert!(matches!(
            ShiftedClock::open(file),
            Err(SandboxError::Clock { .. })
        ));
    }

    #[test]
    fn a_shift_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("offset");
        ShiftedClock::open(file.clone()).unwrap().shift(-90_000).unwrap();
        assert_eq!(ShiftedClock::open(file).unwrap().offset_ms(), -90_000);
    }
}
