//! The sandbox's command line. Prints one line, `listening on http://…`, when it is ready; its log goes to stderr.

use clap::Parser;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use yika_sandbox::{Sandbox, SandboxConfig, SandboxError};

/// A whole campus in one process, for trials and tests.
#[derive(Parser)]
#[command(name = "yika-sandbox", version)]
struct Cli {
    /// Where to listen: loopback. Port 0 picks one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The folder that everything is kept in.
    #[arg(long)]
    data: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let cli = Cli::parse();
    match run(SandboxConfig {
        listen: cli.listen,
        data: cli.data,
    })
    .await
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: SandboxConfig) -> Result<(), SandboxError> {
    let sandbox = Sandbox::open(config).await?;
    let mut stdout = std::io::stdout();
    // Whoever waits for this line may have gone; that is no reason not to serve.
    let _ = writeln!(stdout, "listening on http://{}", sandbox.address());
    let _ = stdout.flush();
    sandbox.serve().await
}
