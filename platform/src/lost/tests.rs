//! Reports through the router: who may report and end what, what comes of it, and what terminals and holders are told.

mod sequences;

use crate::clock::{DAY, HOUR, MINUTE, SECOND};
use crate::operations::testing::password;
use crate::testing::{Fault, Reply, SCHOOL, TestKey, TestPhone, TestPlatform, TestTerminal, credential};
use crate::wallet::testing::with_card;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;
use yika_api::account::AccountList;
use yika_api::approval::{Act, SetApprovalKey, StepUp, approval_text};
use yika_api::credential::{CredentialState, CredentialStatus, IssueRequest, KeyStorage};
use yika_api::limit::SetLimits;
use yika_api::lost::{Lost, ReportFound, ReportLost, SuspendedBy, Suspension, SuspensionList};
use yika_api::operation::RefusalReason;
use yika_api::session::TokenResponse;
use yika_api::terminal::TerminalKind;
use yika_api::{Base64Url, Fen, ProblemCode};
use yika_format::MinEpoch;
use yika_format::credential::Credential;
use yika_format::lists::Revocations;

const STUDENT: &str = "20260001";
const LIST: &str = "/v1/cards/suspensions";

fn lost_phone(phone: &TestPhone<'_>) -> Lost {
    Lost::Phone {
        device_id: phone.tokens.device_id,
    }
}

async fn put(phone: &TestPhone<'_>, id: Uuid, lost: Lost) -> Reply {
    let decided_at = phone.campus.platform.now().plus_millis(-5_000);
    let request = ReportLost { lost, decided_at };
    let body = serde_json::to_vec(&request).unwrap();
    let headers = crate::testing::json_body();
    phone
        .request((Method::PUT, &format!("{LIST}/{id}")), &headers, body)
        .await
}

async fn report(phone: &TestPhone<'_>, lost: Lost) -> Suspension {
    put(phone, Uuid::now_v7(), lost).await.ok()
}

async fn found(phone: &TestPhone<'_>, id: Uuid, operation: Uuid, step_up: Option<StepUp>) -> Reply {
    let path = format!("{LIST}/{id}/found");
    phone
        .named((Method::PUT, &path), operation, &ReportFound { step_up })
        .await
}

fn by_password() -> Option<StepUp> {
    Some(StepUp::Password { password: password() })
}

async fn suspended(phone: &TestPhone<'_>) -> SuspensionList {
    phone.get(LIST).await.ok()
}

async fn state(phone: &TestPhone<'_>) -> CredentialState {
    phone
        .get("/v1/credentials/current")
        .await
        .ok::<CredentialStatus>()
        .state
}

/// A phone with a credential. Each is bound in another second: sign-ins of the same one would be the same.
async fn phone<'a>(campus: &'a TestPlatform, student: &str) -> (TestPhone<'a>, Credential) {
    campus.clock.advance(SECOND);
    let phone = campus.bind(student).await;
    let credential = phone.enrol().await;
    (phone, credential)
}

