//! The SQL of wallets and bank cards.

use crate::db::{Connection, int, stored_enum, uuid, variant};
use crate::error::{Error, Result};
use crate::ledger::AccountId;
use sqlx::Row as _;
use uuid::Uuid;
use yika_api::account::Balance;
use yika_api::bank::CardChallenge;
use yika_api::wallet::{BankCard, WalletStatus};
use yika_api::{Fen, LocalizedText, ProblemCode, UnixMillis};

stored_enum!(WalletStatus {
    WalletStatus::None = "none",
    WalletStatus::Open = "open",
    WalletStatus::Frozen = "frozen",
    WalletStatus::Closed = "closed",
});

/// A holder's wallet, or the number that is kept for one.
#[derive(Clone, Debug)]
pub(super) struct WalletRow {
    pub(super) customer: Uuid,
    pub(super) status: WalletStatus,
    pub(super) account: Option<AccountId>,
    /// How the account is called outside, with what is on it and its version.
    pub(super) shown: Option<(Uuid, Fen, u64)>,
}

/// The wallet's row, where the holder has one.
pub(super) async fn find(db: &mut Connection, holder: i64) -> Result<Option<WalletRow>> {
    let row = sqlx::query(
        "SELECT w.customer, w.status, w.account, a.public_id, a.balance, a.version FROM wallet w \
         LEFT JOIN ledger_account a ON a.id = w.account WHERE w.holder = $1",
    )
    .bind(holder)
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let account: Option<i64> = row.try_get("account")?;
    Ok(Some(WalletRow {
        customer: uuid(&row, "customer")?,
        status: variant(&row, "status")?,
        account: account.map(AccountId),
        shown: match account {
            Some(_) => Some((
                uuid(&row, "public_id")?,
                Fen::new(row.try_get("balance")?),
                int(&row, "version")?,
            )),
            None => None,
        },
    }))
}

/// Keeps a number for a holder under which the bank will know them.
pub(super) async fn insert(tx: &mut Connection, holder: i64, customer: Uuid, now: UnixMillis) -> Result<()> {
    sqlx::query("INSERT INTO wallet (holder, customer, status, changed_at) VALUES ($1, $2, 'none', $3)")
        .bind(holder)
        .bind(customer.to_string())
        .bind(now.0)
        .execute(tx)
        .await?;
    Ok(())
}

/// Opens the wallet, with this account.
pub(super) async fn open(
    tx: &mut Connection,
    holder: i64,
    account: AccountId,
    terms_version: u32,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "UPDATE wallet SET status = 'open', account = $2, terms_version = $3, changed_at = $4 WHERE holder = $1",
    )
    .bind(holder)
    .bind(account.0)
    .bind(i64::from(terms_version))
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Closes the wallet and unbinds its cards.
pub(super) async fn close(tx: &mut Connection, holder: i64, now: UnixMillis) -> Result<()> {
    sqlx::query("UPDATE wallet SET status = 'closed', changed_at = $2 WHERE holder = $1")
        .bind(holder)
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE bank_card SET state = 'unbound', is_default = 0 WHERE holder = $1")
        .bind(holder)
        .execute(tx)
        .await?;
    Ok(())
}

/// What is in the wallet as the phone shows it: what is held is still in it, and may come off.
pub(super) fn balance(amount: Fen, version: u64, held: Fen, as_of: UnixMillis) -> Result<Balance> {
    Ok(Balance {
        amount: amount.checked_add(held)?,
        as_of,
        version,
        pending: held,
    })
}

/// The account of a wallet that is open.
pub(crate) async fn open_wallet_account(db: &mut Connection, holder: i64) -> Result<AccountId> {
    let wallet = find(db, holder).await?;
    let open = wallet.filter(|wallet| wallet.status == WalletStatus::Open);
    open.and_then(|wallet| wallet.account)
        .ok_or_else(|| Error::refused(ProblemCode::WalletNotOpen))
}

/// The number under which the bank knows the holder of a wallet that is open.
pub(crate) async fn open_customer(db: &mut Connection, holder: i64) -> Result<Uuid> {
    let wallet = find(db, holder).await?;
    let open = wallet.filter(|wallet| wallet.status == WalletStatus::Open);
    open.map(|wallet| wallet.customer)
        .ok_or_else(|| Error::refused(ProblemCode::WalletNotOpen))
}

