//! Operations through the router, with a bank whose wire is good, bad, or away.

mod statements;
mod utilities;

use super::testing::{CANARY, password, recharge, send, top_up_request, withdraw};
use crate::db::transact;
use crate::error::Result;
use crate::testing::{Fault, START, TestPhone, TestPlatform};
use crate::wallet::testing::with_card;
use futures_util::future::join_all;
use sqlx::Row as _;
use std::collections::BTreeSet;
use uuid::Uuid;
use yika_api::account::AccountList;
use yika_api::bank::{Authority, OrderState};
use yika_api::operation::{
    Funding, Operation, OperationPage, OperationRequest, Phase, Refusal, RefusalReason,
};
use yika_api::payment::{PaymentPage, PaymentStatus};
use yika_api::wallet::Wallet;
use yika_api::{Fen, ProblemCode, UnixMillis};

/// A holder with ¥100 on the card, ¥60 in the wallet and a bank card.
struct Holder<'a> {
    phone: TestPhone<'a>,
    card: Uuid,
    account: Uuid,
}

async fn holder(campus: &TestPlatform) -> Holder<'_> {
    let phone = campus.bind("20260001").await;
    let (_, card) = with_card(&phone).await;
    assert_eq!(recharge(&phone, card, 6_000).await.phase, Phase::Credited);
    let accounts: AccountList = phone.get("/v1/accounts").await.ok();
    Holder {
        phone,
        card,
        account: accounts.accounts[0].id,
    }
}

impl Holder<'_> {
    fn out_of_wallet(&self, amount: i64) -> OperationRequest {
        top_up_request(self.account, amount, 0, 0, None)
    }

    /// 4,000 out of the wallet and 5,005 off the card, 5 of it the fee.
    fn out_of_both(&self) -> OperationRequest {
        top_up_request(self.account, 4_000, 5_005, 5, Some(self.card))
    }

    async fn send(&self, id: Uuid, request: &OperationRequest) -> Operation {
        send(&self.phone, id, request).await.ok()
    }

    async fn operation(&self, id: Uuid) -> Operation {
        self.phone.get(&format!("/v1/operations/{id}")).await.ok()
    }

    /// What is on the card account and in the wallet, each as the bills say too.
    async fn balances(&self) -> (i64, i64) {
        let accounts: AccountList = self.phone.get("/v1/accounts").await.ok();
        let wallet: Wallet = self.phone.get("/v1/wallet").await.ok();
        let bills: PaymentPage = self.phone.get("/v1/payments?limit=500").await.ok();
        let card = accounts.accounts[0].balance.amount.get();
        let in_wallet = wallet.balance.unwrap().amount.get();
        for (id, amount) in [(self.account, card), (wallet.account_id.unwrap(), in_wallet)] {
            let bills = bills
                .payments
                .iter()
                .filter(|bill| bill.account_id == id && bill.status == PaymentStatus::Posted);
            assert_eq!(bills.map(|bill| bill.amount.get()).sum::<i64>(), amount);
        }
        (card, in_wallet)
    }
}

async fn check_books(campus: &TestPlatform) {
    let books = campus.platform.admin().books().await.unwrap();
    assert_eq!(books.grand_sum, Fen::ZERO);
    assert!(books.accounts.iter().all(|total| total.sum == total.postings));
    let of = |kind: &str| {
        let found = books.accounts.iter().find(|total| total.kind == kind);
        found.map_or(0, |total| total.sum.get())
    };
    assert_eq!(of("wallet") + of("hold") + of("custody"), 0);
}

/// Lets time pass until nothing is to be said any more. The phone needs a new session then.
async fn settle<'a>(campus: &'a TestPlatform, holder: &mut Holder<'a>) {
    for _ in 0..8 {
        campus.clock.advance(300_000);
        campus.platform.drive_due_operations().await.unwrap();
    }
    holder.phone = campus.bind("20260001").await;
}

