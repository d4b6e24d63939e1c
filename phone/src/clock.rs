//! The phone's clocks: Linux's own, which a test build can move and restart.

use yika_core::ports::software::LinuxClock;
use yika_core::ports::{ClockError, ClockSample, SystemClock};

/// The clock of builds that ship: no options.
#[cfg(not(feature = "test-clock"))]
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PhoneClock {}

#[cfg(not(feature = "test-clock"))]
impl SystemClock for PhoneClock {
    fn sample(&self) -> Result<ClockSample, ClockError> {
        LinuxClock.sample()
    }
}

/// The clock of test builds.
#[cfg(feature = "test-clock")]
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PhoneClock {
    /// Set the wall clock this many seconds off (test builds only).
    #[arg(
        long,
        default_value_t = 0,
        allow_negative_numbers = true,
        value_name = "SECONDS"
    )]
    wall_offset: i64,
    /// Move the monotonic clock by so many seconds: time that passes (test builds only).
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    monotonic_offset: u64,
    /// Pretend that this is another start of the phone, by any name (test builds only).
    #[arg(long, value_name = "NAME")]
    boot_id: Option<String>,
}

#[cfg(feature = "test-clock")]
impl SystemClock for PhoneClock {
    fn sample(&self) -> Result<ClockSample, ClockError> {
        use yika_core::ports::BootId;
        let sample = LinuxClock.sample()?;
        Ok(ClockSample {
            wall: sample.wall.plus_millis(self.wall_offset.saturating_mul(1000)),
            monotonic_ms: sample
                .monotonic_ms
                .saturating_add(self.monotonic_offset.saturating_mul(1000)),
            boot_id: self
                .boot_id
                .as_ref()
                .map_or(sample.boot_id, |name| BootId::of(name.as_bytes())),
        })
    }
}
