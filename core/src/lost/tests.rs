//! What is lost and found, against a platform that does as it is told.

use uuid::Uuid;
use yika_api::device::Device;
use yika_api::lost::Lost;
use zeroize::Zeroizing;

use super::model::*;
use crate::approvals::StepUp;
use crate::codes::{CodePurpose, FormChoice};
use crate::testing::lost::Weather;
use crate::testing::money::PASSWORD;
use crate::testing::platform::DEVICE;
use crate::testing::{FakeClock, TestPhone, block_on, id_token};
use crate::wallet::{MoneyReason, PaymentPassword};
use crate::{CampusCard, CoreError};

const OTHER: Uuid = Uuid::from_u128(0xd2);

fn bound() -> (TestPhone, CampusCard) {
    let phone = TestPhone::new();
    {
        let mut campus = phone.platform.campus();
        campus.losses.offered = true;
        campus.money.offered = true;
        campus.losses.devices = [(DEVICE, true), (OTHER, false)]
            .map(|(id, is_this)| Device {
                id,
                name: "phone".to_owned(),
                bound_at: FakeClock::START,
                last_seen: FakeClock::START,
                is_this,
                is_lost: false,
            })
            .to_vec();
    }
    let card = phone.bound();
    (phone, card)
}

fn code(card: &CampusCard) -> Result<String, CoreError> {
    let purpose = CodePurpose::Payment { account: None };
    let shown = card.codes().show_blocking(purpose, FormChoice::Short)?;
    Ok(shown.text)
}

fn report(card: &CampusCard, item: LostItem) -> Result<Security, CoreError> {
    block_on(card.security().report(item))
}

fn found(card: &CampusCard, item: LostItem, step_up: Option<StepUp>) -> Result<Security, CoreError> {
    block_on(card.security().found(item, step_up))
}

fn status(card: &CampusCard) -> Security {
    block_on(card.security().status()).unwrap()
}

fn by_password(digits: &str) -> Option<StepUp> {
    let password = PaymentPassword::new(Zeroizing::new(digits.to_owned())).unwrap();
    Some(StepUp::Password { password })
}

fn state(security: &Security, item: LostItem) -> LostState {
    let row = security.rows.iter().find(|row| row.item == item);
    row.unwrap().state
}

fn lost(by: SuspendedBy) -> LostState {
    LostState::Lost {
        since: FakeClock::START,
        by,
        online_from: FakeClock::START,
        offline_by: FakeClock::START.plus_millis(3_000),
        offline_identity_by: FakeClock::START.plus_millis(7_000),
    }
}

const SENDING: LostState = LostState::Sending {
    since: FakeClock::START,
};

#[test]
fn without_a_network_this_phones_codes_stop_at_once_and_the_report_is_sent_later_once() {
    for (item, error) in [
        (LostItem::ThisPhone, CoreError::PhoneLost),
        (LostItem::All, CoreError::CardFrozen),
    ] {
        let (phone, card) = bound();
        code(&card).unwrap();
        phone.platform.campus().is_away = true;
        let waiting = report(&card, item).unwrap();
        assert_eq!(state(&waiting, item), SENDING);
        assert_eq!(code(&card), Err(error.clone()));
        drop(card);
        let card = phone.open();
        assert_eq!(code(&card), Err(error.clone()), "it is on the disk");
        assert_eq!(status(&card), waiting);
        // Reported again it is still one, and it can't be found before it is told.
        report(&card, item).unwrap();
        assert!(found(&card, item, by_password(PASSWORD)).is_err());
        phone.platform.campus().is_away = false;
        assert_eq!(block_on(card.synchronise()), Err(error.clone()));
        assert_eq!(state(&status(&card), item), lost(SuspendedBy::Holder));
        assert_eq!(phone.platform.campus().losses.reports, 1);
        assert_eq!(code(&card), Err(error));
    }
}

