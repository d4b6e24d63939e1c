//! The time that the phone trusts: the platform's, carried forward by a clock that nobody can set. A pure [`ClockState`]
//! decides; [`TrustedClock`] asks the port and remembers. Codes, TLS and proofs of possession all use it, so that a wrong
//! wall clock can be repaired over the network that it would otherwise break.
//!
//! While the phone stays up the anchor is enough. After a restart without network there are two stories: the wall clock is
//! as wrong as it was (wall + stored offset), or somebody put it right meanwhile (the bare wall). No offline design can
//! tell; the likelier is taken, the code says how sure it is, and the holder may choose the other.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use yika_api::UnixMillis;
use yika_format::code::ClockConfidence;
use yika_link::CertificateClock;

use crate::error::CoreError;
use crate::ports::{BootId, ClockSample, SystemClock};

/// How far a phone's oscillator may drift, in parts per million.
const DRIFT_PPM: u64 = 50;
/// An answer that took longer says too little about the time (the terminals' bound too).
pub const MAX_ROUND_TRIP: Duration = Duration::from_secs(5);
/// Up to this uncertainty terminals take the code without widening their window much.
const GOOD_UNCERTAINTY_S: u32 = 30;
/// A larger step between two readings than the monotonic clock's own is a jump.
const JUMP_MS: i64 = 2_000;

/// What the platform's time was at a moment of the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    boot_id: BootId,
    monotonic_ms: u64,
    platform: UnixMillis,
    round_trip_ms: u64,
    /// The platform's time less the wall clock's, for the time after a restart.
    wall_offset_ms: i64,
}

impl Anchor {
    /// From an answer with the platform's time and the samples taken before the request and after the answer. `None`
    /// where the phone was restarted in between, or the answer took longer than [`MAX_ROUND_TRIP`].
    pub fn new(before: ClockSample, after: ClockSample, platform: UnixMillis) -> Option<Self> {
        let round_trip_ms = after.monotonic_ms.checked_sub(before.monotonic_ms)?;
        let usable =
            before.boot_id == after.boot_id && u128::from(round_trip_ms) <= MAX_ROUND_TRIP.as_millis();
        // The platform read its clock somewhere between; the middle is the guess with the least error.
        let since_middle = round_trip_ms / 2;
        let wall_at_middle = after.wall.0.saturating_sub_unsigned(since_middle);
        usable.then_some(Self {
            boot_id: after.boot_id,
            monotonic_ms: after.monotonic_ms - since_middle,
            platform,
            round_trip_ms,
            wall_offset_ms: platform.0.saturating_sub(wall_at_middle),
        })
    }

    fn uncertainty_ms(&self, monotonic_ms: u64) -> u64 {
        let age_ms = monotonic_ms.saturating_sub(self.monotonic_ms);
        self.round_trip_ms
            .div_ceil(2)
            .saturating_add((age_ms / 1_000_000).saturating_mul(DRIFT_PPM))
            .saturating_add(((age_ms % 1_000_000) * DRIFT_PPM).div_ceil(1_000_000))
    }
}

/// Which of the two stories after a restart is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockStory {
    /// The wall clock is as wrong as it was when the platform last told the time.
    StoredOffset,
    /// The wall clock is right.
    WallClock,
}

/// How good the time is, for the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClockQuality {
    /// Anchored, and uncertain by half a minute at most.
    Good,
    /// Terminals may refuse; connecting helps.
    Weak,
}

/// One reading of the trusted clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The platform's time, as well as it is known.
    pub now: UnixMillis,
    /// How sure that is, as codes say it.
    pub confidence: ClockConfidence,
    /// The monotonic clock at the same moment.
    pub monotonic_ms: u64,
    boot_id: BootId,
}

impl Reading {
    /// How good it is, for the screen.
    pub fn quality(&self) -> ClockQuality {
        match self.confidence.uncertainty_s() {
            Some(seconds) if seconds <= GOOD_UNCERTAINTY_S => ClockQuality::Good,
            _ => ClockQuality::Weak,
        }
    }

    /// Whether the time went on since `earlier` as the monotonic clock did. A jump means that the wall clock was set or
    /// that the anchor changed: whatever was planned before is void.
    pub fn continues(&self, earlier: &Self) -> bool {
        let elapsed = i128::from(self.monotonic_ms) - i128::from(earlier.monotonic_ms);
        let told = i128::from(self.now.0) - i128::from(earlier.now.0);
        self.boot_id == earlier.boot_id && elapsed >= 0 && (told - elapsed).abs() <= i128::from(JUMP_MS)
    }
}

/// Neither story can be true: the time would be before one that the platform has already told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time is before what the platform has already told")]
pub struct ImpossibleTime;

