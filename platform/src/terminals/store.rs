//! The SQL of terminals, merchants and enrolment codes.

use crate::db::{Connection, StoredEnum as _, bytes, int, stored_enum, take_numbers, variant};
use crate::error::{Error, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use yika_api::terminal::{Merchant, MerchantId, TerminalId, TerminalKind};
use yika_api::{LocalizedText, UnixMillis};
use yika_format::PublicKey;

stored_enum!(TerminalKind {
    TerminalKind::Pos = "pos",
    TerminalKind::Gate = "gate",
    TerminalKind::Library = "library",
});

/// A terminal as it stands.
#[derive(Clone, Debug)]
pub(crate) struct TerminalRow {
    pub(crate) id: i64,
    pub(crate) key: PublicKey,
    pub(crate) kind: TerminalKind,
    pub(crate) merchant: Option<i64>,
    pub(crate) label: String,
    pub(crate) next_sequence: u64,
    /// Hash of the last settled record; zeros before the first.
    pub(crate) chain_hash: [u8; 32],
    pub(crate) is_frozen: bool,
    /// To which a library desk's directories are sealed.
    pub(crate) directory_key: Option<PublicKey>,
}

/// A terminal with when it was heard.
#[derive(Clone, Debug)]
pub(crate) struct HeardTerminal {
    pub(crate) row: TerminalRow,
    /// When it last handed in what it had.
    pub(crate) uploaded_at: Option<UnixMillis>,
    enrolled_at: UnixMillis,
}

impl HeardTerminal {
    /// The last sign of it.
    pub(crate) fn heard_at(&self) -> UnixMillis {
        self.uploaded_at.unwrap_or(self.enrolled_at)
    }
}

/// A terminal that is being enrolled.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewTerminal<'a> {
    pub(super) key: PublicKey,
    pub(super) kind: TerminalKind,
    pub(super) merchant: Option<i64>,
    pub(super) label: Option<&'a str>,
    pub(super) directory_key: Option<PublicKey>,
}

impl TerminalRow {
    pub(crate) fn public_id(&self) -> TerminalId {
        TerminalId(u64::try_from(self.id).unwrap_or_default())
    }
}

/// A merchant.
#[derive(Clone, Debug)]
pub(crate) struct MerchantRow {
    pub(crate) id: i64,
    pub(crate) name: LocalizedText,
}

impl MerchantRow {
    pub(crate) fn to_api(&self) -> Merchant {
        Merchant {
            id: MerchantId(u64::try_from(self.id).unwrap_or_default()),
            name: self.name.clone(),
        }
    }
}

const TERMINAL: &str = "SELECT id, public_key, kind, merchant, label, next_sequence, chain_hash, frozen, \
     directory_key FROM terminal ";

fn terminal(row: &AnyRow) -> Result<TerminalRow> {
    let directory_key = match row.try_get::<Option<Vec<u8>>, _>("directory_key")? {
        Some(_) => Some(PublicKey::from_compressed(bytes(row, "directory_key")?)?),
        None => None,
    };
    Ok(TerminalRow {
        id: row.try_get("id")?,
        key: PublicKey::from_compressed(bytes(row, "public_key")?)?,
        kind: variant(row, "kind")?,
        merchant: row.try_get("merchant")?,
        label: row.try_get("label")?,
        next_sequence: int(row, "next_sequence")?,
        chain_hash: bytes(row, "chain_hash")?,
        is_frozen: int::<u8>(row, "frozen")? != 0,
        directory_key,
    })
}

pub(super) async fn terminal_of_key(db: &mut Connection, key: &PublicKey) -> Result<Option<TerminalRow>> {
    let sql = format!("{TERMINAL} WHERE public_key = $1");
    let row = sqlx::query(crate::db::assembled(sql))
        .bind(key.as_bytes().to_vec())
        .fetch_optional(db)
        .await?;
    row.map(|row| terminal(&row)).transpose()
}

