//! Credits: made once, or refused for good. The table's key, not the code, is what makes a credit count once.

use super::faults::MeterFault;
use super::{MeterError, Meters};
use crate::seed::meters::place;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;
use yika_api::operation::{Refusal, RefusalReason};
use yika_api::utility::{Credit, CreditState, CreditStatus, MeterBalance};
use yika_api::{Fen, LocalizedText, UnixMillis};
use yika_platform::Clock as _;

/// More than anybody pays at once: sums of a few stay far within 64 bits.
const MOST: i64 = 1_000_000_000_000;

/// What the caller of a credit hears.
pub(super) enum Reply {
    /// How it stands.
    Told(CreditStatus),
    /// Nothing.
    Silence,
}

impl Meters {
    /// Makes a credit, or says how it stands where it was heard of before.
    pub(super) async fn credit(&self, credit: &Credit) -> Result<Reply, MeterError> {
        let mut tx = self.0.db.begin().await?;
        if let Some(told) = answer(&mut tx, credit.id).await? {
            tx.commit().await?;
            return Ok(Reply::Told(told));
        }
        let fault = self.0.faults.take();
        if fault == Some(MeterFault::TimeoutBeforeCredit) {
            return Ok(Reply::Silence);
        }
        let state = match fault {
            Some(MeterFault::Refused) => refused_at_will(),
            _ => self.carry_out(&mut tx, credit).await?,
        };
        insert(&mut tx, credit, &state, fault).await?;
        yika_fault::reach("meters.credit.before-commit");
        tx.commit().await?;
        yika_fault::reach("meters.credit.after-commit");
        Ok(match fault {
            Some(MeterFault::TimeoutAfterCredit) => Reply::Silence,
            Some(MeterFault::DuplicateReply) => Reply::Told(CreditStatus {
                id: credit.id,
                state: CreditState::Pending,
            }),
            _ => Reply::Told(CreditStatus { id: credit.id, state }),
        })
    }

    /// How a credit stands, if it was ever heard of.
    pub(super) async fn status(&self, id: Uuid) -> Result<Option<CreditStatus>, MeterError> {
        let mut tx = self.0.db.begin().await?;
        let told = answer(&mut tx, id).await?;
        tx.commit().await?;
        Ok(told)
    }

    /// Sees to it that a credit which was not made never will be.
    pub(super) async fn cancel(&self, id: Uuid) -> Result<CreditStatus, MeterError> {
        let mut tx = self.0.db.begin().await?;
        let state = match state(&mut tx, id).await? {
            Some(state) => state,
            None => {
                let state = refused(RefusalReason::TimedOut);
                let never_heard = Credit {
                    id,
                    provider: String::new(),
                    code: String::new(),
                    amount: Fen::ZERO,
                };
                insert(&mut tx, &never_heard, &state, None).await?;
                state
            }
        };
        yika_fault::reach("meters.cancel.before-commit");
        tx.commit().await?;
        yika_fault::reach("meters.cancel.after-commit");
        Ok(CreditStatus { id, state })
    }

    /// What is left at a place, where somebody has read its meter.
    pub(super) async fn balance(
        &self,
        provider: &str,
        code: &str,
    ) -> Result<Option<MeterBalance>, MeterError> {
        let amount: Option<Option<i64>> =
            sqlx::query_scalar("SELECT balance FROM meters WHERE provider = ?1 AND code = ?2")
                .bind(provider)
                .bind(code)
                .fetch_optional(&self.0.db)
                .await?;
        Ok(amount.flatten().map(|amount| MeterBalance {
            amount: Fen::new(amount),
            as_of: self.0.clock.now(),
        }))
    }

    async fn carry_out(&self, tx: &mut SqliteConnection, credit: &Credit) -> Result<CreditState, MeterError> {
        let is_payable = place(&credit.provider, &credit.code).is_some_and(|place| place.is_payable);
        if !is_payable || !(1..=MOST).contains(&credit.amount.get()) {
            return Ok(refused(RefusalReason::AccountUnusable));
        }
        let now = self.0.clock.now();
        sqlx::query(
            "UPDATE meters SET balance = balance + ?3, credited = credited + ?3 WHERE provider = ?1 AND code = ?2",
        )
        .bind(&credit.provider)
        .bind(&credit.code)
        .bind(credit.amount.get())
        .execute(tx)
        .await?;
        Ok(credited(credit.id, now))
    }
}

fn credited(id: Uuid, at: UnixMillis) -> CreditState {
    CreditState::Credited {
        at,
        trace: format!("M{}", id.simple()),
    }
}

fn refused(reason: RefusalReason) -> CreditState {
    CreditState::Refused {
        refusal: Refusal::of(reason),
    }
}

fn refused_at_will() -> CreditState {
    CreditState::Refused {
        refusal: Refusal {
            message: Some(LocalizedText {
                zh: "电表拒绝了这笔缴费".to_owned(),
                en: "The meter refused the payment".to_owned(),
            }),
            ..Refusal::of(RefusalReason::UtilityRefused)
        },
    }
}

async fn state(tx: &mut SqliteConnection, id: Uuid) -> Result<Option<CreditState>, MeterError> {
    let stored: Option<String> = sqlx::query_scalar("SELECT state FROM credits WHERE id = ?1")
        .bind(id.to_string())
        .fetch_optional(tx)
        .await?;
    Ok(stored.map(|stored| serde_json::from_str(&stored)).transpose()?)
}

/// How a credit stands, or how it stood, as often as a fault says.
async fn answer(tx: &mut SqliteConnection, id: Uuid) -> Result<Option<CreditStatus>, MeterError> {
    let stale = sqlx::query("UPDATE credits SET stale = stale - 1 WHERE id = ?1 AND stale > 0 RETURNING id")
        .bind(id.to_string())
        .fetch_optional(&mut *tx)
        .await?;
    let state = match stale {
        Some(_) => Some(CreditState::Pending),
        None => state(tx, id).await?,
    };
    Ok(state.map(|state| CreditStatus { id, state }))
}

async fn insert(
    tx: &mut SqliteConnection,
    credit: &Credit,
    state: &CreditState,
    fault: Option<MeterFault>,
) -> Result<(), MeterError> {
    sqlx::query(
        "INSERT INTO credits (id, provider, code, amount, state, fault, stale) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(credit.id.to_string())
    .bind(&credit.provider)
    .bind(&credit.code)
    .bind(credit.amount.get())
    .bind(serde_json::to_string(state)?)
    .bind(fault.map(|fault| serde_json::to_string(&fault)).transpose()?)
    .bind(i64::from(fault == Some(MeterFault::DuplicateReply)))
    .execute(tx)
    .await?;
    Ok(())
}

/// A meter as the console shows it.
#[derive(serde::Serialize)]
pub(super) struct MeterView {
    provider: String,
    code: String,
    balance: Option<i64>,
    credited: i64,
}

impl Meters {
    /// All meters, by provider and code.
    pub(super) async fn all(&self) -> Result<Vec<MeterView>, MeterError> {
        let rows =
            sqlx::query("SELECT provider, code, balance, credited FROM meters ORDER BY provider, code")
                .fetch_all(&self.0.db)
                .await?;
        rows.iter()
            .map(|row| {
                Ok(MeterView {
                    provider: row.try_get("provider")?,
                    code: row.try_get("code")?,
                    balance: row.try_get("balance")?,
                    credited: row.try_get("credited")?,
                })
            })
            .collect()
    }
}
