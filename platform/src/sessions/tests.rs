//! Sessions through the router: exchange, refresh, theft, sign-out, the host's logout.

use crate::clock::{DAY, MINUTE, SECOND};
use crate::testing::{TestKey, TestPhone, TestPlatform, form_urlencoded, token_error};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use yika_api::ProblemCode;
use yika_api::account::AccountList;
use yika_api::session::{LOGOUT_EVENT, TokenErrorCode, TokenResponse};

/// The claims of a good ID token with one of them changed.
fn with(campus: &TestPlatform, name: &str, value: Value) -> Value {
    let mut claims = campus.id_token_claims("20260001");
    claims[name] = value;
    claims
}

async fn problem_of(phone: &TestPhone<'_>) -> ProblemCode {
    phone.get("/v1/accounts").await.problem().code
}

#[tokio::test]
async fn id_tokens_that_are_not_for_us_now_are_refused() {
    let campus = TestPlatform::open().await;
    let now = campus.platform.now().0 / 1000;
    for (name, value) in [
        ("iss", json!("https://other.example")),
        ("aud", json!("another-app")),
        ("exp", json!(now - 61)),
        ("iat", json!(now + 61)),
        ("iat", json!(now - 3601)),
        ("sub", json!(7)),
        ("exp", Value::Null),
    ] {
        let token = campus.host.sign(&with(&campus, name, value.clone()));
        let reply = campus.exchange(&TestKey::new(), &token).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert_eq!(
            token_error(&reply),
            TokenErrorCode::InvalidGrant,
            "{name}: {value}"
        );
    }
    let reply = campus.exchange(&TestKey::new(), "not.a.token").await;
    assert_eq!(token_error(&reply), TokenErrorCode::InvalidGrant);
}

#[tokio::test]
async fn a_person_without_a_card_is_denied() {
    let campus = TestPlatform::open().await;
    let token = campus.host.sign(&with(&campus, "sub", json!("somebody")));
    assert_eq!(
        token_error(&campus.exchange(&TestKey::new(), &token).await),
        TokenErrorCode::AccessDenied
    );
}

#[tokio::test]
async fn an_unknown_grant_and_a_missing_parameter_are_told_apart() {
    let campus = TestPlatform::open().await;
    let key = TestKey::new();
    let reply = campus
        .token(&key, &[("grant_type", "password"), ("username", "u")])
        .await;
    assert_eq!(token_error(&reply), TokenErrorCode::UnsupportedGrantType);
    let reply = campus.token(&key, &[("grant_type", "refresh_token")]).await;
    assert_eq!(token_error(&reply), TokenErrorCode::InvalidRequest);
}

#[tokio::test]
async fn the_token_endpoint_asks_for_a_nonce_first() {
    let campus = TestPlatform::open().await;
    let key = TestKey::new();
    let claims = yika_api::dpop::ProofClaims {
        jti: "j".into(),
        htm: "POST".into(),
        htu: format!("{}/v1/sessions/token", crate::testing::ORIGIN),
        iat: campus.platform.now().0 / 1000,
        nonce: None,
        ath: None,
    };
    let headers = [
        ("dpop", key.proof(&claims)),
        ("content-type", "application/x-www-form-urlencoded".to_owned()),
    ];
    let body = form_urlencoded(&[("grant_type", "refresh_token"), ("refresh_token", "x")]);
    let reply = campus
        .send(Method::POST, "/v1/sessions/token", &headers, body)
        .await;
    assert_eq!(
        (reply.status, token_error(&reply)),
        (StatusCode::BAD_REQUEST, TokenErrorCode::UseDpopNonce)
    );
    assert!(!reply.header("dpop-nonce").is_empty());
}

#[tokio::test]
async fn an_id_token_is_good_for_one_phone_only_and_there_twice() {
    let campus = TestPlatform::open().await;
    let token = campus.host.sign(&campus.id_token_claims("20260001"));
    let key = TestKey::new();
    let first: TokenResponse = campus.exchange(&key, &token).await.ok();
    let again: TokenResponse = campus.exchange(&key, &token).await.ok();
    assert_eq!(first.device_id, again.device_id);
    let stolen = campus.exchange(&TestKey::new(), &token).await;
    assert_eq!(token_error(&stolen), TokenErrorCode::InvalidGrant);
}

