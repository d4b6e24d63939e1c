//! Where the client sends nothing, when it sends again, and what it makes of bad answers.

use super::*;
use crate::clock::{Anchor, ClockState};
use crate::error::CoreError;
use crate::ports::SystemClock as _;
use crate::testing::platform::Fault;
use crate::testing::{FakeClock, TestPhone, block_on, id_token};
use yika_api::school::ServerTime;
use yika_link::{Authority, Roots};
use yika_testkit::tls::{Day, TlsAuthority, TlsServer};

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

#[test]
fn an_address_that_no_phone_should_talk_to_is_refused_before_anything_is_sent() {
    let card = TestPhone::new().open();
    for (text, error) in [
        ("http://campus.example", CoreError::CleartextRefused),
        ("https://campus.example/api", CoreError::InvalidPlatformUrl),
    ] {
        let url = Url::parse(text).unwrap();
        let bound = block_on(card.session().bind(url, id_token("20260001")));
        assert_eq!(bound, Err(error), "{text}");
    }
}

/// Asks a server whose certificate is good from one day until another, as a phone that was anchored at [`FakeClock::START`]
/// (2026-11-18) and then met with `fate`.
async fn handshake(from: Day, until: Day, fate: impl FnOnce(&FakeClock)) -> Result<(), HttpError> {
    let campus = TlsAuthority::new("Campus CA");
    let server = TlsServer::start(&campus.certify("127.0.0.1", from, until), r#"{"now":1}"#).await;
    let port = FakeClock::new();
    let sample = port.sample().unwrap();
    let mut state = ClockState::default();
    state.anchor(Anchor::new(sample, sample, FakeClock::START).unwrap(), sample);
    fate(&port);
    let trust = ServerTrust {
        roots: Roots::Only(vec![Authority::from_der(campus.der().to_vec()).unwrap()]),
        pins: Vec::new(),
    };
    let clock = Arc::new(TrustedClock::new(port, state));
    let origin = server.url().parse().unwrap();
    let http = Http::new(origin, &trust, HttpLimits::default(), clock).unwrap();
    let time: ServerTime = http.send(&Call::get("/v1/time"), None).await?.json()?;
    assert_eq!(time.now, UnixMillis(1));
    Ok(())
}

const YEAR_MS: i64 = 365 * 86_400_000;

#[tokio::test]
async fn a_wall_clock_wrong_by_years_spoils_no_handshake() {
    for years in [-20, 20] {
        let wall = FakeClock::START.plus_millis(years * YEAR_MS);
        let asked = handshake((2026, 11, 1), (2026, 12, 1), |port| port.set_wall(wall)).await;
        assert_eq!(asked, Ok(()), "{years} years");
    }
}

#[tokio::test]
async fn a_wall_clock_that_was_set_back_revives_no_certificate() {
    let wall = FakeClock::START.plus_millis(-20 * YEAR_MS);
    let asked = handshake((2006, 1, 1), (2007, 1, 1), |port| port.set_wall(wall)).await;
    assert_eq!(asked, Err(HttpError::CertificateTime));
}

#[tokio::test]
async fn after_a_restart_with_a_wall_clock_far_ahead_the_platforms_last_word_counts() {
    let asked = handshake((2026, 11, 1), (2026, 12, 1), |port| {
        port.reboot("second");
        port.set_wall(FakeClock::START.plus_millis(20 * YEAR_MS));
    });
    assert_eq!(asked.await, Ok(()));
}
