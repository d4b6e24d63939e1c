//! The database: one pool that reads, one that writes, and the single place where anything is committed.
//!
//! Queries stand beside the features that need them, written with `$1` placeholders and only what SQLite and PostgreSQL
//! share. On SQLite there is one write connection and every write transaction begins `IMMEDIATE`, so that no two writers
//! meet half-way; `synchronous=FULL`, so that what was answered survives a power cut.

mod migrate;

use crate::config::DatabaseUrl;
use crate::error::{Error, Result};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyPool, AssertSqlSafe, Database as _, Row as _, Transaction};
use std::str::FromStr as _;
use std::time::Duration;
use uuid::Uuid;

/// A write transaction. Dropped without [`commit`], it never happened.
pub(crate) type Tx = Transaction<'static, Any>;

/// What a query can run on: the reading pool, or the connection of a transaction.
pub(crate) type Connection = sqlx::AnyConnection;

/// Reading connections kept open.
const READERS: u32 = 4;
/// How long a request waits for a connection before it is told that the server is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);

/// Rows of one statement.
pub(crate) const ROWS: usize = 500;

const WRITER_PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY;";
const READER_PRAGMAS: &str =
    "PRAGMA query_only = ON; PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY;";

/// The open database.
#[derive(Clone, Debug)]
pub(crate) struct Db {
    readers: AnyPool,
    writer: AnyPool,
}

impl Db {
    /// Opens the database, makes it where there is none, and brings its schema up to date.
    pub(crate) async fn open(url: &DatabaseUrl) -> Result<Self> {
        sqlx::any::install_default_drivers();
        if let Some(folder) = url.file().parent() {
            std::fs::create_dir_all(folder)?;
        }
        let options = AnyConnectOptions::from_str(&format!("sqlite://{}?mode=rwc", url.file().display()))?;
        let writer = pool(1, WRITER_PRAGMAS).connect_with(options.clone()).await?;
        migrate::run(&writer).await?;
        let readers = pool(READERS, READER_PRAGMAS).connect_with(options).await?;
        Ok(Self { readers, writer })
    }

    /// A connection that only reads.
    pub(crate) async fn read(&self) -> Result<sqlx::pool::PoolConnection<Any>> {
        Ok(self.readers.acquire().await?)
    }

    /// A transaction that only reads, all of it from one moment.
    pub(crate) async fn snapshot(&self) -> Result<Tx> {
        Ok(self.readers.begin().await?)
    }

    /// A transaction that writes. Waits until it is the only one.
    pub(crate) async fn write(&self) -> Result<Tx> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// Ends all connections, waiting for those in use.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Makes a write transaction durable. Everything that the platform ever promises passes here.
pub(crate) async fn commit(tx: Tx) -> Result<()> {
    Ok(yika_fault::commit!("platform.db", tx.commit().await)?)
}

fn pool(connections: u32, pragmas: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .after_connect(move |connection, _| {
            Box::pin(async move { sqlx::raw_sql(pragmas).execute(connection).await.map(|_| ()) })
        })
}

/// Takes `count` numbers off a counter and returns the first of them.
pub(crate) async fn take_numbers(tx: &mut Connection, counter: &'static str, count: i64) -> Result<i64> {
    let row = sqlx::query("UPDATE counter SET value = value + $2 WHERE name = $1 RETURNING value")
        .bind(counter)
        .bind(count)
        .fetch_one(tx)
        .await?;
    Ok(row.try_get::<i64, _>(0)? - count + 1)
}

/// `($1, $2), ($3, $4), …`: placeholders for `rows` rows of `columns` values, beginning after `first - 1` others.
///
/// On SQLite they are `(?, ?), …`: it looks a named parameter up among all names of its statement, one after the other,
/// which took most of the time of a batch. So where one placeholder of a statement is made here, all must be.
pub(crate) fn placeholders(db: &Connection, first: usize, rows: usize, columns: usize) -> String {
    if db.backend_name() == sqlx::Sqlite::NAME {
        vec![format!("({})", vec!["?"; columns].join(", ")); rows].join(", ")
    } else {
        numbered_placeholders(first, rows, columns)
    }
}

fn numbered_placeholders(first: usize, rows: usize, columns: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let separator = if column == 0 { "" } else { ", " };
            let _ = write!(text, "{separator}${}", first + row * columns + column);
        }
        text.push(')');
    }
    text
}

