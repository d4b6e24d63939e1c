//! A phone's session from the first sign-in to the last, with a platform that is not always well.

use super::*;
use crate::codes::{CodePurpose, FormChoice};
use crate::ports::Witness as _;
use crate::testing::platform::{Fault, MAIN, payment};
use crate::testing::{FakeClock, TestPhone, block_on, id_token};
use crate::{CampusCard, accounts::BillQuery};
use yika_api::session::TokenErrorCode;

const TOKEN: &str = "POST /v1/sessions/token";

fn code(card: &CampusCard) -> Result<String, CoreError> {
    card.codes()
        .show_blocking(CodePurpose::Identity, FormChoice::Short)
        .map(|frame| frame.text)
}

fn is_active(card: &CampusCard) -> bool {
    matches!(card.session().state(), SessionState::Active(_))
}

#[test]
fn a_host_token_that_the_platform_refuses_binds_nothing() {
    for (refusal, error) in [
        (TokenErrorCode::InvalidGrant, CoreError::SessionExpired),
        (TokenErrorCode::AccessDenied, CoreError::Forbidden),
        (
            TokenErrorCode::ServerError,
            CoreError::ServerBusy { retry_at: None },
        ),
        (TokenErrorCode::UnsupportedGrantType, CoreError::AppOutdated),
    ] {
        let phone = TestPhone::new();
        phone.platform.fail(TOKEN, Fault::Token(refusal));
        let card = phone.open();
        assert_eq!(
            block_on(card.session().bind(phone.platform.url(), id_token("20260001"))),
            Err(error)
        );
        assert_eq!(card.session().state(), SessionState::Unbound);
        assert_eq!(code(&card), Err(CoreError::NotBound));
    }
}

#[test]
fn a_bound_card_stays_bound_over_restarts_and_tells_where_it_belongs() {
    let phone = TestPhone::new();
    drop(phone.bound());
    let SessionState::Active(bound) = phone.open().session().state() else {
        panic!("not bound")
    };
    assert_eq!(
        (bound.school_domain.as_str(), bound.platform.url()),
        ("campus.example", &phone.platform.url())
    );
}

#[test]
fn an_access_token_that_ends_is_renewed_once_for_all_that_need_it() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let before = phone.platform.count(TOKEN);
    phone.platform.expire_access();
    block_on(card.synchronise()).unwrap();
    assert_eq!(phone.platform.count(TOKEN) - before, 1);
    phone.advance(600_000);
    block_on(card.synchronise()).unwrap();
    assert_eq!(
        phone.platform.count(TOKEN) - before,
        2,
        "a token about to end is renewed before it is used"
    );
}

#[test]
fn a_phone_whose_time_is_off_hears_it_and_asks_once_more() {
    let phone = TestPhone::new();
    phone.platform.campus().money.offered = true;
    let card = phone.bound();
    let an_hour = || {
        let mut campus = phone.platform.campus();
        campus.now = campus.now.plus_millis(3_600_000);
    };
    an_hour();
    block_on(card.wallet().synchronise()).unwrap();
    // Also where the first request is for fresh tokens.
    an_hour();
    phone.platform.expire_access();
    block_on(card.wallet().synchronise()).unwrap();
    // Refused for its proof over and over, it does not go on for ever.
    for _ in 0..2 {
        phone
            .platform
            .fail("GET /v1/wallet", Fault::Problem(ProblemCode::InvalidDpopProof));
    }
    let before = phone.platform.count("GET /v1/time");
    assert!(block_on(card.wallet().synchronise()).is_err());
    assert_eq!(phone.platform.count("GET /v1/time") - before, 1);
}

#[test]
fn a_lost_reply_to_a_refresh_does_not_end_the_session() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.platform.expire_access();
    phone.platform.fail(TOKEN, Fault::LoseReply);
    assert_eq!(
        block_on(card.synchronise()),
        Err(CoreError::ServerBusy { retry_at: None })
    );
    block_on(card.synchronise()).unwrap();
    assert!(is_active(&card));
}

#[test]
fn a_renewed_token_is_in_the_journal_before_it_is_used() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.platform.expire_access();
    // The platform renews; the phone dies with the first request that uses the new token.
    phone.platform.fail(
        "GET /v1/credentials/current",
        Fault::Problem(ProblemCode::SessionExpired),
    );
    for _ in 0..3 {
        phone.platform.fail(
            "GET /v1/credentials/current",
            Fault::Problem(ProblemCode::ServerBusy),
        );
    }
    assert!(block_on(card.synchronise()).is_err());
    drop(card);
    let before = phone.platform.count(TOKEN);
    block_on(phone.open().synchronise()).unwrap();
    assert_eq!(
        phone.platform.count(TOKEN),
        before,
        "the token of the run before is still there"
    );
}

