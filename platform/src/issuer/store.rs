//! The SQL of the issuer: keys, challenges, enrolments, epochs.

use super::flow::{EnrolmentState, Standing};
use crate::clock::HOUR;
use crate::db::{Connection, StoredEnum as _, bytes, int, stored_enum, uuid, variant};
use crate::error::Result;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::credential::KeyStorage;
use yika_format::credential::Credential;
use yika_format::lists::{KeysetEntry, Role};
use yika_format::{Epoch, KeyId, MinEpoch, Pseudonym, PublicKey, UnixSeconds};

stored_enum!(EnrolmentState {
    EnrolmentState::Active = "active",
    EnrolmentState::Suspended = "suspended",
    EnrolmentState::Revoked = "revoked",
    EnrolmentState::Replaced = "replaced",
});
stored_enum!(KeyStorage {
    KeyStorage::Software = "software",
    KeyStorage::Tee = "tee",
    KeyStorage::SecureElement = "secure_element",
});
stored_enum!(Role { Role::Credential = "credential", Role::Table = "table", Role::Time = "time" });

/// One enrolment of one code key, with its newest certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enrolment {
    pub(crate) pseudonym: Pseudonym,
    pub(crate) holder: i64,
    pub(crate) device: Uuid,
    pub(crate) code_key: PublicKey,
    pub(crate) key_storage: KeyStorage,
    pub(crate) row_until: u16,
    pub(crate) highest_settled: u32,
    pub(crate) certificate: Credential,
    pub(crate) standing: Standing,
}

const ENROLMENT: &str = "SELECT e.pseudonym, e.holder, e.device, e.code_key, e.key_storage, e.state, e.epoch, \
     e.epoch_due, e.row_until, e.highest_settled, c.certificate, c.certificate_from, c.certificate_until \
     FROM enrolment e JOIN credential_epoch c ON c.pseudonym = e.pseudonym AND c.epoch = e.epoch WHERE ";

fn enrolment(row: &AnyRow) -> Result<Enrolment> {
    let certificate = Credential::decode(&bytes::<117>(row, "certificate")?)?;
    Ok(Enrolment {
        pseudonym: Pseudonym(bytes(row, "pseudonym")?),
        holder: row.try_get("holder")?,
        device: uuid(row, "device")?,
        code_key: PublicKey::from_compressed(bytes(row, "code_key")?)?,
        key_storage: variant(row, "key_storage")?,
        row_until: int(row, "row_until")?,
        highest_settled: int(row, "highest_settled")?,
        certificate,
        standing: Standing {
            state: variant(row, "state")?,
            epoch: Epoch::new(int(row, "epoch")?)?,
            epoch_due: int::<u8>(row, "epoch_due")? != 0,
            attributes: certificate.body.attributes,
            certificate_from: UnixMillis(row.try_get("certificate_from")?),
            certificate_until: UnixMillis(row.try_get("certificate_until")?),
        },
    })
}

/// The live enrolment of a device, or the last it had.
pub(super) async fn enrolment_of_device(db: &mut Connection, device: Uuid) -> Result<Option<Enrolment>> {
    let sql = format!(
        "{ENROLMENT} e.device = $1 ORDER BY CASE WHEN e.state IN ('active', 'suspended') THEN 0 ELSE 1 END, \
         e.created_at DESC LIMIT 1"
    );
    let row = sqlx::query(crate::db::assembled(sql))
        .bind(device.to_string())
        .fetch_optional(db)
        .await?;
    row.map(|row| enrolment(&row)).transpose()
}

/// The enrolment of a code key.
pub(super) async fn enrolment_of_key(db: &mut Connection, key: &PublicKey) -> Result<Option<Enrolment>> {
    let sql = format!("{ENROLMENT} e.code_key = $1");
    let row = sqlx::query(crate::db::assembled(sql))
        .bind(key.as_bytes().to_vec())
        .fetch_optional(db)
        .await?;
    row.map(|row| enrolment(&row)).transpose()
}

