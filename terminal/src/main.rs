//! `yika-terminal`: the verifier on the command line, for tills, gates and library desks whose software runs programs.
//!
//! Exit codes: 0 done or approved, 1 refused, 2 wrong usage or not enrolled, 3 could not be done. `verify`, `void`,
//! `confirm` and `status` never use the network.

#[cfg(not(target_os = "linux"))]
compile_error!("the command line reads Linux's clocks; elsewhere use the library with a clock of your own");

mod cli;

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    cli::perform(&cli::Args::parse())
}
