//! TLS with rustls, ring and Mozilla's roots, certificates judged by the terminal's own clock: a wrong wall clock must not
//! keep a terminal from the platform that would tell it the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};

use super::HttpError;
use crate::clock::TerminalClock;

/// The time by which certificates are judged.
#[derive(Debug)]
pub(super) struct CertificateTime {
    clock: Arc<TerminalClock>,
    by_floor: AtomicBool,
}

impl CertificateTime {
    pub(super) fn new(clock: Arc<TerminalClock>) -> Self {
        Self {
            clock,
            by_floor: AtomicBool::new(false),
        }
    }

    /// After a failed connection: judges by the latest time that is certain to have passed, if the time now rests on a
    /// wall clock that may be far ahead. Returns whether that is worth another try. No certificate is accepted that
    /// would not have been accepted then.
    pub(super) fn fall_back(&self) -> bool {
        let is_possible = !self.clock.now().is_anchored && self.clock.state().floor.0 > 0;
        is_possible && !self.by_floor.swap(true, Ordering::AcqRel)
    }
}

impl TimeProvider for CertificateTime {
    fn current_time(&self) -> Option<UnixTime> {
        let time = self.clock.now();
        let now = if self.by_floor.load(Ordering::Acquire) && !time.is_anchored {
            self.clock.state().floor
        } else {
            time.now
        };
        Some(UnixTime::since_unix_epoch(Duration::from_millis(now.0)))
    }
}

pub(super) fn client_config(time: Arc<CertificateTime>) -> Result<ClientConfig, HttpError> {
    let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let config = ClientConfig::builder_with_details(Arc::new(default_provider()), time)
        .with_safe_default_protocol_versions()
        .map_err(|_| HttpError::Client)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FakeClock, NOW_MS};

    #[test]
    fn a_wall_clock_far_ahead_after_a_restart_is_passed_over_once() {
        let port = FakeClock::new();
        let clock = Arc::new(TerminalClock::new(port.clone(), port.anchored_state()));
        let time = CertificateTime::new(Arc::clone(&clock));
        assert!(!time.fall_back(), "an anchored clock has nothing to fall back to");
        port.reboot();
        port.set_wall(NOW_MS.0 + 400 * 86_400_000);
        assert_eq!(
            time.current_time().unwrap().as_secs(),
            NOW_MS.seconds() + 400 * 86_400
        );
        assert!(time.fall_back());
        assert_eq!(time.current_time().unwrap().as_secs(), NOW_MS.seconds());
        assert!(!time.fall_back());
    }
}
