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
pub(crate) async fn lock_terminal(tx: &mut Connection, id: i64) -> Result<TerminalRow> {
    sqlx::query("UPDATE terminal SET frozen = frozen WHERE id = $1")
        .bind(id)
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

pub(super) async fn merchant_by_id(db: &mut Connection, id: i64) -> Result<Option<MerchantRow>> {
    let row = sqlx::query("SELECT id, name_zh, name_en FROM merchant WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(|row| merchant(&row)).transpose()
}

/// The merchant for whom terminals of a kind take payments when they name none.
pub(super) async fn default_merchant(db: &mut Connection, kind: TerminalKind) -> Result<Option<MerchantRow>> {
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

pub(super) async fn insert_code(tx: &mut Connection, hash: &[u8; 32], expires_at: UnixMillis) -> Result<()> {
    sqlx::query("INSERT INTO enrolment_code (hash, expires_at) VALUES ($1, $2)")
        .bind(hash.to_vec())
        .bind(expires_at.0)
        .execute(tx)
        .await?;
    Ok(())
}

/// Uses an enrolment code up. Refused where it is unknown, used or expired.
pub(super) async fn use_code(tx: &mut Connection, hash: &[u8; 32], now: UnixMillis) -> Result<()> {
    let used = sqlx::query(
        "UPDATE enrolment_code SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2",
    )
    .bind(hash.to_vec())
    .bind(now.0)
    .execute(tx)
    .await?;
    match used.rows_affected() {
        1 => Ok(()),
        _ => Err(Error::refused(yika_api::ProblemCode::InvalidEnrolmentCode)),
    }
}
