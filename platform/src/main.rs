//! The platform's command line: the server, and what an operator does beside it.

mod commands;

use clap::{Args, Parser, Subcommand, ValueEnum};
use commands::{Import, Log, RotateIssuer, Staff};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use yika_api::LocalizedText;
use yika_api::bank::StatementRow;
use yika_api::merchant::StallRole;
use yika_api::terminal::MerchantId;
use yika_platform::{
    BankConfig, CardSystem, Config, ConfigError, CredentialPolicy, DatabaseUrl, Error, FacePolicy,
    HostConfig, HttpLimits, ListenPolicy, MerchantPolicy, Platform, PublicOrigin, SchoolConfig, StatementOf,
    TerminalEnrolment, UtilityConfig, WalletPolicy, exit_code, listen, log_to_stderr, serve, stop_signal,
};

/// The campus side of one school.
#[derive(Parser)]
#[command(name = "yika-platform", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until SIGTERM or SIGINT.
    Serve(Serve),
    /// Prints a one-use code with which a terminal can be enrolled within two days.
    TerminalCode(Store),
    /// Compares the bank's statement of a day with the books. Ends with failure where they differ.
    Reconcile(Reconcile),
    /// Prints the statement of an account as CSV.
    Statement(Statement),
    /// Imports holders, accounts, merchants and terminals from CSV files: all of it, or nothing and what is wrong line by line.
    Import(Import),
    /// Makes the next server key, beside the one there is. Needs the root key.
    RotateIssuer(RotateIssuer),
    /// Who works at the card office.
    #[command(subcommand)]
    Staff(Staff),
    /// Prints what was done at the card office, newest first, as CSV.
    Log(Log),
    /// Lets a holder work at a stall as its owner or a cashier, or no more.
    MerchantStaff(MerchantStaff),
    /// Books that a merchant was paid out what is owed of everything up to a day, and prints the statement as JSON.
    SettleMerchant(SettleMerchant),
    /// Adds up everything that was booked at merchants and compares it with the sums that are kept. Ends with failure where
    /// they differ.
    CheckTakings(Store),
}

#[derive(Args)]
struct MerchantStaff {
    /// The merchant's number.
    #[arg(long)]
    merchant: u64,
    /// The holder's student or staff number.
    #[arg(long)]
    holder: String,
    /// What the holder is there from now on.
    #[arg(long)]
    role: StaffRole,
    #[command(flatten)]
    store: Store,
}

#[derive(Clone, Copy, ValueEnum)]
enum StaffRole {
    /// Sees everything, and may void and refund.
    Owner,
    /// Sees today, and may void the last sale.
    Cashier,
    /// Works there no more.
    None,
}

#[derive(Args)]
struct SettleMerchant {
    /// The merchant's number.
    #[arg(long)]
    merchant: u64,
    /// The last day, as yyyy-mm-dd in the school's time zone. It ended at least an hour ago.
    #[arg(long)]
    through: String,
    /// The number of the transfer. Said again with the same number, it is booked once.
    #[arg(long)]
    reference: String,
    #[command(flatten)]
    store: Store,
}

#[derive(Args)]
struct Reconcile {
    /// The day, as yyyy-mm-dd in the school's time zone.
    #[arg(long)]
    day: String,
    /// The statement, as the bank's adapter answers it: a JSON array of rows.
    #[arg(long)]
    file: PathBuf,
    #[command(flatten)]
    store: Store,
}

#[derive(Args)]
struct Statement {
    /// The first day, as yyyy-mm-dd in the school's time zone.
    #[arg(long)]
    from: String,
    /// The last day; the first one too if absent.
    #[arg(long)]
    to: Option<String>,
    #[command(flatten)]
    of: Whose,
    #[command(flatten)]
    store: Store,
}

/// Whose account.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// A holder's card account: the number, a colon, and its place on the card, as in 20260001:1.
    #[arg(long, value_name = "NUMBER:SLOT", value_parser = card_account)]
    card: Option<StatementOf>,
    /// A holder's e-wallet.
    #[arg(long, value_name = "NUMBER")]
    wallet: Option<String>,
    /// What a merchant has earned.
    #[arg(long, value_name = "ID")]
    merchant: Option<i64>,
    /// One of the school's own.
    #[arg(long, value_parser = ["school_risk", "funding", "hold", "custody", "fee", "utility"])]
    school: Option<String>,
}

fn card_account(text: &str) -> Result<StatementOf, String> {
    let parts = text
        .rsplit_once(':')
        .and_then(|(number, slot)| Some((number, slot.parse().ok()?)));
    let (number, slot) = parts.ok_or("write it as 20260001:1")?;
    Ok(StatementOf::Card {
        number: number.to_owned(),
        slot,
    })
}

