//! The SQL of holders and their accounts.

use crate::db::{
    Connection, StoredEnum as _, assembled, int, placeholders, stored_enum, take_numbers, uuid, variant,
};
use crate::error::Result;
use crate::ledger::{AccountId, AccountKind, HolderFunds, NewAccount, create_account};
use crate::random::new_id;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;
use yika_api::account::{Account, AccountStatus, Balance};
use yika_api::{Fen, LocalizedText, UnixMillis};
use yika_format::Slot;

stored_enum!(AccountStatus {
    AccountStatus::Open = "open",
    AccountStatus::Frozen = "frozen",
    AccountStatus::Closed = "closed",
});

/// Whether credentials are issued to a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HolderStatus {
    Active,
    Frozen,
}
stored_enum!(HolderStatus { HolderStatus::Active = "active", HolderStatus::Frozen = "frozen" });

/// A person with a card.
#[derive(Clone, Debug)]
pub(crate) struct HolderRow {
    pub(crate) id: i64,
    pub(crate) number: String,
    pub(crate) name: String,
    pub(crate) class: u8,
    pub(crate) status: HolderStatus,
}

fn holder(row: &AnyRow) -> Result<HolderRow> {
    Ok(HolderRow {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        name: row.try_get("name")?,
        class: int(row, "class")?,
        status: variant(row, "status")?,
    })
}

/// Adds a holder, whom the host knows by `number`, unless there is one of that number.
pub(crate) async fn insert_holder(
    tx: &mut Connection,
    number: &str,
    name: &str,
    class: u8,
    now: UnixMillis,
) -> Result<i64> {
    if let Some(known) = holder_by_number(tx, number).await? {
        return Ok(known.id);
    }
    let id = take_numbers(tx, "holder", 1).await?;
    sqlx::query(
        "INSERT INTO holder (id, subject, number, name, class, status, created_at) \
         VALUES ($1, $2, $2, $3, $4, 'active', $5)",
    )
    .bind(id)
    .bind(number)
    .bind(name)
    .bind(i64::from(class))
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(id)
}

pub(crate) async fn holder_by_number(db: &mut Connection, number: &str) -> Result<Option<HolderRow>> {
    let row = sqlx::query("SELECT id, number, name, class, status FROM holder WHERE number = $1")
        .bind(number)
        .fetch_optional(db)
        .await?;
    row.map(|row| holder(&row)).transpose()
}

pub(crate) async fn holder_by_id(db: &mut Connection, id: i64) -> Result<Option<HolderRow>> {
    let row = sqlx::query("SELECT id, number, name, class, status FROM holder WHERE id = $1")
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(|row| holder(&row)).transpose()
}

pub(crate) async fn list_holders(db: &mut Connection) -> Result<Vec<HolderRow>> {
    let rows = sqlx::query("SELECT id, number, name, class, status FROM holder ORDER BY number")
        .fetch_all(db)
        .await?;
    rows.iter().map(holder).collect()
}

pub(crate) async fn set_holder_status(tx: &mut Connection, holder: i64, status: HolderStatus) -> Result<()> {
    sqlx::query("UPDATE holder SET status = $2 WHERE id = $1")
        .bind(holder)
        .bind(status.to_stored())
        .execute(tx)
        .await?;
    Ok(())
}

/// Corrects what a holder is called and is.
pub(crate) async fn set_name_and_class(
    tx: &mut Connection,
    holder: i64,
    name: &str,
    class: u8,
) -> Result<()> {
    sqlx::query("UPDATE holder SET name = $2, class = $3 WHERE id = $1")
        .bind(holder)
        .bind(name)
        .bind(i64::from(class))
        .execute(tx)
        .await?;
    Ok(())
}

/// What a holder's account at a slot is called, whatever state it is in.
pub(crate) async fn account_name(
    db: &mut Connection,
    holder: i64,
    slot: Slot,
) -> Result<Option<LocalizedText>> {
    let row = sqlx::query(
        "SELECT name_zh, name_en FROM ledger_account WHERE holder = $1 AND kind = 'card' AND slot = $2",
    )
    .bind(holder)
    .bind(i64::from(slot.get()))
    .fetch_optional(db)
    .await?;
    row.map(|row| {
        Ok(LocalizedText {
            zh: row.try_get("name_zh")?,
            en: row.try_get("name_en")?,
        })
    })
    .transpose()
}

/// Calls it something else.
pub(crate) async fn rename_account(
    tx: &mut Connection,
    holder: i64,
    slot: Slot,
    name: &LocalizedText,
) -> Result<()> {
    sqlx::query(
        "UPDATE ledger_account SET name_zh = $3, name_en = $4, version = version + 1 \
         WHERE holder = $1 AND kind = 'card' AND slot = $2",
    )
    .bind(holder)
    .bind(i64::from(slot.get()))
    .bind(&name.zh)
    .bind(&name.en)
    .execute(tx)
    .await?;
    Ok(())
}

/// Opens a card account at a slot, with the receivable beside it. An account that is there stays as it is.
pub(crate) async fn open_card_account(
    tx: &mut Connection,
    holder: i64,
    slot: Slot,
    name: &LocalizedText,
    now: UnixMillis,
) -> Result<()> {
    if slots_of(tx, holder).await?.contains(&slot) {
        return Ok(());
    }
    let card = NewAccount {
        public_id: new_id(now),
        kind: AccountKind::Card,
        holder: Some(holder),
        slot: Some(slot.get()),
        card_account: None,
        merchant: None,
        name: name.clone(),
    };
    let id = create_account(tx, &card).await?;
    let receivable = NewAccount {
        public_id: new_id(now),
        kind: AccountKind::Receivable,
        slot: None,
        card_account: Some(id),
        ..card
    };
    create_account(tx, &receivable).await?;
    Ok(())
}

