//! What terminals are told: the table with its deltas, and the revocations. Published when something changed, or when
//! the newest gets old; versions only rise.
//!
//! Whatever changes a row marks it dirty in the same transaction. Publishing looks at the dirty rows alone, so its cost
//! follows the changes and not the number of holders; the whole table is laid out only for who asks for it.

use super::keyring::{KeyRing, api_millis, format_millis};
use super::store::mark_dirty;
use crate::Platform;
use crate::clock::{DAY, HOUR};
use crate::db::{Connection, StoredEnum as _, assembled, bytes, int, stored_enum, transact};
use crate::error::{Error, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use yika_api::{ProblemCode, UnixMillis};
use yika_format::credential::Credential;
use yika_format::lists::{
    Delta, Header, Revocation, Revocations, Row, RowFlags, Table, TablePolicy, Unsigned,
};
use yika_format::{Epoch, LimitUnits, MinEpoch, Profile, Pseudonym, PublicKey};

const TABLE_GOOD_MS: i64 = 7 * DAY;
const TABLE_REFRESH_MS: i64 = 12 * HOUR;
const REVOCATIONS_GOOD_MS: i64 = 3 * DAY;
const REVOCATIONS_REFRESH_MS: i64 = HOUR;
/// Deltas older than this are not kept: who comes later downloads the table.
const DELTAS_KEPT_MS: i64 = 30 * DAY;
/// Longest chain of deltas given out: beyond it the whole table is cheaper.
const MAX_CHAIN: u64 = 500;

/// The kinds of stored lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListKind {
    Keyset,
    Delta,
    Revocations,
}
stored_enum!(ListKind {
    ListKind::Keyset = "keyset",
    ListKind::Delta = "delta",
    ListKind::Revocations = "revocations",
});

/// A list as it was signed.
#[derive(Clone, Debug)]
pub(super) struct SignedList {
    pub(super) version: u64,
    pub(super) issued_at: UnixMillis,
    pub(super) good_until: UnixMillis,
    pub(super) bytes: Vec<u8>,
}

/// Signs a list with the table's key.
fn sign(
    keys: &KeyRing,
    version: u64,
    issued_at: UnixMillis,
    good_until: UnixMillis,
    lay_out: impl FnOnce(&Header) -> Unsigned,
) -> Result<SignedList> {
    Ok(SignedList {
        version,
        issued_at,
        good_until,
        bytes: keys.sign_list((version, issued_at, good_until), lay_out)?,
    })
}

fn signed_list(row: &AnyRow) -> Result<SignedList> {
    Ok(SignedList {
        version: int(row, "version")?,
        issued_at: UnixMillis(row.try_get("issued_at")?),
        good_until: UnixMillis(row.try_get("good_until")?),
        bytes: row.try_get("bytes")?,
    })
}

pub(super) async fn newest_list(db: &mut Connection, kind: ListKind) -> Result<Option<SignedList>> {
    let row = sqlx::query(
        "SELECT version, issued_at, good_until, bytes FROM signed_list WHERE kind = $1 ORDER BY version DESC LIMIT 1",
    )
    .bind(kind.to_stored())
    .fetch_optional(db)
    .await?;
    row.map(|row| signed_list(&row)).transpose()
}