#[tokio::test]
async fn a_top_up_from_wallet_and_card_is_credited_in_one_reply() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let operation = holder.send(Uuid::new_v4(), &holder.out_of_both()).await;
    assert_eq!(operation.phase, Phase::Credited);
    assert_eq!(
        operation.steps.iter().map(|step| step.phase).collect::<Vec<_>>(),
        [Phase::Sent, Phase::Credited]
    );
    assert_eq!(holder.balances().await, (19_000, 2_000));
    let order = campus.bank.heard().pop().unwrap();
    assert_eq!(
        (order.wallet, order.card_amount, order.fee),
        (Fen::new(4_000), Fen::new(5_005), Fen::new(5))
    );
    check_books(&campus).await;
}

#[tokio::test]
async fn a_withdrawal_takes_from_the_wallet_what_it_gives_to_the_card() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    assert_eq!(
        withdraw(&holder.phone, holder.card, 2_500).await.phase,
        Phase::Credited
    );
    assert_eq!(holder.balances().await, (10_000, 3_500));
    check_books(&campus).await;
}

#[tokio::test]
async fn whatever_the_wire_does_money_moves_once_or_not_at_all() {
    use Fault::{Clear, Garbled, LostAfter, LostBefore, Pends, Refuses, Unreachable};
    let refuses = Refuses(RefusalReason::PasswordWrong);
    let campus = TestPlatform::open().await;
    let mut holder = holder(&campus).await;
    let faults = [Clear, Unreachable, LostBefore, LostAfter, Garbled, Pends, refuses];
    // Each fault at the order, followed by each fault at what comes next.
    for first in faults {
        for second in faults {
            let (before, id) = (holder.balances().await, Uuid::new_v4());
            campus.bank.weather(&[first, second]);
            let request = holder.out_of_wallet(100);
            let reply = holder.send(id, &request).await;
            let what = format!("{first:?} {second:?} {:?}", reply.phase);
            check_books(&campus).await;
            settle(&campus, &mut holder).await;
            let end = holder.operation(id).await;
            assert!(end.phase.is_end(), "{what}: {:?}", end.phase);
            let moved = i64::from(campus.bank.moved(id));
            assert_eq!(moved, i64::from(end.phase == Phase::Credited), "{what}");
            assert_eq!(
                holder.balances().await,
                (before.0 + moved * 100, before.1 - moved * 100),
                "{what}"
            );
            assert_eq!(holder.send(id, &request).await, end, "sent again");
            check_books(&campus).await;
        }
        // The limit of a day is for another test.
        campus.clock.advance(86_400_000);
        holder.phone = campus.bind("20260001").await;
        recharge(&holder.phone, holder.card, 700).await;
    }
}

#[tokio::test]
async fn silence_is_confirming_and_holds_the_money_until_the_bank_tells() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    campus.bank.weather(&[Fault::LostAfter]);
    let id = Uuid::new_v4();
    assert_eq!(
        holder.send(id, &holder.out_of_both()).await.phase,
        Phase::Confirming
    );
    let wallet: Wallet = holder.phone.get("/v1/wallet").await.ok();
    let balance = wallet.balance.unwrap();
    assert_eq!(
        (balance.amount, balance.pending),
        (Fen::new(6_000), Fen::new(4_000))
    );
    let more = send(&holder.phone, Uuid::new_v4(), &holder.out_of_wallet(2_001)).await;
    assert_eq!(more.problem().code, ProblemCode::InsufficientFunds);
    assert_eq!(
        campus.platform.drive_due_operations().await.unwrap(),
        0,
        "not due yet"
    );
    campus.clock.advance(1_000);
    assert_eq!(campus.platform.drive_due_operations().await.unwrap(), 1);
    assert_eq!(holder.operation(id).await.phase, Phase::Credited);
    assert_eq!(holder.balances().await, (19_000, 2_000));
}

#[tokio::test]
async fn an_order_that_never_left_is_called_off_when_its_time_is_over() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    campus.bank.weather(&[Fault::Unreachable; 3]);
    let id = Uuid::new_v4();
    assert_eq!(holder.send(id, &holder.out_of_both()).await.phase, Phase::Sent);
    for _ in 0..2 {
        campus.clock.advance(120_000);
        campus.platform.drive_due_operations().await.unwrap();
        assert_eq!(holder.operation(id).await.phase, Phase::Confirming);
    }
    campus.clock.advance(120_000);
    campus.platform.drive_due_operations().await.unwrap();
    let end = holder.operation(id).await;
    assert_eq!(
        (end.phase, end.refusal.unwrap().reason),
        (Phase::Refused, RefusalReason::TimedOut)
    );
    assert_eq!(holder.balances().await, (10_000, 6_000));
}

