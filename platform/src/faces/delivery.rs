//! Portraits at gates and POS: a signed list of references, and the portraits that it names.
//!
//! The list is whole, and a lease: a terminal that hears nothing more stops with it. A holder whose card is frozen is not on it.
//! What a terminal fetches is written down before it gets it; what is no longer on the list it has to say is gone.

use super::intake;
use super::store::{self, FaceEvent, FaceEventKind, PhotoRow};
use crate::Platform;
use crate::clock::DAY;
use crate::db::{Connection, bytes, int, transact, uuid};
use crate::error::{Error, Result};
use crate::issuer::KeyRing;
use crate::terminals::TerminalRow;
use sqlx::Row as _;
use uuid::Uuid;
use yika_api::face::PhotoPhase;
use yika_api::terminal::TerminalKind;
use yika_api::{ProblemCode, UnixMillis};
use yika_format::FaceReference;
use yika_format::lists::{FaceEntry, Faces};

/// After how long a list is made anew though nothing changed.
const REFRESH_MS: i64 = DAY;

struct SignedList {
    version: u64,
    issued_at: UnixMillis,
    bytes: Vec<u8>,
}

impl SignedList {
    fn is_current(&self, entries: &[FaceEntry], keys: &KeyRing, now: UnixMillis) -> bool {
        self.issued_at.plus_millis(REFRESH_MS) > now
            && Faces::open(&self.bytes, &keys.keyset).is_ok_and(|open| open.entries() == entries)
    }
}

/// Only gates and POS look at faces.
fn check_terminal(terminal: &TerminalRow) -> Result<()> {
    if terminal.is_frozen {
        return Err(Error::refused(ProblemCode::TerminalFrozen));
    }
    match terminal.kind {
        TerminalKind::Gate | TerminalKind::Pos => Ok(()),
        TerminalKind::Library => Err(Error::refused(ProblemCode::Forbidden)),
    }
}

/// The list for terminals, made anew if something changed or it gets old.
pub(super) async fn list(platform: &Platform, terminal: &TerminalRow) -> Result<Vec<u8>> {
    check_terminal(terminal)?;
    let (now, keys) = (platform.now(), platform.keys());
    let mut reader = platform.db().read().await?;
    let entries = listed(&mut reader).await?;
    if let Some(list) = newest(&mut reader).await?
        && list.is_current(&entries, &keys, now)
    {
        return Ok(list.bytes);
    }
    drop(reader);
    transact!(platform.db().writer(), |tx| {
        let entries = listed(tx).await?;
        let newest = newest(tx).await?;
        if let Some(list) = newest
            .as_ref()
            .filter(|list| list.is_current(&entries, &keys, now))
        {
            return Ok(list.bytes.clone());
        }
        let version = newest.map_or(0, |list| list.version) + 1;
        publish(tx, platform, version, &entries, now).await
    })
}

async fn publish(
    tx: &mut Connection,
    platform: &Platform,
    version: u64,
    entries: &[FaceEntry],
    now: UnixMillis,
) -> Result<Vec<u8>> {
    let (keys, good_until) = (platform.keys(), now.plus_millis(platform.config().faces.lease_ms));
    let bytes = keys.sign_list((version, now, good_until), |header| {
        Faces::unsigned(header, entries)
    })?;
    let stored = i64::try_from(version).unwrap_or(i64::MAX);
    sqlx::query("DELETE FROM face_list").execute(&mut *tx).await?;
    sqlx::query("INSERT INTO face_list (version, issued_at, good_until, bytes) VALUES ($1, $2, $3, $4)")
        .bind(stored)
        .bind(now.0)
        .bind(good_until.0)
        .bind(bytes.clone())
        .execute(&mut *tx)
        .await?;
    // What is on it, and since which version what was on one is not.
    sqlx::query(
        "UPDATE face_photo SET unlisted_in = $1 WHERE listed_in IS NOT NULL AND unlisted_in IS NULL AND id NOT IN \
         (SELECT p.id FROM face_photo p JOIN holder h ON h.id = p.holder \
          WHERE p.phase = 'accepted' AND h.status = 'active')",
    )
    .bind(stored)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "UPDATE face_photo SET listed_in = $1, unlisted_in = NULL WHERE phase = 'accepted' \
         AND (listed_in IS NULL OR unlisted_in IS NOT NULL) AND holder IN (SELECT id FROM holder WHERE status = 'active')",
    )
    .bind(stored)
    .execute(tx)
    .await?;
    Ok(bytes)
}

