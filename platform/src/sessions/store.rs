//! The SQL of sessions: devices, sessions, tokens.

use crate::clock::DAY;
use crate::db::{Connection, StoredEnum as _, int, stored_enum, take_numbers, uuid, variant};
use crate::error::Result;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;
use yika_api::UnixMillis;

/// SHA-256 of a token.
pub(super) type TokenHash = [u8; 32];

/// Days for which a retired refresh token is remembered, so that its use is seen.
const REMEMBER_RETIRED_MS: i64 = 90 * DAY;

/// What a phone's session may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceStatus {
    /// All that its holder may.
    Active,
    /// Only to report it found.
    Lost,
}
stored_enum!(DeviceStatus { DeviceStatus::Active = "active", DeviceStatus::Lost = "lost" });

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefreshState {
    /// Given out last.
    Current,
    /// The one before, good until the current one is used.
    Previous,
    /// Good for nothing; its use is an alarm.
    Retired,
}
stored_enum!(RefreshState {
    RefreshState::Current = "current",
    RefreshState::Previous = "previous",
    RefreshState::Retired = "retired",
});

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndReason {
    Replaced,
    SignedOut,
    HostLogout,
    TokenReuse,
}
stored_enum!(EndReason {
    EndReason::Replaced = "replaced",
    EndReason::SignedOut = "signed_out",
    EndReason::HostLogout = "host_logout",
    EndReason::TokenReuse = "token_reuse",
});

/// A token found, with the session it belongs to.
#[derive(Debug)]
pub(super) struct FoundToken<State> {
    pub(super) state: State,
    pub(super) session: String,
    pub(super) device: Uuid,
    pub(super) device_status: DeviceStatus,
    pub(super) holder: i64,
    pub(super) thumbprint: String,
    pub(super) ended: bool,
    /// Of the access token itself, or of a refresh token's session.
    pub(super) expires_at: UnixMillis,
}

fn found<State>(row: &AnyRow, state: State) -> Result<FoundToken<State>> {
    Ok(FoundToken {
        state,
        session: row.try_get("session")?,
        device: uuid(row, "device")?,
        device_status: variant(row, "device_status")?,
        holder: row.try_get("holder")?,
        thumbprint: row.try_get("thumbprint")?,
        ended: row.try_get::<Option<i64>, _>("ended_at")?.is_some(),
        expires_at: UnixMillis(row.try_get("expires_at")?),
    })
}

/// The session of an access token.
pub(super) async fn find_access_token(
    db: &mut Connection,
    hash: &TokenHash,
) -> Result<Option<FoundToken<()>>> {
    let row = sqlx::query(
        "SELECT s.id AS session, s.device, s.ended_at, d.status AS device_status, d.holder, d.thumbprint, a.expires_at \
         FROM access_token a JOIN session s ON s.id = a.session JOIN device d ON d.id = s.device WHERE a.hash = $1",
    )
    .bind(hash.to_vec())
    .fetch_optional(db)
    .await?;
    row.map(|row| found(&row, ())).transpose()
}

/// The session of a refresh token, and what the token is still good for.
pub(super) async fn find_refresh_token(
    db: &mut Connection,
    hash: &TokenHash,
) -> Result<Option<FoundToken<RefreshState>>> {
    let row = sqlx::query(
        "SELECT r.state, s.id AS session, s.device, s.ended_at, d.status AS device_status, d.holder, d.thumbprint, \
         s.expires_at FROM refresh_token r JOIN session s ON s.id = r.session JOIN device d ON d.id = s.device \
         WHERE r.hash = $1",
    )
    .bind(hash.to_vec())
    .fetch_optional(db)
    .await?;
    row.map(|row| found(&row, variant(&row, "state")?)).transpose()
}