/// The enrolments of a holder, or of one device, whose codes are accepted: the live ones that are not suspended, and those whose
/// key was replaced and whose certificate has not ended.
pub(super) async fn accepted_enrolments(
    db: &mut Connection,
    holder: i64,
    device: Option<Uuid>,
    now: UnixMillis,
) -> Result<Vec<Enrolment>> {
    let sql = format!(
        "{ENROLMENT} e.holder = $1 AND (e.state = 'active' OR (e.state = 'replaced' AND c.certificate_until > $2))"
    );
    let rows = sqlx::query(crate::db::assembled(sql))
        .bind(holder)
        .bind(now.0)
        .fetch_all(db)
        .await?;
    let mut accepted = rows.iter().map(enrolment).collect::<Result<Vec<_>>>()?;
    accepted.retain(|enrolment| device.is_none_or(|device| device == enrolment.device));
    Ok(accepted)
}

/// The enrolments of a holder that are neither revoked nor replaced.
pub(super) async fn live_enrolments(db: &mut Connection, holder: i64) -> Result<Vec<Enrolment>> {
    let sql = format!("{ENROLMENT} e.holder = $1 AND e.state IN ('active', 'suspended')");
    let rows = sqlx::query(crate::db::assembled(sql))
        .bind(holder)
        .fetch_all(db)
        .await?;
    rows.iter().map(enrolment).collect()
}

