//! The wallet against a bank that opens what is sealed to it, and one that isn't the bank.

use super::*;
use crate::CampusCard;
use crate::testing::money::{CARD, PASSWORD};
use crate::testing::platform::Fault;
use crate::testing::{TestPhone, block_on};
use yika_api::ProblemCode;
use yika_api::operation::RefusalReason;
use yika_format::UnixSeconds;
use yika_testkit::TestKey;
use zeroize::Zeroizing;

fn text(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

fn password(digits: &str) -> PaymentPassword {
    PaymentPassword::new(text(digits)).unwrap()
}

fn new_password(digits: &str) -> NewPaymentPassword {
    NewPaymentPassword::new(text(digits)).unwrap()
}

fn identity() -> Identity {
    Identity::new("CANARY-name", "11010519491231002X").unwrap()
}

fn card() -> CardDetails {
    CardDetails::new("6222021234567890128", identity(), "13800138000").unwrap()
}

fn rich() -> (TestPhone, CampusCard) {
    let phone = TestPhone::new();
    phone.platform.campus().money.offered = true;
    let card = phone.bound();
    (phone, card)
}

fn reason<T: std::fmt::Debug>(result: Result<T, CoreError>) -> MoneyReason {
    match result {
        Err(CoreError::Money { refusal }) => refusal.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_school_without_wallets_has_none_and_that_is_no_error() {
    let phone = TestPhone::new();
    let card = phone.bound();
    assert_eq!(reason(block_on(card.wallet().get())), MoneyReason::BalanceUnknown);
    let opened = block_on(card.wallet().open(2, identity(), new_password(PASSWORD)));
    assert_eq!(reason(opened), MoneyReason::WalletNotOffered);
}

#[test]
fn the_wallet_is_there_offline_as_it_was_told() {
    let (phone, card) = rich();
    drop(card);
    let card = phone.open();
    let before = phone.platform.campus().requests.len();
    let wallet = block_on(card.wallet().get()).unwrap();
    assert_eq!(wallet.balance.unwrap().amount, Fen::new(30_000));
    assert_eq!((wallet.cards[0].id, wallet.presets.len()), (CARD, 2));
    assert_eq!(phone.platform.campus().requests.len(), before);
}

#[test]
fn an_older_answer_never_replaces_a_newer_one() {
    let (phone, card) = rich();
    for (amount, version) in [(20_000, 5), (30_000, 4)] {
        let mut campus = phone.platform.campus();
        (campus.money.in_wallet, campus.money.version) = (amount, version);
        drop(campus);
        block_on(card.wallet().synchronise()).unwrap();
    }
    let balance = block_on(card.wallet().get()).unwrap().balance.unwrap();
    assert_eq!((balance.amount, balance.version), (Fen::new(20_000), 5));
}

#[test]
fn opening_binding_and_closing_tell_the_bank_and_nobody_else() {
    let (phone, card) = rich();
    phone.platform.campus().money.status = WalletStatus::None;
    let wallet = card.wallet();
    let opened = block_on(wallet.open(2, identity(), new_password(PASSWORD))).unwrap();
    assert_eq!(opened.status, WalletStatus::Open);
    let binding = block_on(wallet.begin_card(self::card())).unwrap();
    let wrong = SmsCode::new(text("111111")).unwrap();
    match block_on(wallet.confirm_card(binding.id, wrong)) {
        Err(CoreError::Money { refusal }) => {
            let bank = refusal.bank.unwrap();
            assert_eq!(
                (bank.reason, bank.tries_left),
                (RefusalReason::CodeWrong, Some(4))
            );
        }
        other => panic!("{other:?}"),
    }
    let right = SmsCode::new(text("998244")).unwrap();
    let bound = block_on(wallet.confirm_card(binding.id, right)).unwrap();
    assert!(bound.cards.iter().any(|card| card.id == binding.id));
    let changed = PasswordProof::Old(password(PASSWORD));
    block_on(wallet.change_password(changed, new_password("135792"))).unwrap();
    let forgotten = PasswordProof::Identity(identity());
    block_on(wallet.change_password(forgotten, new_password("135792"))).unwrap();
    assert_eq!(
        reason(block_on(wallet.close(password(PASSWORD)))),
        MoneyReason::WalletInUse
    );
    phone.platform.campus().money.in_wallet = 0;
    let closed = block_on(wallet.close(password(PASSWORD))).unwrap();
    assert_eq!(closed.status, WalletStatus::Closed);

    let opened = phone.platform.campus().money.opened.clone();
    let fields: Vec<Field> = opened.iter().map(|(field, _)| *field).collect();
    for field in [
        Field::Identity,
        Field::Password,
        Field::Card,
        Field::Code,
        Field::NewPassword,
    ] {
        assert!(fields.contains(&field), "{field:?}");
    }
}

#[test]
fn a_password_out_of_the_own_identity_number_is_refused_before_anything_is_sent() {
    let (phone, card) = rich();
    let own = new_password("194912");
    let opened = block_on(card.wallet().open(2, identity(), own));
    assert_eq!(opened.err(), Some(CoreError::WeakPassword));
    assert_eq!(phone.platform.count("POST /v1/wallet"), 0);
}

#[test]
fn a_lost_reply_is_asked_for_again_in_the_same_bytes() {
    let (phone, card) = rich();
    phone.platform.campus().money.status = WalletStatus::None;
    phone.platform.fail("POST /v1/wallet", Fault::LoseReply);
    // The test's platform stores no replies of the wallet: the second try finds it open, which only the same one could do.
    let opened = block_on(card.wallet().open(2, identity(), new_password(PASSWORD)));
    assert_eq!(reason(opened), MoneyReason::WalletAlreadyOpen);
    assert_eq!(phone.platform.count("POST /v1/wallet"), 2);
}

#[test]
fn keys_that_the_pinned_root_did_not_sign_get_nothing() {
    let (phone, card) = rich();
    phone.platform.campus().money.root = TestKey::named("thief");
    let refused = |fault| Err(CoreError::Untrusted { fault });
    assert_eq!(
        block_on(card.wallet().synchronise()).map(drop),
        refused(TrustFault::BankRoot)
    );
    // Nothing of the thief's was taken: what is known still seals to the bank.
    phone.platform.campus().money.root = TestKey::named("bank");
    block_on(card.wallet().synchronise()).unwrap();
}

#[test]
fn a_root_that_the_app_was_given_decides_alone() {
    let phone = TestPhone {
        bank_root_key: Some(TestKey::named("another").public()),
        ..TestPhone::new()
    };
    phone.platform.campus().money.offered = true;
    let card = phone.open();
    let bound = block_on(
        card.session()
            .bind(phone.platform.url(), crate::testing::id_token("20260001")),
    );
    let fault = TrustFault::BankRoot;
    assert_eq!(bound, Err(CoreError::Untrusted { fault }));
}

#[test]
fn keys_that_have_ended_are_asked_for_again_and_not_used() {
    let (phone, card) = rich();
    let now_s = u32::try_from(phone.platform.campus().now.0 / 1000).unwrap();
    phone.platform.campus().money.keys_until = UnixSeconds(now_s - 1);
    block_on(card.wallet().synchronise()).unwrap();
    let fault = TrustFault::BankKeysEnded;
    assert_eq!(
        block_on(card.wallet().close(password(PASSWORD))).map(drop),
        Err(CoreError::Untrusted { fault })
    );
    phone.platform.campus().money.keys_until = UnixSeconds(u32::MAX);
    assert_eq!(
        reason(block_on(card.wallet().close(password(PASSWORD)))),
        MoneyReason::WalletInUse
    );
}

#[test]
fn a_bank_that_is_silent_is_an_error_that_trying_again_helps() {
    let (phone, card) = rich();
    for _ in 0..3 {
        phone.platform.fail(
            "POST /v1/wallet/close",
            Fault::Problem(ProblemCode::BankUnavailable),
        );
    }
    let error = block_on(card.wallet().close(password(PASSWORD))).unwrap_err();
    assert_eq!((error.code(), error.retryable()), ("bank_unavailable", true));
}
