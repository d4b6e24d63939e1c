//! The card office's side of the merchant centre, below `/sandbox/admin/merchants`.
//!
//! | request | answer |
//! |---|---|
//! | `GET {merchant}/staff` | `{staff: [{number, name, role}]}` |
//! | `PUT {merchant}/staff/{number} {"role": "owner"}` | 204; or `"cashier"` |
//! | `DELETE {merchant}/staff/{number}` | 204 |
//! | `POST {merchant}/settle {"through": "2026-11-18", "reference": "T1"}` | a `StallStatement` |
//! | `GET {merchant}/events` | `{events: [{by, what, whom, payment, amount, note, at}]}` |
//! | `GET takings/check` | `{differences: [{merchant, place, kept, booked}]}`, empty where all is well |

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::merchant::{StallRole, StallStatement};
use yika_api::terminal::MerchantId;
use yika_api::{Fen, UnixMillis};
use yika_platform::{Platform, Result};

#[derive(Serialize)]
struct StaffList {
    staff: Vec<StaffView>,
}

#[derive(Serialize)]
struct StaffView {
    number: String,
    name: String,
    role: StallRole,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    role: StallRole,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    through: String,
    reference: String,
}

#[derive(Serialize)]
struct Events {
    events: Vec<EventView>,
}

#[derive(Serialize)]
struct EventView {
    by: Option<String>,
    what: &'static str,
    whom: Option<String>,
    payment: Option<Uuid>,
    amount: Option<Fen>,
    note: Option<String>,
    at: UnixMillis,
}

#[derive(Serialize)]
struct Differences {
    differences: Vec<DifferenceView>,
}

#[derive(Serialize)]
struct DifferenceView {
    merchant: MerchantId,
    place: String,
    kept: String,
    booked: String,
}

/// The console's routes.
pub(crate) fn routes(platform: Platform) -> Router {
    Router::new()
        .route("/sandbox/admin/merchants/takings/check", get(check))
        .route("/sandbox/admin/merchants/{merchant}/staff", get(staff))
        .route(
            "/sandbox/admin/merchants/{merchant}/staff/{number}",
            put(set_staff).delete(remove_staff),
        )
        .route("/sandbox/admin/merchants/{merchant}/settle", post(settle))
        .route("/sandbox/admin/merchants/{merchant}/events", get(events))
        .with_state(platform)
}

async fn staff(
    State(platform): State<Platform>,
    Path(merchant): Path<MerchantId>,
) -> Result<Json<StaffList>> {
    let staff = platform.admin().merchant_staff(merchant).await?;
    let views = staff.into_iter().map(|one| StaffView {
        number: one.number,
        name: one.name,
        role: one.role,
    });
    Ok(Json(StaffList {
        staff: views.collect(),
    }))
}

async fn set_staff(
    State(platform): State<Platform>,
    Path((merchant, number)): Path<(MerchantId, String)>,
    Json(place): Json<Place>,
) -> Result<StatusCode> {
    let admin = platform.admin();
    admin.set_merchant_staff(merchant, &number, place.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove_staff(
    State(platform): State<Platform>,
    Path((merchant, number)): Path<(MerchantId, String)>,
) -> Result<StatusCode> {
    platform.admin().remove_merchant_staff(merchant, &number).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn settle(
    State(platform): State<Platform>,
    Path(merchant): Path<MerchantId>,
    Json(settle): Json<Settle>,
) -> Result<Json<StallStatement>> {
    let admin = platform.admin();
    admin
        .settle_merchant(merchant, &settle.through, &settle.reference)
        .await
        .map(Json)
}

async fn events(State(platform): State<Platform>, Path(merchant): Path<MerchantId>) -> Result<Json<Events>> {
    let events = platform.admin().merchant_events(merchant).await?;
    let views = events.into_iter().map(|event| EventView {
        by: event.by,
        what: event.what,
        whom: event.whom,
        payment: event.payment,
        amount: event.amount,
        note: event.note,
        at: event.at,
    });
    Ok(Json(Events {
        events: views.collect(),
    }))
}

async fn check(State(platform): State<Platform>) -> Result<Json<Differences>> {
    let differences = platform.admin().check_takings().await?;
    let views = differences.into_iter().map(|difference| DifferenceView {
        merchant: difference.merchant,
        place: difference.place,
        kept: difference.kept,
        booked: difference.booked,
    });
    Ok(Json(Differences {
        differences: views.collect(),
    }))
}
