//! Disputes and refunds through the router and the card office, of payments that a terminal settled.

use crate::Error;
use crate::testing::{TestPhone, TestPlatform, TestTerminal, short};
use axum::http::Method;
use proptest::prelude::*;
use uuid::Uuid;
use yika_api::account::AccountList;
use yika_api::dispute::{Dispute, DisputeList, DisputePhase, DisputeReason, OpenDispute};
use yika_api::payment::{Payment, PaymentKind, PaymentPage, PaymentStatus};
use yika_api::terminal::{SaleResult, TerminalKind};
use yika_api::{Fen, ProblemCode};
use yika_format::credential::Credential;
use yika_format::sale::SaleKind;

const STUDENT: &str = "20260001";
const OPENING: i64 = 10_000;

/// A holder with a credential, and a till that takes payments.
struct World<'a> {
    campus: &'a TestPlatform,
    phone: TestPhone<'a>,
    credential: Credential,
    till: TestTerminal<'a>,
    counter: u16,
}

impl<'a> World<'a> {
    async fn new(campus: &'a TestPlatform) -> Self {
        let phone = campus.bind(STUDENT).await;
        Self {
            campus,
            credential: phone.enrol().await,
            phone,
            till: campus.terminal(TerminalKind::Pos).await,
            counter: 0,
        }
    }

    async fn pay(&mut self, amount: u64) -> Payment {
        self.counter += 1;
        let code = short(&self.phone.code(&self.credential, self.counter));
        let sale = self.till.sale(code, amount);
        self.till.settle(&[sale]).await;
        self.bills().await.pop().unwrap()
    }

    /// The bills, in the order of their changes.
    async fn bills(&self) -> Vec<Payment> {
        let page: PaymentPage = self.phone.get("/v1/payments?limit=500").await.ok();
        page.payments
    }

    async fn bill(&self, id: Uuid) -> Payment {
        let bills = self.bills().await;
        bills.into_iter().find(|bill| bill.id == id).unwrap()
    }

    async fn dispute(&self, payment: Uuid) -> Dispute {
        open(&self.phone, payment, Uuid::new_v4(), &request()).await.ok()
    }

    /// Balance and what is pending, of the account that paid; the bills make up the balance.
    async fn balance(&self) -> (i64, i64) {
        let list: AccountList = self.phone.get("/v1/accounts").await.ok();
        let account = &list.accounts[0];
        let bills = self.bills().await;
        let posted = bills
            .iter()
            .filter(|bill| bill.account_id == account.id && bill.status == PaymentStatus::Posted);
        let sum: i64 = posted.map(|bill| bill.amount.get()).sum();
        assert_eq!(sum, account.balance.amount.get(), "what the bills say");
        (sum, account.balance.pending.get())
    }

    async fn earned(&self) -> i64 {
        let books = self.campus.platform.admin().books().await.unwrap();
        assert_eq!(books.grand_sum, Fen::ZERO);
        assert!(books.accounts.iter().all(|total| total.sum == total.postings));
        let merchants = self.campus.platform.admin().merchants().await.unwrap();
        merchants[0].earned.get()
    }
}

fn request() -> OpenDispute {
    OpenDispute {
        reason: DisputeReason::WrongAmount,
        text: "一份米饭，扣了两份的钱".to_owned(),
    }
}

async fn open(
    phone: &TestPhone<'_>,
    payment: Uuid,
    key: Uuid,
    request: &OpenDispute,
) -> crate::testing::Reply {
    let path = format!("/v1/payments/{payment}/disputes");
    phone.named((Method::POST, &path), key, request).await
}

async fn withdraw(phone: &TestPhone<'_>, dispute: Uuid, key: Uuid) -> crate::testing::Reply {
    let path = format!("/v1/disputes/{dispute}/withdraw");
    phone.named((Method::POST, &path), key, &()).await
}

fn code(outcome: Result<(), Error>) -> ProblemCode {
    outcome.unwrap_err().code()
}

#[tokio::test]
async fn a_dispute_shows_in_the_feed_in_the_list_and_as_pending() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let (payment, other) = (world.pay(1_200).await, world.pay(300).await);
    assert_eq!(world.balance().await, (OPENING - 1_500, 0));
    let dispute = world.dispute(payment.id).await;
    assert_eq!(
        (dispute.phase, dispute.payment_id, &dispute.text),
        (DisputePhase::Open, payment.id, &request().text)
    );
    let bills = world.bills().await;
    let newest = bills.last().unwrap();
    assert_eq!(
        (newest.id, &newest.dispute),
        (payment.id, &Some(dispute.clone())),
        "it appears again"
    );
    assert_eq!(world.bill(other.id).await.dispute, None);
    assert_eq!(world.balance().await, (OPENING - 1_500, 1_200));
    let list: DisputeList = world.phone.get("/v1/disputes").await.ok();
    assert_eq!(list.disputes, [dispute]);
}