async fn newest(db: &mut Connection) -> Result<Option<SignedList>> {
    let row = sqlx::query("SELECT version, issued_at, bytes FROM face_list ORDER BY version DESC LIMIT 1")
        .fetch_optional(db)
        .await?;
    row.map(|row| {
        Ok(SignedList {
            version: int(&row, "version")?,
            issued_at: UnixMillis(row.try_get("issued_at")?),
            bytes: row.try_get("bytes")?,
        })
    })
    .transpose()
}

/// The portraits that terminals may use, in the order of their references.
async fn listed(db: &mut Connection) -> Result<Vec<FaceEntry>> {
    let rows = sqlx::query(
        "SELECT p.id, p.digest FROM face_photo p JOIN holder h ON h.id = p.holder \
         WHERE p.phase = 'accepted' AND h.status = 'active'",
    )
    .fetch_all(db)
    .await?;
    let mut entries = rows
        .iter()
        .map(|row| {
            Ok(FaceEntry {
                reference: FaceReference(*uuid(row, "id")?.as_bytes()),
                digest: bytes(row, "digest")?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    entries.sort_unstable_by_key(|entry| entry.reference);
    Ok(entries)
}

/// The file of a portrait that is on the list, for a terminal. That it has it is durable before it gets it.
pub(super) async fn portrait(platform: &Platform, terminal: &TerminalRow, id: Uuid) -> Result<Vec<u8>> {
    check_terminal(terminal)?;
    let mut reader = platform.db().read().await?;
    let found = usable(&mut reader, id).await?;
    drop(reader);
    let bytes = intake::bytes(platform, &found).await?;
    let bytes = bytes.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    let now = platform.now();
    let noted: Result<()> = transact!(platform.db().writer(), |tx| {
        // It may have been deleted meanwhile: then nobody gets it any more.
        let photo = usable(tx, id).await?;
        sqlx::query(
            "INSERT INTO face_copy (photo, terminal, fetched_at) VALUES ($1, $2, $3) \
             ON CONFLICT (photo, terminal) DO UPDATE SET fetched_at = $3, removed_at = NULL",
        )
        .bind(id.to_string())
        .bind(terminal.id)
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
        note(tx, &photo, terminal, FaceEventKind::Delivered, now).await
    });
    noted?;
    Ok(bytes)
}

async fn note(
    tx: &mut Connection,
    photo: &PhotoRow,
    terminal: &TerminalRow,
    kind: FaceEventKind,
    at: UnixMillis,
) -> Result<()> {
    let event = FaceEvent {
        kind,
        photo: Some(photo.photo.id),
        terminal: Some(terminal.id),
        at,
    };
    store::note(tx, photo.holder, event).await
}

async fn usable(db: &mut Connection, id: Uuid) -> Result<PhotoRow> {
    let photo = store::photo(db, id).await?;
    let photo = photo.filter(|photo| photo.photo.phase == PhotoPhase::Accepted);
    photo.ok_or_else(|| Error::refused(ProblemCode::NotFound))
}

/// A terminal says that it has nothing any more that is not in this version of the list.
pub(super) async fn applied(platform: &Platform, terminal: &TerminalRow, version: u64) -> Result<()> {
    check_terminal(terminal)?;
    let now = platform.now();
    let version = i64::try_from(version).unwrap_or(i64::MAX);
    transact!(platform.db().writer(), |tx| {
        let newest: i64 = sqlx::query("SELECT COALESCE(MAX(version), 0) AS version FROM face_list")
            .fetch_one(&mut *tx)
            .await?
            .try_get("version")?;
        if version > newest {
            let why = "there is no such version of the list yet";
            return Err(Error::refused_because(ProblemCode::InvalidRequest, why));
        }
        let gone = sqlx::query(
            "UPDATE face_copy SET removed_at = $2 WHERE terminal = $1 AND removed_at IS NULL \
             AND photo IN (SELECT id FROM face_photo WHERE unlisted_in <= $3) RETURNING photo",
        )
        .bind(terminal.id)
        .bind(now.0)
        .bind(version)
        .fetch_all(&mut *tx)
        .await?;
        for row in &gone {
            if let Some(photo) = store::photo(tx, uuid(row, "photo")?).await? {
                note(tx, &photo, terminal, FaceEventKind::Removed, now).await?;
            }
        }
        Ok(())
    })
}
