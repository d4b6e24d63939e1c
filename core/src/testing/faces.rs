//! The platform's side of face photos.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use uuid::Uuid;
use yika_api::face::{
    BeginPhoto, ConsentText, FaceConsent, FaceDeletion, FaceFile, FacePhoto, GiveConsent, PhotoBytesQuery,
    PhotoPhase, PhotoRefusal,
};
use yika_api::{LocalizedText, ProblemCode};

use super::platform::{FakePlatform, problem};

/// What becomes of a request about face photos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weather {
    Clear,
    /// It is done, and the answer is lost, also of what the phone tries at once again.
    ReplyLost,
    /// It doesn't arrive.
    Away,
}

/// What the platform knows of face photos.
pub(crate) struct Faces {
    /// Whether it has ever heard of such.
    pub offered: bool,
    pub text_version: u32,
    pub consent: Option<FaceConsent>,
    /// Consents that have ended.
    pub ended: Vec<Uuid>,
    pub photo: Option<FacePhoto>,
    /// What has arrived of it.
    pub bytes: Vec<u8>,
    pub announced: Option<BeginPhoto>,
    pub is_on_file: bool,
    pub deletion: Option<FaceDeletion>,
    /// What becomes of the next requests.
    pub weather: VecDeque<Weather>,
    /// How many consents and portraits were new.
    pub effects: (u32, u32),
    version: u64,
}

impl Faces {
    pub(super) fn new() -> Self {
        Self {
            offered: false,
            text_version: 1,
            consent: None,
            ended: Vec::new(),
            photo: None,
            bytes: Vec::new(),
            announced: None,
            is_on_file: false,
            deletion: None,
            weather: VecDeque::new(),
            effects: (0, 0),
            version: 0,
        }
    }
}

impl FakePlatform {
    /// What the card office decides about the portrait.
    pub(crate) fn decide(&self, refusal: Option<PhotoRefusal>) {
        let mut campus = self.campus();
        campus.faces.is_on_file |= refusal.is_none();
        let photo = campus.faces.photo.as_mut().unwrap();
        photo.phase = match refusal {
            None => PhotoPhase::Accepted,
            Some(_) => PhotoPhase::Refused,
        };
        photo.refusal = refusal;
    }
}

type Shared = State<Arc<FakePlatform>>;

pub(super) fn routes() -> Router<Arc<FakePlatform>> {
    Router::new()
        .route("/v1/face", get(file))
        .route("/v1/face/consents/{id}", put(give).delete(withdraw))
        .route("/v1/face/photos/{id}", put(begin))
        .route("/v1/face/photos/{id}/bytes", post(append))
}

/// Does what the request asks for, if it arrives, and answers it, if the answer does.
fn weathered(platform: &FakePlatform, act: impl FnOnce(&FakePlatform) -> Response) -> Response {
    if !platform.campus().faces.offered {
        return StatusCode::NOT_FOUND.into_response();
    }
    let weather = platform.campus().faces.weather.pop_front();
    match weather.unwrap_or(Weather::Clear) {
        Weather::Clear => act(platform),
        Weather::ReplyLost => {
            act(platform);
            StatusCode::BAD_REQUEST.into_response()
        }
        Weather::Away => StatusCode::BAD_REQUEST.into_response(),
    }
}

fn told(platform: &FakePlatform) -> Response {
    let mut campus = platform.campus();
    campus.faces.version += 1;
    let (now, faces) = (campus.now, &campus.faces);
    Json(FaceFile {
        text: ConsentText {
            version: faces.text_version,
            text: LocalizedText {
                zh: "用于门禁".to_owned(),
                en: "For gates".to_owned(),
            },
        },
        consent: faces.consent.clone(),
        is_on_file: faces.is_on_file,
        photo: faces.photo.clone(),
        deletion: faces.deletion.clone().filter(|_| faces.consent.is_none()),
        version: faces.version,
        as_of: now,
    })
    .into_response()
}

async fn file(State(platform): Shared) -> Response {
    weathered(&platform, told)
}

async fn give(State(platform): Shared, Path(id): Path<Uuid>, Json(request): Json<GiveConsent>) -> Response {
    weathered(&platform, |platform| {
        let mut campus = platform.campus();
        let now = campus.now;
        let faces = &mut campus.faces;
        let is_known =
            faces.ended.contains(&id) || faces.consent.as_ref().is_some_and(|known| known.id == id);
        if !is_known {
            if request.version != faces.text_version {
                return problem(ProblemCode::TermsChanged);
            }
            faces.effects.0 += 1;
            faces.consent = Some(FaceConsent {
                id,
                version: request.version,
                agreed_at: request.agreed_at,
                recorded_at: now,
            });
        }
        drop(campus);
        told(platform)
    })
}

async fn withdraw(State(platform): Shared, Path(id): Path<Uuid>) -> Response {
    weathered(&platform, |platform| {
        let mut campus = platform.campus();
        let now = campus.now;
        let faces = &mut campus.faces;
        let holds = faces.consent.as_ref().is_some_and(|consent| consent.id == id);
        if !holds && !faces.ended.contains(&id) {
            return problem(ProblemCode::NotFound);
        }
        if holds {
            faces.consent = None;
            faces.ended.push(id);
            faces.photo = None;
            faces.bytes.clear();
            faces.is_on_file = false;
            faces.deletion = Some(FaceDeletion {
                withdrawn_at: now,
                deleted_at: Some(now),
                terminals_left: 2,
                gone_by: now.plus_millis(1_000),
            });
        }
        drop(campus);
        told(platform)
    })
}

async fn begin(State(platform): Shared, Path(id): Path<Uuid>, Json(request): Json<BeginPhoto>) -> Response {
    weathered(&platform, |platform| {
        let mut campus = platform.campus();
        let now = campus.now;
        let faces = &mut campus.faces;
        if let Some(known) = faces.photo.as_ref().filter(|known| known.id == id) {
            assert_eq!(
                faces.announced.as_ref(),
                Some(&request),
                "it is announced the same each time"
            );
            return Json(known.clone()).into_response();
        }
        let holds =
            |consent: &FaceConsent| consent.id == request.consent_id && consent.version == faces.text_version;
        if !faces.consent.as_ref().is_some_and(holds) {
            return problem(ProblemCode::ConsentRequired);
        }
        faces.effects.1 += 1;
        faces.bytes.clear();
        let photo = FacePhoto {
            id,
            phase: PhotoPhase::Receiving,
            bytes: request.bytes,
            received: 0,
            refusal: None,
            changed_at: now,
        };
        faces.announced = Some(request);
        faces.photo = Some(photo.clone());
        Json(photo).into_response()
    })
}

async fn append(
    State(platform): Shared,
    Path(id): Path<Uuid>,
    Query(query): Query<PhotoBytesQuery>,
    body: Bytes,
) -> Response {
    weathered(&platform, |platform| {
        let mut campus = platform.campus();
        let faces = &mut campus.faces;
        let Some(photo) = faces.photo.as_mut().filter(|photo| photo.id == id) else {
            return problem(ProblemCode::NotFound);
        };
        if photo.phase == PhotoPhase::Receiving && query.from == photo.received {
            faces.bytes.extend_from_slice(&body);
            photo.received = u32::try_from(faces.bytes.len()).unwrap();
            if photo.received == photo.bytes {
                photo.phase = PhotoPhase::Pending;
            }
        }
        Json(photo.clone()).into_response()
    })
}
