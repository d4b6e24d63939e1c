//! Credentials and lists through the router: what a phone gets, and what terminals are told of it.

use super::SignerError;
use super::keys::{online_path, root_path};
use crate::clock::{DAY, HOUR, MINUTE};
use crate::config::{SchoolConfig, TerminalEnrolment};
use crate::testing::{SCHOOL, TestKey, TestPhone, TestPlatform, TestTerminal, credential};
use crate::{Error, Platform, Ports};
use axum::http::Method;
use std::sync::Arc;
use uuid::Uuid;
use yika_api::ProblemCode;
use yika_api::credential::{CredentialState, CredentialStatus, EpochReason, IssueRequest, IssuedCredential};
use yika_api::terminal::{DeltaChain, TerminalKind};
use yika_format::credential::Credential;
use yika_format::lists::{Delta, Keyset, Revocations, Role, Root, Row, SignedTime, Table};
use yika_format::{MinEpoch, PublicKey, SchoolHash};

const STUDENT: &str = "20260001";

/// The keyset as a client opens it: fetched by nobody in particular, under the root key that the school shows.
async fn keyset_of(terminal: &TestTerminal<'_>) -> Keyset {
    let key = PublicKey::from_compressed(terminal.enrolled.school.root_key.to_array().unwrap()).unwrap();
    let root = Root {
        school: SchoolHash::of_domain(SCHOOL),
        key: key.expand().unwrap(),
    };
    let reply = terminal
        .campus
        .send(Method::GET, "/v1/school/keyset", &[], Vec::new())
        .await;
    Keyset::open(&reply.body, &root).unwrap()
}

async fn table_of(terminal: &TestTerminal<'_>) -> Table {
    Table::open(
        &terminal.get("/v1/terminals/table").await.body,
        &keyset_of(terminal).await,
    )
    .unwrap()
}

async fn revocations_of(terminal: &TestTerminal<'_>) -> Revocations {
    Revocations::open(
        &terminal.get("/v1/terminals/revocations").await.body,
        &keyset_of(terminal).await,
    )
    .unwrap()
}

async fn row_of(terminal: &TestTerminal<'_>, credential: &Credential) -> Row {
    table_of(terminal).await.row(credential.body.pseudonym).unwrap()
}

async fn status(phone: &TestPhone<'_>) -> CredentialStatus {
    phone.get("/v1/credentials/current").await.ok()
}

async fn renew(phone: &TestPhone<'_>) -> Credential {
    credential(&phone.issue(Uuid::new_v4(), &IssueRequest::Renew).await)
}

async fn refusal(phone: &TestPhone<'_>, request: &IssueRequest) -> ProblemCode {
    phone.issue(Uuid::new_v4(), request).await.problem().code
}

/// A proof with one thing changed.
fn changed(request: &IssueRequest, change: impl Fn(&mut yika_api::credential::KeyProof)) -> IssueRequest {
    let mut request = request.clone();
    if let IssueRequest::Enrol { proof } = &mut request {
        change(proof);
    }
    request
}

#[tokio::test]
async fn a_key_that_the_phone_does_not_prove_is_not_enrolled() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind(STUDENT).await;
    let good = phone.enrol_request().await;
    let other_key = TestKey::new().expanded().compress();
    for (request, code) in [
        (
            changed(&good, |proof| proof.nonce = [7; 32].into()),
            ProblemCode::ChallengeExpired,
        ),
        (
            changed(&good, |proof| {
                proof.code_key = other_key.as_bytes().to_vec().into();
            }),
            ProblemCode::InvalidKeyProof,
        ),
        (
            changed(&good, |proof| proof.signature = [1; 64].into()),
            ProblemCode::InvalidKeyProof,
        ),
        (
            changed(&good, |proof| proof.code_key = [4; 33].into()),
            ProblemCode::InvalidKeyProof,
        ),
    ] {
        assert_eq!(refusal(&phone, &request).await, code);
    }
    let other = campus.bind("20260002").await;
    assert_eq!(
        refusal(&other, &good).await,
        ProblemCode::ChallengeExpired,
        "a challenge is one device's"
    );
    campus.clock.advance(5 * MINUTE);
    assert_eq!(refusal(&phone, &good).await, ProblemCode::ChallengeExpired);
    assert_eq!(
        phone.get("/v1/credentials/current").await.problem().code,
        ProblemCode::NoCredential
    );
    assert_eq!(
        refusal(&phone, &IssueRequest::Renew).await,
        ProblemCode::NoCredential
    );
}

