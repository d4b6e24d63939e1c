//! A PostgreSQL server for one run of tests or benches: a cluster of its own in a new directory, on a free loopback port, stopped
//! and removed when the run ends however it ends. Whatever other server the machine has is not touched.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::process;
use crate::tools;
use crate::workspace::Workspace;

/// The account that may do everything on the server.
const USER: &str = "yika";
/// Not a secret: whoever reads it here would have to reach the port too, on this machine, while a test runs.
const PASSWORD: &str = "for-tests";
/// How long the server may take to accept connections.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the server until standard input ends, which it does with this process even where that is killed; then stops it
/// and removes its directory. `$1` are its programs, `$2` its directory, `$3` its port, `$4` whether it flushes.
const KEEPER: &str = r#"
trap '' HUP INT TERM
"$1/postgres" -D "$2/data" -c listen_addresses=127.0.0.1 -c port="$3" -c unix_socket_directories="$2" \
    -c max_connections=500 -c fsync="$4" >"$2/log" 2>&1 &
read -r _
kill -INT $!
wait $!
rm -rf "$2"
"#;

/// Whether what is committed is flushed to the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Durability {
    /// As in production, for what is measured.
    Full,
    /// Nothing survives a run of tests: making and dropping a database for each is then a matter of milliseconds.
    None,
}

/// A running server.
pub(crate) struct PostgresServer {
    port: u16,
    keeper: Child,
}

/// Where a server is going to be, and who may start it.
struct Site<'a> {
    workspace: &'a Workspace,
    programs: PathBuf,
    /// PostgreSQL refuses to run as root: then it is started as the user `postgres`.
    is_root: bool,
    directory: PathBuf,
    port: u16,
}

impl PostgresServer {
    /// Makes a cluster and starts it. Its directory is not below the checkout, which the user `postgres` may not be allowed
    /// to enter.
    pub(crate) fn start(workspace: &Workspace, durability: Durability) -> Result<Self, Error> {
        let programs = tools::postgres_programs(workspace)
            .ok_or_else(|| Error::Usage("there is no PostgreSQL server here".to_owned()))?;
        let site = Site {
            workspace,
            programs,
            is_root: tools::is_root(workspace)?,
            directory: std::env::temp_dir().join(format!("yika-postgres-{}", std::process::id())),
            port: free_port()?,
        };
        site.make_cluster()?;
        let server = Self {
            port: site.port,
            keeper: site.start(durability)?,
        };
        site.wait_until_ready()?;
        Ok(server)
    }

    /// The URL of its database for housekeeping.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        if let Err(error) = self.keeper.wait() {
            eprintln!("error: PostgreSQL did not stop: {error}");
        }
    }
}

impl Site<'_> {
    fn make_cluster(&self) -> Result<(), Error> {
        let password = self.directory.join("password");
        make_directory(&self.directory)?;
        fs::write(&password, PASSWORD).map_err(|source| Error::File {
            path: password.clone(),
            source,
        })?;
        if self.is_root {
            process::run(
                self.workspace
                    .command("chown")
                    .args(["--recursive", "postgres"])
                    .arg(&self.directory),
            )?;
        }
        process::run(
            self.as_owner(self.programs.join("initdb"))
                .args(["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"])
                .args(["--username", USER, "--pwfile"])
                .arg(&password)
                .arg("--pgdata")
                .arg(self.data()),
        )
    }

    fn start(&self, durability: Durability) -> Result<Child, Error> {
        let mut command = self.as_owner("sh");
        command
            .args(["-c", KEEPER, "sh"])
            .args([&self.programs, &self.directory])
            .arg(self.port.to_string())
            .arg(match durability {
                Durability::Full => "on",
                Durability::None => "off",
            })
            .stdin(Stdio::piped());
        command.spawn().map_err(|source| Error::Start {
            program: "postgres".to_owned(),
            source,
        })
    }

    fn wait_until_ready(&self) -> Result<(), Error> {
        let (started, pid_file) = (Instant::now(), self.data().join("postmaster.pid"));
        // The eighth line of this file is the server's word for how far it is: what `pg_ctl --wait` reads too.
        let is_ready = || {
            let text = fs::read_to_string(&pid_file).unwrap_or_default();
            text.lines().nth(7).is_some_and(|status| status.trim() == "ready")
        };
        while !is_ready() {
            if started.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                eprintln!("{log}");
                return Err(Error::Steps(vec!["starting PostgreSQL".to_owned()]));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// A program as the user who owns the cluster.
    fn as_owner(&self, program: impl AsRef<OsStr>) -> Command {
        if !self.is_root {
            return self.workspace.command(program);
        }
        let mut command = self.workspace.command("runuser");
        command.args(["--user", "postgres", "--"]).arg(program.as_ref());
        // From a directory that this user may enter.
        command.current_dir(&self.directory);
        command
    }
}

fn make_directory(path: &Path) -> Result<(), Error> {
    fs::create_dir(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

/// A port that nobody listens on at this moment.
fn free_port() -> Result<u16, Error> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    port.map(|address| address.port()).map_err(|source| Error::File {
        path: "127.0.0.1".into(),
        source,
    })
}