impl Whose {
    fn account(self) -> Option<StatementOf> {
        self.card
            .or(self.wallet.map(|number| StatementOf::Wallet { number }))
            .or(self.merchant.map(StatementOf::Merchant))
            .or(self.school.map(StatementOf::School))
    }
}

#[derive(Args)]
struct Serve {
    /// Where to listen. Without --behind-tls-proxy only loopback is taken.
    #[arg(long)]
    listen: SocketAddr,
    /// The origin under which clients reach this platform; on loopback, where it listens.
    #[arg(long, env = "YIKA_PUBLIC_ORIGIN")]
    public_origin: Option<String>,
    /// A proxy in front ends TLS.
    #[arg(long)]
    behind_tls_proxy: bool,
    /// What holders agree to for their face photos, as JSON: {"version": 2, "text": {"zh": …, "en": …}}. A higher version is
    /// agreed to anew.
    #[arg(long, env = "YIKA_FACE_CONSENT", value_name = "FILE")]
    face_consent: Option<PathBuf>,
    /// Lets terminals enrol without a code.
    #[arg(long)]
    open_terminal_enrolment: bool,
    #[command(flatten)]
    cards: PlasticCards,
    /// Base address of the adapter of the bank that holds the wallets; without it none is offered.
    #[arg(long, env = "YIKA_BANK_URL", requires = "bank_root")]
    bank_url: Option<String>,
    /// The bank's root key: 33 bytes, a compressed point, in base64url.
    #[arg(long, env = "YIKA_BANK_ROOT", requires = "bank_url")]
    bank_root: Option<String>,
    /// Base address of the adapter of the utilities that holders pay; without it none are offered.
    #[arg(long, env = "YIKA_UTILITY_URL")]
    utility_url: Option<String>,
    #[command(flatten)]
    limits: ConnectionLimits,
    #[command(flatten)]
    store: Store,
}

/// How soon the school's card system stops a plastic card that is reported lost, as holders are told.
#[derive(Args)]
struct PlasticCards {
    /// Seconds until its readers that are online refuse the card.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32))]
    card_stops_online: u32,
    /// Seconds until the last of its readers refuses the card.
    #[arg(long, default_value_t = 86_400, value_parser = clap::value_parser!(u32))]
    card_stops_offline: u32,
}

impl From<&PlasticCards> for CardSystem {
    fn from(given: &PlasticCards) -> Self {
        let online_ms = i64::from(given.card_stops_online) * 1000;
        Self {
            online_ms,
            offline_ms: online_ms.max(i64::from(given.card_stops_offline) * 1000),
        }
    }
}

/// What a connection may take.
#[derive(Args)]
struct ConnectionLimits {
    /// Seconds until a request's header must be there, and until an idle connection is closed.
    #[arg(long, default_value_t = HttpLimits::default().header_timeout.as_secs(), value_parser = clap::value_parser!(u64).range(1..))]
    header_timeout: u64,
    /// Seconds until a request must be answered, its body read.
    #[arg(long, default_value_t = HttpLimits::default().request_timeout.as_secs(), value_parser = clap::value_parser!(u64).range(1..))]
    request_timeout: u64,
    /// Connections at once; more wait until one is closed.
    #[arg(long, default_value_t = HttpLimits::default().max_connections)]
    max_connections: std::num::NonZero<usize>,
}

impl From<&ConnectionLimits> for HttpLimits {
    fn from(given: &ConnectionLimits) -> Self {
        Self {
            header_timeout: Duration::from_secs(given.header_timeout),
            request_timeout: Duration::from_secs(given.request_timeout),
            max_connections: given.max_connections,
            ..Self::default()
        }
    }
}

#[derive(Args)]
struct Store {
    /// The database: sqlite:///var/lib/yika/yika.db or postgres://user:password@host:port/name. Others on this machine
    /// see the command line, so give a password by the environment.
    #[arg(long, env = "YIKA_DATABASE", hide_env_values = true)]
    database: String,
    /// Folder of the server keys; beside the database if absent, where that is a file.
    #[arg(long, env = "YIKA_DATA")]
    data: Option<PathBuf>,
    /// Folder of the keys without which face portraits can't be read; `photo-keys` in the folder of the server keys if absent.
    /// Leave it out of backups: what is deleted here must not come back from one.
    #[arg(long, env = "YIKA_PHOTO_KEYS")]
    photo_keys: Option<PathBuf>,
    #[command(flatten)]
    school: School,
}