#[tokio::test]
async fn the_card_office_looks_and_gives_back_a_part_off_the_merchant() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    let mut world = World::new(&campus).await;
    let payment = world.pay(1_200).await;
    let dispute = world.dispute(payment.id).await;
    let to_decide = admin.disputes().await.unwrap();
    assert_eq!(
        (to_decide.len(), to_decide[0].number.as_str(), to_decide[0].amount),
        (1, STUDENT, Fen::new(1_200))
    );
    admin.review_dispute(dispute.id).await.unwrap();
    let phase = world.bill(payment.id).await.dispute.unwrap().phase;
    assert_eq!(phase, DisputePhase::Review);
    let amount = Some(Fen::new(500));
    admin
        .refund_dispute(dispute.id, amount, Some("已核实"))
        .await
        .unwrap();
    let after = world.bill(payment.id).await;
    let decided = after.dispute.unwrap();
    assert_eq!(
        (decided.phase, decided.refunded, decided.reply.as_deref()),
        (DisputePhase::Refunded, Fen::new(500), Some("已核实"))
    );
    assert_eq!(after.refunded, Fen::new(500));
    let bills = world.bills().await;
    let refund = bills
        .iter()
        .find(|bill| bill.kind == PaymentKind::Refund)
        .unwrap();
    assert_eq!(
        (refund.refund_of, refund.amount, &refund.merchant),
        (Some(payment.id), Fen::new(500), &payment.merchant)
    );
    assert_eq!(world.balance().await, (OPENING - 700, 0));
    assert_eq!(world.earned().await, 700);
    assert!(admin.disputes().await.unwrap().is_empty());
    for outcome in [
        admin.refund_dispute(dispute.id, None, None).await,
        admin.refuse_dispute(dispute.id, "no").await,
        admin.review_dispute(dispute.id).await,
    ] {
        assert_eq!(code(outcome), ProblemCode::DisputeEnded);
    }
    assert_eq!(world.balance().await, (OPENING - 700, 0), "given back once");
}

#[tokio::test]
async fn what_is_refused_has_a_reply_and_moves_nothing() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    let mut world = World::new(&campus).await;
    let payment = world.pay(1_200).await;
    let dispute = world.dispute(payment.id).await;
    for reply in ["", "  ", &"长".repeat(501)] {
        let refused = admin.refuse_dispute(dispute.id, reply).await;
        assert_eq!(code(refused), ProblemCode::InvalidRequest);
    }
    admin.refuse_dispute(dispute.id, "小票与扣款一致").await.unwrap();
    let decided = world.bill(payment.id).await.dispute.unwrap();
    assert_eq!(
        (decided.phase, decided.reply.as_deref()),
        (DisputePhase::Refused, Some("小票与扣款一致"))
    );
    assert_eq!(world.balance().await, (OPENING - 1_200, 0));
    assert_eq!(world.earned().await, 1_200);
    let again = world.dispute(payment.id).await;
    assert_ne!(again.id, dispute.id, "who has more to say may open another");
    let list: DisputeList = world.phone.get("/v1/disputes").await.ok();
    assert_eq!(list.disputes.len(), 2);
}

#[tokio::test]
async fn a_request_sent_again_has_one_effect_and_one_dispute_is_live() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let payment = world.pay(1_200).await;
    let key = Uuid::new_v4();
    let first = open(&world.phone, payment.id, key, &request()).await;
    let dispute: Dispute = first.ok();
    assert_eq!(
        open(&world.phone, payment.id, key, &request()).await.body,
        first.body
    );
    let changed = OpenDispute {
        reason: DisputeReason::NotMe,
        ..request()
    };
    let conflict = open(&world.phone, payment.id, key, &changed).await;
    assert_eq!(conflict.problem().code, ProblemCode::IdempotencyConflict);
    let second = open(&world.phone, payment.id, Uuid::new_v4(), &request()).await;
    assert_eq!(second.problem().code, ProblemCode::DisputeUnderWay);
    let key = Uuid::new_v4();
    for _ in 0..2 {
        let taken_back: Dispute = withdraw(&world.phone, dispute.id, key).await.ok();
        assert_eq!(taken_back.phase, DisputePhase::Withdrawn);
    }
    let twice = withdraw(&world.phone, dispute.id, Uuid::new_v4()).await;
    assert_eq!(twice.problem().code, ProblemCode::DisputeEnded);
    let office = campus
        .platform
        .admin()
        .refund_dispute(dispute.id, None, None)
        .await;
    assert_eq!(code(office), ProblemCode::DisputeEnded);
    assert_eq!(world.balance().await, (OPENING - 1_200, 0));
}