pub(super) async fn insert_list(tx: &mut Connection, kind: ListKind, list: &SignedList) -> Result<()> {
    sqlx::query(
        "INSERT INTO signed_list (kind, version, issued_at, good_until, bytes) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(kind.to_stored())
    .bind(i64::try_from(list.version).unwrap_or(i64::MAX))
    .bind(list.issued_at.0)
    .bind(list.good_until.0)
    .bind(list.bytes.clone())
    .execute(tx)
    .await?;
    Ok(())
}

/// The newest keyset: another server may have signed one since this one started.
pub(super) async fn current_keyset(platform: &Platform) -> Result<Vec<u8>> {
    let mut reader = platform.db().read().await?;
    let newest = newest_list(&mut reader, ListKind::Keyset).await?;
    Ok(newest.ok_or(sqlx::Error::RowNotFound)?.bytes)
}

/// The deltas from a version of the table to the newest, each on the one before it.
pub(super) async fn deltas_since(platform: &Platform, base: u64) -> Result<Vec<Vec<u8>>> {
    let newest = publish_table(platform).await?;
    let unavailable = || Error::refused(ProblemCode::DeltaUnavailable);
    let count = newest
        .version
        .checked_sub(base)
        .filter(|&count| count <= MAX_CHAIN)
        .ok_or_else(unavailable)?;
    let mut reader = platform.db().read().await?;
    let rows = sqlx::query(
        "SELECT version, issued_at, good_until, bytes FROM signed_list \
         WHERE kind = 'delta' AND version > $1 AND version <= $2 ORDER BY version",
    )
    .bind(i64::try_from(base).map_err(|_| unavailable())?)
    .bind(i64::try_from(newest.version).unwrap_or(i64::MAX))
    .fetch_all(&mut *reader)
    .await?;
    if u64::try_from(rows.len()) != Ok(count) {
        return Err(unavailable());
    }
    rows.iter()
        .map(|row| signed_list(row).map(|list| list.bytes))
        .collect()
}

/// The newest table, whole and signed. Laid out once a version and kept.
pub(super) async fn whole_table(platform: &Platform) -> Result<axum::body::Bytes> {
    let newest = publish_table(platform).await?;
    let mut cache = platform.table_cache().lock().await;
    if let Some((version, bytes)) = cache.as_ref()
        && *version >= newest.version
    {
        return Ok(bytes.clone());
    }
    let mut snapshot = platform.db().snapshot().await?;
    let newest = newest_list(&mut snapshot, ListKind::Delta)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    let rows = sqlx::query("SELECT row_bytes FROM table_row ORDER BY pseudonym")
        .fetch_all(&mut *snapshot)
        .await?;
    drop(snapshot);
    let (version, keys, policy) = (newest.version, platform.keys(), table_policy(platform));
    let bytes = tokio::task::spawn_blocking(move || {
        let rows = rows
            .iter()
            .map(|row| Ok(Row::decode(&bytes(row, "row_bytes")?)?))
            .collect::<Result<Vec<_>>>()?;
        let times = (newest.version, newest.issued_at, newest.good_until);
        let (key, header) = keys.list_signer(times)?;
        let unsigned = Table::unsigned(&header, &policy, &rows);
        let signature = key.signer.sign(unsigned.preimage())?;
        Ok::<_, Error>(axum::body::Bytes::from(unsigned.with_signature(&signature)))
    })
    .await??;
    *cache = Some((version, bytes.clone()));
    Ok(bytes)
}

fn table_policy(platform: &Platform) -> TablePolicy {
    TablePolicy {
        code_life_s: platform.config().credentials.codes.code_life_s,
        max_skew_s: 60,
        unanchored_limit: LimitUnits(500),
        identity_without_revocations: true,
    }
}

/// The policy that terminals hold; settlement checks by the same.
pub(crate) fn terminal_policy(platform: &Platform) -> TablePolicy {
    table_policy(platform)
}

/// Publishes a version of the table if rows changed or the newest gets old; returns the newest.
async fn publish_table(platform: &Platform) -> Result<SignedList> {
    let now = platform.now();
    let today = day_of(now)?;
    let mut reader = platform.db().read().await?;
    let newest = newest_list(&mut reader, ListKind::Delta).await?;
    let is_fresh = |list: &SignedList| list.issued_at.plus_millis(TABLE_REFRESH_MS) > now;
    if let Some(list) = newest.filter(is_fresh)
        && !has_changes(&mut reader, today, now).await?
    {
        return Ok(list);
    }
    drop(reader);
    let list: Result<_> = transact!(platform.db().writer(), |tx| {
        let newest = newest_list(tx, ListKind::Delta).await?;
        collect_due(tx, today, now).await?;
        let (upserts, deletes) = changed_rows(tx, today, now).await?;
        if let Some(list) = newest
            .as_ref()
            .filter(|list| is_fresh(list) && upserts.is_empty() && deletes.is_empty())
        {
            return Ok(list.clone());
        }
        let version = newest.map_or(0, |list| list.version) + 1;
        let list = sign(
            &platform.keys(),
            version,
            now,
            now.plus_millis(TABLE_GOOD_MS),
            |header| Delta::unsigned(header, &upserts, &deletes),
        )?;
        insert_list(tx, ListKind::Delta, &list).await?;
        sqlx::query("DELETE FROM signed_list WHERE kind = 'delta' AND issued_at < $1")
            .bind(now.plus_millis(-DELTAS_KEPT_MS).0)
            .execute(tx)
            .await?;
        Ok(list)
    });
    let list: SignedList = list?;
    if list.issued_at == now {
        tracing::info!(version = list.version, "published a table");
    }
    Ok(list)
}

pub(super) fn day_of(now: UnixMillis) -> Result<u16> {
    Row::day_of(format_millis(now)).ok_or(Error::StoredValue {
        what: "clock",
        value: now.0.to_string(),
    })
}

async fn has_changes(db: &mut Connection, today: u16, now: UnixMillis) -> Result<bool> {
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM dirty_row) \
         + (SELECT COUNT(*) FROM min_epoch_change WHERE published = 0 AND effective_at <= $1) \
         + (SELECT COUNT(*) FROM table_row WHERE until_day < $2)",
    )
    .bind(now.0)
    .bind(i64::from(today))
    .fetch_one(db)
    .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}

