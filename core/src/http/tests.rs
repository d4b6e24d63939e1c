//! Where the client sends nothing, when it sends again, and what it makes of bad answers.

use super::*;
use crate::testing::platform::Fault;
use crate::testing::{TestPhone, block_on, id_token};

fn origin(text: &str) -> Result<Origin, CoreError> {
    Origin::new(Url::parse(text).unwrap())
}

#[test]
fn cleartext_goes_to_this_machine_only() {
    for text in [
        "http://campus.example",
        "http://192.168.1.2:8080",
        "http://127.0.0.1.example",
        "http://[2001:db8::1]",
    ] {
        assert_eq!(origin(text), Err(CoreError::CleartextRefused), "{text}");
    }
    for text in [
        "http://127.0.0.1:8080",
        "http://localhost",
        "http://[::1]:1",
        "https://campus.example",
    ] {
        assert!(origin(text).is_ok(), "{text}");
    }
}

#[test]
fn an_address_that_is_more_than_an_origin_is_refused() {
    for text in [
        "https://campus.example/api",
        "https://campus.example/?a",
        "https://u@campus.example",
        "ftp://campus.example",
        "mailto:a@b",
    ] {
        assert_eq!(origin(text), Err(CoreError::InvalidPlatformUrl), "{text}");
    }
}

#[test]
fn what_may_be_repeated_is_until_it_works() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let before = phone.platform.count("GET /v1/accounts");
    for _ in 0..2 {
        phone
            .platform
            .fail("GET /v1/accounts", Fault::Problem(ProblemCode::ServerBusy));
    }
    block_on(card.synchronise()).unwrap();
    assert_eq!(phone.platform.count("GET /v1/accounts") - before, 3);
}

#[test]
fn patience_ends() {
    let phone = TestPhone::new();
    let card = phone.bound();
    for _ in 0..3 {
        phone
            .platform
            .fail("GET /v1/accounts", Fault::Problem(ProblemCode::RateLimited));
    }
    assert_eq!(
        block_on(card.synchronise()),
        Err(CoreError::ServerBusy { retry_at: None })
    );
}

#[test]
fn what_may_not_be_repeated_is_not() {
    let phone = TestPhone::new();
    phone.platform.fail(
        "POST /v1/credentials/challenge",
        Fault::Problem(ProblemCode::ServerBusy),
    );
    let card = phone.open();
    let bound = block_on(card.session().bind(phone.platform.url(), id_token("20260001")));
    assert_eq!(bound, Err(CoreError::ServerBusy { retry_at: None }));
    assert_eq!(phone.platform.count("POST /v1/credentials/challenge"), 1);
}

#[test]
fn a_refusal_that_nothing_helps_against_is_not_repeated_and_keeps_its_reference() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let before = phone.platform.count("GET /v1/accounts");
    phone
        .platform
        .fail("GET /v1/accounts", Fault::Problem(ProblemCode::NotFound));
    let Err(CoreError::Refused { refusal }) = block_on(card.synchronise()) else {
        panic!("not refused")
    };
    assert_eq!((refusal.status, refusal.code), (404, Some(ProblemCode::NotFound)));
    assert_eq!(refusal.reference.as_deref(), Some("ref-1"));
    assert_eq!(phone.platform.count("GET /v1/accounts") - before, 1);
}

#[test]
fn answers_that_are_not_understood_or_far_too_long_are_errors() {
    let phone = TestPhone::new();
    let card = phone.bound();
    for text in [
        "",
        "{}",
        "<html>",
        &"[".repeat(100_000),
        &format!("\"{}\"", "x".repeat(MAX_ANSWER)),
    ] {
        phone
            .platform
            .fail("GET /v1/accounts", Fault::Garbage(text.to_owned()));
        assert_eq!(
            block_on(card.synchronise()),
            Err(CoreError::AppOutdated),
            "{} bytes",
            text.len()
        );
    }
}

#[test]
fn a_nonce_that_the_platform_wants_goes_into_a_fresh_proof() {
    let phone = TestPhone::new();
    phone.platform.campus().wants_nonce = true;
    let card = phone.bound();
    // The token endpoint gave one; from then on it is carried along without being asked again.
    assert_eq!(phone.platform.count("POST /v1/sessions/token"), 2);
    assert_eq!(phone.platform.count("GET /v1/credentials/current"), 2);
    block_on(card.synchronise()).unwrap();
}

#[test]
fn nobody_there_is_no_network() {
    let phone = TestPhone::new();
    let card = phone.open();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = Url::parse(&format!("http://{free}")).unwrap();
    assert_eq!(
        block_on(card.session().bind(url, id_token("20260001"))),
        Err(CoreError::Network)
    );
}
