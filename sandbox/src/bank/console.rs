//! The bank's part of the admin API, below `/sandbox/admin/bank`.
//!
//! | request | answer |
//! |---|---|
//! | `GET .` | `{root_key, balances: {account: fen}, total}`; the total never changes |
//! | `GET orders` | `{orders: [OrderStatus]}`, oldest first |
//! | `GET messages` | `{messages: [{phone, code, at}]}`, oldest first |
//! | `GET statements/{yyyy-mm-dd}` | the day's rows as they are, whatever fault its file plays |
//! | `GET fault`, `PUT fault {"fault", "count", "order"}` | the plan for orders that are not named |
//! | `POST settle` | `{settled}`: does what faults put off, and tells the platform |

use super::faults::FaultPlan;
use super::orders::find;
use super::{Bank, Failure};
use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use std::collections::BTreeMap;
use uuid::Uuid;
use yika_api::bank::{OrderStatus, StatementRow};
use yika_api::{Base64Url, UnixMillis};

#[derive(Serialize)]
struct Overview {
    root_key: Base64Url,
    balances: BTreeMap<String, i64>,
    total: i64,
}

#[derive(Serialize)]
struct Orders {
    orders: Vec<OrderStatus>,
}

#[derive(Serialize)]
struct Messages {
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct Message {
    phone: String,
    code: String,
    at: UnixMillis,
}

#[derive(Serialize)]
struct Settled {
    settled: usize,
}

/// The console's routes.
pub(super) fn routes(bank: Bank) -> Router {
    Router::new()
        .route("/sandbox/admin/bank", get(overview))
        .route("/sandbox/admin/bank/orders", get(orders))
        .route("/sandbox/admin/bank/messages", get(messages))
        .route("/sandbox/admin/bank/statements/{day}", get(statement))
        .route("/sandbox/admin/bank/fault", get(fault).put(set_fault))
        .route("/sandbox/admin/bank/settle", post(settle))
        .with_state(bank)
}

async fn overview(State(bank): State<Bank>) -> Result<Json<Overview>, Failure> {
    let rows: Vec<(String, i64)> = sqlx::query_as("SELECT account, amount FROM balances")
        .fetch_all(&bank.0.db)
        .await?;
    Ok(Json(Overview {
        root_key: bank.0.keys.root().compress().as_bytes().to_vec().into(),
        total: rows.iter().map(|(_, amount)| amount).sum(),
        balances: rows.into_iter().collect(),
    }))
}

async fn orders(State(bank): State<Bank>) -> Result<Json<Orders>, Failure> {
    let mut tx = bank.0.db.begin().await?;
    let ids: Vec<String> = sqlx::query_scalar("SELECT id FROM orders ORDER BY rowid")
        .fetch_all(&mut *tx)
        .await?;
    let mut orders = Vec::new();
    for id in ids.iter().filter_map(|id| Uuid::parse_str(id).ok()) {
        let kept = find(&mut tx, id).await?;
        orders.extend(kept.map(|kept| OrderStatus {
            id,
            state: kept.state,
        }));
    }
    Ok(Json(Orders { orders }))
}

async fn messages(State(bank): State<Bank>) -> Result<Json<Messages>, Failure> {
    let rows: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT phone, code, at FROM messages ORDER BY number")
            .fetch_all(&bank.0.db)
            .await?;
    let messages = rows.into_iter().map(|(phone, code, at)| Message {
        phone,
        code,
        at: UnixMillis(at),
    });
    Ok(Json(Messages {
        messages: messages.collect(),
    }))
}

async fn statement(
    State(bank): State<Bank>,
    Path(day): Path<String>,
) -> Result<Json<Vec<StatementRow>>, Failure> {
    Ok(Json(bank.statement(&day, false).await?))
}

async fn fault(State(bank): State<Bank>) -> Json<FaultPlan> {
    Json(bank.0.faults.next())
}

async fn set_fault(State(bank): State<Bank>, Json(plan): Json<FaultPlan>) -> Json<FaultPlan> {
    bank.0.faults.set(plan);
    fault(State(bank)).await
}

async fn settle(State(bank): State<Bank>) -> Result<Json<Settled>, Failure> {
    Ok(Json(Settled {
        settled: bank.settle().await?,
    }))
}
