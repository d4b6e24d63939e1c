//! Rules through the router, with a bank that can fail.

use crate::clock::{DAY, HOUR, MINUTE};
use crate::operations::testing::{password, recharge};
use crate::testing::{Fault, Reply, TestPhone, TestPlatform};
use crate::wallet::testing::with_card;
use axum::http::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use yika_api::account::AccountList;
use yika_api::auto_top_up::{AutoTopUp, CONSENT_VERSION, SetAutoTopUp};
use yika_api::bank::Authority;
use yika_api::operation::{Operation, OperationPage, Phase, RefusalReason};
use yika_api::wallet::CloseWallet;
use yika_api::{Fen, ProblemCode};

const STUDENT: &str = "20260001";

/// A holder with ¥100 on the card, ¥60 in the wallet and a bank card.
struct Holder<'a> {
    campus: &'a TestPlatform,
    phone: TestPhone<'a>,
    card: Uuid,
    account: Uuid,
}

impl<'a> Holder<'a> {
    async fn new(campus: &'a TestPlatform) -> Self {
        let phone = campus.bind(STUDENT).await;
        let (_, card) = with_card(&phone).await;
        assert_eq!(recharge(&phone, card, 6_000).await.phase, Phase::Credited);
        let accounts: AccountList = phone.get("/v1/accounts").await.ok();
        Self {
            campus,
            phone,
            card,
            account: accounts.accounts[0].id,
        }
    }

    fn path(&self) -> String {
        format!("/v1/accounts/{}/auto-top-up", self.account)
    }

    async fn put(&self, mandate: Uuid, rule: &SetAutoTopUp) -> Reply {
        self.phone.named((Method::PUT, &self.path()), mandate, rule).await
    }

    async fn agree(&self, below: i64, add: i64, day_cap: i64) -> Uuid {
        let mandate = Uuid::new_v4();
        self.put(mandate, &rule(below, add, day_cap))
            .await
            .ok::<AccountList>();
        mandate
    }

    async fn end(&self, key: Uuid) -> Reply {
        self.phone
            .named((Method::DELETE, &self.path()), key, &Value::Null)
            .await
    }

    async fn shown(&self) -> (i64, Option<AutoTopUp>) {
        let accounts: AccountList = self.phone.get("/v1/accounts").await.ok();
        let account = &accounts.accounts[0];
        (account.balance.amount.get(), account.auto_top_up)
    }

    async fn problem(&self) -> Option<(RefusalReason, Option<i64>)> {
        let problem = self.shown().await.1.unwrap().problem?;
        let after = |at: yika_api::UnixMillis| at.0 - self.campus.clock_now_s() * 1000;
        Some((problem.reason, problem.retry_at.map(after)))
    }

    /// The top-ups that nobody asked for, oldest first.
    async fn automatic(&self) -> Vec<Operation> {
        let page: OperationPage = self.phone.get("/v1/operations?limit=500").await.ok();
        let all = page.operations.into_iter();
        all.filter(|operation| operation.is_automatic).collect()
    }

    /// Lets time pass. The phone needs a new session then.
    async fn later(&mut self, ms: i64) {
        self.campus.clock.advance(ms);
        self.phone = self.campus.bind(STUDENT).await;
    }
}

fn rule(below: i64, add: i64, day_cap: i64) -> SetAutoTopUp {
    SetAutoTopUp {
        below: Fen::new(below),
        add: Fen::new(add),
        day_cap: Fen::new(day_cap),
        consent: CONSENT_VERSION,
        password: password(),
    }
}

async fn drive(campus: &TestPlatform) {
    campus.platform.drive_due_operations().await.unwrap();
}

async fn check_books(campus: &TestPlatform) {
    let books = campus.platform.admin().books().await.unwrap();
    assert_eq!(books.grand_sum, Fen::ZERO);
    assert!(books.accounts.iter().all(|total| total.sum == total.postings));
}

