//! The holder's photo at the school, against a platform that does as it is told.

use std::sync::LazyLock;

use super::model::*;
use super::*;
use crate::CampusCard;
use crate::error::CoreError;
use crate::testing::faces::Weather;
use crate::testing::{TestPhone, block_on, id_token};

static PORTRAIT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/face/angus-king.png"
    );
    let picture = decode(&std::fs::read(file).unwrap()).unwrap();
    let (verdict, found) = check(&Detector::new(), &picture);
    portrait(&found.view, &verdict.face.unwrap(), PORTRAIT_BYTES)
        .unwrap()
        .jpeg
});

fn bound() -> (TestPhone, CampusCard) {
    let phone = TestPhone::new();
    phone.platform.campus().faces.offered = true;
    let card = phone.bound();
    (phone, card)
}

fn record(card: &CampusCard) -> FaceRecord {
    block_on(card.face().record()).unwrap()
}

fn agree(card: &CampusCard) -> FaceRecord {
    block_on(card.face().agree(1)).unwrap()
}

fn upload(card: &CampusCard) -> Result<FaceRecord, CoreError> {
    block_on(card.face().upload(PORTRAIT.clone(), Vec::new(), false))
}

fn withdraw(card: &CampusCard) -> FaceRecord {
    block_on(card.face().withdraw()).unwrap()
}

fn phase(record: &FaceRecord) -> Option<UploadPhase> {
    record.upload.as_ref().map(|upload| upload.phase)
}

/// Until it is told otherwise, nothing arrives.
fn unplug(phone: &TestPhone) {
    phone.platform.campus().faces.weather = std::iter::repeat_n(Weather::Away, 1_000).collect();
}

fn plug_in(phone: &TestPhone) {
    phone.platform.campus().faces.weather.clear();
}

#[test]
fn a_portrait_goes_from_consent_to_the_file() {
    let (phone, card) = bound();
    let start = record(&card);
    assert_eq!(
        (start.text.unwrap().version, start.consent, start.is_on_file),
        (1, None, false)
    );
    assert_eq!(upload(&card).unwrap_err(), CoreError::ConsentRequired);
    assert!(agree(&card).consent.unwrap().is_recorded);
    let advice = vec![Advice::Yaw, Advice::Dark];
    let sent = block_on(card.face().upload(PORTRAIT.clone(), advice, false)).unwrap();
    assert_eq!(phase(&sent), Some(UploadPhase::Pending));
    {
        let campus = phone.platform.campus();
        assert!(campus.faces.bytes == *PORTRAIT);
        let announced = campus.faces.announced.clone().unwrap();
        assert_eq!(announced.advice, ["yaw", "dark"], "a person is asked to look");
    }
    let refusal = PhotoRefusal {
        reason: PhotoRefusalReason::Unclear,
        reply: None,
    };
    phone.platform.decide(Some(refusal.clone()));
    block_on(card.synchronise()).unwrap();
    let refused = record(&card).upload.unwrap();
    assert_eq!(
        (refused.phase, refused.refusal),
        (UploadPhase::Refused, Some(refusal))
    );
    upload(&card).unwrap();
    phone.platform.decide(None);
    block_on(card.synchronise()).unwrap();
    assert!(record(&card).is_on_file);
    // Who has one on file need not send another, and can.
    let skipped = upload(&card).unwrap();
    assert_eq!(
        (phase(&skipped), phone.platform.campus().faces.effects.1),
        (Some(UploadPhase::Accepted), 2)
    );
    let replaced = block_on(card.face().upload(PORTRAIT.clone(), Vec::new(), true)).unwrap();
    assert_eq!(
        (phase(&replaced), replaced.is_on_file),
        (Some(UploadPhase::Pending), true)
    );
}

#[test]
fn whichever_reply_is_lost_everything_is_done_once() {
    for lost in 0..8 {
        for weather in [Weather::ReplyLost, Weather::Away] {
            let (phone, mut card) = bound();
            phone.platform.campus().faces.weather = std::iter::repeat_n(Weather::Clear, lost)
                .chain([weather])
                .collect();
            agree(&card);
            upload(&card).unwrap();
            drop(card);
            plug_in(&phone);
            card = phone.open();
            block_on(card.synchronise()).unwrap();
            let what = format!("{lost} {weather:?}");
            assert_eq!(phase(&record(&card)), Some(UploadPhase::Pending), "{what}");
            let campus = phone.platform.campus();
            assert_eq!(campus.faces.effects, (1, 1), "{what}");
            assert!(campus.faces.bytes == *PORTRAIT, "{what}");
        }
    }
}

#[test]
fn without_a_network_it_waits_and_goes_on_where_it_broke_off() {
    let (phone, mut card) = bound();
    unplug(&phone);
    let agreed = agree(&card);
    assert!(!agreed.consent.unwrap().is_recorded);
    let waiting = upload(&card).unwrap();
    assert_eq!(phase(&waiting), Some(UploadPhase::Queued));
    drop(card);
    card = phone.open();
    assert_eq!(record(&card), waiting, "it is on the disk");
    // Consent, announcement and one part arrive, and no more.
    phone.platform.campus().faces.weather = [Weather::Clear; 3]
        .into_iter()
        .chain(std::iter::repeat_n(Weather::Away, 1_000))
        .collect();
    block_on(card.synchronise()).unwrap_err();
    let sent = record(&card).upload.unwrap();
    assert_eq!((sent.phase, sent.sent), (UploadPhase::Sending, 16 * 1024));
    plug_in(&phone);
    block_on(card.synchronise()).unwrap();
    assert_eq!(phase(&record(&card)), Some(UploadPhase::Pending));
    assert!(phone.platform.campus().faces.bytes == *PORTRAIT);
}

