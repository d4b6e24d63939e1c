//! Who may do what at a stall. A stall at which somebody does not work is to them as if it weren't there.

use crate::Platform;
use crate::config::MerchantPolicy;
use crate::days::{Calendar, Day};
use crate::db::{Connection, stored_enum, variant};
use crate::error::{Error, Result};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use yika_api::merchant::{MOST_DAYS, Stall, StallRole};
use yika_api::terminal::MerchantId;
use yika_api::{Fen, LocalizedText, ProblemCode};

/// What a holder is at a stall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Owner,
    Cashier,
}
stored_enum!(Role { Role::Owner = "owner", Role::Cashier = "cashier" });

impl Role {
    pub(super) const fn to_api(self) -> StallRole {
        match self {
            Self::Owner => StallRole::Owner,
            Self::Cashier => StallRole::Cashier,
        }
    }

    /// The role of this name, where this version has it.
    pub(super) const fn of(role: StallRole) -> Option<Self> {
        match role {
            StallRole::Owner => Some(Self::Owner),
            StallRole::Cashier => Some(Self::Cashier),
            StallRole::Other => None,
        }
    }

    const fn may_void(self, policy: &MerchantPolicy) -> bool {
        match self {
            Self::Owner => true,
            Self::Cashier => policy.cashiers_may_void,
        }
    }

    const fn may_refund(self, policy: &MerchantPolicy) -> bool {
        match self {
            Self::Owner => true,
            Self::Cashier => policy.cashiers_may_refund,
        }
    }
}

/// A stall at which a holder works.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) id: i64,
    pub(super) name: LocalizedText,
    pub(super) role: Role,
    /// What the school owes to it.
    pub(super) balance: Fen,
}

impl Place {
    fn read(row: &AnyRow) -> Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: LocalizedText {
                zh: row.try_get("name_zh")?,
                en: row.try_get("name_en")?,
            },
            role: variant(row, "role")?,
            balance: Fen::new(row.try_get("balance")?),
        })
    }

    pub(super) fn public_id(&self) -> MerchantId {
        MerchantId(u64::try_from(self.id).unwrap_or_default())
    }

    pub(super) fn stall(&self, policy: &MerchantPolicy) -> Stall {
        Stall {
            id: self.public_id(),
            name: self.name.clone(),
            role: self.role.to_api(),
            may_void: self.role.may_void(policy),
            may_refund: self.role.may_refund(policy),
            void_within_ms: policy.void_within_ms,
        }
    }

    pub(super) fn check_may_void(&self, policy: &MerchantPolicy) -> Result<()> {
        allowed(self.role.may_void(policy), "the owner voids sales here")
    }

    pub(super) fn check_may_refund(&self, policy: &MerchantPolicy) -> Result<()> {
        allowed(self.role.may_refund(policy), "the owner refunds here")
    }

    /// Statements and exports are an owner's.
    pub(super) fn check_is_owner(&self) -> Result<()> {
        allowed(self.role == Role::Owner, "this is for the owner of the stall")
    }
}

fn allowed(is_allowed: bool, why: &str) -> Result<()> {
    match is_allowed {
        true => Ok(()),
        false => Err(Error::refused_because(ProblemCode::Forbidden, why)),
    }
}

const PLACE: &str = "SELECT m.id, m.name_zh, m.name_en, s.role, a.balance FROM merchant_staff s \
     JOIN merchant m ON m.id = s.merchant JOIN ledger_account a ON a.merchant = m.id WHERE s.holder = $1 ";

/// The stalls at which a holder works, by their numbers.
pub(super) async fn places(db: &mut Connection, holder: i64) -> Result<Vec<Place>> {
    let sql = format!("{PLACE} ORDER BY m.id");
    let rows = sqlx::query(crate::db::assembled(sql))
        .bind(holder)
        .fetch_all(db)
        .await?;
    rows.iter().map(Place::read).collect()
}

/// The stall of this number, if the holder works there.
pub(super) async fn place(db: &mut Connection, holder: i64, merchant: MerchantId) -> Result<Place> {
    let none = || Error::refused(ProblemCode::NotFound);
    let id = i64::try_from(merchant.0).map_err(|_| none())?;
    let sql = format!("{PLACE} AND s.merchant = $2");
    let row = sqlx::query(crate::db::assembled(sql))
        .bind(holder)
        .bind(id)
        .fetch_optional(db)
        .await?;
    row.map(|row| Place::read(&row)).transpose()?.ok_or_else(none)
}

/// Days that somebody asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days {
    pub(super) first: Day,
    pub(super) last: Day,
}

impl Days {
    /// The days that were asked for: today where none is named, one where only the first is. A cashier sees today alone.
    pub(super) fn asked(
        platform: &Platform,
        place: &Place,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Self> {
        let calendar = Calendar::of(&platform.config().school.time_zone)?;
        let today = calendar.day_of(platform.now())?;
        let first = from.map_or(Ok(today), Day::parse)?;
        let last = to.map_or(Ok(first), Day::parse)?;
        let count = first.days_to(last);
        if count == 0 || count > usize::from(MOST_DAYS) {
            let why = "ask for 1 to 366 days, the first one first";
            return Err(Error::refused_because(ProblemCode::InvalidRequest, why));
        }
        let is_today = (first, last) == (today, today);
        allowed(
            is_today || place.role == Role::Owner,
            "days before today are for the owner of the stall",
        )?;
        Ok(Self { first, last })
    }
}
