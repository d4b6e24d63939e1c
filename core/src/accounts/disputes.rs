//! Disputing a payment. How a dispute stands comes with its bill, as the feed tells it.

use uuid::Uuid;
use yika_api::dispute::{MAX_TEXT, OpenDispute};

pub use yika_api::dispute::{Dispute, DisputePhase, DisputeReason};

use crate::error::CoreError;
use crate::http::Call;
use crate::session::Sessions;
use crate::wallet::InputField;

/// Opens a dispute of a payment.
pub(super) async fn open(
    sessions: &Sessions,
    payment: Uuid,
    reason: DisputeReason,
    text: &str,
) -> Result<Dispute, CoreError> {
    let text = text.trim();
    let is_needed = reason == DisputeReason::Other;
    if text.chars().count() > MAX_TEXT || (is_needed && text.is_empty()) {
        return Err(InputField::Text.into());
    }
    let request = OpenDispute {
        reason,
        text: text.to_owned(),
    };
    let call = Call::post(format!("/v1/payments/{payment}/disputes")).json(&request)?;
    Ok(sessions.send(&call.operation(Uuid::now_v7())).await?.json()?)
}

/// Takes a dispute back.
pub(super) async fn withdraw(sessions: &Sessions, dispute: Uuid) -> Result<Dispute, CoreError> {
    let call = Call::post(format!("/v1/disputes/{dispute}/withdraw"));
    Ok(sessions.send(&call.operation(Uuid::now_v7())).await?.json()?)
}
