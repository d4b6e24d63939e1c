//! Approvals through the router, with a bank that checks passwords: what a phone may approve, and what nobody may.

use crate::operations::testing::{password, send};
use crate::testing::{Fault, Reply, SCHOOL, TestKey, TestPhone, TestPlatform};
use crate::utilities::testing::bind_room;
use crate::wallet::testing::with_card;
use axum::http::{Method, StatusCode};
use uuid::Uuid;
use yika_api::account::AccountList;
use yika_api::approval::{Act, ApprovalKey, SetApprovalKey, StepUp, approval_text};
use yika_api::credential::KeyStorage;
use yika_api::limit::{SetLimits, SpendLimits};
use yika_api::operation::{Operation, OperationRequest, Phase, RefusalReason, UtilityPayment};
use yika_api::wallet::Wallet;
use yika_api::{Base64Url, Fen, ProblemCode};

const KEY: &str = "/v1/sessions/current/approval-key";
const LIMITS: &str = "/v1/limits";

fn approve(key: &TestKey, operation: Uuid, act: Act) -> StepUp {
    StepUp::Approval {
        signature: signature(key, SCHOOL, operation, act),
    }
}

fn signature(key: &TestKey, school: &str, operation: Uuid, act: Act) -> Base64Url {
    key.sign(approval_text(school, operation, act).as_bytes())
        .as_bytes()
        .as_slice()
        .into()
}

fn key_request(key: &TestKey, operation: Uuid) -> SetApprovalKey {
    SetApprovalKey {
        public_key: key.expanded().as_bytes().as_slice().into(),
        storage: KeyStorage::Tee,
        proof: signature(key, SCHOOL, operation, Act::ApprovalKey),
        password: password(),
    }
}

async fn put_key(phone: &TestPhone<'_>, operation: Uuid, request: &SetApprovalKey) -> Reply {
    phone.named((Method::PUT, KEY), operation, request).await
}

async fn agree(phone: &TestPhone<'_>, key: &TestKey) {
    let operation = Uuid::new_v4();
    let told: ApprovalKey = put_key(phone, operation, &key_request(key, operation)).await.ok();
    assert_eq!(told.storage, KeyStorage::Tee);
}

fn spend(single: i64, day: i64) -> (Fen, Fen, Act) {
    let (single, day) = (Fen::new(single), Fen::new(day));
    (single, day, Act::SpendLimits { single, day })
}

async fn set_limits(
    phone: &TestPhone<'_>,
    operation: Uuid,
    limits: (Fen, Fen),
    step_up: Option<StepUp>,
) -> Reply {
    let (single, day) = limits;
    let request = SetLimits { single, day, step_up };
    phone.named((Method::PUT, LIMITS), operation, &request).await
}

/// Lowers the limits, so that there is something to raise.
async fn lower(phone: &TestPhone<'_>) {
    let limits = (Fen::new(1_000), Fen::new(2_000));
    let lowered: SpendLimits = set_limits(phone, Uuid::new_v4(), limits, None).await.ok();
    assert_eq!(lowered.single, Fen::new(1_000));
}

/// A phone with a wallet that may approve with this key, and whose limits are lowered.
async fn approver(campus: &TestPlatform) -> (TestPhone<'_>, TestKey) {
    let phone = campus.bind("20260001").await;
    with_card(&phone).await;
    let key = TestKey::new();
    agree(&phone, &key).await;
    lower(&phone).await;
    (phone, key)
}

#[tokio::test]
async fn an_approval_raises_limits_like_the_password_does() {
    let campus = TestPlatform::open().await;
    let (phone, key) = approver(&campus).await;
    let ((single, day, act), operation) = (spend(1_500, 3_000), Uuid::new_v4());
    let step_up = approve(&key, operation, act);
    let raised = set_limits(&phone, operation, (single, day), Some(step_up.clone())).await;
    assert_eq!(raised.ok::<SpendLimits>().single, single);
    lower(&phone).await;
    // Sent again it is the same operation, and raises nothing anew.
    set_limits(&phone, operation, (single, day), Some(step_up))
        .await
        .ok::<SpendLimits>();
    let shown: SpendLimits = phone.get(LIMITS).await.ok();
    assert_eq!(shown.single, Fen::new(1_000));

    let (single, day) = (Fen::new(1_000), Fen::new(1_000));
    let path = (Method::PUT, "/v1/wallet/limits");
    let request = SetLimits {
        single,
        day,
        step_up: None,
    };
    phone
        .named(path.clone(), Uuid::new_v4(), &request)
        .await
        .ok::<Wallet>();
    let (operation, single) = (Uuid::new_v4(), Fen::new(1_001));
    let act = Act::TopUpLimits { single, day: single };
    let request = SetLimits {
        single,
        day: single,
        step_up: Some(approve(&key, operation, act)),
    };
    let raised: Wallet = phone.named(path, operation, &request).await.ok();
    assert_eq!(raised.limits.single, single);
}

