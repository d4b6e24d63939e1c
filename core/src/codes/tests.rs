//! Codes as a canteen sees them: offline, over restarts, with stores put back, clocks turned and keystores that dawdle.

use super::*;
use crate::clock::{ClockQuality, ClockStory};
use crate::ports::software::FileWitness;
use crate::ports::{Ports, Witness as _};
use crate::testing::platform::{Fault, MAIN, SUBSIDY};
use crate::testing::{FakeClock, TestPhone, block_on, id_token};
use crate::{CampusCard, Config, CoreError};
use std::fs;
use std::path::{Path, PathBuf};
use yika_api::ProblemCode;
use yika_api::credential::CredentialState;
use yika_format::Sequence;
use yika_format::code::{ClockConfidence, Code};

pub(super) const PAY: CodePurpose = CodePurpose::Payment { account: None };
const DAY: u32 = 86_400_000;

pub(super) fn show(
    card: &CampusCard,
    purpose: CodePurpose,
    form: FormChoice,
) -> Result<CodeFrame, CoreError> {
    card.codes().show_blocking(purpose, form)
}

pub(super) fn short(card: &CampusCard) -> CodeFrame {
    show(card, PAY, FormChoice::Short).unwrap()
}

pub(super) fn sequence(frame: &CodeFrame) -> Sequence {
    Code::from_text(frame.text.as_bytes())
        .unwrap()
        .moment()
        .sequence()
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn backup(phone: &TestPhone) -> PathBuf {
    let backup = phone.home.path().join("backup");
    copy(&phone.folder(), &backup);
    backup
}

#[test]
fn a_phone_that_is_not_set_up_says_what_is_missing() {
    let phone = TestPhone::new();
    let card = phone.open();
    assert_eq!(show(&card, PAY, FormChoice::Short), Err(CoreError::NotBound));
    phone.platform.fail(
        "GET /v1/credentials/current",
        Fault::Problem(ProblemCode::Forbidden),
    );
    assert_eq!(
        block_on(card.session().bind(phone.platform.url(), id_token("20260001"))),
        Err(CoreError::Forbidden)
    );
    assert_eq!(show(&card, PAY, FormChoice::Short), Err(CoreError::NotEnrolled));
    block_on(card.synchronise()).unwrap();
    phone.platform.verify(&short(&card).text);
}

#[test]
fn showing_codes_asks_nobody() {
    let phone = TestPhone::new();
    drop(phone.bound());
    let asked = phone.platform.campus().requests.len();
    let card = phone.open();
    for _ in 0..100 {
        phone.advance(20_000);
        phone.platform.verify(&short(&card).text);
    }
    assert_eq!(phone.platform.campus().requests.len(), asked);
}

#[test]
fn both_forms_of_a_moment_share_counter_and_signature() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let frames = [FormChoice::Short, FormChoice::Full].map(|form| show(&card, PAY, form).unwrap());
    assert_eq!(
        frames.each_ref().map(|frame| frame.form),
        [CodeForm::Short, CodeForm::Full]
    );
    assert_eq!(frames.each_ref().map(|frame| frame.modules.size()), [37, 57]);
    let [Code::Short(short), Code::Full(full)] =
        frames.each_ref().map(|frame| phone.platform.verify(&frame.text))
    else {
        panic!("not a short and a full code")
    };
    assert_eq!((short.signature, short.moment), (full.signature, full.moment()));
}

#[test]
fn a_code_stays_until_it_is_due_and_ends_when_it_says() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.advance(700);
    let first = short(&card);
    assert_eq!(
        (first.shown_at.0, first.refresh_at.0),
        (FakeClock::START.0 + 700, FakeClock::START.0 + 20_700)
    );
    assert_eq!(
        first.expires_at.0,
        FakeClock::START.0 + 30_000,
        "terminals count from the whole second"
    );
    phone.advance(19_999);
    let same = short(&card);
    assert_eq!(same.text, first.text);
    assert_eq!(
        (same.refresh_in.as_millis(), same.expires_in.as_millis()),
        (250, 9_301)
    );
    phone.advance(1);
    assert!(sequence(&short(&card)) > sequence(&first));
}