/// A terminal within the transaction that settles its records: touched first, so that two uploads wait for each other.
pub(crate) async fn lock_terminal(tx: &mut Connection, id: i64, now: UnixMillis) -> Result<TerminalRow> {
    sqlx::query("UPDATE terminal SET uploaded_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
    let row = sqlx::query(crate::db::assembled(format!("{TERMINAL} WHERE id = $1")))
        .bind(id)
        .fetch_one(tx)
        .await?;
    terminal(&row)
}

pub(crate) async fn list_terminals(db: &mut Connection) -> Result<Vec<TerminalRow>> {
    let rows = sqlx::query(crate::db::assembled(format!("{TERMINAL} ORDER BY id")))
        .fetch_all(db)
        .await?;
    rows.iter().map(terminal).collect()
}

/// The terminals of a merchant, with when they were heard.
pub(crate) async fn terminals_of_merchant(db: &mut Connection, merchant: i64) -> Result<Vec<HeardTerminal>> {
    let sql = "SELECT id, public_key, kind, merchant, label, next_sequence, chain_hash, frozen, directory_key, uploaded_at, \
         enrolled_at FROM terminal WHERE merchant = $1 ORDER BY id";
    let rows = sqlx::query(sql).bind(merchant).fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let uploaded_at: Option<i64> = row.try_get("uploaded_at")?;
            Ok(HeardTerminal {
                row: terminal(row)?,
                uploaded_at: uploaded_at.map(UnixMillis),
                enrolled_at: UnixMillis(row.try_get("enrolled_at")?),
            })
        })
        .collect()
}

