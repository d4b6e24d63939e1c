//! Face photos through the router: from consent to gates, and back to nothing.

use crate::clock::DAY;
use crate::db::transact;
use crate::error::Result;
use crate::random::sha256;
use crate::testing::{Reply, TestPhone, TestPlatform, TestTerminal, json_body};
use axum::http::{Method, StatusCode};
use sqlx::Row as _;
use std::sync::LazyLock;
use uuid::Uuid;
use yika_api::ProblemCode;
use yika_api::face::{
    BeginPhoto, FaceFile, FacePhoto, GiveConsent, MAX_PORTRAIT, PhotoPhase, PhotoRefusalReason,
};
use yika_api::terminal::{FacesApplied, TerminalKind};
use yika_face::{Detector, check, decode, portrait};
use yika_format::FaceReference;
use yika_format::lists::Faces;

const STUDENT: &str = "20260001";

/// A portrait as a phone makes it.
static PORTRAIT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/face/angus-king.png"
    );
    let picture = decode(&std::fs::read(file).unwrap()).unwrap();
    let (verdict, found) = check(&Detector::new(), &picture);
    portrait(&found.view, &verdict.face.unwrap(), 100_000)
        .unwrap()
        .jpeg
});

async fn put(phone: &TestPhone<'_>, path: &str, request: &impl serde::Serialize) -> Reply {
    let body = serde_json::to_vec(request).unwrap();
    phone.request((Method::PUT, path), &json_body(), body).await
}

async fn file(phone: &TestPhone<'_>) -> FaceFile {
    phone.get("/v1/face").await.ok()
}

async fn consent(phone: &TestPhone<'_>, id: Uuid) -> Reply {
    let request = GiveConsent {
        version: 1,
        agreed_at: phone.campus.platform.now(),
    };
    put(phone, &format!("/v1/face/consents/{id}"), &request).await
}

async fn withdraw(phone: &TestPhone<'_>, id: Uuid) -> Reply {
    let path = format!("/v1/face/consents/{id}");
    phone.request((Method::DELETE, &path), &[], Vec::new()).await
}

fn announced(consent_id: Uuid, jpeg: &[u8]) -> BeginPhoto {
    BeginPhoto {
        consent_id,
        bytes: u32::try_from(jpeg.len()).unwrap(),
        sha256: sha256(jpeg).to_vec().into(),
        advice: Vec::new(),
    }
}

async fn begin(phone: &TestPhone<'_>, id: Uuid, request: &BeginPhoto) -> Reply {
    put(phone, &format!("/v1/face/photos/{id}"), request).await
}

async fn append(phone: &TestPhone<'_>, id: Uuid, from: usize, part: &[u8]) -> Reply {
    let path = format!("/v1/face/photos/{id}/bytes?from={from}");
    let headers = [("content-type", "application/octet-stream".to_owned())];
    phone
        .request((Method::POST, &path), &headers, part.to_vec())
        .await
}

/// A phone whose holder has agreed.
async fn agreed(campus: &TestPlatform) -> (TestPhone<'_>, Uuid) {
    let (phone, id) = (campus.bind(STUDENT).await, Uuid::new_v4());
    let given: FaceFile = consent(&phone, id).await.ok();
    assert_eq!(given.consent.unwrap().id, id);
    (phone, id)
}

/// Uploads a portrait in one part.
async fn uploaded(phone: &TestPhone<'_>, consent: Uuid, jpeg: &[u8]) -> FacePhoto {
    let id = Uuid::new_v4();
    begin(phone, id, &announced(consent, jpeg))
        .await
        .ok::<FacePhoto>();
    append(phone, id, 0, jpeg).await.ok()
}

/// A holder with a portrait on file.
async fn on_file(campus: &TestPlatform) -> (TestPhone<'_>, Uuid, Uuid) {
    let (phone, consent) = agreed(campus).await;
    let photo = uploaded(&phone, consent, &PORTRAIT).await;
    assert_eq!(photo.phase, PhotoPhase::Pending);
    campus.platform.admin().accept_face(photo.id).await.unwrap();
    (phone, consent, photo.id)
}

async fn list(terminal: &TestTerminal<'_>) -> Faces {
    let reply = terminal.get("/v1/terminals/faces").await;
    assert!(reply.status.is_success(), "{reply:?}");
    Faces::open(&reply.body, &terminal.campus.keyset()).unwrap()
}