#[tokio::test]
async fn an_order_that_was_lost_is_called_off_when_its_time_is_over() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let id = Uuid::new_v4();
    campus.bank.weather(&[Fault::LostBefore]);
    holder.send(id, &holder.out_of_both()).await;
    campus.clock.advance(120_000);
    campus.platform.drive_due_operations().await.unwrap();
    assert_eq!(holder.operation(id).await.phase, Phase::Refused);
    let called_off = OrderState::Refused {
        refusal: Refusal::of(RefusalReason::TimedOut),
    };
    assert_eq!(campus.bank.state(id), Some(called_off));
}

#[tokio::test]
async fn money_for_an_account_that_was_closed_meanwhile_goes_back() {
    let campus = TestPlatform::open().await;
    let mut holder = holder(&campus).await;
    let id = Uuid::new_v4();
    campus.bank.weather(&[Fault::LostAfter]);
    holder.send(id, &holder.out_of_both()).await;
    let closed: Result<()> = transact!(campus.platform.db().writer(), |tx| {
        sqlx::query("UPDATE ledger_account SET status = 'closed' WHERE public_id = $1")
            .bind(holder.account.to_string())
            .execute(tx)
            .await?;
        Ok(())
    });
    closed.unwrap();
    let refused = send(&holder.phone, Uuid::new_v4(), &holder.out_of_wallet(100)).await;
    assert_eq!(refused.problem().code, ProblemCode::AccountNotOpen);
    settle(&campus, &mut holder).await;
    let end = holder.operation(id).await;
    let phases: Vec<_> = end.steps.iter().map(|step| step.phase).collect();
    assert_eq!(
        phases,
        [Phase::Sent, Phase::Confirming, Phase::Paid, Phase::Refunded]
    );
    assert_eq!(end.refusal.unwrap().reason, RefusalReason::AccountUnusable);
    assert_eq!(holder.balances().await, (10_000, 6_000));
    assert_eq!(campus.bank.moved(id), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_requests_with_one_key_have_one_effect_and_one_reply() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let (id, request) = (Uuid::new_v4(), holder.out_of_both());
    let replies = join_all((0..200).map(|_| send(&holder.phone, id, &request))).await;
    let bodies: BTreeSet<_> = replies.iter().map(|reply| reply.body.clone()).collect();
    assert_eq!(bodies.len(), 1);
    assert_eq!(replies[0].ok::<Operation>().phase, Phase::Credited);
    assert_eq!(campus.bank.moved(id), 1);
    assert_eq!(holder.balances().await, (19_000, 2_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_that_come_at_once_pass_neither_the_wallet_nor_the_limit_of_the_day() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let request = holder.out_of_wallet(1_000);
    let replies = join_all((0..20).map(|_| send(&holder.phone, Uuid::new_v4(), &request))).await;
    let done = replies.iter().filter(|reply| reply.status.is_success()).count();
    assert_eq!(done, 6, "what is in the wallet");
    assert_eq!(holder.balances().await, (16_000, 0));
    let by_card = top_up_request(holder.account, 0, 30_030, 30, Some(holder.card));
    let replies = join_all((0..20).map(|_| send(&holder.phone, Uuid::new_v4(), &by_card))).await;
    let done = replies.iter().filter(|reply| reply.status.is_success()).count();
    assert_eq!(done, 3, "of 120,000 a day, 6,000 are used");
    check_books(&campus).await;
}

#[tokio::test]
async fn a_day_begins_at_midnight_in_the_schools_zone_and_counts_what_is_under_way() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let by_card = top_up_request(holder.account, 0, 40_040, 40, Some(holder.card));
    // START is 18:40 in Shanghai. Proofs and tokens do not last as long.
    let to_midnight = 1_795_017_600_000 - START.0;
    assert_eq!(to_midnight % 1_000, 0);
    campus.bank.weather(&[Fault::Clear, Fault::LostAfter]);
    for _ in 0..3 {
        holder.send(Uuid::new_v4(), &by_card).await;
    }
    let refused = send(&holder.phone, Uuid::new_v4(), &by_card).await.problem();
    assert_eq!(
        (refused.code, refused.amount),
        (ProblemCode::DayLimitReached, Some(Fen::ZERO))
    );
    let wallet: Wallet = holder.phone.get("/v1/wallet").await.ok();
    assert_eq!(wallet.limits.day_used, Fen::new(120_000));
    campus.clock.advance(to_midnight - 1);
    let phone = campus.bind("20260001").await;
    let refused = send(&phone, Uuid::new_v4(), &by_card).await.problem();
    assert_eq!(refused.code, ProblemCode::DayLimitReached);
    campus.clock.advance(1);
    assert!(send(&phone, Uuid::new_v4(), &by_card).await.status.is_success());
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let (account, card) = (holder.account, Some(holder.card));
    let top_up = |wallet, bank, fee, card| top_up_request(account, wallet, bank, fee, card);
    let recharge = |amount| OperationRequest::Recharge {
        amount: Fen::new(amount),
        card_id: holder.card,
        password: password(),
    };
    let unsealed = OperationRequest::Withdraw {
        amount: Fen::new(100),
        card_id: holder.card,
        password: yika_api::wallet::SealedField {
            kid: 1,
            bytes: b"123456".to_vec().into(),
        },
    };
    let apart = |wallet, bank, fee| OperationRequest::TopUp {
        account_id: account,
        amount: Fen::new(1_000),
        funding: Funding {
            wallet: Fen::new(wallet),
            bank: Fen::new(bank),
            card_id: card,
            fee: Fen::new(fee),
        },
        password: password(),
    };
    for (request, code) in [
        (apart(0, 0, i64::MIN), ProblemCode::FundingMismatch),
        (apart(i64::MAX, i64::MAX, 0), ProblemCode::FundingMismatch),
        (apart(i64::MIN, 0, i64::MAX), ProblemCode::FundingMismatch),
        (top_up(0, 0, 0, None), ProblemCode::AmountOutOfRange),
        (top_up(99, 0, 0, None), ProblemCode::AmountOutOfRange),
        (top_up(50_001, 0, 0, None), ProblemCode::AmountOutOfRange),
        (recharge(0), ProblemCode::AmountOutOfRange),
        (recharge(-5), ProblemCode::AmountOutOfRange),
        (recharge(i64::MAX), ProblemCode::AmountOutOfRange),
        (top_up(6_001, 0, 0, None), ProblemCode::InsufficientFunds),
        (top_up(0, 5_000, 0, card), ProblemCode::FundingMismatch),
        (top_up(0, 5_005, 5, None), ProblemCode::FundingMismatch),
        (top_up(1_000, 0, 0, card), ProblemCode::FundingMismatch),
        (top_up(-1_000, 5_005, 5, card), ProblemCode::FundingMismatch),
        (
            top_up(0, 5_005, 5, Some(Uuid::new_v4())),
            ProblemCode::CardNotBound,
        ),
        (
            top_up_request(Uuid::new_v4(), 1_000, 0, 0, None),
            ProblemCode::NotFound,
        ),
        (unsealed, ProblemCode::InvalidRequest),
    ] {
        let reply = send(&holder.phone, Uuid::new_v4(), &request).await;
        assert_eq!(reply.problem().code, code, "{request:?} {reply:?}");
    }
    assert_eq!(holder.balances().await, (10_000, 6_000));
    let page: OperationPage = holder.phone.get("/v1/operations").await.ok();
    assert_eq!(page.operations.len(), 1, "the recharge of the beginning");
}

#[tokio::test]
async fn an_id_with_other_content_or_of_somebody_else_is_a_conflict_and_shows_nothing() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let stranger = campus.bind("20260002").await;
    with_card(&stranger).await;
    let (id, request) = (Uuid::new_v4(), holder.out_of_wallet(100));
    holder.send(id, &request).await;
    for reply in [
        send(&holder.phone, id, &holder.out_of_wallet(101)).await,
        send(&stranger, id, &request).await,
    ] {
        assert_eq!(reply.problem().code, ProblemCode::IdempotencyConflict);
    }
    let seen = stranger.get(&format!("/v1/operations/{id}")).await;
    assert_eq!(seen.problem().code, ProblemCode::NotFound);
    assert_eq!(
        stranger.get("/v1/operations/x").await.problem().code,
        ProblemCode::InvalidRequest
    );
}

#[tokio::test]
async fn the_feed_shows_an_operation_again_when_it_changed() {
    let campus = TestPlatform::open().await;
    let mut holder = holder(&campus).await;
    let before: OperationPage = holder.phone.get("/v1/operations").await.ok();
    campus.bank.weather(&[Fault::LostAfter]);
    let id = Uuid::new_v4();
    holder.send(id, &holder.out_of_wallet(100)).await;
    let path = |page: &OperationPage| format!("/v1/operations?after={}", page.cursor);
    let then: OperationPage = holder.phone.get(&path(&before)).await.ok();
    assert_eq!(then.operations[0].phase, Phase::Confirming);
    settle(&campus, &mut holder).await;
    let phone = &holder.phone;
    let at_last: OperationPage = phone.get(&path(&then)).await.ok();
    assert_eq!((at_last.operations.len(), at_last.operations[0].id), (1, id));
    assert_eq!(at_last.operations[0].phase, Phase::Credited);
    assert!(at_last.operations[0].version > then.operations[0].version);
    let nothing: OperationPage = phone.get(&path(&at_last)).await.ok();
    assert!(nothing.operations.is_empty());
    for query in ["after=x", "limit=0", "limit=501"] {
        let reply = phone.get(&format!("/v1/operations?{query}")).await;
        assert_eq!(reply.problem().code, ProblemCode::InvalidRequest);
    }
}

#[tokio::test]
async fn another_server_ends_what_one_left_in_the_middle() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    campus.bank.weather(&[Fault::LostAfter]);
    let id = Uuid::new_v4();
    holder.send(id, &holder.out_of_both()).await;
    // As a server leaves it that died while it waited for the bank.
    let leased: Result<()> = transact!(campus.platform.db().writer(), |tx| {
        sqlx::query("UPDATE operation SET leased_until = $1 WHERE next <> 'rest'")
            .bind(campus.platform.now().plus_millis(60_000).0)
            .execute(tx)
            .await?;
        Ok(())
    });
    leased.unwrap();
    let next = campus.twin().await;
    campus.clock.advance(59_000);
    assert_eq!(
        next.platform.drive_due_operations().await.unwrap(),
        0,
        "the other may still be at it"
    );
    campus.clock.advance(1_000);
    assert_eq!(next.platform.drive_due_operations().await.unwrap(), 1);
    assert_eq!(holder.operation(id).await.phase, Phase::Credited);
    assert_eq!(campus.bank.moved(id), 1);
}

#[tokio::test]
async fn a_sealed_password_goes_with_the_operations_end() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let kept = async || {
        let mut reader = campus.platform.db().read().await.unwrap();
        let rows = sqlx::query("SELECT password FROM operation WHERE password IS NOT NULL")
            .fetch_all(&mut *reader)
            .await
            .unwrap();
        rows.iter()
            .map(|row| row.get::<Vec<u8>, _>(0))
            .collect::<Vec<_>>()
    };
    assert!(kept().await.is_empty());
    campus.bank.weather(&[Fault::LostBefore, Fault::Clear]);
    holder.send(Uuid::new_v4(), &holder.out_of_wallet(100)).await;
    assert_eq!(kept().await, [CANARY]);
    campus.clock.advance(1_000);
    campus.platform.drive_due_operations().await.unwrap();
    assert!(kept().await.is_empty());
    let [first, second] = [1, 2].map(|back| campus.bank.heard()[campus.bank.heard().len() - back].clone());
    let authority = Authority::Password { password: password() };
    assert_eq!(first.authority, authority, "sent again byte for byte");
    assert_ne!(first.id, second.id);
}
