//! Migrations: numbered, forward only, all that are missing in one transaction that also records them.
//!
//! Their texts differ where the databases' type names and triggers differ, so each database has a folder of its own with
//! the same numbers and names; the queries above them are shared (ADR 0003). A new migration is one file in each folder
//! and one row here.

use super::{Engine, IfEmpty};
use crate::error::{Error, Result};
use sqlx::{AnyPool, Connection as _, Row as _};

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
    migration!(4, "0004_wallet"),
    migration!(5, "0005_utilities"),
    migration!(6, "0006_disputes"),
    migration!(7, "0007_limits"),
    migration!(8, "0008_low_balance"),
    migration!(9, "0009_auto_top_up"),
    migration!(10, "0010_approvals"),
    migration!(11, "0011_faces"),
    migration!(12, "0012_suspensions"),
    migration!(14, "0014_merchants"),
    migration!(17, "0017_office"),
];

const LOG: &str = "CREATE TABLE IF NOT EXISTS schema_migration \
     (number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE)";

/// Servers that start on one PostgreSQL at once migrate one after the other. The number stands for nothing else there.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(7956010421)";

/// A migration may take longer than a query, and so may waiting for another server's. That the log is there already is
/// nothing to tell an operator at each start.
const POSTGRES_PATIENCE: &str = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
     SET LOCAL client_min_messages = warning";

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
pub(super) async fn run(engine: Engine, writer: &AnyPool, if_empty: IfEmpty) -> Result<()> {
    run_up_to(engine, writer, if_empty, MIGRATIONS).await
}

