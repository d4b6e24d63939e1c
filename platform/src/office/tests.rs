//! Staff, the log, and server keys that are followed by others.

use super::{Action, Role};
use crate::clock::{DAY, HOUR};
use crate::config::TerminalEnrolment;
use crate::db::transact;
use crate::testing::{TestPlatform, TestTerminal, credential};
use crate::{Error, SignerError};
use uuid::Uuid;
use yika_api::credential::{CredentialStatus, IssueRequest};
use yika_api::terminal::TerminalKind;
use yika_format::lists::{self, Revocations, Table};

const STUDENT: &str = "20260001";

#[tokio::test]
async fn roles_are_given_and_taken_once_and_written_down() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    assert!(matches!(
        admin.grant_role("nobody", Role::Clerk).await,
        Err(Error::Refused(_))
    ));
    assert!(!admin.revoke_role(STUDENT, Role::Clerk).await.unwrap());
    for (role, is_new) in [(Role::Clerk, true), (Role::Clerk, false), (Role::Auditor, true)] {
        assert_eq!(admin.grant_role(STUDENT, role).await.unwrap(), is_new);
    }
    let staff = admin.staff().await.unwrap();
    assert_eq!(
        staff
            .iter()
            .map(|member| (member.number.as_str(), &member.roles[..]))
            .collect::<Vec<_>>(),
        [(STUDENT, &[Role::Auditor, Role::Clerk][..])]
    );
    assert!(admin.revoke_role(STUDENT, Role::Clerk).await.unwrap());
    let log = admin.log(None, Some(STUDENT)).await.unwrap();
    let told: Vec<_> = log
        .iter()
        .map(|event| (event.action, event.detail.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Action::RoleRevoked, "clerk"),
            (Action::RoleGranted, "auditor"),
            (Action::RoleGranted, "clerk"),
        ]
    );
    let older = admin.log(Some(log[1].id), Some(STUDENT)).await.unwrap();
    assert_eq!(older, log[2..]);
    assert!(log.iter().all(|event| event.actor.is_none()));
}