async fn fetch(terminal: &TestTerminal<'_>, photo: Uuid) -> Reply {
    terminal
        .get(&format!("/v1/terminals/faces/{}", photo.simple()))
        .await
}

async fn applied(terminal: &TestTerminal<'_>, version: u64) -> Reply {
    let body = serde_json::to_vec(&FacesApplied { version }).unwrap();
    let target = (Method::POST, "/v1/terminals/faces/applied");
    terminal
        .campus
        .send_proven(&terminal.key, None, target, &json_body(), body)
        .await
}

async fn events(campus: &TestPlatform) -> Vec<&'static str> {
    let events = campus.platform.admin().face_events(STUDENT).await.unwrap();
    events.iter().map(|event| event.kind.as_str()).collect()
}

async fn count(campus: &TestPlatform, sql: &'static str) -> i64 {
    let mut reader = campus.platform.db().read().await.unwrap();
    sqlx::query(sql).fetch_one(&mut *reader).await.unwrap().get(0)
}

fn keys_left(campus: &TestPlatform) -> usize {
    let folder = campus.folder.path().join("photo-keys");
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[tokio::test]
async fn without_consent_to_the_text_in_force_nothing_is_taken() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind(STUDENT).await;
    let start = file(&phone).await;
    assert_eq!(
        (start.consent, start.is_on_file, start.photo),
        (None, false, None)
    );
    assert_eq!(start.text.version, 1);
    let refused = begin(&phone, Uuid::new_v4(), &announced(Uuid::new_v4(), &PORTRAIT)).await;
    assert_eq!(refused.problem().code, ProblemCode::ConsentRequired);
    let other_text = GiveConsent {
        version: 2,
        agreed_at: campus.platform.now(),
    };
    let refused = put(
        &phone,
        &format!("/v1/face/consents/{}", Uuid::new_v4()),
        &other_text,
    )
    .await;
    assert_eq!(refused.problem().code, ProblemCode::TermsChanged);
    // Somebody else's consent is none of this holder's.
    let (stranger, theirs) = (campus.bind("20260002").await, Uuid::new_v4());
    consent(&stranger, theirs).await.ok::<FaceFile>();
    let refused = begin(&phone, Uuid::new_v4(), &announced(theirs, &PORTRAIT)).await;
    assert_eq!(refused.problem().code, ProblemCode::ConsentRequired);
    assert_eq!(
        consent(&phone, theirs).await.problem().code,
        ProblemCode::IdempotencyConflict
    );
    assert_eq!(
        withdraw(&phone, theirs).await.problem().code,
        ProblemCode::NotFound
    );
    assert_eq!(count(&campus, "SELECT COUNT(*) FROM face_photo").await, 0);
}

#[tokio::test]
async fn an_upload_goes_on_where_it_broke_off_however_often_it_is_sent() {
    let campus = TestPlatform::open().await;
    let (phone, consent) = agreed(&campus).await;
    let (id, request) = (Uuid::new_v4(), announced(consent, &PORTRAIT));
    for _ in 0..2 {
        let begun: FacePhoto = begin(&phone, id, &request).await.ok();
        assert_eq!((begun.phase, begun.received), (PhotoPhase::Receiving, 0));
    }
    let first: FacePhoto = append(&phone, id, 0, &PORTRAIT[..1_000]).await.ok();
    assert_eq!(first.received, 1_000);
    // The answer was lost; then a part that overlaps; then one that leaves a gap; then nothing.
    for (from, to, received) in [
        (0, 1_000, 1_000),
        (500, 1_500, 1_500),
        (2_000, 3_000, 1_500),
        (1_500, 1_500, 1_500),
    ] {
        let photo: FacePhoto = append(&phone, id, from, &PORTRAIT[from..to]).await.ok();
        assert_eq!((photo.phase, photo.received), (PhotoPhase::Receiving, received));
    }
    let beyond = append(&phone, id, 1_500, &[&PORTRAIT[1_500..], &b"more"[..]].concat()).await;
    assert_eq!(beyond.problem().code, ProblemCode::InvalidRequest);
    let whole: FacePhoto = append(&phone, id, 1_500, &PORTRAIT[1_500..]).await.ok();
    assert_eq!((whole.phase, whole.received), (PhotoPhase::Pending, whole.bytes));
    // Whatever comes late changes nothing.
    let again: FacePhoto = append(&phone, id, 0, &PORTRAIT).await.ok();
    assert_eq!(again, whole);
    assert_eq!(begin(&phone, id, &request).await.ok::<FacePhoto>(), whole);
    let other = announced(consent, &PORTRAIT[1..]);
    assert_eq!(
        begin(&phone, id, &other).await.problem().code,
        ProblemCode::IdempotencyConflict
    );
    let seen = campus.platform.admin().face_portrait(id).await.unwrap();
    assert_eq!(seen, *PORTRAIT);
    assert_eq!(
        events(&campus).await,
        ["consent_given", "begun", "received", "seen"]
    );
}