#[test]
fn leaving_the_screen_or_a_screenshot_ends_a_code() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let first = short(&card);
    card.codes().erase_blocking();
    assert!(sequence(&short(&card)) > sequence(&first));
}

#[test]
fn another_account_or_purpose_is_another_code() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let subsidy = CodePurpose::Payment {
        account: Some(SUBSIDY),
    };
    let mut last = None;
    for (purpose, account, slot) in [
        (PAY, Some(MAIN), Some(1)),
        (subsidy, Some(SUBSIDY), Some(2)),
        (CodePurpose::Identity, None, None),
    ] {
        let frame = show(&card, purpose, FormChoice::Short).unwrap();
        assert_eq!(
            (frame.account, frame.slot.map(|slot| slot.get())),
            (account, slot)
        );
        assert_eq!(
            phone.platform.verify(&frame.text).moment().dynamic.usage.slot(),
            frame.slot
        );
        assert_eq!(frame.is_payment(), slot.is_some());
        assert!(last < Some(sequence(&frame)));
        last = Some(sequence(&frame));
    }
    let unknown = CodePurpose::Payment {
        account: Some(Uuid::nil()),
    };
    assert_eq!(
        show(&card, unknown, FormChoice::Short),
        Err(CoreError::AccountUnknown)
    );
}

#[test]
fn the_chosen_account_pays_by_default_also_after_a_restart() {
    let phone = TestPhone::new();
    let card = phone.bound();
    assert_eq!(
        block_on(card.codes().set_default_account(Some(Uuid::nil()))),
        Err(CoreError::AccountUnknown)
    );
    block_on(card.codes().set_default_account(Some(SUBSIDY))).unwrap();
    assert_eq!(short(&card).account, Some(SUBSIDY));
    drop(card);
    let card = phone.open();
    assert_eq!(short(&card).account, Some(SUBSIDY));
    block_on(card.codes().set_default_account(None)).unwrap();
    assert_eq!(short(&card).account, Some(MAIN));
}

#[test]
fn no_counter_comes_twice_over_restarts() {
    let phone = TestPhone::new();
    let mut last = sequence(&short(&phone.bound()));
    for codes in [1, 40, 2, 64, 1] {
        let card = phone.open();
        for _ in 0..codes {
            phone.advance(20_000);
            let next = sequence(&short(&card));
            assert!(next > last);
            last = next;
        }
        // Not always is there time to bring the witness ahead.
        if codes != 2 {
            card.finish_blocking();
        }
    }
}

#[test]
fn codes_faster_than_the_keeper_ask_the_witness_one_at_a_time() {
    let phone = TestPhone::new();
    drop(phone.bound());
    let path = phone.home.path().join("device/witness");
    let witness = FileWitness::new(path);
    witness.store(&phone.witness.load().unwrap().unwrap()).unwrap();
    let card = CampusCard::open_blocking(
        Config::new(phone.folder()),
        Ports {
            witness: Arc::new(witness),
            ..phone.ports()
        },
    )
    .unwrap();
    for _ in 0..1000 {
        card.codes().erase_blocking();
        short(&card);
    }
}

#[test]
fn a_second_process_gets_no_codes() {
    let phone = TestPhone::new();
    let first = phone.bound();
    assert_eq!(phone.try_open().err(), Some(CoreError::StoreBusy));
    drop(first);
    short(&phone.open());
}

