//! The SQL of balances and bills. What a row is found by is in the clear, all else is sealed. Pages go by key, so that
//! the millionth bill costs what the first does.

use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params, params_from_iter, types::Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::account::{Account as ToldAccount, AccountStatus};
use yika_api::auto_top_up::AutoTopUp;
use yika_api::payment::PaymentPage;
use yika_api::{Fen, LocalizedText, UnixMillis};
use yika_format::Slot;

use super::model::{Account, Balance, Bill, BillCursor, BillPage, BillQuery, BillSummary, Payers};
use super::summary::Summing;
use super::{csv, flow};
use crate::store::{Place, Record, Sealer, StoreError};

impl Record for Payers {
    const NAME: &'static str = "payers";
}

/// What is sealed of an account. Its version is the row's.
#[derive(Serialize, Deserialize)]
struct SealedAccount {
    name: LocalizedText,
    status: AccountStatus,
    amount: Fen,
    as_of: UnixMillis,
    pending: Fen,
    #[serde(default)]
    low_below: Option<Fen>,
    #[serde(default)]
    auto_top_up: Option<AutoTopUp>,
}

/// Brings the accounts up to date with an answer that lists them all.
pub(super) fn put_accounts(
    cache: &mut Connection,
    sealer: &Sealer,
    told: &[ToldAccount],
) -> Result<(), StoreError> {
    let transaction = cache.transaction()?;
    let known = read_accounts(&transaction, sealer)?;
    transaction.execute("DELETE FROM accounts", [])?;
    for account in told {
        let before = known
            .iter()
            .find(|known| known.id == account.id)
            .and_then(|known| known.balance);
        let balance = flow::newer(before, account.balance);
        let sealed = SealedAccount {
            name: account.name.clone(),
            status: account.status,
            amount: balance.amount,
            as_of: balance.as_of,
            pending: balance.pending,
            low_below: account.low_below,
            auto_top_up: account.auto_top_up,
        };
        let place = account_place(&account.id, balance.version);
        let sealed = sealer.seal(
            place,
            &serde_json::to_vec(&sealed).map_err(|_| StoreError::Encoding)?,
        )?;
        let version = i64::try_from(balance.version).map_err(|_| StoreError::Encoding)?;
        transaction.execute(
            "INSERT INTO accounts (id, slot, version, sealed) VALUES (?1, ?2, ?3, ?4)",
            params![account.id.as_bytes(), account.slot, version, sealed],
        )?;
    }
    Ok(yika_fault::commit!("phone.cache", transaction.commit())?)
}

/// The accounts in the order of their slots.
pub(super) fn read_accounts(cache: &Connection, sealer: &Sealer) -> Result<Vec<Account>, StoreError> {
    let mut statement = cache.prepare("SELECT id, slot, version, sealed FROM accounts ORDER BY slot")?;
    let mut rows = statement.query([])?;
    let mut accounts = Vec::new();
    while let Some(row) = rows.next()? {
        let id = Uuid::from_bytes(row.get(0)?);
        let slot = Slot::new(row.get(1)?).map_err(|_| StoreError::Damaged)?;
        let version = u64::try_from(row.get::<_, i64>(2)?).map_err(|_| StoreError::Damaged)?;
        let plain = sealer.open(account_place(&id, version), &row.get::<_, Vec<u8>>(3)?)?;
        let SealedAccount {
            name,
            status,
            amount,
            as_of,
            pending,
            low_below,
            auto_top_up,
        } = serde_json::from_slice(&plain).map_err(|_| StoreError::Damaged)?;
        let balance = Some(Balance {
            amount,
            as_of,
            version,
            pending,
        });
        accounts.push(Account {
            id,
            slot,
            name,
            status,
            balance,
            low_below,
            is_low: Account::is_low(balance, low_below),
            auto_top_up,
        });
    }
    Ok(accounts)
}

/// How far the feed was followed.
pub(super) fn feed_cursor(cache: &Connection) -> Result<Option<String>, StoreError> {
    Ok(cache
        .query_row("SELECT cursor FROM feed WHERE id = 1", [], |row| row.get(0))
        .optional()?)
}

/// Applies a page of the feed that follows `after`. Answers whether it did: a cache that was rebuilt meanwhile is
/// somewhere else, and would miss what came before.
pub(super) fn put_page(
    cache: &mut Connection,
    sealer: &Sealer,
    after: Option<&str>,
    page: &PaymentPage,
) -> Result<bool, StoreError> {
    let transaction = cache.transaction()?;
    if feed_cursor(&transaction)?.as_deref() != after {
        return Ok(false);
    }
    for bill in &page.payments {
        put_bill(&transaction, sealer, bill)?;
    }
    transaction.execute(
        "INSERT INTO feed (id, cursor, as_of) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET cursor = excluded.cursor, as_of = excluded.as_of",
        params![page.cursor, page.as_of.0],
    )?;
    yika_fault::commit!("phone.cache", transaction.commit())?;
    Ok(true)
}

