//! The card office's side of face photos, below `/sandbox/admin`, and a clerk who plays it.
//!
//! | request | answer |
//! |---|---|
//! | `GET faces` | `{reviews: [{id, number, name, advice, findings, since}]}`: the portraits that wait, the oldest first |
//! | `GET faces/{id}` | the portrait, as JPEG |
//! | `POST faces/{id}/accept` | 204 |
//! | `POST faces/{id}/refuse {"reason", "reply"}` | 204; `reply` may be left out |
//! | `GET students/{number}/faces` | `{events: [{what, photo, terminal, at}]}`: everything that was done with the holder's photos |
//! | `GET faces/clerk`, `PUT faces/clerk {"does"}` | `{does}`: `away`, `accepts`, `refuses`, or `careful`: accepts what leaves nothing to say, and leaves the others to you |

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::face::PhotoRefusalReason;
use yika_platform::{FaceReview, Platform, Result};

/// How often the clerk looks.
const PAUSE: Duration = Duration::from_millis(250);

/// What the clerk does with portraits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Clerk {
    Away,
    Careful,
    Accepts,
    Refuses,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Desk {
    does: Clerk,
}

/// The office of face photos.
#[derive(Clone)]
pub(crate) struct FaceOffice {
    platform: Platform,
    desk: Arc<Mutex<Desk>>,
}

#[derive(Serialize)]
struct Reviews {
    reviews: Vec<ReviewView>,
}

#[derive(Serialize)]
struct ReviewView {
    id: Uuid,
    number: String,
    name: String,
    advice: Vec<String>,
    findings: Vec<String>,
    since: UnixMillis,
}

#[derive(Serialize)]
struct Events {
    events: Vec<EventView>,
}

#[derive(Serialize)]
struct EventView {
    what: &'static str,
    photo: Option<Uuid>,
    terminal: Option<i64>,
    at: UnixMillis,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    reason: PhotoRefusalReason,
    #[serde(default)]
    reply: Option<String>,
}

impl FaceOffice {
    /// An office with a careful clerk.
    pub(crate) fn new(platform: Platform) -> Self {
        Self {
            platform,
            desk: Arc::new(Mutex::new(Desk { does: Clerk::Careful })),
        }
    }

    /// The console's routes.
    pub(crate) fn routes(self) -> Router {
        Router::new()
            .route("/sandbox/admin/faces", get(reviews))
            .route("/sandbox/admin/faces/clerk", get(desk).put(set_desk))
            .route("/sandbox/admin/faces/{id}", get(portrait))
            .route("/sandbox/admin/faces/{id}/accept", post(accept))
            .route("/sandbox/admin/faces/{id}/refuse", post(refuse))
            .route("/sandbox/admin/students/{number}/faces", get(events))
            .with_state(self)
    }

    fn desk(&self) -> Desk {
        *self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plays the clerk for ever.
    pub(crate) async fn work(&self) {
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "the clerk could not work");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn look(&self) -> Result<()> {
        let does = self.desk().does;
        if does == Clerk::Away {
            return Ok(());
        }
        let admin = self.platform.admin();
        for review in admin.face_reviews().await? {
            let done = match does {
                Clerk::Away => Ok(()),
                Clerk::Careful if !leaves_nothing_to_say(&review) => Ok(()),
                Clerk::Careful | Clerk::Accepts => admin.accept_face(review.id).await,
                Clerk::Refuses => {
                    admin
                        .refuse_face(review.id, PhotoRefusalReason::Unclear, None)
                        .await
                }
            };
            // It may have been withdrawn while the clerk looked.
            if let Err(error) = done {
                tracing::info!(%error, "the clerk was too late");
            }
        }
        Ok(())
    }
}

fn leaves_nothing_to_say(review: &FaceReview) -> bool {
    review.advice.is_empty() && review.findings.is_empty()
}

async fn reviews(State(office): State<FaceOffice>) -> Result<Json<Reviews>> {
    let reviews = office.platform.admin().face_reviews().await?;
    let reviews = reviews.into_iter().map(|review| ReviewView {
        id: review.id,
        number: review.number,
        name: review.name,
        advice: review.advice,
        findings: review.findings,
        since: review.since,
    });
    Ok(Json(Reviews {
        reviews: reviews.collect(),
    }))
}

async fn portrait(State(office): State<FaceOffice>, Path(id): Path<Uuid>) -> Result<impl IntoResponse> {
    let jpeg = office.platform.admin().face_portrait(id).await?;
    Ok(([(CONTENT_TYPE, "image/jpeg")], jpeg))
}

async fn accept(State(office): State<FaceOffice>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    office.platform.admin().accept_face(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn refuse(
    State(office): State<FaceOffice>,
    Path(id): Path<Uuid>,
    Json(refusal): Json<Refusal>,
) -> Result<StatusCode> {
    let admin = office.platform.admin();
    admin
        .refuse_face(id, refusal.reason, refusal.reply.as_deref())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn events(State(office): State<FaceOffice>, Path(number): Path<String>) -> Result<Json<Events>> {
    let events = office.platform.admin().face_events(&number).await?;
    let events = events.into_iter().map(|event| EventView {
        what: event.kind.as_str(),
        photo: event.photo,
        terminal: event.terminal,
        at: event.at,
    });
    Ok(Json(Events {
        events: events.collect(),
    }))
}

async fn desk(State(office): State<FaceOffice>) -> Json<Desk> {
    Json(office.desk())
}

async fn set_desk(State(office): State<FaceOffice>, Json(desk): Json<Desk>) -> Json<Desk> {
    *office.desk.lock().unwrap_or_else(PoisonError::into_inner) = desk;
    Json(desk)
}
