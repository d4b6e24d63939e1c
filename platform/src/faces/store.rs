//! The SQL of consents, portraits and what was done with them.

use crate::db::{
    Connection, StoredEnum as _, assembled, bytes, int, stored_enum, take_numbers, uuid, variant,
};
use crate::error::Result;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::face::{
    BeginPhoto, FaceConsent, FacePhoto, GiveConsent, PhotoPhase, PhotoRefusal, PhotoRefusalReason,
};

stored_enum!(PhotoPhase {
    PhotoPhase::Receiving = "receiving",
    PhotoPhase::Pending = "pending",
    PhotoPhase::Accepted = "accepted",
    PhotoPhase::Refused = "refused",
    PhotoPhase::Deleted = "deleted",
    PhotoPhase::Other = "other",
});
stored_enum!(PhotoRefusalReason {
    PhotoRefusalReason::Unreadable = "unreadable",
    PhotoRefusalReason::OtherPerson = "other_person",
    PhotoRefusalReason::Unclear = "unclear",
    PhotoRefusalReason::Altered = "altered",
    PhotoRefusalReason::Other = "other",
});

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaceEventKind {
    /// The holder agreed.
    ConsentGiven,
    /// The holder took all consent back.
    ConsentWithdrawn,
    /// A portrait was announced.
    Begun,
    /// All of it was there, and it was looked into.
    Received,
    /// Somebody in the card office looked at it.
    Seen,
    /// The card office took it.
    Accepted,
    /// The card office, or the platform, refused it.
    Refused,
    /// A terminal fetched it.
    Delivered,
    /// A terminal said that it is gone there.
    Removed,
    /// Its bytes were deleted.
    Deleted,
    /// Its key was destroyed: no copy of the database gives it back.
    KeyDestroyed,
}
stored_enum!(FaceEventKind {
    FaceEventKind::ConsentGiven = "consent_given",
    FaceEventKind::ConsentWithdrawn = "consent_withdrawn",
    FaceEventKind::Begun = "begun",
    FaceEventKind::Received = "received",
    FaceEventKind::Seen = "seen",
    FaceEventKind::Accepted = "accepted",
    FaceEventKind::Refused = "refused",
    FaceEventKind::Delivered = "delivered",
    FaceEventKind::Removed = "removed",
    FaceEventKind::Deleted = "deleted",
    FaceEventKind::KeyDestroyed = "key_destroyed",
});

impl FaceEventKind {
    /// The stable text form.
    pub fn as_str(self) -> &'static str {
        self.to_stored()
    }
}

/// Something that was done with a holder's face photos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaceEvent {
    /// What.
    pub kind: FaceEventKind,
    /// With which portrait.
    pub photo: Option<Uuid>,
    /// At which terminal.
    pub terminal: Option<i64>,
    /// When.
    pub at: UnixMillis,
}

/// A consent, and whether it holds.
pub(super) struct ConsentRow {
    pub(super) holder: i64,
    pub(super) consent: FaceConsent,
    pub(super) withdrawn_at: Option<UnixMillis>,
}

/// A portrait as it stands.
#[derive(Clone, Debug)]
pub(super) struct PhotoRow {
    pub(super) holder: i64,
    pub(super) consent: Uuid,
    pub(super) digest: [u8; 32],
    /// What the phone's check would have changed.
    pub(super) advice: Vec<String>,
    /// What the platform's own would.
    pub(super) findings: Vec<String>,
    pub(super) photo: FacePhoto,
}

impl PhotoRow {
    pub(super) fn is_whole(&self) -> bool {
        self.photo.received == self.photo.bytes
    }
}

