//! Opening either database: what each connection is told before its first query.

use crate::config::{DatabaseUrl, PostgresUrl};
use crate::error::{Error, Result};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, ConnectOptions as _, Connection as _};
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

/// How long a request waits for a connection before it is told that the server is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);

/// Reading connections to SQLite. It has one that writes.
const SQLITE_READERS: u32 = 4;

/// 64 MiB of pages are kept, and as much may stand in the log before it is worked into the file: an upload of sales alone
/// changes a thousand pages all over it, at the usual size of the log a checkpoint each time.
const SQLITE_WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; \
     PRAGMA wal_autocheckpoint = 16384;";
const SQLITE_READER: &str =
    "PRAGMA query_only = ON; PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY;";

/// Connections of one server process to PostgreSQL, which allows a hundred of all its clients unless it is told otherwise.
const POSTGRES_WRITERS: u32 = 8;
const POSTGRES_READERS: u32 = 8;
const POSTGRES_NOTES: u32 = 4;

/// A server process that hangs or whose machine is gone must not keep the others waiting for its locks.
const POSTGRES_WRITER: &str = "SET lock_timeout = '20s'; SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '30s';";
const POSTGRES_READER: &str = "SET default_transaction_read_only = on; SET statement_timeout = '30s'; \
     SET idle_in_transaction_session_timeout = '30s';";

/// The connections to one database.
#[derive(Clone, Debug)]
pub(super) struct Pools {
    pub(super) readers: AnyPool,
    pub(super) writer: AnyPool,
    /// PostgreSQL alone: for statements that stand by themselves and must not wait behind writers.
    pub(super) notes: Option<AnyPool>,
}

impl Pools {
    /// Pools whose connections open when they are needed. Makes the file of SQLite where there is none.
    pub(super) fn new(url: &DatabaseUrl) -> Result<Self> {
        sqlx::any::install_default_drivers();
        match url {
            DatabaseUrl::Sqlite(file) => Self::sqlite(file),
            DatabaseUrl::Postgres(url) => Self::postgres(url),
        }
    }

    fn sqlite(file: &Path) -> Result<Self> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let options = AnyConnectOptions::from_str(&format!("sqlite://{}?mode=rwc", file.display()))?;
        Ok(Self {
            readers: pool(SQLITE_READERS, SQLITE_READER).connect_lazy_with(options.clone()),
            writer: pool(1, SQLITE_WRITER).connect_lazy_with(options),
            notes: None,
        })
    }

    fn postgres(url: &PostgresUrl) -> Result<Self> {
        let options = AnyConnectOptions::from_url(url.with_password())?;
        Ok(Self {
            readers: pool(POSTGRES_READERS, POSTGRES_READER).connect_lazy_with(options.clone()),
            writer: pool(POSTGRES_WRITERS, POSTGRES_WRITER).connect_lazy_with(options.clone()),
            notes: Some(pool(POSTGRES_NOTES, POSTGRES_WRITER).connect_lazy_with(options)),
        })
    }

    /// Refuses a database of PostgreSQL that would not keep every text as it is.
    pub(super) async fn check_encoding(&self) -> Result<()> {
        use sqlx::Row as _;
        if self.notes.is_none() {
            return Ok(());
        }
        let row = sqlx::query("SHOW server_encoding")
            .fetch_one(&self.readers)
            .await?;
        match row.try_get::<String, _>(0)?.as_str() {
            "UTF8" => Ok(()),
            other => Err(Error::Schema(format!(
                "its encoding is {other}; make it with UTF8"
            ))),
        }
    }

    /// Ends all connections, waiting for those in use.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        if let Some(notes) = &self.notes {
            notes.close().await;
        }
    }
}

fn pool(connections: u32, first: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A database that ends a transaction by itself, as SQLite does when the disk is full, leaves a connection that
        // still counts it: nothing could begin on it any more.
        .before_acquire(|connection, _| Box::pin(std::future::ready(Ok(!connection.is_in_transaction()))))
        .after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(first).execute(connection).await.map(|_| ()) })
        })
}