/// The same phone with new tokens.
async fn refreshed(phone: TestPhone<'_>) -> TestPhone<'_> {
    let refresh = phone.tokens.refresh_token.clone();
    let tokens = phone.campus.refresh(&phone.session_key, &refresh).await.ok();
    TestPhone { tokens, ..phone }
}

async fn revocations(terminal: &TestTerminal<'_>) -> Revocations {
    let reply = terminal.get("/v1/terminals/revocations").await;
    Revocations::open(&reply.body, &terminal.campus.keyset()).unwrap()
}

async fn is_dead(terminal: &TestTerminal<'_>, credential: &Credential) -> bool {
    let lowest = revocations(terminal).await.min_epoch(credential.body.pseudonym);
    !lowest.accepts(credential.body.epoch)
}

#[tokio::test]
async fn a_report_of_anothers_phone_or_under_anothers_name_is_refused() {
    let campus = TestPlatform::open().await;
    let (phone, _) = phone(&campus, STUDENT).await;
    let (stranger, _) = self::phone(&campus, "20260002").await;
    let theirs = put(&phone, Uuid::now_v7(), lost_phone(&stranger)).await;
    assert_eq!(theirs.problem().code, ProblemCode::NotFound);
    let nobodys = Lost::Phone {
        device_id: Uuid::nil(),
    };
    let reply = put(&phone, Uuid::now_v7(), nobodys).await;
    assert_eq!(reply.problem().code, ProblemCode::NotFound);

    let known = report(&phone, Lost::Card).await;
    let other = put(&phone, known.id, Lost::All).await;
    assert_eq!(other.problem().code, ProblemCode::IdempotencyConflict);
    let other = put(&stranger, known.id, Lost::Card).await;
    assert_eq!(other.problem().code, ProblemCode::IdempotencyConflict);
    let reply = found(&stranger, known.id, Uuid::new_v4(), by_password()).await;
    assert_eq!(reply.problem().code, ProblemCode::NotFound);
    for body in [
        json!({}),
        json!({ "lost": { "scope": "phone" }, "decided_at": 1 }),
        json!({ "lost": { "scope": "card" }, "decided_at": 1, "more": 1 }),
        json!({ "lost": "card", "decided_at": 1 }),
    ] {
        let path = format!("{LIST}/{}", Uuid::nil());
        let headers = crate::testing::json_body();
        let reply = phone
            .request((Method::PUT, &path), &headers, body.to_string().into_bytes())
            .await;
        assert!(reply.status.is_client_error(), "{body}");
    }
    assert_eq!(suspended(&stranger).await.suspensions, []);
    assert_eq!(suspended(&phone).await.suspensions, [known]);
}

#[tokio::test]
async fn a_phone_that_is_lost_may_only_look_and_be_found() {
    let campus = TestPlatform::open().await;
    let (lost, _) = phone(&campus, STUDENT).await;
    let (other, _) = phone(&campus, STUDENT).await;
    let reported = report(&other, lost_phone(&lost)).await;
    for (method, path) in [
        (Method::GET, "/v1/accounts"),
        (Method::GET, "/v1/credentials/current"),
        (Method::GET, "/v1/wallet"),
        (Method::GET, "/v1/devices"),
        (Method::POST, "/v1/credentials/challenge"),
    ] {
        let reply = lost.request((method, path), &[], Vec::new()).await;
        assert_eq!(reply.problem().code, ProblemCode::DeviceLost, "{path}");
    }
    // Its tokens end and it gets new ones, or signs in anew: it is the same phone, and no more than before.
    campus.clock.advance(11 * MINUTE);
    let mut lost = refreshed(lost).await;
    assert_eq!(suspended(&lost).await.suspensions, [reported]);
    let id_token = campus.host.sign(&campus.id_token_claims(STUDENT));
    let again: TokenResponse = campus.exchange(&lost.session_key, &id_token).await.ok();
    assert_eq!(again.device_id, lost.tokens.device_id);
    lost.tokens = again;
    let reply = lost.get("/v1/accounts").await;
    assert_eq!(reply.problem().code, ProblemCode::DeviceLost);
    // The other phone is as it was.
    let other = refreshed(other).await;
    other.get("/v1/accounts").await.ok::<AccountList>();
    assert_eq!(state(&other).await, CredentialState::Active);
}

#[tokio::test]
async fn pictures_of_a_lost_phone_are_dead_and_stay_so_when_it_is_found() {
    let campus = TestPlatform::open().await;
    let (lost, first) = phone(&campus, STUDENT).await;
    with_card(&lost).await;
    let (other, others) = phone(&campus, STUDENT).await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    let reported = report(&lost, lost_phone(&lost)).await;
    assert!(is_dead(&terminal, &first).await && !is_dead(&terminal, &others).await);

    let unproven = found(&lost, reported.id, Uuid::new_v4(), None).await;
    assert_eq!(unproven.problem().code, ProblemCode::StepUpRequired);
    campus
        .bank
        .weather(&[Fault::Refuses(RefusalReason::PasswordWrong)]);
    let wrong = found(&lost, reported.id, Uuid::new_v4(), by_password()).await;
    assert_eq!(
        wrong.problem().refusal.unwrap().reason,
        RefusalReason::PasswordWrong
    );
    assert_eq!(lost.get("/v1/accounts").await.status, StatusCode::FORBIDDEN);

    let operation = Uuid::new_v4();
    let list: SuspensionList = found(&lost, reported.id, operation, by_password()).await.ok();
    assert_eq!(list.suspensions, []);
    let second = credential(&lost.issue(Uuid::new_v4(), &IssueRequest::Renew).await);
    assert_eq!(second.body.pseudonym, first.body.pseudonym);
    assert!(second.body.epoch > first.body.epoch);
    assert!(is_dead(&terminal, &first).await && !is_dead(&terminal, &second).await);

    // Both requests come again, late: they have had their effect.
    let again: Suspension = put_again(&lost, &reported).await.ok();
    assert!(again.ended_at.is_some());
    assert_eq!(suspended(&other).await.suspensions, []);
    let next = report(&other, lost_phone(&lost)).await;
    found(&lost, reported.id, operation, by_password())
        .await
        .ok::<SuspensionList>();
    found(&lost, reported.id, Uuid::new_v4(), None)
        .await
        .ok::<SuspensionList>();
    assert_eq!(suspended(&other).await.suspensions, [next]);
}

async fn put_again(phone: &TestPhone<'_>, known: &Suspension) -> Reply {
    let request = ReportLost {
        lost: known.lost,
        decided_at: known.decided_at,
    };
    let path = format!("{LIST}/{}", known.id);
    let body = serde_json::to_vec(&request).unwrap();
    phone
        .request((Method::PUT, &path), &crate::testing::json_body(), body)
        .await
}

#[tokio::test]
async fn the_times_that_are_told_are_those_of_the_lists_that_are_out() {
    let campus = TestPlatform::open().await;
    let (one, first) = phone(&campus, STUDENT).await;
    let now = campus.platform.now();
    let nowhere = report(&one, lost_phone(&one)).await;
    assert_eq!(
        (
            nowhere.online_from,
            nowhere.offline_by,
            nowhere.offline_identity_by
        ),
        (now, now, now),
        "no terminal has ever had a list"
    );

    let (two, _) = phone(&campus, STUDENT).await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    let fetched = campus.platform.now();
    let held = revocations(&terminal).await;
    terminal.get("/v1/terminals/table").await;
    campus.clock.advance(HOUR / 2);
    let two = refreshed(two).await;
    let told = report(&two, lost_phone(&two)).await;
    assert_eq!(told.online_from, campus.platform.now());
    assert_eq!(
        (told.offline_by, u64::try_from(told.offline_by.0)),
        (fetched.plus_millis(3 * DAY), Ok(held.header().good_until.0))
    );
    // A gate goes on by its table's policy: until the row in it ends, or the table does.
    assert!(told.offline_identity_by >= fetched.plus_millis(7 * DAY));
    // Who heard of it later holds longer: another report says so of what it adds, and no sooner of what was said before.
    campus.clock.advance(HOUR);
    revocations(&terminal).await;
    let two = refreshed(two).await;
    let all = report(&two, Lost::All).await;
    assert_eq!(all.offline_by, told.offline_by, "both phones were stopped then");
    assert!(is_dead(&terminal, &first).await);
}

#[tokio::test]
async fn everything_stops_every_phone_the_accounts_and_the_card() {
    let campus = TestPlatform::open().await;
    let (one, first) = phone(&campus, STUDENT).await;
    with_card(&one).await;
    let (two, second) = phone(&campus, STUDENT).await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    let all = report(&two, Lost::All).await;
    assert!(is_dead(&terminal, &first).await && is_dead(&terminal, &second).await);
    for phone in [&one, &two] {
        assert_eq!(state(phone).await, CredentialState::Suspended);
        let renewed = phone.issue(Uuid::new_v4(), &IssueRequest::Renew).await;
        assert_eq!(renewed.problem().code, ProblemCode::CardFrozen);
        phone.get("/v1/accounts").await.ok::<AccountList>();
    }
    let admin = campus.platform.admin();
    assert!(admin.holders().await.unwrap()[0].is_frozen);
    let told = admin.card_changes(0).await.unwrap();
    assert_eq!(
        (told[0].holder.as_str(), told[0].is_suspended, told.len()),
        (STUDENT, true, 1)
    );
    found(&one, all.id, Uuid::new_v4(), by_password())
        .await
        .ok::<SuspensionList>();
    for phone in [&one, &two] {
        assert_eq!(state(phone).await, CredentialState::Active);
        credential(&phone.issue(Uuid::new_v4(), &IssueRequest::Renew).await);
    }
    assert!(is_dead(&terminal, &first).await && is_dead(&terminal, &second).await);
    let told = admin.card_changes(told[0].number).await.unwrap();
    assert_eq!((told[0].is_suspended, told.len()), (false, 1));
}

#[tokio::test]
async fn the_plastic_card_alone_leaves_the_phones_as_they_are() {
    let campus = TestPlatform::open().await;
    let (phone, credential) = phone(&campus, STUDENT).await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    let now = campus.platform.now();
    let card = report(&phone, Lost::Card).await;
    assert_eq!(
        (card.online_from, card.offline_by),
        (now.plus_millis(5 * MINUTE), now.plus_millis(DAY))
    );
    assert_eq!(state(&phone).await, CredentialState::Active);
    assert!(!is_dead(&terminal, &credential).await);
    let admin = campus.platform.admin();
    assert!(admin.card_changes(0).await.unwrap()[0].is_suspended);
    // Reported again it is told once, and found it ends whole.
    report(&phone, Lost::Card).await;
    assert_eq!(admin.card_changes(0).await.unwrap().len(), 1);
    with_card(&phone).await;
    let list: SuspensionList = found(&phone, card.id, Uuid::new_v4(), by_password()).await.ok();
    assert_eq!(list.suspensions, []);
    assert_eq!(admin.card_changes(1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_the_card_office_froze_the_holder_does_not_undo() {
    let campus = TestPlatform::open().await;
    let (phone, _) = phone(&campus, STUDENT).await;
    with_card(&phone).await;
    let mine = report(&phone, Lost::All).await;
    let admin = campus.platform.admin();
    admin.suspend(STUDENT).await.unwrap();
    admin.suspend(STUDENT).await.unwrap();
    let both = suspended(&phone).await;
    let [own, office] = both.suspensions[..] else {
        panic!("{both:?}");
    };
    assert_eq!(
        (own, office.by, office.lost),
        (mine, SuspendedBy::Office, Lost::All)
    );
    let refused = found(&phone, office.id, Uuid::new_v4(), by_password()).await;
    assert_eq!(refused.problem().code, ProblemCode::Forbidden);
    let list: SuspensionList = found(&phone, mine.id, Uuid::new_v4(), by_password()).await.ok();
    assert_eq!(list.suspensions, [office]);
    assert!(list.version > both.version);
    assert_eq!(state(&phone).await, CredentialState::Suspended);
    admin.undo_suspension(STUDENT).await.unwrap();
    assert_eq!(state(&phone).await, CredentialState::Active);

    // At the desk anything ends, also without a wallet.
    let (other, _) = self::phone(&campus, "20260002").await;
    let lost = report(&other, lost_phone(&other)).await;
    let refused = found(&other, lost.id, Uuid::new_v4(), by_password()).await;
    assert_eq!(refused.problem().code, ProblemCode::WalletNotOpen);
    assert!(admin.end_suspension(STUDENT, lost.id).await.is_err());
    assert_eq!(admin.suspensions("20260002").await.unwrap(), [lost]);
    admin.end_suspension("20260002", lost.id).await.unwrap();
    other.get("/v1/accounts").await.ok::<AccountList>();
    assert!(admin.end_suspension("20260002", lost.id).await.is_err());
}

async fn approving(phone: &TestPhone<'_>) -> TestKey {
    let (key, operation) = (TestKey::new(), Uuid::new_v4());
    let request = SetApprovalKey {
        public_key: key.expanded().as_bytes().as_slice().into(),
        storage: KeyStorage::Tee,
        proof: signature(&key, operation, Act::ApprovalKey),
        password: password(),
    };
    let path = (Method::PUT, "/v1/sessions/current/approval-key");
    phone.named(path, operation, &request).await.ok::<Value>();
    key
}

fn signature(key: &TestKey, operation: Uuid, act: Act) -> Base64Url {
    let text = approval_text(SCHOOL, operation, act);
    key.sign(text.as_bytes()).as_bytes().as_slice().into()
}

#[tokio::test]
async fn a_phone_that_is_suspended_approves_nothing_and_another_one_does() {
    let campus = TestPlatform::open().await;
    let (one, _) = phone(&campus, STUDENT).await;
    with_card(&one).await;
    let (two, _) = phone(&campus, STUDENT).await;
    let keys = (approving(&one).await, approving(&two).await);
    let approve = |key: &TestKey, operation, suspension| {
        let signature = signature(key, operation, Act::ReportFound { suspension });
        Some(StepUp::Approval { signature })
    };
    let operation = Uuid::new_v4();
    let lost = report(&one, lost_phone(&one)).await;
    let own = found(&one, lost.id, operation, approve(&keys.0, operation, lost.id)).await;
    assert_eq!(own.problem().code, ProblemCode::StepUpRequired);
    let elsewhere = found(&two, lost.id, operation, approve(&keys.1, operation, Uuid::nil())).await;
    assert_eq!(elsewhere.problem().code, ProblemCode::ApprovalRefused);
    let list: SuspensionList = found(&two, lost.id, operation, approve(&keys.1, operation, lost.id))
        .await
        .ok();
    assert_eq!(list.suspensions, []);
    let all = report(&two, Lost::All).await;
    let own = found(&two, all.id, operation, approve(&keys.1, operation, all.id)).await;
    assert_eq!(own.problem().code, ProblemCode::IdempotencyConflict);
    let operation = Uuid::new_v4();
    let own = found(&two, all.id, operation, approve(&keys.1, operation, all.id)).await;
    assert_eq!(own.problem().code, ProblemCode::StepUpRequired);
}

/// The host's word for who signed in, and when.
fn signed_in(campus: &TestPlatform, student: &str, at: Option<i64>) -> Option<StepUp> {
    let mut claims = campus.id_token_claims(student);
    if let Some(at) = at {
        claims["auth_time"] = json!(at);
    }
    Some(StepUp::SignIn {
        id_token: campus.host.sign(&claims),
    })
}

#[tokio::test]
async fn who_has_no_wallet_signs_in_at_the_host_anew() {
    let campus = TestPlatform::open().await;
    let (phone, _) = phone(&campus, STUDENT).await;
    let before = campus.clock_now_s();
    campus.clock.advance(10 * SECOND);
    let lost = report(&phone, lost_phone(&phone)).await;
    campus.clock.advance(MINUTE);
    let now = campus.clock_now_s();
    for (student, at) in [
        // The host's session of before; one that says nothing; somebody else's.
        (STUDENT, Some(before)),
        (STUDENT, None),
        ("20260002", Some(now)),
    ] {
        let reply = found(&phone, lost.id, Uuid::new_v4(), signed_in(&campus, student, at)).await;
        assert_eq!(
            reply.problem().code,
            ProblemCode::StepUpRequired,
            "{student} {at:?}"
        );
    }
    let nonsense = Some(StepUp::SignIn {
        id_token: "no.token.atall".to_owned(),
    });
    let reply = found(&phone, lost.id, Uuid::new_v4(), nonsense).await;
    assert_eq!(reply.problem().code, ProblemCode::StepUpRequired);
    campus.clock.advance(6 * MINUTE);
    let reply = found(
        &phone,
        lost.id,
        Uuid::new_v4(),
        signed_in(&campus, STUDENT, Some(now)),
    )
    .await;
    assert_eq!(
        reply.problem().code,
        ProblemCode::StepUpRequired,
        "that is too long ago"
    );
    let now = campus.clock_now_s();
    let list: SuspensionList = found(
        &phone,
        lost.id,
        Uuid::new_v4(),
        signed_in(&campus, STUDENT, Some(now)),
    )
    .await
    .ok();
    assert_eq!(list.suspensions, []);
    // It raises no limit.
    let request = SetLimits {
        single: Fen::new(1_000),
        day: Fen::new(1_000),
        step_up: signed_in(&campus, STUDENT, Some(now)),
    };
    let reply = phone
        .named((Method::PUT, "/v1/limits"), Uuid::new_v4(), &request)
        .await;
    assert_eq!(reply.problem().code, ProblemCode::StepUpRequired);
}

#[tokio::test]
async fn a_key_that_was_replaced_dies_with_its_phone() {
    let campus = TestPlatform::open().await;
    let (mut phone, first) = phone(&campus, STUDENT).await;
    phone.code_key = TestKey::new();
    let second = phone.enrol().await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    assert!(!is_dead(&terminal, &first).await, "it lives its certificate out");
    report(&phone, lost_phone(&phone)).await;
    let list = revocations(&terminal).await;
    assert_eq!(list.min_epoch(first.body.pseudonym), MinEpoch::DEAD);
    assert!(!list.min_epoch(second.body.pseudonym).accepts(second.body.epoch));
    assert_ne!(list.min_epoch(second.body.pseudonym), MinEpoch::DEAD);
}