#[tokio::test]
async fn an_account_below_the_rule_is_topped_up_once_by_the_mandate() {
    let campus = TestPlatform::open().await;
    let holder = Holder::new(&campus).await;
    let mandate = holder.agree(12_000, 2_500, 5_000).await;
    drive(&campus).await;
    drive(&campus).await;
    let [operation] = <[Operation; 1]>::try_from(holder.automatic().await).unwrap();
    assert_eq!(operation.phase, Phase::Credited);
    assert_eq!(operation.account_id, Some(holder.account));
    assert_eq!(operation.funding.wallet, Fen::new(2_500));
    let (balance, shown) = holder.shown().await;
    let shown = shown.unwrap();
    assert_eq!((balance, shown.day_used.get()), (12_500, 2_500));
    assert_eq!(
        (shown.below.get(), shown.add.get(), shown.day_cap.get()),
        (12_000, 2_500, 5_000)
    );
    assert_eq!(shown.problem, None);
    let order = campus.bank.heard().pop().unwrap();
    assert_eq!(order.authority, Authority::Mandate { mandate });
    assert_eq!((order.id, order.arrives), (operation.id, Fen::new(2_500)));
    check_books(&campus).await;
}

#[tokio::test]
async fn servers_that_look_at_the_same_time_begin_one() {
    let campus = TestPlatform::open().await;
    let twin = campus.twin().await;
    let holder = Holder::new(&campus).await;
    holder.agree(12_000, 2_500, 5_000).await;
    let both = (
        campus.platform.drive_due_operations(),
        twin.platform.drive_due_operations(),
    );
    let (one, other) = tokio::join!(both.0, both.1);
    one.unwrap();
    other.unwrap();
    drive(&campus).await;
    assert_eq!(holder.automatic().await.len(), 1);
    assert_eq!(holder.shown().await.0, 12_500);
}

#[tokio::test]
async fn no_day_has_more_than_the_cap_and_the_next_has_as_much_again() {
    let campus = TestPlatform::open().await;
    let mut holder = Holder::new(&campus).await;
    recharge(&holder.phone, holder.card, 20_000).await;
    holder.agree(100_000, 2_000, 5_000).await;
    for _ in 0..4 {
        drive(&campus).await;
    }
    assert_eq!(holder.shown().await.0, 14_000);
    let (reason, retry) = holder.problem().await.unwrap();
    assert_eq!(reason, RefusalReason::LimitReached);
    let midnight = retry.unwrap();
    assert!((0..DAY).contains(&midnight));
    holder.later(midnight - 1_000).await;
    drive(&campus).await;
    assert_eq!(holder.shown().await.0, 14_000);
    // A rule in its place doesn't begin the day anew.
    holder.agree(100_000, 2_000, 5_000).await;
    drive(&campus).await;
    assert_eq!(holder.automatic().await.len(), 2);
    holder.later(1_000).await;
    for _ in 0..4 {
        drive(&campus).await;
    }
    assert_eq!(holder.shown().await.0, 18_000);
    check_books(&campus).await;
}

#[tokio::test]
async fn what_the_wallet_has_not_comes_off_the_default_card_or_waits_for_money() {
    let campus = TestPlatform::open().await;
    let mut holder = Holder::new(&campus).await;
    holder.agree(20_000, 10_000, 10_000).await;
    drive(&campus).await;
    let [operation] = <[Operation; 1]>::try_from(holder.automatic().await).unwrap();
    let funding = operation.funding;
    assert_eq!(
        (funding.wallet.get(), funding.bank.get() - funding.fee.get()),
        (6_000, 4_000)
    );
    assert_eq!(funding.card_id, Some(holder.card));
    assert!(funding.fee.is_positive());

    let path = format!("/v1/wallet/cards/{}", holder.card);
    let unbound = holder
        .phone
        .named((Method::DELETE, &path), Uuid::new_v4(), &Value::Null)
        .await;
    assert!(unbound.status.is_success(), "{unbound:?}");
    holder.agree(30_000, 1_000, 20_000).await;
    drive(&campus).await;
    let short = (RefusalReason::Insufficient, Some(10 * MINUTE));
    assert_eq!(holder.problem().await, Some(short));
    let (_, card) = crate::wallet::testing::bind(&holder.phone).await;
    recharge(&holder.phone, card, 5_000).await;
    drive(&campus).await;
    assert_eq!(holder.automatic().await.len(), 1, "not before its time");
    holder.later(10 * MINUTE).await;
    drive(&campus).await;
    assert_eq!(holder.automatic().await.len(), 2);
    assert_eq!(holder.problem().await, None);
    check_books(&campus).await;
}

