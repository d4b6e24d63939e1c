//! Where a platform keeps its books: each bench of it runs on a file of SQLite and, where there is a server, on PostgreSQL.
//! Beside them the bare reference, which keeps the same bytes in the same kind of database and does nothing else.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use url::Url;
use yika_platform::DatabaseUrl;

use crate::Result;

/// A database for a platform.
#[derive(Clone, Debug)]
pub(crate) enum Books {
    /// A file of SQLite.
    File(PathBuf),
    /// A database of a PostgreSQL server.
    Server(Url),
}

impl Books {
    /// A file in this folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self::File(folder.join("platform.db"))
    }

    /// A new database of this server. It stays: the server was started for this run.
    pub(crate) fn on_server(server: &Url, name: &str) -> Result<Self> {
        Runtime::new()?.block_on(async {
            let mut connection = PgConnection::connect(server.as_str()).await?;
            sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
                .execute(&mut connection)
                .await?;
            connection.close().await
        })?;
        let mut url = server.clone();
        url.set_path(name);
        Ok(Self::Server(url))
    }

    /// What the platform opens.
    pub(crate) fn database(&self) -> Result<DatabaseUrl> {
        Ok(match self {
            Self::File(file) => DatabaseUrl::sqlite_file(file),
            Self::Server(url) => DatabaseUrl::parse(url.as_str())?,
        })
    }

    /// What a driver of either kind opens.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(file) => format!("sqlite://{}", file.display()),
            Self::Server(url) => url.to_string(),
        }
    }

    /// The reference, called `name`, beside the platform's tables.
    pub(crate) fn bare_inserts(&self, name: &str) -> Result<BareInserts> {
        match self {
            Self::File(file) => BareInserts::in_file(&file.with_file_name(format!("{name}.db"))),
            Self::Server(url) => BareInserts::on_server(url, name),
        }
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(_) => "SQLite",
            Self::Server(_) => "PostgreSQL",
        })
    }
}

/// Bytes under two numbers.
pub(crate) type Row = (i64, i64, Vec<u8>);

/// What one client has committed: the rows of a transaction, and then those of the next.
pub(crate) type Queue = Vec<Vec<Row>>;

/// A table with bytes and nothing else, as durable as the platform's.
pub(crate) enum BareInserts {
    File(Connection),
    Server {
        runtime: Runtime,
        pool: PgPool,
        statement: String,
    },
}

impl BareInserts {
    fn in_file(file: &Path) -> Result<Self> {
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.execute_batch(
            "CREATE TABLE bare (first INTEGER, second INTEGER, bytes BLOB, PRIMARY KEY (first, second)) WITHOUT ROWID",
        )?;
        Ok(Self::File(connection))
    }

    fn on_server(url: &Url, name: &str) -> Result<Self> {
        let runtime = Runtime::new()?;
        let pool = runtime.block_on(async {
            let pool = PgPoolOptions::new().connect(url.as_str()).await?;
            let table = format!(
                "CREATE TABLE {name} (first BIGINT, second BIGINT, bytes BYTEA, PRIMARY KEY (first, second))"
            );
            sqlx::raw_sql(AssertSqlSafe(table)).execute(&pool).await?;
            Result::Ok(pool)
        })?;
        let statement =
            format!("INSERT INTO {name} SELECT * FROM UNNEST($1::BIGINT[], $2::BIGINT[], $3::BYTEA[])");
        Ok(Self::Server {
            runtime,
            pool,
            statement,
        })
    }

    /// Commits everything and answers how long that took: on a server all clients at once, in a file, which takes one
    /// writer at a time, one after the other.
    pub(crate) fn insert(&mut self, queues: Vec<Queue>) -> Result<Duration> {
        match self {
            Self::File(connection) => {
                let started = Instant::now();
                for rows in queues.iter().flatten() {
                    insert_into_file(connection, rows)?;
                }
                Ok(started.elapsed())
            }
            Self::Server {
                runtime,
                pool,
                statement,
            } => runtime.block_on(insert_on_server(pool, statement, queues)),
        }
    }
}

fn insert_into_file(connection: &mut Connection, rows: &[Row]) -> Result<()> {
    let transaction = connection.transaction()?;
    let mut insert = transaction.prepare_cached("INSERT INTO bare VALUES (?1, ?2, ?3)")?;
    for (first, second, bytes) in rows {
        insert.execute(params![first, second, bytes])?;
    }
    drop(insert);
    Ok(transaction.commit()?)
}

/// A client has a connection, and a transaction is one statement: nothing that inserts these rows asks the server less.
async fn insert_on_server(pool: &PgPool, statement: &str, queues: Vec<Queue>) -> Result<Duration> {
    let mut clients = Vec::new();
    for queue in queues {
        clients.push((pool.acquire().await?, queue));
    }
    let started = Instant::now();
    let mut working = JoinSet::new();
    for (mut connection, queue) in clients {
        let statement = statement.to_owned();
        working.spawn(async move {
            for rows in queue {
                let (mut first, mut second, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
                for row in rows {
                    first.push(row.0);
                    second.push(row.1);
                    bytes.push(row.2);
                }
                sqlx::query(AssertSqlSafe(statement.as_str()))
                    .bind(first)
                    .bind(second)
                    .bind(bytes)
                    .execute(&mut *connection)
                    .await?;
            }
            sqlx::Result::Ok(())
        });
    }
    working
        .join_all()
        .await
        .into_iter()
        .collect::<sqlx::Result<()>>()?;
    Ok(started.elapsed())
}