#[test]
fn a_session_that_the_host_ended_leaves_valid_codes_alone() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.platform.revoke_sessions();
    assert_eq!(block_on(card.synchronise()), Err(CoreError::SessionExpired));
    assert!(matches!(card.session().state(), SessionState::Ended(_)));
    phone.platform.verify(&code(&card).unwrap());
    let asked = phone.platform.count(TOKEN);
    assert_eq!(block_on(card.synchronise()), Err(CoreError::SessionExpired));
    assert_eq!(
        phone.platform.count(TOKEN),
        asked,
        "an ended session is not asked about again"
    );
}

#[test]
fn a_phone_that_is_reported_lost_shows_no_codes_any_more() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.platform.expire_access();
    phone
        .platform
        .fail(TOKEN, Fault::Token(TokenErrorCode::AccessDenied));
    assert_eq!(block_on(card.synchronise()), Err(CoreError::PhoneLost));
    assert_eq!(code(&card), Err(CoreError::PhoneLost));
    drop(card);
    assert_eq!(code(&phone.open()), Err(CoreError::PhoneLost));
}

#[test]
fn the_same_person_signing_in_again_keeps_credential_and_bills() {
    let phone = TestPhone::new();
    phone.platform.campus().payments = vec![payment(1, MAIN, FakeClock::START)];
    let card = phone.bound();
    phone.platform.revoke_sessions();
    assert!(block_on(card.synchronise()).is_err());
    block_on(card.session().bind(phone.platform.url(), id_token("20260001"))).unwrap();
    assert!(is_active(&card));
    assert_eq!(phone.platform.campus().issues, 1);
    assert_eq!(
        block_on(card.bills().page(BillQuery::default(), 10))
            .unwrap()
            .bills
            .len(),
        1
    );
}

#[test]
fn another_person_signing_in_finds_nothing_of_the_one_before() {
    let (phone, keystore) = TestPhone::with_keystore();
    phone.platform.campus().payments = vec![payment(1, MAIN, FakeClock::START)];
    let card = phone.bound();
    phone.platform.campus().payments.clear();
    let before = code(&card).unwrap();
    // The platform knows a credential of this phone, under the key of the one before: only another enrolment will do.
    block_on(card.session().bind(phone.platform.url(), id_token("20260002"))).unwrap();
    assert_eq!(phone.platform.campus().issues, 2);
    let after = phone.platform.verify(&code(&card).unwrap()).moment().pseudonym;
    assert_ne!(
        yika_format::code::Code::from_text(before.as_bytes())
            .unwrap()
            .moment()
            .pseudonym,
        after
    );
    assert_eq!(
        block_on(card.bills().page(BillQuery::default(), 10))
            .unwrap()
            .bills,
        []
    );
    card.finish_blocking();
    assert_eq!(keystore.key_count(), 2, "the keys of the one before are gone");
}

#[test]
fn signing_out_forgets_keys_witness_and_store_with_and_without_a_network() {
    for online in [true, false] {
        let (phone, keystore) = TestPhone::with_keystore();
        let card = phone.bound();
        if !online {
            for _ in 0..10 {
                phone.platform.fail(
                    "DELETE /v1/sessions/current",
                    Fault::Problem(ProblemCode::ServerBusy),
                );
            }
        }
        block_on(card.session().sign_out()).unwrap();
        assert_eq!(card.session().state(), SessionState::Unbound);
        assert_eq!(code(&card), Err(CoreError::NotBound));
        assert_eq!((keystore.key_count(), phone.witness.load()), (0, Ok(None)));
        assert_eq!(phone.platform.count("DELETE /v1/sessions/current"), 1);
        drop(card);
        let card = phone.open();
        assert_eq!(code(&card), Err(CoreError::NotBound));
        block_on(card.session().bind(phone.platform.url(), id_token("20260001"))).unwrap();
        phone.platform.verify(&code(&card).unwrap());
    }
}

#[test]
fn nothing_secret_is_in_the_files_or_in_what_can_be_logged() {
    let phone = TestPhone::new();
    phone.platform.campus().payments = vec![payment(1, MAIN, FakeClock::START)];
    let card = phone.bound();
    let frame = card
        .codes()
        .show_blocking(CodePurpose::Identity, FormChoice::Full)
        .unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(phone.folder()).unwrap().map(Result::unwrap) {
        let bytes = std::fs::read(entry.path()).unwrap();
        assert!(
            !bytes.windows(6).any(|window| window == b"CANARY"),
            "{:?}",
            entry.path()
        );
        seen += bytes.len();
    }
    assert!(seen > 10_000, "looked at {seen} bytes only");
    let record = format!(
        "{:?} {:?} {:?}",
        card.session().state(),
        frame,
        id_token("20260001")
    );
    assert!(
        !record.contains("CANARY") && !record.contains(&frame.text),
        "{record}"
    );
}

#[test]
fn a_sign_in_whose_caller_is_gone_is_finished_all_the_same() {
    let phone = TestPhone::new();
    let card = phone.open();
    let session = card.session();
    let mut binding = Box::pin(session.bind(phone.platform.url(), id_token("20260001")));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(binding.as_mut().poll(&mut context).is_pending());
    drop(binding);
    // Has its turn after the one before.
    block_on(card.synchronise()).unwrap();
    assert!(is_active(&card));
}
