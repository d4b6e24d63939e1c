//! Limits: the rule on values, then through the router with a bank that checks passwords.

mod days;

use super::store::Purpose;
use super::*;
use crate::operations::testing::{password, recharge, send, top_up_request};
use crate::testing::{Fault, Reply, TestPhone, TestPlatform, credential};
use crate::utilities::testing::bind_room;
use crate::wallet::testing::with_card;
use axum::http::Method;
use proptest::prelude::*;
use uuid::Uuid;
use yika_api::account::AccountList;
use yika_api::approval::StepUp;
use yika_api::credential::{CredentialStatus, IssueRequest};
use yika_api::limit::{SetLimits, SpendLimits};
use yika_api::operation::{OperationRequest, RefusalReason, UtilityPayment};
use yika_api::wallet::Wallet;

const SPEND: &str = "/v1/limits";
const TOP_UP: &str = "/v1/wallet/limits";

fn bounds(single: i64, day: i64) -> Bounds {
    Bounds {
        single: Fen::new(single),
        day: Fen::new(day),
    }
}

fn limits(single: i64, day: i64) -> SetLimits {
    SetLimits {
        single: Fen::new(single),
        day: Fen::new(day),
        step_up: None,
    }
}

fn with_password(single: i64, day: i64) -> SetLimits {
    SetLimits {
        step_up: Some(StepUp::Password { password: password() }),
        ..limits(single, day)
    }
}

async fn put(phone: &TestPhone<'_>, path: &str, request: &SetLimits) -> Reply {
    phone.named((Method::PUT, path), Uuid::new_v4(), request).await
}

proptest! {
    #[test]
    fn nothing_is_raised_unproven_and_nothing_passes_the_schools_limits(
        current in (100_i64..5_000, 0_i64..5_000),
        wanted in (any::<i64>(), any::<i64>(), 0_i64..8_000, 0_i64..8_000, any::<bool>()),
        is_proven: bool,
    ) {
        let most = bounds(5_000, 10_000);
        let current = bounds(current.0, current.0 + current.1);
        let wanted = if wanted.4 { bounds(wanted.0, wanted.1) } else { bounds(wanted.2, wanted.3) };
        let presence = if is_proven { Presence::Proven } else { Presence::Unproven };
        let is_taken = wanted.check_change(current, Fen::new(100), most, presence).is_ok();
        let is_in_range = wanted.single >= Fen::new(100) && wanted.single <= most.single
            && wanted.day >= wanted.single && wanted.day <= most.day;
        let is_lower = wanted.single <= current.single && wanted.day <= current.day;
        prop_assert_eq!(is_taken, is_in_range && (is_lower || is_proven));
    }
}

#[tokio::test]
async fn lowering_works_at_once_and_raising_needs_the_password() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let (wallet, _) = with_card(&phone).await;
    assert_eq!(
        (wallet.limits.single, wallet.limits.most_single),
        (Fen::new(50_000), Fen::new(50_000))
    );
    let lower: Wallet = put(&phone, TOP_UP, &limits(2_000, 3_000)).await.ok();
    assert_eq!(
        (lower.limits.single, lower.limits.day, lower.limits.most_day),
        (Fen::new(2_000), Fen::new(3_000), Fen::new(120_000))
    );
    let lower: SpendLimits = put(&phone, SPEND, &limits(2_000, 3_000)).await.ok();
    assert_eq!((lower.single, lower.day), (Fen::new(2_000), Fen::new(3_000)));
    for path in [TOP_UP, SPEND] {
        for raised in [limits(2_001, 3_000), limits(2_000, 3_001)] {
            let refused = put(&phone, path, &raised).await;
            assert_eq!(refused.problem().code, ProblemCode::StepUpRequired, "{path}");
        }
        campus
            .bank
            .weather(&[Fault::Refuses(RefusalReason::PasswordWrong)]);
        let wrong = put(&phone, path, &with_password(2_500, 3_500)).await;
        assert_eq!(
            wrong.problem().refusal.unwrap().reason,
            RefusalReason::PasswordWrong,
            "{path}"
        );
        campus.bank.weather(&[Fault::LostAfter]);
        let silent = put(&phone, path, &with_password(2_500, 3_500)).await;
        assert_eq!(silent.problem().code, ProblemCode::BankUnavailable, "{path}");
        put(&phone, path, &limits(2_000, 3_000))
            .await
            .ok::<serde_json::Value>();
        let raised = put(&phone, path, &with_password(2_500, 3_500)).await;
        assert!(raised.status.is_success(), "{path} {raised:?}");
    }
    let shown: SpendLimits = phone.get(SPEND).await.ok();
    assert_eq!((shown.single, shown.day), (Fen::new(2_500), Fen::new(3_500)));
    let shown: Wallet = phone.get("/v1/wallet").await.ok();
    assert_eq!(shown.limits.day, Fen::new(3_500));
}

