//! The SQL of the ledger. A batch of transactions costs a handful of statements, whatever its size.

use super::{AccountId, Booking, TransactionId};
use crate::db::{
    Connection, ROWS, StoredEnum as _, assembled, int, placeholders, stored_enum, take_numbers, variant,
};
use crate::error::{Error, Result};
use sqlx::Row as _;
use std::collections::BTreeMap;
use uuid::Uuid;
use yika_api::{Fen, LocalizedText};

/// What an account stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum AccountKind {
    /// A holder's account, named by a slot.
    Card,
    /// What a holder owes beside a card account.
    Receivable,
    /// What a merchant has earned.
    Merchant,
    /// What the school pays where nobody else does.
    SchoolRisk,
    /// Through which all money comes and goes.
    Funding,
    /// A holder's e-wallet, less what is held.
    Wallet,
    /// Money of wallets that operations under way may take.
    Hold,
    /// What the bank has of wallets and holds; below zero.
    Custody,
    /// What the bank charged for payments off bank cards.
    Fee,
    /// What the school owes to utilities.
    Utility,
}
stored_enum!(AccountKind {
    AccountKind::Card = "card",
    AccountKind::Receivable = "receivable",
    AccountKind::Merchant = "merchant",
    AccountKind::SchoolRisk = "school_risk",
    AccountKind::Funding = "funding",
    AccountKind::Wallet = "wallet",
    AccountKind::Hold = "hold",
    AccountKind::Custody = "custody",
    AccountKind::Fee = "fee",
    AccountKind::Utility = "utility",
});

/// An account to be opened.
#[derive(Clone, Debug)]
pub(crate) struct NewAccount {
    pub(crate) public_id: Uuid,
    pub(crate) kind: AccountKind,
    pub(crate) holder: Option<i64>,
    pub(crate) slot: Option<u8>,
    pub(crate) card_account: Option<AccountId>,
    pub(crate) merchant: Option<i64>,
    pub(crate) name: LocalizedText,
}

/// The balances of one kind of account, summed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindTotal {
    /// The kind: `card`, `receivable`, `merchant`, `school_risk`, `funding`, `wallet`, `hold`, `custody`, `fee` or
    /// `utility`.
    pub kind: &'static str,
    /// How many accounts there are.
    pub accounts: u64,
    /// The sum of their balances.
    pub sum: Fen,
    /// The sum of their postings; the same, unless a row was changed by hand.
    pub postings: Fen,
}

/// Opens an account.
pub(crate) async fn create_account(tx: &mut Connection, account: &NewAccount) -> Result<AccountId> {
    let id = take_numbers(tx, "ledger_account", 1).await?;
    sqlx::query(
        "INSERT INTO ledger_account (id, public_id, kind, holder, slot, card_account, merchant, name_zh, name_en, status) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open')",
    )
    .bind(id)
    .bind(account.public_id.to_string())
    .bind(account.kind.to_stored())
    .bind(account.holder)
    .bind(account.slot.map(i64::from))
    .bind(account.card_account.map(|card| card.0))
    .bind(account.merchant)
    .bind(&account.name.zh)
    .bind(&account.name.en)
    .execute(tx)
    .await?;
    Ok(AccountId(id))
}

/// The account of which the school has one.
pub(crate) async fn school_account(db: &mut Connection, kind: AccountKind) -> Result<AccountId> {
    let row = sqlx::query("SELECT id FROM ledger_account WHERE kind = $1")
        .bind(kind.to_stored())
        .fetch_one(db)
        .await?;
    int(&row, "id").map(AccountId)
}

/// A merchant's account.
pub(crate) async fn account_of_merchant(db: &mut Connection, merchant: i64) -> Result<Option<AccountId>> {
    let row = sqlx::query("SELECT id FROM ledger_account WHERE merchant = $1")
        .bind(merchant)
        .fetch_optional(db)
        .await?;
    row.map(|row| int(&row, "id").map(AccountId)).transpose()
}

/// What a merchant has earned.
pub(crate) async fn merchant_balance(db: &mut Connection, merchant: i64) -> Result<Fen> {
    let row = sqlx::query("SELECT balance FROM ledger_account WHERE merchant = $1")
        .bind(merchant)
        .fetch_one(db)
        .await?;
    Ok(Fen::new(row.try_get("balance")?))
}

/// What stands on an account.
pub(crate) async fn balance(db: &mut Connection, account: AccountId) -> Result<Fen> {
    let row = sqlx::query("SELECT balance FROM ledger_account WHERE id = $1")
        .bind(account.0)
        .fetch_one(db)
        .await?;
    Ok(Fen::new(row.try_get("balance")?))
}

