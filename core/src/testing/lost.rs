//! The platform's side of what is lost, and of the phones that the card is on.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use uuid::Uuid;
use yika_api::ProblemCode;
use yika_api::approval::{Act, StepUp};
use yika_api::credential::CredentialState;
use yika_api::device::{Device, DeviceList, RemoveDevice};
use yika_api::lost::{Lost, ReportFound, ReportLost, SuspendedBy, Suspension, SuspensionList};

use super::money::name;
use super::platform::{Campus, DEVICE, FakePlatform, problem};

/// Where a phone that is reported lost may still go.
pub(super) const PATH: &str = "/v1/cards/suspensions";

/// What becomes of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Clear,
    /// They are taken, and the answer is lost, also of what the phone tries at once again.
    ReplyLost,
    /// They don't arrive.
    Away,
}

/// What the platform knows of what is lost.
pub(crate) struct Losses {
    /// Whether it has ever heard of such.
    pub offered: bool,
    pub open: Vec<Suspension>,
    pub devices: Vec<Device>,
    /// Everything that was ever reported, by its name.
    seen: HashMap<Uuid, (ReportLost, Suspension)>,
    /// How many reports were new.
    pub reports: u32,
    /// The ID tokens that were to show the holder.
    pub id_tokens: Vec<String>,
    pub weather: Weather,
    version: u64,
}

impl Losses {
    pub(super) fn new() -> Self {
        Self {
            offered: false,
            open: Vec::new(),
            devices: Vec::new(),
            seen: HashMap::new(),
            reports: 0,
            id_tokens: Vec::new(),
            weather: Weather::Clear,
            version: 0,
        }
    }

    /// Whether the phone is reported lost.
    pub(super) fn is_phone_lost(&self) -> bool {
        self.open
            .iter()
            .any(|known| known.lost == Lost::Phone { device_id: DEVICE })
    }
}

impl FakePlatform {
    /// The card office freezes the card.
    pub(crate) fn freeze(&self) {
        let mut campus = self.campus();
        let id = Uuid::now_v7();
        let now = campus.now;
        let lost = ReportLost {
            lost: Lost::All,
            decided_at: now,
        };
        campus.begin(id, lost, SuspendedBy::Office);
    }

    /// What was reported ends, as by another phone of the holder.
    pub(crate) fn end_all(&self) {
        self.campus().end(|_| true);
    }
}

impl Campus {
    fn begin(&mut self, id: Uuid, report: ReportLost, by: SuspendedBy) -> Suspension {
        let now = self.now;
        let suspension = Suspension {
            id,
            lost: report.lost,
            by,
            decided_at: report.decided_at,
            online_from: now,
            offline_by: now.plus_millis(3_000),
            offline_identity_by: now.plus_millis(7_000),
            ended_at: None,
        };
        if report.lost == Lost::All {
            self.state = CredentialState::Suspended;
        }
        let losses = &mut self.losses;
        losses.version += 1;
        losses.reports += 1;
        losses.seen.insert(id, (report, suspension));
        losses.open.push(suspension);
        suspension
    }

    fn end(&mut self, which: impl Fn(&Suspension) -> bool) {
        let now = self.now;
        let losses = &mut self.losses;
        for ended in losses.open.extract_if(.., |known| which(known)) {
            if let Some((_, seen)) = losses.seen.get_mut(&ended.id) {
                seen.ended_at = Some(now);
            }
            self.renewal_due |= ended.lost != Lost::Card;
        }
        losses.version += 1;
        if !losses.open.iter().any(|known| known.lost == Lost::All) {
            self.state = CredentialState::Active;
        }
    }

    fn suspensions(&self) -> Response {
        Json(SuspensionList {
            suspensions: self.losses.open.clone(),
            version: self.losses.version,
            as_of: self.now,
        })
        .into_response()
    }

    fn doubt_holder(&mut self, operation: Uuid, act: Act, step_up: Option<&StepUp>) -> Option<Response> {
        match step_up {
            Some(StepUp::SignIn { id_token }) => {
                self.losses.id_tokens.push(id_token.clone());
                None
            }
            other => self.doubt(operation, act, other),
        }
    }
}

type Shared = State<Arc<FakePlatform>>;

pub(super) fn routes() -> Router<Arc<FakePlatform>> {
    Router::new()
        .route(PATH, get(list))
        .route("/v1/cards/suspensions/{id}", put(report))
        .route("/v1/cards/suspensions/{id}/found", put(found))
        .route("/v1/devices", get(devices))
        .route("/v1/devices/{id}/removal", put(remove))
}

async fn list(State(platform): Shared) -> Response {
    let campus = platform.campus();
    match campus.losses.offered {
        true => campus.suspensions(),
        false => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn report(State(platform): Shared, Path(id): Path<Uuid>, Json(request): Json<ReportLost>) -> Response {
    let mut campus = platform.campus();
    let weather = campus.losses.weather;
    if weather == Weather::Away {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    if let Some((known, suspension)) = campus.losses.seen.get(&id) {
        assert_eq!(*known, request, "it is reported the same each time");
        return match weather {
            Weather::ReplyLost => StatusCode::BAD_GATEWAY.into_response(),
            _ => Json(*suspension).into_response(),
        };
    }
    let is_known = match request.lost {
        Lost::Phone { device_id } => {
            device_id == DEVICE || campus.losses.devices.iter().any(|device| device.id == device_id)
        }
        Lost::Card | Lost::All => true,
    };
    if !is_known {
        return problem(ProblemCode::NotFound);
    }
    let begun = campus.begin(id, request, SuspendedBy::Holder);
    match weather {
        Weather::ReplyLost => StatusCode::BAD_GATEWAY.into_response(),
        _ => Json(begun).into_response(),
    }
}

async fn found(
    State(platform): Shared,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(request): Json<ReportFound>,
) -> Response {
    let mut campus = platform.campus();
    let lost = campus.losses.seen[&id].1.lost;
    let act = Act::ReportFound { suspension: id };
    if let Some(doubt) = campus.doubt_holder(name(&headers), act, request.step_up.as_ref()) {
        return doubt;
    }
    campus.end(|known| known.by == SuspendedBy::Holder && known.lost == lost);
    campus.suspensions()
}

async fn devices(State(platform): Shared) -> Json<DeviceList> {
    let campus = platform.campus();
    Json(DeviceList {
        devices: campus.losses.devices.clone(),
        as_of: campus.now,
    })
}

async fn remove(
    State(platform): Shared,
    Path(id): Path<Uuid>,
    headers: HeaderMap,
    Json(request): Json<RemoveDevice>,
) -> Response {
    let mut campus = platform.campus();
    let act = Act::RemoveDevice { device: id };
    if let Some(doubt) = campus.doubt_holder(name(&headers), act, request.step_up.as_ref()) {
        return doubt;
    }
    campus.losses.devices.retain(|device| device.id != id);
    campus.end(|known| known.lost == Lost::Phone { device_id: id });
    Json(DeviceList {
        devices: campus.losses.devices.clone(),
        as_of: campus.now,
    })
    .into_response()
}