/// Adds an enrolment of a new pseudonym. False where the pseudonym is taken.
pub(super) async fn insert_enrolment(tx: &mut Connection, new: &Enrolment, now: UnixMillis) -> Result<bool> {
    let inserted = sqlx::query(
        "INSERT INTO enrolment (pseudonym, holder, device, code_key, key_storage, state, epoch, row_until, created_at) \
         VALUES ($1, $2, $3, $4, $5, 'active', $6, $7, $8) ON CONFLICT (pseudonym) DO NOTHING",
    )
    .bind(new.pseudonym.0.to_vec())
    .bind(new.holder)
    .bind(new.device.to_string())
    .bind(new.code_key.as_bytes().to_vec())
    .bind(new.key_storage.to_stored())
    .bind(i64::from(new.standing.epoch.get()))
    .bind(i64::from(new.row_until))
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Stores a certificate as the newest of its epoch, and its epoch as the newest of its enrolment.
pub(super) async fn store_certificate(
    tx: &mut Connection,
    certificate: &Credential,
    (from, until): (UnixMillis, UnixMillis),
    row_until: u16,
    now: UnixMillis,
) -> Result<()> {
    let (pseudonym, epoch) = (
        certificate.body.pseudonym.0.to_vec(),
        i64::from(certificate.body.epoch.get()),
    );
    sqlx::query(
        "INSERT INTO credential_epoch (pseudonym, epoch, certificate, certificate_from, certificate_until, issued_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (pseudonym, epoch) DO UPDATE \
         SET certificate = $3, certificate_from = $4, certificate_until = $5",
    )
    .bind(pseudonym.clone())
    .bind(epoch)
    .bind(certificate.to_bytes().to_vec())
    .bind(from.0)
    .bind(until.0)
    .bind(now.0)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "UPDATE enrolment SET epoch = $2, epoch_due = 0, row_until = $3 WHERE pseudonym = $1 AND epoch <= $2",
    )
    .bind(pseudonym)
    .bind(epoch)
    .bind(i64::from(row_until))
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn set_state(
    tx: &mut Connection,
    pseudonym: Pseudonym,
    state: EnrolmentState,
) -> Result<()> {
    sqlx::query("UPDATE enrolment SET state = $2 WHERE pseudonym = $1")
        .bind(pseudonym.0.to_vec())
        .bind(state.to_stored())
        .execute(tx)
        .await?;
    Ok(())
}

/// Has the next renewal bring a new epoch.
pub(crate) async fn set_epoch_due(tx: &mut Connection, pseudonym: Pseudonym) -> Result<()> {
    sqlx::query("UPDATE enrolment SET epoch_due = 1 WHERE pseudonym = $1")
        .bind(pseudonym.0.to_vec())
        .execute(tx)
        .await?;
    Ok(())
}

/// Refuses epochs below `min_epoch` from an instant on.
pub(super) async fn raise_min_epoch(
    tx: &mut Connection,
    pseudonym: Pseudonym,
    min_epoch: MinEpoch,
    effective_at: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO min_epoch_change (pseudonym, min_epoch, effective_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(pseudonym.0.to_vec())
    .bind(i64::from(min_epoch.get()))
    .bind(effective_at.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Has the next version of the table look at this row.
pub(super) async fn mark_dirty(tx: &mut Connection, pseudonym: Pseudonym) -> Result<()> {
    sqlx::query("INSERT INTO dirty_row (pseudonym) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(pseudonym.0.to_vec())
        .execute(tx)
        .await?;
    Ok(())
}

/// Has the next version of the table look at all rows of a holder: whether they may pay offline has changed.
pub(crate) async fn mark_holder_dirty(tx: &mut Connection, holder: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO dirty_row (pseudonym) SELECT pseudonym FROM enrolment WHERE holder = $1 ON CONFLICT DO NOTHING",
    )
    .bind(holder)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn insert_challenge(
    tx: &mut Connection,
    nonce: &[u8; 32],
    device: Uuid,
    expires_at: UnixMillis,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query("DELETE FROM challenge WHERE expires_at < $1")
        .bind(now.plus_millis(-HOUR).0)
        .execute(&mut *tx)
        .await?;
    sqlx::query("INSERT INTO challenge (nonce, device, expires_at) VALUES ($1, $2, $3)")
        .bind(nonce.to_vec())
        .bind(device.to_string())
        .bind(expires_at.0)
        .execute(tx)
        .await?;
    Ok(())
}

/// Uses a challenge up. False where this device has none of that nonce that still lives.
pub(super) async fn take_challenge(
    tx: &mut Connection,
    nonce: &[u8; 32],
    device: Uuid,
    now: UnixMillis,
) -> Result<bool> {
    let taken = sqlx::query("DELETE FROM challenge WHERE nonce = $1 AND device = $2 AND expires_at > $3")
        .bind(nonce.to_vec())
        .bind(device.to_string())
        .bind(now.0)
        .execute(tx)
        .await?;
    Ok(taken.rows_affected() == 1)
}

/// The keys that the keyset lists.
pub(super) async fn online_keys(db: &mut Connection) -> Result<Vec<KeysetEntry>> {
    let rows = sqlx::query("SELECT kid, role, public_key, valid_from, valid_to FROM issuer_key ORDER BY kid")
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(KeysetEntry {
                id: KeyId(int(row, "kid")?),
                role: variant(row, "role")?,
                from: UnixSeconds(int(row, "valid_from")?),
                to: UnixSeconds(int(row, "valid_to")?),
                key: PublicKey::from_compressed(bytes(row, "public_key")?)?,
            })
        })
        .collect()
}

pub(super) async fn insert_online_key(tx: &mut Connection, entry: &KeysetEntry) -> Result<()> {
    sqlx::query(
        "INSERT INTO issuer_key (kid, role, public_key, valid_from, valid_to) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(i64::from(entry.id.0))
    .bind(entry.role.to_stored())
    .bind(entry.key.as_bytes().to_vec())
    .bind(i64::from(entry.from.0))
    .bind(i64::from(entry.to.0))
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn delete_online_key(tx: &mut Connection, id: KeyId) -> Result<()> {
    sqlx::query("DELETE FROM issuer_key WHERE kid = $1")
        .bind(i64::from(id.0))
        .execute(tx)
        .await?;
    Ok(())
}

/// A setting that is written once: the stored value, which becomes `value` where there was none.
pub(crate) async fn pin_setting(tx: &mut Connection, name: &'static str, value: &str) -> Result<String> {
    sqlx::query("INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(value)
        .execute(&mut *tx)
        .await?;
    let row = sqlx::query("SELECT value FROM setting WHERE name = $1")
        .bind(name)
        .fetch_one(tx)
        .await?;
    Ok(row.try_get("value")?)
}

/// A setting, where it was written.
pub(super) async fn setting(db: &mut Connection, name: &'static str) -> Result<Option<String>> {
    let row = sqlx::query("SELECT value FROM setting WHERE name = $1")
        .bind(name)
        .fetch_optional(db)
        .await?;
    row.map(|row| Ok(row.try_get("value")?)).transpose()
}