#[tokio::test]
async fn what_is_no_payment_at_a_merchant_or_somebody_elses_cannot_be_disputed() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let deposit = world.bills().await[0].id;
    let payment = world.pay(1_200).await;
    let stranger = campus.bind("20260002").await;
    for (phone, payment, expected) in [
        (&world.phone, deposit, ProblemCode::NotDisputable),
        (&world.phone, Uuid::new_v4(), ProblemCode::NotFound),
        (&stranger, payment.id, ProblemCode::NotFound),
    ] {
        let reply = open(phone, payment, Uuid::new_v4(), &request()).await;
        assert_eq!(reply.problem().code, expected);
    }
    let dispute = world.dispute(payment.id).await;
    let theirs = withdraw(&stranger, dispute.id, Uuid::new_v4()).await;
    assert_eq!(theirs.problem().code, ProblemCode::NotFound);
    let list: DisputeList = stranger.get("/v1/disputes").await.ok();
    assert!(list.disputes.is_empty());
    campus.clock.advance(86_400_000);
    let late = withdraw(&world.phone, dispute.id, Uuid::new_v4()).await;
    assert_eq!(late.problem().code, ProblemCode::SessionExpired);
}

#[tokio::test]
async fn texts_are_short_and_other_reasons_need_one() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let payment = world.pay(1_200).await;
    let with = |reason, text: &str| OpenDispute {
        reason,
        text: text.to_owned(),
    };
    for request in [
        with(DisputeReason::Other, ""),
        with(DisputeReason::Other, " \n"),
        with(DisputeReason::Twice, &"长".repeat(501)),
        with(DisputeReason::Twice, "a\0b"),
    ] {
        let reply = open(&world.phone, payment.id, Uuid::new_v4(), &request).await;
        assert_eq!(reply.problem().code, ProblemCode::InvalidRequest);
    }
    let most = with(DisputeReason::Twice, &"长".repeat(500));
    let reply = open(&world.phone, payment.id, Uuid::new_v4(), &most).await;
    assert_eq!(reply.ok::<Dispute>().text.chars().count(), 500);
}

#[tokio::test]
async fn a_frozen_holder_may_say_that_somebody_else_paid() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let payment = world.pay(1_200).await;
    campus.platform.admin().suspend(STUDENT).await.unwrap();
    let not_me = OpenDispute {
        reason: DisputeReason::NotMe,
        text: String::new(),
    };
    let reply = open(&world.phone, payment.id, Uuid::new_v4(), &not_me).await;
    assert_eq!(reply.ok::<Dispute>().reason, DisputeReason::NotMe);
}

#[tokio::test]
async fn a_refund_of_the_office_happens_once_and_never_gives_back_more_than_was_paid() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    let mut world = World::new(&campus).await;
    let payment = world.pay(1_200).await;
    let id = Uuid::new_v4();
    for _ in 0..3 {
        admin
            .refund_payment(id, payment.id, Fen::new(1_000))
            .await
            .unwrap();
    }
    assert_eq!(world.balance().await, (OPENING - 200, 0));
    let other = admin.refund_payment(id, payment.id, Fen::new(100)).await;
    assert_eq!(code(other), ProblemCode::IdempotencyConflict);
    for amount in [0, -1, 201, i64::MAX, i64::MIN] {
        let refused = admin
            .refund_payment(Uuid::new_v4(), payment.id, Fen::new(amount))
            .await;
        assert_eq!(code(refused), ProblemCode::AmountOutOfRange, "{amount}");
    }
    admin
        .refund_payment(Uuid::new_v4(), payment.id, Fen::new(200))
        .await
        .unwrap();
    for payment in [payment.id, id] {
        let refused = admin.refund_payment(Uuid::new_v4(), payment, Fen::new(1)).await;
        assert!(refused.is_err(), "back as a whole, or a refund itself");
    }
    assert_eq!(world.balance().await, (OPENING, 0));
    assert_eq!(world.earned().await, 0);
    let closed = open(&world.phone, payment.id, Uuid::new_v4(), &request()).await;
    assert_eq!(closed.problem().code, ProblemCode::NotDisputable);
}

#[tokio::test]
async fn a_refund_pays_what_the_holder_owes_first() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    let mut world = World::new(&campus).await;
    admin.set_balance(STUDENT, 1, Fen::new(300)).await.unwrap();
    let payment = world.pay(500).await;
    admin
        .refund_payment(Uuid::new_v4(), payment.id, Fen::new(400))
        .await
        .unwrap();
    let list: AccountList = world.phone.get("/v1/accounts").await.ok();
    assert_eq!(list.accounts[0].balance.amount, Fen::new(200));
    let books = admin.books().await.unwrap();
    let owed = books.accounts.iter().find(|total| total.kind == "receivable");
    assert_eq!(owed.unwrap().sum, Fen::ZERO);
    assert_eq!(world.earned().await, 100);
}

