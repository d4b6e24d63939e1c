//! The time by which certificates are judged: the client's own, which a wrong wall clock can't spoil, or nobody could ever
//! be told that it is wrong.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

/// What a client knows of the time, as durations since 1970-01-01T00:00:00Z.
pub trait CertificateClock: fmt::Debug + Send + Sync {
    /// The time; `None` where it cannot be told, which refuses every certificate.
    fn now(&self) -> Option<Duration>;

    /// The latest time that is certain to have passed, where [`Self::now`] rests on a wall clock that anyone may have set;
    /// `None` where it doesn't, or where nothing is certain.
    fn floor(&self) -> Option<Duration>;
}

/// The clock, and whether its floor is what counts.
#[derive(Debug)]
pub(crate) struct CertificateTime {
    clock: Arc<dyn CertificateClock>,
    by_floor: AtomicBool,
}

impl CertificateTime {
    pub(crate) fn new(clock: Arc<dyn CertificateClock>) -> Self {
        Self {
            clock,
            by_floor: AtomicBool::new(false),
        }
    }

    /// Judges by the floor from now on, if there is one. Returns whether that is new.
    pub(crate) fn fall_back(&self) -> bool {
        self.clock.floor().is_some() && !self.by_floor.swap(true, Ordering::AcqRel)
    }
}

impl TimeProvider for CertificateTime {
    fn current_time(&self) -> Option<UnixTime> {
        let floor = self
            .by_floor
            .load(Ordering::Acquire)
            .then(|| self.clock.floor())
            .flatten();
        floor.or_else(|| self.clock.now()).map(UnixTime::since_unix_epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `now` and `floor` in seconds.
    #[derive(Debug)]
    struct Clock(u64, Option<u64>);

    impl CertificateClock for Clock {
        fn now(&self) -> Option<Duration> {
            Some(Duration::from_secs(self.0))
        }

        fn floor(&self) -> Option<Duration> {
            self.1.map(Duration::from_secs)
        }
    }

    fn seconds(time: &CertificateTime) -> u64 {
        time.current_time().unwrap().as_secs()
    }

    #[test]
    fn an_anchored_clock_has_nothing_to_fall_back_to() {
        let time = CertificateTime::new(Arc::new(Clock(1_000, None)));
        assert!(!time.fall_back());
        assert_eq!(seconds(&time), 1_000);
    }

    #[test]
    fn a_clock_that_rests_on_the_wall_falls_back_once() {
        let time = CertificateTime::new(Arc::new(Clock(9_000, Some(1_000))));
        assert_eq!(seconds(&time), 9_000);
        assert!(time.fall_back());
        assert_eq!(seconds(&time), 1_000);
        assert!(!time.fall_back());
    }
}
