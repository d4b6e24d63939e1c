//! How everything here is timed: whoever is compared takes turns within one process, so that a machine that slows down
//! slows all of them down. Ratios are taken turn by turn and only then summed up; what a turn needs prepared is
//! prepared outside its clock.

use std::time::{Duration, Instant};

use crate::Result;

/// How much time a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Enough turns to see a tenth of a difference; small sizes.
    Quick,
    /// What is written down.
    Full,
}

impl Effort {
    /// One number for each effort.
    pub(crate) fn pick<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// One who takes turns: does its work in the turn of this number and answers how long one operation took.
pub(crate) type Contender<'a> = Box<dyn FnMut(usize) -> Result<Duration> + 'a>;

/// Lets the contenders take `turns` turns each, after one to warm up. Who begins changes with every turn.
pub(crate) fn take_turns<const N: usize>(
    turns: usize,
    mut contenders: [Contender<'_>; N],
) -> Result<[Samples; N]> {
    let mut samples = [const { Samples(Vec::new()) }; N];
    for contender in &mut contenders {
        contender(0)?;
    }
    for turn in 1..=turns {
        for place in 0..N {
            let who = (turn + place) % N;
            let took = contenders[who](turn)?;
            samples[who].0.push(took.as_secs_f64());
        }
    }
    Ok(samples)
}

/// Does `operation` as often as `count` says and answers how long one took.
pub(crate) fn per_operation(
    count: usize,
    mut operation: impl FnMut(usize) -> Result<()>,
) -> Result<Duration> {
    let started = Instant::now();
    for index in 0..count {
        operation(index)?;
    }
    Ok(started.elapsed() / u32::try_from(count.max(1))?)
}

/// Times one piece of work.
pub(crate) fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let started = Instant::now();
    let value = work()?;
    Ok((value, started.elapsed()))
}

/// Measurements, in the order in which they were taken: seconds, or ratios.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    /// Adds a time.
    pub(crate) fn push(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64());
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// These divided by those of `other`, turn by turn.
    pub(crate) fn over(&self, other: &Self) -> Self {
        self.zip(other, |ours, theirs| ours / theirs)
    }

    /// These and those of `other` together, turn by turn.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        self.zip(other, |ours, theirs| ours + theirs)
    }

    /// The larger of these and those of `other`, turn by turn.
    pub(crate) fn or_slower(&self, other: &Self) -> Self {
        self.zip(other, f64::max)
    }

    fn zip(&self, other: &Self, combine: impl Fn(f64, f64) -> f64) -> Self {
        let pairs = self.0.iter().zip(&other.0);
        Self(pairs.map(|(ours, theirs)| combine(*ours, *theirs)).collect())
    }

    /// The value below which this share of them lies (nearest rank).
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let ranks = sorted.len() as f64;
        // The rank lies between 0 and the length, so nothing is cut off but the fraction.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rank = (ranks * share).ceil().clamp(1.0, ranks.max(1.0)) as usize;
        sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        Samples(values.to_vec())
    }

    #[test]
    fn a_quantile_is_one_of_the_samples() {
        let ten = samples(&[10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
        assert_eq!(
            [0.0, 0.1, 0.5, 0.9, 0.99, 1.0].map(|share| ten.quantile(share)),
            [1.0, 1.0, 5.0, 9.0, 10.0, 10.0]
        );
    }

    #[test]
    fn ratios_are_taken_turn_by_turn() {
        let slow_machine_in_the_second_turn = samples(&[1.0, 10.0]).over(&samples(&[2.0, 20.0]));
        assert_eq!(slow_machine_in_the_second_turn.quantile(1.0), 0.5);
    }

    #[test]
    fn contenders_take_turns_and_the_first_of_each_is_not_counted() {
        let order = std::cell::RefCell::new(Vec::new());
        let order_of = &order;
        let contender = |name: char| -> Contender<'_> {
            Box::new(move |turn| {
                order_of.borrow_mut().push((turn, name));
                Ok(Duration::from_secs(1))
            })
        };
        let [first, second] = take_turns(2, [contender('a'), contender('b')]).unwrap();
        assert_eq!((first.0.len(), second.0.len()), (2, 2));
        let expected = [(0, 'a'), (0, 'b'), (1, 'b'), (1, 'a'), (2, 'a'), (2, 'b')];
        assert_eq!(*order.borrow(), expected);
    }
}