#[tokio::test]
async fn an_operation_without_a_name_is_refused() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind(STUDENT).await;
    let body = serde_json::to_vec(&IssueRequest::Renew).unwrap();
    let reply = phone
        .request(
            (Method::POST, "/v1/credentials"),
            &crate::testing::json_body(),
            body,
        )
        .await;
    assert_eq!(reply.problem().code, ProblemCode::InvalidRequest);
}

#[tokio::test]
async fn the_same_operation_gets_the_same_credential_and_with_other_content_a_refusal() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind(STUDENT).await;
    let (operation, request) = (Uuid::new_v4(), phone.enrol_request().await);
    let (first, second) = tokio::join!(phone.issue(operation, &request), phone.issue(operation, &request));
    assert_eq!(first.ok::<IssuedCredential>(), second.ok::<IssuedCredential>());
    let other = phone.issue(operation, &IssueRequest::Renew).await;
    assert_eq!(other.problem().code, ProblemCode::IdempotencyConflict);
    let terminal = campus.terminal(TerminalKind::Gate).await;
    assert_eq!(table_of(&terminal).await.len(), 1);
}

#[tokio::test]
async fn a_credential_verifies_under_the_keyset_and_stands_in_the_table() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind(STUDENT).await;
    let credential = phone.enrol().await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    let now = yika_format::UnixMillis(u64::try_from(campus.platform.now().0).unwrap());
    let issuer = keyset_of(&terminal)
        .await
        .key(credential.body.issuer, Role::Credential, now)
        .unwrap();
    assert!(
        credential
            .verify(&SchoolHash::of_domain(SCHOOL), &issuer.key)
            .is_ok()
    );
    let (from, until) = credential.body.validity(issuer.from);
    assert!((from..until).contains(&now.seconds()));
    let row = row_of(&terminal, &credential).await;
    assert_eq!(
        (row.key, row.attributes),
        (credential.body.device_key, credential.body.attributes)
    );
    assert_eq!((row.min_epoch, row.flags.offline_payment), (MinEpoch::ALL, true));
    assert_eq!(status(&phone).await.state, CredentialState::Active);
}

#[tokio::test]
async fn a_renewal_comes_when_it_is_time_and_changes_no_row() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind(STUDENT).await;
    let first = phone.enrol().await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    let version = table_of(&terminal).await.header().version;
    assert_eq!(renew(&phone).await, first, "nothing is due yet");
    campus.clock.advance(3 * DAY);
    let phone = TestPhone {
        tokens: campus
            .refresh(&phone.session_key, &phone.tokens.refresh_token)
            .await
            .ok(),
        ..phone
    };
    let second = renew(&phone).await;
    assert_eq!(second.body.epoch, first.body.epoch);
    assert!(second.body.not_before > first.body.not_before);
    let chain: DeltaChain = terminal
        .get(&format!("/v1/terminals/deltas?base={version}"))
        .await
        .ok();
    let keyset = keyset_of(&terminal).await;
    let changes: usize = chain
        .deltas
        .iter()
        .map(|d| Delta::open(&d.0, &keyset).unwrap().upserts().len())
        .sum();
    assert_eq!(changes, 0);
}

#[tokio::test]
async fn a_restored_store_kills_the_old_epoch_at_once_a_full_counter_when_its_certificate_ends() {
    let campus = TestPlatform::open().await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    for (student, reason, min_epoch) in [
        (STUDENT, EpochReason::Counter, 1),
        ("20260002", EpochReason::StoreRestored, 2),
    ] {
        let phone = campus.bind(student).await;
        let first = phone.enrol().await;
        let request = IssueRequest::NextEpoch { reason };
        let second = credential(&phone.issue(Uuid::new_v4(), &request).await);
        assert_eq!(second.body.epoch, first.body.epoch.next().unwrap());
        let row = row_of(&terminal, &first).await;
        assert_eq!(
            (row.epoch, row.min_epoch.get()),
            (second.body.epoch, min_epoch),
            "{reason:?}"
        );
    }
    campus.clock.advance(11 * DAY);
    let rows: Vec<Row> = table_of(&terminal).await.rows().collect();
    assert!(rows.iter().all(|row| row.min_epoch.get() == 2), "{rows:?}");
}