#[tokio::test]
async fn a_refusal_of_the_bank_pauses_the_rule_or_stops_it() {
    for (refusal, expected) in [
        (RefusalReason::Insufficient, Some(10 * MINUTE)),
        (RefusalReason::CardUnusable, Some(HOUR)),
        (RefusalReason::MandateUnusable, None),
        (RefusalReason::WalletUnusable, None),
    ] {
        let campus = TestPlatform::open().await;
        let mut holder = Holder::new(&campus).await;
        let mandate = holder.agree(12_000, 2_500, 5_000).await;
        campus.bank.weather(&[Fault::Refuses(refusal)]);
        drive(&campus).await;
        assert_eq!(holder.problem().await, Some((refusal, expected)));
        assert_eq!(holder.shown().await.0, 10_000);
        assert_eq!(holder.automatic().await.pop().unwrap().phase, Phase::Refused);
        drive(&campus).await;
        assert_eq!(holder.automatic().await.len(), 1, "not at once again");
        let is_stopped = expected.is_none();
        assert_eq!(campus.bank.ended_mandates().contains(&mandate), is_stopped);
        holder.later(HOUR).await;
        drive(&campus).await;
        let tries = if is_stopped { 1 } else { 2 };
        assert_eq!(holder.automatic().await.len(), tries, "{refusal:?}");
        if is_stopped {
            holder.agree(12_000, 2_500, 5_000).await;
            drive(&campus).await;
            assert_eq!(holder.shown().await.0, 12_500);
        }
        check_books(&campus).await;
    }
}

#[tokio::test]
async fn a_bank_that_is_silent_is_asked_and_nothing_else_begins_meanwhile() {
    let campus = TestPlatform::open().await;
    let mut holder = Holder::new(&campus).await;
    holder.agree(12_000, 2_500, 5_000).await;
    campus.bank.weather(&[Fault::LostAfter]);
    drive(&campus).await;
    drive(&campus).await;
    let [operation] = <[Operation; 1]>::try_from(holder.automatic().await).unwrap();
    assert_eq!(operation.phase, Phase::Confirming);
    assert_eq!(holder.shown().await.1.unwrap().day_used, Fen::new(2_500));
    holder.later(HOUR).await;
    drive(&campus).await;
    drive(&campus).await;
    assert_eq!(campus.bank.moved(operation.id), 1);
    assert_eq!(holder.automatic().await.len(), 1);
    assert_eq!(holder.shown().await.0, 12_500);
}

#[tokio::test]
async fn an_ended_rule_begins_nothing_and_the_bank_is_told_until_it_hears() {
    let campus = TestPlatform::open().await;
    let holder = Holder::new(&campus).await;
    let first = holder.agree(12_000, 2_500, 5_000).await;
    let second = holder.agree(12_000, 2_000, 5_000).await;
    let key = Uuid::new_v4();
    let ended: AccountList = holder.end(key).await.ok();
    assert_eq!(ended.accounts[0].auto_top_up, None);
    holder.end(key).await.ok::<AccountList>();
    holder.end(Uuid::new_v4()).await.ok::<AccountList>();
    campus.bank.weather(&[Fault::Clear, Fault::LostBefore]);
    drive(&campus).await;
    assert_eq!(campus.bank.ended_mandates(), [first]);
    campus.clock.advance(MINUTE);
    drive(&campus).await;
    drive(&campus).await;
    assert_eq!(campus.bank.ended_mandates(), [first, second]);
    assert!(holder.automatic().await.is_empty());
}