/// Writes down what was done.
pub(super) async fn note(tx: &mut Connection, holder: i64, event: FaceEvent) -> Result<()> {
    let number = take_numbers(tx, "face_event", 1).await?;
    sqlx::query(
        "INSERT INTO face_event (number, holder, photo, terminal, what, at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(number)
    .bind(holder)
    .bind(event.photo.map(|photo| photo.to_string()))
    .bind(event.terminal)
    .bind(event.kind.to_stored())
    .bind(event.at.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes down what was done with a portrait.
pub(super) async fn note_photo(
    tx: &mut Connection,
    photo: &PhotoRow,
    kind: FaceEventKind,
    at: UnixMillis,
) -> Result<()> {
    let event = FaceEvent {
        kind,
        photo: Some(photo.photo.id),
        terminal: None,
        at,
    };
    note(tx, photo.holder, event).await
}

/// What was done with a holder's photos, in its order.
pub(super) async fn events(db: &mut Connection, holder: i64) -> Result<Vec<FaceEvent>> {
    let rows =
        sqlx::query("SELECT photo, terminal, what, at FROM face_event WHERE holder = $1 ORDER BY number")
            .bind(holder)
            .fetch_all(db)
            .await?;
    rows.iter()
        .map(|row| {
            Ok(FaceEvent {
                kind: variant(row, "what")?,
                photo: crate::db::optional_uuid(row, "photo")?,
                terminal: row.try_get("terminal")?,
                at: UnixMillis(row.try_get("at")?),
            })
        })
        .collect()
}

/// How much was done: rises with each change of what a holder is told.
pub(super) async fn version(db: &mut Connection, holder: i64) -> Result<u64> {
    let sql = "SELECT COALESCE(MAX(number), 0) AS version FROM face_event WHERE holder = $1";
    int(&sqlx::query(sql).bind(holder).fetch_one(db).await?, "version")
}

const CONSENT: &str = "SELECT id, holder, version, agreed_at, recorded_at, withdrawn_at FROM face_consent ";

fn consent_row(row: &AnyRow) -> Result<ConsentRow> {
    Ok(ConsentRow {
        holder: row.try_get("holder")?,
        consent: FaceConsent {
            id: uuid(row, "id")?,
            version: int(row, "version")?,
            agreed_at: UnixMillis(row.try_get("agreed_at")?),
            recorded_at: UnixMillis(row.try_get("recorded_at")?),
        },
        withdrawn_at: row.try_get::<Option<i64>, _>("withdrawn_at")?.map(UnixMillis),
    })
}

/// A consent.
pub(super) async fn consent(db: &mut Connection, id: Uuid) -> Result<Option<ConsentRow>> {
    let row = sqlx::query(assembled(format!("{CONSENT} WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    row.map(|row| consent_row(&row)).transpose()
}

/// The newest of a holder's consents, whether it holds or not.
pub(super) async fn newest_consent(db: &mut Connection, holder: i64) -> Result<Option<ConsentRow>> {
    let sql = format!("{CONSENT} WHERE holder = $1 ORDER BY number DESC LIMIT 1");
    let row = sqlx::query(assembled(sql))
        .bind(holder)
        .fetch_optional(db)
        .await?;
    row.map(|row| consent_row(&row)).transpose()
}

/// Records a consent.
pub(super) async fn insert_consent(
    tx: &mut Connection,
    holder: i64,
    id: Uuid,
    request: &GiveConsent,
    now: UnixMillis,
) -> Result<()> {
    let number = take_numbers(tx, "face", 1).await?;
    sqlx::query(
        "INSERT INTO face_consent (id, holder, version, agreed_at, recorded_at, number) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id.to_string())
    .bind(holder)
    .bind(i64::from(request.version))
    .bind(request.agreed_at.0)
    .bind(now.0)
    .bind(number)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends all consents of a holder that hold.
pub(super) async fn end_consents(tx: &mut Connection, holder: i64, now: UnixMillis) -> Result<()> {
    sqlx::query("UPDATE face_consent SET withdrawn_at = $2 WHERE holder = $1 AND withdrawn_at IS NULL")
        .bind(holder)
        .bind(now.0)
        .execute(tx)
        .await?;
    Ok(())
}

const PHOTO: &str = "SELECT id, holder, consent, bytes, received, digest, advice, findings, phase, reason, reply, changed_at \
     FROM face_photo ";

fn codes(text: Option<String>) -> Result<Vec<String>> {
    Ok(text
        .map(|text| serde_json::from_str(&text))
        .transpose()?
        .unwrap_or_default())
}

fn photo_row(row: &AnyRow) -> Result<PhotoRow> {
    let phase = variant(row, "phase")?;
    let refusal = match phase {
        PhotoPhase::Refused => Some(PhotoRefusal {
            reason: variant(row, "reason")?,
            reply: row.try_get("reply")?,
        }),
        _ => None,
    };
    Ok(PhotoRow {
        holder: row.try_get("holder")?,
        consent: uuid(row, "consent")?,
        digest: bytes(row, "digest")?,
        advice: codes(row.try_get("advice")?)?,
        findings: codes(row.try_get("findings")?)?,
        photo: FacePhoto {
            id: uuid(row, "id")?,
            phase,
            bytes: int(row, "bytes")?,
            received: int(row, "received")?,
            refusal,
            changed_at: UnixMillis(row.try_get("changed_at")?),
        },
    })
}

/// A portrait.
pub(super) async fn photo(db: &mut Connection, id: Uuid) -> Result<Option<PhotoRow>> {
    let row = sqlx::query(assembled(format!("{PHOTO} WHERE id = $1")))
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    row.map(|row| photo_row(&row)).transpose()
}

/// A holder's portraits, the newest first.
pub(super) async fn photos_of(db: &mut Connection, holder: i64) -> Result<Vec<PhotoRow>> {
    let rows = sqlx::query(assembled(format!(
        "{PHOTO} WHERE holder = $1 ORDER BY number DESC"
    )))
    .bind(holder)
    .fetch_all(db)
    .await?;
    rows.iter().map(photo_row).collect()
}

/// At most so many portraits in this phase that came to it before an instant, the oldest first.
pub(super) async fn photos_in(
    db: &mut Connection,
    phase: PhotoPhase,
    before: UnixMillis,
    most: i64,
) -> Result<Vec<PhotoRow>> {
    let rows = sqlx::query(assembled(format!(
        "{PHOTO} WHERE phase = $1 AND changed_at < $2 ORDER BY changed_at, id LIMIT $3"
    )))
    .bind(phase.to_stored())
    .bind(before.0)
    .bind(most)
    .fetch_all(db)
    .await?;
    rows.iter().map(photo_row).collect()
}

/// Adds a portrait that is announced.
pub(super) async fn insert_photo(
    tx: &mut Connection,
    holder: i64,
    id: Uuid,
    request: &BeginPhoto,
    digest: [u8; 32],
    now: UnixMillis,
) -> Result<()> {
    let number = take_numbers(tx, "face", 1).await?;
    sqlx::query(
        "INSERT INTO face_photo (id, holder, consent, bytes, digest, advice, phase, begun_at, changed_at, number) \
         VALUES ($1, $2, $3, $4, $5, $6, 'receiving', $7, $7, $8)",
    )
    .bind(id.to_string())
    .bind(holder)
    .bind(request.consent_id.to_string())
    .bind(i64::from(request.bytes))
    .bind(digest.to_vec())
    .bind(serde_json::to_string(&request.advice)?)
    .bind(now.0)
    .bind(number)
    .execute(tx)
    .await?;
    Ok(())
}

/// Adds a part, with which so many bytes are there.
pub(super) async fn add_part(
    tx: &mut Connection,
    photo: Uuid,
    start: u32,
    sealed: Vec<u8>,
    received: u32,
) -> Result<()> {
    sqlx::query("INSERT INTO face_part (photo, start, sealed) VALUES ($1, $2, $3)")
        .bind(photo.to_string())
        .bind(i64::from(start))
        .bind(sealed)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE face_photo SET received = $2 WHERE id = $1")
        .bind(photo.to_string())
        .bind(i64::from(received))
        .execute(tx)
        .await?;
    Ok(())
}

/// The sealed parts of a portrait, each with where it begins, in their order.
pub(super) async fn parts(db: &mut Connection, photo: Uuid) -> Result<Vec<(u32, Vec<u8>)>> {
    let rows = sqlx::query("SELECT start, sealed FROM face_part WHERE photo = $1 ORDER BY start")
        .bind(photo.to_string())
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| Ok((int(row, "start")?, row.try_get("sealed")?)))
        .collect()
}

/// Moves a portrait on, and keeps what the platform found.
pub(super) async fn advance(
    tx: &mut Connection,
    photo: &PhotoRow,
    phase: PhotoPhase,
    findings: Option<&[String]>,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "UPDATE face_photo SET phase = $2, findings = COALESCE($3, findings), changed_at = $4 WHERE id = $1",
    )
    .bind(photo.photo.id.to_string())
    .bind(phase.to_stored())
    .bind(findings.map(serde_json::to_string).transpose()?)
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends a portrait: its bytes go now; its key, which is not in the database, as soon as this is durable.
pub(super) async fn end(
    tx: &mut Connection,
    photo: &PhotoRow,
    refusal: Option<&PhotoRefusal>,
    now: UnixMillis,
) -> Result<()> {
    let id = photo.photo.id.to_string();
    let phase = match refusal {
        Some(_) => PhotoPhase::Refused,
        None => PhotoPhase::Deleted,
    };
    sqlx::query("DELETE FROM face_part WHERE photo = $1")
        .bind(&id)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE face_photo SET phase = $2, reason = $3, reply = $4, changed_at = $5 WHERE id = $1")
        .bind(&id)
        .bind(phase.to_stored())
        .bind(refusal.map(|refusal| refusal.reason.to_stored()))
        .bind(refusal.and_then(|refusal| refusal.reply.clone()))
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
    if refusal.is_some() {
        note_photo(tx, photo, FaceEventKind::Refused, now).await?;
    }
    note_photo(tx, photo, FaceEventKind::Deleted, now).await
}

/// The portraits that have ended and whose keys may still be there.
pub(super) async fn keys_to_destroy(db: &mut Connection, most: i64) -> Result<Vec<Uuid>> {
    let rows = sqlx::query(
        "SELECT id FROM face_photo WHERE phase IN ('refused', 'deleted') AND key_destroyed_at IS NULL \
         ORDER BY changed_at LIMIT $1",
    )
    .bind(most)
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| uuid(row, "id")).collect()
}

/// Notes that a portrait's key is gone, once.
pub(super) async fn key_destroyed(tx: &mut Connection, photo: Uuid, now: UnixMillis) -> Result<()> {
    let row = sqlx::query(
        "UPDATE face_photo SET key_destroyed_at = $2 WHERE id = $1 AND key_destroyed_at IS NULL RETURNING holder",
    )
    .bind(photo.to_string())
    .bind(now.0)
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else {
        return Ok(());
    };
    let event = FaceEvent {
        kind: FaceEventKind::KeyDestroyed,
        photo: Some(photo),
        terminal: None,
        at: now,
    };
    note(tx, row.try_get("holder")?, event).await
}

/// When the last key of a holder's ended portraits was destroyed; nothing as long as one is there.
pub(super) async fn keys_gone_at(db: &mut Connection, holder: i64) -> Result<Option<UnixMillis>> {
    let row = sqlx::query(
        "SELECT COALESCE(SUM(CASE WHEN key_destroyed_at IS NULL THEN 1 ELSE 0 END), 0) AS waiting, \
         COALESCE(MAX(key_destroyed_at), 0) AS last \
         FROM face_photo WHERE holder = $1 AND phase IN ('refused', 'deleted')",
    )
    .bind(holder)
    .fetch_one(db)
    .await?;
    let is_done = row.try_get::<i64, _>("waiting")? == 0;
    let last = row.try_get("last")?;
    Ok(is_done.then_some(UnixMillis(last)))
}

/// How many terminals have had an ended portrait of the holder since an instant and have not said that it is gone.
pub(super) async fn copies_left(db: &mut Connection, holder: i64, since: UnixMillis) -> Result<u32> {
    let row = sqlx::query(
        "SELECT COUNT(DISTINCT c.terminal) AS copies FROM face_copy c JOIN face_photo p ON p.id = c.photo \
         WHERE p.holder = $1 AND p.phase = 'deleted' AND c.removed_at IS NULL AND p.changed_at > $2",
    )
    .bind(holder)
    .bind(since.0)
    .fetch_one(db)
    .await?;
    int(&row, "copies")
}