/// Books transactions and returns the number of the first; the others follow it. The database's sums are checked
/// before they can be committed.
pub(crate) async fn book(tx: &mut Connection, bookings: &[Booking]) -> Result<TransactionId> {
    let count = i64::try_from(bookings.len()).unwrap_or(i64::MAX);
    let first = take_numbers(tx, "ledger_transaction", count).await?;
    if bookings.is_empty() {
        return Ok(TransactionId(first));
    }
    let numbered: Vec<(i64, &Booking)> = (first..).zip(bookings).collect();
    for chunk in numbered.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO ledger_transaction (id, kind, at) VALUES {}",
            placeholders(tx, 1, chunk.len(), 3)
        );
        let mut insert = sqlx::query(assembled(sql));
        for (id, booking) in chunk {
            insert = insert.bind(*id).bind(booking.kind.to_stored()).bind(booking.at.0);
        }
        insert.execute(&mut *tx).await?;
    }
    insert_postings(tx, &numbered).await?;
    apply_to_balances(tx, bookings).await?;
    check_sums(tx, first, first + count - 1).await?;
    Ok(TransactionId(first))
}

async fn insert_postings(tx: &mut Connection, bookings: &[(i64, &Booking)]) -> Result<()> {
    let mut lines = Vec::new();
    for (id, booking) in bookings {
        lines.extend(
            (0_i64..)
                .zip(&booking.postings)
                .map(|(line, posting)| (*id, line, posting)),
        );
    }
    for chunk in lines.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO posting (transaction_id, line, account, amount) VALUES {}",
            placeholders(tx, 1, chunk.len(), 4)
        );
        let mut insert = sqlx::query(assembled(sql));
        for (id, line, posting) in chunk {
            insert = insert
                .bind(*id)
                .bind(*line)
                .bind(posting.account.0)
                .bind(posting.amount.get());
        }
        insert.execute(&mut *tx).await?;
    }
    Ok(())
}

/// Adds the postings to the balances beside them; each posting raises its account's version by one.
async fn apply_to_balances(tx: &mut Connection, bookings: &[Booking]) -> Result<()> {
    let mut changes: BTreeMap<AccountId, (Fen, i64)> = BTreeMap::new();
    for posting in bookings.iter().flat_map(|booking| &booking.postings) {
        let (sum, count) = changes.entry(posting.account).or_default();
        *sum = sum.checked_add(posting.amount)?;
        *count += 1;
    }
    let changes: Vec<_> = changes.into_iter().collect();
    for chunk in changes.chunks(ROWS) {
        let sql = format!(
            "WITH change (id, amount, postings) AS (VALUES {}) \
             UPDATE ledger_account SET balance = balance + change.amount, version = version + change.postings \
             FROM change WHERE ledger_account.id = change.id",
            placeholders(tx, 1, chunk.len(), 3)
        );
        let mut update = sqlx::query(assembled(sql));
        for (account, (sum, count)) in chunk {
            update = update.bind(account.0).bind(sum.get()).bind(*count);
        }
        update.execute(&mut *tx).await?;
    }
    Ok(())
}

/// The last check before a commit: no transaction of this batch is out of balance in the database itself.
async fn check_sums(tx: &mut Connection, first: i64, last: i64) -> Result<()> {
    let unbalanced = sqlx::query(
        "SELECT transaction_id FROM posting WHERE transaction_id BETWEEN $1 AND $2 \
         GROUP BY transaction_id HAVING SUM(amount) <> 0 LIMIT 1",
    )
    .bind(first)
    .bind(last)
    .fetch_optional(tx)
    .await?;
    match unbalanced {
        None => Ok(()),
        Some(_) => Err(Error::Unbalanced),
    }
}

/// The sums of all accounts, by kind.
pub(crate) async fn totals(db: &mut Connection) -> Result<Vec<KindTotal>> {
    let rows = sqlx::query(
        "SELECT a.kind, COUNT(*) AS accounts, CAST(SUM(a.balance) AS BIGINT) AS balance, \
         CAST(COALESCE(SUM(p.amount), 0) AS BIGINT) AS postings FROM ledger_account a \
         LEFT JOIN (SELECT account, SUM(amount) AS amount FROM posting GROUP BY account) p ON p.account = a.id \
         GROUP BY a.kind ORDER BY a.kind",
    )
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(KindTotal {
                kind: variant::<AccountKind>(row, "kind")?.to_stored(),
                accounts: int(row, "accounts")?,
                sum: Fen::new(row.try_get("balance")?),
                postings: Fen::new(row.try_get("postings")?),
            })
        })
        .collect()
}