#[tokio::test]
async fn what_is_no_portrait_is_refused_and_gone() {
    let campus = TestPlatform::open().await;
    let (phone, consent) = agreed(&campus).await;
    let mut with_comment = PORTRAIT[..2].to_vec();
    with_comment.extend_from_slice(b"\xff\xfe\x00\x06here");
    with_comment.extend_from_slice(&PORTRAIT[2..]);
    let png = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/face/angus-king.png"
    ));
    let png = png.unwrap()[..50_000].to_vec();
    for jpeg in [with_comment, png, b"rubbish".to_vec(), PORTRAIT[..4_000].to_vec()] {
        let photo = uploaded(&phone, consent, &jpeg).await;
        assert_eq!(photo.phase, PhotoPhase::Refused);
        assert_eq!(photo.refusal.unwrap().reason, PhotoRefusalReason::Unreadable);
    }
    // Other bytes than were announced.
    let id = Uuid::new_v4();
    let mut changed = PORTRAIT.clone();
    changed[2_000] ^= 1;
    begin(&phone, id, &announced(consent, &PORTRAIT))
        .await
        .ok::<FacePhoto>();
    let photo: FacePhoto = append(&phone, id, 0, &changed).await.ok();
    assert_eq!(photo.phase, PhotoPhase::Refused);
    assert_eq!(
        (
            count(&campus, "SELECT COUNT(*) FROM face_part").await,
            keys_left(&campus)
        ),
        (0, 0)
    );
    let id = Uuid::new_v4();
    for (bytes, digest, advice) in [
        (0, vec![0; 32], vec![]),
        (MAX_PORTRAIT + 1, vec![0; 32], vec![]),
        (5, vec![0; 31], vec![]),
        (5, vec![0; 32], vec!["Blur".to_owned()]),
        (5, vec![0; 32], vec!["blur".to_owned(); 33]),
    ] {
        let request = BeginPhoto {
            consent_id: consent,
            bytes,
            sha256: digest.into(),
            advice,
        };
        let refused = begin(&phone, id, &request).await;
        assert_eq!(refused.problem().code, ProblemCode::InvalidRequest);
    }
}

#[tokio::test]
async fn the_card_office_decides_and_the_holder_hears_why() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    let (phone, consent) = agreed(&campus).await;
    let id = Uuid::new_v4();
    let request = BeginPhoto {
        advice: vec!["yaw".to_owned()],
        ..announced(consent, &PORTRAIT)
    };
    begin(&phone, id, &request).await.ok::<FacePhoto>();
    append(&phone, id, 0, &PORTRAIT).await.ok::<FacePhoto>();
    let reviews = admin.face_reviews().await.unwrap();
    assert_eq!(
        (reviews.len(), reviews[0].id, reviews[0].number.as_str()),
        (1, id, STUDENT)
    );
    assert_eq!(
        (&reviews[0].advice, reviews[0].findings.len()),
        (&vec!["yaw".to_owned()], 0)
    );
    let without_reply = admin.refuse_face(id, PhotoRefusalReason::Other, Some(" ")).await;
    assert!(without_reply.is_err());
    admin
        .refuse_face(id, PhotoRefusalReason::Other, Some("请换一张近照"))
        .await
        .unwrap();
    let refused = file(&phone).await;
    let photo = refused.photo.unwrap();
    assert_eq!((photo.phase, refused.is_on_file), (PhotoPhase::Refused, false));
    assert_eq!(photo.refusal.unwrap().reply.unwrap(), "请换一张近照");
    assert!(admin.accept_face(id).await.is_err() && admin.face_portrait(id).await.is_err());
    assert!(admin.face_reviews().await.unwrap().is_empty());
    assert_eq!(keys_left(&campus), 0);
    // One that is accepted stays on file until another one is.
    let first = uploaded(&phone, consent, &PORTRAIT).await;
    admin.accept_face(first.id).await.unwrap();
    let second = uploaded(&phone, consent, &PORTRAIT).await;
    let now = file(&phone).await;
    assert_eq!(
        (now.is_on_file, now.photo.unwrap().phase),
        (true, PhotoPhase::Pending)
    );
    admin.accept_face(second.id).await.unwrap();
    assert_eq!((file(&phone).await.is_on_file, keys_left(&campus)), (true, 1));
    // What is under way makes room for what comes after it.
    let third = uploaded(&phone, consent, &PORTRAIT).await;
    let fourth = uploaded(&phone, consent, &PORTRAIT).await;
    assert!(admin.accept_face(third.id).await.is_err());
    admin.accept_face(fourth.id).await.unwrap();
    assert_eq!(keys_left(&campus), 1);
}