/// The slots from which a holder can pay.
pub(crate) async fn slots_of(db: &mut Connection, holder: i64) -> Result<Vec<Slot>> {
    let rows = sqlx::query(
        "SELECT slot FROM ledger_account WHERE holder = $1 AND kind = 'card' AND status = 'open' ORDER BY slot",
    )
    .bind(holder)
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| Ok(Slot::new(int(row, "slot")?)?)).collect()
}

/// A holder's accounts, without the rules by which they are topped up. A balance is what is on the card less what is owed.
pub(crate) async fn list_accounts(db: &mut Connection, holder: i64, now: UnixMillis) -> Result<Vec<Account>> {
    let rows = sqlx::query(
        "SELECT c.public_id, c.slot, c.name_zh, c.name_en, c.status, c.low_below, c.balance + r.balance AS balance, \
         c.version + r.version AS version, (SELECT CAST(COALESCE(SUM(-p.amount), 0) AS BIGINT) FROM payment p \
         WHERE p.account = c.id AND p.status = 'disputed') + \
         (SELECT CAST(COALESCE(SUM(-p.amount - p.refunded), 0) AS BIGINT) FROM dispute d JOIN payment p ON p.id = d.payment \
         WHERE d.holder = c.holder AND d.phase IN ('open', 'review') AND p.account = c.id) AS pending \
         FROM ledger_account c JOIN ledger_account r ON r.card_account = c.id \
         WHERE c.holder = $1 AND c.kind = 'card' ORDER BY c.slot",
    )
    .bind(holder)
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| account(row, now)).collect()
}

fn account(row: &AnyRow, now: UnixMillis) -> Result<Account> {
    Ok(Account {
        id: uuid(row, "public_id")?,
        slot: int(row, "slot")?,
        name: LocalizedText {
            zh: row.try_get("name_zh")?,
            en: row.try_get("name_en")?,
        },
        balance: Balance {
            amount: Fen::new(row.try_get("balance")?),
            as_of: now,
            version: int(row, "version")?,
            pending: Fen::new(row.try_get("pending")?),
        },
        status: variant(row, "status")?,
        low_below: row.try_get::<Option<i64>, _>("low_below")?.map(Fen::new),
        auto_top_up: None,
    })
}

/// Freezes a card account, or opens it again.
pub(crate) async fn set_account_status(
    tx: &mut Connection,
    card: AccountId,
    status: AccountStatus,
) -> Result<()> {
    sqlx::query("UPDATE ledger_account SET status = $2 WHERE id = $1")
        .bind(card.0)
        .bind(status.to_stored())
        .execute(tx)
        .await?;
    Ok(())
}

/// Keeps below which balance of a card account its holder wants to be told.
pub(super) async fn set_low_below(tx: &mut Connection, card: AccountId, below: Option<Fen>) -> Result<()> {
    sqlx::query("UPDATE ledger_account SET low_below = $2 WHERE id = $1")
        .bind(card.0)
        .bind(below.map(Fen::get))
        .execute(tx)
        .await?;
    Ok(())
}

/// A card account by whom it belongs to, with what is on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CardAccount {
    pub(crate) holder: i64,
    pub(crate) slot: Slot,
    pub(crate) status: AccountStatus,
    pub(crate) funds: HolderFunds,
}

const FUNDS: &str = "SELECT c.holder, c.slot, c.status, c.id, c.balance, r.id AS receivable, r.balance AS owed \
     FROM ledger_account c JOIN ledger_account r ON r.card_account = c.id WHERE ";

fn card_account(row: &AnyRow) -> Result<CardAccount> {
    Ok(CardAccount {
        holder: row.try_get("holder")?,
        slot: Slot::new(int(row, "slot")?)?,
        status: variant(row, "status")?,
        funds: HolderFunds::new(
            AccountId(row.try_get("id")?),
            AccountId(row.try_get("receivable")?),
            Fen::new(row.try_get("balance")?),
            Fen::new(row.try_get("owed")?),
        ),
    })
}

/// All card accounts of these holders, whatever their status: what was approved is charged.
pub(crate) async fn funds_of_slots(db: &mut Connection, holders: &[i64]) -> Result<Vec<CardAccount>> {
    if holders.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("{FUNDS} c.holder IN {}", placeholders(db, 1, 1, holders.len()));
    let mut query = sqlx::query(assembled(sql));
    for holder in holders {
        query = query.bind(*holder);
    }
    query.fetch_all(db).await?.iter().map(card_account).collect()
}

/// A holder's card account by its public identifier.
pub(crate) async fn card_account_of(
    db: &mut Connection,
    holder: i64,
    public_id: Uuid,
) -> Result<Option<CardAccount>> {
    let sql = format!("{FUNDS} c.holder = $1 AND c.public_id = $2");
    let row = sqlx::query(assembled(sql))
        .bind(holder)
        .bind(public_id.to_string())
        .fetch_optional(db)
        .await?;
    row.map(|row| card_account(&row)).transpose()
}

/// A card account.
pub(crate) async fn card_account_by_id(db: &mut Connection, id: AccountId) -> Result<CardAccount> {
    let sql = format!("{FUNDS} c.id = $1");
    let row = sqlx::query(assembled(sql)).bind(id.0).fetch_one(db).await?;
    card_account(&row)
}
