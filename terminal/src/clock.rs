//! What a terminal knows of the time: the platform's signed word, carried forward by a clock that nobody can set.
//!
//! [`ClockState`] decides and is pure; [`TerminalClock`] asks the port and remembers. A terminal takes money only while
//! an anchor from signed time holds. After a restart without network there is none: the time is then the wall clock's,
//! never before what was known already, good enough to look at an identity and to reach the platform, not to be paid by.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use yika_format::UnixMillis;
use yika_format::verifier::TerminalTime;
use yika_link::CertificateClock;

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub use linux::LinuxClock;

/// How far a terminal's oscillator may drift, in parts per million.
const DRIFT_PPM: u64 = 50;
/// An answer that took longer says too little about the time, in milliseconds.
pub const MAX_ROUND_TRIP_MS: u64 = 5_000;

/// Names one start of the machine; two starts never have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BootId(pub [u8; 16]);

/// One reading of the machine's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockSample {
    /// Which start of the machine this is.
    pub boot_id: BootId,
    /// Milliseconds of a clock that never goes back while the machine is up and goes on while it sleeps.
    pub monotonic_ms: u64,
    /// The wall clock, which anyone may have set.
    pub wall: UnixMillis,
}

/// The machine's clocks: what a vendor provides where there is no Linux.
pub trait SystemClock: Send + Sync {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// [`ClockError`] where the system does not tell them.
    fn sample(&self) -> Result<ClockSample, ClockError>;
}

/// The machine's clocks can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the machine's clocks cannot be read")]
pub struct ClockError;

/// What the platform's time was at a moment of the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// In which start of the machine.
    pub boot_id: BootId,
    /// At which moment of the monotonic clock, in milliseconds.
    pub monotonic_ms: u64,
    /// The platform's time then.
    pub platform: UnixMillis,
    /// How long question and answer took together, in milliseconds.
    pub round_trip_ms: u64,
}

/// Why a signed time is no anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnchorError {
    /// It took too long.
    #[error("the platform's answer about the time took {0} ms; more than 5 s say too little, try again")]
    TooSlow(u64),
    /// The machine was restarted, or its clock went back, between question and answer.
    #[error("the machine's clock was interrupted while the platform was asked for the time; try again")]
    Interrupted,
}

impl Anchor {
    /// From the samples before the question and after the answer. The platform read its clock somewhere between; the
    /// middle is the guess with the least error.
    ///
    /// # Errors
    ///
    /// [`AnchorError`] where the answer says too little.
    pub fn new(before: ClockSample, after: ClockSample, platform: UnixMillis) -> Result<Self, AnchorError> {
        let round_trip_ms = after
            .monotonic_ms
            .checked_sub(before.monotonic_ms)
            .filter(|_| before.boot_id == after.boot_id)
            .ok_or(AnchorError::Interrupted)?;
        if round_trip_ms > MAX_ROUND_TRIP_MS {
            return Err(AnchorError::TooSlow(round_trip_ms));
        }
        Ok(Self {
            boot_id: after.boot_id,
            monotonic_ms: before.monotonic_ms + round_trip_ms / 2,
            platform,
            round_trip_ms,
        })
    }

    /// Half the round trip, and 50 ppm of what has passed since, in milliseconds, rounded up.
    fn uncertainty_ms(&self, elapsed_ms: u64) -> u64 {
        let drift = u128::from(elapsed_ms) * u128::from(DRIFT_PPM);
        let drift_ms = u64::try_from(drift.div_ceil(1_000_000)).unwrap_or(u64::MAX);
        self.round_trip_ms.div_ceil(2).saturating_add(drift_ms)
    }
}

/// What is known about the time. The store keeps it, so a new process of the same start of the machine knows it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockState {
    /// The platform's last word.
    pub anchor: Option<Anchor>,
    /// The latest time that is certain to have passed. The clock never tells an earlier one.
    pub floor: UnixMillis,
}

impl ClockState {
    /// The time at `sample`.
    pub fn read(&self, sample: ClockSample) -> TerminalTime {
        let elapsed = self
            .anchor
            .filter(|anchor| anchor.boot_id == sample.boot_id)
            .and_then(|anchor| Some((anchor, sample.monotonic_ms.checked_sub(anchor.monotonic_ms)?)));
        match elapsed {
            Some((anchor, elapsed_ms)) => TerminalTime {
                now: UnixMillis(anchor.platform.0.saturating_add(elapsed_ms)).max(self.floor),
                uncertainty_s: u32::try_from(anchor.uncertainty_ms(elapsed_ms).div_ceil(1000))
                    .unwrap_or(u32::MAX),
                is_anchored: true,
            },
            None => self.unanchored(sample.wall),
        }
    }

    /// The time where there is only a wall clock.
    fn unanchored(&self, wall: UnixMillis) -> TerminalTime {
        TerminalTime {
            now: wall.max(self.floor),
            uncertainty_s: u32::MAX,
            is_anchored: false,
        }
    }

    /// Takes the platform's word. The floor only rises: where the platform's clock was put back, time stands still
    /// here until it has caught up.
    pub fn set_anchor(&mut self, anchor: Anchor) {
        self.anchor = Some(anchor);
        self.raise_floor(anchor.platform);
    }

    /// Remembers that it is at least `passed` now.
    pub fn raise_floor(&mut self, passed: UnixMillis) {
        self.floor = self.floor.max(passed);
    }
}

/// The clock of a terminal: the port, and what is known.
pub struct TerminalClock {
    port: Arc<dyn SystemClock>,
    state: Mutex<ClockState>,
}

impl TerminalClock {
    /// A clock that knows what `state` says.
    pub fn new(port: Arc<dyn SystemClock>, state: ClockState) -> Self {
        Self {
            port,
            state: Mutex::new(state),
        }
    }

