//! Directories through the router: who gets one, who stands in it, when it is made anew.

use crate::Error;
use crate::clock::DAY;
use crate::db::transact;
use crate::error::Result;
use crate::testing::{TestPlatform, TestTerminal};
use yika_api::ProblemCode;
use yika_api::terminal::TerminalKind;
use yika_format::credential::Credential;
use yika_format::lists::{Directory, ListError};

const STUDENT: &str = "20260001";
const OTHER: &str = "20260002";

/// The directory as its desk opens it.
async fn directory_of(desk: &TestTerminal<'_>) -> Directory {
    open(desk, &bytes_of(desk).await).unwrap()
}

async fn bytes_of(desk: &TestTerminal<'_>) -> Vec<u8> {
    let reply = desk.get("/v1/terminals/directory").await;
    assert!(reply.status.is_success(), "{reply:?}");
    assert_eq!(reply.header("content-type"), "application/octet-stream");
    reply.body
}

fn open(desk: &TestTerminal<'_>, bytes: &[u8]) -> Result<Directory, ListError> {
    Directory::open(
        bytes,
        &desk.campus.keyset(),
        desk.enrolled.id.0,
        &desk.directory_key,
    )
}

async fn refusal(terminal: &TestTerminal<'_>) -> ProblemCode {
    terminal.get("/v1/terminals/directory").await.problem().code
}

fn number(directory: &Directory, credential: &Credential) -> Option<String> {
    let number = directory.number(credential.body.pseudonym)?;
    Some(number.as_str().to_owned())
}

/// What no function of the platform does.
async fn by_hand(campus: &TestPlatform, statement: &'static str) {
    let done: Result<()> = transact!(campus.platform.db().writer(), |tx| {
        sqlx::query(statement).execute(tx).await?;
        Ok(())
    });
    done.unwrap();
}

#[tokio::test]
async fn a_library_desk_learns_whose_each_pseudonym_is() {
    let campus = TestPlatform::open().await;
    let desk = campus.terminal(TerminalKind::Library).await;
    assert!(directory_of(&desk).await.is_empty());
    let first = campus.bind(STUDENT).await.enrol().await;
    let second = campus.bind(OTHER).await.enrol().await;
    let directory = directory_of(&desk).await;
    assert_eq!(number(&directory, &first).as_deref(), Some(STUDENT));
    assert_eq!(number(&directory, &second).as_deref(), Some(OTHER));
    assert_eq!((directory.len(), directory.terminal()), (2, desk.enrolled.id.0));
    let now = campus.platform.now().0;
    let until = |ms: i64| yika_format::UnixMillis(u64::try_from(now + ms).unwrap());
    assert!(directory.header().is_in_date(until(7 * DAY)));
    assert!(!directory.header().is_in_date(until(7 * DAY + 1)));
}

#[tokio::test]
async fn nobody_but_a_library_desk_in_good_standing_gets_one() {
    let campus = TestPlatform::open().await;
    for kind in [TerminalKind::Pos, TerminalKind::Gate] {
        assert_eq!(
            refusal(&campus.terminal(kind).await).await,
            ProblemCode::Forbidden
        );
    }
    let desk = campus.terminal(TerminalKind::Library).await;
    bytes_of(&desk).await;
    by_hand(&campus, "UPDATE terminal SET frozen = 1 WHERE kind = 'library'").await;
    assert_eq!(refusal(&desk).await, ProblemCode::TerminalFrozen);
    by_hand(
        &campus,
        "UPDATE terminal SET frozen = 0, directory_key = NULL WHERE kind = 'library'",
    )
    .await;
    assert_eq!(
        refusal(&desk).await,
        ProblemCode::Forbidden,
        "a desk of before there were directories"
    );
}

#[tokio::test]
async fn each_desk_can_open_its_own_alone() {
    let campus = TestPlatform::open().await;
    let credential = campus.bind(STUDENT).await.enrol().await;
    let desk = campus.terminal(TerminalKind::Library).await;
    let other = campus.terminal(TerminalKind::Library).await;
    let bytes = bytes_of(&other).await;
    assert_eq!(open(&desk, &bytes), Err(ListError::WrongTerminal));
    let stolen = Directory::open(&bytes, &campus.keyset(), other.enrolled.id.0, &desk.directory_key);
    assert_eq!(stolen, Err(ListError::Sealed));
    assert_eq!(
        number(&directory_of(&other).await, &credential).as_deref(),
        Some(STUDENT)
    );
}