/// Claims an ID token for a key. False where another key has it.
pub(super) async fn claim_id_token(
    tx: &mut Connection,
    hash: &TokenHash,
    thumbprint: &str,
    expires_at: UnixMillis,
    now: UnixMillis,
) -> Result<bool> {
    sqlx::query("DELETE FROM id_token_use WHERE expires_at < $1")
        .bind(now.plus_millis(-DAY).0)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO id_token_use (hash, thumbprint, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(hash.to_vec())
    .bind(thumbprint)
    .bind(expires_at.0)
    .execute(&mut *tx)
    .await?;
    let row = sqlx::query("SELECT thumbprint FROM id_token_use WHERE hash = $1")
        .bind(hash.to_vec())
        .fetch_one(tx)
        .await?;
    Ok(row.try_get::<String, _>(0)? == thumbprint)
}

/// The holder whom the host knows by this subject.
pub(super) async fn holder_of_subject(db: &mut Connection, subject: &str) -> Result<Option<i64>> {
    let row = sqlx::query("SELECT id FROM holder WHERE subject = $1")
        .bind(subject)
        .fetch_optional(db)
        .await?;
    row.map(|row| int(&row, "id")).transpose()
}

pub(super) async fn find_device(db: &mut Connection, holder: i64, thumbprint: &str) -> Result<Option<Uuid>> {
    let row = sqlx::query("SELECT id FROM device WHERE holder = $1 AND thumbprint = $2")
        .bind(holder)
        .bind(thumbprint)
        .fetch_optional(db)
        .await?;
    row.map(|row| uuid(&row, "id")).transpose()
}

/// A phone in the list of a holder's.
#[derive(Clone, Debug)]
pub(crate) struct DeviceRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) status: DeviceStatus,
    pub(crate) bound_at: UnixMillis,
    pub(crate) seen_at: UnixMillis,
}

/// The phones that are bound to a holder's card, and those that are reported lost; the one seen last comes first.
pub(crate) async fn devices_of_holder(
    db: &mut Connection,
    holder: i64,
    now: UnixMillis,
) -> Result<Vec<DeviceRow>> {
    let rows = sqlx::query(
        "SELECT d.id, d.name, d.status, d.bound_at, d.seen_at FROM device d WHERE d.holder = $1 AND (d.status = 'lost' \
         OR EXISTS (SELECT 1 FROM session s WHERE s.device = d.id AND s.ended_at IS NULL AND s.expires_at > $2)) \
         ORDER BY d.seen_at DESC, d.id DESC",
    )
    .bind(holder)
    .bind(now.0)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(DeviceRow {
                id: uuid(row, "id")?,
                name: row.try_get("name")?,
                status: variant(row, "status")?,
                bound_at: UnixMillis(row.try_get("bound_at")?),
                seen_at: UnixMillis(row.try_get("seen_at")?),
            })
        })
        .collect()
}

/// What a phone of a holder may do; nothing where it is none of the holder's.
pub(crate) async fn own_device(
    db: &mut Connection,
    holder: i64,
    device: Uuid,
) -> Result<Option<DeviceStatus>> {
    let row = sqlx::query("SELECT status FROM device WHERE id = $1 AND holder = $2")
        .bind(device.to_string())
        .bind(holder)
        .fetch_optional(db)
        .await?;
    row.map(|row| variant(&row, "status")).transpose()
}

