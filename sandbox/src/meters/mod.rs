//! The sandbox's utilities: a whole adapter of `docs/utility-protocol.md` below `/sandbox/meters`, with rooms and network
//! accounts, and the faults that it plays on demand. One file keeps everything; each request is one transaction, so it may
//! be killed at any time.

mod credits;
mod faults;
mod routes;

use crate::clock::ShiftedClock;
use crate::database;
use crate::faults::Faults;
use crate::seed::meters::{opening, payable};
use axum::Router;
use faults::MeterFault;
use sqlx::{AssertSqlSafe, SqlitePool};
use std::path::Path;
use std::sync::Arc;

/// Why the meters do not work.
#[derive(Debug, thiserror::Error)]
pub enum MeterError {
    /// Their database.
    #[error("the meters' database: {0}")]
    Database(#[from] sqlx::Error),
    /// Something kept is not what was stored.
    #[error("the meters' database holds something else than was stored: {0}")]
    Stored(#[from] serde_json::Error),
}

/// The meters.
#[derive(Clone)]
pub(crate) struct Meters(Arc<Inner>);

struct Inner {
    db: SqlitePool,
    clock: Arc<ShiftedClock>,
    faults: Faults<MeterFault>,
}

impl Meters {
    /// Opens the file, and makes the meters that are missing.
    pub(crate) async fn open(file: &Path, clock: Arc<ShiftedClock>) -> Result<Self, MeterError> {
        let db = database::open(file).await?;
        let mut tx = db.begin().await?;
        sqlx::raw_sql(AssertSqlSafe(include_str!("schema.sql")))
            .execute(&mut *tx)
            .await?;
        for (provider, place) in payable() {
            sqlx::query(
                "INSERT INTO meters (provider, code, balance) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            )
            .bind(provider)
            .bind(&place.code)
            .bind(opening(provider, &place.code))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(Self(Arc::new(Inner {
            db,
            clock,
            faults: Faults::new(None),
        })))
    }

    /// The adapter's routes and the console's.
    pub(crate) fn routes(&self) -> Router {
        routes::routes(self.clone())
    }
}

#[cfg(test)]
mod tests;
