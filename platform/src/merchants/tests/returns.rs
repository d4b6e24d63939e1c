//! Money that goes back: once, never more than was paid, and seen beside the payment by who paid it.

use super::*;
use crate::disputes::DisputeView;
use yika_api::dispute::{Dispute, DisputePhase, DisputeReason, OpenDispute};
use yika_api::merchant::StallPaymentStatus;
use yika_api::payment::{Payment, PaymentKind, PaymentPage, PaymentStatus};
use yika_api::terminal::SaleResult;
use yika_format::lists::Revocations;
use yika_format::sale::SaleKind;

/// The student's bills, in the order of their changes.
async fn bills(world: &World<'_>) -> Vec<Payment> {
    let phone = world.campus.bind(STUDENT).await;
    let page: PaymentPage = phone.get("/v1/payments?limit=500").await.ok();
    page.payments
}

#[tokio::test]
async fn a_refund_happens_once_and_never_gives_back_more_than_was_paid() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let sale = world.pay(1_200).await;
    let owner = world.as_owner().await;
    let key = Uuid::new_v4();
    let first = refund(&owner, 1, sale.id, key, 1_000).await;
    let told: StallPayment = first.ok();
    assert_eq!((told.refunded, told.amount), (Fen::new(1_000), Fen::new(1_200)));
    assert_eq!(refund(&owner, 1, sale.id, key, 1_000).await.body, first.body);
    let changed = refund(&owner, 1, sale.id, key, 100).await;
    assert_eq!(code(&changed), ProblemCode::IdempotencyConflict);
    for amount in [0, -1, 201, i64::MAX, i64::MIN] {
        let refused = refund(&owner, 1, sale.id, Uuid::new_v4(), amount).await.problem();
        assert_eq!(
            (refused.code, refused.amount),
            (ProblemCode::AmountOutOfRange, Some(Fen::new(200))),
            "{amount}"
        );
    }
    let _whole: StallPayment = refund(&owner, 1, sale.id, Uuid::new_v4(), 200).await.ok();
    let more = refund(&owner, 1, sale.id, Uuid::new_v4(), 1).await;
    assert_eq!(code(&more), ProblemCode::NotRefundable);
    assert_eq!(
        code(&void(&owner, 1, sale.id, Uuid::new_v4()).await),
        ProblemCode::NotVoidable
    );
    assert_eq!(world.earned().await, 0);
    let bills = bills(&world).await;
    let refunds: Vec<_> = bills
        .iter()
        .filter(|bill| bill.refund_of == Some(sale.id))
        .map(|bill| (bill.kind, bill.amount.get()))
        .collect();
    assert_eq!(
        refunds,
        [(PaymentKind::Refund, 1_000), (PaymentKind::Refund, 200)]
    );
    let income = world.income("").await;
    assert_eq!((income.total.refunds.count, income.total.income), (2, Fen::ZERO));
    let events = campus.platform.admin().merchant_events(STALL).await.unwrap();
    let refunds: Vec<_> = events.iter().filter(|event| event.what == "refunded").collect();
    assert_eq!(refunds.len(), 2);
    assert_eq!(
        (refunds[0].by.as_deref(), refunds[0].amount),
        (Some(OWNER), Some(Fen::new(1_000)))
    );
    world.check().await;
}

#[tokio::test]
async fn a_refund_cannot_be_refunded_and_a_reason_is_short() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let sale = world.pay(1_200).await;
    let owner = world.as_owner().await;
    let _part: StallPayment = refund(&owner, 1, sale.id, Uuid::new_v4(), 100).await.ok();
    let page = world.payments("").await;
    let back = page
        .payments
        .iter()
        .find(|line| line.refund_of == Some(sale.id))
        .unwrap();
    assert_eq!(
        (back.kind, back.income, back.terminal),
        (PaymentKind::Refund, Fen::new(-100), sale.terminal)
    );
    for refused in [
        refund(&owner, 1, back.id, Uuid::new_v4(), 1).await,
        void(&owner, 1, back.id, Uuid::new_v4()).await,
    ] {
        assert_eq!(code(&refused), ProblemCode::NotFound);
    }
    let path = format!("/v1/merchants/1/payments/{}/refund", sale.id);
    for reason in ["长".repeat(201), "a\0b".to_owned()] {
        let body = json!({ "amount": 1, "reason": reason });
        let reply = owner.named((Method::POST, &path), Uuid::new_v4(), &body).await;
        assert_eq!(code(&reply), ProblemCode::InvalidRequest);
    }
}

