//! Step-up with a keystore and a platform that do as they are told: what it lifts, who is asked, and what remains when it
//! fails.

use std::sync::Arc;

use uuid::Uuid;
use yika_api::operation::RefusalReason;
use yika_api::{Fen, ProblemCode};
use zeroize::Zeroizing;

use crate::approvals::StepUp;
use crate::codes::{CodePurpose, FormChoice};
use crate::operations::{Operation, Phase, Plan, UtilitySource};
use crate::ports::KeyError;
use crate::session::SessionState;
use crate::testing::money::PASSWORD;
use crate::testing::platform::{Fault, MAIN};
use crate::testing::step_up::PUT_APPROVAL_KEY;
use crate::testing::{FakeKeystore, TestPhone, block_on, id_token};
use crate::wallet::{MoneyReason, PaymentPassword};
use crate::{CampusCard, CoreError};

const LIMITS: &str = "PUT /v1/limits";

struct Fixture {
    phone: TestPhone,
    card: CampusCard,
    keystore: Arc<FakeKeystore>,
}

/// A phone with a keystore, whose holder may pay ¥10 at once.
fn fixture() -> Fixture {
    let (phone, keystore) = TestPhone::with_keystore();
    phone.platform.campus().money.offered = true;
    let card = phone.bound();
    set(&card, 1_000, None).unwrap();
    Fixture {
        phone,
        card,
        keystore,
    }
}

fn password(digits: &str) -> PaymentPassword {
    PaymentPassword::new(Zeroizing::new(digits.to_owned())).unwrap()
}

fn set(card: &CampusCard, single: i64, step_up: Option<StepUp>) -> Result<Fen, CoreError> {
    let single = Fen::new(single);
    let limits = block_on(card.limits().set(single, Fen::new(20_000), step_up))?;
    Ok(limits.single)
}

fn turn_on(card: &CampusCard, digits: &str) -> Result<(), CoreError> {
    block_on(card.approvals().turn_on(password(digits)))
}

fn is_on(card: &CampusCard) -> bool {
    block_on(card.approvals().is_on()).unwrap()
}

fn reason<T: std::fmt::Debug>(result: Result<T, CoreError>) -> MoneyReason {
    match result {
        Err(CoreError::Money { refusal }) => refusal.reason,
        other => panic!("{other:?}"),
    }
}

fn plan(card: &CampusCard, amount: i64) -> Plan {
    let source = UtilitySource::Account { account_id: MAIN };
    let (operations, place) = (card.operations(), Uuid::from_u128(0xf1));
    block_on(operations.plan_utility(place, Fen::new(amount), source)).unwrap()
}

fn confirm(card: &CampusCard, plan: Plan, step_up: Option<StepUp>) -> Operation {
    block_on(card.operations().confirm(plan, step_up)).unwrap()
}

#[test]
fn an_approval_raises_limits_and_pays_above_them() {
    let Fixture { card, keystore, .. } = fixture();
    assert_eq!(reason(set(&card, 1_001, None)), MoneyReason::StepUpRequired);
    assert_eq!(
        reason(set(&card, 1_001, Some(StepUp::Approval))),
        MoneyReason::ApprovalRefused,
        "not agreed to"
    );
    turn_on(&card, PASSWORD).unwrap();
    assert!(is_on(&card));
    assert_eq!(set(&card, 1_500, Some(StepUp::Approval)), Ok(Fen::new(1_500)));
    let asked: Vec<String> = keystore
        .messages()
        .into_iter()
        .filter_map(|message| String::from_utf8(message).ok())
        .filter(|text| text.starts_with("yika approval 1\ncampus.example\n"))
        .collect();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].ends_with("\napproval-key"), "{asked:?}");
    assert!(asked[1].ends_with("\nspend-limits 1500 20000"), "{asked:?}");

    assert!(!plan(&card, 1_500).needs_step_up);
    let above = plan(&card, 1_501);
    assert!(above.needs_step_up);
    let refused = confirm(&card, above, None);
    assert_eq!(
        (refused.phase, refused.refusal.unwrap().code.as_str()),
        (Phase::Refused, "step_up_required")
    );
    let paid = confirm(&card, plan(&card, 1_501), Some(StepUp::Approval));
    assert_eq!(paid.phase, Phase::Credited);
    let by_password = StepUp::Password {
        password: password(PASSWORD),
    };
    let paid = confirm(&card, plan(&card, 1_502), Some(by_password));
    assert_eq!(paid.phase, Phase::Credited);
}

#[test]
fn a_wrong_password_for_a_payment_is_told_with_the_tries_that_are_left() {
    let Fixture { card, .. } = fixture();
    let wrong = StepUp::Password {
        password: password("975310"),
    };
    let refused = confirm(&card, plan(&card, 1_001), Some(wrong));
    let refusal = refused.refusal.unwrap();
    assert_eq!(
        (
            refused.phase,
            refusal.reason,
            refusal.code.as_str(),
            refusal.tries_left
        ),
        (
            Phase::Refused,
            Some(RefusalReason::PasswordWrong),
            "password_wrong",
            Some(4)
        )
    );
}

#[test]
fn what_fails_while_it_is_turned_on_leaves_nothing_behind() {
    let Fixture {
        phone,
        card,
        keystore,
    } = fixture();
    let keys = keystore.key_count();
    assert_eq!(reason(turn_on(&card, "975310")), MoneyReason::BankRefused);
    keystore.fail_with(Some(KeyError::Cancelled));
    assert!(matches!(
        turn_on(&card, PASSWORD),
        Err(CoreError::BiometricCancelled)
    ));
    keystore.fail_with(None);
    for _ in 0..3 {
        phone.platform.fail(PUT_APPROVAL_KEY, Fault::LoseReply);
    }
    assert!(matches!(
        turn_on(&card, PASSWORD),
        Err(CoreError::ServerBusy { .. })
    ));
    assert_eq!((is_on(&card), keystore.key_count()), (false, keys));
    turn_on(&card, PASSWORD).unwrap();
    turn_on(&card, PASSWORD).unwrap();
    assert_eq!((is_on(&card), keystore.key_count()), (true, keys + 1));
}