#[tokio::test]
async fn gates_get_signed_references_and_say_when_a_portrait_is_gone() {
    let campus = TestPlatform::open().await;
    let gate = campus.terminal(TerminalKind::Gate).await;
    assert!(list(&gate).await.entries().is_empty());
    let (phone, consent, photo) = on_file(&campus).await;
    let faces = list(&gate).await;
    let reference = FaceReference(*photo.as_bytes());
    assert_eq!(faces.digest(reference), Some(sha256(&PORTRAIT)));
    assert_eq!((faces.header().version, faces.entries().len()), (2, 1));
    assert_eq!(list(&gate).await.header().version, 2, "nothing has changed");
    let got = fetch(&gate, photo).await;
    assert_eq!(
        (got.header("content-type"), got.body == *PORTRAIT),
        ("image/jpeg", true)
    );
    assert_eq!(got.header("cache-control"), "no-store");
    assert_eq!(applied(&gate, 2).await.status, StatusCode::NO_CONTENT);
    let withdrawn: FaceFile = withdraw(&phone, consent).await.ok();
    let deletion = withdrawn.deletion.unwrap();
    assert_eq!(
        (deletion.terminals_left, deletion.deleted_at),
        (1, Some(deletion.withdrawn_at))
    );
    assert_eq!(deletion.gone_by, deletion.withdrawn_at.plus_millis(30 * DAY));
    assert_eq!(fetch(&gate, photo).await.problem().code, ProblemCode::NotFound);
    // That the old list holds there says nothing of what is gone.
    applied(&gate, 2).await;
    assert_eq!(file(&phone).await.deletion.unwrap().terminals_left, 1);
    let early = applied(&gate, 3).await;
    assert_eq!(
        early.problem().code,
        ProblemCode::InvalidRequest,
        "there is no third list yet"
    );
    assert!(list(&gate).await.entries().is_empty());
    for _ in 0..2 {
        assert_eq!(applied(&gate, 3).await.status, StatusCode::NO_CONTENT);
        assert_eq!(file(&phone).await.deletion.unwrap().terminals_left, 0);
    }
    assert_eq!(
        events(&campus).await,
        [
            "consent_given",
            "begun",
            "received",
            "accepted",
            "delivered",
            "consent_withdrawn",
            "deleted",
            "key_destroyed",
            "removed"
        ]
    );
}

#[tokio::test]
async fn nobody_but_gates_and_tills_gets_portraits_and_none_of_a_frozen_holder() {
    let campus = TestPlatform::open().await;
    let (_, _, photo) = on_file(&campus).await;
    let desk = campus.terminal(TerminalKind::Library).await;
    for reply in [
        desk.get("/v1/terminals/faces").await,
        fetch(&desk, photo).await,
        applied(&desk, 1).await,
    ] {
        assert_eq!(reply.problem().code, ProblemCode::Forbidden);
    }
    let till = campus.terminal(TerminalKind::Pos).await;
    assert_eq!(list(&till).await.entries().len(), 1);
    fetch(&till, photo).await;
    campus.platform.admin().suspend(STUDENT).await.unwrap();
    assert!(list(&till).await.entries().is_empty());
    applied(&till, 2).await;
    assert_eq!(
        count(&campus, "SELECT COUNT(*) FROM face_copy WHERE removed_at IS NULL").await,
        0
    );
    campus.platform.admin().undo_suspension(STUDENT).await.unwrap();
    assert_eq!(list(&till).await.entries().len(), 1);
    assert!(fetch(&till, photo).await.status.is_success());
    assert_eq!(
        count(&campus, "SELECT COUNT(*) FROM face_copy WHERE removed_at IS NULL").await,
        1
    );
    // A list that gets old is made anew; a lease that is over is no copy any more.
    campus.clock.advance(DAY);
    assert_eq!(list(&till).await.header().version, 4);
}