/// What is known about the time. Kept in the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockState {
    anchor: Option<Anchor>,
    /// The latest time that an anchor has vouched for: it cannot be earlier now.
    floor: UnixMillis,
    /// What the holder chose for one start of the phone.
    chosen: Option<(BootId, ClockStory)>,
}

impl ClockState {
    /// Reads the time at `sample`.
    ///
    /// # Errors
    ///
    /// [`ImpossibleTime`] where every story is before what an anchor has vouched for.
    pub fn read(&self, sample: ClockSample) -> Result<Reading, ImpossibleTime> {
        let reading = |now, confidence| Reading {
            now,
            confidence,
            monotonic_ms: sample.monotonic_ms,
            boot_id: sample.boot_id,
        };
        if let Some((now, uncertainty_ms)) = self.anchored(sample) {
            let uncertainty_s = u32::try_from(uncertainty_ms.div_ceil(1000)).unwrap_or(u32::MAX);
            return Ok(reading(now, ClockConfidence::anchored(uncertainty_s)));
        }
        let offset = self.anchor.map(|anchor| {
            reading(
                sample.wall.plus_millis(anchor.wall_offset_ms),
                ClockConfidence::Rebooted,
            )
        });
        let wall = Some(reading(sample.wall, ClockConfidence::WallOnly));
        let stories = match self.story(sample.boot_id) {
            ClockStory::StoredOffset => [offset, wall],
            ClockStory::WallClock => [wall, offset],
        };
        stories
            .into_iter()
            .flatten()
            .find(|story| story.now >= self.floor)
            .ok_or(ImpossibleTime)
    }

    /// The time by the anchor, and how uncertain it is in milliseconds, while the phone has not been restarted.
    fn anchored(&self, sample: ClockSample) -> Option<(UnixMillis, u64)> {
        let anchor = self.anchor.filter(|anchor| anchor.boot_id == sample.boot_id)?;
        let elapsed_ms = sample.monotonic_ms.checked_sub(anchor.monotonic_ms)?;
        let now = UnixMillis(anchor.platform.0.saturating_add_unsigned(elapsed_ms));
        Some((now, anchor.uncertainty_ms(sample.monotonic_ms)))
    }

    fn story(&self, boot_id: BootId) -> ClockStory {
        self.chosen
            .filter(|(boot, _)| *boot == boot_id)
            .map_or(ClockStory::StoredOffset, |(_, story)| story)
    }

    /// Takes an anchor, unless the one there is surer and they agree.
    pub fn anchor(&mut self, new: Anchor, sample: ClockSample) {
        let keeps = self.anchored(sample).is_some_and(|(now, uncertainty_ms)| {
            let new_uncertainty_ms = new.uncertainty_ms(sample.monotonic_ms);
            let elapsed_ms = sample.monotonic_ms.saturating_sub(new.monotonic_ms);
            let apart = now.0.abs_diff(new.platform.0.saturating_add_unsigned(elapsed_ms));
            uncertainty_ms <= new_uncertainty_ms && apart <= uncertainty_ms + new_uncertainty_ms
        });
        if !keeps {
            self.anchor = Some(new);
            // The platform's word is the truth, also where it corrects itself.
            self.floor = new.platform;
            self.chosen = None;
        }
    }

    /// Remembers that it is at least `reading` now, where an anchor vouches for that.
    pub fn vouch(&mut self, reading: &Reading) {
        if matches!(reading.confidence, ClockConfidence::Anchored(_)) {
            self.floor = self.floor.max(reading.now);
        }
    }

    /// Believes this story until the phone is restarted or hears the platform's time.
    pub fn choose(&mut self, story: ClockStory, boot_id: BootId) {
        self.chosen = Some((boot_id, story));
    }
}

/// The trusted clock: the port, and what is known.
pub struct TrustedClock {
    port: Arc<dyn SystemClock>,
    state: Mutex<ClockState>,
}

impl TrustedClock {
    /// A clock that knows what `state` says.
    pub fn new(port: Arc<dyn SystemClock>, state: ClockState) -> Self {
        Self {
            port,
            state: Mutex::new(state),
        }
    }

    /// The phone's own clocks.
    ///
    /// # Errors
    ///
    /// [`CoreError::Internal`] where the port fails.
    pub fn sample(&self) -> Result<ClockSample, CoreError> {
        Ok(self.port.sample()?)
    }

    /// The trusted time.
    ///
    /// # Errors
    ///
    /// [`CoreError::ClockImpossible`], or [`CoreError::Internal`] where the port fails.
    pub fn now(&self) -> Result<Reading, CoreError> {
        let sample = self.sample()?;
        self.state()
            .read(sample)
            .map_err(|ImpossibleTime| CoreError::ClockImpossible)
    }