/// The account of a wallet, whatever became of it.
pub(crate) async fn wallet_account(db: &mut Connection, holder: i64) -> Result<AccountId> {
    let account = find(db, holder).await?.and_then(|wallet| wallet.account);
    account.ok_or_else(|| sqlx::Error::RowNotFound.into())
}

/// Whether a bank card is bound to the holder's wallet.
pub(crate) async fn is_bound(db: &mut Connection, holder: i64, card: Uuid) -> Result<bool> {
    let row = sqlx::query("SELECT id FROM bank_card WHERE id = $1 AND holder = $2 AND state = 'bound'")
        .bind(card.to_string())
        .bind(holder)
        .fetch_optional(db)
        .await?;
    Ok(row.is_some())
}

/// Whether a bank card of the holder waits for its code, or is bound.
pub(super) async fn is_known(db: &mut Connection, holder: i64, card: Uuid) -> Result<bool> {
    let row = sqlx::query("SELECT id FROM bank_card WHERE id = $1 AND holder = $2 AND state <> 'unbound'")
        .bind(card.to_string())
        .bind(holder)
        .fetch_optional(db)
        .await?;
    Ok(row.is_some())
}

/// The bound cards, the default one first.
pub(super) async fn cards(db: &mut Connection, holder: i64) -> Result<Vec<BankCard>> {
    let rows = sqlx::query(
        "SELECT id, bank_zh, bank_en, tail, is_default FROM bank_card WHERE holder = $1 AND state = 'bound' \
         ORDER BY is_default DESC, bound_at, id",
    )
    .bind(holder)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(BankCard {
                id: uuid(row, "id")?,
                bank: LocalizedText {
                    zh: row.try_get("bank_zh")?,
                    en: row.try_get("bank_en")?,
                },
                tail: row.try_get("tail")?,
                is_default: row.try_get::<i64, _>("is_default")? != 0,
            })
        })
        .collect()
}

/// The card that pays where none is named.
pub(crate) async fn default_card(db: &mut Connection, holder: i64) -> Result<Option<Uuid>> {
    let cards = cards(db, holder).await?;
    Ok(cards.iter().find(|card| card.is_default).map(|card| card.id))
}

/// Keeps a card that waits for its code.
pub(super) async fn insert_card(
    tx: &mut Connection,
    holder: i64,
    card: Uuid,
    challenge: &CardChallenge,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO bank_card (id, holder, state, bank_zh, bank_en, tail) VALUES ($1, $2, 'awaits_code', $3, $4, $5)",
    )
    .bind(card.to_string())
    .bind(holder)
    .bind(&challenge.bank.zh)
    .bind(&challenge.bank.en)
    .bind(&challenge.tail)
    .execute(tx)
    .await?;
    Ok(())
}

/// Binds a card. The first one is the default.
pub(super) async fn bind_card(tx: &mut Connection, holder: i64, card: Uuid, now: UnixMillis) -> Result<()> {
    sqlx::query("UPDATE bank_card SET state = 'bound', bound_at = $2 WHERE id = $1")
        .bind(card.to_string())
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
    choose_default_if_none(tx, holder).await
}

/// Unbinds a card. Where it was the default, the oldest of the others takes its place.
pub(super) async fn unbind_card(tx: &mut Connection, holder: i64, card: Uuid) -> Result<()> {
    sqlx::query("UPDATE bank_card SET state = 'unbound', is_default = 0 WHERE id = $1")
        .bind(card.to_string())
        .execute(&mut *tx)
        .await?;
    choose_default_if_none(tx, holder).await
}

/// Makes a card the default.
pub(super) async fn set_default(tx: &mut Connection, holder: i64, card: Uuid) -> Result<()> {
    sqlx::query("UPDATE bank_card SET is_default = 0 WHERE holder = $1 AND is_default = 1")
        .bind(holder)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE bank_card SET is_default = 1 WHERE id = $1")
        .bind(card.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

async fn choose_default_if_none(tx: &mut Connection, holder: i64) -> Result<()> {
    match cards(tx, holder).await?.first() {
        Some(card) if !card.is_default => set_default(tx, holder, card.id).await,
        _ => Ok(()),
    }
}
