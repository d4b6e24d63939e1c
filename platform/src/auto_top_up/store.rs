//! The SQL of automatic top-ups.

use crate::db::{Connection, assembled, stored_enum, uuid, variant};
use crate::error::Result;
use crate::ledger::AccountId;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;
use yika_api::auto_top_up::SetAutoTopUp;
use yika_api::operation::RefusalReason;
use yika_api::{Fen, UnixMillis};

/// Where a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RuleState {
    /// It tops up.
    On,
    /// It does nothing until the holder agrees anew.
    Stopped,
    /// It is gone: ended, replaced, or its wallet closed.
    Ended,
}
stored_enum!(RuleState {
    RuleState::On = "on",
    RuleState::Stopped = "stopped",
    RuleState::Ended = "ended",
});

/// A rule that is shown, with the account that it is for.
#[derive(Clone, Debug)]
pub(super) struct RuleRow {
    pub(super) holder: i64,
    pub(super) account: AccountId,
    pub(super) public_id: Uuid,
    pub(super) below: Fen,
    pub(super) add: Fen,
    pub(super) day_cap: Fen,
    pub(super) agreed_at: UnixMillis,
    pub(super) state: RuleState,
    pub(super) problem: Option<RefusalReason>,
    pub(super) retry_at: UnixMillis,
}

const ROW: &str =
    "SELECT t.*, c.public_id FROM auto_top_up t JOIN ledger_account c ON c.id = t.account WHERE ";

/// A rule that should begin a top-up: it is on, it is its time, the account can pay and has less than the rule wants, its
/// holder's card is not frozen, and no top-up of it is under way.
const DUE: &str = "t.state = 'on' AND t.retry_at <= $1 AND c.status = 'open' \
     AND c.balance + (SELECT r.balance FROM ledger_account r WHERE r.card_account = c.id) < t.below \
     AND (SELECT h.status FROM holder h WHERE h.id = t.holder) = 'active' \
     AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.account = t.account AND o.mandate IS NOT NULL \
     AND o.phase NOT IN ('credited', 'refunded', 'refused'))";

fn rule(row: &AnyRow) -> Result<RuleRow> {
    let problem: Option<String> = row.try_get("problem")?;
    Ok(RuleRow {
        holder: row.try_get("holder")?,
        account: AccountId(row.try_get("account")?),
        public_id: uuid(row, "public_id")?,
        below: Fen::new(row.try_get("below")?),
        add: Fen::new(row.try_get("add_amount")?),
        day_cap: Fen::new(row.try_get("day_cap")?),
        agreed_at: UnixMillis(row.try_get("agreed_at")?),
        state: variant(row, "state")?,
        problem: problem.map(|text| serde_json::from_str(&text)).transpose()?,
        retry_at: UnixMillis(row.try_get("retry_at")?),
    })
}

/// The rules of a holder's accounts.
pub(super) async fn of_holder(db: &mut Connection, holder: i64) -> Result<Vec<RuleRow>> {
    let sql = format!("{ROW} t.holder = $1 AND t.state <> 'ended' ORDER BY t.account");
    let rows = sqlx::query(assembled(sql)).bind(holder).fetch_all(db).await?;
    rows.iter().map(rule).collect()
}

/// Rules that should begin a top-up, at most so many.
pub(super) async fn due(db: &mut Connection, now: UnixMillis, most: i64) -> Result<Vec<Uuid>> {
    let sql = format!("{ROW} {DUE} ORDER BY t.retry_at LIMIT $2");
    let rows = sqlx::query(assembled(sql))
        .bind(now.0)
        .bind(most)
        .fetch_all(db)
        .await?;
    rows.iter().map(|row| uuid(row, "mandate")).collect()
}

/// The rule, if it still should begin a top-up.
pub(super) async fn still_due(
    tx: &mut Connection,
    now: UnixMillis,
    mandate: Uuid,
) -> Result<Option<RuleRow>> {
    let row = sqlx::query(assembled(format!("{ROW} {DUE} AND t.mandate = $2")))
        .bind(now.0)
        .bind(mandate.to_string())
        .fetch_optional(tx)
        .await?;
    row.map(|row| rule(&row)).transpose()
}

