//! Migrations: numbered, forward only, all that are missing in one transaction that also records them.
//!
//! Their texts differ where the databases' type names and triggers differ, so each database has a folder of its own with
//! the same numbers and names; the queries above them are shared (ADR 0003). A new migration is one file in each folder
//! and one row here.

use super::Engine;
use crate::error::{Error, Result};
use sqlx::{AnyPool, Row as _};

/// A migration in both texts.
struct Migration {
    number: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! migration {
    ($number:literal, $name:literal) => {
        Migration {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("migrations/postgres/", $name, ".sql")),
        }
    };
}

const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_schema"),
    migration!(2, "0002_append_only"),
    migration!(3, "0003_directories"),
];

const LOG: &str = "CREATE TABLE IF NOT EXISTS schema_migration \
     (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE)";

/// Servers that start on one PostgreSQL at once migrate one after the other. The number stands for nothing else there.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(7956010421)";

impl Engine {
    fn begin_migration(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            // Each statement sees what was committed before it: after the lock, all that others have migrated.
            Self::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        }
    }

    fn text(self, migration: &Migration) -> &'static str {
        match self {
            Self::Sqlite => migration.sqlite,
            Self::Postgres => migration.postgres,
        }
    }
}

/// The refusal of a database without a schema, where one was expected.
pub(super) fn nothing_there() -> Error {
    Error::Schema("there is nothing in it yet; start the server first".to_owned())
}

/// Brings the schema up to date. Refuses a database that a newer version, or a hand, has changed.
pub(super) async fn run(engine: Engine, writer: &AnyPool, if_empty: super::IfEmpty) -> Result<()> {
    run_up_to(engine, writer, if_empty, MIGRATIONS).await
}

async fn run_up_to(
    engine: Engine,
    writer: &AnyPool,
    if_empty: super::IfEmpty,
    migrations: &[Migration],
) -> Result<()> {
    let mut tx = writer.begin_with(engine.begin_migration()).await?;
    if engine == Engine::Postgres {
        // A migration may take longer than a query, and so may waiting for another server's.
        sqlx::raw_sql("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
            .execute(&mut *tx)
            .await?;
        sqlx::raw_sql(POSTGRES_LOCK).execute(&mut *tx).await?;
    }
    sqlx::raw_sql(LOG).execute(&mut *tx).await?;
    let applied = sqlx::query("SELECT number, name FROM schema_migration ORDER BY number")
        .fetch_all(&mut *tx)
        .await?;
    if applied.is_empty() && if_empty == super::IfEmpty::Refuse {
        return Err(nothing_there());
    }
    for (index, row) in applied.iter().enumerate() {
        let (number, name): (i64, String) = (row.try_get("number")?, row.try_get("name")?);
        match migrations.get(index) {
            Some(known) if known.number == number && known.name == name => {}
            Some(_) => {
                return Err(Error::Schema(format!(
                    "migration {number} {name:?} is not the one of this version"
                )));
            }
            None => {
                return Err(Error::Schema(format!(
                    "it was made by a newer version (migration {number} {name:?})"
                )));
            }
        }
    }
    for migration in &migrations[applied.len()..] {
        sqlx::raw_sql(engine.text(migration)).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO schema_migration (number, name) VALUES ($1, $2)")
            .bind(migration.number)
            .bind(migration.name)
            .execute(&mut *tx)
            .await?;
    }
    super::commit(tx).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DatabaseUrl;
    use crate::db::Db;

    async fn open(folder: &tempfile::TempDir) -> Result<Db> {
        Db::open(&DatabaseUrl::sqlite_file(folder.path().join("yika.db"))).await
    }

    #[tokio::test]
    async fn a_database_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder).await.unwrap();
        let mut tx = db.write().await.unwrap();
        sqlx::query("INSERT INTO schema_migration VALUES (99, '0099_future')")
            .execute(&mut *tx)
            .await
            .unwrap();
        crate::db::commit(tx).await.unwrap();
        db.close().await;
        assert!(matches!(open(&folder).await, Err(Error::Schema(why)) if why.contains("newer version")));
    }

    #[tokio::test]
    async fn each_migration_applies_to_the_schema_before_it() {
        let folder = tempfile::tempdir().unwrap();
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("yika.db").display());
        let pool = sqlx::any::AnyPoolOptions::new()
            .max_connections(1)
            .connect(&url)
            .await
            .unwrap();
        for last in 1..=MIGRATIONS.len() {
            run_up_to(&pool, &MIGRATIONS[..last]).await.unwrap();
        }
        pool.close().await;
        assert!(open(&folder).await.is_ok());
    }
}
