//! Utility payments through the router, off a card account and by way of the bank, with a utility whose wire is bad.

use super::*;
use crate::ledger::{AccountKind, balance, school_account};
use crate::testing::text;
use crate::utilities::testing::bind_room;
use axum::http::Method;
use yika_api::operation::{Funding, OperationKind, UtilityPayment};
use yika_api::payment::PaymentKind;
use yika_api::utility::{BoundPlaceList, CreditState};

async fn place(holder: &Holder<'_>) -> Uuid {
    bind_room(&holder.phone).await.id
}

fn off_account(place_id: Uuid, account_id: Uuid, amount: i64) -> OperationRequest {
    OperationRequest::Utility {
        place_id,
        amount: Fen::new(amount),
        paid_by: UtilityPayment::Account {
            account_id,
            step_up: None,
        },
    }
}

fn out_of_wallet(place_id: Uuid, amount: i64) -> OperationRequest {
    OperationRequest::Utility {
        place_id,
        amount: Fen::new(amount),
        paid_by: UtilityPayment::Wallet {
            funding: Funding {
                wallet: Fen::new(amount),
                bank: Fen::ZERO,
                card_id: None,
                fee: Fen::ZERO,
            },
            password: password(),
        },
    }
}

async fn on(campus: &TestPlatform, kind: AccountKind) -> i64 {
    let mut reader = campus.platform.db().read().await.unwrap();
    let account = school_account(&mut reader, kind).await.unwrap();
    balance(&mut reader, account).await.unwrap().get()
}

fn phases(operation: &Operation) -> Vec<Phase> {
    operation.steps.iter().map(|step| step.phase).collect()
}

#[tokio::test]
async fn a_card_account_pays_at_once_and_the_bill_names_the_room() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let accounts: AccountList = phone.get("/v1/accounts").await.ok();
    let (account, place) = (accounts.accounts[0].id, bind_room(&phone).await.id);
    // Without a wallet: the bank has no part in it.
    let operation: Operation = send(&phone, Uuid::new_v4(), &off_account(place, account, 2_500))
        .await
        .ok();
    assert_eq!(phases(&operation), [Phase::Paid, Phase::Credited]);
    assert_eq!(
        (operation.kind, operation.place_id, operation.account_id),
        (OperationKind::Utility, Some(place), Some(account))
    );
    let bills: PaymentPage = phone.get("/v1/payments").await.ok();
    let bill = bills.payments.last().unwrap();
    assert_eq!((bill.kind, bill.amount), (PaymentKind::Utility, Fen::new(-2_500)));
    assert_eq!(bill.place, Some(text("三号楼402", "Building 3, room 402")));
    assert_eq!(bill.reference, operation.reference);
    let accounts: AccountList = phone.get("/v1/accounts").await.ok();
    assert_eq!(accounts.accounts[0].balance.amount, Fen::new(7_500));
    assert_eq!(campus.utility.credited(), 2_500);
    assert_eq!(on(&campus, AccountKind::Utility).await, 2_500);
    check_books(&campus).await;
}

#[tokio::test]
async fn a_wallet_pays_by_way_of_the_bank_and_then_the_room_is_credited() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let place = place(&holder).await;
    let operation = holder.send(Uuid::new_v4(), &out_of_wallet(place, 2_500)).await;
    assert_eq!(phases(&operation), [Phase::Sent, Phase::Paid, Phase::Credited]);
    assert_eq!(holder.balances().await, (10_000, 3_500));
    assert_eq!(on(&campus, AccountKind::Utility).await, 2_500);
    let wallet: Wallet = holder.phone.get("/v1/wallet").await.ok();
    assert_eq!(
        wallet.limits.day_used,
        Fen::new(2_500),
        "it counts as a top-up does"
    );
    check_books(&campus).await;
}

#[tokio::test]
async fn whatever_the_wire_does_a_room_is_credited_once_or_the_money_is_back() {
    use Fault::{Clear, Garbled, LostAfter, LostBefore, Pends, Refuses, Unreachable};
    let refuses = Refuses(RefusalReason::UtilityRefused);
    let campus = TestPlatform::open().await;
    let mut holder = holder(&campus).await;
    let place = place(&holder).await;
    let faults = [Clear, Unreachable, LostBefore, LostAfter, Garbled, Pends, refuses];
    for first in faults {
        for second in faults {
            for by_bank in [false, true] {
                let (before, id) = (holder.balances().await, Uuid::new_v4());
                let owed = on(&campus, AccountKind::Utility).await;
                campus.utility.weather(&[first, second]);
                let request = match by_bank {
                    true => out_of_wallet(place, 100),
                    false => off_account(place, holder.account, 100),
                };
                let reply = holder.send(id, &request).await;
                let what = format!("{first:?} {second:?} {by_bank} {:?}", reply.phase);
                check_books(&campus).await;
                settle(&campus, &mut holder).await;
                let end = holder.operation(id).await;
                assert!(end.phase.is_end(), "{what}: {:?}", end.phase);
                let moved = i64::from(campus.utility.moved(id));
                assert_eq!(moved, i64::from(end.phase == Phase::Credited), "{what}");
                let (card, wallet) = match by_bank {
                    true => (0, moved * 100),
                    false => (moved * 100, 0),
                };
                assert_eq!(
                    holder.balances().await,
                    (before.0 - card, before.1 - wallet),
                    "{what}"
                );
                if by_bank {
                    assert_eq!(i64::from(campus.bank.moved(id)), moved, "{what}");
                }
                assert_eq!(
                    on(&campus, AccountKind::Utility).await,
                    owed + moved * 100,
                    "{what}"
                );
                assert_eq!(holder.send(id, &request).await, end, "sent again");
                check_books(&campus).await;
            }
        }
        campus.clock.advance(86_400_000);
        holder.phone = campus.bind("20260001").await;
        recharge(&holder.phone, holder.card, 700).await;
    }
}