#[test]
fn a_store_put_back_goes_on_above_everything_that_was_shown() {
    let phone = TestPhone::new();
    let card = phone.bound();
    short(&card);
    card.finish_blocking();
    drop(card);
    let backup = backup(&phone);
    let card = phone.open();
    let mut highest = None;
    for _ in 0..100 {
        phone.advance(20_000);
        highest = Some(sequence(&short(&card)));
    }
    card.finish_blocking();
    drop(card);
    copy(&backup, &phone.folder());
    assert!(Some(sequence(&short(&phone.open()))) > highest);
}

#[test]
fn a_store_put_on_a_phone_without_its_witness_shows_nothing_before_a_new_epoch() {
    let phone = TestPhone::new();
    drop(phone.bound());
    phone.witness.clear().unwrap();
    let card = phone.open();
    assert_eq!(show(&card, PAY, FormChoice::Short), Err(CoreError::StoreRestored));
    assert_eq!(card.codes().until_blocking(), Err(CoreError::StoreRestored));
    block_on(card.synchronise()).unwrap();
    assert_eq!(phone.platform.verify(&short(&card).text).moment().epoch.get(), 2);
    card.finish_blocking();
    drop(card);
    short(&phone.open());
}

#[test]
fn a_store_of_an_earlier_epoch_shows_nothing_before_a_new_one() {
    let phone = TestPhone::new();
    let card = phone.bound();
    drop(card);
    let backup = backup(&phone);
    phone.platform.campus().renewal_due = true;
    block_on(phone.open().synchronise()).unwrap();
    assert_eq!(phone.platform.campus().epoch, 2);
    copy(&backup, &phone.folder());
    let card = phone.open();
    assert_eq!(show(&card, PAY, FormChoice::Short), Err(CoreError::StoreRestored));
    block_on(card.synchronise()).unwrap();
    assert_eq!(phone.platform.verify(&short(&card).text).moment().epoch.get(), 3);
}

#[test]
fn settled_codes_that_this_store_never_showed_call_for_a_new_epoch() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.platform.campus().highest_settled = (1 << 16) + 500;
    phone
        .platform
        .fail("POST /v1/credentials", Fault::Problem(ProblemCode::Forbidden));
    assert_eq!(block_on(card.synchronise()), Err(CoreError::Forbidden));
    assert_eq!(show(&card, PAY, FormChoice::Short), Err(CoreError::StoreRestored));
    drop(card);
    let card = phone.open();
    assert_eq!(show(&card, PAY, FormChoice::Short), Err(CoreError::StoreRestored));
    block_on(card.synchronise()).unwrap();
    assert_eq!(phone.platform.verify(&short(&card).text).moment().epoch.get(), 2);
}

#[test]
fn a_damaged_journal_says_so_until_the_card_is_bound_again() {
    let phone = TestPhone::new();
    drop(phone.bound());
    let _ = fs::remove_file(phone.folder().join("journal.db-wal"));
    fs::write(
        phone.folder().join("journal.db"),
        b"rubbish that is longer than nothing at all",
    )
    .unwrap();
    for _ in 0..2 {
        let card = phone.open();
        let Err(CoreError::StoreDamaged { kept: Some(kept) }) = show(&card, PAY, FormChoice::Short) else {
            panic!("not told as damaged")
        };
        assert!(kept.exists());
    }
    let card = phone.open();
    block_on(card.session().bind(phone.platform.url(), id_token("20260001"))).unwrap();
    phone.platform.verify(&short(&card).text);
}

#[test]
fn a_store_that_has_vanished_is_damage_and_not_a_new_phone() {
    let phone = TestPhone::new();
    drop(phone.bound());
    fs::remove_dir_all(phone.folder()).unwrap();
    let card = phone.open();
    assert_eq!(
        show(&card, PAY, FormChoice::Short),
        Err(CoreError::StoreDamaged { kept: None })
    );
}

#[test]
fn a_witness_that_does_not_answer_stops_codes_only_as_long() {
    let phone = TestPhone::new();
    drop(phone.bound());
    phone.witness.fail(true);
    let card = phone.open();
    assert_eq!(
        show(&card, PAY, FormChoice::Short),
        Err(CoreError::StorageFailed { operation: "witness" })
    );
    phone.witness.fail(false);
    short(&card);
}