#[test]
fn what_the_platform_says_of_the_credential_lifts_no_report_that_waits() {
    let (phone, card) = bound();
    phone.platform.campus().is_away = true;
    report(&card, LostItem::ThisPhone).unwrap();
    phone.platform.campus().is_away = false;
    phone.platform.campus().renewal_due = true;
    // The report alone doesn't get through, whoever sends it.
    phone.platform.campus().losses.weather = Weather::Away;
    assert!(block_on(card.synchronise()).is_err());
    assert_eq!(code(&card), Err(CoreError::PhoneLost));
    assert_eq!(state(&status(&card), LostItem::ThisPhone), SENDING);
    phone.platform.campus().losses.weather = Weather::Clear;
    let told = block_on(card.security().refresh()).unwrap();
    assert_eq!(state(&told, LostItem::ThisPhone), lost(SuspendedBy::Holder));
    assert_eq!(code(&card), Err(CoreError::PhoneLost));
}

#[test]
fn a_report_whose_reply_is_lost_is_one_report() {
    let (phone, card) = bound();
    phone.platform.campus().losses.weather = Weather::ReplyLost;
    let waiting = report(&card, LostItem::All).unwrap();
    assert_eq!(state(&waiting, LostItem::All), SENDING, "nobody knows");
    phone.platform.campus().losses.weather = Weather::Clear;
    drop(card);
    let card = phone.open();
    let told = block_on(card.security().refresh()).unwrap();
    assert_eq!(state(&told, LostItem::All), lost(SuspendedBy::Holder));
    assert_eq!(phone.platform.campus().losses.reports, 1);
}

#[test]
fn the_plastic_card_and_another_phone_leave_this_ones_codes_alone() {
    let (phone, card) = bound();
    let told = report(&card, LostItem::Card).unwrap();
    assert_eq!(state(&told, LostItem::Card), lost(SuspendedBy::Holder));
    let told = report(&card, LostItem::Phone { device: OTHER }).unwrap();
    assert_eq!(state(&told, LostItem::ThisPhone), LostState::Active);
    let other = told.devices.iter().find(|device| device.id == OTHER).unwrap();
    assert_eq!(
        (other.state, other.is_this, told.frozen),
        (lost(SuspendedBy::Holder), false, None)
    );
    code(&card).unwrap();
    let nobodys = report(&card, LostItem::Phone { device: Uuid::nil() }).unwrap_err();
    assert_eq!(nobodys.code(), "refused");
    assert_eq!(phone.platform.campus().losses.reports, 2);
    block_on(card.synchronise()).unwrap();
}

#[test]
fn what_is_found_gets_a_new_epoch_once_the_holder_has_shown_to_be_there() {
    for item in [LostItem::ThisPhone, LostItem::All] {
        let (phone, card) = bound();
        let epoch = |card: &CampusCard| phone.platform.verify(&code(card).unwrap()).moment().epoch.get();
        assert_eq!(epoch(&card), 1);
        report(&card, item).unwrap();
        for (step_up, reason) in [
            (None, MoneyReason::StepUpRequired),
            (by_password("111111"), MoneyReason::BankRefused),
            (Some(StepUp::Approval), MoneyReason::ApprovalRefused),
        ] {
            match found(&card, item, step_up) {
                Err(CoreError::Money { refusal }) => assert_eq!(refusal.reason, reason),
                other => panic!("{other:?}"),
            }
        }
        assert!(code(&card).is_err());
        let told = found(&card, item, by_password(PASSWORD)).unwrap();
        assert_eq!((state(&told, item), told.frozen), (LostState::Active, None));
        assert_eq!(epoch(&card), 2);
        // There is nothing left to be found.
        found(&card, item, None).unwrap();
        drop(card);
        assert_eq!(status(&phone.open()), told);
    }
}

#[test]
fn who_has_no_password_signs_in_at_the_host() {
    let (phone, card) = bound();
    report(&card, LostItem::ThisPhone).unwrap();
    let step_up = StepUp::SignIn {
        id_token: id_token("20260001"),
    };
    assert!(!format!("{step_up:?}").contains("CANARY"));
    found(&card, LostItem::ThisPhone, Some(step_up)).unwrap();
    assert_eq!(
        phone.platform.campus().losses.id_tokens,
        [id_token("20260001").expose()]
    );
    code(&card).unwrap();
}