#[tokio::test]
async fn a_suspension_kills_what_was_shown_and_its_end_brings_a_new_epoch() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind(STUDENT).await;
    let first = phone.enrol().await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    campus.platform.admin().suspend(STUDENT).await.unwrap();
    assert_eq!(status(&phone).await.state, CredentialState::Suspended);
    assert_eq!(
        refusal(&phone, &IssueRequest::Renew).await,
        ProblemCode::CardFrozen
    );
    let enrol = phone.enrol_request().await;
    assert_eq!(refusal(&phone, &enrol).await, ProblemCode::CardFrozen);
    assert!(
        !revocations_of(&terminal)
            .await
            .min_epoch(first.body.pseudonym)
            .accepts(first.body.epoch)
    );
    assert!(
        !row_of(&terminal, &first)
            .await
            .min_epoch
            .accepts(first.body.epoch)
    );

    campus.platform.admin().undo_suspension(STUDENT).await.unwrap();
    assert!(status(&phone).await.renewal_due);
    let second = renew(&phone).await;
    let min_epoch = row_of(&terminal, &first).await.min_epoch;
    assert!(min_epoch.accepts(second.body.epoch) && !min_epoch.accepts(first.body.epoch));
}

#[tokio::test]
async fn a_revoked_key_stays_dead_and_a_new_one_can_be_enrolled() {
    let campus = TestPlatform::open().await;
    let mut phone = campus.bind(STUDENT).await;
    let first = phone.enrol().await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    campus.platform.admin().revoke(STUDENT).await.unwrap();
    assert_eq!(status(&phone).await.state, CredentialState::Revoked);
    assert_eq!(
        refusal(&phone, &IssueRequest::Renew).await,
        ProblemCode::NoCredential
    );
    let again = phone.enrol_request().await;
    assert_eq!(refusal(&phone, &again).await, ProblemCode::Forbidden);
    phone.code_key = TestKey::new();
    let second = phone.enrol().await;
    assert_ne!(second.body.pseudonym, first.body.pseudonym);
    let list = revocations_of(&terminal).await;
    assert_eq!(list.min_epoch(first.body.pseudonym), MinEpoch::DEAD);
    assert_eq!(list.min_epoch(second.body.pseudonym), MinEpoch::ALL);
}

#[tokio::test]
async fn signing_out_kills_the_phone_s_credential() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind(STUDENT).await;
    let credential = phone.enrol().await;
    phone
        .request((Method::DELETE, "/v1/sessions/current"), &[], Vec::new())
        .await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    assert_eq!(
        revocations_of(&terminal)
            .await
            .min_epoch(credential.body.pseudonym),
        MinEpoch::DEAD
    );
}

#[tokio::test]
async fn another_key_of_a_phone_lets_the_old_one_live_out_its_certificate() {
    let campus = TestPlatform::open().await;
    let mut phone = campus.bind(STUDENT).await;
    let first = phone.enrol().await;
    phone.code_key = TestKey::new();
    phone.enrol().await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    assert_eq!(
        revocations_of(&terminal).await.min_epoch(first.body.pseudonym),
        MinEpoch::ALL
    );
    campus.clock.advance(10 * DAY);
    assert_eq!(
        revocations_of(&terminal).await.min_epoch(first.body.pseudonym),
        MinEpoch::DEAD
    );
}

#[tokio::test]
async fn deltas_lead_from_an_old_table_to_the_newest() {
    let campus = TestPlatform::open().await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    let mut table = table_of(&terminal).await;
    let base = table.header().version;
    for student in [STUDENT, "20260002"] {
        campus.bind(student).await.enrol().await;
        table_of(&terminal).await;
    }
    let chain: DeltaChain = terminal
        .get(&format!("/v1/terminals/deltas?base={base}"))
        .await
        .ok();
    let keyset = keyset_of(&terminal).await;
    for delta in &chain.deltas {
        table = table.apply(&Delta::open(&delta.0, &keyset).unwrap()).unwrap();
    }
    assert_eq!((table.clone(), table.len()), (table_of(&terminal).await, 2));
    let current: DeltaChain = terminal
        .get(&format!("/v1/terminals/deltas?base={}", table.header().version))
        .await
        .ok();
    assert!(current.deltas.is_empty());
    for base in [table.header().version + 1, u64::MAX] {
        let reply = terminal.get(&format!("/v1/terminals/deltas?base={base}")).await;
        assert_eq!(reply.problem().code, ProblemCode::DeltaUnavailable);
    }
}

