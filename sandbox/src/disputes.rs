//! The card office's side of disputes and refunds, below `/sandbox/admin`.
//!
//! | request | answer |
//! |---|---|
//! | `GET disputes` | `{disputes: [{number, amount, dispute: Dispute}]}`: those to be decided, the oldest first |
//! | `POST disputes/{id}/review` | 204 |
//! | `POST disputes/{id}/refuse {"reply"}` | 204 |
//! | `POST disputes/{id}/refund {"amount", "reply"}` | 204; both may be left out: then all that is left |
//! | `PUT payments/{id}/refunds/{refund} {"amount"}` | 204; sent again, nothing more |

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::Fen;
use yika_api::dispute::Dispute;
use yika_platform::{Platform, Result};

#[derive(Serialize)]
struct Disputes {
    disputes: Vec<DisputeView>,
}

#[derive(Serialize)]
struct DisputeView {
    number: String,
    amount: Fen,
    dispute: Dispute,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    reply: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    #[serde(default)]
    amount: Option<Fen>,
    #[serde(default)]
    reply: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refund {
    amount: Fen,
}

/// The console's routes.
pub(crate) fn routes(platform: Platform) -> Router {
    Router::new()
        .route("/sandbox/admin/disputes", get(disputes))
        .route("/sandbox/admin/disputes/{id}/review", post(review))
        .route("/sandbox/admin/disputes/{id}/refuse", post(refuse))
        .route("/sandbox/admin/disputes/{id}/refund", post(refund_dispute))
        .route(
            "/sandbox/admin/payments/{id}/refunds/{refund}",
            put(refund_payment),
        )
        .with_state(platform)
}

async fn disputes(State(platform): State<Platform>) -> Result<Json<Disputes>> {
    let views = platform.admin().disputes().await?;
    let views = views.into_iter().map(|view| DisputeView {
        number: view.number,
        amount: view.amount,
        dispute: view.dispute,
    });
    Ok(Json(Disputes {
        disputes: views.collect(),
    }))
}

async fn review(State(platform): State<Platform>, Path(id): Path<Uuid>) -> Result<StatusCode> {
    platform.admin().review_dispute(id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn refuse(
    State(platform): State<Platform>,
    Path(id): Path<Uuid>,
    Json(refusal): Json<Refusal>,
) -> Result<StatusCode> {
    platform.admin().refuse_dispute(id, &refusal.reply).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn refund_dispute(
    State(platform): State<Platform>,
    Path(id): Path<Uuid>,
    Json(decision): Json<Decision>,
) -> Result<StatusCode> {
    platform
        .admin()
        .refund_dispute(id, decision.amount, decision.reply.as_deref())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn refund_payment(
    State(platform): State<Platform>,
    Path((payment, refund)): Path<(Uuid, Uuid)>,
    Json(body): Json<Refund>,
) -> Result<StatusCode> {
    platform
        .admin()
        .refund_payment(refund, payment, body.amount)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