#[tokio::test]
async fn what_is_done_to_a_holder_is_written_down_with_it() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    admin.suspend(STUDENT).await.unwrap();
    admin.undo_suspension(STUDENT).await.unwrap();
    admin.freeze_account(STUDENT, 2, true).await.unwrap();
    admin.freeze_account(STUDENT, 2, false).await.unwrap();
    admin.revoke(STUDENT).await.unwrap();
    admin.reset_limits(STUDENT).await.unwrap();
    let log = admin.log(None, Some(STUDENT)).await.unwrap();
    let mut told: Vec<_> = log.iter().map(|event| event.action).collect();
    told.reverse();
    assert_eq!(
        told,
        [
            Action::Suspended,
            Action::Restored,
            Action::AccountFrozen,
            Action::AccountOpened,
            Action::Revoked,
            Action::LimitsReset,
        ]
    );
    // What is refused is not done, and not written down.
    assert!(admin.freeze_account(STUDENT, 8, true).await.is_err());
    assert_eq!(admin.log(None, Some(STUDENT)).await.unwrap().len(), 6);
    for sql in [
        "DELETE FROM office_event",
        "UPDATE office_event SET detail = 'nothing'",
    ] {
        let changed: crate::Result<()> = transact!(campus.platform.db().writer(), |tx| {
            sqlx::query(sql).execute(&mut *tx).await?;
            Ok(())
        });
        assert!(changed.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn a_new_key_signs_when_its_time_has_come_and_the_old_one_stays_good() {
    let campus = TestPlatform::open().await;
    let server = campus.twin().await;
    let phone = campus.bind(STUDENT).await;
    let first = phone.enrol().await;
    let starts_at = campus.platform.now().plus_millis(7 * DAY);
    let rotated = campus
        .platform
        .admin()
        .rotate_key(lists::Role::Credential, starts_at)
        .await
        .unwrap();
    assert!(rotated.id == 4 && rotated.dropped == 0 && rotated.starts_at >= starts_at);
    assert_ne!(server.platform.keys().keyset, campus.keyset());
    server.platform.take_up_keys().await.unwrap();
    assert_eq!(server.platform.keys().keyset, campus.keyset());

    let before = campus.bind("20260002").await.enrol().await;
    assert_eq!(before.body.issuer, first.body.issuer);
    let status: CredentialStatus = phone.get("/v1/credentials/current").await.ok();
    assert!(!status.renewal_due);
    campus.clock.advance(7 * DAY + 2 * HOUR);
    let after = campus.bind("20260002").await.enrol().await;
    assert_eq!(after.body.issuer.0, 4);
    let keyset = campus.keyset();
    for issued in [&first, &after] {
        let begins = yika_format::UnixMillis(u64::try_from(campus.platform.now().0).unwrap());
        let key = keyset.key(issued.body.issuer, lists::Role::Credential, begins);
        assert!(issued.verify(&keyset.header().school, &key.unwrap().key).is_ok());
    }
}

#[tokio::test]
async fn the_key_of_the_lists_is_followed_by_another_without_a_break() {
    let campus = TestPlatform::open_with(TerminalEnrolment::Open).await;
    let till = campus.terminal(TerminalKind::Pos).await;
    let phone = campus.bind(STUDENT).await;
    phone.enrol().await;
    let starts_at = campus.platform.now().plus_millis(DAY);
    let rotation = campus
        .platform
        .admin()
        .rotate_key(lists::Role::Table, starts_at)
        .await;
    assert_eq!(rotation.unwrap().id, 4);
    let signer_of_table = async |till: &TestTerminal<'_>| {
        let table = till.get("/v1/terminals/table").await.body;
        let revocations = till.get("/v1/terminals/revocations").await.body;
        assert!(Revocations::open(&revocations, &campus.keyset()).is_ok());
        Table::open(&table, &campus.keyset()).unwrap().header().signer.0
    };
    assert_eq!(signer_of_table(&till).await, 2);
    campus.clock.advance(DAY + 2 * HOUR);
    phone.issue(Uuid::new_v4(), &IssueRequest::Renew).await;
    till.get("/v1/terminals/deltas?from=0").await;
    assert_eq!(signer_of_table(&till).await, 4);
}

#[tokio::test]
async fn a_stolen_key_is_struck_out_at_once() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind(STUDENT).await;
    let stolen = phone.enrol().await;
    let rotation = campus.platform.admin().replace_credential_key().await.unwrap();
    assert_eq!((rotation.id, rotation.dropped), (4, 1));
    let at = yika_format::UnixMillis(u64::try_from(campus.platform.now().0).unwrap());
    let keyset = campus.keyset();
    assert!(
        keyset
            .key(stolen.body.issuer, lists::Role::Credential, at)
            .is_none()
    );
    let status: CredentialStatus = phone.get("/v1/credentials/current").await.ok();
    assert!(status.renewal_due);
    let issued = credential(&phone.issue(Uuid::new_v4(), &IssueRequest::Renew).await);
    assert_eq!(issued.body.issuer.0, 4);
    let log = campus.platform.admin().log(None, None).await.unwrap();
    assert_eq!(
        (log[0].action, log[0].detail.as_str()),
        (Action::KeyRotated, "credential key 4, 1 struck out")
    );
}

#[tokio::test]
async fn without_the_root_key_no_other_is_made() {
    let campus = TestPlatform::open().await;
    std::fs::remove_dir_all(campus.folder.path().join("keys/root")).unwrap();
    let starts_at = campus.platform.now().plus_millis(DAY);
    let rotation = campus
        .platform
        .admin()
        .rotate_key(lists::Role::Time, starts_at)
        .await;
    assert!(matches!(rotation, Err(Error::Signer(SignerError::RootAway(_)))));
    let online = std::fs::read_dir(campus.folder.path().join("keys/online")).unwrap();
    assert_eq!(online.count(), 3);
    assert!(campus.platform.admin().log(None, None).await.unwrap().is_empty());
}
