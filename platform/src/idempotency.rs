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

/// A request that is to have one effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deed {
    /// Where the key counts: what is done, the holder, and the device where it is one's.
    scope: String,
    key: String,
    hash: [u8; 32],
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
pub(crate) struct Slot<'a>(&'a Deed);

impl Deed {
    /// What a holder asks for, by a request of this content.
    pub(crate) fn new(
        operation: &'static str,
        holder: i64,
        key: IdempotencyKey,
        content: &impl Serialize,
    ) -> Result<Self> {
        Self::of_device(operation, holder, "", key, content)
    }

    /// What a holder's device asks for.
    pub(crate) fn of_device(
        operation: &'static str,
        holder: i64,
        device: &str,
        key: IdempotencyKey,
        content: &impl Serialize,
    ) -> Result<Self> {
        Ok(Self {
            scope: format!("{operation}:{holder}:{device}"),
            key: key.0.to_string(),
            hash: sha256(&serde_json::to_vec(content)?),
        })
    }

    /// Looks it up, within the write transaction that will have its effect.
    pub(crate) async fn begin(&self, tx: &mut Connection) -> Result<Operation<'_>> {
        let stored = sqlx::query("SELECT request_hash, reply FROM idempotency WHERE scope = $1 AND key = $2")
            .bind(&self.scope)
            .bind(&self.key)
            .fetch_optional(tx)
            .await?;
        match stored {
            None => Ok(Operation::New(Slot(self))),
            Some(row) if bytes::<32>(&row, "request_hash")? == self.hash => {
                Ok(Operation::Done(row.try_get("reply")?))
            }
            Some(_) => Err(Error::refused(ProblemCode::IdempotencyConflict)),
        }
    }

    /// The reply, where it was done before: for what has to be asked of somebody else before it can be done.
    pub(crate) async fn reply(&self, tx: &mut Connection) -> Result<Option<String>> {
        match self.begin(tx).await? {
            Operation::Done(reply) => Ok(Some(reply)),
            Operation::New(_) => Ok(None),
        }
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
            .bind(&self.0.scope)
            .bind(&self.0.key)
            .bind(self.0.hash.to_vec())
            .bind(&reply)
            .bind(now.0)
            .execute(tx)
            .await?;
        Ok(reply)
    }
}
