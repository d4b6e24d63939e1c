//! When a top-up begins by itself, and what becomes of a rule whose top-up was refused.

use super::service::used_today;
use super::store::{self, RuleRow};
use crate::Platform;
use crate::bank::BankError;
use crate::clock::{HOUR, MINUTE};
use crate::days::day_of;
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use crate::operations::begin_by_mandate;
use uuid::Uuid;
use yika_api::operation::{Refusal, RefusalReason};
use yika_api::{ProblemCode, UnixMillis};

/// Rules that one server looks at in a turn.
const BATCH: i64 = 32;
/// When a rule that found too little money looks again.
const SOON_MS: i64 = 10 * MINUTE;
/// When a rule whose top-up failed for a reason of the moment tries again.
const LATER_MS: i64 = HOUR;

/// Begins the top-ups that rules want now, and tells the bank which mandates have ended.
pub(crate) async fn run_due(platform: &Platform) -> Result<()> {
    if platform.bank().is_err() {
        return Ok(());
    }
    let now = platform.now();
    let mut reader = platform.db().read().await?;
    let due = store::due(&mut reader, now, BATCH).await?;
    let to_revoke = store::to_revoke(&mut reader, now, BATCH).await?;
    drop(reader);
    for mandate in due {
        begin(platform, mandate).await?;
    }
    for (mandate, customer) in to_revoke {
        revoke(platform, mandate, customer).await?;
    }
    Ok(())
}

/// Begins a rule's top-up, or keeps why it can't.
async fn begin(platform: &Platform, mandate: Uuid) -> Result<()> {
    let now = platform.now();
    let begun: Result<()> = transact!(platform.db().writer(), |tx| {
        let Some(rule) = store::still_due(tx, now, mandate).await? else {
            return Ok(());
        };
        let used = used_today(tx, platform, &rule).await?;
        if used.checked_add(rule.add)? > rule.day_cap {
            return Err(Error::refused(ProblemCode::DayLimitReached));
        }
        let RuleRow {
            holder,
            public_id,
            add,
            ..
        } = rule;
        begin_by_mandate(tx, platform, holder, public_id, add, mandate).await
    });
    // What was refused has left nothing behind; why it was is kept in a transaction of its own.
    match begun {
        Ok(()) => Ok(()),
        Err(Error::Refused(problem)) => {
            let reason = reason(problem.code);
            tracing::info!(%mandate, code = problem.code.as_str(), "no automatic top-up");
            transact!(platform.db().writer(), |tx| {
                let outlook = Outlook::of(reason, platform, now)?;
                outlook.keep(tx, mandate, reason, now).await
            })
        }
        Err(error) => Err(error),
    }
}

/// In the words of the bank, which holders see.
fn reason(code: ProblemCode) -> RefusalReason {
    match code {
        ProblemCode::InsufficientFunds => RefusalReason::Insufficient,
        ProblemCode::DayLimitReached | ProblemCode::AmountOutOfRange => RefusalReason::LimitReached,
        ProblemCode::CardNotBound => RefusalReason::CardUnusable,
        ProblemCode::AccountNotOpen => RefusalReason::AccountUnusable,
        ProblemCode::WalletNotOpen => RefusalReason::WalletUnusable,
        _ => RefusalReason::Other,
    }
}

/// What a refusal makes of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outlook {
    /// It tries again then.
    Pause(UnixMillis),
    /// The holder has to agree anew.
    Stop,
}

impl Outlook {
    pub(super) fn of(reason: RefusalReason, platform: &Platform, now: UnixMillis) -> Result<Self> {
        Ok(match reason {
            RefusalReason::MandateUnusable | RefusalReason::WalletUnusable | RefusalReason::SealRefused => {
                Self::Stop
            }
            RefusalReason::LimitReached | RefusalReason::BankLimit => {
                Self::Pause(day_of(now, &platform.config().school.time_zone)?.end)
            }
            RefusalReason::Insufficient => Self::Pause(now.plus_millis(SOON_MS)),
            _ => Self::Pause(now.plus_millis(LATER_MS)),
        })
    }

    async fn keep(
        self,
        tx: &mut Connection,
        mandate: Uuid,
        reason: RefusalReason,
        now: UnixMillis,
    ) -> Result<()> {
        match self {
            Self::Pause(until) => store::pause(tx, mandate, reason, until).await,
            Self::Stop => store::stop(tx, mandate, reason, now).await,
        }
    }
}

/// What the end of a top-up means for its rule.
pub(crate) async fn ended(
    tx: &mut Connection,
    platform: &Platform,
    mandate: Uuid,
    refusal: Option<&Refusal>,
) -> Result<()> {
    let now = platform.now();
    match refusal {
        None => store::go_on(tx, mandate).await,
        Some(Refusal { reason, .. }) => {
            let outlook = Outlook::of(*reason, platform, now)?;
            outlook.keep(tx, mandate, *reason, now).await
        }
    }
}

/// Tells the bank that a mandate has ended; where it doesn't answer, later again.
async fn revoke(platform: &Platform, mandate: Uuid, customer: Uuid) -> Result<()> {
    let told = platform.bank()?.gateway().end_mandate(customer, mandate).await;
    let again = match told {
        // A bank that refuses has none that could be used.
        Ok(()) | Err(BankError::Refused(_)) => None,
        Err(error) => {
            tracing::warn!(%error, %mandate, "the bank is told later that a mandate has ended");
            Some(platform.now().plus_millis(MINUTE))
        }
    };
    transact!(platform.db().writer(), |tx| {
        store::revoke_at(tx, mandate, again).await
    })
}
