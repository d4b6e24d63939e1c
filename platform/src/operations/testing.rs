//! Operations as a phone sends them.

use crate::testing::{Reply, TestPhone};
use axum::http::Method;
use uuid::Uuid;
use yika_api::Fen;
use yika_api::operation::{Funding, Operation, OperationRequest};
use yika_api::wallet::SealedField;

/// The sealed bytes of a password, which occur nowhere else.
pub(crate) const CANARY: [u8; 145] = [0xc7; 145];

pub(crate) fn password() -> SealedField {
    SealedField {
        kid: 1,
        bytes: CANARY.into(),
    }
}

pub(crate) async fn send(phone: &TestPhone<'_>, id: Uuid, request: &OperationRequest) -> Reply {
    phone.named((Method::POST, "/v1/operations"), id, request).await
}

pub(crate) fn top_up_request(
    account_id: Uuid,
    wallet: i64,
    bank: i64,
    fee: i64,
    card_id: Option<Uuid>,
) -> OperationRequest {
    OperationRequest::TopUp {
        account_id,
        amount: Fen::new(wallet + bank - fee),
        funding: Funding {
            wallet: Fen::new(wallet),
            bank: Fen::new(bank),
            card_id,
            fee: Fen::new(fee),
        },
        password: password(),
    }
}

pub(crate) async fn recharge(phone: &TestPhone<'_>, card_id: Uuid, amount: i64) -> Operation {
    let request = OperationRequest::Recharge {
        amount: Fen::new(amount),
        card_id,
        password: password(),
    };
    send(phone, Uuid::new_v4(), &request).await.ok()
}

pub(crate) async fn withdraw(phone: &TestPhone<'_>, card_id: Uuid, amount: i64) -> Operation {
    let request = OperationRequest::Withdraw {
        amount: Fen::new(amount),
        card_id,
        password: password(),
    };
    send(phone, Uuid::new_v4(), &request).await.ok()
}
