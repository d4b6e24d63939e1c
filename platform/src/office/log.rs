//! What was done at the card office: written in the transaction that does it, and never changed.

use crate::admin::Admin;
use crate::db::{Connection, StoredEnum as _, int, stored_enum, take_numbers, variant};
use crate::error::Result;
use sqlx::Row as _;
use yika_api::UnixMillis;

/// The most entries that are read at once.
const PAGE: i64 = 200;

/// Who does something at the card office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An operator, by a command at the server, or what stands in for one.
    Operator,
    /// A member of staff, by the holder's row.
    Staff(i64),
}

impl Actor {
    fn holder(self) -> Option<i64> {
        match self {
            Self::Operator => None,
            Self::Staff(holder) => Some(holder),
        }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Holders, accounts, merchants and terminals were imported.
    Imported,
    /// A role was given.
    RoleGranted,
    /// A role was taken away.
    RoleRevoked,
    /// A holder's credentials were suspended.
    Suspended,
    /// That was taken back.
    Restored,
    /// A holder's credentials were killed for good.
    Revoked,
    /// An account was frozen.
    AccountFrozen,
    /// It was opened again.
    AccountOpened,
    /// Money was put onto an account.
    Deposited,
    /// A balance was set.
    BalanceSet,
    /// A holder's own limits were taken away.
    LimitsReset,
    /// The next server key was made.
    KeyRotated,
}
stored_enum!(Action {
    Action::Imported = "imported",
    Action::RoleGranted = "role_granted",
    Action::RoleRevoked = "role_revoked",
    Action::Suspended = "suspended",
    Action::Restored = "restored",
    Action::Revoked = "revoked",
    Action::AccountFrozen = "account_frozen",
    Action::AccountOpened = "account_opened",
    Action::Deposited = "deposited",
    Action::BalanceSet = "balance_set",
    Action::LimitsReset = "limits_reset",
    Action::KeyRotated = "key_rotated",
});

impl Action {
    /// Its name where the log is printed.
    pub fn name(self) -> &'static str {
        self.to_stored()
    }
}

/// An entry of the office's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeEvent {
    /// Rises with each entry.
    pub id: u64,
    /// When.
    pub at: UnixMillis,
    /// The number of the member of staff; an operator at the server if absent.
    pub actor: Option<String>,
    /// What was done.
    pub action: Action,
    /// To whom or what: mostly a holder's number.
    pub subject: Option<String>,
    /// What else is to be known, in English.
    pub detail: String,
}

/// Writes down what is being done in this transaction.
pub(crate) async fn record(
    tx: &mut Connection,
    actor: Actor,
    action: Action,
    (subject, detail): (Option<&str>, String),
    now: UnixMillis,
) -> Result<()> {
    let id = take_numbers(tx, "office_event", 1).await?;
    sqlx::query(
        "INSERT INTO office_event (id, at, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(now.0)
    .bind(actor.holder())
    .bind(action.to_stored())
    .bind(subject)
    .bind(detail)
    .execute(tx)
    .await?;
    Ok(())
}

impl Admin<'_> {
    /// The newest entries of the office's log, newest first, at most 200: those before `before`, and about `subject` alone,
    /// where they are given.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn log(&self, before: Option<u64>, subject: Option<&str>) -> Result<Vec<OfficeEvent>> {
        let before = before.and_then(|id| i64::try_from(id).ok()).unwrap_or(i64::MAX);
        let mut reader = self.platform().db().read().await?;
        let rows = sqlx::query(
            "SELECT e.id, e.at, h.number, e.action, e.subject, e.detail FROM office_event e \
             LEFT JOIN holder h ON h.id = e.actor \
             WHERE e.id < $1 AND ($2 IS NULL OR e.subject = $2) ORDER BY e.id DESC LIMIT $3",
        )
        .bind(before)
        .bind(subject)
        .bind(PAGE)
        .fetch_all(&mut *reader)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(OfficeEvent {
                    id: int(row, "id")?,
                    at: UnixMillis(row.try_get("at")?),
                    actor: row.try_get("number")?,
                    action: variant(row, "action")?,
                    subject: row.try_get("subject")?,
                    detail: row.try_get("detail")?,
                })
            })
            .collect()
    }
}