#[test]
fn what_the_card_office_froze_is_said_to_be_and_the_holder_is_not_asked() {
    let (phone, card) = bound();
    phone.platform.freeze();
    assert_eq!(block_on(card.synchronise()), Err(CoreError::CardFrozen));
    let told = status(&card);
    assert_eq!(told.frozen, Some(SuspendedBy::Office));
    assert_eq!(
        found(&card, LostItem::All, by_password(PASSWORD)),
        Err(CoreError::Forbidden)
    );
    // Reported besides, it is still the office's.
    let told = report(&card, LostItem::All).unwrap();
    assert_eq!(told.frozen, Some(SuspendedBy::Office));
    let told = found(&card, LostItem::All, by_password(PASSWORD)).unwrap();
    assert_eq!(told.frozen, Some(SuspendedBy::Office));
    assert_eq!(code(&card), Err(CoreError::CardFrozen));
}

#[test]
fn what_another_phone_ends_this_one_hears_of() {
    let (phone, card) = bound();
    report(&card, LostItem::ThisPhone).unwrap();
    assert_eq!(block_on(card.synchronise()), Err(CoreError::PhoneLost));
    phone.platform.end_all();
    block_on(card.synchronise()).unwrap();
    code(&card).unwrap();
    assert_eq!(state(&status(&card), LostItem::ThisPhone), LostState::Active);
}

#[test]
fn a_report_that_comes_late_after_it_was_found_stops_nothing() {
    let (phone, card) = bound();
    phone.platform.campus().losses.weather = Weather::ReplyLost;
    report(&card, LostItem::ThisPhone).unwrap();
    phone.platform.campus().losses.weather = Weather::Clear;
    phone.platform.end_all();
    block_on(card.synchronise()).unwrap();
    code(&card).unwrap();
    assert_eq!(phone.platform.campus().losses.open, []);
}

#[test]
fn another_phone_is_removed_by_the_holder_alone() {
    let (phone, card) = bound();
    block_on(card.synchronise()).unwrap();
    assert_eq!(status(&card).devices.len(), 2);
    let refused = block_on(card.security().remove_device(OTHER, None)).unwrap_err();
    assert_eq!(refused.code(), "step_up_required");
    let left = block_on(card.security().remove_device(OTHER, by_password(PASSWORD))).unwrap();
    assert_eq!(left.devices.len(), 1);
    assert!(left.devices[0].is_this);
    assert_eq!(phone.platform.campus().losses.devices.len(), 1);
}

#[test]
fn signing_out_tells_what_waits_and_another_person_finds_nothing_of_it() {
    let (phone, card) = bound();
    phone.platform.campus().is_away = true;
    report(&card, LostItem::Card).unwrap();
    phone.platform.campus().is_away = false;
    block_on(card.session().sign_out()).unwrap();
    assert_eq!(phone.platform.campus().losses.open[0].lost, Lost::Card);

    let (phone, card) = bound();
    phone.platform.campus().losses.weather = Weather::Away;
    report(&card, LostItem::All).unwrap();
    block_on(card.session().bind(phone.platform.url(), id_token("20260002"))).unwrap();
    assert_eq!(state(&status(&card), LostItem::All), LostState::Active);
    code(&card).unwrap();
}

#[test]
fn a_platform_of_before_there_were_reports_is_no_error() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let told = status(&card);
    assert_eq!((told.as_of, told.devices), (None, Vec::new()));
    assert!(told.rows.iter().all(|row| row.state == LostState::Active));
}

#[test]
fn without_a_card_there_is_nothing_to_report() {
    let card = TestPhone::new().open();
    assert_eq!(report(&card, LostItem::All), Err(CoreError::NotBound));
    assert_eq!(found(&card, LostItem::All, None), Err(CoreError::NotBound));
    assert_eq!(block_on(card.security().status()), Err(CoreError::NotBound));
}
