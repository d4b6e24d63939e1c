//! Whose word the phone takes: credentials and keysets that the school did not sign for it change nothing.

use super::tests::short;
use super::*;
use crate::testing::platform::{FakePlatform, Fault};
use crate::testing::{FakeClock, TestPhone, block_on, id_token};
use crate::{CampusCard, TrustFault};
use yika_format::credential::CredentialBody;
use yika_format::{Epoch, Hours, KeyId, Profile, Pseudonym};
use yika_testkit::TestKey;

const DAY: u32 = 86_400_000;

fn synchronise(card: &CampusCard) -> Result<(), CoreError> {
    block_on(card.synchronise())
}

fn untrusted(fault: TrustFault) -> Result<(), CoreError> {
    Err(CoreError::Untrusted { fault })
}

/// A phone whose credential is old enough to be renewed.
fn about_to_renew() -> (TestPhone, CampusCard) {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.advance(3 * DAY);
    (phone, card)
}

/// The renewal that `spoil` makes the platform answer is refused, and the credential there is goes on, here and after a restart.
#[track_caller]
fn refuses(spoil: impl FnOnce(&FakePlatform), fault: TrustFault) {
    let (phone, card) = about_to_renew();
    let before = card.codes().until_blocking().unwrap();
    spoil(&phone.platform);
    assert_eq!(synchronise(&card), untrusted(fault));
    assert_eq!(card.codes().until_blocking(), Ok(before));
    phone.platform.verify(&short(&card).text);
    drop(card);
    let card = phone.open();
    assert_eq!(card.codes().until_blocking(), Ok(before));
    phone.platform.verify(&short(&card).text);
    phone.platform.be_honest();
    synchronise(&card).unwrap();
    assert!(card.codes().until_blocking().unwrap().full_until > before.full_until);
    phone.platform.verify(&short(&card).text);
}

/// What the platform puts into the credential instead.
fn refuses_body(tamper: fn(&mut CredentialBody), fault: TrustFault) {
    refuses(|platform| platform.campus().tamper = tamper, fault);
}

#[test]
fn a_credential_that_another_key_signed_is_refused() {
    let another = TestKey::named("another issuer");
    refuses(
        |platform| platform.campus().keys.credential = another,
        TrustFault::Signature,
    );
}

#[test]
fn a_credential_for_another_school_is_refused() {
    refuses(
        |platform| platform.campus().keys.credential_school = "other.example",
        TrustFault::Signature,
    );
}

#[test]
fn a_credential_of_a_key_that_the_keyset_does_not_have_is_refused() {
    refuses_body(|body| body.issuer = KeyId(8), TrustFault::Issuer);
}

#[test]
fn a_credential_for_another_device_is_refused() {
    refuses_body(
        |body| body.device_key = TestKey::named("another phone").public(),
        TrustFault::DeviceKey,
    );
    refuses_body(|body| body.profile = Profile::Sm2, TrustFault::DeviceKey);
}

#[test]
fn a_renewal_with_another_pseudonym_is_refused() {
    refuses_body(
        |body| body.pseudonym = Pseudonym(*b"other"),
        TrustFault::Pseudonym,
    );
}

#[test]
fn a_credential_that_has_not_begun_is_refused() {
    refuses_body(
        |body| body.not_before = Hours(body.not_before.0 + 1),
        TrustFault::Times,
    );
}

#[test]
fn a_credential_older_than_the_one_in_use_is_refused() {
    // The one in use was issued three days ago.
    refuses_body(
        |body| body.not_before = Hours(body.not_before.0 - 3 * 24 - 1),
        TrustFault::Times,
    );
}

#[test]
fn a_credential_of_an_older_epoch_is_refused() {
    let (phone, card) = about_to_renew();
    phone.platform.campus().renewal_due = true;
    synchronise(&card).unwrap();
    let before = card.codes().until_blocking().unwrap();
    phone.advance(3 * DAY);
    phone.platform.campus().tamper = |body| body.epoch = Epoch::new(1).unwrap();
    assert_eq!(synchronise(&card), untrusted(TrustFault::Epoch));
    assert_eq!(card.codes().until_blocking(), Ok(before));
    phone.platform.verify(&short(&card).text);
}

#[test]
fn a_keyset_of_another_root_is_refused_before_anything_is_asked_for() {
    let (phone, card) = about_to_renew();
    let issues = phone.platform.campus().issues;
    phone.platform.campus().keys.keyset = TestKey::named("another root");
    assert_eq!(synchronise(&card), untrusted(TrustFault::Keyset));
    assert_eq!(phone.platform.campus().issues, issues);
    phone.platform.verify(&short(&card).text);
}

