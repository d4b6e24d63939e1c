//! The server's nonces (RFC 9449, section 8), and the memory of proofs that were used.
//!
//! A nonce is the number of a five-minute window and an HMAC over it; it is good in its window and the next. Each proof
//! must carry one, so each proof lives ten minutes at most, and the memory need not be longer. Where one process has the
//! database for itself, key and memory live in it and end with it. Servers that share a database share both through it,
//! so that a client may be answered by any of them and a proof is good at one of them only. There, too, key and memory
//! are lost together: a proof whose use is forgotten carries a nonce that no longer verifies.

use super::dpop::{ProofError, ProofKey, Target, UsedProof, check};
use crate::clock::MINUTE;
use crate::db::{Db, bytes};
use crate::error::{Error, Result};
use crate::random::random_bytes;
use ring::hmac;
use sqlx::AnyPool;
use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use yika_api::{Base64Url, UnixMillis};

pub(super) const WINDOW_MS: i64 = 5 * MINUTE;
/// Proofs remembered by a process per window. Beyond it, clients are told to come back with the next window's nonce.
const REMEMBERED: usize = 500_000;
/// Windows for which servers that share a database remember proofs: more than a nonce lives, for clocks that differ.
const KEPT_WINDOWS: i64 = 4;

type Secret = [u8; 32];

/// Gives out nonces and remembers proofs.
pub(crate) struct Nonces {
    secret: RwLock<Secret>,
    memory: Memory,
}

enum Memory {
    /// Of this process, which has the database for itself.
    Own(Mutex<Seen>),
    /// Of all servers of the database, in its notes.
    Shared {
        notes: AnyPool,
        /// The window in which this server last dropped what is too old.
        swept: AtomicI64,
    },
}

#[derive(Default)]
struct Seen {
    window: i64,
    current: HashSet<UsedProof>,
    previous: HashSet<UsedProof>,
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces(…)")
    }
}

fn window_of(now: UnixMillis) -> i64 {
    now.0.div_euclid(WINDOW_MS)
}

impl Nonces {
    /// The nonces of the servers that share this database, or of this process alone.
    pub(crate) async fn open(db: &Db) -> Result<Self> {
        match db.notes() {
            None => Self::own(),
            Some(notes) => Ok(Self {
                secret: RwLock::new(shared_secret(notes).await?),
                memory: Memory::Shared {
                    notes: notes.clone(),
                    swept: AtomicI64::new(0),
                },
            }),
        }
    }

    /// A new key, an empty memory.
    pub(super) fn own() -> Result<Self> {
        Ok(Self {
            secret: RwLock::new(random_bytes()?),
            memory: Memory::Own(Mutex::default()),
        })
    }

    /// The nonce of now.
    pub(crate) fn issue(&self, now: UnixMillis) -> String {
        self.of_window(window_of(now))
    }

    fn secret(&self) -> Secret {
        *self.secret.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_window(&self, window: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret());
        let tag = hmac::sign(&key, &window.to_be_bytes());
        Base64Url([&window.to_be_bytes()[..], &tag.as_ref()[..16]].concat()).encode()
    }

    /// Whether a nonce is of this window or the last.
    pub(super) fn is_current(&self, nonce: &str, now: UnixMillis) -> bool {
        let window = window_of(now);
        [window, window - 1]
            .into_iter()
            .any(|window| self.of_window(window) == nonce)
    }

    /// Checks a proof against its request and uses it up.
    pub(crate) async fn verify<E: From<ProofError> + From<Error>>(
        &self,
        proof: Option<&str>,
        target: Target<'_>,
        now: UnixMillis,
    ) -> Result<ProofKey, E> {
        let (key, used) = check(self, proof, target, now)?;
        match &self.memory {
            Memory::Own(seen) => remember(seen, used, now)?,
            Memory::Shared { notes, swept } => {
                self.note(notes, &used, now).await??;
                self.sweep(notes, swept, now).await;
            }
        }
        Ok(key)
    }

    /// Notes a proof for all servers, in one statement that finds out whether another did before, and whether the key of
    /// its nonce is still the one of all.
    async fn note(
        &self,
        notes: &AnyPool,
        used: &UsedProof,
        now: UnixMillis,
    ) -> Result<Result<(), ProofError>> {
        let secret = self.secret();
        let noted = sqlx::query(
            "INSERT INTO proof_seen (name, time_window) SELECT $1, $2 FROM proof_key WHERE key = $3 \
             ON CONFLICT DO NOTHING",
        )
        .bind(used.to_vec())
        .bind(window_of(now))
        .bind(secret.to_vec())
        .execute(notes)
        .await?;
        if noted.rows_affected() == 1 {
            return Ok(Ok(()));
        }
        let current = shared_secret(notes).await?;
        if current == secret {
            return Ok(Err(ProofError::Replayed));
        }
        *self.secret.write().unwrap_or_else(PoisonError::into_inner) = current;
        Ok(Err(ProofError::Nonce))
    }

    /// Drops, once a window, what no nonce lives for any more. One request of a window waits for it: a task that nobody
    /// waits for could still be connecting when the server, or a test, is done with the database.
    async fn sweep(&self, notes: &AnyPool, swept: &AtomicI64, now: UnixMillis) {
        let window = window_of(now);
        if swept.fetch_max(window, Ordering::Relaxed) >= window {
            return;
        }
        let outcome = sqlx::query("DELETE FROM proof_seen WHERE time_window < $1")
            .bind(window - KEPT_WINDOWS)
            .execute(notes)
            .await;
        if let Err(error) = outcome {
            tracing::warn!(%error, "old proofs were not dropped");
        }
    }
}

/// Notes a proof for this process.
fn remember(seen: &Mutex<Seen>, used: UsedProof, now: UnixMillis) -> Result<(), ProofError> {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    // A clock that goes back forgets nothing.
    let window = window_of(now).max(seen.window);
    if seen.window != window {
        let last = std::mem::take(&mut seen.current);
        seen.previous = if window == seen.window + 1 {
            last
        } else {
            HashSet::new()
        };
        seen.window = window;
    }
    if seen.current.len() >= REMEMBERED {
        return Err(ProofError::Nonce);
    }
    match seen.previous.contains(&used) || !seen.current.insert(used) {
        true => Err(ProofError::Replayed),
        false => Ok(()),
    }
}

/// The key that all servers of a database make nonces with. The first to ask makes it.
async fn shared_secret(notes: &AnyPool) -> Result<Secret> {
    sqlx::query("INSERT INTO proof_key (one, key) VALUES (1, $1) ON CONFLICT DO NOTHING")
        .bind(random_bytes::<32>()?.to_vec())
        .execute(notes)
        .await?;
    let row = sqlx::query("SELECT key FROM proof_key").fetch_one(notes).await?;
    bytes(&row, "key")
}
