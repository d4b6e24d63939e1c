//! How a server program begins and ends: its log goes to stderr, and so does the error that ends it.

use std::fmt::Display;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Begins the log: what `RUST_LOG` asks for, or else what an operator wants to see.
pub fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

/// The exit status of an outcome. An error is the log's last line.
pub fn exit_code(outcome: Result<(), impl Display>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
