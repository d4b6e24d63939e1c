//! Listing phones and removing them.

use crate::Platform;
use crate::approvals::Presence;
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::idempotency::{Deed, Operation};
use crate::lost::{Claim, end_of_device, prove_holder};
use crate::sessions::{DeviceRow, DeviceStatus, Session, devices_of_holder, own_device, remove_device};
use uuid::Uuid;
use yika_api::approval::Act;
use yika_api::device::{Device, DeviceList, RemoveDevice};
use yika_api::{ProblemCode, UnixMillis};

/// The phones that are bound to the holder's card.
pub(super) async fn list(platform: &Platform, session: &Session) -> Result<DeviceList> {
    let mut snapshot = platform.db().snapshot().await?;
    listed(&mut snapshot, session, platform.now()).await
}

async fn listed(db: &mut Connection, session: &Session, as_of: UnixMillis) -> Result<DeviceList> {
    let rows = devices_of_holder(db, session.holder, as_of).await?;
    let device = |row: DeviceRow| Device {
        is_this: row.id == session.device,
        is_lost: row.status == DeviceStatus::Lost,
        id: row.id,
        name: row.name,
        bound_at: row.bound_at,
        last_seen: row.seen_at,
    };
    Ok(DeviceList {
        devices: rows.into_iter().map(device).collect(),
        as_of,
    })
}

/// Signs another phone out: its session ends, its credential dies, and so does what is reported of it.
pub(super) async fn remove(
    platform: &Platform,
    session: &Session,
    key: IdempotencyKey,
    device: Uuid,
    request: &RemoveDevice,
) -> Result<String> {
    let holder = session.holder;
    let this = session.device.to_string();
    let deed = Deed::of_device("remove-device", holder, &this, key, &(device, request))?;
    let given = Presence::if_given(request.step_up.as_ref());
    let before: Result<Option<String>> = transact!(platform.db().writer(), |tx| {
        if let Some(reply) = deed.reply(tx).await? {
            return Ok(Some(reply));
        }
        check(tx, session, device, given).await?;
        Ok(None)
    });
    if let Some(reply) = before? {
        return Ok(reply);
    }
    let claim = Claim {
        key,
        act: Act::RemoveDevice { device },
        signed_in_since: UnixMillis(0),
    };
    let presence = prove_holder(platform, session, claim, request.step_up.as_ref()).await?;
    let now = platform.now();
    let removed: Result<String> = transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        check(tx, session, device, presence).await?;
        remove_device(tx, device, now).await?;
        end_of_device(tx, holder, device, now).await?;
        let list = listed(tx, session, now).await?;
        slot.store(tx, &list, now).await
    });
    let removed = removed?;
    tracing::info!(%device, by = %session.device, "a phone is removed");
    Ok(removed)
}

async fn check(db: &mut Connection, session: &Session, device: Uuid, presence: Presence) -> Result<()> {
    if device == session.device {
        let why = "this is the phone that asks: sign out instead";
        return Err(Error::refused_because(ProblemCode::InvalidRequest, why));
    }
    match (own_device(db, session.holder, device).await?, presence) {
        (None, _) => Err(Error::refused(ProblemCode::NotFound)),
        (Some(_), Presence::Unproven) => Err(Error::refused(ProblemCode::StepUpRequired)),
        (Some(_), Presence::Proven) => Ok(()),
    }
}