#[tokio::test]
async fn an_approval_is_good_for_what_it_names_and_nothing_else() {
    let campus = TestPlatform::open().await;
    let (phone, key) = approver(&campus).await;
    let ((single, day, act), operation) = (spend(1_500, 3_000), Uuid::new_v4());
    let other_amount = spend(1_500, 3_001).2;
    let top_up = Act::TopUpLimits { single, day };
    let good = approve(&key, operation, act);
    let StepUp::Approval { signature: bytes } = &good else {
        unreachable!("an approval")
    };
    let cut = StepUp::Approval {
        signature: bytes.0[..63].into(),
    };
    let elsewhere = StepUp::Approval {
        signature: signature(&key, "other.example", operation, act),
    };
    for (what, step_up) in [
        ("another amount", approve(&key, operation, other_amount)),
        ("other limits", approve(&key, operation, top_up)),
        ("another operation", approve(&key, Uuid::new_v4(), act)),
        ("another school", elsewhere),
        ("another key", approve(&TestKey::new(), operation, act)),
        ("half a signature", cut),
    ] {
        let refused = set_limits(&phone, operation, (single, day), Some(step_up)).await;
        assert_eq!(refused.problem().code, ProblemCode::ApprovalRefused, "{what}");
    }
    let shown: SpendLimits = phone.get(LIMITS).await.ok();
    assert_eq!(shown.single, Fen::new(1_000));
    // The key is this phone's, not its holder's.
    campus.clock.advance(1_000);
    let other = campus.bind("20260001").await;
    let refused = set_limits(&other, operation, (single, day), Some(good.clone())).await;
    assert_eq!(refused.problem().code, ProblemCode::ApprovalRefused);
    set_limits(&phone, operation, (single, day), Some(good))
        .await
        .ok::<SpendLimits>();
}

#[tokio::test]
async fn a_key_is_agreed_to_with_the_password_by_whoever_has_it_in_hardware() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let (key, operation) = (TestKey::new(), Uuid::new_v4());
    let good = key_request(&key, operation);
    let refused = put_key(&phone, operation, &good).await;
    assert_eq!(refused.problem().code, ProblemCode::WalletNotOpen);
    with_card(&phone).await;
    let software = SetApprovalKey {
        storage: KeyStorage::Software,
        ..good.clone()
    };
    let anothers = SetApprovalKey {
        public_key: TestKey::new().expanded().as_bytes().as_slice().into(),
        ..good.clone()
    };
    for refused in [&software, &anothers] {
        let reply = put_key(&phone, operation, refused).await;
        assert_eq!(reply.problem().code, ProblemCode::ApprovalRefused, "{refused:?}");
    }
    let no_point = SetApprovalKey {
        public_key: [4; 65].as_slice().into(),
        ..good.clone()
    };
    let reply = put_key(&phone, operation, &no_point).await;
    assert_eq!(reply.problem().code, ProblemCode::InvalidRequest);
    campus
        .bank
        .weather(&[Fault::Refuses(RefusalReason::PasswordWrong)]);
    let reply = put_key(&phone, operation, &good).await;
    assert_eq!(reply.problem().code, ProblemCode::BankRefused);
    campus.bank.weather(&[Fault::LostAfter]);
    let reply = put_key(&phone, operation, &good).await;
    assert_eq!(reply.problem().code, ProblemCode::BankUnavailable);

    lower(&phone).await;
    let ((single, day, act), raising) = (spend(1_500, 3_000), Uuid::new_v4());
    let step_up = Some(approve(&key, raising, act));
    let refused = set_limits(&phone, raising, (single, day), step_up.clone()).await;
    assert_eq!(refused.problem().code, ProblemCode::ApprovalRefused, "not agreed");
    let first = put_key(&phone, operation, &good).await;
    first.ok::<ApprovalKey>();
    let again = put_key(&phone, operation, &good).await;
    assert_eq!(again.body, first.body);
    let raised = set_limits(&phone, raising, (single, day), step_up).await;
    assert!(raised.status.is_success(), "{raised:?}");
}