#[tokio::test]
async fn a_void_takes_the_last_sale_of_a_till_back_as_if_it_had_not_been() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let (older, newer) = (world.pay(700).await, world.pay(1_200).await);
    let cashier = campus.bind(CASHIER).await;
    assert_eq!(
        code(&void(&cashier, 1, older.id, Uuid::new_v4()).await),
        ProblemCode::NotVoidable
    );
    let key = Uuid::new_v4();
    let first = void(&cashier, 1, newer.id, key).await;
    let told: StallPayment = first.ok();
    assert_eq!(
        (told.status, told.income),
        (StallPaymentStatus::Voided, Fen::ZERO)
    );
    assert_eq!(void(&cashier, 1, newer.id, key).await.body, first.body);
    for again in [
        void(&cashier, 1, newer.id, Uuid::new_v4()).await,
        void(&cashier, 1, older.id, Uuid::new_v4()).await,
    ] {
        assert_eq!(code(&again), ProblemCode::NotVoidable);
    }
    let owner = world.as_owner().await;
    let refused = refund(&owner, 1, newer.id, Uuid::new_v4(), 1).await;
    assert_eq!(code(&refused), ProblemCode::NotRefundable);
    // The till takes it back too, which it may not know of: once is enough.
    let twice = world.till.record(SaleKind::Void { sequence: 2 }, 1_200);
    let reply = world.settle(&[twice]).await;
    assert_eq!(reply.outcomes[0].result, SaleResult::Refused);
    assert_eq!(world.earned().await, 700);
    let bill = bills(&world)
        .await
        .into_iter()
        .find(|bill| bill.id == newer.id)
        .unwrap();
    assert_eq!(bill.status, PaymentStatus::Voided);
    let income = world.income("").await.total;
    assert_eq!(
        (income.sales.count, income.voids.count, income.unpaid.count),
        (2, 1, 0)
    );
    assert_eq!(income.income, Fen::new(700));
    world.check().await;
}

#[tokio::test]
async fn what_is_long_ago_is_refunded_and_not_voided() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let sale = world.pay(700).await;
    campus.clock.advance(30 * 60_000);
    let owner = world.as_owner().await;
    campus.clock.advance(1);
    assert_eq!(
        code(&void(&owner, 1, sale.id, Uuid::new_v4()).await),
        ProblemCode::NotVoidable
    );
    let _back: StallPayment = refund(&owner, 1, sale.id, Uuid::new_v4(), 700).await.ok();
}

#[tokio::test]
async fn what_the_school_paid_is_shown_and_nobodys_to_give_back() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let list = world.till.get("/v1/terminals/revocations").await.body;
    let list = Revocations::open(&list, &campus.keyset()).unwrap();
    world.till.revocations_version = list.header().version;
    campus.clock.advance(60_000);
    campus.platform.admin().revoke(STUDENT).await.unwrap();
    campus.clock.advance(60_000);
    let sale = world.sell(500);
    let reply = world.settle(&[sale]).await;
    assert_eq!(reply.outcomes[0].result, SaleResult::PaidBySchool);
    let page = world.payments("").await;
    let line = &page.payments[0];
    assert_eq!(
        (line.status, line.amount, line.income, page.payments.len()),
        (StallPaymentStatus::PaidBySchool, Fen::new(500), Fen::new(500), 1)
    );
    let owner = world.as_owner().await;
    for refused in [
        refund(&owner, 1, line.id, Uuid::new_v4(), 1).await,
        void(&owner, 1, line.id, Uuid::new_v4()).await,
    ] {
        assert_eq!(code(&refused), ProblemCode::NotFound);
    }
    // Its till may take it back.
    let back = world.till.record(SaleKind::Void { sequence: 1 }, 500);
    assert_eq!(world.settle(&[back]).await.outcomes[0].result, SaleResult::Voided);
    assert_eq!(world.payments("").await.payments[0].income, Fen::ZERO);
    assert_eq!(world.income("").await.total.income, Fen::ZERO);
    world.check().await;
}

#[tokio::test]
async fn what_is_disputed_is_said_and_ends_with_the_last_fen() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let sale = world.pay(1_200).await;
    let student = campus.bind(STUDENT).await;
    let path = format!("/v1/payments/{}/disputes", sale.id);
    let request = OpenDispute {
        reason: DisputeReason::Twice,
        text: String::new(),
    };
    let dispute: Dispute = student
        .named((Method::POST, &path), Uuid::new_v4(), &request)
        .await
        .ok();
    let income = world.income("").await;
    assert_eq!(
        (income.disputed.count, income.disputed.amount),
        (1, Fen::new(1_200))
    );
    assert!(world.payments("").await.payments[0].is_disputed);
    let owner = world.as_owner().await;
    let part: StallPayment = refund(&owner, 1, sale.id, Uuid::new_v4(), 500).await.ok();
    assert!(part.is_disputed);
    assert_eq!(world.income("").await.disputed.amount, Fen::new(700));
    let rest: StallPayment = refund(&owner, 1, sale.id, Uuid::new_v4(), 700).await.ok();
    assert!(!rest.is_disputed);
    assert_eq!(world.income("").await.disputed.count, 0);
    let bill = bills(&world)
        .await
        .into_iter()
        .find(|bill| bill.id == sale.id)
        .unwrap();
    let ended = bill.dispute.unwrap();
    assert_eq!(
        (ended.id, ended.phase, ended.refunded),
        (dispute.id, DisputePhase::Refunded, Fen::new(700))
    );
    let left: Vec<DisputeView> = campus.platform.admin().disputes().await.unwrap();
    assert!(left.is_empty());
    world.check().await;
}