/// Marks the rows dirty that time alone has changed: a lowest epoch took effect, a row ended.
async fn collect_due(tx: &mut Connection, today: u16, now: UnixMillis) -> Result<()> {
    let due = sqlx::query(
        "SELECT DISTINCT pseudonym FROM min_epoch_change WHERE published = 0 AND effective_at <= $1 \
         UNION SELECT pseudonym FROM table_row WHERE until_day < $2",
    )
    .bind(now.0)
    .bind(i64::from(today))
    .fetch_all(&mut *tx)
    .await?;
    for row in &due {
        mark_dirty(tx, Pseudonym(bytes(row, "pseudonym")?)).await?;
    }
    sqlx::query("UPDATE min_epoch_change SET published = 1 WHERE published = 0 AND effective_at <= $1")
        .bind(now.0)
        .execute(tx)
        .await?;
    Ok(())
}

/// Works the dirty rows into the published ones; returns what is new or changed, and what is gone.
async fn changed_rows(
    tx: &mut Connection,
    today: u16,
    now: UnixMillis,
) -> Result<(Vec<Row>, Vec<Pseudonym>)> {
    let rows = sqlx::query(
        "SELECT d.pseudonym, e.epoch, e.row_until, e.code_key, c.certificate, t.row_bytes, \
         (SELECT COALESCE(MAX(m.min_epoch), 1) FROM min_epoch_change m \
          WHERE m.pseudonym = d.pseudonym AND m.effective_at <= $1) AS min_epoch, \
         (SELECT COUNT(*) FROM ledger_account a WHERE a.holder = e.holder AND a.kind = 'receivable' AND a.balance < 0) \
          AS debts FROM dirty_row d JOIN enrolment e ON e.pseudonym = d.pseudonym \
         JOIN credential_epoch c ON c.pseudonym = e.pseudonym AND c.epoch = e.epoch \
         LEFT JOIN table_row t ON t.pseudonym = d.pseudonym ORDER BY d.pseudonym",
    )
    .bind(now.0)
    .fetch_all(&mut *tx)
    .await?;
    let (mut upserts, mut deletes) = (Vec::new(), Vec::new());
    for stored in &rows {
        let row = current_row(stored)?;
        let published: Option<Vec<u8>> = stored.try_get("row_bytes")?;
        if row.until_day < today {
            if published.is_some() {
                sqlx::query("DELETE FROM table_row WHERE pseudonym = $1")
                    .bind(row.pseudonym.0.to_vec())
                    .execute(&mut *tx)
                    .await?;
                deletes.push(row.pseudonym);
            }
        } else if published.as_deref() != Some(&row.to_bytes()[..]) {
            sqlx::query(
                "INSERT INTO table_row (pseudonym, until_day, row_bytes) VALUES ($1, $2, $3) \
                 ON CONFLICT (pseudonym) DO UPDATE SET until_day = $2, row_bytes = $3",
            )
            .bind(row.pseudonym.0.to_vec())
            .bind(i64::from(row.until_day))
            .bind(row.to_bytes().to_vec())
            .execute(&mut *tx)
            .await?;
            upserts.push(row);
        }
    }
    sqlx::query("DELETE FROM dirty_row").execute(tx).await?;
    Ok((upserts, deletes))
}

fn current_row(stored: &AnyRow) -> Result<Row> {
    Ok(Row {
        pseudonym: Pseudonym(bytes(stored, "pseudonym")?),
        epoch: Epoch::new(int(stored, "epoch")?)?,
        min_epoch: MinEpoch::new(int(stored, "min_epoch")?)?,
        until_day: int(stored, "row_until")?,
        attributes: Credential::decode(&bytes::<117>(stored, "certificate")?)?
            .body
            .attributes,
        flags: RowFlags {
            profile: Profile::P256,
            offline_payment: int::<u32>(stored, "debts")? == 0,
        },
        key: PublicKey::from_compressed(bytes(stored, "code_key")?)?,
    })
}

