//! What the card office does about stalls: who works there, and what they are paid.

use super::access::Role;
use super::audit::{self, Deed, MerchantEvent, What};
use super::statements::{self, Settlement};
use crate::accounts::holder_by_number;
use crate::admin::Admin;
use crate::clock::HOUR;
use crate::days::{Calendar, Day};
use crate::db::{Connection, StoredEnum as _, transact, variant};
use crate::error::{Error, Result};
use crate::ledger::{
    AccountKind, Booking, Posting, TransactionKind, account_of_merchant, balance, book, school_account,
};
use sqlx::Row as _;
use yika_api::merchant::{StallRole, StallStatement};
use yika_api::terminal::MerchantId;
use yika_api::{Fen, ProblemCode};

/// The most characters of a transfer's number.
const MOST_REFERENCE: usize = 64;

/// Somebody who works at a stall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MerchantStaff {
    /// The holder's student or staff number.
    pub number: String,
    /// The holder's name.
    pub name: String,
    /// What the holder is there.
    pub role: StallRole,
}

fn number(merchant: MerchantId) -> Result<i64> {
    i64::try_from(merchant.0).map_err(|_| no_merchant())
}

fn no_merchant() -> Error {
    Error::refused_because(ProblemCode::NotFound, "no merchant of that number")
}

async fn holder(db: &mut Connection, number: &str) -> Result<i64> {
    let found = holder_by_number(db, number).await?;
    found
        .map(|holder| holder.id)
        .ok_or_else(|| Error::refused_because(ProblemCode::NotFound, "no holder of that number"))
}

