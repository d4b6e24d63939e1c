//! A database for one test: a file of SQLite, or, where `YIKA_TEST_POSTGRES` names a PostgreSQL server, a database there.
//!
//! `postgres://user@host:port/postgres` must be allowed to make databases. Each test's is copied from a template, which
//! the first test makes, and dropped with its platform.

use crate::config::DatabaseUrl;
use crate::db::{Db, IfEmpty, migrations_fingerprint};
use crate::random::random_bytes;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};

/// Names the server to test on.
const VARIABLE: &str = "YIKA_TEST_POSTGRES";

/// A database with an up-to-date schema and nothing in it.
pub(crate) struct TestDatabase {
    pub(crate) url: DatabaseUrl,
    home: Home,
}

enum Home {
    /// Goes with its file.
    Folder(#[expect(dead_code, reason = "kept until the test ends")] tempfile::TempDir),
    Server {
        server: String,
        name: String,
    },
}

impl TestDatabase {
    pub(crate) async fn new() -> Self {
        match std::env::var(VARIABLE) {
            Ok(server) => Self::on(&server).await,
            Err(_) => Self::in_file(),
        }
    }

    /// On PostgreSQL, for tests that are about nothing else.
    pub(crate) async fn on_postgres() -> Self {
        let server = std::env::var(VARIABLE).unwrap_or_else(|_| {
            panic!("{VARIABLE} must name a server, like postgres://user@127.0.0.1/postgres")
        });
        Self::on(&server).await
    }

    /// On SQLite, for tests that are about nothing else.
    pub(crate) fn in_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            url: DatabaseUrl::sqlite_file(folder.path().join("yika.db")),
            home: Home::Folder(folder),
        }
    }

    async fn on(server: &str) -> Self {
        let template = template(server).await;
        let name = format!("yika_test_{}", hex(&random_bytes::<8>().unwrap()));
        run(server, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self {
            url: database(server, &name),
            home: Home::Server {
                server: server.to_owned(),
                name,
            },
        }
    }

    /// An empty database beside the others, without a schema.
    pub(crate) async fn empty_on_postgres() -> Self {
        let mut copy = Self::on_postgres().await;
        if let Home::Server { server, name } = &mut copy.home {
            run(server, format!("DROP DATABASE {name}")).await;
            run(server, format!("CREATE DATABASE {name}")).await;
        }
        copy
    }

    pub(crate) async fn open(&self) -> Db {
        Db::open(&self.url, IfEmpty::Create).await.unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Home::Server { server, name } = &self.home else {
            return;
        };
        let (server, name) = (server.clone(), name.clone());
        // A test's runtime cannot be waited on from inside it; a thread can.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(run(&server, format!("DROP DATABASE {name} WITH (FORCE)")));
        });
        let dropped = dropping.join();
        assert!(dropped.is_ok() || std::thread::panicking(), "the database stays");
    }
}

async fn connect(server: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(server).await.unwrap()
}

async fn run(server: &str, statement: String) {
    let mut connection = connect(server).await;
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// The URL of a database of a server.
fn database(server: &str, name: &str) -> DatabaseUrl {
    let mut url = url::Url::parse(server).unwrap();
    url.set_path(name);
    DatabaseUrl::parse(url.as_str()).unwrap()
}

/// The name of the database that all tests copy. Made where it is missing, by one test while the others wait.
async fn template(server: &str) -> String {
    let name = format!("yika_template_{}", hex(&migrations_fingerprint()[..8]));
    let mut connection = connect(server).await;
    sqlx::raw_sql("SELECT pg_advisory_lock(1)")
        .execute(&mut connection)
        .await
        .unwrap();
    let known = sqlx::query("SELECT COUNT(*) FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    if known.get::<i64, _>(0) == 0 {
        let unfinished = format!("unfinished_{name}");
        run(
            server,
            format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"),
        )
        .await;
        run(server, format!("CREATE DATABASE {unfinished}")).await;
        let db = Db::open(&database(server, &unfinished), IfEmpty::Create)
            .await
            .unwrap();
        db.close().await;
        run(server, format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await;
        run(
            server,
            format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"),
        )
        .await;
    }
    connection.close().await.unwrap();
    name
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