#[tokio::test]
async fn what_the_utility_refuses_is_refunded_with_its_reason() {
    let campus = TestPlatform::open().await;
    let mut holder = holder(&campus).await;
    let place = place(&holder).await;
    for request in [off_account(place, holder.account, 300), out_of_wallet(place, 300)] {
        campus
            .utility
            .weather(&[Fault::Refuses(RefusalReason::AccountUnusable)]);
        let id = Uuid::new_v4();
        holder.send(id, &request).await;
        settle(&campus, &mut holder).await;
        let end = holder.operation(id).await;
        assert_eq!(end.phase, Phase::Refunded);
        assert_eq!(end.refusal.unwrap().reason, RefusalReason::AccountUnusable);
        assert_eq!(holder.balances().await, (10_000, 6_000));
    }
    let bills: PaymentPage = holder.phone.get("/v1/payments").await.ok();
    let paid: Vec<_> = bills
        .payments
        .iter()
        .filter(|bill| bill.kind == PaymentKind::Utility)
        .map(|bill| bill.status)
        .collect();
    assert_eq!(paid, [PaymentStatus::Voided], "what the card had paid");
    assert_eq!(campus.bank.heard().len(), 2, "the recharge, and one order");
}

#[tokio::test]
async fn a_credit_that_was_lost_is_recalled_when_its_time_is_over() {
    let campus = TestPlatform::open().await;
    let mut holder = holder(&campus).await;
    let (place, id) = (place(&holder).await, Uuid::new_v4());
    campus.utility.weather(&[Fault::LostBefore]);
    let operation = holder.send(id, &off_account(place, holder.account, 300)).await;
    assert_eq!(operation.phase, Phase::Confirming);
    campus.clock.advance(120_000);
    campus.platform.drive_due_operations().await.unwrap();
    assert!(matches!(
        campus.utility.state(id),
        Some(CreditState::Refused { .. })
    ));
    settle(&campus, &mut holder).await;
    assert_eq!(holder.operation(id).await.phase, Phase::Refunded);
    assert_eq!(holder.balances().await, (10_000, 6_000));
}

#[tokio::test]
async fn what_the_bank_takes_back_from_a_credited_room_the_school_bears() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let (place, id) = (place(&holder).await, Uuid::new_v4());
    holder.send(id, &out_of_wallet(place, 300)).await;
    let reversed = || OrderState::Reversed {
        at: START,
        trace: "B9".to_owned(),
    };
    for _ in 0..2 {
        super::super::hear(&campus.platform, id, &reversed())
            .await
            .unwrap();
    }
    assert_eq!(holder.operation(id).await.phase, Phase::Refunded);
    assert_eq!(holder.balances().await, (10_000, 6_000));
    assert_eq!(on(&campus, AccountKind::Utility).await, 300);
    assert_eq!(on(&campus, AccountKind::SchoolRisk).await, -300);
    let books = campus.platform.admin().books().await.unwrap();
    assert_eq!(books.alarms.get("utility_unpaid"), Some(&1));
    check_books(&campus).await;
}

