//! The directory of a library desk: whose pseudonym each one is, sealed to the key that the desk enrolled.
//!
//! Made when the desk asks, and made anew when a holder came, went or got another number, or the newest gets old; in
//! between the stored bytes are given out. The database counts those changes, so that an answer without one costs the same
//! for any number of holders. A directory is a lease: a desk that is frozen gets no other one, and the last it got ends
//! by itself.

use super::keyring::KeyRing;
use super::lists::{NOT_ENDED, day_of};
use crate::Platform;
use crate::clock::DAY;
use crate::db::{Connection, assembled, bytes, int, transact};
use crate::error::{Error, Result};
use crate::random::random_bytes;
use crate::terminals::TerminalRow;
use futures_util::TryStreamExt as _;
use sqlx::Row as _;
use yika_api::terminal::TerminalKind;
use yika_api::{ProblemCode, UnixMillis};
use yika_format::lists::{Directory, DirectoryEntry, HolderNumber};
use yika_format::{MinEpoch, Pseudonym, PublicKey, SealError};

/// How long a directory names anybody.
const GOOD_MS: i64 = 7 * DAY;
/// How old a directory is given out although nothing has changed. By then whom time took out of it is gone.
const REFRESH_MS: i64 = DAY;

/// What is known of a directory beside its bytes.
#[derive(Clone, Copy, Debug)]
struct Given {
    version: u64,
    issued_at: UnixMillis,
    /// The last change that is in it.
    change: i64,
}

/// The directory of this terminal as it is now, signed.
pub(super) async fn current_directory(platform: &Platform, terminal: &TerminalRow) -> Result<Vec<u8>> {
    let recipient = recipient(terminal)?;
    let now = platform.now();
    let mut snapshot = platform.db().snapshot().await?;
    let change = newest_change(&mut snapshot).await?;
    let given = given(&mut snapshot, terminal.id).await?;
    if let Some(given) = given
        && given.change == change
        && given.issued_at.plus_millis(REFRESH_MS) > now
    {
        return stored(&mut snapshot, terminal.id).await;
    }
    let entries = entries(&mut snapshot, now).await?;
    drop(snapshot);
    let given = Given {
        version: given.map_or(0, |given| given.version) + 1,
        issued_at: now,
        change,
    };
    let (id, keys) = (terminal.public_id().0, platform.keys());
    let sealed = tokio::task::spawn_blocking(move || seal(&keys, &given, id, recipient, entries)).await??;
    transact!(platform.db().writer(), |tx| {
        if keep(tx, terminal.id, &given, &sealed).await? {
            return Ok(sealed.clone());
        }
        // The same desk asked twice at once, and the other answer took the number.
        stored(tx, terminal.id).await
    })
}

/// The key to seal to, of a terminal that may have a directory.
fn recipient(terminal: &TerminalRow) -> Result<PublicKey> {
    if terminal.kind != TerminalKind::Library {
        return Err(Error::refused_because(
            ProblemCode::Forbidden,
            "only a library desk has a directory",
        ));
    }
    if terminal.is_frozen {
        return Err(Error::refused(ProblemCode::TerminalFrozen));
    }
    terminal.directory_key.ok_or_else(|| {
        Error::refused_because(
            ProblemCode::Forbidden,
            "this desk was enrolled without a key for directories; enrol it anew",
        )
    })
}

async fn newest_change(db: &mut Connection) -> Result<i64> {
    let row = sqlx::query("SELECT value FROM counter WHERE name = 'directory_change'")
        .fetch_one(db)
        .await?;
    Ok(row.try_get("value")?)
}

/// Whose code a desk could still accept, in no order: the database would read all of it at random to sort it. Who is
/// dead for good is not among them.
async fn entries(db: &mut Connection, now: UnixMillis) -> Result<Vec<DirectoryEntry>> {
    let sql = format!(
        "SELECT e.pseudonym, h.number FROM enrolment e JOIN holder h ON h.id = e.holder WHERE {NOT_ENDED} \
         AND NOT EXISTS (SELECT 1 FROM min_epoch_change m \
         WHERE m.pseudonym = e.pseudonym AND m.min_epoch = $3 AND m.effective_at <= $1)"
    );
    let mut rows = sqlx::query(assembled(sql))
        .bind(now.0)
        .bind(i64::from(day_of(now)?))
        .bind(i64::from(MinEpoch::DEAD.get()))
        .fetch(db);
    let (mut entries, mut unfit) = (Vec::new(), 0_u64);
    while let Some(row) = rows.try_next().await? {
        match HolderNumber::new(row.try_get("number")?) {
            Ok(number) => entries.push(DirectoryEntry {
                pseudonym: Pseudonym(bytes(&row, "pseudonym")?),
                number,
            }),
            Err(_) => unfit += 1,
        }
    }
    if unfit > 0 {
        tracing::warn!(
            unfit,
            "holders' numbers that fit no directory; desks will not know them"
        );
    }
    Ok(entries)
}

fn seal(
    keys: &KeyRing,
    given: &Given,
    terminal: u64,
    recipient: PublicKey,
    mut entries: Vec<DirectoryEntry>,
) -> Result<Vec<u8>> {
    entries.sort_unstable_by_key(|entry| entry.pseudonym);
    let times = (
        given.version,
        given.issued_at,
        given.issued_at.plus_millis(GOOD_MS),
    );
    let recipient = recipient.expand().map_err(|_| SealError)?;
    let randomness = random_bytes()?;
    keys.try_sign_list(times, |header| {
        Ok(Directory::unsigned(
            header, terminal, &recipient, &entries, randomness,
        )?)
    })
}

async fn given(db: &mut Connection, terminal: i64) -> Result<Option<Given>> {
    let row = sqlx::query("SELECT version, issued_at, change FROM directory WHERE terminal = $1")
        .bind(terminal)
        .fetch_optional(db)
        .await?;
    row.map(|row| {
        Ok(Given {
            version: int(&row, "version")?,
            issued_at: UnixMillis(row.try_get("issued_at")?),
            change: row.try_get("change")?,
        })
    })
    .transpose()
}

async fn stored(db: &mut Connection, terminal: i64) -> Result<Vec<u8>> {
    let row = sqlx::query("SELECT bytes FROM directory WHERE terminal = $1")
        .bind(terminal)
        .fetch_one(db)
        .await?;
    Ok(row.try_get("bytes")?)
}

/// Keeps a directory in the place of an older one. False where one of this version is there already.
async fn keep(tx: &mut Connection, terminal: i64, given: &Given, sealed: &[u8]) -> Result<bool> {
    let kept = sqlx::query(
        "INSERT INTO directory (terminal, version, issued_at, change, bytes) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (terminal) DO UPDATE SET version = $2, issued_at = $3, change = $4, bytes = $5 \
         WHERE directory.version < $2",
    )
    .bind(terminal)
    .bind(i64::try_from(given.version).unwrap_or(i64::MAX))
    .bind(given.issued_at.0)
    .bind(given.change)
    .bind(sealed.to_vec())
    .execute(tx)
    .await?;
    Ok(kept.rows_affected() == 1)
}

#[cfg(test)]
mod tests;