/// The revocations: published anew if they changed or the newest gets old.
pub(super) async fn current_revocations(platform: &Platform) -> Result<Vec<u8>> {
    let now = platform.now();
    let mut reader = platform.db().read().await?;
    let is_current = |list: &SignedList, entries: &[Revocation], keys: &KeyRing| {
        list.issued_at.plus_millis(REVOCATIONS_REFRESH_MS) > now
            && Revocations::open(&list.bytes, &keys.keyset).is_ok_and(|open| open.entries() == entries)
    };
    let keys = platform.keys();
    let entries = revoked(&mut reader, now).await?;
    if let Some(list) = newest_list(&mut reader, ListKind::Revocations).await?
        && is_current(&list, &entries, &keys)
    {
        return Ok(list.bytes);
    }
    drop(reader);
    transact!(platform.db().writer(), |tx| {
        let entries = revoked(tx, now).await?;
        let newest = newest_list(tx, ListKind::Revocations).await?;
        if let Some(list) = newest.as_ref().filter(|list| is_current(list, &entries, &keys)) {
            return Ok(list.bytes.clone());
        }
        let version = newest.map_or(0, |list| list.version) + 1;
        let list = sign(
            &keys,
            version,
            now,
            now.plus_millis(REVOCATIONS_GOOD_MS),
            |header| Revocations::unsigned(header, &entries),
        )?;
        insert_list(tx, ListKind::Revocations, &list).await?;
        Ok(list.bytes)
    })
}

/// Of an enrolment `e`: neither its row nor the last of its certificates has ended. `$1` is the time, `$2` its day.
pub(super) const NOT_ENDED: &str = "(e.row_until >= $2 OR EXISTS (SELECT 1 FROM credential_epoch c \
     WHERE c.pseudonym = e.pseudonym AND c.certificate_until > $1))";

/// The lowest accepted epochs of whatever a terminal somewhere could still accept.
async fn revoked(db: &mut Connection, now: UnixMillis) -> Result<Vec<Revocation>> {
    let sql = format!(
        "SELECT m.pseudonym, MAX(m.min_epoch) AS min_epoch FROM min_epoch_change m \
         JOIN enrolment e ON e.pseudonym = m.pseudonym WHERE m.effective_at <= $1 AND {NOT_ENDED} \
         GROUP BY m.pseudonym ORDER BY m.pseudonym"
    );
    let rows = sqlx::query(assembled(sql))
        .bind(now.0)
        .bind(i64::from(day_of(now)?))
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Revocation {
                pseudonym: Pseudonym(bytes(row, "pseudonym")?),
                min_epoch: MinEpoch::new(int(row, "min_epoch")?)?,
            })
        })
        .collect()
}

/// When a version of the revocations was issued, and until when it was good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RevocationsValidity {
    pub(crate) version: u64,
    pub(crate) issued_at: UnixMillis,
    pub(crate) good_until: UnixMillis,
}

/// The validity of these versions of the revocations, as far as they exist.
pub(crate) async fn revocations_validity(
    db: &mut Connection,
    from_version: u64,
    to_version: u64,
) -> Result<Vec<RevocationsValidity>> {
    let bound = |version| i64::try_from(version).unwrap_or(i64::MAX);
    let rows = sqlx::query(
        "SELECT version, issued_at, good_until FROM signed_list \
         WHERE kind = 'revocations' AND version BETWEEN $1 AND $2",
    )
    .bind(bound(from_version))
    .bind(bound(to_version))
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(RevocationsValidity {
                version: int(row, "version")?,
                issued_at: UnixMillis(row.try_get("issued_at")?),
                good_until: UnixMillis(row.try_get("good_until")?),
            })
        })
        .collect()
}

/// Until when the newest lists that were given out are good: no terminal has any that are good for longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListsUntil {
    pub(super) revocations: Option<UnixMillis>,
    pub(super) table: Option<UnixMillis>,
}

pub(super) async fn lists_until(db: &mut Connection) -> Result<ListsUntil> {
    let revocations = newest_list(db, ListKind::Revocations).await?;
    let table = newest_list(db, ListKind::Delta).await?;
    Ok(ListsUntil {
        revocations: revocations.map(|list| list.good_until),
        table: table.map(|list| list.good_until),
    })
}

/// The last instant of a row's last day.
pub(crate) fn end_of_row(
    row_until: u16,
    pseudonym: Pseudonym,
    key: PublicKey,
    credential: &Credential,
) -> UnixMillis {
    let row = Row {
        pseudonym,
        epoch: credential.body.epoch,
        min_epoch: MinEpoch::ALL,
        until_day: row_until,
        attributes: credential.body.attributes,
        flags: RowFlags {
            profile: Profile::P256,
            offline_payment: true,
        },
        key,
    };
    api_millis(row.until())
}
