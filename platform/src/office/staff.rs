//! Who works at the card office, and with which rights. They are holders like others, and sign in as such.

use super::log::{Action, record};
use crate::admin::{Admin, find_holder};
use crate::db::{Connection, StoredEnum as _, stored_enum, transact, variant};
use crate::error::Result;
use sqlx::Row as _;

/// What a member of staff may do. Somebody may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Holders: freeze and restore, photos, disputes, visitors.
    Clerk,
    /// Money: reconciliation, corrections, statements.
    Accountant,
    /// Staff, import, terminals, keys.
    Administrator,
    /// Sees everything and changes nothing.
    Auditor,
}
stored_enum!(Role {
    Role::Clerk = "clerk",
    Role::Accountant = "accountant",
    Role::Administrator = "administrator",
    Role::Auditor = "auditor",
});

impl Role {
    /// Every role, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Clerk, Self::Accountant, Self::Administrator, Self::Auditor];

    /// Its name on command lines and in the log.
    pub fn name(self) -> &'static str {
        self.to_stored()
    }

    /// The role of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Somebody who works at the card office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffMember {
    /// The staff number.
    pub number: String,
    /// The name.
    pub name: String,
    /// What they may do, at least one.
    pub roles: Vec<Role>,
}

impl Admin<'_> {
    /// Gives a holder a role. One that they have stays, and nothing is written down: the answer is `false`.
    ///
    /// # Errors
    /// Where there is no such holder, or the database fails.
    pub async fn grant_role(&self, number: &str, role: Role) -> Result<bool> {
        transact!(self.platform().db().writer(), |tx| {
            let holder = find_holder(tx, number).await?;
            let granted = sqlx::query(
                "INSERT INTO office_role (holder, role, granted_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            )
            .bind(holder.id)
            .bind(role.to_stored())
            .bind(self.now().0)
            .execute(&mut *tx)
            .await?;
            self.record_role(tx, granted.rows_affected(), Action::RoleGranted, (number, role))
                .await
        })
    }

    /// Takes a role away. Says by `false` that the holder did not have it.
    ///
    /// # Errors
    /// Where there is no such holder, or the database fails.
    pub async fn revoke_role(&self, number: &str, role: Role) -> Result<bool> {
        transact!(self.platform().db().writer(), |tx| {
            let holder = find_holder(tx, number).await?;
            let revoked = sqlx::query("DELETE FROM office_role WHERE holder = $1 AND role = $2")
                .bind(holder.id)
                .bind(role.to_stored())
                .execute(&mut *tx)
                .await?;
            self.record_role(tx, revoked.rows_affected(), Action::RoleRevoked, (number, role))
                .await
        })
    }

    async fn record_role(
        &self,
        tx: &mut Connection,
        rows: u64,
        action: Action,
        (number, role): (&str, Role),
    ) -> Result<bool> {
        if rows == 0 {
            return Ok(false);
        }
        let about = (Some(number), role.name().to_owned());
        record(tx, self.actor(), action, about, self.now()).await?;
        Ok(true)
    }

    /// Everybody who works at the card office, by number.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn staff(&self) -> Result<Vec<StaffMember>> {
        let mut reader = self.platform().db().read().await?;
        let rows = sqlx::query(
            "SELECT h.number, h.name, r.role FROM office_role r JOIN holder h ON h.id = r.holder \
             ORDER BY h.number, r.granted_at, r.role",
        )
        .fetch_all(&mut *reader)
        .await?;
        let mut staff: Vec<StaffMember> = Vec::new();
        for row in &rows {
            let number: String = row.try_get("number")?;
            let role = variant(row, "role")?;
            match staff.last_mut().filter(|last| last.number == number) {
                Some(last) => last.roles.push(role),
                None => staff.push(StaffMember {
                    number,
                    name: row.try_get("name")?,
                    roles: vec![role],
                }),
            }
        }
        Ok(staff)
    }
}