#[test]
fn a_keystore_in_software_approves_nothing() {
    let phone = TestPhone::new();
    phone.platform.campus().money.offered = true;
    let card = phone.bound();
    assert!(matches!(turn_on(&card, PASSWORD), Err(CoreError::KeyUnavailable)));
    assert!(!is_on(&card));
}

#[test]
fn who_cancels_approves_nothing_and_can_go_on() {
    let Fixture { card, keystore, .. } = fixture();
    turn_on(&card, PASSWORD).unwrap();
    for (error, expected) in [
        (KeyError::Cancelled, "biometric_cancelled"),
        (KeyError::LockedOut, "biometric_locked"),
        (KeyError::Busy, "key_busy"),
    ] {
        keystore.fail_with(Some(error));
        let refused = set(&card, 1_500, Some(StepUp::Approval)).unwrap_err();
        assert_eq!(refused.code(), expected);
        let plan = plan(&card, 1_001);
        let confirmed = block_on(card.operations().confirm(plan, Some(StepUp::Approval)));
        assert_eq!(confirmed.unwrap_err().code(), expected);
        keystore.fail_with(None);
        let known = block_on(card.operations().get(plan.id));
        assert_eq!(
            reason(known),
            MoneyReason::OperationUnknown,
            "nothing was written down"
        );
    }
    assert_eq!(set(&card, 1_500, Some(StepUp::Approval)), Ok(Fen::new(1_500)));
}

#[test]
fn a_key_that_is_gone_on_either_side_is_forgotten_on_this_one() {
    let Fixture {
        phone,
        card,
        keystore,
    } = fixture();
    let keys = keystore.key_count();
    turn_on(&card, PASSWORD).unwrap();
    keystore.fail_with(Some(KeyError::Invalidated));
    let gone = set(&card, 1_500, Some(StepUp::Approval));
    assert!(matches!(gone, Err(CoreError::KeyInvalidated)), "{gone:?}");
    keystore.fail_with(None);
    assert_eq!((is_on(&card), keystore.key_count()), (false, keys));

    turn_on(&card, PASSWORD).unwrap();
    phone.platform.campus().steps.key = None;
    assert_eq!(
        reason(set(&card, 1_500, Some(StepUp::Approval))),
        MoneyReason::ApprovalRefused
    );
    assert!(!is_on(&card));

    turn_on(&card, PASSWORD).unwrap();
    phone.platform.campus().steps.key = None;
    let refused = confirm(&card, plan(&card, 1_001), Some(StepUp::Approval));
    assert_eq!(refused.refusal.unwrap().code, "approval_refused");
    assert!(!is_on(&card));

    // A payment that waited is refused when it is sent.
    turn_on(&card, PASSWORD).unwrap();
    phone.platform.campus().steps.key = None;
    let operations = "POST /v1/operations";
    for _ in 0..3 {
        phone
            .platform
            .fail(operations, Fault::Problem(ProblemCode::ServerBusy));
    }
    let waiting = confirm(&card, plan(&card, 1_001), Some(StepUp::Approval));
    assert_eq!((waiting.phase, is_on(&card)), (Phase::Sent, true));
    block_on(card.synchronise()).unwrap();
    let refused = block_on(card.operations().get(waiting.id)).unwrap();
    assert_eq!((refused.phase, is_on(&card)), (Phase::Refused, false));

    turn_on(&card, PASSWORD).unwrap();
    phone.platform.fail(
        "DELETE /v1/sessions/current/approval-key",
        Fault::Problem(ProblemCode::ServerBusy),
    );
    assert!(block_on(card.approvals().turn_off()).is_err() && is_on(&card));
    block_on(card.approvals().turn_off()).unwrap();
    assert_eq!((is_on(&card), keystore.key_count()), (false, keys));
}

#[test]
fn signing_out_and_another_holder_take_the_key_along() {
    let Fixture {
        phone,
        card,
        keystore,
    } = fixture();
    turn_on(&card, PASSWORD).unwrap();
    let platform = phone.platform.url();
    block_on(card.session().bind(platform, id_token("20260002"))).unwrap();
    assert!(!is_on(&card));
    block_on(card.session().sign_out()).unwrap();
    assert_eq!(card.session().state(), SessionState::Unbound);
    assert_eq!(keystore.key_count(), 0);
}

#[test]
fn a_code_is_signed_while_the_user_is_asked() {
    let Fixture { card, keystore, .. } = fixture();
    turn_on(&card, PASSWORD).unwrap();
    let release = keystore.hang();
    let setting = card.clone();
    let asked = keystore.messages().len();
    let approving = std::thread::spawn(move || set(&setting, 1_500, Some(StepUp::Approval)));
    while keystore.messages().len() == asked {
        std::thread::yield_now();
    }
    block_on(card.codes().show(CodePurpose::Identity, FormChoice::Short)).unwrap();
    drop(release);
    assert_eq!(approving.join().unwrap(), Ok(Fen::new(1_500)));
}

#[test]
fn limits_and_keys_meet_a_lost_reply_like_everything_else() {
    let Fixture { phone, card, .. } = fixture();
    turn_on(&card, PASSWORD).unwrap();
    phone.platform.fail(LIMITS, Fault::LoseReply);
    let raised = set(&card, 1_500, Some(StepUp::Approval));
    assert_eq!(raised, Ok(Fen::new(1_500)), "sent again in the same bytes");
}