#[tokio::test]
async fn no_number_is_in_the_clear_in_what_is_signed_and_stored() {
    let campus = TestPlatform::open().await;
    campus.bind(STUDENT).await.enrol().await;
    let desk = campus.terminal(TerminalKind::Library).await;
    let given = bytes_of(&desk).await;
    let mut reader = campus.platform.db().read().await.unwrap();
    let rows = sqlx::query("SELECT bytes FROM signed_list UNION ALL SELECT bytes FROM directory")
        .fetch_all(&mut *reader)
        .await
        .unwrap();
    let stored: Vec<Vec<u8>> = rows.iter().map(|row| sqlx::Row::get(row, 0)).collect();
    assert!(stored.contains(&given));
    for bytes in &stored {
        assert!(
            !bytes
                .windows(STUDENT.len())
                .any(|window| window == STUDENT.as_bytes())
        );
    }
}

#[tokio::test]
async fn it_is_made_anew_when_something_has_changed_or_it_gets_old() {
    let campus = TestPlatform::open().await;
    let desk = campus.terminal(TerminalKind::Library).await;
    let other = campus.terminal(TerminalKind::Library).await;
    let first = bytes_of(&desk).await;
    assert_eq!(bytes_of(&desk).await, first);
    let phone = campus.bind(STUDENT).await;
    phone.enrol().await;
    let second = bytes_of(&desk).await;
    assert_eq!(open(&desk, &second).unwrap().header().version, 2);
    by_hand(
        &campus,
        "UPDATE holder SET number = 'T-7' WHERE number = '20260001'",
    )
    .await;
    let third = directory_of(&desk).await;
    assert_eq!(third.header().version, 3);
    assert_eq!(third.entries().next().unwrap().number.as_str(), "T-7");
    campus.clock.advance(DAY - 1);
    assert_eq!(directory_of(&desk).await.header(), third.header());
    campus.clock.advance(1);
    let fourth = directory_of(&desk).await;
    assert_eq!(fourth.header().version, 4);
    assert!(fourth.header().good_until > third.header().good_until);
    assert_eq!(
        directory_of(&other).await.header().version,
        1,
        "versions rise for each desk by themselves"
    );
}

#[tokio::test]
async fn a_desk_that_asks_twice_at_once_gets_one_version() {
    let campus = TestPlatform::open().await;
    let desk = campus.terminal(TerminalKind::Library).await;
    let (first, second) = tokio::join!(bytes_of(&desk), bytes_of(&desk));
    assert_eq!(first, second);
}

#[tokio::test]
async fn whose_codes_nobody_accepts_any_more_is_not_in_it() {
    let campus = TestPlatform::open().await;
    let desk = campus.terminal(TerminalKind::Library).await;
    let first = campus.bind(STUDENT).await.enrol().await;
    let second = campus.bind(OTHER).await.enrol().await;
    let before = bytes_of(&desk).await;
    campus.platform.admin().suspend(STUDENT).await.unwrap();
    assert_eq!(bytes_of(&desk).await, before, "a suspension may be taken back");
    campus.platform.admin().revoke(STUDENT).await.unwrap();
    let directory = directory_of(&desk).await;
    assert_eq!(number(&directory, &first), None);
    assert_eq!(number(&directory, &second).as_deref(), Some(OTHER));
    campus.clock.advance(45 * DAY);
    assert_eq!(
        directory_of(&desk).await.len(),
        1,
        "its row is good for one day more"
    );
    campus.clock.advance(DAY);
    assert!(directory_of(&desk).await.is_empty());
}

#[tokio::test]
async fn a_number_that_fits_no_directory_is_refused_and_an_old_one_left_out() {
    let campus = TestPlatform::open().await;
    for number in ["", "2026 0003", "学号", &"7".repeat(33)] {
        let refused = campus.platform.admin().add_student(number, "Student", &[]).await;
        assert!(
            matches!(&refused, Err(Error::Refused(problem)) if problem.code == ProblemCode::InvalidRequest),
            "{number:?}"
        );
    }
    let first = campus.bind(STUDENT).await.enrol().await;
    let second = campus.bind(OTHER).await.enrol().await;
    by_hand(
        &campus,
        "UPDATE holder SET number = '2026 1' WHERE number = '20260001'",
    )
    .await;
    let directory = directory_of(&campus.terminal(TerminalKind::Library).await).await;
    assert_eq!(number(&directory, &first), None);
    assert_eq!(number(&directory, &second).as_deref(), Some(OTHER));
}