/// Says what a phone may do from now on.
pub(crate) async fn set_device_status(tx: &mut Connection, device: Uuid, status: DeviceStatus) -> Result<()> {
    sqlx::query("UPDATE device SET status = $2 WHERE id = $1")
        .bind(device.to_string())
        .bind(status.to_stored())
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes that a phone was heard of.
pub(super) async fn note_seen(tx: &mut Connection, device: Uuid, now: UnixMillis) -> Result<()> {
    sqlx::query("UPDATE device SET seen_at = $2 WHERE id = $1")
        .bind(device.to_string())
        .bind(now.0)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn insert_device(
    tx: &mut Connection,
    id: Uuid,
    holder: i64,
    thumbprint: &str,
    name: &str,
    now: UnixMillis,
) -> Result<Uuid> {
    sqlx::query(
        "INSERT INTO device (id, holder, thumbprint, name, status, created_at, bound_at, seen_at) \
         VALUES ($1, $2, $3, $4, 'active', $5, $5, $5)",
    )
    .bind(id.to_string())
    .bind(holder)
    .bind(thumbprint)
    .bind(name)
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(id)
}

pub(super) async fn bind_device(
    tx: &mut Connection,
    device: Uuid,
    name: &str,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query("UPDATE device SET name = $2, bound_at = $3, seen_at = $3 WHERE id = $1")
        .bind(device.to_string())
        .bind(name)
        .bind(now.0)
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn insert_session(
    tx: &mut Connection,
    id: &str,
    device: Uuid,
    host_sid: Option<&str>,
    expires_at: UnixMillis,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO session (id, device, host_sid, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(device.to_string())
    .bind(host_sid)
    .bind(now.0)
    .bind(expires_at.0)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn extend_session(tx: &mut Connection, id: &str, expires_at: UnixMillis) -> Result<()> {
    sqlx::query("UPDATE session SET expires_at = $2 WHERE id = $1")
        .bind(id)
        .bind(expires_at.0)
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends what is open of a device.
pub(super) async fn end_sessions_of_device(
    tx: &mut Connection,
    device: Uuid,
    reason: EndReason,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query("UPDATE session SET ended_at = $2, end_reason = $3 WHERE device = $1 AND ended_at IS NULL")
        .bind(device.to_string())
        .bind(now.0)
        .bind(reason.to_stored())
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn devices_of_host_session(db: &mut Connection, sid: &str) -> Result<Vec<Uuid>> {
    let rows = sqlx::query("SELECT device FROM session WHERE host_sid = $1 AND ended_at IS NULL")
        .bind(sid)
        .fetch_all(db)
        .await?;
    rows.iter().map(|row| uuid(row, "device")).collect()
}

pub(super) async fn devices_of_subject(db: &mut Connection, subject: &str) -> Result<Vec<Uuid>> {
    let rows = sqlx::query(
        "SELECT s.device FROM session s JOIN device d ON d.id = s.device JOIN holder h ON h.id = d.holder \
         WHERE h.subject = $1 AND s.ended_at IS NULL",
    )
    .bind(subject)
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| uuid(row, "device")).collect()
}

/// Stores a new pair as the session's current one.
pub(super) async fn insert_tokens(
    tx: &mut Connection,
    session: &str,
    access: &TokenHash,
    access_until: UnixMillis,
    refresh: &TokenHash,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query("INSERT INTO access_token (hash, session, expires_at) VALUES ($1, $2, $3)")
        .bind(access.to_vec())
        .bind(session)
        .bind(access_until.0)
        .execute(&mut *tx)
        .await?;
    sqlx::query(
        "INSERT INTO refresh_token (hash, session, state, created_at) VALUES ($1, $2, 'current', $3)",
    )
    .bind(refresh.to_vec())
    .bind(session)
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Moves the session's token in one state to another.
pub(super) async fn move_refresh_token(
    tx: &mut Connection,
    session: &str,
    from: RefreshState,
    to: RefreshState,
) -> Result<()> {
    sqlx::query("UPDATE refresh_token SET state = $3 WHERE session = $1 AND state = $2")
        .bind(session)
        .bind(from.to_stored())
        .bind(to.to_stored())
        .execute(tx)
        .await?;
    Ok(())
}

/// Drops a session's tokens that can't matter any more.
pub(super) async fn forget_old_tokens(tx: &mut Connection, session: &str, now: UnixMillis) -> Result<()> {
    sqlx::query("DELETE FROM access_token WHERE session = $1 AND expires_at < $2")
        .bind(session)
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM refresh_token WHERE session = $1 AND state = 'retired' AND created_at < $2")
        .bind(session)
        .bind(now.plus_millis(-REMEMBER_RETIRED_MS).0)
        .execute(tx)
        .await?;
    Ok(())
}

/// Leaves word for the card office that a retired token was presented.
pub(super) async fn raise_token_alarm(tx: &mut Connection, holder: i64, now: UnixMillis) -> Result<()> {
    let id = take_numbers(tx, "alarm", 1).await?;
    sqlx::query("INSERT INTO alarm (id, at, kind, holder) VALUES ($1, $2, 'token_reuse', $3)")
        .bind(id)
        .bind(now.0)
        .bind(holder)
        .execute(tx)
        .await?;
    Ok(())
}