/// Whose platform this is. On loopback all of it can be left out, for a trial.
#[derive(Args)]
struct School {
    /// The school's lower-case DNS name.
    #[arg(long, env = "YIKA_SCHOOL_DOMAIN")]
    school_domain: Option<String>,
    /// The school's name in Chinese.
    #[arg(long, env = "YIKA_SCHOOL_NAME_ZH")]
    school_name_zh: Option<String>,
    /// The school's name in English.
    #[arg(long, env = "YIKA_SCHOOL_NAME_EN")]
    school_name_en: Option<String>,
    /// IANA name of the zone in which days are counted.
    #[arg(long, env = "YIKA_TIME_ZONE", default_value = "Asia/Shanghai")]
    time_zone: String,
    /// The `iss` of the host app's ID tokens.
    #[arg(long, env = "YIKA_HOST_ISSUER")]
    host_issuer: Option<String>,
    /// The `aud` that an ID token must carry.
    #[arg(long, env = "YIKA_HOST_AUDIENCE")]
    host_audience: Option<String>,
}

/// Whether settings may be left out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// On loopback: what is missing becomes a trial's.
    Trial,
    /// Where others reach the platform.
    Production,
}

impl Strictness {
    fn or_trial(self, given: Option<String>, flag: &'static str, trial: &str) -> Result<String, ConfigError> {
        match (given, self) {
            (Some(given), _) => Ok(given),
            (None, Self::Trial) => Ok(trial.to_owned()),
            (None, Self::Production) => Err(ConfigError::Missing(flag)),
        }
    }
}

impl Store {
    /// The platform, for an operator's command beside its servers.
    async fn open(self) -> Result<Platform, Error> {
        let origin = PublicOrigin::parse("http://127.0.0.1")?;
        let config = self.config(origin, TerminalEnrolment::CodeRequired, Strictness::Trial)?;
        Platform::open_existing(config).await
    }

