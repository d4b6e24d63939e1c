//! What a suspension does, and what its end undoes: as much as no other one that is open stands against.

use super::store;
use crate::Platform;
use crate::accounts::{HolderStatus, set_holder_status};
use crate::db::Connection;
use crate::error::Result;
use crate::issuer::{self, Reach};
use crate::sessions::{DeviceStatus, set_device_status};
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::lost::{Lost, SuspendedBy, Suspension};

/// Who reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The holder, on this phone.
    Phone(Uuid),
    /// The card office.
    Office,
}

impl Source {
    const fn by(self) -> SuspendedBy {
        match self {
            Self::Phone(_) => SuspendedBy::Holder,
            Self::Office => SuspendedBy::Office,
        }
    }

    const fn device(self) -> Option<Uuid> {
        match self {
            Self::Phone(device) => Some(device),
            Self::Office => None,
        }
    }
}

/// Whether codes of a phone are suspended by any of these.
fn covers_phone(open: &[Suspension], device: Uuid) -> bool {
    open.iter().any(|suspension| match suspension.lost {
        Lost::Card => false,
        Lost::Phone { device_id } => device_id == device,
        Lost::All => true,
    })
}

fn covers_card(open: &[Suspension]) -> bool {
    open.iter()
        .any(|suspension| matches!(suspension.lost, Lost::Card | Lost::All))
}

fn covers_holder(open: &[Suspension]) -> bool {
    open.iter().any(|suspension| suspension.lost == Lost::All)
}

/// Whether codes of a holder's phone are suspended.
pub(super) async fn is_suspended(db: &mut Connection, holder: i64, device: Uuid) -> Result<bool> {
    Ok(covers_phone(&store::open(db, holder).await?, device))
}

/// Begins a suspension of this name, and answers from when it counts where.
pub(super) async fn begin(
    tx: &mut Connection,
    platform: &Platform,
    holder: i64,
    (id, lost, decided_at): (Uuid, Lost, UnixMillis),
    source: Source,
) -> Result<Suspension> {
    let now = platform.now();
    let before = store::open(tx, holder).await?;
    let (online_from, reach) = match lost {
        Lost::Card => {
            let cards = &platform.config().cards;
            let last = now.plus_millis(cards.offline_ms.max(cards.online_ms));
            (now.plus_millis(cards.online_ms), Reach::none(last))
        }
        Lost::Phone { device_id } => {
            set_device_status(tx, device_id, DeviceStatus::Lost).await?;
            let reach = issuer::suspend(tx, platform, holder, Some(device_id)).await?;
            (
                now,
                reach.max(known_reach(&before, now, |lost| {
                    lost == Lost::All || lost == Lost::Phone { device_id }
                })),
            )
        }
        Lost::All => {
            set_holder_status(tx, holder, HolderStatus::Frozen).await?;
            let reach = issuer::suspend(tx, platform, holder, None).await?;
            (
                now,
                reach.max(known_reach(&before, now, |lost| lost != Lost::Card)),
            )
        }
    };
    let suspension = Suspension {
        id,
        lost,
        by: source.by(),
        decided_at,
        online_from,
        offline_by: reach.payments_by,
        offline_identity_by: reach.identities_by,
        ended_at: None,
    };
    store::insert(tx, holder, &suspension, source.device(), now).await?;
    tell_card_system(tx, holder, now).await?;
    Ok(suspension)
}

/// What was told of suspensions that still reach terminals: what they stopped is not stopped any sooner by another one.
fn known_reach(open: &[Suspension], now: UnixMillis, counts: impl Fn(Lost) -> bool) -> Reach {
    let known = open.iter().filter(|suspension| counts(suspension.lost));
    known.fold(Reach::none(now), |reach, known| {
        reach.max(Reach {
            payments_by: known.offline_by,
            identities_by: known.offline_identity_by,
        })
    })
}

/// Ends these open suspensions of a holder, and lets go on what none of the others stops.
pub(super) async fn end(
    tx: &mut Connection,
    holder: i64,
    ended: &[Suspension],
    by: SuspendedBy,
    now: UnixMillis,
) -> Result<()> {
    for suspension in ended {
        store::end(tx, suspension.id, by, now).await?;
    }
    let open = store::open(tx, holder).await?;
    for suspension in ended {
        if let Lost::Phone { device_id } = suspension.lost
            && !open.iter().any(|other| other.lost == suspension.lost)
        {
            set_device_status(tx, device_id, DeviceStatus::Active).await?;
        }
    }
    if !covers_holder(&open) {
        set_holder_status(tx, holder, HolderStatus::Active).await?;
    }
    issuer::resume(tx, holder, |device| covers_phone(&open, device)).await?;
    tell_card_system(tx, holder, now).await
}

/// Ends what is reported of a phone that is signed out for good.
pub(crate) async fn end_of_device(
    tx: &mut Connection,
    holder: i64,
    device_id: Uuid,
    now: UnixMillis,
) -> Result<()> {
    let mut of_device = store::open(tx, holder).await?;
    of_device.retain(|suspension| suspension.lost == Lost::Phone { device_id });
    end(tx, holder, &of_device, SuspendedBy::Holder, now).await
}

async fn tell_card_system(tx: &mut Connection, holder: i64, now: UnixMillis) -> Result<()> {
    let is_suspended = covers_card(&store::open(tx, holder).await?);
    if is_suspended != store::is_card_suspended(tx, holder).await? {
        store::note_card_change(tx, holder, is_suspended, now).await?;
    }
    Ok(())
}
