//! The bank's keys and notices through the router.

use crate::operations::testing::{send, top_up_request};
use crate::testing::{Fault, Reply, TestPlatform, json_body};
use crate::wallet::testing::with_card;
use axum::http::{Method, StatusCode};
use uuid::Uuid;
use yika_api::account::AccountList;
use yika_api::bank::{Notice, OrderState};
use yika_api::operation::{Operation, Phase};
use yika_api::wallet::{SchoolBank, Wallet};
use yika_api::{Fen, ProblemCode, UnixMillis};
use yika_format::PublicKey;
use yika_format::bank::BankKeys;

async fn tell(campus: &TestPlatform, notice: &Notice) -> Reply {
    let body = serde_json::to_vec(notice).unwrap();
    campus
        .send(Method::POST, "/v1/bank/notices", &json_body(), body)
        .await
}

fn reversed() -> OrderState {
    OrderState::Reversed {
        at: UnixMillis(9),
        trace: "B9".to_owned(),
    }
}

#[tokio::test]
async fn notices_bring_operations_on_whenever_and_however_often_they_come() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let (_, card) = with_card(&phone).await;
    let accounts: AccountList = phone.get("/v1/accounts").await.ok();
    let request = top_up_request(accounts.accounts[0].id, 0, 5_005, 5, Some(card));
    campus.bank.weather(&[Fault::LostAfter]);
    let id = Uuid::new_v4();
    let operation: Operation = send(&phone, id, &request).await.ok();
    assert_eq!(operation.phase, Phase::Confirming);
    let done = campus.bank.notice(id, campus.bank.state(id).unwrap());
    let back = campus.bank.notice(id, reversed());
    for (notice, phase) in [
        (&done, Phase::Credited),
        (&done, Phase::Credited),
        (&back, Phase::Refunded),
        (&done, Phase::Refunded),
        (&back, Phase::Refunded),
    ] {
        assert_eq!(tell(&campus, notice).await.status, StatusCode::NO_CONTENT);
        let operation: Operation = phone.get(&format!("/v1/operations/{id}")).await.ok();
        assert_eq!(operation.phase, phase);
    }
    let after: AccountList = phone.get("/v1/accounts").await.ok();
    assert_eq!(
        after.accounts[0].balance.amount,
        accounts.accounts[0].balance.amount
    );
    let unknown = campus.bank.notice(Uuid::new_v4(), reversed());
    assert_eq!(tell(&campus, &unknown).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_the_bank_did_not_sign_is_not_heard() {
    let campus = TestPlatform::open().await;
    let good = campus.bank.notice(Uuid::new_v4(), reversed());
    let mut changed = good.clone();
    changed.status.0[10] ^= 1;
    let mut cut = good.clone();
    cut.signature.0.pop();
    let other_key = Notice {
        kid: 2,
        ..good.clone()
    };
    let other_bank = TestPlatform::open().await.bank.notice(Uuid::new_v4(), reversed());
    for notice in [changed, cut, other_key, other_bank] {
        assert_eq!(
            tell(&campus, &notice).await.problem().code,
            ProblemCode::Forbidden
        );
    }
}

#[tokio::test]
async fn keys_that_the_root_did_not_sign_are_not_handed_on() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    campus
        .bank
        .swap_certificate(TestPlatform::open().await.bank.certificate());
    let reply = phone.get("/v1/wallet").await;
    assert_eq!(reply.problem().code, ProblemCode::BankUnavailable);
}

#[tokio::test]
async fn a_phone_that_knows_nothing_learns_the_root_to_pin_and_what_it_vouches_for() {
    let campus = TestPlatform::open().await;
    let reply = campus.send(Method::GET, "/v1/school/bank", &[], Vec::new()).await;
    let bank: SchoolBank = reply.ok();
    let root = PublicKey::from_compressed(bank.root_key.to_array().unwrap()).unwrap();
    let root = root.expand().unwrap();
    assert_eq!(BankKeys::open(&bank.bank_key.0, &root).unwrap().number(), 1);
    assert_eq!(
        bank.presets,
        [5_000, 50_000].map(Fen::new),
        "those that one top-up may be of"
    );
    let wallet: Wallet = campus.bind("20260001").await.get("/v1/wallet").await.ok();
    assert_eq!(
        (wallet.bank_key, wallet.terms, wallet.fee),
        (bank.bank_key, bank.terms, bank.fee)
    );
    let limits = (wallet.limits.least, wallet.limits.single, wallet.limits.day);
    assert_eq!(limits, (bank.least, bank.single, bank.day));
}
