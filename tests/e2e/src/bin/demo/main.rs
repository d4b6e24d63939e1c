//! The main job, played with the real processes on loopback: a phone binds, the campus goes down, terminals take its
//! codes, the campus comes back and settles.
//!
//! Every line that is printed comes from what a process answered, and is checked before it is printed: an outcome other
//! than the expected one ends the run with exit code 1. `--keep` leaves the sandbox running and says where.

mod story;
mod tell;

use std::process::ExitCode;

fn main() -> ExitCode {
    let keep = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [option] if option == "--keep" => true,
        _ => {
            eprintln!("usage: cargo xtask demo [--keep]");
            return ExitCode::from(2);
        }
    };
    match story::play(keep) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nthe demo did not go as it should: {error}");
            ExitCode::FAILURE
        }
    }
}