    /// The machine's clocks.
    ///
    /// # Errors
    ///
    /// [`ClockError`] where the system does not tell them.
    pub fn sample(&self) -> Result<ClockSample, ClockError> {
        self.port.sample()
    }

    /// The time. A machine that doesn't tell its clocks leaves the floor, unanchored.
    pub fn now(&self) -> TerminalTime {
        let state = self.state();
        match self.port.sample() {
            Ok(sample) => state.read(sample),
            Err(ClockError) => state.unanchored(state.floor),
        }
    }

    /// What is known.
    pub fn state(&self) -> ClockState {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known.
    pub(crate) fn update(&self, change: impl FnOnce(&mut ClockState)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl CertificateClock for TerminalClock {
    fn now(&self) -> Option<Duration> {
        Some(Duration::from_millis(self.now().now.0))
    }

    fn floor(&self) -> Option<Duration> {
        let floor = self.state().floor.0;
        (!self.now().is_anchored && floor > 0).then_some(Duration::from_millis(floor))
    }
}

impl fmt::Debug for TerminalClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TerminalClock")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: UnixMillis = UnixMillis(1_788_249_600_000);
    const DAY_MS: u64 = 86_400_000;
    const FIRST: BootId = BootId([1; 16]);
    const SECOND: BootId = BootId([2; 16]);

    fn sample(boot_id: BootId, monotonic_ms: u64, wall: UnixMillis) -> ClockSample {
        ClockSample {
            boot_id,
            monotonic_ms,
            wall,
        }
    }

    fn anchored() -> ClockState {
        let before = sample(FIRST, 1_000, START);
        let after = sample(FIRST, 1_200, START);
        let mut state = ClockState::default();
        state.set_anchor(Anchor::new(before, after, START).unwrap());
        state
    }

    #[test]
    fn an_answer_that_took_too_long_or_spans_a_restart_anchors_nothing() {
        let before = sample(FIRST, 1_000, START);
        let at = |boot_id, monotonic_ms| Anchor::new(before, sample(boot_id, monotonic_ms, START), START);
        assert_eq!(at(FIRST, 6_001), Err(AnchorError::TooSlow(5_001)));
        assert_eq!(at(SECOND, 1_100), Err(AnchorError::Interrupted));
        assert_eq!(at(FIRST, 999), Err(AnchorError::Interrupted));
        assert!(at(FIRST, 6_000).is_ok());
    }

    #[test]
    fn after_a_restart_without_network_the_time_is_not_anchored() {
        let later = UnixMillis(START.0 + 60_000);
        let time = anchored().read(sample(SECOND, 500, later));
        assert!(!time.is_anchored);
        assert_eq!(time.now, later, "the wall clock is the best there is");
    }

    #[test]
    fn a_wall_clock_set_back_leaves_the_floor() {
        let time = anchored().read(sample(SECOND, 500, UnixMillis(0)));
        assert_eq!((time.now, time.is_anchored), (START, false));
    }

    #[test]
    fn a_wall_clock_set_at_will_moves_nothing_while_the_anchor_holds() {
        for wall in [UnixMillis(0), UnixMillis(u64::MAX)] {
            let time = anchored().read(sample(FIRST, 1_100 + 5_000, wall));
            assert_eq!((time.now, time.is_anchored), (UnixMillis(START.0 + 5_000), true));
        }
    }

    #[test]
    fn a_monotonic_clock_that_went_back_is_not_believed() {
        assert!(!anchored().read(sample(FIRST, 900, START)).is_anchored);
    }

    #[test]
    fn uncertainty_grows_by_fifty_parts_in_a_million() {
        let state = anchored();
        let after = |elapsed_ms: u64| state.read(sample(FIRST, 1_100 + elapsed_ms, START)).uncertainty_s;
        assert_eq!(after(0), 1, "half of 200 ms, rounded up");
        assert_eq!(after(DAY_MS), 5, "4.32 s and 0.1 s");
        assert_eq!(after(7 * DAY_MS), 31, "30.24 s and 0.1 s");
    }

    #[test]
    fn a_platform_whose_clock_was_put_back_makes_time_stand_still() {
        let mut state = anchored();
        let now = sample(FIRST, 11_100, START);
        let put_back = UnixMillis(START.0 - 60_000);
        state.set_anchor(Anchor::new(now, now, put_back).unwrap());
        assert_eq!(state.read(now).now, START);
        assert_eq!(state.read(sample(FIRST, 11_100 + 59_000, START)).now, START);
        assert_eq!(
            state.read(sample(FIRST, 11_100 + 61_000, START)).now,
            UnixMillis(START.0 + 1_000)
        );
    }

    proptest! {
        #[test]
        fn time_never_goes_back(
            steps in proptest::collection::vec((0_u64..100_000, any::<bool>(), any::<u32>(), any::<bool>()), 1..40)
        ) {
            let mut state = anchored();
            let (mut boot, mut monotonic_ms, mut last) = (3_u8, 2_000_u64, UnixMillis(0));
            for (advance, reboots, wall_s, is_told) in steps {
                monotonic_ms += advance;
                if reboots {
                    (boot, monotonic_ms) = (boot + 1, advance);
                }
                let now = sample(BootId([boot; 16]), monotonic_ms, UnixMillis(u64::from(wall_s) * 1000));
                if is_told {
                    state.set_anchor(Anchor::new(now, now, UnixMillis(START.0 + u64::from(wall_s))).unwrap());
                }
                let time = state.read(now);
                if time.is_anchored {
                    prop_assert!(time.now >= last);
                    state.raise_floor(time.now);
                    last = time.now;
                }
                prop_assert!(time.now >= state.floor);
            }
        }
    }
}
