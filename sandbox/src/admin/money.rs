//! The admin API's part about operations on money: driving what is due, and comparing the bank's statement with the books.

use crate::bank::{Bank, Failure};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;
use yika_api::Fen;
use yika_platform::{Difference, DifferenceKind, Platform, Reconciliation, Result};

#[derive(Clone)]
struct Office {
    platform: Platform,
    bank: Bank,
}

#[derive(Serialize)]
struct Driven {
    driven: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Day {
    day: String,
}

#[derive(Serialize)]
struct Found {
    agreed: u64,
    resolved: Vec<Uuid>,
    differences: Vec<DifferenceView>,
}

#[derive(Serialize)]
struct DifferenceView {
    order: Uuid,
    is_reversal: bool,
    kind: &'static str,
    proposal: BTreeMap<&'static str, Fen>,
}

impl From<Reconciliation> for Found {
    fn from(found: Reconciliation) -> Self {
        Self {
            agreed: found.agreed,
            resolved: found.resolved,
            differences: found.differences.into_iter().map(DifferenceView::from).collect(),
        }
    }
}

impl From<Difference> for DifferenceView {
    fn from(found: Difference) -> Self {
        Self {
            order: found.order,
            is_reversal: found.is_reversal,
            kind: match found.kind {
                DifferenceKind::Missing => "missing",
                DifferenceKind::Extra => "extra",
                DifferenceKind::Amounts => "amounts",
            },
            proposal: found.proposal.into_iter().collect(),
        }
    }
}

/// The routes.
pub(crate) fn routes(platform: Platform, bank: Bank) -> Router {
    Router::new()
        .route("/sandbox/admin/operations/drive", post(drive))
        .route("/sandbox/admin/reconcile", post(reconcile))
        .with_state(Office { platform, bank })
}

async fn drive(State(office): State<Office>) -> Result<Json<Driven>> {
    Ok(Json(Driven {
        driven: office.platform.drive_due_operations().await?,
    }))
}

/// Compares the bank's file of the day, with whatever fault it plays.
async fn reconcile(State(office): State<Office>, Json(Day { day }): Json<Day>) -> Result<Response, Failure> {
    let rows = office.bank.statement(&day, true).await?;
    Ok(match office.platform.admin().reconcile(&day, &rows).await {
        Ok(found) => Json(Found::from(found)).into_response(),
        Err(error) => error.into_response(),
    })
}
