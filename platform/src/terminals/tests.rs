//! Terminals through the router.

use crate::clock::DAY;
use crate::config::TerminalEnrolment;
use crate::testing::{TestKey, TestPlatform, directory_key_for};
use axum::http::Method;
use yika_api::terminal::{EnrolTerminal, EnrolledTerminal, MerchantId, TerminalKind, TerminalStatus};
use yika_api::{Base64Url, ProblemCode};

fn request(kind: TerminalKind, merchant: Option<u64>, code: Option<&str>) -> EnrolTerminal {
    EnrolTerminal {
        kind,
        merchant: merchant.map(MerchantId),
        label: None,
        enrolment_code: code.map(str::to_owned),
        directory_key: directory_key_for(kind, &TestKey::new().expanded()),
    }
}

#[tokio::test]
async fn a_key_that_is_no_terminal_s_is_forbidden() {
    let campus = TestPlatform::open().await;
    for path in [
        "/v1/terminals/current",
        "/v1/terminals/table",
        "/v1/terminals/revocations",
        "/v1/terminals/directory",
    ] {
        let reply = campus
            .send_proven(&TestKey::new(), None, (Method::GET, path), &[], vec![])
            .await;
        assert_eq!(reply.problem().code, ProblemCode::Forbidden, "{path}");
        let reply = campus.send(Method::GET, path, &[], vec![]).await;
        assert_eq!(reply.problem().code, ProblemCode::InvalidDpopProof, "{path}");
    }
}

#[tokio::test]
async fn a_terminal_for_nobody_or_somebody_unknown_is_refused() {
    let campus = TestPlatform::open().await;
    for (kind, merchant, code) in [
        (TerminalKind::Gate, Some(1), ProblemCode::InvalidRequest),
        (TerminalKind::Pos, Some(99), ProblemCode::NotFound),
        (TerminalKind::Library, Some(u64::MAX), ProblemCode::NotFound),
    ] {
        let reply = campus
            .enrol_terminal(&TestKey::new(), &request(kind, merchant, None))
            .await;
        assert_eq!(reply.problem().code, code);
    }
    let bad_label = EnrolTerminal {
        label: Some(" ".into()),
        ..request(TerminalKind::Pos, None, None)
    };
    assert_eq!(
        campus
            .enrol_terminal(&TestKey::new(), &bad_label)
            .await
            .problem()
            .code,
        ProblemCode::InvalidRequest
    );
}

#[tokio::test]
async fn enrolling_again_gets_the_same_answer_and_cannot_change_what_a_terminal_is() {
    let campus = TestPlatform::open().await;
    let key = TestKey::new();
    let first: EnrolledTerminal = campus
        .enrol_terminal(&key, &request(TerminalKind::Pos, None, None))
        .await
        .ok();
    let again: EnrolledTerminal = campus
        .enrol_terminal(&key, &request(TerminalKind::Pos, Some(1), None))
        .await
        .ok();
    assert_eq!(first, again);
    for other in [
        request(TerminalKind::Gate, None, None),
        request(TerminalKind::Pos, Some(2), None),
    ] {
        assert_eq!(
            campus.enrol_terminal(&key, &other).await.problem().code,
            ProblemCode::Forbidden
        );
    }
    assert_eq!(campus.platform.admin().terminals().await.unwrap().len(), 1);
}

#[tokio::test]
async fn terminals_that_name_no_merchant_get_the_school_s_default_of_their_kind() {
    let campus = TestPlatform::open().await;
    for (kind, merchant) in [
        (TerminalKind::Pos, Some(1)),
        (TerminalKind::Library, Some(2)),
        (TerminalKind::Gate, None),
    ] {
        let terminal = campus.terminal(kind).await;
        assert_eq!(
            terminal.enrolled.merchant.as_ref().map(|merchant| merchant.id.0),
            merchant
        );
        let status: TerminalStatus = terminal.get("/v1/terminals/current").await.ok();
        assert_eq!(
            (status.id, status.next_sequence, status.frozen),
            (terminal.enrolled.id, 1, false)
        );
    }
}

#[tokio::test]
async fn an_enrolment_code_is_good_once_and_for_two_days() {
    let campus = TestPlatform::open_with(TerminalEnrolment::CodeRequired).await;
    let enrol = async |code: Option<&str>| {
        campus
            .enrol_terminal(&TestKey::new(), &request(TerminalKind::Pos, None, code))
            .await
    };
    assert_eq!(
        enrol(None).await.problem().code,
        ProblemCode::InvalidEnrolmentCode
    );
    assert_eq!(
        enrol(Some("0000-0000-0000-0000")).await.problem().code,
        ProblemCode::InvalidEnrolmentCode
    );
    let code = campus.platform.admin().new_terminal_code().await.unwrap();
    enrol(Some(&code.to_lowercase().replace('-', " ")))
        .await
        .ok::<EnrolledTerminal>();
    assert_eq!(
        enrol(Some(&code)).await.problem().code,
        ProblemCode::InvalidEnrolmentCode
    );
    let old = campus.platform.admin().new_terminal_code().await.unwrap();
    campus.clock.advance(2 * DAY);
    assert_eq!(
        enrol(Some(&old)).await.problem().code,
        ProblemCode::InvalidEnrolmentCode
    );
}

#[tokio::test]
async fn a_library_desk_needs_a_key_for_its_directories_and_nobody_else_has_one() {
    let campus = TestPlatform::open().await;
    let good = directory_key_for(TerminalKind::Library, &TestKey::new().expanded());
    let off_curve = [&[2; 1][..], &[0xff; 32]].concat();
    for (kind, directory_key) in [
        (TerminalKind::Library, None),
        (TerminalKind::Library, Some(Base64Url::from([2; 32]))),
        (TerminalKind::Library, Some(Base64Url::from([4; 33]))),
        (TerminalKind::Library, Some(Base64Url::from(off_curve))),
        (TerminalKind::Pos, good.clone()),
        (TerminalKind::Gate, good.clone()),
    ] {
        let asked = EnrolTerminal {
            directory_key,
            ..request(kind, None, None)
        };
        let reply = campus.enrol_terminal(&TestKey::new(), &asked).await;
        assert_eq!(reply.problem().code, ProblemCode::InvalidRequest, "{asked:?}");
    }
    let (key, mut asked) = (TestKey::new(), request(TerminalKind::Library, None, None));
    let first: EnrolledTerminal = campus.enrol_terminal(&key, &asked).await.ok();
    assert_eq!(first, campus.enrol_terminal(&key, &asked).await.ok());
    asked.directory_key = good;
    assert_eq!(
        campus.enrol_terminal(&key, &asked).await.problem().code,
        ProblemCode::Forbidden,
        "a desk's key never changes"
    );
}
