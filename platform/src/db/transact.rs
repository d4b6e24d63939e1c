//! Write transactions: run whole, and run whole again where another writer was in the way.
//!
//! On SQLite there is one writer at a time, and nothing to run again. On PostgreSQL transactions are `SERIALIZABLE` and
//! run beside each other; one that PostgreSQL ends because another came between is run again from its beginning. For
//! that it waits until all others have ended and keeps new ones out, so the second time nothing can come between: each
//! waits in PostgreSQL's queue for its turn, and none is put off for ever (ADR 0013).

use super::{Db, Engine, Tx, commit};
use crate::error::{Error, Result};
use sqlx::AnyPool;

/// How often a transaction is begun in all. Whoever writes past the gate, by hand say, can spoil any one of them.
const ATTEMPTS: u32 = 5;

/// SQLSTATEs with which PostgreSQL ends a transaction that may well succeed when it is run again: a serialisation
/// failure, a deadlock, and a key that another transaction inserted unseen.
const CONFLICTS: [&str; 3] = ["40001", "40P01", "23505"];

const BEGIN_SQLITE: &str = "BEGIN IMMEDIATE";
const BEGIN_POSTGRES: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";

/// How a write transaction passes the gate, the table `write_gate` of PostgreSQL.
///
/// `LOCK TABLE` takes no snapshot: what the transaction sees is what had been committed when it was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// Beside others.
    Shared,
    /// When all others have ended.
    Alone,
}

impl Pass {
    fn lock(self) -> &'static str {
        match self {
            Self::Shared => "LOCK TABLE write_gate IN ROW SHARE MODE",
            Self::Alone => "LOCK TABLE write_gate IN EXCLUSIVE MODE",
        }
    }
}

/// An error with which a transaction can end.
pub(crate) trait TransactionError: From<Error> {
    /// What the database said, where it was the database.
    fn database_error(&self) -> Option<&sqlx::Error>;
}

impl TransactionError for Error {
    fn database_error(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Database(error) => Some(error),
            _ => None,
        }
    }
}

/// Does what it is given in one write transaction and commits it, unless that fails: `transact!(db.writer(), |tx| { … })`.
///
/// The block ends with a `Result` and may end early by `?` or `return`. Where another writer came between, everything is
/// rolled back and the block runs again, so it must have no effect but through `tx`. (A macro, because the future of a
/// generic function over an async closure is not known to be `Send`.)
macro_rules! transact {
    ($writer:expr, |$tx:ident| $work:block) => {{
        let mut writer = $writer;
        loop {
            let mut transaction = match writer.begin().await {
                Ok(transaction) => transaction,
                Err(error) => break Err(error.into()),
            };
            let $tx: &mut $crate::db::Connection = &mut transaction;
            let outcome = async { $work }.await;
            if let Some(outcome) = writer.end(transaction, outcome).await {
                break outcome;
            }
        }
    }};
}
pub(crate) use transact;

/// Begins and ends the attempts at one write transaction.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    db: &'a Db,
    pass: Pass,
    attempts: u32,
}

impl Db {
    /// What [`transact!`] writes with.
    pub(crate) fn writer(&self) -> Writer<'_> {
        Writer {
            db: self,
            pass: Pass::Shared,
            attempts: 0,
        }
    }

    /// The same while no other transaction runs, for work that makes files too.
    pub(crate) fn lone_writer(&self) -> Writer<'_> {
        Writer {
            pass: Pass::Alone,
            ..self.writer()
        }
    }
}

impl Writer<'_> {
    /// Begins the next attempt.
    pub(crate) async fn begin(&mut self) -> Result<Tx> {
        self.attempts += 1;
        match self.db.engine {
            Engine::Sqlite => Ok(self.db.pools.writer.begin_with(BEGIN_SQLITE).await?),
            Engine::Postgres => {
                let mut tx = begin_whole(&self.db.pools.writer, BEGIN_POSTGRES).await?;
                sqlx::query(self.pass.lock()).execute(&mut *tx).await?;
                Ok(tx)
            }
        }
    }

    /// Ends an attempt: commits what went well, rolls back what did not. `None` where there is to be another.
    pub(crate) async fn end<T, E: TransactionError>(
        &mut self,
        tx: Tx,
        outcome: Result<T, E>,
    ) -> Option<Result<T, E>> {
        let error = match outcome {
            Ok(done) => match commit(tx).await {
                Ok(()) => return Some(Ok(done)),
                Err(error) => E::from(error),
            },
            Err(error) => {
                // A connection that cannot roll back is closed, which does the same.
                let _ = tx.rollback().await;
                error
            }
        };
        if self.attempts >= ATTEMPTS || !self.is_conflict(&error) {
            return Some(Err(error));
        }
        tracing::debug!(attempts = self.attempts, "another writer came between; once more");
        self.pass = Pass::Alone;
        None
    }

    fn is_conflict(&self, error: &impl TransactionError) -> bool {
        self.db.engine == Engine::Postgres
            && error
                .database_error()
                .and_then(sqlx::Error::as_database_error)
                .and_then(|error| error.code())
                .is_some_and(|code| CONFLICTS.contains(&code.as_ref()))
    }
}

/// Begins a transaction of PostgreSQL to the end, even where its request goes away meanwhile: a connection that went
/// back to its pool in between would have a transaction open that nobody knows of.
pub(super) async fn begin_whole(pool: &AnyPool, statement: &'static str) -> Result<Tx> {
    let pool = pool.clone();
    Ok(tokio::spawn(async move { pool.begin_with(statement).await }).await??)
}
