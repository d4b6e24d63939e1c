//! The sandbox's command line. Prints one line, `listening on http://…`, when it is ready; its log goes to stderr.

use clap::Parser;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use yika_platform::{DatabaseUrl, PublicOrigin, exit_code, log_to_stderr};
use yika_sandbox::{BankFault, SCHOOL_DOMAIN, Sandbox, SandboxConfig, SandboxError};

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
    /// The school's lower-case DNS name. A folder keeps the school that it began with.
    #[arg(long, default_value = SCHOOL_DOMAIN)]
    school_domain: String,
    /// What goes wrong with every order at the bank, until the admin API says something else.
    #[arg(long, value_name = "NAME")]
    bank_fault: Option<BankFault>,
    /// Seconds that the bank may take to answer the platform.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    bank_timeout: u64,
    /// Seconds that the reply to an operation on money waits for its end; no request takes more than 30.
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u64).range(..30))]
    reply_wait: u64,
    /// The database, such as postgres://user:password@host:port/name; a file in the folder if absent.
    #[arg(long, env = "YIKA_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// The origin that phones and terminals use, where it is not the address that this listens on: a proxy's, or a
    /// forwarded port's.
    #[arg(long)]
    public_origin: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    log_to_stderr();
    exit_code(run(Cli::parse()).await)
}

async fn run(cli: Cli) -> Result<(), SandboxError> {
    let database = cli.database.as_deref().map(DatabaseUrl::parse).transpose();
    let public_origin = cli.public_origin.as_deref().map(PublicOrigin::parse).transpose();
    let config = SandboxConfig {
        listen: cli.listen,
        data: cli.data,
        school_domain: cli.school_domain,
        bank_fault: cli.bank_fault,
        bank_timeout: Duration::from_secs(cli.bank_timeout),
        reply_wait: Duration::from_secs(cli.reply_wait),
        database: database.map_err(yika_platform::Error::from)?,
        public_origin: public_origin.map_err(yika_platform::Error::from)?,
    };
    let sandbox = Sandbox::open(config).await?;
    let stop = yika_platform::stop_signal().map_err(SandboxError::Signals)?;
    let mut stdout = std::io::stdout();
    // Whoever waits for this line may have gone; that is no reason not to serve.
    let _ = writeln!(stdout, "listening on http://{}", sandbox.address());
    let _ = stdout.flush();
    sandbox.serve(stop).await;
    Ok(())
}