#[tokio::test]
async fn numbers_that_cannot_be_are_refused_before_the_bank_is_asked() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    with_card(&phone).await;
    // The bank would refuse whoever asks it.
    campus
        .bank
        .weather(&[Fault::Refuses(RefusalReason::PasswordLocked)]);
    for (path, most_single, most_day) in [(TOP_UP, 50_000, 120_000), (SPEND, 30_000, 60_000)] {
        for (single, day) in [
            (0, 1_000),
            (-1, 1_000),
            (99, 1_000),
            (1_000, 999),
            (1_000, 0),
            (1_000, -1),
            (most_single + 1, most_day),
            (most_single, most_day + 1),
            (i64::MAX, i64::MAX),
            (i64::MIN, i64::MIN),
        ] {
            let reply = put(&phone, path, &with_password(single, day)).await;
            assert_eq!(
                reply.problem().code,
                ProblemCode::AmountOutOfRange,
                "{path} {single} {day}"
            );
        }
    }
    let used_up = put(&phone, SPEND, &with_password(200, 200)).await;
    assert_eq!(
        used_up.problem().code,
        ProblemCode::BankRefused,
        "now it was asked"
    );
}

#[tokio::test]
async fn a_request_sent_again_sets_nothing_anew() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    with_card(&phone).await;
    for path in [TOP_UP, SPEND] {
        let (key, first) = (Uuid::new_v4(), limits(2_000, 3_000));
        let told = phone.named((Method::PUT, path), key, &first).await;
        put(&phone, path, &limits(1_000, 1_000))
            .await
            .ok::<serde_json::Value>();
        let again = phone.named((Method::PUT, path), key, &first).await;
        assert_eq!(again.body, told.body);
        let other = phone.named((Method::PUT, path), key, &limits(500, 500)).await;
        assert_eq!(other.problem().code, ProblemCode::IdempotencyConflict);
    }
    let shown: SpendLimits = phone.get(SPEND).await.ok();
    assert_eq!(shown.single, Fen::new(1_000));
    let shown: Wallet = phone.get("/v1/wallet").await.ok();
    assert_eq!(shown.limits.single, Fen::new(1_000));
}

#[tokio::test]
async fn who_has_no_wallet_can_lower_and_the_card_office_raises() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    put(&phone, SPEND, &limits(1_000, 1_000))
        .await
        .ok::<SpendLimits>();
    let refused = put(&phone, SPEND, &with_password(2_000, 2_000)).await;
    assert_eq!(refused.problem().code, ProblemCode::WalletNotOpen);
    let refused = put(&phone, TOP_UP, &limits(1_000, 1_000)).await;
    assert_eq!(refused.problem().code, ProblemCode::WalletNotOpen);
    campus.platform.admin().reset_limits("20260001").await.unwrap();
    let shown: SpendLimits = phone.get(SPEND).await.ok();
    assert_eq!(shown.single, shown.most_single);
    assert!(campus.platform.admin().reset_limits("nobody").await.is_err());
}