    fn config(
        self,
        origin: PublicOrigin,
        enrolment: TerminalEnrolment,
        how: Strictness,
    ) -> Result<Config, ConfigError> {
        let database = DatabaseUrl::parse(&self.database)?;
        let beside = database.folder().map(PathBuf::from);
        let school = self.school;
        let data_dir = self.data.or(beside).ok_or(ConfigError::NoDataFolder)?;
        let photo_keys = self.photo_keys.unwrap_or_else(|| data_dir.join("photo-keys"));
        Ok(Config {
            faces: FacePolicy::with_keys_in(&photo_keys),
            cards: CardSystem::default(),
            data_dir,
            database,
            public_origin: origin,
            school: SchoolConfig {
                domain: how.or_trial(school.school_domain, "--school-domain", "trial.yika.example")?,
                name: LocalizedText {
                    zh: how.or_trial(school.school_name_zh, "--school-name-zh", "试用学校")?,
                    en: how.or_trial(school.school_name_en, "--school-name-en", "Trial School")?,
                },
                time_zone: school.time_zone,
            },
            host: HostConfig {
                issuer: how.or_trial(school.host_issuer, "--host-issuer", "http://127.0.0.1:1/host")?,
                audience: how.or_trial(school.host_audience, "--host-audience", "yika")?,
            },
            terminal_enrolment: enrolment,
            credentials: CredentialPolicy::default(),
            bank: None,
            utility: None,
            wallet: WalletPolicy::default(),
            merchants: MerchantPolicy::default(),
            http: HttpLimits::default(),
        })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    log_to_stderr();
    exit_code(match Cli::parse().command {
        Command::Serve(arguments) => run(arguments).await,
        Command::TerminalCode(store) => terminal_code(store).await,
        Command::Statement(arguments) => statement(arguments).await,
        Command::RotateIssuer(arguments) => arguments.run().await,
        Command::Staff(command) => command.run().await,
        Command::Log(arguments) => arguments.run().await,
        Command::MerchantStaff(arguments) => merchant_staff(arguments).await,
        Command::SettleMerchant(arguments) => settle_merchant(arguments).await,
        Command::Import(arguments) => match arguments.run().await {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
        Command::CheckTakings(store) => match check_takings(store).await {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
        Command::Reconcile(arguments) => match reconcile(arguments).await {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::FAILURE,
            Err(error) => Err(error),
        },
    })
}

async fn run(arguments: Serve) -> Result<(), Error> {
    let policy = match arguments.behind_tls_proxy {
        true => ListenPolicy::BehindTlsProxy,
        false => ListenPolicy::LoopbackOnly,
    };
    policy.check(arguments.listen)?;
    let listener = listen(arguments.listen)?;
    let address = listener.local_addr()?;
    let how = match (address.ip().is_loopback(), arguments.behind_tls_proxy) {
        (true, false) => Strictness::Trial,
        _ => Strictness::Production,
    };
    let origin = how.or_trial(
        arguments.public_origin,
        "--public-origin",
        &format!("http://{address}"),
    )?;
    let enrolment = match arguments.open_terminal_enrolment {
        true => TerminalEnrolment::Open,
        false => TerminalEnrolment::CodeRequired,
    };
    let bank = match (&arguments.bank_url, &arguments.bank_root) {
        (Some(url), Some(root)) => Some(BankConfig::at(url, root)?),
        _ => None,
    };
    let mut config = Config {
        http: HttpLimits::from(&arguments.limits),
        cards: CardSystem::from(&arguments.cards),
        bank,
        utility: match &arguments.utility_url {
            Some(url) => Some(UtilityConfig::at(url)?),
            None => None,
        },
        ..arguments
            .store
            .config(PublicOrigin::parse(&origin)?, enrolment, how)?
    };
    if let Some(file) = &arguments.face_consent {
        config.faces.text = serde_json::from_slice(&std::fs::read(file)?)?;
    }
    let platform = Platform::open(config).await?;
    let stop = stop_signal()?;
    tracing::info!(%address, %origin, "listening");
    let driver = platform.clone();
    let driving = tokio::spawn(async move { driver.drive_operations().await });
    serve(listener, platform.router(), platform.http_limits(), stop).await;
    // What is half said to bank or utility is said again by the next server.
    driving.abort();
    platform.close().await;
    Ok(())
}

async fn terminal_code(store: Store) -> Result<(), Error> {
    let platform = store.open().await?;
    println!("{}", platform.admin().new_terminal_code().await?);
    platform.close().await;
    Ok(())
}

async fn statement(arguments: Statement) -> Result<(), Error> {
    // The grammar asks for one of them.
    let Some(of) = arguments.of.account() else {
        return Ok(());
    };
    let platform = arguments.store.open().await?;
    let to = arguments.to.as_ref().unwrap_or(&arguments.from);
    let statement = platform.admin().statement(&of, &arguments.from, to).await;
    platform.close().await;
    Ok(std::io::stdout().write_all(statement?.to_csv()?.as_bytes())?)
}

async fn merchant_staff(arguments: MerchantStaff) -> Result<(), Error> {
    let (merchant, holder) = (MerchantId(arguments.merchant), &arguments.holder);
    let platform = arguments.store.open().await?;
    let admin = platform.admin();
    let done = match arguments.role {
        StaffRole::Owner => admin.set_merchant_staff(merchant, holder, StallRole::Owner).await,
        StaffRole::Cashier => {
            admin
                .set_merchant_staff(merchant, holder, StallRole::Cashier)
                .await
        }
        StaffRole::None => admin.remove_merchant_staff(merchant, holder).await,
    };
    platform.close().await;
    done
}

async fn settle_merchant(arguments: SettleMerchant) -> Result<(), Error> {
    let platform = arguments.store.open().await?;
    let merchant = MerchantId(arguments.merchant);
    let settled = platform
        .admin()
        .settle_merchant(merchant, &arguments.through, &arguments.reference)
        .await;
    platform.close().await;
    println!("{}", serde_json::to_string(&settled?)?);
    Ok(())
}

/// Says whether the sums that are kept are those of what was booked.
async fn check_takings(store: Store) -> Result<bool, Error> {
    let platform = store.open().await?;
    let differences = platform.admin().check_takings().await;
    platform.close().await;
    let differences = differences?;
    for difference in &differences {
        println!(
            "merchant {}, {}: kept {}, booked {}",
            difference.merchant.0, difference.place, difference.kept, difference.booked
        );
    }
    Ok(differences.is_empty())
}

/// Says whether books and statement agree.
async fn reconcile(arguments: Reconcile) -> Result<bool, Error> {
    let statement: Vec<StatementRow> = serde_json::from_slice(&std::fs::read(&arguments.file)?)?;
    let platform = arguments.store.open().await?;
    let found = platform.admin().reconcile(&arguments.day, &statement).await;
    platform.close().await;
    let found = found?;
    println!(
        "{} rows agree, {} operations brought on, {} differences",
        found.agreed,
        found.resolved.len(),
        found.differences.len()
    );
    for difference in &found.differences {
        println!("{difference}");
    }
    Ok(found.differences.is_empty())
}
