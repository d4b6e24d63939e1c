//! Phones through the router: listed, and signed out from another one.

use crate::clock::{MINUTE, SECOND};
use crate::operations::testing::password;
use crate::testing::{Reply, TestPhone, TestPlatform, token_error};
use crate::wallet::testing::with_card;
use axum::http::Method;
use serde_json::json;
use uuid::Uuid;
use yika_api::approval::StepUp;
use yika_api::device::{DeviceList, RemoveDevice};
use yika_api::lost::{Lost, ReportLost, SuspensionList};
use yika_api::session::TokenErrorCode;
use yika_api::terminal::TerminalKind;
use yika_api::{ProblemCode, UnixMillis};
use yika_format::MinEpoch;
use yika_format::lists::Revocations;

const STUDENT: &str = "20260001";

/// Each phone is bound in another second: sign-ins of the same one would be the same.
async fn phone<'a>(campus: &'a TestPlatform, student: &str) -> TestPhone<'a> {
    campus.clock.advance(SECOND);
    campus.bind(student).await
}

async fn list(phone: &TestPhone<'_>) -> DeviceList {
    phone.get("/v1/devices").await.ok()
}

fn ids(list: &DeviceList) -> Vec<Uuid> {
    list.devices.iter().map(|device| device.id).collect()
}

async fn remove(phone: &TestPhone<'_>, device: Uuid, operation: Uuid, step_up: Option<StepUp>) -> Reply {
    let path = format!("/v1/devices/{device}/removal");
    phone
        .named((Method::PUT, &path), operation, &RemoveDevice { step_up })
        .await
}

fn by_password() -> Option<StepUp> {
    Some(StepUp::Password { password: password() })
}

#[tokio::test]
async fn a_holder_sees_the_phones_of_the_card_and_nobody_elses() {
    let campus = TestPlatform::open().await;
    let (one, two) = (phone(&campus, STUDENT).await, phone(&campus, STUDENT).await);
    let stranger = phone(&campus, "20260002").await;
    let (this, other) = (one.tokens.device_id, two.tokens.device_id);
    let shown = list(&one).await;
    assert_eq!(ids(&shown), [other, this], "the one seen last comes first");
    let devices = shown.devices.iter();
    let marks: Vec<_> = devices
        .map(|device| (device.is_this, device.is_lost, device.name.as_str()))
        .collect();
    assert_eq!(marks, [(false, false, "Test phone"), (true, false, "Test phone")]);
    assert_eq!(ids(&list(&stranger).await), [stranger.tokens.device_id]);
    // A phone is seen when it renews its tokens.
    campus.clock.advance(MINUTE);
    campus
        .refresh(&one.session_key, &one.tokens.refresh_token)
        .await
        .ok::<serde_json::Value>();
    let shown = list(&two).await;
    assert_eq!(
        (ids(&shown), shown.devices[0].last_seen),
        (vec![this, other], campus.platform.now())
    );
    // One that has signed out is on it no more.
    two.request((Method::DELETE, "/v1/sessions/current"), &[], Vec::new())
        .await;
    campus.clock.advance(SECOND);
    assert_eq!(ids(&list(&one).await), [this]);
}

#[tokio::test]
async fn only_the_holder_removes_a_phone_and_never_the_one_in_hand() {
    let campus = TestPlatform::open().await;
    let (one, two) = (phone(&campus, STUDENT).await, phone(&campus, STUDENT).await);
    let stranger = phone(&campus, "20260002").await;
    with_card(&one).await;
    with_card(&stranger).await;
    let other = two.tokens.device_id;
    for (by, device, step_up, code) in [
        (&one, other, None, ProblemCode::StepUpRequired),
        (
            &one,
            one.tokens.device_id,
            by_password(),
            ProblemCode::InvalidRequest,
        ),
        (&one, Uuid::nil(), by_password(), ProblemCode::NotFound),
        (&stranger, other, by_password(), ProblemCode::NotFound),
    ] {
        let reply = remove(by, device, Uuid::new_v4(), step_up).await;
        assert_eq!(reply.problem().code, code);
    }
    assert_eq!(list(&two).await.devices.len(), 2);
}

#[tokio::test]
async fn a_phone_that_is_removed_has_no_session_and_no_codes_and_can_come_back() {
    let campus = TestPlatform::open().await;
    let (one, two) = (phone(&campus, STUDENT).await, phone(&campus, STUDENT).await);
    with_card(&one).await;
    let credential = two.enrol().await;
    let lost = Lost::Phone {
        device_id: two.tokens.device_id,
    };
    let report = ReportLost {
        lost,
        decided_at: UnixMillis(1),
    };
    let path = format!("/v1/cards/suspensions/{}", Uuid::now_v7());
    let body = json!(report).to_string().into_bytes();
    one.request((Method::PUT, &path), &crate::testing::json_body(), body)
        .await
        .ok::<serde_json::Value>();
    assert!(list(&one).await.devices[0].is_lost);

    let operation = Uuid::new_v4();
    let left: DeviceList = remove(&one, two.tokens.device_id, operation, by_password())
        .await
        .ok();
    assert_eq!(ids(&left), [one.tokens.device_id]);
    let open: SuspensionList = one.get("/v1/cards/suspensions").await.ok();
    assert_eq!(open.suspensions, [], "there is nothing left to be found");
    let reply = two.get("/v1/accounts").await;
    assert_eq!(reply.problem().code, ProblemCode::SessionExpired);
    let refresh = campus.refresh(&two.session_key, &two.tokens.refresh_token).await;
    assert_eq!(token_error(&refresh), TokenErrorCode::InvalidGrant);
    let terminal = campus.terminal(TerminalKind::Gate).await;
    let revoked = Revocations::open(
        &terminal.get("/v1/terminals/revocations").await.body,
        &campus.keyset(),
    );
    assert_eq!(
        revoked.unwrap().min_epoch(credential.body.pseudonym),
        MinEpoch::DEAD
    );

    campus.clock.advance(SECOND);
    let id_token = campus.host.sign(&campus.id_token_claims(STUDENT));
    campus
        .exchange(&two.session_key, &id_token)
        .await
        .ok::<serde_json::Value>();
    assert_eq!(list(&one).await.devices.len(), 2);
    // The same request, late: it has had its effect.
    remove(&one, two.tokens.device_id, operation, by_password())
        .await
        .ok::<DeviceList>();
    assert_eq!(list(&one).await.devices.len(), 2);
}