async fn run_up_to(
    engine: Engine,
    writer: &AnyPool,
    if_empty: IfEmpty,
    migrations: &[Migration],
) -> Result<()> {
    let mut connection = writer.acquire().await?;
    if engine == Engine::Sqlite {
        // Tables that are made again would take the rows that refer to them along.
        sqlx::raw_sql("PRAGMA foreign_keys = OFF")
            .execute(&mut *connection)
            .await?;
    }
    let mut tx = connection.begin_with(engine.begin_migration()).await?;
    if engine == Engine::Postgres {
        sqlx::raw_sql(POSTGRES_PATIENCE).execute(&mut *tx).await?;
        sqlx::raw_sql(POSTGRES_LOCK).execute(&mut *tx).await?;
    }
    sqlx::raw_sql(LOG).execute(&mut *tx).await?;
    let applied = sqlx::query("SELECT number, name FROM schema_migration ORDER BY number")
        .fetch_all(&mut *tx)
        .await?;
    if applied.is_empty() && if_empty == IfEmpty::Refuse {
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
    if engine == Engine::Sqlite {
        let dangling = sqlx::query("SELECT 1 FROM pragma_foreign_key_check")
            .fetch_optional(&mut *tx)
            .await?;
        if dangling.is_some() {
            return Err(Error::Schema("rows refer to rows that are not there".to_owned()));
        }
    }
    super::commit(tx).await?;
    if engine == Engine::Sqlite {
        sqlx::raw_sql("PRAGMA foreign_keys = ON")
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Tells the migrations of this version from those of others.
#[cfg(test)]
pub(crate) fn fingerprint() -> [u8; 32] {
    let texts: String = MIGRATIONS.iter().map(|migration| migration.postgres).collect();
    crate::random::sha256(texts.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::connect::Pools;
    use crate::db::{Db, transact};
    use crate::testing::TestDatabase;

    async fn open(database: &TestDatabase) -> Result<Db> {
        Db::open(&database.url, IfEmpty::Create).await
    }

    #[tokio::test]
    async fn a_database_of_a_newer_version_is_refused() {
        let database = TestDatabase::new().await;
        let db = open(&database).await.unwrap();
        let outcome: Result<()> = transact!(db.writer(), |tx| {
            sqlx::query("INSERT INTO schema_migration VALUES (99, '0099_future')")
                .execute(tx)
                .await?;
            Ok(())
        });
        outcome.unwrap();
        db.close().await;
        assert!(matches!(open(&database).await, Err(Error::Schema(why)) if why.contains("newer version")));
    }

    #[tokio::test]
    async fn an_empty_database_is_refused_by_who_expects_a_platform_in_it() {
        let database = TestDatabase::in_file();
        assert!(matches!(
            Db::open(&database.url, IfEmpty::Refuse).await,
            Err(Error::Schema(_))
        ));
        open(&database).await.unwrap().close().await;
        assert!(Db::open(&database.url, IfEmpty::Refuse).await.is_ok());
    }

    async fn apply_one_by_one(engine: Engine, database: &TestDatabase) {
        let pools = Pools::new(&database.url).unwrap();
        for last in 1..=MIGRATIONS.len() {
            run_up_to(engine, &pools.writer, IfEmpty::Create, &MIGRATIONS[..last])
                .await
                .unwrap();
        }
        pools.close().await;
        assert!(open(database).await.is_ok());
    }

    /// Whom the card office had frozen before there were reports: the row that says so now.
    async fn freeze_before(engine: Engine, database: &TestDatabase) {
        let pools = Pools::new(&database.url).unwrap();
        let up_to = async |last: usize| {
            run_up_to(engine, &pools.writer, IfEmpty::Create, &MIGRATIONS[..last])
                .await
                .unwrap();
        };
        up_to(11).await;
        for (id, status) in [(7, "frozen"), (8, "active")] {
            let insert = "INSERT INTO holder (id, subject, number, name, class, status, created_at) \
                 VALUES ($1, $2, $2, 'Student', 1, $3, 5)";
            sqlx::query(insert)
                .bind(i64::from(id))
                .bind(id.to_string())
                .bind(status)
                .execute(&pools.writer)
                .await
                .unwrap();
        }
        up_to(12).await;
        let rows = sqlx::query("SELECT id, holder, number, scope, by_whom, ended_at FROM suspension")
            .fetch_all(&pools.writer)
            .await
            .unwrap();
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        let text = |column| row.try_get::<String, _>(column).unwrap();
        assert_eq!((text("scope"), text("by_whom")), ("all".into(), "office".into()));
        assert_eq!(text("id"), "00000000-0000-8000-8000-000000000007");
        assert!(uuid::Uuid::try_parse(&text("id")).is_ok());
        let (holder, number): (i64, i64) = (row.try_get("holder").unwrap(), row.try_get("number").unwrap());
        assert_eq!((holder, number), (7, 7));
        let next = sqlx::query("SELECT value FROM counter WHERE name = 'suspension'")
            .fetch_one(&pools.writer)
            .await
            .unwrap();
        assert_eq!(
            next.try_get::<i64, _>("value").unwrap(),
            7,
            "no number is taken twice"
        );
        pools.close().await;
    }

    #[tokio::test]
    async fn a_card_that_was_frozen_before_there_were_reports_stays_frozen_by_the_office() {
        freeze_before(Engine::Sqlite, &TestDatabase::in_file()).await;
    }

    #[tokio::test]
    #[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
    async fn a_card_that_was_frozen_before_on_postgresql_stays_frozen_by_the_office() {
        freeze_before(Engine::Postgres, &TestDatabase::empty_on_postgres().await).await;
    }

    #[tokio::test]
    async fn each_migration_applies_to_the_schema_before_it() {
        apply_one_by_one(Engine::Sqlite, &TestDatabase::in_file()).await;
    }

    #[tokio::test]
    #[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
    async fn each_migration_of_postgresql_applies_to_the_schema_before_it() {
        apply_one_by_one(Engine::Postgres, &TestDatabase::empty_on_postgres().await).await;
    }

    #[tokio::test]
    #[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
    async fn servers_that_start_at_once_on_an_empty_database_migrate_it_once() {
        let database = TestDatabase::empty_on_postgres().await;
        let starts = (0..8).map(|_| open(&database));
        for opened in futures_util::future::join_all(starts).await {
            opened.unwrap().close().await;
        }
    }

    #[test]
    fn both_databases_have_the_same_migrations() {
        let folder = |name: &str| {
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("src/db/migrations")
                .join(name);
            let mut names: Vec<String> = std::fs::read_dir(path)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        let known: Vec<String> = MIGRATIONS
            .iter()
            .map(|migration| format!("{}.sql", migration.name))
            .collect();
        assert_eq!(folder("sqlite"), known);
        assert_eq!(folder("postgres"), known);
        assert!(MIGRATIONS.is_sorted_by_key(|migration| migration.number));
        for Migration { number, name, .. } in MIGRATIONS {
            assert!(name.starts_with(&format!("{number:04}_")), "{name}");
        }
    }
}
