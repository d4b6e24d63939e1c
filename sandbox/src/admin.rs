//! The admin API for tests and demonstrations, below `/sandbox/admin`. Loopback only, like the whole sandbox.
//!
//! | request | answer |
//! |---|---|
//! | `GET students` | `{students: [{number, name, frozen, accounts: [Account]}]}` |
//! | `POST students/{number}/suspend`, `/undo`, `/revoke`, `/reset-limits` | 204 |
//! | `GET students/{number}/suspensions` | `{suspensions: [Suspension]}`, those that hold |
//! | `POST students/{number}/suspensions/{id}/end` | 204; whoever reported it |
//! | `GET cards?after=0` | `{changes: [{number, holder, suspended, at}]}`: what a card system for plastic cards has to do |
//! | `PUT students/{number}/frozen {"slot", "frozen"}` | 204; one account |
//! | `POST students/{number}/fund {"slot", "amount"}` | 204; amounts in fen |
//! | `PUT students/{number}/balance {"slot", "amount"}` | 204 |
//! | `GET merchants` | `{merchants: [{id, name, earned}]}`, by number: the stalls of the seed come first |
//! | `GET terminals` | `{terminals: [{id, kind, label, merchant, next_sequence, frozen}]}` |
//! | `POST terminal-codes` | `{code}` |
//! | `GET ledger` | `{totals: [{kind, accounts, sum, postings}], sum, sales: {result: count}, alarms: {kind: count}}` |
//! | `POST operations/drive` | `{driven}`: tells the bank now what is due, as the platform does by itself twice a second |
//! | `POST reconcile {"day": "2026-11-18"}` | `{agreed, resolved, differences: [{order, is_reversal, kind, proposal}]}` |
//! | `GET clock`, `PUT clock {"offset_ms"}` | `{offset_ms, now}` |

mod money;
mod suspensions;

pub(crate) use money::routes as money_routes;
pub(crate) use suspensions::routes as suspension_routes;

use crate::clock::ShiftedClock;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use yika_api::account::Account;
use yika_api::terminal::{MerchantId, TerminalId, TerminalKind};
use yika_api::{Fen, LocalizedText, Problem, ProblemCode, UnixMillis};
use yika_platform::{Clock as _, Error, Platform, Result};

#[derive(Clone)]
struct Console {
    platform: Platform,
    clock: Arc<ShiftedClock>,
}

#[derive(Serialize)]
struct Students {
    students: Vec<StudentView>,
}

#[derive(Serialize)]
struct Merchants {
    merchants: Vec<MerchantView>,
}

#[derive(Serialize)]
struct Terminals {
    terminals: Vec<TerminalView>,
}

#[derive(Serialize)]
struct StudentView {
    number: String,
    name: String,
    frozen: bool,
    accounts: Vec<Account>,
}

#[derive(Serialize)]
struct MerchantView {
    id: MerchantId,
    name: LocalizedText,
    earned: Fen,
}

#[derive(Serialize)]
struct TerminalView {
    id: TerminalId,
    kind: TerminalKind,
    label: String,
    merchant: Option<MerchantId>,
    next_sequence: u64,
    frozen: bool,
}