#[test]
fn what_is_taken_back_is_gone_here_at_once_and_there_when_it_hears_of_it() {
    let (phone, card) = bound();
    agree(&card);
    upload(&card).unwrap();
    phone.platform.decide(None);
    block_on(card.synchronise()).unwrap();
    unplug(&phone);
    block_on(card.face().upload(PORTRAIT.clone(), Vec::new(), true)).unwrap();
    let waiting = withdraw(&card);
    assert_eq!(
        (waiting.consent, waiting.is_on_file, phase(&record(&card))),
        (None, false, None)
    );
    assert_eq!(waiting.deletion.unwrap().deleted_at, None);
    assert!(card.store().get::<PortraitDraft>().unwrap().is_none());
    assert!(phone.platform.campus().faces.is_on_file, "it has not heard of it");
    // Withdrawn again, agreed to anew, and withdrawn once more: the first one is what has to be told.
    withdraw(&card);
    agree(&card);
    withdraw(&card);
    plug_in(&phone);
    block_on(card.synchronise()).unwrap();
    let told = record(&card);
    let deletion = told.deletion.unwrap();
    assert_eq!(
        (deletion.terminals_left, deletion.deleted_at.is_some()),
        (2, true)
    );
    let campus = phone.platform.campus();
    assert_eq!((campus.faces.consent.as_ref(), campus.faces.effects.0), (None, 1));
    assert!(campus.faces.bytes.is_empty() && !campus.faces.is_on_file);
}

#[test]
fn consent_that_is_given_again_outlives_the_withdrawal_before_it() {
    let (phone, card) = bound();
    agree(&card);
    unplug(&phone);
    withdraw(&card);
    let again = agree(&card);
    assert_eq!((again.consent.is_some(), again.deletion), (true, None));
    upload(&card).unwrap();
    plug_in(&phone);
    block_on(card.synchronise()).unwrap();
    let now = record(&card);
    assert_eq!(
        (now.consent.unwrap().is_recorded, phase(&record(&card))),
        (true, Some(UploadPhase::Pending))
    );
    assert_eq!(phone.platform.campus().faces.ended.len(), 1);
    // Nothing to take back is taken back.
    let (_, other) = bound();
    assert_eq!(withdraw(&other).deletion, None);
}

#[test]
fn another_text_is_agreed_to_anew_and_nothing_waits() {
    let (phone, card) = bound();
    unplug(&phone);
    agree(&card);
    upload(&card).unwrap();
    phone.platform.campus().faces.text_version = 2;
    plug_in(&phone);
    assert_eq!(
        block_on(card.synchronise()).unwrap_err(),
        CoreError::ConsentRequired
    );
    let now = record(&card);
    assert_eq!((now.consent, now.upload), (None, None));
    block_on(card.synchronise()).unwrap();
    assert_eq!(
        block_on(card.face().agree(1)).unwrap_err(),
        CoreError::ConsentRequired
    );
    block_on(card.face().agree(2)).unwrap();
    assert_eq!(phase(&upload(&card).unwrap()), Some(UploadPhase::Pending));
}

#[test]
fn only_portraits_are_sent() {
    let (_phone, card) = bound();
    agree(&card);
    for photo in [
        b"rubbish".to_vec(),
        PORTRAIT[..900].to_vec(),
        [&PORTRAIT[..], b"more"].concat(),
    ] {
        let refused = block_on(card.face().upload(photo, Vec::new(), false));
        assert_eq!(
            refused.unwrap_err(),
            CoreError::Photo {
                fault: PhotoFault::NoPortrait
            }
        );
    }
    assert_eq!(record(&card).upload, None);
}

#[test]
fn what_waits_is_nobody_elses() {
    let (phone, card) = bound();
    unplug(&phone);
    agree(&card);
    upload(&card).unwrap();
    block_on(card.session().bind(phone.platform.url(), id_token("20260002"))).unwrap_err();
    let other = record(&card);
    assert_eq!((other.consent, other.upload), (None, None));
    assert!(card.store().get::<PortraitDraft>().unwrap().is_none());
}

#[test]
fn signing_out_tells_what_was_taken_back() {
    let (phone, card) = bound();
    agree(&card);
    unplug(&phone);
    withdraw(&card);
    plug_in(&phone);
    block_on(card.session().sign_out()).unwrap();
    assert_eq!(phone.platform.campus().faces.ended.len(), 1);
}

#[test]
fn a_platform_without_face_photos_hinders_nothing() {
    let phone = TestPhone::new();
    let card = phone.bound();
    block_on(card.synchronise()).unwrap();
    assert_eq!(record(&card), FaceRecord::default());
}

#[test]
fn after_some_refused_photos_a_person_may_look() {
    let phone = TestPhone::new();
    let card = phone.open();
    let photo = |name: &str| {
        let file = format!("{}/../tests/fixtures/face/{name}", env!("CARGO_MANIFEST_DIR"));
        block_on(card.face().check(std::fs::read(file).unwrap())).unwrap()
    };
    let offers: Vec<_> = (0..4).map(|_| photo("jacky-rosen.png").offers_review).collect();
    assert_eq!(offers, [false, false, true, true]);
    assert!(!photo("angus-king.png").offers_review);
    assert!(
        !photo("jacky-rosen.png").offers_review,
        "one that will do ends the count"
    );
}