#[tokio::test]
async fn a_top_up_passes_neither_of_the_holders_limits() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let (_, card) = with_card(&phone).await;
    recharge(&phone, card, 20_000).await;
    let accounts: AccountList = phone.get("/v1/accounts").await.ok();
    let account = accounts.accounts[0].id;
    put(&phone, TOP_UP, &limits(2_000, 3_000)).await.ok::<Wallet>();
    let top_up = async |amount| {
        let request = top_up_request(account, amount, 0, 0, None);
        send(&phone, Uuid::new_v4(), &request).await
    };
    let over = top_up(2_001).await.problem();
    assert_eq!(
        (over.code, over.amount),
        (ProblemCode::AmountOutOfRange, Some(Fen::new(2_000)))
    );
    assert!(top_up(2_000).await.status.is_success());
    let over = top_up(1_001).await.problem();
    assert_eq!(
        (over.code, over.amount),
        (ProblemCode::DayLimitReached, Some(Fen::new(1_000)))
    );
    assert!(top_up(1_000).await.status.is_success());
    // Lowered below what is used: nothing is left, and nothing below zero.
    put(&phone, TOP_UP, &limits(500, 500)).await.ok::<Wallet>();
    assert_eq!(top_up(100).await.problem().amount, Some(Fen::ZERO));
}

#[tokio::test]
async fn a_utility_off_an_account_passes_neither_limit_of_payments_without_a_step_up() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let place_id = bind_room(&phone).await.id;
    let accounts: AccountList = phone.get("/v1/accounts").await.ok();
    let account_id = accounts.accounts[0].id;
    put(&phone, SPEND, &limits(2_000, 3_000))
        .await
        .ok::<SpendLimits>();
    let pay = async |amount| {
        let request = OperationRequest::Utility {
            place_id,
            amount: Fen::new(amount),
            paid_by: UtilityPayment::Account {
                account_id,
                step_up: None,
            },
        };
        send(&phone, Uuid::new_v4(), &request).await
    };
    let over = pay(2_001).await.problem();
    assert_eq!(
        (over.code, over.amount),
        (ProblemCode::StepUpRequired, Some(Fen::new(2_000)))
    );
    assert_eq!(pay(30_001).await.problem().code, ProblemCode::AmountOutOfRange);
    assert!(pay(2_000).await.status.is_success());
    let over = pay(1_001).await.problem();
    assert_eq!(
        (over.code, over.amount),
        (ProblemCode::StepUpRequired, Some(Fen::new(1_000)))
    );
    // What the utility did not take is not used.
    campus
        .utility
        .weather(&[Fault::Refuses(RefusalReason::UtilityRefused)]);
    assert!(pay(1_000).await.status.is_success());
    let shown: SpendLimits = phone.get(SPEND).await.ok();
    assert_eq!(shown.day_used, Fen::new(2_000));
    assert!(pay(1_000).await.status.is_success());
}

#[tokio::test]
async fn a_credential_follows_at_its_next_renewal_and_lower_limits_end_the_old_one() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    with_card(&phone).await;
    let first = phone.enrol().await.body;
    assert_eq!(
        (first.attributes.per_use.0, first.attributes.cumulative.0),
        (2_000, 4_000)
    );
    put(&phone, SPEND, &limits(1_234, 5_678))
        .await
        .ok::<SpendLimits>();
    let status: CredentialStatus = phone.get("/v1/credentials/current").await.ok();
    assert!(status.renewal_due);
    let second = credential(&phone.issue(Uuid::new_v4(), &IssueRequest::Renew).await).body;
    assert_eq!(
        (second.attributes.per_use.0, second.attributes.cumulative.0),
        (123, 567),
        "in tenths of a yuan, rounded down"
    );
    assert_eq!(second.epoch.get(), first.epoch.get() + 1);
    // The school's limit for keys in software stays below the holder's.
    put(&phone, SPEND, &with_password(30_000, 60_000))
        .await
        .ok::<SpendLimits>();
    let third = credential(&phone.issue(Uuid::new_v4(), &IssueRequest::Renew).await).body;
    assert_eq!(third.attributes, first.attributes);
}

#[tokio::test]
async fn an_ended_session_sets_nothing() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    campus.clock.advance(86_400_000);
    let reply = put(&phone, SPEND, &limits(1_000, 1_000)).await;
    assert_eq!(reply.problem().code, ProblemCode::SessionExpired);
    let phone = campus.bind("20260001").await;
    let shown: SpendLimits = phone.get(SPEND).await.ok();
    assert_eq!(shown.single, shown.most_single);
}
