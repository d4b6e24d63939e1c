//! Operations over bad networks, deaths and doubled presses: each is one, and none is lost.

use super::*;
use crate::CampusCard;
use crate::approvals::StepUp;
use crate::testing::money::{CARD, PASSWORD};
use crate::testing::platform::{Fault, MAIN};
use crate::testing::{TestPhone, block_on, id_token};
use crate::wallet::InputField;
use std::fs;
use yika_api::operation::Phase as Told;
use yika_api::session::TokenErrorCode;
use yika_api::{Fen, ProblemCode};

const START_OPERATION: &str = "POST /v1/operations";

fn rich() -> (TestPhone, CampusCard) {
    let phone = TestPhone::new();
    phone.platform.campus().money.offered = true;
    let card = phone.bound();
    (phone, card)
}

fn password(digits: &str) -> Option<StepUp> {
    let password = PaymentPassword::new(Zeroizing::new(digits.to_owned())).unwrap();
    Some(StepUp::Password { password })
}

fn plan(card: &CampusCard, amount: i64) -> Plan {
    let amount = TopUpAmount::Exactly {
        amount: Fen::new(amount),
    };
    block_on(
        card.operations()
            .plan_top_up(MAIN, amount, TopUpSource::default()),
    )
    .unwrap()
}

fn confirm(card: &CampusCard, plan: &Plan) -> Operation {
    block_on(card.operations().confirm(*plan, password(PASSWORD))).unwrap()
}

fn all(card: &CampusCard) -> Vec<Operation> {
    block_on(card.operations().page(None, 100)).unwrap().operations
}

fn phases(operation: &Operation) -> Vec<Phase> {
    operation.steps.iter().map(|step| step.phase).collect()
}

/// No answer reaches the phone for so many tries.
fn lose(phone: &TestPhone, fault: &Fault, times: usize) {
    for _ in 0..times {
        phone.platform.fail(START_OPERATION, fault.clone());
    }
}

