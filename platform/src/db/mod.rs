//! The database: SQLite in a file or PostgreSQL, one set of queries, and the single place where anything is committed.
//!
//! Queries stand beside the features that need them, written with `$1` placeholders and only what SQLite and PostgreSQL
//! share. What differs is here: how each is opened (`connect`), what makes its schema (`migrate`), how a transaction
//! writes (`transact`). What was answered survives a power cut on both.

mod connect;
mod migrate;
mod transact;

#[cfg(test)]
pub(crate) use migrate::fingerprint as migrations_fingerprint;
pub(crate) use transact::{TransactionError, transact};

use crate::config::DatabaseUrl;
use crate::error::{Error, Result};
use connect::Pools;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyPool, AssertSqlSafe, Database as _, Row as _, Transaction};
use uuid::Uuid;

/// A transaction. Dropped without [`commit`], it never happened.
type Tx = Transaction<'static, Any>;

/// What a query runs on: a connection that only reads, or one within a write transaction.
pub(crate) type Connection = sqlx::AnyConnection;

/// Numbers of a block, where PostgreSQL gives out blocks.
const BLOCK: i64 = 10_000;

/// Rows of one statement.
pub(crate) const ROWS: usize = 500;

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// What to do about a database that has no schema yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfEmpty {
    /// Make it.
    Create,
    /// Refuse it: whoever asks expects a platform there.
    Refuse,
}

/// The open database.
#[derive(Clone, Debug)]
pub(crate) struct Db {
    engine: Engine,
    pools: Pools,
}

impl Db {
    /// Opens the database and brings its schema up to date.
    pub(crate) async fn open(url: &DatabaseUrl, if_empty: IfEmpty) -> Result<Self> {
        let engine = match url {
            DatabaseUrl::Sqlite(file) if if_empty == IfEmpty::Refuse && !file.exists() => {
                return Err(migrate::nothing_there());
            }
            DatabaseUrl::Sqlite(_) => Engine::Sqlite,
            DatabaseUrl::Postgres(_) => Engine::Postgres,
        };
        let pools = Pools::new(url)?;
        pools.check_encoding().await?;
        migrate::run(engine, &pools.writer, if_empty).await?;
        Ok(Self { engine, pools })
    }

    /// A connection that only reads.
    pub(crate) async fn read(&self) -> Result<sqlx::pool::PoolConnection<Any>> {
        Ok(self.pools.readers.acquire().await?)
    }

    /// A transaction that only reads, all of it from one moment.
    pub(crate) async fn snapshot(&self) -> Result<Transaction<'static, Any>> {
        match self.engine {
            Engine::Sqlite => Ok(self.pools.readers.begin().await?),
            Engine::Postgres => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                transact::begin_whole(&self.pools.readers, begin).await
            }
        }
    }

    /// Where servers that share this database leave each other notes: single statements outside of transactions, kept
    /// as long as the database runs. Nothing where no other server can share it.
    pub(crate) fn notes(&self) -> Option<&AnyPool> {
        self.pools.notes.as_ref()
    }

    /// Ends all connections, waiting for those in use.
    pub(crate) async fn close(&self) {
        self.pools.close().await;
    }
}

/// SQLSTATEs with which PostgreSQL says that it has too much to do, or is about to stop: a lock or a statement that took
/// too long, a transaction that conflicts again and again, no connection left, starting or stopping.
const BUSY: [&str; 6] = ["55P03", "57014", "40001", "53300", "57P01", "57P03"];

/// Whether the same request may well succeed a little later: the database is busy, or away for a moment.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| BUSY.contains(&code.as_ref())),
        _ => false,
    }
}

/// Makes a write transaction durable. Everything that the platform ever promises passes here.
async fn commit(tx: Transaction<'_, Any>) -> Result<()> {
    Ok(yika_fault::commit!("platform.db", tx.commit().await)?)
}

/// Takes `count` numbers off a counter and returns the first of them.
///
/// On PostgreSQL the numbers of ledger transactions come in blocks off a sequence, which leaves gaps: all settlements take
/// some, and a counter's row would let only one of them run at a time.
pub(crate) async fn take_numbers(tx: &mut Connection, counter: &'static str, count: i64) -> Result<i64> {
    if counter == "ledger_transaction" && tx.backend_name() == "PostgreSQL" {
        if count > BLOCK {
            return Err(Error::StoredValue {
                what: counter,
                value: format!("{count} numbers at once"),
            });
        }
        let row = sqlx::query("SELECT nextval('ledger_transaction_block')")
            .fetch_one(tx)
            .await?;
        return Ok(row.try_get::<i64, _>(0)? * BLOCK);
    }
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
    parse_uuid(row.try_get(column)?, column)
}

