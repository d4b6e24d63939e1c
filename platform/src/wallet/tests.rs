//! The wallet through the router.

use super::testing::{bind, opening, sealed, with_card};
use crate::testing::{Fault, TestPlatform};
use axum::http::Method;
use uuid::Uuid;
use yika_api::operation::RefusalReason;
use yika_api::wallet::{ChangePassword, CloseBlocker, CloseWallet, OpenWallet, Wallet, WalletStatus};
use yika_api::{Fen, ProblemCode};

#[tokio::test]
async fn a_wallet_is_opened_once_however_often_it_is_asked_for() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let before: Wallet = phone.get("/v1/wallet").await.ok();
    assert_eq!((before.status, before.balance), (WalletStatus::None, None));
    let key = Uuid::new_v4();
    let first = phone.named((Method::POST, "/v1/wallet"), key, &opening()).await;
    let again = phone.named((Method::POST, "/v1/wallet"), key, &opening()).await;
    assert_eq!(first.body, again.body);
    let wallet: Wallet = first.ok();
    assert_eq!(
        (wallet.status, wallet.customer),
        (WalletStatus::Open, before.customer)
    );
    let other = phone
        .named((Method::POST, "/v1/wallet"), Uuid::new_v4(), &opening())
        .await;
    assert_eq!(other.problem().code, ProblemCode::WalletAlreadyOpen);
}

#[tokio::test]
async fn what_the_bank_refuses_or_does_not_answer_changes_nothing_and_can_be_sent_again() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    phone.get("/v1/wallet").await.ok::<Wallet>();
    let key = Uuid::new_v4();
    for (fault, code) in [
        (
            Fault::Refuses(RefusalReason::BankRefused),
            ProblemCode::BankRefused,
        ),
        (Fault::Unreachable, ProblemCode::BankUnavailable),
        (Fault::LostAfter, ProblemCode::BankUnavailable),
        (Fault::Garbled, ProblemCode::BankUnavailable),
    ] {
        campus.bank.weather(&[fault]);
        let reply = phone.named((Method::POST, "/v1/wallet"), key, &opening()).await;
        assert_eq!(reply.problem().code, code, "{fault:?}");
        let wallet: Wallet = phone.get("/v1/wallet").await.ok();
        assert_eq!(wallet.status, WalletStatus::None);
    }
    let wallet: Wallet = phone
        .named((Method::POST, "/v1/wallet"), key, &opening())
        .await
        .ok();
    assert_eq!(wallet.status, WalletStatus::Open);
}

#[tokio::test]
async fn other_terms_than_those_in_force_open_nothing() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let request = OpenWallet {
        terms_version: 9,
        ..opening()
    };
    let reply = phone
        .named((Method::POST, "/v1/wallet"), Uuid::new_v4(), &request)
        .await;
    assert_eq!(reply.problem().code, ProblemCode::TermsChanged);
}

#[tokio::test]
async fn the_first_card_is_the_default_until_another_is_chosen_or_it_goes() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let (_, first) = with_card(&phone).await;
    let (wallet, second) = bind(&phone).await;
    let order = |wallet: &Wallet| wallet.cards.iter().map(|card| card.id).collect::<Vec<_>>();
    assert_eq!(order(&wallet), [first, second]);
    assert!(wallet.cards[0].is_default && !wallet.cards[1].is_default);
    let path = format!("/v1/wallet/cards/{second}/default");
    let wallet: Wallet = phone.named((Method::PUT, &path), Uuid::new_v4(), &()).await.ok();
    assert_eq!(order(&wallet), [second, first]);
    let path = format!("/v1/wallet/cards/{second}");
    let wallet: Wallet = phone
        .named((Method::DELETE, &path), Uuid::new_v4(), &())
        .await
        .ok();
    assert_eq!(order(&wallet), [first]);
    assert!(wallet.cards[0].is_default);
    let gone = phone.named((Method::DELETE, &path), Uuid::new_v4(), &()).await;
    assert_eq!(gone.problem().code, ProblemCode::CardNotBound);
}

#[tokio::test]
async fn a_card_of_somebody_else_is_not_there() {
    let campus = TestPlatform::open().await;
    let (mine, theirs) = (campus.bind("20260001").await, campus.bind("20260002").await);
    let (_, card) = with_card(&mine).await;
    with_card(&theirs).await;
    for (method, path) in [
        (Method::PUT, format!("/v1/wallet/cards/{card}/default")),
        (Method::DELETE, format!("/v1/wallet/cards/{card}")),
    ] {
        let reply = theirs.named((method, &path), Uuid::new_v4(), &()).await;
        assert_eq!(reply.problem().code, ProblemCode::CardNotBound);
    }
}

#[tokio::test]
async fn a_wallet_with_money_is_not_closed_and_an_empty_one_is() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let (_, card) = with_card(&phone).await;
    crate::operations::testing::recharge(&phone, card, 500).await;
    let wallet: Wallet = phone.get("/v1/wallet").await.ok();
    assert_eq!(
        wallet.close_blockers,
        [CloseBlocker::Money {
            amount: Fen::new(500)
        }]
    );
    let close = || CloseWallet { password: sealed() };
    let reply = phone
        .named((Method::POST, "/v1/wallet/close"), Uuid::new_v4(), &close())
        .await;
    assert_eq!(reply.problem().code, ProblemCode::WalletInUse);
    crate::operations::testing::withdraw(&phone, card, 500).await;
    let wallet: Wallet = phone
        .named((Method::POST, "/v1/wallet/close"), Uuid::new_v4(), &close())
        .await
        .ok();
    assert_eq!((wallet.status, wallet.cards.len()), (WalletStatus::Closed, 0));
    let change = ChangePassword::Old {
        old: sealed(),
        new: sealed(),
    };
    let reply = phone
        .named((Method::PUT, "/v1/wallet/password"), Uuid::new_v4(), &change)
        .await;
    assert_eq!(reply.problem().code, ProblemCode::WalletNotOpen);
    let (wallet, _) = with_card(&phone).await;
    assert_eq!(
        (wallet.status, wallet.cards.len()),
        (WalletStatus::Open, 1),
        "opened again"
    );
}