impl Admin<'_> {
    /// Lets a holder work at a stall, or changes what the holder is there. Does nothing where it is so already.
    ///
    /// # Errors
    /// Where there is no such holder or merchant, the role is none of this version, or the database fails.
    pub async fn set_merchant_staff(
        &self,
        merchant: MerchantId,
        holder_number: &str,
        role: StallRole,
    ) -> Result<()> {
        let merchant = number(merchant)?;
        let role = Role::of(role);
        let role = role.ok_or_else(|| Error::refused_because(ProblemCode::InvalidRequest, "no such role"))?;
        let now = self.platform().now();
        transact!(self.platform().db().writer(), |tx| {
            account_of_merchant(tx, merchant).await?.ok_or_else(no_merchant)?;
            let holder = holder(tx, holder_number).await?;
            let changed = sqlx::query(
                "INSERT INTO merchant_staff (holder, merchant, role, since) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (holder, merchant) DO UPDATE SET role = excluded.role, since = excluded.since \
                 WHERE merchant_staff.role <> excluded.role",
            )
            .bind(holder)
            .bind(merchant)
            .bind(role.to_stored())
            .bind(now.0)
            .execute(&mut *tx)
            .await?;
            if changed.rows_affected() == 0 {
                return Ok(());
            }
            let deed = Deed {
                what: What::StaffSet,
                whom: Some(holder),
                note: Some(role.to_stored()),
                ..Deed::of_office(merchant)
            };
            audit::record(tx, &deed, now).await
        })
    }

    /// Ends a holder's work at a stall, at once. Does nothing where there is none.
    ///
    /// # Errors
    /// Where there is no such holder, or the database fails.
    pub async fn remove_merchant_staff(&self, merchant: MerchantId, holder_number: &str) -> Result<()> {
        let merchant = number(merchant)?;
        let now = self.platform().now();
        transact!(self.platform().db().writer(), |tx| {
            let holder = holder(tx, holder_number).await?;
            let removed = sqlx::query("DELETE FROM merchant_staff WHERE holder = $1 AND merchant = $2")
                .bind(holder)
                .bind(merchant)
                .execute(&mut *tx)
                .await?;
            if removed.rows_affected() == 0 {
                return Ok(());
            }
            let deed = Deed {
                what: What::StaffRemoved,
                whom: Some(holder),
                ..Deed::of_office(merchant)
            };
            audit::record(tx, &deed, now).await
        })
    }

    /// Who works at a stall, by their numbers.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn merchant_staff(&self, merchant: MerchantId) -> Result<Vec<MerchantStaff>> {
        let mut reader = self.platform().db().read().await?;
        let rows = sqlx::query(
            "SELECT h.number, h.name, s.role FROM merchant_staff s JOIN holder h ON h.id = s.holder \
             WHERE s.merchant = $1 ORDER BY h.number",
        )
        .bind(number(merchant)?)
        .fetch_all(&mut *reader)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(MerchantStaff {
                    number: row.try_get("number")?,
                    name: row.try_get("name")?,
                    role: variant::<Role>(row, "role")?.to_api(),
                })
            })
            .collect()
    }

    /// What was done at a stall and by whom, the oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn merchant_events(&self, merchant: MerchantId) -> Result<Vec<MerchantEvent>> {
        let mut reader = self.platform().db().read().await?;
        audit::events(&mut reader, number(merchant)?).await
    }

    /// Settles with a merchant up to a day, `yyyy-mm-dd` in the school's time zone: books that what is owed of it was paid out,
    /// by the transfer of this number. What the stall's account doesn't have any more is not paid out but carried on. A day
    /// can be settled from an hour after its end. Settled again with the same number, it says the same.
    ///
    /// # Errors
    /// Where there is no such merchant, the day is not over or before one that is settled, the day was settled by another
    /// transfer, the transfer's number is empty or longer than 64 characters, or the database fails.
    pub async fn settle_merchant(
        &self,
        merchant: MerchantId,
        through: &str,
        reference: &str,
    ) -> Result<StallStatement> {
        let invalid = |why: &str| Error::refused_because(ProblemCode::InvalidRequest, why);
        let reference = reference.trim();
        if reference.is_empty() || reference.chars().count() > MOST_REFERENCE || reference.contains('\0') {
            return Err(invalid("a transfer's number has 1 to 64 characters"));
        }
        let calendar = Calendar::of(&self.platform().config().school.time_zone)?;
        let (merchant, through, now) = (number(merchant)?, Day::parse(through)?, self.platform().now());
        if calendar.instants(through, through)?.end.0 + HOUR > now.0 {
            return Err(invalid("a day can be settled from an hour after its end"));
        }
        transact!(self.platform().db().writer(), |tx| {
            let account = account_of_merchant(tx, merchant).await?.ok_or_else(no_merchant)?;
            if let Some(known) = statements::through(tx, merchant, through).await? {
                return match known.paid.as_ref().is_some_and(|(paid, _)| paid == reference) {
                    true => known.to_api(),
                    false => Err(Error::refused(ProblemCode::IdempotencyConflict)),
                };
            }
            let last = statements::last_day(tx, merchant).await?;
            if last.is_some_and(|last| last >= through) {
                return Err(invalid("that day is settled already"));
            }
            let open = statements::next(tx, &calendar, merchant, through).await?;
            let paid_out = open.owed()?.min(balance(tx, account).await?).max(Fen::ZERO);
            let settlement = Settlement {
                paid_out,
                paid: Some((reference.to_owned(), now)),
                ..open
            };
            let transaction = match paid_out.is_positive() {
                false => None,
                true => {
                    let postings = vec![
                        Posting {
                            account,
                            amount: paid_out.checked_neg()?,
                        },
                        Posting {
                            account: school_account(tx, AccountKind::Funding).await?,
                            amount: paid_out,
                        },
                    ];
                    let payout = Booking::new(TransactionKind::Withdrawal, now, postings)?;
                    Some(book(tx, &[payout]).await?.0)
                }
            };
            statements::insert(tx, merchant, &settlement, (reference, now), transaction).await?;
            let deed = Deed {
                what: What::Settled,
                amount: Some(paid_out),
                note: Some(reference),
                transaction,
                ..Deed::of_office(merchant)
            };
            audit::record(tx, &deed, now).await?;
            settlement.to_api()
        })
    }
}
