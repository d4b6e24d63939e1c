//! A phone on the command line: the core's first consumer, and what scripts and tests drive. `README.md` beside this
//! crate documents commands, exit codes and JSON.

mod args;
mod clock;
mod commands;
mod draw;
mod error;
mod face;
mod host;
mod lost;
mod merchant;
mod money;
mod services;
mod show;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("YIKA_LOG"))
        .with_writer(std::io::stderr)
        .init();
    match commands::run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", error.code());
            ExitCode::from(error.exit())
        }
    }
}
