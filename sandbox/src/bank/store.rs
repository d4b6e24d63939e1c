//! The bank's database: one file, one connection, so that transactions come one after the other.

use super::BankError;
use crate::database;
use crate::seed::bank::{BANKS, PEOPLE, Person};
use sqlx::{AssertSqlSafe, SqliteConnection, SqlitePool};
use std::path::Path;
use uuid::Uuid;

pub(super) const SCHOOL: &str = "school";
pub(super) const FEES: &str = "fees";

/// Opens the file, makes what is missing and puts the money of the seed on the cards.
pub(super) async fn open(file: &Path) -> Result<SqlitePool, BankError> {
    let db = database::open(file).await?;
    let mut tx = db.begin().await?;
    sqlx::raw_sql(AssertSqlSafe(include_str!("schema.sql")))
        .execute(&mut *tx)
        .await?;
    for account in [SCHOOL, FEES] {
        plant(&mut tx, account, 0).await?;
    }
    for person in &PEOPLE {
        for (bank, (_, _, opening)) in BANKS.iter().enumerate() {
            plant(&mut tx, &card_account(&card_name(person, bank)), *opening).await?;
        }
    }
    tx.commit().await?;
    Ok(db)
}

/// An account with this balance, unless it is there.
pub(super) async fn plant(tx: &mut SqliteConnection, account: &str, amount: i64) -> Result<(), BankError> {
    sqlx::query("INSERT INTO balances (account, amount) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
        .bind(account)
        .bind(amount)
        .execute(tx)
        .await?;
    Ok(())
}

/// The name under which a card is kept; its number is in the seed alone.
pub(super) fn card_name(person: &Person, bank: usize) -> String {
    format!("{}-{}", person.student, bank + 1)
}

pub(super) fn card_account(card: &str) -> String {
    format!("card:{card}")
}

pub(super) fn wallet_account(customer: Uuid) -> String {
    format!("wallet:{customer}")
}

pub(super) async fn balance(tx: &mut SqliteConnection, account: &str) -> Result<i64, BankError> {
    Ok(
        sqlx::query_scalar("SELECT amount FROM balances WHERE account = ?1")
            .bind(account)
            .fetch_optional(tx)
            .await?
            .unwrap_or_default(),
    )
}

/// Moves money, all of it or none: whether there was enough. The parts must sum to zero.
pub(super) async fn transfer(tx: &mut SqliteConnection, parts: &[(String, i64)]) -> Result<bool, BankError> {
    for (account, amount) in parts {
        if *amount < 0 && balance(tx, account).await? < -amount {
            return Ok(false);
        }
    }
    for (account, amount) in parts {
        sqlx::query("UPDATE balances SET amount = amount + ?2 WHERE account = ?1")
            .bind(account)
            .bind(amount)
            .execute(&mut *tx)
            .await?;
    }
    Ok(true)
}