#[tokio::test]
async fn the_host_s_new_key_is_fetched_when_a_token_names_it_but_not_for_every_invented_name() {
    let campus = TestPlatform::open().await;
    campus.bind("20260001").await;
    campus.host.rotate("second");
    let early = campus.host.sign(&campus.id_token_claims("20260001"));
    assert_eq!(
        token_error(&campus.exchange(&TestKey::new(), &early).await),
        TokenErrorCode::InvalidGrant
    );
    assert_eq!(campus.host.fetches.load(Ordering::SeqCst), 1);
    campus.clock.advance(31 * SECOND);
    campus.bind("20260001").await;
    assert_eq!(campus.host.fetches.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_access_token_is_nothing_without_its_key_and_after_ten_minutes() {
    let campus = TestPlatform::open().await;
    let mut phone = campus.bind("20260001").await;
    assert_eq!(
        phone.get("/v1/accounts").await.ok::<AccountList>().accounts.len(),
        2
    );
    let own = std::mem::replace(&mut phone.session_key, TestKey::new());
    assert_eq!(problem_of(&phone).await, ProblemCode::SessionExpired);
    phone.session_key = own;
    campus.clock.advance(10 * MINUTE);
    assert_eq!(problem_of(&phone).await, ProblemCode::SessionExpired);
    let without = campus.send(Method::GET, "/v1/accounts", &[], Vec::new()).await;
    assert_eq!(without.problem().code, ProblemCode::SessionExpired);
    assert!(without.header("www-authenticate").starts_with("DPoP"));
}

#[tokio::test]
async fn a_refresh_whose_reply_was_lost_can_be_repeated_until_the_new_token_is_used() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let (key, first) = (&phone.session_key, phone.tokens.refresh_token.as_str());
    campus.refresh(key, first).await.ok::<TokenResponse>();
    let third: TokenResponse = campus.refresh(key, first).await.ok();
    campus
        .refresh(key, &third.refresh_token)
        .await
        .ok::<TokenResponse>();
    assert_eq!(
        token_error(&campus.refresh(key, first).await),
        TokenErrorCode::InvalidGrant
    );
}

#[tokio::test]
async fn a_token_of_long_ago_ends_the_session() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let (key, first) = (&phone.session_key, phone.tokens.refresh_token.as_str());
    let second: TokenResponse = campus.refresh(key, first).await.ok();
    let third: TokenResponse = campus.refresh(key, &second.refresh_token).await.ok();
    assert_eq!(
        token_error(&campus.refresh(key, first).await),
        TokenErrorCode::InvalidGrant
    );
    assert_eq!(
        token_error(&campus.refresh(key, &third.refresh_token).await),
        TokenErrorCode::InvalidGrant
    );
    assert_eq!(problem_of(&phone).await, ProblemCode::SessionExpired);
    assert_eq!(
        campus.platform.admin().books().await.unwrap().alarms["token_reuse"],
        1
    );
}

#[tokio::test]
async fn a_stolen_refresh_token_is_nothing_under_another_key_and_harms_nobody() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let stolen = campus.refresh(&TestKey::new(), &phone.tokens.refresh_token).await;
    assert_eq!(token_error(&stolen), TokenErrorCode::InvalidGrant);
    campus
        .refresh(&phone.session_key, &phone.tokens.refresh_token)
        .await
        .ok::<TokenResponse>();
}

#[tokio::test]
async fn ninety_days_without_a_refresh_end_a_session() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    campus.clock.advance(89 * DAY);
    let next: TokenResponse = campus
        .refresh(&phone.session_key, &phone.tokens.refresh_token)
        .await
        .ok();
    campus.clock.advance(90 * DAY);
    let late = campus.refresh(&phone.session_key, &next.refresh_token).await;
    assert_eq!(token_error(&late), TokenErrorCode::InvalidGrant);
}

#[tokio::test]
async fn signing_out_ends_session_and_refresh() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let reply = phone
        .request((Method::DELETE, "/v1/sessions/current"), &[], Vec::new())
        .await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    assert_eq!(problem_of(&phone).await, ProblemCode::SessionExpired);
    let refresh = campus
        .refresh(&phone.session_key, &phone.tokens.refresh_token)
        .await;
    assert_eq!(token_error(&refresh), TokenErrorCode::InvalidGrant);
}

async fn host_logout(campus: &TestPlatform, claims: &Value) -> StatusCode {
    let body = form_urlencoded(&[("logout_token", &campus.host.sign(claims))]);
    let headers = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    campus
        .send(Method::POST, "/v1/sessions/host-logout", &headers, body)
        .await
        .status
}

fn logout_claims(campus: &TestPlatform, subject: &Value) -> Value {
    let now = campus.platform.now().0 / 1000;
    let mut claims = json!({
        "iss": crate::testing::ISSUER, "aud": crate::testing::AUDIENCE, "iat": now, "jti": "l",
        "events": { LOGOUT_EVENT: {} }
    });
    claims
        .as_object_mut()
        .unwrap()
        .extend(subject.as_object().unwrap().clone());
    claims
}

#[tokio::test]
async fn a_logout_token_that_is_none_ends_nothing() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let good = logout_claims(&campus, &json!({"sub": "20260001"}));
    let changed = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    for claims in [
        changed("events", json!({})),
        changed("nonce", json!("n")),
        changed("sub", Value::Null),
        changed("iat", json!(campus.platform.now().0 / 1000 - 3700)),
        changed("aud", json!("another")),
        campus.id_token_claims("20260001"),
    ] {
        assert_eq!(
            host_logout(&campus, &claims).await,
            StatusCode::BAD_REQUEST,
            "{claims}"
        );
    }
    phone.get("/v1/accounts").await.ok::<AccountList>();
}

#[tokio::test]
async fn signing_out_at_the_host_ends_the_sessions_of_that_person_or_host_session_only() {
    let campus = TestPlatform::open().await;
    let (one, two) = (campus.bind("20260001").await, campus.bind("20260002").await);
    let person = logout_claims(&campus, &json!({"sub": "20260001"}));
    assert_eq!(host_logout(&campus, &person).await, StatusCode::NO_CONTENT);
    assert_eq!(problem_of(&one).await, ProblemCode::SessionExpired);
    two.get("/v1/accounts").await.ok::<AccountList>();
    let session = logout_claims(&campus, &json!({"sid": "sid-20260002"}));
    assert_eq!(host_logout(&campus, &session).await, StatusCode::NO_CONTENT);
    assert_eq!(problem_of(&two).await, ProblemCode::SessionExpired);
}
