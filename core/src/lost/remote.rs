//! The requests about what is lost. A report is named by its address, so it may be sent again.

use uuid::Uuid;
use yika_api::approval::StepUp;
use yika_api::device::{DeviceList, RemoveDevice};
use yika_api::lost::{ReportFound, ReportLost, Suspension, SuspensionList};

use super::drafts::ReportDraft;
use crate::http::Call;
use crate::session::{HttpOrCore, Sessions};

pub(super) async fn suspensions(sessions: &Sessions) -> Result<SuspensionList, HttpOrCore> {
    Ok(sessions.send(&Call::get("/v1/cards/suspensions")).await?.json()?)
}

pub(super) async fn devices(sessions: &Sessions) -> Result<DeviceList, HttpOrCore> {
    Ok(sessions.send(&Call::get("/v1/devices")).await?.json()?)
}

pub(super) async fn report(sessions: &Sessions, draft: &ReportDraft) -> Result<Suspension, HttpOrCore> {
    let request = ReportLost {
        lost: draft.lost,
        decided_at: draft.decided_at,
    };
    let call = Call::put(format!("/v1/cards/suspensions/{}", draft.id)).json(&request)?;
    Ok(sessions.send(&call.repeatable()).await?.json()?)
}

pub(super) async fn found(
    sessions: &Sessions,
    operation: Uuid,
    suspension: Uuid,
    step_up: Option<StepUp>,
) -> Result<SuspensionList, HttpOrCore> {
    let call = Call::put(format!("/v1/cards/suspensions/{suspension}/found"));
    let call = call.json(&ReportFound { step_up })?.operation(operation);
    Ok(sessions.send(&call).await?.json()?)
}

pub(super) async fn remove(
    sessions: &Sessions,
    operation: Uuid,
    device: Uuid,
    step_up: Option<StepUp>,
) -> Result<DeviceList, HttpOrCore> {
    let call = Call::put(format!("/v1/devices/{device}/removal"));
    let call = call.json(&RemoveDevice { step_up })?.operation(operation);
    Ok(sessions.send(&call).await?.json()?)
}