/// Keeps a rule in the place of the account's last one, whose mandate is to be revoked.
pub(super) async fn insert(
    tx: &mut Connection,
    mandate: Uuid,
    (holder, account): (i64, AccountId),
    rule: &SetAutoTopUp,
    now: UnixMillis,
) -> Result<()> {
    end_of_account(tx, account, now).await?;
    sqlx::query(
        "INSERT INTO auto_top_up (mandate, holder, account, below, add_amount, day_cap, consent, agreed_at, state, retry_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'on', $8)",
    )
    .bind(mandate.to_string())
    .bind(holder)
    .bind(account.0)
    .bind(rule.below.get())
    .bind(rule.add.get())
    .bind(rule.day_cap.get())
    .bind(i64::from(rule.consent))
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends the rule of an account, where it has one.
pub(super) async fn end_of_account(tx: &mut Connection, account: AccountId, now: UnixMillis) -> Result<()> {
    sqlx::query(
        "UPDATE auto_top_up SET state = 'ended', revoke_at = COALESCE(revoke_at, $2) \
         WHERE account = $1 AND state <> 'ended'",
    )
    .bind(account.0)
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends the rules of a holder whose wallet the bank has closed, and the mandates with it.
pub(crate) async fn end_with_wallet(tx: &mut Connection, holder: i64) -> Result<()> {
    sqlx::query("UPDATE auto_top_up SET state = 'ended', revoke_at = NULL WHERE holder = $1")
        .bind(holder)
        .execute(tx)
        .await?;
    Ok(())
}

/// Goes on without a problem.
pub(super) async fn go_on(tx: &mut Connection, mandate: Uuid) -> Result<()> {
    sqlx::query("UPDATE auto_top_up SET problem = NULL WHERE mandate = $1 AND state = 'on'")
        .bind(mandate.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

/// Does nothing until then.
pub(super) async fn pause(
    tx: &mut Connection,
    mandate: Uuid,
    problem: RefusalReason,
    retry_at: UnixMillis,
) -> Result<()> {
    sqlx::query("UPDATE auto_top_up SET problem = $2, retry_at = $3 WHERE mandate = $1 AND state = 'on'")
        .bind(mandate.to_string())
        .bind(serde_json::to_string(&problem)?)
        .bind(retry_at.0)
        .execute(tx)
        .await?;
    Ok(())
}

/// Does nothing until the holder agrees anew. The mandate is of no more use.
pub(super) async fn stop(
    tx: &mut Connection,
    mandate: Uuid,
    problem: RefusalReason,
    now: UnixMillis,
) -> Result<()> {
    sqlx::query(
        "UPDATE auto_top_up SET state = 'stopped', problem = $2, revoke_at = $3 WHERE mandate = $1 AND state = 'on'",
    )
    .bind(mandate.to_string())
    .bind(serde_json::to_string(&problem)?)
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

/// Mandates that the bank is to be told have ended, each with the number of its customer.
pub(super) async fn to_revoke(db: &mut Connection, now: UnixMillis, most: i64) -> Result<Vec<(Uuid, Uuid)>> {
    let rows = sqlx::query(
        "SELECT t.mandate, w.customer FROM auto_top_up t JOIN wallet w ON w.holder = t.holder WHERE t.revoke_at <= $1 \
         ORDER BY t.revoke_at LIMIT $2",
    )
    .bind(now.0)
    .bind(most)
    .fetch_all(db)
    .await?;
    rows.iter()
        .map(|row| Ok((uuid(row, "mandate")?, uuid(row, "customer")?)))
        .collect()
}

/// When the bank is to be told next; at none, once it was.
pub(super) async fn revoke_at(tx: &mut Connection, mandate: Uuid, at: Option<UnixMillis>) -> Result<()> {
    sqlx::query("UPDATE auto_top_up SET revoke_at = $2 WHERE mandate = $1")
        .bind(mandate.to_string())
        .bind(at.map(|at| at.0))
        .execute(tx)
        .await?;
    Ok(())
}
