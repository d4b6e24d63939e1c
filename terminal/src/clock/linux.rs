//! The clocks of a Linux machine: the one place in this crate that asks the system for the time.

use std::fs;

use rustix::time::{ClockId, Timespec, clock_gettime};
use yika_format::UnixMillis;

use super::{BootId, ClockError, ClockSample, SystemClock};

/// `CLOCK_BOOTTIME`, `CLOCK_REALTIME` and the kernel's boot id.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinuxClock;

impl SystemClock for LinuxClock {
    fn sample(&self) -> Result<ClockSample, ClockError> {
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").map_err(|_| ClockError)?;
        let boot_id = uuid::Uuid::parse_str(boot_id.trim_end()).map_err(|_| ClockError)?;
        Ok(ClockSample {
            boot_id: BootId(boot_id.into_bytes()),
            monotonic_ms: millis(clock_gettime(ClockId::Boottime))?,
            // A wall clock before 1970 knows nothing.
            wall: UnixMillis(millis(clock_gettime(ClockId::Realtime)).unwrap_or(0)),
        })
    }
}

fn millis(time: Timespec) -> Result<u64, ClockError> {
    let millis = time
        .tv_sec
        .checked_mul(1000)
        .and_then(|ms| ms.checked_add(time.tv_nsec / 1_000_000));
    millis.and_then(|ms| u64::try_from(ms).ok()).ok_or(ClockError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_readings_are_of_the_same_start_and_do_not_go_back() {
        let (first, second) = (LinuxClock.sample().unwrap(), LinuxClock.sample().unwrap());
        assert_eq!(first.boot_id, second.boot_id);
        assert!(second.monotonic_ms >= first.monotonic_ms);
    }
}