/// Marks a statement that was put together from constants and [`placeholders`] as free of foreign text.
pub(crate) fn assembled(statement: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(statement)
}

/// A stored blob of exactly `N` bytes.
pub(crate) fn bytes<const N: usize>(row: &AnyRow, column: &'static str) -> Result<[u8; N]> {
    let stored: Vec<u8> = row.try_get(column)?;
    let length = stored.len();
    stored.try_into().map_err(|_| Error::StoredValue {
        what: column,
        value: format!("{length} bytes instead of {N}"),
    })
}

/// A stored integer in the range of `T`.
pub(crate) fn int<T: TryFrom<i64>>(row: &AnyRow, column: &'static str) -> Result<T> {
    let stored: i64 = row.try_get(column)?;
    T::try_from(stored).map_err(|_| Error::StoredValue {
        what: column,
        value: stored.to_string(),
    })
}

/// A stored identifier.
pub(crate) fn uuid(row: &AnyRow, column: &'static str) -> Result<Uuid> {
    let text: String = row.try_get(column)?;
    Uuid::try_parse(&text).map_err(|_| Error::StoredValue {
        what: column,
        value: text,
    })
}

/// An enum whose values are stored as stable texts.
macro_rules! stored_enum {
    ($type:ty { $($variant:path = $text:literal),* $(,)? }) => {
        impl $crate::db::StoredEnum for $type {
            fn to_stored(self) -> &'static str {
                match self { $($variant => $text),* }
            }

            fn from_stored(text: &str) -> Option<Self> {
                match text { $($text => Some($variant),)* _ => None }
            }
        }
    };
}
pub(crate) use stored_enum;

/// An enum whose values are stored as stable texts.
pub(crate) trait StoredEnum: Sized {
    /// The text in the database.
    fn to_stored(self) -> &'static str;
    /// The value of a text, if there is one.
    fn from_stored(text: &str) -> Option<Self>;
}

/// A stored value of an enum.
pub(crate) fn variant<T: StoredEnum>(row: &AnyRow, column: &'static str) -> Result<T> {
    let text: String = row.try_get(column)?;
    T::from_stored(&text).ok_or(Error::StoredValue {
        what: column,
        value: text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn fresh() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&DatabaseUrl::sqlite_file(folder.path().join("yika.db")))
            .await
            .unwrap();
        (folder, db)
    }

    #[tokio::test]
    async fn a_transaction_that_is_dropped_never_happened() {
        let (_folder, db) = fresh().await;
        let mut tx = db.write().await.unwrap();
        assert_eq!(take_numbers(&mut tx, "terminal", 3).await.unwrap(), 1);
        drop(tx);
        let mut tx = db.write().await.unwrap();
        assert_eq!(take_numbers(&mut tx, "terminal", 3).await.unwrap(), 1);
        commit(tx).await.unwrap();
        let mut tx = db.write().await.unwrap();
        assert_eq!(take_numbers(&mut tx, "terminal", 1).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let (_folder, db) = fresh().await;
        let mut reader = db.read().await.unwrap();
        assert!(take_numbers(&mut reader, "terminal", 1).await.is_err());
    }

    #[tokio::test]
    async fn concurrent_writers_wait_for_each_other() {
        let (_folder, db) = fresh().await;
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    let mut tx = db.write().await.unwrap();
                    let number = take_numbers(&mut tx, "holder", 1).await.unwrap();
                    commit(tx).await.unwrap();
                    number
                })
            })
            .collect();
        let mut numbers = Vec::new();
        for task in tasks {
            numbers.push(task.await.unwrap());
        }
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).collect::<Vec<i64>>());
    }

    #[test]
    fn placeholders_count_on_from_where_they_begin() {
        assert_eq!(numbered_placeholders(1, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(numbered_placeholders(3, 1, 3), "($3, $4, $5)");
    }

    #[tokio::test]
    async fn sqlite_has_no_names_to_look_up() {
        let (_folder, db) = fresh().await;
        let reader = db.read().await.unwrap();
        assert_eq!(placeholders(&reader, 3, 2, 2), "(?, ?), (?, ?)");
    }
}