#[tokio::test]
async fn money_that_the_bank_takes_back_before_the_credit_is_known_costs_the_school_what_was_credited() {
    let campus = TestPlatform::open().await;
    let mut holder = holder(&campus).await;
    let place = place(&holder).await;
    for (fault, credited) in [(Fault::LostAfter, 300), (Fault::LostBefore, 0)] {
        let (id, owed) = (Uuid::new_v4(), on(&campus, AccountKind::Utility).await);
        let lost = on(&campus, AccountKind::SchoolRisk).await;
        campus.utility.weather(&[fault]);
        holder.send(id, &out_of_wallet(place, 300)).await;
        let reversed = OrderState::Reversed {
            at: START,
            trace: "B9".to_owned(),
        };
        super::super::hear(&campus.platform, id, &reversed).await.unwrap();
        settle(&campus, &mut holder).await;
        assert_eq!(holder.operation(id).await.phase, Phase::Refunded);
        assert_eq!(holder.balances().await, (10_000, 6_000));
        assert_eq!(on(&campus, AccountKind::Utility).await, owed + credited);
        assert_eq!(on(&campus, AccountKind::SchoolRisk).await, lost - credited);
        check_books(&campus).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_that_come_at_once_never_take_more_than_is_on_the_account() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let place = place(&holder).await;
    let request = off_account(place, holder.account, 3_000);
    let replies = join_all((0..10).map(|_| send(&holder.phone, Uuid::new_v4(), &request))).await;
    let done = replies.iter().filter(|reply| reply.status.is_success()).count();
    assert_eq!(done, 3, "of 10,000");
    let refused = replies.iter().find(|reply| !reply.status.is_success()).unwrap();
    assert_eq!(refused.problem().code, ProblemCode::InsufficientFunds);
    assert_eq!(holder.balances().await, (1_000, 6_000));
    let id = Uuid::new_v4();
    let request = off_account(place, holder.account, 500);
    let replies = join_all((0..50).map(|_| send(&holder.phone, id, &request))).await;
    let bodies: BTreeSet<_> = replies.iter().map(|reply| reply.body.clone()).collect();
    assert_eq!((bodies.len(), campus.utility.moved(id)), (1, 1));
    assert_eq!(holder.balances().await, (500, 6_000));
    check_books(&campus).await;
}

#[tokio::test]
async fn what_cannot_be_paid_is_refused_and_changes_nothing() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let stranger = campus.bind("20260002").await;
    let theirs: AccountList = stranger.get("/v1/accounts").await.ok();
    let their_place = bind_room(&stranger).await.id;
    let (account, place) = (holder.account, place(&holder).await);
    for (request, code) in [
        (off_account(place, account, 0), ProblemCode::AmountOutOfRange),
        (off_account(place, account, -100), ProblemCode::AmountOutOfRange),
        (
            off_account(place, account, i64::MIN),
            ProblemCode::AmountOutOfRange,
        ),
        (
            off_account(place, account, i64::MAX),
            ProblemCode::AmountOutOfRange,
        ),
        (out_of_wallet(place, 50_001), ProblemCode::AmountOutOfRange),
        (
            off_account(place, account, 10_001),
            ProblemCode::InsufficientFunds,
        ),
        (out_of_wallet(place, 6_001), ProblemCode::InsufficientFunds),
        (
            off_account(place, theirs.accounts[0].id, 100),
            ProblemCode::NotFound,
        ),
        (off_account(their_place, account, 100), ProblemCode::NotFound),
        (out_of_wallet(their_place, 100), ProblemCode::NotFound),
        (off_account(Uuid::new_v4(), account, 100), ProblemCode::NotFound),
    ] {
        let reply = send(&holder.phone, Uuid::new_v4(), &request).await;
        assert_eq!(reply.problem().code, code, "{request:?} {reply:?}");
    }
    let without = send(&stranger, Uuid::new_v4(), &out_of_wallet(their_place, 100)).await;
    assert_eq!(without.problem().code, ProblemCode::WalletNotOpen);
    assert_eq!(holder.balances().await, (10_000, 6_000));
    assert_eq!(campus.utility.credited(), 0);
}

#[tokio::test]
async fn a_frozen_card_a_frozen_account_and_an_ended_session_pay_nothing() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let place = place(&holder).await;
    let request = off_account(place, holder.account, 100);
    campus.platform.admin().suspend("20260001").await.unwrap();
    let reply = send(&holder.phone, Uuid::new_v4(), &request).await;
    assert_eq!(reply.problem().code, ProblemCode::CardFrozen);
    campus.platform.admin().undo_suspension("20260001").await.unwrap();
    let admin = campus.platform.admin();
    admin.freeze_account("20260001", 1, true).await.unwrap();
    let reply = send(&holder.phone, Uuid::new_v4(), &request).await;
    assert_eq!(reply.problem().code, ProblemCode::AccountNotOpen);
    campus.clock.advance(86_400_000);
    let reply = send(&holder.phone, Uuid::new_v4(), &request).await;
    assert_eq!(reply.problem().code, ProblemCode::SessionExpired);
    assert_eq!(campus.utility.credited(), 0);
}

#[tokio::test]
async fn a_place_that_is_forgotten_meanwhile_still_gets_what_was_paid() {
    let campus = TestPlatform::open().await;
    let mut holder = holder(&campus).await;
    let (place, id) = (place(&holder).await, Uuid::new_v4());
    campus.utility.weather(&[Fault::LostBefore]);
    holder.send(id, &off_account(place, holder.account, 300)).await;
    let path = format!("/v1/utilities/places/{place}");
    let left: BoundPlaceList = holder
        .phone
        .named((Method::DELETE, &path), Uuid::new_v4(), &())
        .await
        .ok();
    assert_eq!(left.places, []);
    campus.clock.advance(1_000);
    campus.platform.drive_due_operations().await.unwrap();
    settle(&campus, &mut holder).await;
    assert_eq!(holder.operation(id).await.phase, Phase::Credited);
    assert_eq!(campus.utility.credited(), 300);
    let again = send(
        &holder.phone,
        Uuid::new_v4(),
        &off_account(place, holder.account, 300),
    )
    .await;
    assert_eq!(again.problem().code, ProblemCode::NotFound);
}
