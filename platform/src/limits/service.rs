//! What limits hold for a holder, and how they are set.

use super::Bounds;
use super::store::{self, Purpose};
use crate::Platform;
use crate::approvals::{Presence, prove};
use crate::config::Limits;
use crate::db::{Connection, transact};
use crate::error::Result;
use crate::http::IdempotencyKey;
use crate::idempotency::{Deed, Operation};
use crate::sessions::Session;
use yika_api::Fen;
use yika_api::approval::Act;
use yika_api::credential::KeyStorage;
use yika_api::limit::{SetLimits, SpendLimits};

/// Fen of the unit in which credentials carry limits.
const UNIT: i64 = 10;
/// The least limit of payments: below it nothing could be bought.
const LEAST_SPEND: Fen = Fen::new(100);

fn most_of_top_ups(platform: &Platform) -> Bounds {
    let policy = &platform.config().wallet;
    Bounds {
        single: policy.single,
        day: policy.day,
    }
}

/// What limits of payments the school allows.
pub(crate) fn most_of_payments(platform: &Platform) -> Bounds {
    let limits = platform.config().credentials.hardware_limits;
    Bounds {
        single: Fen::new(i64::from(limits.per_use) * UNIT),
        day: Fen::new(i64::from(limits.cumulative) * UNIT),
    }
}

async fn bounds(db: &mut Connection, holder: i64, purpose: Purpose, most: Bounds) -> Result<Bounds> {
    let own = store::own(db, holder, purpose).await?;
    Ok(own.map_or(most, |own| own.within(most)))
}

/// The limits of a holder's top-ups.
pub(crate) async fn top_up_bounds(db: &mut Connection, platform: &Platform, holder: i64) -> Result<Bounds> {
    bounds(db, holder, Purpose::TopUp, most_of_top_ups(platform)).await
}

/// The limits of a holder's payments.
pub(crate) async fn spend_bounds(db: &mut Connection, platform: &Platform, holder: i64) -> Result<Bounds> {
    bounds(db, holder, Purpose::Spend, most_of_payments(platform)).await
}

/// What a holder has paid off card accounts today.
pub(crate) async fn spent_today(db: &mut Connection, platform: &Platform, holder: i64) -> Result<Fen> {
    let today = crate::days::day_of(platform.now(), &platform.config().school.time_zone)?;
    store::spent_since(db, holder, today.start).await
}

/// The limits that a holder's credential carries, for a key that lives there.
pub(crate) async fn credential_limits(
    db: &mut Connection,
    platform: &Platform,
    holder: i64,
    storage: KeyStorage,
) -> Result<Limits> {
    let policy = platform.config().credentials.limits(storage);
    let bounds = spend_bounds(db, platform, holder).await?;
    let units = |limit: Fen| u16::try_from(limit.get() / UNIT).unwrap_or(u16::MAX);
    Ok(Limits {
        per_use: policy.per_use.min(units(bounds.single)),
        cumulative: policy.cumulative.min(units(bounds.day)),
    })
}

/// Whether these can be the limits of a holder's top-ups.
pub(crate) async fn check_top_up_bounds(
    db: &mut Connection,
    platform: &Platform,
    holder: i64,
    wanted: Bounds,
    presence: Presence,
) -> Result<()> {
    let current = top_up_bounds(db, platform, holder).await?;
    let (least, most) = (platform.config().wallet.least, most_of_top_ups(platform));
    wanted.check_change(current, least, most, presence)
}

/// Sets the limits of a holder's top-ups.
pub(crate) async fn set_top_up_bounds(
    tx: &mut Connection,
    platform: &Platform,
    holder: i64,
    wanted: Bounds,
    presence: Presence,
) -> Result<()> {
    check_top_up_bounds(tx, platform, holder, wanted, presence).await?;
    store::set(tx, holder, Purpose::TopUp, wanted, platform.now()).await
}

/// The limits of a holder's payments as the phone shows them.
pub(super) async fn show(platform: &Platform, holder: i64) -> Result<SpendLimits> {
    let mut snapshot = platform.db().snapshot().await?;
    shown(&mut snapshot, platform, holder).await
}

async fn shown(db: &mut Connection, platform: &Platform, holder: i64) -> Result<SpendLimits> {
    let (bounds, most) = (
        spend_bounds(db, platform, holder).await?,
        most_of_payments(platform),
    );
    Ok(SpendLimits {
        single: bounds.single,
        day: bounds.day,
        most_single: most.single,
        most_day: most.day,
        day_used: spent_today(db, platform, holder).await?,
    })
}

/// Sets the limits of a holder's payments. Credentials follow at their next renewal, which is due then.
pub(super) async fn set(
    platform: &Platform,
    session: &Session,
    key: IdempotencyKey,
    request: &SetLimits,
) -> Result<String> {
    let holder = session.holder;
    let deed = Deed::new("limits", holder, key, request)?;
    let wanted = Bounds {
        single: request.single,
        day: request.day,
    };
    let before: Result<Option<String>> = transact!(platform.db().writer(), |tx| {
        if let Some(reply) = deed.reply(tx).await? {
            return Ok(Some(reply));
        }
        // What can't be set costs no try of the password.
        check(
            tx,
            platform,
            holder,
            wanted,
            Presence::if_given(request.step_up.as_ref()),
        )
        .await?;
        Ok(None)
    });
    if let Some(reply) = before? {
        return Ok(reply);
    }
    let act = Act::SpendLimits {
        single: request.single,
        day: request.day,
    };
    let presence = prove(platform, session, key, act, request.step_up.as_ref()).await?;
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        check(tx, platform, holder, wanted, presence).await?;
        store::set(tx, holder, Purpose::Spend, wanted, now).await?;
        let limits = shown(tx, platform, holder).await?;
        slot.store(tx, &limits, now).await
    })
}

async fn check(
    db: &mut Connection,
    platform: &Platform,
    holder: i64,
    wanted: Bounds,
    presence: Presence,
) -> Result<()> {
    let current = spend_bounds(db, platform, holder).await?;
    wanted.check_change(current, LEAST_SPEND, most_of_payments(platform), presence)
}