#[tokio::test]
async fn lists_are_signed_anew_before_they_get_old_though_nothing_changed() {
    let campus = TestPlatform::open().await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    let (table, list) = (table_of(&terminal).await, revocations_of(&terminal).await);
    assert_eq!(table_of(&terminal).await.header(), table.header());
    assert_eq!(revocations_of(&terminal).await.header(), list.header());
    campus.clock.advance(12 * HOUR);
    assert_eq!(
        table_of(&terminal).await.header().version,
        table.header().version + 1
    );
    assert_eq!(
        revocations_of(&terminal).await.header().version,
        list.header().version + 1
    );
}

#[tokio::test]
async fn signed_time_answers_the_terminal_s_nonce_of_sixteen_bytes() {
    let campus = TestPlatform::open().await;
    let terminal = campus.terminal(TerminalKind::Gate).await;
    let ask = async |nonce: Vec<u8>| {
        campus
            .send_proven(
                &terminal.key,
                None,
                (Method::POST, "/v1/terminals/time"),
                &[],
                nonce,
            )
            .await
    };
    assert_eq!(ask(vec![1; 15]).await.problem().code, ProblemCode::InvalidRequest);
    let keyset = keyset_of(&terminal).await;
    let answer = ask(vec![1; 16]).await.body;
    let time = SignedTime::open(&answer, &keyset, &[1; 16]).unwrap();
    assert_eq!(Ok(time.now.0), u64::try_from(campus.platform.now().0));
    assert!(SignedTime::open(&answer, &keyset, &[2; 16]).is_err());
}

/// Opens the campus's folder again.
async fn reopen(campus: &TestPlatform, domain: &str) -> Result<Platform, Error> {
    campus.platform.close().await;
    let config = TestPlatform::config(&campus.folder, &campus.database, TerminalEnrolment::Open);
    let school = SchoolConfig {
        domain: domain.to_owned(),
        ..config.school.clone()
    };
    let ports = Ports {
        clock: Arc::clone(&campus.clock) as _,
        host_keys: Arc::clone(&campus.host) as _,
        bank: None,
        utility: None,
    };
    Platform::open_with(crate::Config { school, ..config }, ports).await
}

#[tokio::test]
async fn a_database_of_another_school_is_refused() {
    let campus = TestPlatform::open().await;
    assert!(matches!(
        reopen(&campus, "other.yika.example").await,
        Err(Error::Schema(_))
    ));
}

#[tokio::test]
async fn keys_that_the_database_does_not_know_are_refused() {
    let campus = TestPlatform::open().await;
    let ([(_, name), ..], id) = (super::keys::ONLINE_ROLES, yika_format::KeyId(1));
    let path = online_path(campus.folder.path(), name, id);
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        reopen(&campus, SCHOOL).await,
        Err(Error::Signer(SignerError::File { .. }))
    ));
    super::keys::FileSigner::open_or_create(&path).unwrap();
    assert!(matches!(
        reopen(&campus, SCHOOL).await,
        Err(Error::Signer(SignerError::Mismatch(_)))
    ));
}

#[tokio::test]
async fn the_platform_runs_without_its_root_key_until_the_keyset_has_ended() {
    let campus = TestPlatform::open().await;
    let root = root_path(campus.folder.path());
    let school = campus.platform.school();
    std::fs::remove_file(&root).unwrap();
    assert_eq!(reopen(&campus, SCHOOL).await.unwrap().school(), school);
    assert!(!root.exists(), "no other root key takes its place");
    campus.clock.advance(366 * DAY);
    assert!(matches!(
        reopen(&campus, SCHOOL).await,
        Err(Error::Signer(SignerError::RootAway(_)))
    ));
}