fn put_bill(transaction: &Transaction<'_>, sealer: &Sealer, bill: &Bill) -> Result<(), StoreError> {
    let plain = serde_json::to_vec(bill).map_err(|_| StoreError::Encoding)?;
    let sealed = sealer.seal(bill_place(bill.id.as_bytes()), &plain)?;
    transaction
        .prepare_cached(
            "INSERT INTO bills (id, account_id, occurred_at, sealed) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id,
                 occurred_at = excluded.occurred_at, sealed = excluded.sealed",
        )?
        .execute(params![
            bill.id.as_bytes(),
            bill.account_id.as_bytes(),
            bill.occurred_at.0,
            sealed
        ])?;
    Ok(())
}

/// The statement for bills, newest first. The index that orders the rows also finds where they begin.
pub(super) fn bills_sql(query: &BillQuery) -> (String, Vec<Value>) {
    let mut sql = "SELECT id, account_id, occurred_at, sealed FROM bills WHERE occurred_at >= ?".to_owned();
    let mut values = vec![Value::Integer(query.from.map_or(i64::MIN, |from| from.0))];
    if let Some(until) = query.until {
        sql.push_str(" AND occurred_at < ?");
        values.push(Value::Integer(until.0));
    }
    if let Some(account) = query.account {
        sql.push_str(" AND account_id = ?");
        values.push(Value::Blob(account.as_bytes().to_vec()));
    }
    if let Some(BillCursor { occurred_at, id }) = query.after {
        sql.push_str(" AND (occurred_at, id) < (?, ?)");
        values.extend([Value::Integer(occurred_at.0), Value::Blob(id.as_bytes().to_vec())]);
    }
    sql.push_str(" ORDER BY occurred_at DESC, id DESC");
    (sql, values)
}

/// Shows every bill that the query asks for, newest first, until `each` has seen enough. Kind and text are sealed, so
/// those are looked for by opening one bill after the other.
fn for_each(
    cache: &Connection,
    sealer: &Sealer,
    query: &BillQuery,
    mut each: impl FnMut(Bill) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let text = query
        .text
        .as_deref()
        .map(str::trim)
        .unwrap_or_default()
        .to_lowercase();
    let (sql, values) = bills_sql(query);
    let mut statement = cache.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        let (id, account): ([u8; 16], [u8; 16]) = (row.get(0)?, row.get(1)?);
        let plain = sealer.open(bill_place(&id), &row.get::<_, Vec<u8>>(3)?)?;
        let bill: Bill = serde_json::from_slice(&plain).map_err(|_| StoreError::Damaged)?;
        // The columns in the clear must say what the sealed bill says.
        if bill.account_id.as_bytes() != &account || bill.occurred_at.0 != row.get::<_, i64>(2)? {
            return Err(StoreError::Damaged);
        }
        let is_asked_for = query.kind.is_none_or(|kind| kind == bill.kind) && flow::has_text(&bill, &text);
        if is_asked_for && each(bill)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// A page of bills, newest first.
pub(super) fn read_bills(
    cache: &Connection,
    sealer: &Sealer,
    query: &BillQuery,
    limit: u16,
) -> Result<BillPage, StoreError> {
    let mut bills = Vec::with_capacity(limit.into());
    let mut more = false;
    for_each(cache, sealer, query, |bill| {
        // One more than asked for tells whether there is a next page.
        if bills.len() == usize::from(limit) {
            more = true;
            return Ok(ControlFlow::Break(()));
        }
        bills.push(bill);
        Ok(ControlFlow::Continue(()))
    })?;
    let last = bills.last().map(|bill| BillCursor {
        occurred_at: bill.occurred_at,
        id: bill.id,
    });
    let as_of = cache
        .query_row("SELECT as_of FROM feed WHERE id = 1", [], |row| row.get(0))
        .optional()?
        .map(UnixMillis);
    Ok(BillPage {
        bills,
        next: last.filter(|_| more),
        as_of,
    })
}

/// What the bills come to.
pub(super) fn sum_bills(
    cache: &Connection,
    sealer: &Sealer,
    query: &BillQuery,
) -> Result<BillSummary, StoreError> {
    let mut summing = Summing::default();
    for_each(cache, sealer, query, |bill| {
        summing.add(&bill)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(summing.finish())
}

/// The bills as a table.
pub(super) fn export_bills(
    cache: &Connection,
    sealer: &Sealer,
    query: &BillQuery,
    offset_s: i32,
) -> Result<String, StoreError> {
    let mut table = csv::head();
    for_each(cache, sealer, query, |bill| {
        csv::add_row(&mut table, &bill, offset_s);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(table)
}

fn account_place(id: &Uuid, version: u64) -> Place<'_> {
    Place {
        table: "accounts",
        column: "sealed",
        row: id.as_bytes(),
        version,
    }
}

fn bill_place(id: &[u8; 16]) -> Place<'_> {
    Place {
        table: "bills",
        column: "sealed",
        row: id,
        version: 0,
    }
}