#[tokio::test]
async fn what_was_withdrawn_can_not_be_read_any_more_and_a_late_request_ends_no_new_consent() {
    let campus = TestPlatform::open().await;
    let (phone, consent_id, photo) = on_file(&campus).await;
    let sealed = {
        let mut reader = campus.platform.db().read().await.unwrap();
        let rows = sqlx::query("SELECT sealed FROM face_part")
            .fetch_all(&mut *reader)
            .await
            .unwrap();
        rows.iter()
            .map(|row| row.get::<Vec<u8>, _>(0))
            .collect::<Vec<_>>()
    };
    assert!(
        sealed
            .iter()
            .all(|part| !part.windows(64).any(|window| window == &PORTRAIT[300..364]))
    );
    let pending = uploaded(&phone, consent_id, &PORTRAIT).await;
    assert_eq!(keys_left(&campus), 2);
    withdraw(&phone, consent_id).await.ok::<FaceFile>();
    assert_eq!(
        (
            count(&campus, "SELECT COUNT(*) FROM face_part").await,
            keys_left(&campus)
        ),
        (0, 0)
    );
    // Whoever restores the parts from a backup has no key to them.
    assert!(campus.platform.photo_keys().get(photo).await.unwrap().is_none());
    let late: FacePhoto = append(&phone, pending.id, 0, &PORTRAIT).await.ok();
    assert_eq!(late.phase, PhotoPhase::Deleted);
    let refused = begin(&phone, Uuid::new_v4(), &announced(consent_id, &PORTRAIT)).await;
    assert_eq!(refused.problem().code, ProblemCode::ConsentRequired);
    let again = Uuid::new_v4();
    campus.clock.advance(1);
    consent(&phone, again).await.ok::<FaceFile>();
    let still: FaceFile = withdraw(&phone, consent_id).await.ok();
    assert_eq!((still.consent.unwrap().id, still.deletion), (again, None));
}

#[tokio::test]
async fn what_a_crash_left_is_done_by_the_sweep() {
    let campus = TestPlatform::open().await;
    let (phone, consent) = agreed(&campus).await;
    // Whole, and not looked into.
    let whole = Uuid::new_v4();
    begin(&phone, whole, &announced(consent, &PORTRAIT))
        .await
        .ok::<FacePhoto>();
    let key = campus.platform.photo_keys().get(whole).await.unwrap().unwrap();
    let sealed = key.seal(0, &PORTRAIT).unwrap();
    let size = u32::try_from(PORTRAIT.len()).unwrap();
    let stored: Result<()> = transact!(campus.platform.db().writer(), |tx| {
        super::store::add_part(tx, whole, 0, sealed.clone(), size).await
    });
    stored.unwrap();
    campus.clock.advance(120_000);
    campus.platform.sweep_faces().await.unwrap();
    assert_eq!(file(&phone).await.photo.unwrap().phase, PhotoPhase::Pending);
    // Never whole.
    let half = Uuid::new_v4();
    begin(&phone, half, &announced(consent, &PORTRAIT))
        .await
        .ok::<FacePhoto>();
    append(&phone, half, 0, &PORTRAIT[..9]).await.ok::<FacePhoto>();
    campus.clock.advance(8 * DAY);
    campus.platform.sweep_faces().await.unwrap();
    let phone = campus.bind(STUDENT).await;
    assert_eq!(file(&phone).await.photo.unwrap().phase, PhotoPhase::Deleted);
    // Ended, and its key still there.
    let ended = uploaded(&phone, consent, &PORTRAIT).await;
    let stored: Result<()> = transact!(campus.platform.db().writer(), |tx| {
        let photo = super::store::photo(tx, ended.id).await?.unwrap();
        super::store::end(tx, &photo, None, campus.platform.now()).await
    });
    stored.unwrap();
    assert_eq!(keys_left(&campus), 1);
    campus.platform.sweep_faces().await.unwrap();
    assert_eq!(keys_left(&campus), 0);
    assert_eq!(events(&campus).await.last(), Some(&"key_destroyed"));
}