#[test]
fn after_the_certificate_only_short_codes_and_after_the_row_none() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let until = card.codes().until_blocking().unwrap();
    phone.advance(7 * DAY);
    let expired = CoreError::CredentialExpired {
        since: until.full_until,
        short_form_until: Some(until.short_until),
    };
    assert_eq!(show(&card, PAY, FormChoice::Full), Err(expired));
    phone.platform.verify(&short(&card).text);
    phone.advance(23 * DAY);
    assert!(matches!(
        show(&card, PAY, FormChoice::Automatic),
        Err(CoreError::CredentialExpired { .. })
    ));
    block_on(card.synchronise()).unwrap();
    phone
        .platform
        .verify(&show(&card, PAY, FormChoice::Full).unwrap().text);
}

#[test]
fn a_certificate_is_renewed_early_and_codes_go_on_in_the_same_epoch() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let before = sequence(&short(&card));
    phone.advance(2 * DAY);
    block_on(card.synchronise()).unwrap();
    assert_eq!(phone.platform.campus().issues, 2);
    let after = sequence(&short(&card));
    assert!(after > before && after.get() >> 16 == 1);
    phone.advance(DAY);
    block_on(card.synchronise()).unwrap();
    assert_eq!(
        phone.platform.campus().issues,
        2,
        "with more than three quarters left there is nothing to do"
    );
}

#[test]
fn a_lost_reply_to_an_issue_costs_no_second_credential() {
    let phone = TestPhone::new();
    let card = phone.open();
    // Also the retries are lost; then the phone is started again.
    for _ in 0..3 {
        phone.platform.fail("POST /v1/credentials", Fault::LoseReply);
    }
    let bound = block_on(card.session().bind(phone.platform.url(), id_token("20260001")));
    assert_eq!(bound, Err(CoreError::ServerBusy { retry_at: None }));
    drop(card);
    let card = phone.open();
    block_on(card.synchronise()).unwrap();
    let (issues, epoch) = {
        let campus = phone.platform.campus();
        (campus.issues, campus.epoch)
    };
    assert_eq!((issues, epoch), (1, 1));
    phone.platform.verify(&short(&card).text);
}

#[test]
fn a_challenge_that_has_ended_is_asked_for_again() {
    let (phone, keystore) = TestPhone::with_keystore();
    phone.platform.fail(
        "POST /v1/credentials",
        Fault::Problem(ProblemCode::ChallengeExpired),
    );
    let card = phone.bound();
    phone.platform.verify(&short(&card).text);
    assert_eq!(keystore.key_count(), 2, "the key of the first try is gone");
}

#[test]
fn a_frozen_card_shows_no_codes_but_its_balances_and_found_again_shows_both() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.platform.campus().state = CredentialState::Suspended;
    let asked = phone.platform.count("GET /v1/accounts");
    assert_eq!(block_on(card.synchronise()), Err(CoreError::CardFrozen));
    assert_eq!(phone.platform.count("GET /v1/accounts"), asked + 1);
    assert_eq!(
        show(&card, CodePurpose::Identity, FormChoice::Short),
        Err(CoreError::CardFrozen)
    );
    drop(card);
    let card = phone.open();
    assert_eq!(show(&card, PAY, FormChoice::Short), Err(CoreError::CardFrozen));
    phone.platform.campus().state = CredentialState::Active;
    phone.platform.campus().renewal_due = true;
    block_on(card.synchronise()).unwrap();
    assert_eq!(phone.platform.verify(&short(&card).text).moment().epoch.get(), 2);
}