    /// The trusted time; where that is impossible, the latest that the platform vouched for. To validate certificates
    /// and make proofs with: the way out of an impossible time leads over them.
    ///
    /// # Errors
    ///
    /// [`CoreError::Internal`] where the port fails.
    pub fn now_or_floor(&self) -> Result<UnixMillis, CoreError> {
        let sample = self.sample()?;
        let state = self.state();
        Ok(state.read(sample).map_or(state.floor, |reading| reading.now))
    }

    /// The latest time that the platform vouched for, where the time now rests on the wall clock.
    pub fn floor_if_unanchored(&self) -> Option<UnixMillis> {
        let sample = self.sample().ok()?;
        let state = self.state();
        (state.anchored(sample).is_none() && state.floor.0 > 0).then_some(state.floor)
    }

    /// Changes what is known, and returns it for the journal.
    ///
    /// # Errors
    ///
    /// [`CoreError::Internal`] where the port fails.
    pub(crate) fn update(
        &self,
        change: impl FnOnce(&mut ClockState, ClockSample),
    ) -> Result<ClockState, CoreError> {
        let sample = self.sample()?;
        let mut state = self.state();
        change(&mut state, sample);
        Ok(*state)
    }

    /// Remembers a reading that an anchor vouches for, and returns what is known for the journal.
    pub(crate) fn vouch(&self, reading: &Reading) -> ClockState {
        let mut state = self.state();
        state.vouch(reading);
        *state
    }

    fn state(&self) -> std::sync::MutexGuard<'_, ClockState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CertificateClock for TrustedClock {
    fn now(&self) -> Option<Duration> {
        since_1970(self.now_or_floor().ok()?)
    }

    fn floor(&self) -> Option<Duration> {
        since_1970(self.floor_if_unanchored()?)
    }
}

fn since_1970(instant: UnixMillis) -> Option<Duration> {
    u64::try_from(instant.0).ok().map(Duration::from_millis)
}

