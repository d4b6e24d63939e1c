//! The requests of operations.

use uuid::Uuid;
use yika_api::operation::{Operation, OperationPage, OperationQuery};

use crate::error::CoreError;
use crate::http::Call;
use crate::session::{HttpOrCore, Sessions};

/// As many as the platform gives at once.
const PAGE: u16 = 500;

/// Sends an operation in the bytes it was written down in.
pub(super) async fn start(sessions: &Sessions, id: Uuid, request: Vec<u8>) -> Result<Operation, HttpOrCore> {
    let call = Call::post("/v1/operations").json_bytes(request).operation(id);
    Ok(sessions.send(&call).await?.json()?)
}

pub(super) async fn one(sessions: &Sessions, id: Uuid) -> Result<Operation, CoreError> {
    let call = Call::get(format!("/v1/operations/{id}"));
    Ok(sessions.send(&call).await?.json()?)
}

pub(super) async fn page(sessions: &Sessions, after: Option<String>) -> Result<OperationPage, CoreError> {
    let query = OperationQuery {
        after,
        limit: Some(PAGE),
    };
    Ok(sessions
        .send(&Call::get("/v1/operations").query(&query)?)
        .await?
        .json()?)
}