#[test]
fn a_revoked_credential_stops_codes_until_a_new_key_is_enrolled() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.platform.campus().state = CredentialState::Revoked;
    phone.platform.fail(
        "POST /v1/credentials/challenge",
        Fault::Problem(ProblemCode::Forbidden),
    );
    assert_eq!(block_on(card.synchronise()), Err(CoreError::Forbidden));
    assert_eq!(
        show(&card, PAY, FormChoice::Short),
        Err(CoreError::CredentialRevoked)
    );
    block_on(card.synchronise()).unwrap();
    phone.platform.verify(&short(&card).text);
}

#[test]
fn a_wall_clock_set_back_or_ahead_changes_no_code_while_the_phone_is_up() {
    let phone = TestPhone::new();
    let card = phone.bound();
    for wall in [0, FakeClock::START.0 + 10_000_000_000] {
        phone.clock.set_wall(UnixMillis(wall));
        phone.advance(20_000);
        let frame = short(&card);
        let moment = phone.platform.verify(&frame.text).moment();
        assert_eq!(
            i64::from(moment.dynamic.time.0),
            phone.platform.campus().now.0 / 1000
        );
        assert_eq!(frame.clock, ClockQuality::Good);
    }
    block_on(card.synchronise()).unwrap();
}

#[test]
fn after_an_offline_restart_codes_say_that_the_time_is_a_guess() {
    let phone = TestPhone::new();
    drop(phone.bound());
    phone.clock.reboot("second");
    phone.advance(60_000);
    let card = phone.open();
    let frame = short(&card);
    assert_eq!(frame.clock, ClockQuality::Weak);
    assert_eq!(
        phone.platform.verify(&frame.text).moment().dynamic.clock,
        ClockConfidence::Rebooted
    );
    block_on(card.codes().choose_clock(ClockStory::WallClock)).unwrap();
    card.codes().erase_blocking();
    let other = phone.platform.verify(&short(&card).text).moment();
    assert_eq!(other.dynamic.clock, ClockConfidence::WallOnly);
    block_on(card.synchronise()).unwrap();
    let anchored = short(&card);
    assert_eq!(
        anchored.clock,
        ClockQuality::Good,
        "a time that is known again makes a new code at once"
    );
}

#[test]
fn a_restart_with_the_clock_set_back_shows_nothing_until_the_time_is_heard() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.advance(DAY);
    short(&card);
    drop(card);
    phone.clock.reboot("second");
    phone.clock.set_wall(FakeClock::START);
    let card = phone.open();
    assert_eq!(
        show(&card, PAY, FormChoice::Short),
        Err(CoreError::ClockImpossible)
    );
    // The proofs that lead out of this are made by the last time that the platform vouched for.
    let _ = block_on(card.synchronise());
    phone.platform.verify(&short(&card).text);
}

#[test]
fn a_wall_clock_that_jumps_after_a_restart_voids_the_code_on_the_screen() {
    let phone = TestPhone::new();
    drop(phone.bound());
    phone.clock.reboot("second");
    phone.advance(60_000);
    let card = phone.open();
    let first = short(&card);
    phone.clock.set_wall(FakeClock::START.plus_millis(3_600_000));
    let second = short(&card);
    assert!(sequence(&second) > sequence(&first));
    assert_eq!(second.shown_at, FakeClock::START.plus_millis(3_600_000));
}

#[test]
fn callers_at_the_same_time_never_see_the_sequence_fall() {
    let phone = TestPhone::new();
    let card = phone.bound();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut last = None;
                for _ in 0..50 {
                    let next = Some(sequence(&short(&card)));
                    assert!(next >= last);
                    last = next;
                    card.codes().erase_blocking();
                }
            });
        }
    });
}

#[test]
fn a_frame_in_a_log_shows_nothing_of_the_code() {
    let phone = TestPhone::new();
    let frame = short(&phone.bound());
    let logged = format!("{frame:?}");
    assert!(
        !logged.contains(&frame.text[2..12]) && !logged.contains("counter"),
        "{logged}"
    );
}
