//! What is lost, as the holder says and the platform hears. What the holder reports is durable here first, then told, now or at the
//! next synchronisation.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;
use yika_api::approval::{Act, StepUp as Told};
use yika_api::device::DeviceList;
use yika_api::lost::{Lost, SuspendedBy, Suspension, SuspensionList};
use yika_api::{ProblemCode, UnixMillis};

use super::drafts::{LostDrafts, ReportDraft};
use super::model::{CardDevice, LostItem, LostRow, LostState, Security};
use super::remote;
use crate::approvals::{Approvals, StepUp};
use crate::codes::Stop;
use crate::error::CoreError;
use crate::http::HttpError;
use crate::session::{HttpOrCore, Sessions};
use crate::store::{Changes, Store};
use crate::wallet::Wallets;

/// What is lost, and which phones there are.
pub(crate) struct Losses {
    store: Arc<Store>,
    /// Held while the drafts are read and replaced.
    changing: Mutex<()>,
    /// Reports are told one at a time, in their order.
    turn: tokio::sync::Mutex<()>,
}

/// With what the holder shows to be there.
#[derive(Clone, Copy)]
pub(crate) struct Proving<'a> {
    pub sessions: &'a Sessions,
    pub wallets: &'a Wallets,
    pub approvals: &'a Approvals,
    pub step_up: Option<&'a StepUp>,
}

impl Losses {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            changing: Mutex::new(()),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    fn drafts(&self) -> Result<LostDrafts, CoreError> {
        Ok(self.store.get::<LostDrafts>()?.unwrap_or_default())
    }

    /// How things stand, by what was reported here and what the platform told last.
    pub(crate) fn security(&self, this: Uuid) -> Result<Security, CoreError> {
        let told = self.store.snapshot::<SuspensionList>()?;
        let devices = self.store.snapshot::<DeviceList>()?;
        Ok(security(&self.drafts()?, told, devices, this))
    }