impl std::fmt::Debug for TrustedClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrustedClock")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
    const HOUR: u64 = 3_600_000;

    fn sample(wall: UnixMillis, monotonic_ms: u64, boot: &str) -> ClockSample {
        ClockSample {
            wall,
            monotonic_ms,
            boot_id: BootId::of(boot.as_bytes()),
        }
    }

    /// Anchored at [`NOW`], monotonic 1,000,000, with a wall clock that is `wall_error_ms` ahead.
    fn anchored(wall_error_ms: i64) -> ClockState {
        let wall = NOW.plus_millis(wall_error_ms);
        let before = sample(wall.plus_millis(-50), 999_950, "first");
        let after = sample(wall.plus_millis(50), 1_000_050, "first");
        let mut state = ClockState::default();
        state.anchor(Anchor::new(before, after, NOW).unwrap(), after);
        state
    }

    #[test]
    fn an_answer_that_took_too_long_or_spans_a_restart_anchors_nothing() {
        let before = sample(NOW, 0, "first");
        assert_eq!(Anchor::new(before, sample(NOW, 5_001, "first"), NOW), None);
        assert_eq!(Anchor::new(before, sample(NOW, 10, "second"), NOW), None);
        assert_eq!(
            Anchor::new(sample(NOW, 11, "first"), sample(NOW, 10, "first"), NOW),
            None
        );
        assert!(Anchor::new(before, sample(NOW, 5_000, "first"), NOW).is_some());
    }

    #[test]
    fn a_wall_clock_set_at_will_changes_nothing_while_the_phone_is_up() {
        let state = anchored(0);
        for wall in [UnixMillis(0), NOW, NOW.plus_millis(1_000_000_000_000)] {
            let reading = state.read(sample(wall, 1_000_000 + HOUR, "first")).unwrap();
            assert_eq!(reading.now, NOW.plus_millis(3_600_000));
            assert_eq!(reading.confidence, ClockConfidence::Anchored(1));
        }
    }

    #[test]
    fn uncertainty_grows_with_fifty_parts_in_a_million() {
        let state = anchored(0);
        let week = 7 * 24 * HOUR;
        let reading = state.read(sample(NOW, 1_000_000 + week, "first")).unwrap();
        // 7 days × 50 ppm = 30.24 s and the half round trip: 31 s, told in units of 2 s.
        assert_eq!(reading.confidence, ClockConfidence::Anchored(16));
        assert_eq!(reading.quality(), ClockQuality::Weak);
        let day = state.read(sample(NOW, 1_000_000 + 24 * HOUR, "first")).unwrap();
        assert_eq!(
            (day.confidence, day.quality()),
            (ClockConfidence::Anchored(3), ClockQuality::Good)
        );
    }

    #[test]
    fn after_a_restart_a_wall_clock_that_was_wrong_is_corrected_by_the_stored_offset() {
        let state = anchored(-600_000);
        let reading = state
            .read(sample(NOW.plus_millis(-600_000 + 5_000), 100, "second"))
            .unwrap();
        assert_eq!(
            (reading.now, reading.confidence),
            (NOW.plus_millis(5_000), ClockConfidence::Rebooted)
        );
        assert_eq!(reading.quality(), ClockQuality::Weak);
    }

    #[test]
    fn after_a_restart_the_holder_may_choose_the_other_story_until_the_next_one() {
        let mut state = anchored(-600_000);
        let second = sample(NOW.plus_millis(5_000), 100, "second");
        state.choose(ClockStory::WallClock, second.boot_id);
        let reading = state.read(second).unwrap();
        assert_eq!(
            (reading.now, reading.confidence),
            (second.wall, ClockConfidence::WallOnly)
        );
        let third = state.read(sample(second.wall, 100, "third")).unwrap();
        assert_eq!(third.confidence, ClockConfidence::Rebooted);
    }

    #[test]
    fn a_story_before_what_the_platform_told_is_not_believed() {
        let ahead = anchored(600_000);
        // Somebody put the clock right during the restart: the stored offset would lead into the past.
        let reading = ahead.read(sample(NOW.plus_millis(5_000), 100, "second")).unwrap();
        assert_eq!(
            (reading.now, reading.confidence),
            (NOW.plus_millis(5_000), ClockConfidence::WallOnly)
        );
        assert_eq!(
            anchored(0).read(sample(NOW.plus_millis(-1), 100, "second")),
            Err(ImpossibleTime)
        );
    }

    #[test]
    fn a_time_once_vouched_for_does_not_come_back_after_a_restart() {
        let mut state = anchored(0);
        let later = state.read(sample(NOW, 1_000_000 + HOUR, "first")).unwrap();
        state.vouch(&later);
        assert_eq!(
            state.read(sample(NOW.plus_millis(60_000), 100, "second")),
            Err(ImpossibleTime)
        );
    }

    #[test]
    fn a_guess_after_a_restart_vouches_for_nothing() {
        let mut state = anchored(0);
        let guess = state
            .read(sample(NOW.plus_millis(1_000_000_000), 100, "second"))
            .unwrap();
        state.vouch(&guess);
        assert!(state.read(sample(NOW, 100, "third")).is_ok());
    }

    #[test]
    fn without_an_anchor_there_is_only_the_wall_clock() {
        let reading = ClockState::default().read(sample(NOW, 100, "first")).unwrap();
        assert_eq!(
            (reading.now, reading.confidence),
            (NOW, ClockConfidence::WallOnly)
        );
    }

    #[test]
    fn a_surer_anchor_that_agrees_is_kept_and_one_that_disagrees_is_replaced() {
        let mut state = anchored(0);
        let before = sample(NOW, 1_010_000, "first");
        let after = sample(NOW, 1_014_000, "first");
        let kept = state;
        state.anchor(
            Anchor::new(before, after, NOW.plus_millis(12_000)).unwrap(),
            after,
        );
        assert_eq!(state, kept);
        state.anchor(
            Anchor::new(before, after, NOW.plus_millis(90_000)).unwrap(),
            after,
        );
        assert_eq!(state.read(after).unwrap().now, NOW.plus_millis(92_000));
    }

    #[test]
    fn a_set_wall_clock_is_a_jump_only_where_the_time_rests_on_it() {
        let state = anchored(0);
        let up = |wall, monotonic| state.read(sample(wall, monotonic, "first")).unwrap();
        assert!(up(UnixMillis(0), 1_020_000).continues(&up(NOW, 1_000_000)));
        let rebooted = |wall: i64, monotonic| {
            state
                .read(sample(NOW.plus_millis(wall), monotonic, "second"))
                .unwrap()
        };
        assert!(rebooted(21_000, 21_000).continues(&rebooted(1_000, 1_000)));
        assert!(!rebooted(60_000, 21_000).continues(&rebooted(1_000, 1_000)));
        assert!(!rebooted(1_000, 1_000).continues(&up(NOW, 1_000_000)));
    }

    proptest! {
        #[test]
        fn no_sample_makes_the_clock_panic(wall: i64, monotonic_ms: u64, boot: bool, platform: i64, started: u64) {
            let first = sample(UnixMillis(wall), started, "first");
            let mut state = ClockState::default();
            if let Some(anchor) = Anchor::new(first, first, UnixMillis(platform)) {
                state.anchor(anchor, first);
            }
            let now = sample(UnixMillis(wall), monotonic_ms, if boot { "first" } else { "second" });
            if let Ok(reading) = state.read(now) {
                prop_assert!(reading.continues(&reading));
            }
        }
    }
}