#[derive(Serialize)]
struct LedgerView {
    totals: Vec<TotalView>,
    sum: Fen,
    sales: BTreeMap<&'static str, u64>,
    alarms: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct TotalView {
    kind: &'static str,
    accounts: u64,
    sum: Fen,
    postings: Fen,
}

#[derive(Serialize)]
struct CodeView {
    code: String,
}

#[derive(Serialize)]
struct ClockView {
    offset_ms: i64,
    now: UnixMillis,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Money {
    slot: u8,
    amount: Fen,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Freeze {
    slot: u8,
    frozen: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    offset_ms: i64,
}

/// The console's routes.
pub(crate) fn routes(platform: Platform, clock: Arc<ShiftedClock>) -> Router {
    Router::new()
        .route("/sandbox/admin/students", get(students))
        .route("/sandbox/admin/students/{number}/{action}", post(act))
        .route("/sandbox/admin/students/{number}/frozen", put(freeze))
        .route("/sandbox/admin/students/{number}/fund", post(fund))
        .route("/sandbox/admin/students/{number}/balance", put(set_balance))
        .route("/sandbox/admin/merchants", get(merchants))
        .route("/sandbox/admin/terminals", get(terminals))
        .route("/sandbox/admin/terminal-codes", post(terminal_code))
        .route("/sandbox/admin/ledger", get(ledger))
        .route("/sandbox/admin/clock", get(clock_now).put(shift_clock))
        .with_state(Console { platform, clock })
}

async fn students(State(console): State<Console>) -> Result<Json<Students>> {
    let holders = console.platform.admin().holders().await?;
    let views = holders.into_iter().map(|holder| StudentView {
        number: holder.number,
        name: holder.name,
        frozen: holder.is_frozen,
        accounts: holder.accounts,
    });
    Ok(Json(Students {
        students: views.collect(),
    }))
}

/// What the card office does to a student, whatever the account.
async fn act(
    State(console): State<Console>,
    Path((number, action)): Path<(String, String)>,
) -> Result<StatusCode> {
    let admin = console.platform.admin();
    match action.as_str() {
        "suspend" => admin.suspend(&number).await?,
        "undo" => admin.undo_suspension(&number).await?,
        "revoke" => admin.revoke(&number).await?,
        "reset-limits" => admin.reset_limits(&number).await?,
        _ => return Err(Error::refused(ProblemCode::NotFound)),
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn freeze(
    State(console): State<Console>,
    Path(number): Path<String>,
    Json(Freeze { slot, frozen }): Json<Freeze>,
) -> Result<StatusCode> {
    let admin = console.platform.admin();
    admin.freeze_account(&number, slot, frozen).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn fund(
    State(console): State<Console>,
    Path(number): Path<String>,
    Json(money): Json<Money>,
) -> Result<StatusCode> {
    console
        .platform
        .admin()
        .fund(&number, money.slot, money.amount)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_balance(
    State(console): State<Console>,
    Path(number): Path<String>,
    Json(money): Json<Money>,
) -> Result<StatusCode> {
    console
        .platform
        .admin()
        .set_balance(&number, money.slot, money.amount)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn merchants(State(console): State<Console>) -> Result<Json<Merchants>> {
    let merchants = console.platform.admin().merchants().await?;
    let views = merchants.into_iter().map(|m| MerchantView {
        id: m.id,
        name: m.name,
        earned: m.earned,
    });
    Ok(Json(Merchants {
        merchants: views.collect(),
    }))
}

async fn terminals(State(console): State<Console>) -> Result<Json<Terminals>> {
    let terminals = console.platform.admin().terminals().await?;
    let views = terminals.into_iter().map(|terminal| TerminalView {
        id: terminal.id,
        kind: terminal.kind,
        label: terminal.label,
        merchant: terminal.merchant,
        next_sequence: terminal.next_sequence,
        frozen: terminal.is_frozen,
    });
    Ok(Json(Terminals {
        terminals: views.collect(),
    }))
}

async fn terminal_code(State(console): State<Console>) -> Result<Json<CodeView>> {
    Ok(Json(CodeView {
        code: console.platform.admin().new_terminal_code().await?,
    }))
}

async fn ledger(State(console): State<Console>) -> Result<Json<LedgerView>> {
    let books = console.platform.admin().books().await?;
    let totals = books.accounts.into_iter().map(|total| TotalView {
        kind: total.kind,
        accounts: total.accounts,
        sum: total.sum,
        postings: total.postings,
    });
    Ok(Json(LedgerView {
        totals: totals.collect(),
        sum: books.grand_sum,
        sales: books.sales,
        alarms: books.alarms,
    }))
}

async fn clock_now(State(console): State<Console>) -> Json<ClockView> {
    Json(ClockView {
        offset_ms: console.clock.offset_ms(),
        now: console.clock.now(),
    })
}

async fn shift_clock(State(console): State<Console>, Json(shift): Json<Shift>) -> Response {
    match console.clock.shift(shift.offset_ms) {
        Ok(()) => clock_now(State(console)).await.into_response(),
        Err(error) => {
            let problem = Problem::new(ProblemCode::Internal).with_detail(error.to_string());
            (StatusCode::INTERNAL_SERVER_ERROR, Json(problem)).into_response()
        }
    }
}