fn reason<T: std::fmt::Debug>(result: Result<T, CoreError>) -> MoneyReason {
    match result {
        Err(CoreError::Money { refusal }) => refusal.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_top_up_is_credited_and_the_wallet_is_read_again() {
    let (_phone, card) = rich();
    let done = confirm(&card, &plan(&card, 10_000));
    assert_eq!((done.phase, done.reference.is_some()), (Phase::Credited, true));
    let wallet = block_on(card.wallet().get()).unwrap();
    assert_eq!(wallet.balance.unwrap().amount, Fen::new(20_000));
}

#[test]
fn pressing_twice_is_one_operation() {
    let (phone, card) = rich();
    let plan = plan(&card, 10_000);
    let first = confirm(&card, &plan);
    let second = confirm(&card, &plan);
    assert_eq!(first, second);
    assert_eq!(phone.platform.campus().money.operations.len(), 1);
    assert_eq!(all(&card).len(), 1);
}

#[test]
fn a_wrong_password_is_an_end_in_which_nothing_was_charged() {
    let (_phone, card) = rich();
    let refused = block_on(card.operations().confirm(plan(&card, 10_000), password("111111"))).unwrap();
    assert_eq!(refused.phase, Phase::Refused);
    assert_eq!(refused.refusal.unwrap().code, "password_wrong");
}

#[test]
fn a_session_that_ends_after_a_lost_reply_is_no_word_that_nothing_was_sent() {
    let (phone, card) = rich();
    let plan = plan(&card, 1_000);
    lose(&phone, &Fault::LoseReply, 1);
    lose(&phone, &Fault::Problem(ProblemCode::SessionExpired), 1);
    let token = Fault::Token(TokenErrorCode::InvalidGrant);
    phone.platform.fail("POST /v1/sessions/token", token);
    assert_eq!(confirm(&card, &plan).phase, Phase::Sent);
    assert_eq!(
        reason(block_on(card.operations().cancel(plan.id))),
        MoneyReason::AlreadySent
    );
}

#[test]
fn a_lost_reply_is_sent_for_again_in_the_same_bytes() {
    let (phone, card) = rich();
    lose(&phone, &Fault::LoseReply, 3);
    let plan = plan(&card, 10_000);
    let unknown = confirm(&card, &plan);
    assert_eq!(phases(&unknown), [Phase::Created, Phase::Sent]);
    block_on(card.synchronise()).unwrap();
    let known = block_on(card.operations().get(plan.id)).unwrap();
    assert_eq!(known.phase, Phase::Credited);
    let campus = phone.platform.campus();
    assert_eq!(campus.money.operations.len(), 1);
    // Other bytes under the same name would have been refused as a conflict, and opened a second time.
    assert_eq!(campus.money.opened.len(), 1);
}

#[test]
fn an_operation_confirmed_offline_waits_across_a_restart_and_is_then_made_once() {
    let (phone, card) = rich();
    let plan = plan(&card, 10_000);
    lose(
        &phone,
        &Fault::Garbage("<html>captive portal</html>".to_owned()),
        1,
    );
    assert_eq!(confirm(&card, &plan).phase, Phase::Sent);
    drop(card);
    phone.advance(3 * 86_400_000);
    let card = phone.open();
    assert_eq!(
        block_on(card.operations().get(plan.id)).unwrap().phase,
        Phase::Sent
    );
    block_on(card.synchronise()).unwrap();
    assert_eq!(
        block_on(card.operations().get(plan.id)).unwrap().phase,
        Phase::Credited
    );
    assert_eq!(phone.platform.campus().money.operations.len(), 1);
}

#[test]
fn what_was_never_sent_can_be_taken_back_and_what_was_sent_cannot() {
    let (phone, card) = rich();
    lose(&phone, &Fault::LoseReply, 3);
    let sent = plan(&card, 5_000);
    confirm(&card, &sent);
    phone.platform.unplug();
    let unsent = plan(&card, 10_000);
    assert_eq!(phases(&confirm(&card, &unsent)), [Phase::Created]);
    drop(card);
    let card = phone.open();
    // Unplugged, nothing arrives any more, but what may have arrived stays so.
    block_on(card.synchronise()).unwrap_err();
    let cancel = |id| block_on(card.operations().cancel(id));
    assert_eq!(cancel(unsent.id), Ok(()));
    assert_eq!(reason(cancel(unsent.id)), MoneyReason::OperationUnknown);
    assert_eq!(reason(cancel(sent.id)), MoneyReason::AlreadySent);
    assert_eq!(all(&card).len(), 1);
}

#[test]
fn what_the_platform_refuses_ends_here_and_its_password_is_gone() {
    let (phone, card) = rich();
    lose(&phone, &Fault::Problem(ProblemCode::DayLimitReached), 1);
    let plan = plan(&card, 10_000);
    let refused = confirm(&card, &plan);
    assert_eq!(phases(&refused), [Phase::Created, Phase::Sent, Phase::Refused]);
    assert_eq!(refused.refusal.unwrap().code, "day_limit_reached");
    block_on(card.synchronise()).unwrap();
    assert_eq!(phone.platform.count(START_OPERATION), 1);
    assert!(phone.platform.campus().money.operations.is_empty());
    assert_eq!(all(&card)[0].phase, Phase::Refused);
}

#[test]
fn a_session_that_ended_keeps_what_was_confirmed_for_the_next_one() {
    let (phone, card) = rich();
    let plan = plan(&card, 10_000);
    phone.platform.revoke_sessions();
    assert_eq!(confirm(&card, &plan).phase, Phase::Created);
    let session = card.session();
    block_on(session.bind(phone.platform.url(), id_token("20260001"))).unwrap();
    assert_eq!(
        block_on(card.operations().get(plan.id)).unwrap().phase,
        Phase::Credited
    );
}

#[test]
fn another_holder_finds_nothing_of_the_first() {
    let (phone, card) = rich();
    lose(&phone, &Fault::LoseReply, 3);
    let plan = plan(&card, 10_000);
    confirm(&card, &plan);
    let (operations, opened) = {
        let mut campus = phone.platform.campus();
        let money = &mut campus.money;
        money.operations.clear();
        (money.operations.len(), money.opened.len())
    };
    let session = card.session();
    block_on(session.bind(phone.platform.url(), id_token("20260002"))).unwrap();
    assert!(all(&card).is_empty());
    assert_eq!(phone.platform.campus().money.operations.len(), operations);
    assert_eq!(phone.platform.campus().money.opened.len(), opened);
}

#[test]
fn a_change_that_the_platform_tells_later_is_followed() {
    let (phone, card) = rich();
    phone.platform.campus().money.next = [Told::Confirming].into();
    let plan = plan(&card, 10_000);
    assert_eq!(confirm(&card, &plan).phase, Phase::Confirming);
    let now = phone.platform.campus().now;
    phone
        .platform
        .campus()
        .money
        .move_to(plan.id, Told::Credited, now);
    let watched = block_on(card.operations().watch(plan.id, Phase::Confirming)).unwrap();
    assert_eq!(
        phases(&watched),
        [Phase::Sent, Phase::Confirming, Phase::Credited]
    );
    // The feed tells it, too, and an older version changes nothing.
    block_on(card.synchronise()).unwrap();
    assert_eq!(
        block_on(card.operations().get(plan.id)).unwrap().phase,
        Phase::Credited
    );
}

#[test]
fn a_lost_cache_is_filled_again_by_the_feed() {
    let (phone, card) = rich();
    let ids: Vec<Uuid> = [5_000, 6_000, 7_000]
        .map(|amount| confirm(&card, &plan(&card, amount)).id)
        .to_vec();
    drop(card);
    for name in ["cache.db", "cache.db-wal"] {
        // Closing may have emptied the log already.
        let _ = fs::remove_file(phone.folder().join(name));
    }
    let card = phone.open();
    assert!(all(&card).is_empty());
    block_on(card.synchronise()).unwrap();
    let mut found: Vec<Uuid> = all(&card).iter().map(|operation| operation.id).collect();
    found.reverse();
    assert_eq!(found, ids);
}

#[test]
fn pages_go_through_drafts_and_the_told_in_the_order_of_time() {
    let (phone, card) = rich();
    let mut ids = Vec::new();
    for amount in [5_000, 6_000, 7_000, 8_000, 9_000] {
        if amount == 7_000 {
            lose(&phone, &Fault::Problem(ProblemCode::CardNotBound), 1);
        }
        ids.push(confirm(&card, &plan(&card, amount)).id);
        phone.advance(1_000);
        block_on(card.wallet().synchronise()).unwrap();
        phone.platform.campus().money.in_wallet = 30_000;
        phone.platform.campus().money.version += 1;
        block_on(card.wallet().synchronise()).unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = block_on(card.operations().page(after, 2)).unwrap();
        seen.extend(page.operations.iter().map(|operation| operation.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    seen.reverse();
    assert_eq!(seen, ids);
}

#[test]
fn only_so_many_wait_at_once() {
    let (phone, card) = rich();
    lose(&phone, &Fault::LoseReply, 3 * MAX_WAITING);
    for _ in 0..MAX_WAITING {
        confirm(&card, &plan(&card, 100));
    }
    let one_more = block_on(card.operations().confirm(plan(&card, 100), password(PASSWORD)));
    assert_eq!(reason(one_more), MoneyReason::TooManyWaiting);
    block_on(card.synchronise()).unwrap();
    assert_eq!(phone.platform.campus().money.operations.len(), MAX_WAITING);
}

#[test]
fn a_caller_that_goes_away_loses_nothing() {
    use std::task::{Context, Poll, Waker};
    let (phone, card) = rich();
    let plan = plan(&card, 10_000);
    let operations = card.operations();
    let mut confirming = Box::pin(operations.confirm(plan, password(PASSWORD)));
    // Polled until it is on the disk, then dropped.
    loop {
        match confirming.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => {
                done.unwrap();
                break;
            }
            Poll::Pending if block_on(card.operations().get(plan.id)).is_ok() => break,
            Poll::Pending => std::thread::yield_now(),
        }
    }
    drop(confirming);
    block_on(card.synchronise()).unwrap();
    assert_eq!(phone.platform.campus().money.operations.len(), 1);
    assert_eq!(
        block_on(card.operations().get(plan.id)).unwrap().phase,
        Phase::Credited
    );
}

#[test]
fn recharges_and_withdrawals_go_their_way() {
    let (_phone, card) = rich();
    let operations = card.operations();
    let recharge = block_on(operations.plan_recharge(Fen::new(4_000), None)).unwrap();
    assert_eq!(recharge.funding.card_id, Some(CARD));
    assert_eq!(confirm(&card, &recharge).kind, OperationKind::Recharge);
    let all = block_on(operations.plan_withdrawal(None, Some(CARD))).unwrap();
    assert_eq!(all.amount, Fen::new(30_000));
    assert_eq!(confirm(&card, &all).phase, Phase::Credited);
}

#[test]
fn a_utility_is_paid_off_an_account_without_the_password_and_by_the_bank_with_it() {
    let (phone, card) = rich();
    let (operations, place) = (card.operations(), Uuid::from_u128(0xf1));
    let by_account = UtilitySource::Account { account_id: MAIN };
    let plan = block_on(operations.plan_utility(place, Fen::new(3_000), by_account)).unwrap();
    let paid = block_on(operations.confirm(plan, None)).unwrap();
    assert_eq!(
        (paid.phase, paid.place_id, paid.account_id),
        (Phase::Credited, Some(place), Some(MAIN))
    );
    assert!(phone.platform.campus().money.opened.is_empty());

    let source = TopUpSource::Wallet;
    let by_bank = UtilitySource::Bank { source };
    let plan = block_on(operations.plan_utility(place, Fen::new(3_000), by_bank)).unwrap();
    assert_eq!(
        block_on(operations.confirm(plan, None)),
        Err(InputField::PaymentPassword.into())
    );
    assert_eq!(confirm(&card, &plan).phase, Phase::Credited);
}

#[test]
fn passwords_stand_in_no_file() {
    let (phone, card) = rich();
    lose(&phone, &Fault::LoseReply, 3);
    confirm(&card, &plan(&card, 10_000));
    let shown = format!("{:?}", all(&card));
    drop(card);
    for file in fs::read_dir(phone.folder()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        let found = bytes
            .windows(PASSWORD.len())
            .any(|window| window == PASSWORD.as_bytes());
        assert!(!found);
    }
    assert!(!shown.contains(PASSWORD));
}