#[tokio::test]
async fn a_key_that_is_forgotten_or_whose_session_ended_approves_nothing() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    with_card(&phone).await;
    let key = TestKey::new();
    let (single, day, act) = spend(1_500, 3_000);
    let raise = async |phone: &TestPhone<'_>| {
        let operation = Uuid::new_v4();
        let step_up = approve(&key, operation, act);
        set_limits(phone, operation, (single, day), Some(step_up)).await
    };
    agree(&phone, &key).await;
    for _ in 0..2 {
        let forgotten = phone.request((Method::DELETE, KEY), &[], Vec::new()).await;
        assert_eq!(forgotten.status, StatusCode::NO_CONTENT);
    }
    lower(&phone).await;
    assert_eq!(raise(&phone).await.problem().code, ProblemCode::ApprovalRefused);
    agree(&phone, &key).await;
    agree(&phone, &TestKey::new()).await;
    assert_eq!(raise(&phone).await.problem().code, ProblemCode::ApprovalRefused);
    agree(&phone, &key).await;
    let ended = phone
        .request((Method::DELETE, "/v1/sessions/current"), &[], Vec::new())
        .await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert_eq!(raise(&phone).await.problem().code, ProblemCode::SessionExpired);
    let id_token = campus.host.sign(&campus.id_token_claims("20260001"));
    let back = campus.exchange(&phone.session_key, &id_token).await;
    let phone = TestPhone {
        tokens: back.ok(),
        ..phone
    };
    assert_eq!(raise(&phone).await.problem().code, ProblemCode::ApprovalRefused);
}

#[tokio::test]
async fn a_step_up_lifts_the_holders_own_limits_of_a_payment_and_never_the_schools() {
    let campus = TestPlatform::open().await;
    let (phone, key) = approver(&campus).await;
    let place_id = bind_room(&phone).await.id;
    let accounts: AccountList = phone.get("/v1/accounts").await.ok();
    let account_id = accounts.accounts[0].id;
    let pay = async |operation: Uuid, amount: i64, step_up| {
        let request = OperationRequest::Utility {
            place_id,
            amount: Fen::new(amount),
            paid_by: UtilityPayment::Account { account_id, step_up },
        };
        send(&phone, operation, &request).await
    };
    let act = |amount| Act::PayUtility {
        amount: Fen::new(amount),
        place: place_id,
        account: account_id,
    };
    let approved = async |amount| {
        let operation = Uuid::new_v4();
        let step_up = approve(&key, operation, act(amount));
        pay(operation, amount, Some(step_up)).await
    };
    let over = pay(Uuid::new_v4(), 1_001, None).await.problem();
    assert_eq!(
        (over.code, over.amount),
        (ProblemCode::StepUpRequired, Some(Fen::new(1_000)))
    );
    let operation = Uuid::new_v4();
    let wrong = pay(operation, 1_002, Some(approve(&key, operation, act(1_001)))).await;
    assert_eq!(wrong.problem().code, ProblemCode::ApprovalRefused);
    let paid: Operation = approved(1_001).await.ok();
    assert_eq!(paid.phase, Phase::Credited);
    // With the password as well, and the day's limit is lifted too.
    let operation = Uuid::new_v4();
    let by_password = StepUp::Password { password: password() };
    let paid: Operation = pay(operation, 1_500, Some(by_password.clone())).await.ok();
    assert_eq!(paid.phase, Phase::Credited);
    campus
        .bank
        .weather(&[Fault::Refuses(RefusalReason::PasswordWrong)]);
    let again: Operation = pay(operation, 1_500, Some(by_password.clone())).await.ok();
    assert_eq!(again.id, paid.id, "nobody is asked about what is done");
    let refused = pay(Uuid::new_v4(), 1_500, Some(by_password)).await;
    assert_eq!(refused.problem().code, ProblemCode::BankRefused);
    let shown: SpendLimits = phone.get(LIMITS).await.ok();
    assert_eq!(shown.day_used, Fen::new(2_501));
    let beyond = approved(30_001).await.problem();
    assert_eq!(
        (beyond.code, beyond.amount),
        (ProblemCode::AmountOutOfRange, Some(Fen::new(30_000)))
    );
}
