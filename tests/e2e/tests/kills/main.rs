//! Phone, terminal and platform die at named points, before and after each durable write, each send and each reply, as
//! if the power went: no destructor runs, nothing is flushed. Whoever died is started again and must get on with it.
//!
//! One campus goes on through all of it, and another on which money moves between wallets, cards and the bank; there,
//! after each death, every operation comes to one end, and bank and books agree. At the end no code was shown twice, every payment that a terminal approved is
//! settled, none twice, every void took back exactly one, and the books add up. On a third campus it is a student's phone that
//! moves money and dies over it. Each point must have killed: one that
//! never did fails the test. The seed is printed, and `YIKA_SEED` repeats the run. `YIKA_LONG=1` makes thousands of rounds
//! of it, `YIKA_ROUNDS` as many as it says; `docs/reliability.md` has what came of one.

mod money;
mod pocket;
mod points;
mod tally;
mod world;

use std::time::{SystemTime, UNIX_EPOCH};

use pocket::{Death, During, MOVES, Pocket};
use points::{POINTS, passes};
use world::{Plan, World};
use yika_e2e::Result;

/// Rounds of a long run.
const LONG: usize = 3000;

/// A small generator of its own (SplitMix64, Steele et al. 2014): the run repeats from its seed alone.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ mixed >> 31) % bound as u64).unwrap_or(0)
    }
}

/// A number from the environment.
fn number<T: std::str::FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The generator of a run, and how many rounds it has: the usual number, unless the environment wants others.
fn begin(usual: usize, least: usize) -> (Chance, usize) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = number("YIKA_SEED").unwrap_or_else(|| now.map_or(1, |since| since.as_secs()));
    let usual = match std::env::var_os("YIKA_LONG") {
        Some(_) => LONG,
        None => usual,
    };
    let rounds = number("YIKA_ROUNDS").unwrap_or(usual).max(least);
    println!("YIKA_SEED={seed}, {rounds} rounds");
    (Chance(seed), rounds)
}

#[test]
fn no_sequence_is_shown_twice_no_approval_is_lost_none_is_settled_twice_and_voids_count_once() -> Result<()> {
    let (mut chance, rounds) = begin(POINTS.len(), POINTS.len());
    let mut world = World::begin()?;
    for round in 0..rounds {
        // Each point in turn, at the first pass; and then as chance has it.
        let (point, pass) = match POINTS.get(round) {
            Some(point) => (*point, 1),
            None => {
                let point = POINTS[chance.below(POINTS.len())];
                (point, 1 + chance.below(passes(point)))
            }
        };
        let plan = Plan {
            point,
            pass,
            voids: point.starts_with("terminal.void") || chance.below(4) == 0,
        };
        if let Err(error) = world.round(round, &plan) {
            eprintln!(
                "round {round} with {plan:?} failed; the platform's last words:\n{}",
                world.last_words()
            );
            return Err(error);
        }
    }
    world.end()?;
    println!("{}", world.report());
    for point in POINTS {
        assert!(world.killed(point) > 0, "{point} killed nobody");
    }
    Ok(())
}

#[test]
fn a_phone_that_dies_over_money_has_each_operation_once_and_loses_none_that_it_answered_to() -> Result<()> {
    /// At each point, during each of the two, at the first pass and the second.
    const IN_TURN: usize = 4 * pocket::POINTS.len();
    let (mut chance, rounds) = begin(50, IN_TURN);
    let mut pocket = Pocket::begin()?;
    for round in 0..rounds {
        let count = pocket::POINTS.len();
        // Each point in turn, and then as chance has it.
        let (point, pass, is_confirming) = match round < IN_TURN {
            true => (round % count, 1 + round / count % 2, round < IN_TURN / 2),
            false => (chance.below(count), 1 + chance.below(6), chance.below(2) == 0),
        };
        let death = Death {
            during: match is_confirming {
                true => During::Confirming,
                false => During::Synchronising,
            },
            point: pocket::POINTS[point],
            pass,
            told: round % MOVES.len(),
        };
        if let Err(error) = pocket.round(&death) {
            eprintln!("round {round} with {death:?} failed");
            return Err(error);
        }
    }
    println!("{}", pocket.report());
    for point in pocket::POINTS {
        assert!(pocket.killed(point) > 0, "{point} killed nobody");
    }
    Ok(())
}
