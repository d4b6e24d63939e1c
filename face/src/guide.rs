//! Guidance while a face is before the camera: one advice at a time that doesn't flicker, and a capture when all has been well for
//! some frames.
//!
//! A decision is a function of the guide, what a frame showed and when; it knows no clock. New advice must be seen in several
//! frames before it takes the place of what is said, and what is said stays for a while.

use crate::verdict::{Advice, Verdict};

/// Frames in a row that must say the same before it is said.
const AGREEING: u32 = 3;
/// How long what is said stays, in milliseconds.
const STAYS_MS: i64 = 800;
/// Frames in a row in which all must be well, and how long that must have been, before the picture is taken.
const WELL: u32 = 5;
const WELL_MS: i64 = 600;
/// How long somebody is guided before the shell should offer another way, in milliseconds.
const PATIENCE_MS: i64 = 20_000;

/// What the shell is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guidance {
    /// What to change; nothing while all is well.
    pub advice: Option<Advice>,
    /// How much of the wait is over after which the picture is taken, 0 to 100.
    pub hold_percent: u8,
    /// Whether this frame is to be taken.
    pub captures: bool,
    /// Whether it has taken so long that another way should be offered: to take the picture as it is, for a person to look at.
    pub offers_review: bool,
}

/// What has been seen and said so far.
#[derive(Clone, Debug, Default)]
pub struct Guide {
    said: Option<(Option<Advice>, i64)>,
    /// What the last frames said, how many did, and since when.
    seen: Option<(Option<Advice>, u32, i64)>,
    /// When the first frame with a face was seen.
    begun: Option<i64>,
}

impl Guide {
    /// A guide at the beginning.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a frame's verdict at this time, in milliseconds of any clock that only goes on.
    pub fn step(&mut self, verdict: &Verdict, at_ms: i64) -> Guidance {
        let first = verdict.advice.first().copied();
        let (count, since) = match self.seen {
            Some((seen, count, since)) if seen == first => (count.saturating_add(1), since),
            _ => (1, at_ms),
        };
        self.seen = Some((first, count, since));
        let may_change = match self.said {
            None => true,
            Some((said, _)) if said == first => false,
            // That all is well need not be read: the advice just goes.
            Some((_, said_at)) => count >= AGREEING && (first.is_none() || at_ms - said_at >= STAYS_MS),
        };
        if may_change {
            self.said = Some((first, at_ms));
        }
        let advice = self.said.and_then(|(said, _)| said);
        if first != Some(Advice::NoFace) && self.begun.is_none() {
            self.begun = Some(at_ms);
        }
        if first.is_some() {
            return Guidance {
                advice,
                hold_percent: 0,
                captures: false,
                offers_review: self.begun.is_some_and(|begun| at_ms - begun >= PATIENCE_MS),
            };
        }
        let well_ms = at_ms - since;
        let part = |have: i64, wanted: i64| (have.clamp(0, wanted) * 100 / wanted) as u8;
        let hold_percent = part(count.into(), WELL.into()).min(part(well_ms, WELL_MS));
        Guidance {
            advice,
            hold_percent,
            captures: hold_percent == 100,
            offers_review: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn verdict(advice: Option<Advice>) -> Verdict {
        Verdict {
            advice: advice.into_iter().collect(),
            measures: Vec::new(),
            face: None,
        }
    }

    /// What is shown for frames that are so many milliseconds apart.
    fn shown(apart_ms: i64, frames: &[Option<Advice>]) -> Vec<Guidance> {
        let mut guide = Guide::new();
        let times = (0..).map(|at| at * apart_ms);
        frames
            .iter()
            .zip(times)
            .map(|(advice, at)| guide.step(&verdict(*advice), at))
            .collect()
    }

    #[test]
    fn one_odd_frame_changes_nothing() {
        let (near, blur) = (Some(Advice::Closer), Some(Advice::Blur));
        let mut frames = [near; 60];
        frames[20] = blur;
        frames[40] = blur;
        frames[41] = blur;
        assert!(shown(33, &frames).iter().all(|guidance| guidance.advice == near));
    }

    #[test]
    fn what_is_said_stays_readable() {
        let frames: Vec<_> = (0..300).map(|at| Some(Advice::ALL[1 + at / 4 % 3])).collect();
        let shown = shown(33, &frames);
        let changes = shown
            .windows(2)
            .filter(|pair| pair[0].advice != pair[1].advice)
            .count();
        assert!(
            changes <= 10_000 / usize::try_from(STAYS_MS).unwrap(),
            "{changes}"
        );
        assert!(changes > 3, "{changes}");
    }

    #[test]
    fn who_is_guided_for_long_without_success_is_offered_another_way() {
        let offered = |advice| {
            let shown = shown(100, &[Some(advice); 250]);
            shown.iter().position(|guidance| guidance.offers_review)
        };
        assert_eq!(offered(Advice::Closer), Some(200));
        assert_eq!(offered(Advice::NoFace), None, "there is nobody to offer it to");
        let mut late = [Some(Advice::NoFace); 250];
        late[100..].fill(Some(Advice::Blur));
        assert!(shown(100, &late).iter().all(|guidance| !guidance.offers_review));
    }

    #[test]
    fn the_picture_is_taken_when_all_was_well_for_some_frames_and_some_time() {
        let slow = shown(200, &[None; 10]);
        assert_eq!(
            slow.iter().position(|guidance| guidance.captures),
            Some(4),
            "{slow:?}"
        );
        let fast = shown(33, &[None; 40]);
        assert_eq!(fast.iter().position(|guidance| guidance.captures), Some(19));
        let mut disturbed = [None; 24];
        disturbed[10] = Some(Advice::Blur);
        assert!(shown(33, &disturbed).iter().all(|guidance| !guidance.captures));
    }

    proptest! {
        #[test]
        fn it_never_takes_what_would_be_refused(
            frames in proptest::collection::vec(proptest::option::weighted(0.3, 0..Advice::ALL.len()), 1..80),
            apart in 1i64..400,
        ) {
            let frames: Vec<_> = frames.into_iter().map(|at| at.map(|at| Advice::ALL[at])).collect();
            for (guidance, frame) in shown(apart, &frames).iter().zip(&frames) {
                prop_assert!(!guidance.captures || (frame.is_none() && guidance.advice.is_none()));
                prop_assert!(guidance.hold_percent <= 100);
            }
        }
    }
}