#[test]
fn a_keyset_older_than_one_seen_before_is_refused_also_after_a_restart() {
    let (phone, card) = about_to_renew();
    phone.platform.campus().keys.keyset_version = 2;
    synchronise(&card).unwrap();
    drop(card);
    let card = phone.open();
    phone.advance(3 * DAY);
    phone.platform.campus().keys.keyset_version = 1;
    assert_eq!(synchronise(&card), untrusted(TrustFault::KeysetOlder));
    phone.platform.verify(&short(&card).text);
    phone.platform.campus().keys.keyset_version = 3;
    synchronise(&card).unwrap();
}

#[test]
fn a_keyset_out_of_date_is_refused() {
    let (phone, card) = about_to_renew();
    phone.platform.campus().keys.keyset_until = FakeClock::START;
    assert_eq!(synchronise(&card), untrusted(TrustFault::KeysetEnded));
}

#[test]
fn a_new_keyset_brings_a_new_issuer() {
    let (phone, card) = about_to_renew();
    let before = card.codes().until_blocking().unwrap();
    {
        let keys = &mut phone.platform.campus().keys;
        keys.issuer = TestKey::named("the next issuer");
        keys.credential = keys.issuer.clone();
        keys.keyset_version += 1;
    }
    synchronise(&card).unwrap();
    assert!(card.codes().until_blocking().unwrap().full_until > before.full_until);
    phone.platform.verify(&short(&card).text);
}

#[test]
fn a_first_credential_that_the_school_did_not_sign_gives_no_codes() {
    let phone = TestPhone::new();
    phone.platform.campus().keys.credential = TestKey::named("another issuer");
    let card = phone.open();
    let bound = block_on(card.session().bind(phone.platform.url(), id_token("20260001")));
    assert_eq!(bound, untrusted(TrustFault::Signature));
    assert_eq!(card.codes().until_blocking(), Err(CoreError::NotEnrolled));
    phone.platform.be_honest();
    synchronise(&card).unwrap();
    phone.platform.verify(&short(&card).text);
}

#[test]
fn an_answer_that_was_lost_for_longer_than_its_credential_lives_is_taken_and_renewed() {
    let (phone, card) = about_to_renew();
    phone.platform.fail("POST /v1/credentials", Fault::LoseReply);
    for _ in 0..2 {
        phone.platform.fail(
            "POST /v1/credentials",
            Fault::Problem(yika_api::ProblemCode::ServerBusy),
        );
    }
    assert!(synchronise(&card).is_err());
    phone.advance(10 * DAY);
    synchronise(&card).unwrap();
    phone.platform.verify(&short(&card).text);
}

#[test]
fn the_root_key_is_pinned_at_the_first_binding() {
    let phone = TestPhone::new();
    let card = phone.bound();
    {
        let keys = &mut phone.platform.campus().keys;
        keys.root = TestKey::named("another root");
        keys.keyset = keys.root.clone();
    }
    // Also for somebody else, and after a restart.
    let tokens = phone.platform.count("POST /v1/sessions/token");
    let again = block_on(card.session().bind(phone.platform.url(), id_token("20260002")));
    assert_eq!(again, Err(CoreError::RootKeyMismatch));
    drop(card);
    let card = phone.open();
    let again = block_on(card.session().bind(phone.platform.url(), id_token("20260001")));
    assert_eq!(again, Err(CoreError::RootKeyMismatch));
    assert_eq!(
        phone.platform.count("POST /v1/sessions/token"),
        tokens,
        "the host's token went to nobody"
    );
    phone.platform.verify(&short(&card).text);
}

#[test]
fn a_root_key_given_beforehand_binds_to_no_other_school() {
    let phone = TestPhone {
        root_key: Some(TestKey::named("another root").public()),
        ..TestPhone::new()
    };
    let card = phone.open();
    let bound = block_on(card.session().bind(phone.platform.url(), id_token("20260001")));
    assert_eq!(bound, Err(CoreError::RootKeyMismatch));
    assert_eq!(phone.platform.count("POST /v1/sessions/token"), 0);
    drop(card);
    let root_key = Some(phone.platform.campus().keys.root.public());
    TestPhone { root_key, ..phone }.bound();
}

#[test]
fn a_school_that_changes_its_root_key_tells_phones_by_the_app() {
    let phone = TestPhone::new();
    drop(phone.bound());
    let next = TestKey::named("the next root");
    {
        let keys = &mut phone.platform.campus().keys;
        (keys.root, keys.keyset) = (next.clone(), next.clone());
    }
    phone.advance(3 * DAY);
    assert_eq!(synchronise(&phone.open()), untrusted(TrustFault::Keyset));
    let phone = TestPhone {
        root_key: Some(next.public()),
        ..phone
    };
    let card = phone.open();
    synchronise(&card).unwrap();
    phone.platform.verify(&short(&card).text);
}
