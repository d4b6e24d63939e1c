//! One effect for an operation, however often its request is sent.
//!
//! The reply is stored in the transaction that has the effect. The next request under the same key, in the same scope,
//! gets that reply; with other content it is refused. Concurrent duplicates meet at the write transaction: the second
//! waits for the first, or is run again after it, and finds its reply.

use crate::db::{Connection, bytes};
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::random::sha256;
use serde::Serialize;
use sqlx::Row as _;
use yika_api::{ProblemCode, UnixMillis};

/// Where an operation's key counts: its holder and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope(String);

impl Scope {
    /// The scope of one operation of one device's holder.
    pub(crate) fn new(operation: &'static str, holder: i64, device: &str) -> Self {
        Self(format!("{operation}:{holder}:{device}"))
    }
}

/// What a key leads to.
#[derive(Debug)]
pub(crate) enum Operation<'a> {
    /// It was done before: this was the reply, as JSON.
    Done(String),
    /// It is new.
    New(Slot<'a>),
}

/// The place where the reply of a new operation goes.
#[derive(Debug)]
#[must_use = "an operation whose reply is not stored can happen twice"]
pub(crate) struct Slot<'a> {
    scope: &'a Scope,
    key: String,
    hash: [u8; 32],
}

/// Looks an operation up, within the write transaction that will have its effect.
pub(crate) async fn begin<'a>(
    tx: &mut Connection,
    scope: &'a Scope,
    key: IdempotencyKey,
    request: &[u8],
) -> Result<Operation<'a>> {
    let (key, hash) = (key.0.to_string(), sha256(request));
    let stored = sqlx::query("SELECT request_hash, reply FROM idempotency WHERE scope = $1 AND key = $2")
        .bind(&scope.0)
        .bind(&key)
        .fetch_optional(tx)
        .await?;
    match stored {
        None => Ok(Operation::New(Slot { scope, key, hash })),
        Some(row) if bytes::<32>(&row, "request_hash")? == hash => Ok(Operation::Done(row.try_get("reply")?)),
        Some(_) => Err(Error::refused(ProblemCode::IdempotencyConflict)),
    }
}

impl Slot<'_> {
    /// Stores the reply, within the transaction of the effect.
    pub(crate) async fn store<T: Serialize>(
        self,
        tx: &mut Connection,
        reply: &T,
        now: UnixMillis,
    ) -> Result<String> {
        let reply = serde_json::to_string(reply)?;
        sqlx::query("INSERT INTO idempotency (scope, key, request_hash, reply, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(&self.scope.0)
            .bind(self.key)
            .bind(self.hash.to_vec())
            .bind(&reply)
            .bind(now.0)
            .execute(tx)
            .await?;
        Ok(reply)
    }
}
