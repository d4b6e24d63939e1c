//! Codes whose key lives in a keystore that dawdles or refuses.

use super::tests::{PAY, sequence, short, show};
use super::{CodePurpose, FormChoice};
use crate::CoreError;
use crate::ports::KeyError;
use crate::testing::TestPhone;

#[test]
fn the_next_code_of_a_slow_keystore_is_signed_ahead_and_exactly_one() {
    let (phone, keystore) = TestPhone::with_keystore();
    let card = phone.bound();
    let before = keystore.messages().len();
    let first = short(&card);
    card.finish_ahead();
    assert_eq!(keystore.messages().len() - before, 2);
    for _ in 0..5 {
        assert_eq!(short(&card).text, first.text);
    }
    card.finish_ahead();
    assert_eq!(keystore.messages().len() - before, 2);
    phone.advance(20_000);
    let release = keystore.hang();
    let second = short(&card);
    let moment = phone.platform.verify(&second.text).moment();
    assert_eq!(
        i64::from(moment.dynamic.time.0),
        phone.platform.campus().now.0 / 1000
    );
    assert!(sequence(&second) > sequence(&first));
    drop(release);
}

#[test]
fn a_keystore_that_dawdles_does_not_blank_a_code_that_is_still_good() {
    let (phone, keystore) = TestPhone::with_keystore();
    let card = phone.bound();
    let release = keystore.hang();
    // The first signature of the screen hangs: let it, while another thread waits for it.
    drop(release);
    let first = short(&card);
    card.finish_ahead();
    phone.advance(20_000);
    let release = keystore.hang();
    let second = short(&card);
    phone.advance(25_000);
    assert_eq!(
        short(&card).text,
        second.text,
        "due for a change, but good for five seconds more"
    );
    drop(release);
    card.finish_ahead();
    let third = short(&card);
    assert!(sequence(&third) > sequence(&second) && sequence(&second) > sequence(&first));
}

#[test]
fn what_was_signed_ahead_for_another_screen_is_never_shown() {
    let (phone, _keystore) = TestPhone::with_keystore();
    let card = phone.bound();
    let first = short(&card);
    card.finish_ahead();
    let identity = show(&card, CodePurpose::Identity, FormChoice::Short).unwrap();
    card.finish_ahead();
    phone.advance(20_000);
    let next = short(&card);
    assert!(sequence(&next) > sequence(&identity) && sequence(&identity) > sequence(&first));
    assert!(next.is_payment());
}

#[test]
fn a_keystore_that_refuses_is_told_once_the_code_is_over() {
    let (phone, keystore) = TestPhone::with_keystore();
    let card = phone.bound();
    keystore.fail_with(Some(KeyError::Locked));
    assert_eq!(show(&card, PAY, FormChoice::Short), Err(CoreError::KeyLocked));
    keystore.fail_with(None);
    let first = short(&card);
    card.finish_ahead();
    keystore.fail_with(Some(KeyError::Busy));
    phone.advance(20_000);
    let second = short(&card);
    card.finish_ahead();
    phone.advance(25_000);
    assert_eq!(short(&card).text, second.text);
    phone.advance(5_000);
    assert_eq!(show(&card, PAY, FormChoice::Short), Err(CoreError::KeyBusy));
    assert!(sequence(&second) > sequence(&first));
}

#[test]
fn all_who_ask_at_once_get_the_same_code() {
    let (phone, _keystore) = TestPhone::with_keystore();
    let card = phone.bound();
    let callers = 8;
    for _ in 0..20 {
        card.codes().erase_blocking();
        let together = std::sync::Barrier::new(callers);
        let mut shown: Vec<_> = std::thread::scope(|scope| {
            let ask = || {
                together.wait();
                short(&card).text
            };
            let asked: Vec<_> = (0..callers).map(|_| scope.spawn(ask)).collect();
            asked.into_iter().map(|caller| caller.join().unwrap()).collect()
        });
        shown.dedup();
        assert_eq!(shown.len(), 1);
    }
}
