//! A wallet as a phone opens it.

use crate::testing::TestPhone;
use axum::http::Method;
use uuid::Uuid;
use yika_api::wallet::{BindCard, CardBinding, ConfirmCard, OpenWallet, SealedField, Wallet};

pub(crate) fn sealed() -> SealedField {
    SealedField {
        kid: 1,
        bytes: vec![7; 145].into(),
    }
}

pub(crate) fn opening() -> OpenWallet {
    OpenWallet {
        terms_version: 1,
        identity: sealed(),
        password: sealed(),
    }
}

/// Opens the wallet of a phone and binds a card to it.
pub(crate) async fn with_card(phone: &TestPhone<'_>) -> (Wallet, Uuid) {
    phone
        .named((Method::POST, "/v1/wallet"), Uuid::new_v4(), &opening())
        .await
        .ok::<Wallet>();
    bind(phone).await
}

pub(crate) async fn bind(phone: &TestPhone<'_>) -> (Wallet, Uuid) {
    let request = BindCard { card: sealed() };
    let binding: CardBinding = phone
        .named((Method::POST, "/v1/wallet/cards"), Uuid::new_v4(), &request)
        .await
        .ok();
    let path = format!("/v1/wallet/cards/{}/confirm", binding.id);
    let request = ConfirmCard { code: sealed() };
    let wallet = phone
        .named((Method::POST, &path), Uuid::new_v4(), &request)
        .await
        .ok();
    (wallet, binding.id)
}