    /// Writes down that something is lost: from now on this phone shows no codes, where it is about them. What waits to be told
    /// already is not told twice.
    pub(crate) fn write_down(&self, item: LostItem, this: Uuid, now: UnixMillis) -> Result<(), CoreError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut drafts = self.drafts()?;
        let lost = lost(item, this);
        if drafts.reports.iter().any(|report| report.lost == lost) {
            return Ok(());
        }
        drafts.reports.push(ReportDraft {
            id: Uuid::now_v7(),
            lost,
            decided_at: now,
        });
        Ok(self.store.commit(&Changes::new().put(&drafts)?)?)
    }

    /// Takes a report off those that wait. What it stops on this phone stays stopped, as the platform says from now on.
    fn settle(&self, report: &ReportDraft, stop: Option<Stop>) -> Result<(), CoreError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut drafts = self.drafts()?;
        drafts.reports.retain(|waiting| waiting.id != report.id);
        let mut changes = Changes::new().put(&drafts)?;
        if let Some(stop) = stop {
            changes = changes.put(&stop)?;
        }
        Ok(self.store.commit(&changes)?)
    }

    /// Tells the platform what it doesn't know yet, then asks how things stand.
    pub(crate) async fn synchronise(&self, sessions: &Sessions) -> Result<(), CoreError> {
        self.send_waiting(sessions).await?;
        self.refresh(sessions).await
    }

    /// The same right after the holder has reported something: what can't be told now waits, and only what was refused for good
    /// is an error.
    pub(crate) async fn tell(&self, sessions: &Sessions) -> Result<(), CoreError> {
        let told = match self.send_waiting(sessions).await {
            Ok(()) => self.refresh(sessions).await,
            Err(error) if self.drafts()?.reports.is_empty() => return Err(error),
            waits => waits,
        };
        if let Err(error) = told {
            tracing::debug!(%error, "what is to be told about what is lost waits");
        }
        Ok(())
    }

    /// Tells the platform what is reported lost. What it refuses for good is not tried again.
    pub(crate) async fn send_waiting(&self, sessions: &Sessions) -> Result<(), CoreError> {
        let _turn = self.turn.lock().await;
        let this = sessions.bound()?.device_id;
        for report in self.drafts()?.reports {
            match remote::report(sessions, &report).await {
                Ok(suspension) => {
                    // It may have been found already, if this comes late.
                    let stop = suspension.ended_at.is_none().then(|| stop(report.lost, this));
                    self.settle(&report, stop.flatten())?;
                    self.remember(suspension)?;
                }
                Err(error) => {
                    if let HttpOrCore::Http(HttpError::Problem(refusal)) = &error
                        && refusal.is_final()
                    {
                        self.settle(&report, None)?;
                    }
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// Keeps what was answered to a report, until the platform tells everything.
    fn remember(&self, suspension: Suspension) -> Result<(), CoreError> {
        let mut list = self
            .store
            .snapshot::<SuspensionList>()?
            .unwrap_or(SuspensionList {
                suspensions: Vec::new(),
                version: 0,
                as_of: suspension.online_from,
            });
        list.suspensions.retain(|known| known.id != suspension.id);
        if suspension.ended_at.is_none() {
            list.suspensions.push(suspension);
        }
        Ok(self.store.put_snapshot(&list)?)
    }

    async fn refresh(&self, sessions: &Sessions) -> Result<(), CoreError> {
        match remote::suspensions(sessions).await {
            Ok(list) => self.store.put_snapshot(&list)?,
            // A platform of before there were reports.
            Err(HttpOrCore::Http(HttpError::Problem(refusal))) if refusal.status == 404 => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        match remote::devices(sessions).await {
            Ok(list) => Ok(self.store.put_snapshot(&list)?),
            // A phone that is lost is not told of the others.
            Err(error) if error.problem() == Some(ProblemCode::DeviceLost) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Reports something found. What was reported here is told first.
    pub(crate) async fn found(&self, proving: Proving<'_>, item: LostItem) -> Result<(), CoreError> {
        let sessions = proving.sessions;
        self.send_waiting(sessions).await?;
        let list = remote::suspensions(sessions).await?;
        self.store.put_snapshot(&list)?;
        let lost = lost(item, sessions.bound()?.device_id);
        let open = list.suspensions.iter().filter(|known| known.lost == lost);
        let Some(suspension) = open.min_by_key(|known| known.by == SuspendedBy::Office) else {
            return Ok(());
        };
        if suspension.by == SuspendedBy::Office {
            return Err(CoreError::Forbidden);
        }
        let operation = Uuid::now_v7();
        let act = Act::ReportFound {
            suspension: suspension.id,
        };
        let step_up = proving.prove(operation, act).await?;
        let answer = remote::found(sessions, operation, suspension.id, step_up).await;
        let list = proving.heard(answer).await?;
        Ok(self.store.put_snapshot(&list)?)
    }

    /// Signs another phone out.
    pub(crate) async fn remove(&self, proving: Proving<'_>, device: Uuid) -> Result<(), CoreError> {
        let operation = Uuid::now_v7();
        let step_up = proving.prove(operation, Act::RemoveDevice { device }).await?;
        let answer = remote::remove(proving.sessions, operation, device, step_up).await;
        let list = proving.heard(answer).await?;
        self.store.put_snapshot(&list)?;
        self.refresh(proving.sessions).await
    }
}

impl Proving<'_> {
    async fn prove(&self, operation: Uuid, act: Act) -> Result<Option<Told>, CoreError> {
        let Some(step_up) = self.step_up else {
            return Ok(None);
        };
        let proven = self
            .approvals
            .prove(self.sessions, self.wallets, operation, act, step_up);
        proven.await.map(Some)
    }

    async fn heard<T>(&self, answer: Result<T, HttpOrCore>) -> Result<T, CoreError> {
        if let Err(error) = &answer {
            self.approvals.heard(error).await?;
        }
        Ok(answer?)
    }
}

/// What a shell names, as the platform does.
fn lost(item: LostItem, this: Uuid) -> Lost {
    match item {
        LostItem::Card => Lost::Card,
        LostItem::ThisPhone => Lost::Phone { device_id: this },
        LostItem::Phone { device } => Lost::Phone { device_id: device },
        LostItem::All => Lost::All,
    }
}

/// What a report stops on this phone.
fn stop(lost: Lost, this: Uuid) -> Option<Stop> {
    match lost {
        Lost::Phone { device_id } if device_id == this => Some(Stop::PhoneLost),
        Lost::All => Some(Stop::CardFrozen),
        Lost::Card | Lost::Phone { .. } => None,
    }
}

/// What reports that wait stop on this phone: also where the platform has not heard of them, and says otherwise.
pub(crate) fn local_stop(drafts: &LostDrafts, this: Uuid) -> Option<Stop> {
    drafts.reports.iter().find_map(|report| stop(report.lost, this))
}

fn security(
    drafts: &LostDrafts,
    told: Option<SuspensionList>,
    devices: Option<DeviceList>,
    this: Uuid,
) -> Security {
    let as_of = told.as_ref().map(|list| list.as_of);
    let open = told.map(|list| list.suspensions).unwrap_or_default();
    let standing = |lost| state(drafts, &open, lost);
    let row = |item| LostRow {
        item,
        state: standing(lost(item, this)),
    };
    let devices = devices.map(|list| list.devices).unwrap_or_default();
    Security {
        rows: [LostItem::Card, LostItem::ThisPhone, LostItem::All]
            .map(row)
            .to_vec(),
        devices: devices
            .into_iter()
            .map(|device| CardDevice {
                state: standing(Lost::Phone { device_id: device.id }),
                is_this: device.id == this,
                id: device.id,
                name: device.name,
                bound_at: device.bound_at,
                last_seen: device.last_seen,
            })
            .collect(),
        frozen: match standing(Lost::All) {
            LostState::Active => None,
            LostState::Sending { .. } => Some(SuspendedBy::Holder),
            LostState::Lost { by, .. } => Some(by),
        },
        as_of,
    }
}

/// What was there first says from when it counts; that the office froze it outweighs that the holder reported it too.
fn state(drafts: &LostDrafts, open: &[Suspension], lost: Lost) -> LostState {
    let mut told = open.iter().filter(|known| known.lost == lost);
    if let Some(first) = told.next() {
        let is_frozen = told.chain([first]).any(|known| known.by == SuspendedBy::Office);
        return LostState::Lost {
            since: first.decided_at,
            by: if is_frozen { SuspendedBy::Office } else { first.by },
            online_from: first.online_from,
            offline_by: first.offline_by,
            offline_identity_by: first.offline_identity_by,
        };
    }
    let waiting = drafts.reports.iter().find(|report| report.lost == lost);
    waiting.map_or(LostState::Active, |report| LostState::Sending {
        since: report.decided_at,
    })
}

#[cfg(test)]
mod rules {
    use super::*;
    use proptest::prelude::*;

    const THIS: Uuid = Uuid::from_u128(1);

    fn any_lost() -> impl Strategy<Value = Lost> {
        let phone = (1_u128..4).prop_map(|id| Lost::Phone {
            device_id: Uuid::from_u128(id),
        });
        prop_oneof![Just(Lost::Card), phone, Just(Lost::All)]
    }

    fn any_suspension() -> impl Strategy<Value = Suspension> {
        let by = prop_oneof![Just(SuspendedBy::Holder), Just(SuspendedBy::Office)];
        (any_lost(), by, any::<u32>()).prop_map(|(lost, by, at)| Suspension {
            id: Uuid::from_u128(at.into()),
            lost,
            by,
            decided_at: UnixMillis(at.into()),
            online_from: UnixMillis(at.into()),
            offline_by: UnixMillis(i64::from(at) + 1),
            offline_identity_by: UnixMillis(i64::from(at) + 2),
            ended_at: None,
        })
    }

    fn any_drafts() -> impl Strategy<Value = LostDrafts> {
        let report = (any_lost(), any::<u32>()).prop_map(|(lost, at)| ReportDraft {
            id: Uuid::from_u128(at.into()),
            lost,
            decided_at: UnixMillis(at.into()),
        });
        proptest::collection::vec(report, 0..4).prop_map(|reports| LostDrafts { reports })
    }

    proptest! {
        #[test]
        fn a_row_is_active_only_where_nobody_reported_it_and_says_who_may_undo_it(
            drafts in any_drafts(),
            open in proptest::collection::vec(any_suspension(), 0..5),
            item in any_lost(),
        ) {
            let waits = drafts.reports.iter().any(|report| report.lost == item);
            let told: Vec<_> = open.iter().filter(|known| known.lost == item).collect();
            match state(&drafts, &open, item) {
                LostState::Active => prop_assert!(!waits && told.is_empty()),
                LostState::Sending { .. } => prop_assert!(waits && told.is_empty()),
                LostState::Lost { by, online_from, .. } => {
                    prop_assert_eq!(online_from, told[0].online_from);
                    let frozen = told.iter().any(|known| known.by == SuspendedBy::Office);
                    prop_assert_eq!(by == SuspendedBy::Office, frozen);
                }
            }
        }

        #[test]
        fn what_waits_to_be_told_stops_this_phone_exactly_where_it_is_about_it(drafts in any_drafts()) {
            let about_this = drafts
                .reports
                .iter()
                .any(|report| report.lost == Lost::All || report.lost == Lost::Phone { device_id: THIS });
            prop_assert_eq!(local_stop(&drafts, THIS).is_some(), about_this);
        }
    }
}