#[tokio::test]
async fn a_void_ends_the_dispute_and_what_was_given_back_cannot_be_voided() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let (voided, refunded) = (world.pay(1_200).await, world.pay(700).await);
    let dispute = world.dispute(voided.id).await;
    campus
        .platform
        .admin()
        .refund_payment(Uuid::new_v4(), refunded.id, Fen::new(100))
        .await
        .unwrap();
    let voids = [(1, 1_200), (2, 700)]
        .map(|(sequence, amount)| world.till.record(SaleKind::Void { sequence }, amount));
    let reply = world.till.settle(&voids).await;
    let results: Vec<_> = reply.outcomes.iter().map(|outcome| outcome.result).collect();
    assert_eq!(results, [SaleResult::Voided, SaleResult::Refused]);
    let bill = world.bill(voided.id).await;
    let ended = bill.dispute.unwrap();
    assert_eq!(
        (bill.status, ended.id, ended.phase, ended.refunded),
        (
            PaymentStatus::Voided,
            dispute.id,
            DisputePhase::Refunded,
            Fen::new(1_200)
        )
    );
    assert_eq!(world.balance().await, (OPENING - 600, 0));
    assert_eq!(world.earned().await, 600);
    let refused = campus
        .platform
        .admin()
        .refund_payment(Uuid::new_v4(), voided.id, Fen::new(1))
        .await;
    assert_eq!(code(refused), ProblemCode::NotDisputable);
}

/// What somebody does about one of two payments.
#[derive(Clone, Copy, Debug)]
enum Act {
    Open,
    Withdraw,
    Review,
    Refuse,
    Refund(i64),
    RefundDispute(Option<i64>),
    Void,
}

fn act() -> impl Strategy<Value = Act> {
    let amount = -50_i64..1_500;
    prop_oneof![
        3 => Just(Act::Open),
        1 => Just(Act::Withdraw),
        1 => Just(Act::Review),
        1 => Just(Act::Refuse),
        1 => amount.clone().prop_map(Act::Refund),
        1 => prop::option::of(amount).prop_map(Act::RefundDispute),
        1 => Just(Act::Void),
    ]
}

/// Does it, or is refused; either way the books hold.
async fn perform(world: &mut World<'_>, paid: &[(Payment, u64)], which: usize, act: Act) {
    let admin = world.campus.platform.admin();
    let (payment, sequence) = &paid[which];
    let dispute = world.bill(payment.id).await.dispute.map(|dispute| dispute.id);
    let dispute = dispute.unwrap_or_default();
    let _refused_or_not = match act {
        Act::Open => {
            open(&world.phone, payment.id, Uuid::new_v4(), &request()).await;
            Ok(())
        }
        Act::Withdraw => {
            withdraw(&world.phone, dispute, Uuid::new_v4()).await;
            Ok(())
        }
        Act::Review => admin.review_dispute(dispute).await,
        Act::Refuse => admin.refuse_dispute(dispute, "no").await,
        Act::Refund(amount) => {
            admin
                .refund_payment(Uuid::new_v4(), payment.id, Fen::new(amount))
                .await
        }
        Act::RefundDispute(amount) => admin.refund_dispute(dispute, amount.map(Fen::new), None).await,
        Act::Void => {
            let sequence = *sequence;
            let void = world
                .till
                .record(SaleKind::Void { sequence }, payment.amount.get().unsigned_abs());
            world.till.settle(&[void]).await;
            Ok(())
        }
    };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_about_payments_they_are_given_back_at_most_once(
        acts in prop::collection::vec((0_usize..2, act()), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let campus = TestPlatform::open().await;
            let mut world = World::new(&campus).await;
            let paid = [(world.pay(1_200).await, 1), (world.pay(700).await, 2)];
            for (which, act) in acts {
                perform(&mut world, &paid, which, act).await;
                let (balance, pending) = world.balance().await;
                let earned = world.earned().await;
                assert_eq!(balance + earned, OPENING, "what one has the other has not");
                let (mut kept, mut live) = (0, 0);
                for (payment, _) in &paid {
                    let bill = world.bill(payment.id).await;
                    let left = bill.amount.get() + bill.refunded.get();
                    assert!(left <= 0 && !bill.refunded.is_negative());
                    let is_live = bill.dispute.is_some_and(|dispute| dispute.phase.is_live());
                    if bill.status == PaymentStatus::Posted {
                        kept -= left;
                        live -= i64::from(is_live) * left;
                    } else {
                        assert!(!is_live && bill.refunded == Fen::ZERO);
                    }
                }
                assert_eq!((kept, live), (earned, pending));
            }
        });
    }
}
