//! What a machine without a phone's hardware can offer the core: files and the system's clocks.

use std::sync::Arc;

use yika_core::ports::software::{FileKeyWrap, FileWitness, LinuxClock};
use yika_core::ports::{KeySource, Ports, SystemClock};

use crate::args::Args;

pub(crate) fn of(args: &Args) -> Ports {
    let device = args.home.join("device");
    Ports {
        clock: clock(args),
        keys: KeySource::Software,
        key_wrap: Arc::new(FileKeyWrap::new(device.join("wrapping-key"))),
        witness: Arc::new(FileWitness::new(device.join("witness"))),
    }
}

#[cfg(not(feature = "test-clock"))]
fn clock(_: &Args) -> Arc<dyn SystemClock> {
    Arc::new(LinuxClock)
}

#[cfg(feature = "test-clock")]
fn clock(args: &Args) -> Arc<dyn SystemClock> {
    Arc::new(moved::MovedClock {
        wall_offset_s: args.wall_offset,
        monotonic_offset_s: args.monotonic_offset,
        boot_id: args.boot_id.clone(),
    })
}

/// A clock that tests can turn. Not in a phone that anybody carries.
#[cfg(feature = "test-clock")]
mod moved {
    use yika_core::ports::software::LinuxClock;
    use yika_core::ports::{BootId, ClockError, ClockSample, SystemClock};

    pub(super) struct MovedClock {
        pub wall_offset_s: i64,
        pub monotonic_offset_s: i64,
        pub boot_id: Option<String>,
    }

    impl SystemClock for MovedClock {
        fn sample(&self) -> Result<ClockSample, ClockError> {
            let sample = LinuxClock.sample()?;
            let moved_ms = self.monotonic_offset_s.saturating_mul(1000);
            Ok(ClockSample {
                wall: sample.wall.plus_millis(self.wall_offset_s.saturating_mul(1000)),
                monotonic_ms: sample.monotonic_ms.saturating_add_signed(moved_ms),
                boot_id: self
                    .boot_id
                    .as_ref()
                    .map_or(sample.boot_id, |name| BootId::of(name.as_bytes())),
            })
        }
    }
}
