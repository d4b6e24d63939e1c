//! The SQL of approval keys. A key is a session's, and approves nothing once that has ended.

use crate::db::{Connection, StoredEnum as _, assembled, bytes};
use crate::error::Result;
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::credential::KeyStorage;
use yika_format::PublicKey;

const SESSION: &str = "session IN (SELECT id FROM session WHERE device = $1 AND ended_at IS NULL)";

/// Puts a key in the place of the one that there may be.
pub(super) async fn set(
    tx: &mut Connection,
    device: Uuid,
    key: PublicKey,
    storage: KeyStorage,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO approval_key (session, public_key, storage, since) \
         SELECT id, $2, $3, $4 FROM session WHERE device = $1 AND ended_at IS NULL \
         ON CONFLICT (session) DO UPDATE SET public_key = $2, storage = $3, since = $4",
    )
    .bind(device.to_string())
    .bind(key.as_bytes().to_vec())
    .bind(storage.to_stored())
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// The key with which a phone approves.
pub(super) async fn key(db: &mut Connection, device: Uuid) -> Result<Option<PublicKey>> {
    let sql = assembled(format!("SELECT public_key FROM approval_key WHERE {SESSION}"));
    let row = sqlx::query(sql)
        .bind(device.to_string())
        .fetch_optional(db)
        .await?;
    row.map(|row| Ok(PublicKey::from_compressed(bytes(&row, "public_key")?)?))
        .transpose()
}

/// Removes it.
pub(super) async fn forget(tx: &mut Connection, device: Uuid) -> Result<()> {
    let sql = assembled(format!("DELETE FROM approval_key WHERE {SESSION}"));
    sqlx::query(sql).bind(device.to_string()).execute(tx).await?;
    Ok(())
}
