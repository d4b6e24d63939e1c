//! The requests about stalls.

use yika_api::merchant::{
    RefundPayment, StallExportQuery, StallIncomeQuery, StallPaymentQuery, StallStatementQuery, VoidPayment,
};
use yika_api::terminal::MerchantId;

use super::model::{
    StallDays, StallExport, StallExportFormat, StallExportOf, StallIncome, StallList, StallPayment,
    StallPaymentPage, StallReturn, StallReturnKind, StallStatementPage,
};
use crate::error::CoreError;
use crate::http::Call;
use crate::session::{HttpOrCore, Sessions};

/// Payments of a page.
const PAGE: u16 = 100;

pub(super) async fn stalls(sessions: &Sessions) -> Result<StallList, CoreError> {
    Ok(sessions.send(&Call::get("/v1/merchants")).await?.json()?)
}

pub(super) async fn income(
    sessions: &Sessions,
    stall: MerchantId,
    days: &StallDays,
) -> Result<StallIncome, CoreError> {
    let query = StallIncomeQuery {
        from: days.from.clone(),
        to: days.to.clone(),
        terminal: days.terminal,
    };
    let call = Call::get(format!("/v1/merchants/{}/days", stall.0)).query(&query)?;
    Ok(sessions.send(&call).await?.json()?)
}

pub(super) async fn payments(
    sessions: &Sessions,
    stall: MerchantId,
    days: &StallDays,
    after: Option<String>,
) -> Result<StallPaymentPage, CoreError> {
    let query = StallPaymentQuery {
        from: days.from.clone(),
        to: days.to.clone(),
        terminal: days.terminal,
        after,
        limit: Some(PAGE),
    };
    let call = Call::get(format!("/v1/merchants/{}/payments", stall.0)).query(&query)?;
    Ok(sessions.send(&call).await?.json()?)
}

pub(super) async fn statements(
    sessions: &Sessions,
    stall: MerchantId,
    after: Option<String>,
) -> Result<StallStatementPage, CoreError> {
    let query = StallStatementQuery { after, limit: None };
    let call = Call::get(format!("/v1/merchants/{}/statements", stall.0)).query(&query)?;
    Ok(sessions.send(&call).await?.json()?)
}

pub(super) async fn export(
    sessions: &Sessions,
    stall: MerchantId,
    days: StallDays,
    what: StallExportOf,
    format: StallExportFormat,
) -> Result<StallExport, CoreError> {
    let query = StallExportQuery {
        from: days.from,
        to: days.to,
        what: Some(what),
        format: Some(format),
    };
    let call = Call::get(format!("/v1/merchants/{}/export", stall.0)).query(&query)?;
    let bytes = sessions.send(&call.file()).await?.into_bytes();
    let name = match what {
        StallExportOf::Income => "income",
        StallExportOf::Payments => "payments",
    };
    // As the platform calls it; its header has nothing that isn't asked for.
    let mut parts = vec!["stall".to_owned(), stall.0.to_string(), name.to_owned()];
    parts.extend(query.from);
    parts.extend(query.to);
    Ok(StallExport {
        file_name: format!("{}.{}", parts.join("-"), format.extension()),
        media_type: format.media_type().to_owned(),
        bytes,
    })
}

/// Sends a void or a refund, under its name.
pub(super) async fn give_back(
    sessions: &Sessions,
    written: &StallReturn,
) -> Result<StallPayment, HttpOrCore> {
    let path = |what: &str| {
        format!(
            "/v1/merchants/{}/payments/{}/{what}",
            written.stall.0, written.payment_id
        )
    };
    let reason = written.reason.clone();
    let call = match written.kind {
        StallReturnKind::Void => Call::post(path("void")).json(&VoidPayment { reason })?,
        StallReturnKind::Refund { amount } => {
            Call::post(path("refund")).json(&RefundPayment { amount, reason })?
        }
    };
    Ok(sessions.send(&call.operation(written.id)).await?.json()?)
}