#[tokio::test]
async fn a_frozen_card_waits_and_a_closed_wallet_ends_the_rule() {
    let campus = TestPlatform::open().await;
    let holder = Holder::new(&campus).await;
    holder.agree(12_000, 6_000, 6_000).await;
    campus.platform.admin().suspend(STUDENT).await.unwrap();
    assert!(
        campus
            .platform
            .admin()
            .holders()
            .await
            .unwrap()
            .iter()
            .any(|holder| holder.number == STUDENT && holder.is_frozen)
    );
    drive(&campus).await;
    assert!(holder.automatic().await.is_empty());
    campus.platform.admin().undo_suspension(STUDENT).await.unwrap();
    drive(&campus).await;
    assert_eq!(holder.shown().await.0, 16_000);
    let close = CloseWallet { password: password() };
    let closed = holder
        .phone
        .named((Method::POST, "/v1/wallet/close"), Uuid::new_v4(), &close)
        .await;
    assert!(closed.status.is_success(), "{closed:?}");
    assert_eq!(holder.shown().await.1, None);
    drive(&campus).await;
    assert!(
        campus.bank.ended_mandates().is_empty(),
        "the bank ended it itself"
    );
    let refused = holder.put(Uuid::new_v4(), &rule(12_000, 2_500, 5_000)).await;
    assert_eq!(refused.problem().code, ProblemCode::WalletNotOpen);
}

#[tokio::test]
async fn what_cannot_be_a_rule_is_refused_before_the_bank_is_asked() {
    let campus = TestPlatform::open().await;
    let holder = Holder::new(&campus).await;
    let heard = |reply: Reply| {
        let problem = reply.problem();
        (problem.code, problem.amount.map(Fen::get))
    };
    let out_of_range = |limit| (ProblemCode::AmountOutOfRange, Some(limit));
    for (wrong, expected) in [
        (rule(0, 2_500, 5_000), out_of_range(1)),
        (rule(-1, 2_500, 5_000), out_of_range(1)),
        (rule(i64::MAX, 2_500, 5_000), out_of_range(120_000)),
        (rule(100, 0, 5_000), out_of_range(100)),
        (rule(100, 50_001, 60_000), out_of_range(50_000)),
        (rule(100, 2_500, 2_499), out_of_range(2_500)),
        (rule(100, 2_500, i64::MAX), out_of_range(120_000)),
        (
            SetAutoTopUp {
                consent: CONSENT_VERSION + 1,
                ..rule(100, 2_500, 5_000)
            },
            (ProblemCode::TermsChanged, None),
        ),
    ] {
        campus
            .bank
            .weather(&[Fault::Refuses(RefusalReason::PasswordWrong)]);
        assert_eq!(heard(holder.put(Uuid::new_v4(), &wrong).await), expected);
    }
    let foreign = campus.bind("20260002").await;
    let others = foreign
        .named(
            (Method::PUT, &holder.path()),
            Uuid::new_v4(),
            &rule(100, 2_500, 5_000),
        )
        .await;
    assert_eq!(others.problem().code, ProblemCode::NotFound);
    let others = foreign
        .named((Method::DELETE, &holder.path()), Uuid::new_v4(), &json!(null))
        .await;
    assert_eq!(others.problem().code, ProblemCode::NotFound);
    assert_eq!(holder.shown().await.1, None);
}

#[tokio::test]
async fn agreeing_is_once_and_a_wrong_password_agrees_to_nothing() {
    let campus = TestPlatform::open().await;
    let holder = Holder::new(&campus).await;
    let mandate = Uuid::new_v4();
    campus
        .bank
        .weather(&[Fault::Refuses(RefusalReason::PasswordWrong), Fault::LostAfter]);
    let wrong = holder.put(Uuid::new_v4(), &rule(12_000, 2_500, 5_000)).await;
    let refusal = wrong.problem().refusal.unwrap();
    assert_eq!(refusal.reason, RefusalReason::PasswordWrong);
    let silent = holder.put(mandate, &rule(12_000, 2_500, 5_000)).await;
    assert_eq!(silent.problem().code, ProblemCode::BankUnavailable);
    assert_eq!(holder.shown().await.1, None);
    let first: Value = holder.put(mandate, &rule(12_000, 2_500, 5_000)).await.ok();
    let again: Value = holder.put(mandate, &rule(12_000, 2_500, 5_000)).await.ok();
    assert_eq!(first, again);
    let other = holder.put(mandate, &rule(12_000, 2_501, 5_000)).await;
    assert_eq!(other.problem().code, ProblemCode::IdempotencyConflict);
}
