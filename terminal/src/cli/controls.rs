//! The clock of test builds: Linux's, moved or as after a restart, as the command line says.

use yika_format::UnixMillis;
use yika_terminal::clock::{BootId, ClockError, ClockSample, LinuxClock, SystemClock};

/// What a test does to the clock.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ControlledClock {
    /// Pretend that the machine was restarted since (test builds only).
    #[arg(long)]
    reboot: bool,
    /// Move all clocks by so many seconds (test builds only).
    #[arg(
        long,
        default_value_t = 0,
        allow_negative_numbers = true,
        value_name = "SECONDS"
    )]
    clock_offset: i32,
}

impl SystemClock for ControlledClock {
    fn sample(&self) -> Result<ClockSample, ClockError> {
        let sample = LinuxClock.sample()?;
        let offset_ms = i64::from(self.clock_offset) * 1000;
        Ok(ClockSample {
            boot_id: if self.reboot {
                BootId(sample.boot_id.0.map(|byte| !byte))
            } else {
                sample.boot_id
            },
            monotonic_ms: sample.monotonic_ms.saturating_add_signed(offset_ms),
            wall: UnixMillis(sample.wall.0.saturating_add_signed(offset_ms)),
        })
    }
}