/// A stored identifier, where there is one.
pub(crate) fn optional_uuid(row: &AnyRow, column: &'static str) -> Result<Option<Uuid>> {
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| parse_uuid(text, column)).transpose()
}

fn parse_uuid(text: String, column: &'static str) -> Result<Uuid> {
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
    use crate::testing::TestDatabase;

    async fn take(db: &Db, counter: &'static str, count: i64) -> Result<i64> {
        transact!(db.writer(), |tx| { take_numbers(tx, counter, count).await })
    }

    #[tokio::test]
    async fn a_transaction_that_fails_or_is_dropped_never_happened() {
        let database = TestDatabase::new().await;
        let db = database.open().await;
        let mut tx = db.writer().begin().await.unwrap();
        assert_eq!(take_numbers(&mut tx, "terminal", 3).await.unwrap(), 1);
        drop(tx);
        let failed: Result<()> = transact!(db.writer(), |tx| {
            assert_eq!(take_numbers(tx, "terminal", 3).await?, 1);
            Err(Error::Unbalanced)
        });
        assert!(matches!(failed, Err(Error::Unbalanced)));
        assert_eq!(take(&db, "terminal", 3).await.unwrap(), 1);
        assert_eq!(take(&db, "terminal", 1).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn a_transaction_that_the_database_has_ended_by_itself_does_not_stop_the_next() {
        let database = TestDatabase::new().await;
        let db = database.open().await;
        let mut tx = db.writer().begin().await.unwrap();
        sqlx::raw_sql("ROLLBACK").execute(&mut *tx).await.unwrap();
        // SQLite refuses to commit what is over, PostgreSQL lets it pass; the next one begins on both.
        let _ = commit(tx).await;
        assert_eq!(take(&db, "terminal", 1).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn readers_cannot_write() {
        let database = TestDatabase::new().await;
        let db = database.open().await;
        let mut reader = db.read().await.unwrap();
        assert!(take_numbers(&mut reader, "terminal", 1).await.is_err());
    }

    #[tokio::test]
    async fn a_snapshot_does_not_see_what_is_written_after_it() {
        let database = TestDatabase::new().await;
        let db = database.open().await;
        let value = async |connection: &mut Connection| {
            let row = sqlx::query("SELECT value FROM counter WHERE name = 'terminal'")
                .fetch_one(connection)
                .await
                .unwrap();
            row.get::<i64, _>(0)
        };
        let mut snapshot = db.snapshot().await.unwrap();
        assert_eq!(value(&mut snapshot).await, 0);
        take(&db, "terminal", 5).await.unwrap();
        assert_eq!(value(&mut snapshot).await, 0);
        assert_eq!(value(&mut db.read().await.unwrap()).await, 5);
    }

    #[tokio::test]
    async fn concurrent_writers_wait_for_each_other() {
        let database = TestDatabase::new().await;
        let db = database.open().await;
        let writers = (0..20).map(|_| take(&db, "holder", 1));
        let mut numbers: Vec<_> = futures_util::future::join_all(writers)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=20).collect::<Vec<i64>>());
    }

    #[tokio::test]
    async fn ledger_transactions_of_two_bookings_share_no_number() {
        let database = TestDatabase::new().await;
        let db = database.open().await;
        let first = take(&db, "ledger_transaction", 500).await.unwrap();
        assert!(take(&db, "ledger_transaction", 500).await.unwrap() >= first + 500);
    }

    #[test]
    fn placeholders_count_on_from_where_they_begin() {
        assert_eq!(numbered_placeholders(1, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(numbered_placeholders(3, 1, 3), "($3, $4, $5)");
    }

    #[tokio::test]
    async fn sqlite_has_no_names_to_look_up() {
        let database = TestDatabase::new().await;
        let db = database.open().await;
        let reader = db.read().await.unwrap();
        let expected = match db.engine {
            Engine::Sqlite => "(?, ?), (?, ?)",
            Engine::Postgres => "($3, $4), ($5, $6)",
        };
        assert_eq!(placeholders(&reader, 3, 2, 2), expected);
    }
}
