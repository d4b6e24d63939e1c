//! The wallet's requests.

use uuid::Uuid;
use yika_api::ProblemCode;
use yika_api::wallet::{
    BindCard, CardBinding, ChangePassword, CloseWallet, ConfirmCard, OpenWallet, SchoolBank, Wallet,
};

use crate::error::CoreError;
use crate::http::{Answer, Call};
use crate::session::{HttpOrCore, Sessions};

/// The school's bank; `None` where the school offers no wallet.
pub(super) async fn school_bank(sessions: &Sessions) -> Result<Option<SchoolBank>, CoreError> {
    offered(sessions.send(&Call::get("/v1/school/bank")).await)?
        .map(|answer| Ok(answer.json()?))
        .transpose()
}

/// The wallet; `None` where the school offers none.
pub(super) async fn wallet(sessions: &Sessions) -> Result<Option<Wallet>, CoreError> {
    offered(sessions.send(&Call::get("/v1/wallet")).await)?
        .map(|answer| Ok(answer.json()?))
        .transpose()
}

fn offered(answer: Result<Answer, HttpOrCore>) -> Result<Option<Answer>, CoreError> {
    match answer {
        Err(error) if error.problem() == Some(ProblemCode::WalletNotOffered) => Ok(None),
        other => Ok(Some(other?)),
    }
}

/// Something that is asked of the bank through the platform.
pub(super) enum Action<'a> {
    Open(&'a OpenWallet),
    Close(&'a CloseWallet),
    Password(&'a ChangePassword),
    Confirm(Uuid, &'a ConfirmCard),
    Default(Uuid),
    Unbind(Uuid),
}

/// Does it under a name, so that it is done once however often it is sent.
pub(super) async fn act(
    sessions: &Sessions,
    operation: Uuid,
    action: Action<'_>,
) -> Result<Wallet, CoreError> {
    let call = match action {
        Action::Open(request) => Call::post("/v1/wallet").json(request)?,
        Action::Close(request) => Call::post("/v1/wallet/close").json(request)?,
        Action::Password(request) => Call::put("/v1/wallet/password").json(request)?,
        Action::Confirm(card, request) => {
            Call::post(format!("/v1/wallet/cards/{card}/confirm")).json(request)?
        }
        Action::Default(card) => Call::put(format!("/v1/wallet/cards/{card}/default")),
        Action::Unbind(card) => Call::delete(format!("/v1/wallet/cards/{card}")),
    };
    Ok(sessions.send(&call.operation(operation)).await?.json()?)
}

/// Begins binding a card.
pub(super) async fn begin_card(
    sessions: &Sessions,
    operation: Uuid,
    request: &BindCard,
) -> Result<CardBinding, CoreError> {
    let call = Call::post("/v1/wallet/cards").json(request)?;
    Ok(sessions.send(&call.operation(operation)).await?.json()?)
}