/// Adds a terminal and gives it its number.
pub(super) async fn insert_terminal(
    tx: &mut Connection,
    new: &NewTerminal<'_>,
    now: UnixMillis,
) -> Result<TerminalRow> {
    let id = take_numbers(tx, "terminal", 1).await?;
    let label = match (new.label, new.kind) {
        (Some(label), _) => label.to_owned(),
        (None, TerminalKind::Pos) => format!("POS {id}"),
        (None, TerminalKind::Gate) => format!("Gate {id}"),
        (None, TerminalKind::Library) => format!("Library desk {id}"),
    };
    sqlx::query(
        "INSERT INTO terminal (id, public_key, kind, merchant, label, chain_hash, enrolled_at, directory_key) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id)
    .bind(new.key.as_bytes().to_vec())
    .bind(new.kind.to_stored())
    .bind(new.merchant)
    .bind(&label)
    .bind(vec![0_u8; 32])
    .bind(now.0)
    .bind(new.directory_key.map(|key| key.as_bytes().to_vec()))
    .execute(tx)
    .await?;
    Ok(TerminalRow {
        id,
        key: new.key,
        kind: new.kind,
        merchant: new.merchant,
        label,
        next_sequence: 1,
        chain_hash: [0; 32],
        is_frozen: false,
        directory_key: new.directory_key,
    })
}

fn merchant(row: &AnyRow) -> Result<MerchantRow> {
    let name = LocalizedText {
        zh: row.try_get("name_zh")?,
        en: row.try_get("name_en")?,
    };
    Ok(MerchantRow {
        id: row.try_get("id")?,
        name,
    })
}

pub(crate) async fn merchant_by_id(db: &mut Connection, id: i64) -> Result<Option<MerchantRow>> {
    let row = sqlx::query("SELECT id, name_zh, name_en FROM merchant WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(|row| merchant(&row)).transpose()
}

/// The merchant for whom terminals of a kind take payments when they name none.
pub(crate) async fn default_merchant(db: &mut Connection, kind: TerminalKind) -> Result<Option<MerchantRow>> {
    let row = sqlx::query("SELECT id, name_zh, name_en FROM merchant WHERE default_for = $1")
        .bind(kind.to_stored())
        .fetch_optional(db)
        .await?;
    row.map(|row| merchant(&row)).transpose()
}

pub(crate) async fn list_merchants(db: &mut Connection) -> Result<Vec<MerchantRow>> {
    let rows = sqlx::query("SELECT id, name_zh, name_en FROM merchant ORDER BY id")
        .fetch_all(db)
        .await?;
    rows.iter().map(merchant).collect()
}

/// Adds a merchant, unless there is one of that number. True where it is new.
pub(crate) async fn insert_merchant(
    tx: &mut Connection,
    new: &MerchantRow,
    default_for: Option<TerminalKind>,
    now: UnixMillis,
) -> Result<bool> {
    let inserted = sqlx::query(
        "INSERT INTO merchant (id, name_zh, name_en, default_for, created_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO NOTHING",
    )
    .bind(new.id)
    .bind(&new.name.zh)
    .bind(&new.name.en)
    .bind(default_for.map(|kind| kind.to_stored()))
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// A terminal for which a code is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewCode<'a> {
    pub(crate) kind: TerminalKind,
    pub(crate) merchant: Option<i64>,
    pub(crate) label: &'a str,
}

/// What a terminal becomes with the code that it has.
#[derive(Clone, Debug)]
pub(super) struct PlannedCode {
    pub(super) kind: TerminalKind,
    pub(super) merchant: Option<i64>,
    pub(super) label: String,
}

pub(super) async fn insert_code(
    tx: &mut Connection,
    hash: &[u8; 32],
    planned: Option<&NewCode<'_>>,
    expires_at: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO enrolment_code (hash, expires_at, kind, merchant, label) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(hash.to_vec())
    .bind(expires_at.0)
    .bind(planned.map(|planned| planned.kind.to_stored()))
    .bind(planned.and_then(|planned| planned.merchant))
    .bind(planned.map(|planned| planned.label))
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets the codes that were made for a terminal of this name and not used.
pub(super) async fn drop_codes(tx: &mut Connection, label: &str) -> Result<()> {
    sqlx::query("DELETE FROM enrolment_code WHERE label = $1 AND used_at IS NULL")
        .bind(label)
        .execute(tx)
        .await?;
    Ok(())
}

/// Whether a terminal of this name is enrolled.
pub(crate) async fn is_enrolled(db: &mut Connection, label: &str) -> Result<bool> {
    let row = sqlx::query("SELECT 1 FROM terminal WHERE label = $1 LIMIT 1")
        .bind(label)
        .fetch_optional(db)
        .await?;
    Ok(row.is_some())
}

/// Gives a merchant another name.
pub(crate) async fn rename_merchant(tx: &mut Connection, named: &MerchantRow) -> Result<()> {
    for sql in [
        "UPDATE merchant SET name_zh = $2, name_en = $3 WHERE id = $1",
        "UPDATE ledger_account SET name_zh = $2, name_en = $3 WHERE merchant = $1",
    ] {
        sqlx::query(sql)
            .bind(named.id)
            .bind(&named.name.zh)
            .bind(&named.name.en)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Makes a merchant the one for terminals of a kind that name none, where it is not. Says whether it was not.
pub(crate) async fn set_default_merchant(
    tx: &mut Connection,
    id: i64,
    kind: Option<TerminalKind>,
) -> Result<bool> {
    let Some(kind) = kind else {
        return Ok(false);
    };
    let changed = sqlx::query(
        "UPDATE merchant SET default_for = $2 WHERE id = $1 AND (default_for IS NULL OR default_for <> $2)",
    )
    .bind(id)
    .bind(kind.to_stored())
    .execute(tx)
    .await?;
    Ok(changed.rows_affected() == 1)
}

/// Uses an enrolment code up, and says for which terminal it was made, where for one. Refused where it is unknown, used or expired.
pub(super) async fn use_code(
    tx: &mut Connection,
    hash: &[u8; 32],
    now: UnixMillis,
) -> Result<Option<PlannedCode>> {
    let used = sqlx::query(
        "UPDATE enrolment_code SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 \
         RETURNING kind, merchant, label",
    )
    .bind(hash.to_vec())
    .bind(now.0)
    .fetch_optional(tx)
    .await?;
    let row = used.ok_or_else(|| Error::refused(yika_api::ProblemCode::InvalidEnrolmentCode))?;
    let Some(label) = row.try_get::<Option<String>, _>("label")? else {
        return Ok(None);
    };
    Ok(Some(PlannedCode {
        kind: variant(&row, "kind")?,
        merchant: row.try_get("merchant")?,
        label,
    }))
}
