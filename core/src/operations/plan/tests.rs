//! Plans: what they come to, and what is not possible.

use super::*;
use crate::accounts::Balance;
use proptest::prelude::*;
use yika_api::wallet::{BankCard, CardFee, Terms, TopUpLimits};
use yika_api::{LocalizedText, UnixMillis};
use yika_format::Slot;

const CARD: Uuid = Uuid::from_u128(7);

fn text() -> LocalizedText {
    LocalizedText {
        zh: "名".to_owned(),
        en: "name".to_owned(),
    }
}

fn balance(amount: i64, pending: i64) -> Option<Balance> {
    Some(Balance {
        amount: Fen::new(amount),
        as_of: UnixMillis(0),
        version: 1,
        pending: Fen::new(pending),
    })
}

fn wallet(amount: i64, pending: i64) -> Wallet {
    Wallet {
        status: WalletStatus::Open,
        account_id: Some(Uuid::nil()),
        balance: balance(amount, pending),
        cards: vec![BankCard {
            id: CARD,
            bank: text(),
            tail: "0128".to_owned(),
            is_default: true,
        }],
        limits: TopUpLimits {
            least: Fen::new(100),
            single: Fen::new(50_000),
            day: Fen::new(80_000),
            day_used: Fen::new(10_000),
            most_single: Fen::new(50_000),
            most_day: Fen::new(80_000),
        },
        fee: CardFee { per_ten_thousand: 10 },
        presets: Vec::new(),
        close_blockers: Vec::new(),
        terms: Terms {
            version: 1,
            text: text(),
        },
        as_of: UnixMillis(0),
    }
}

fn account(amount: i64) -> Account {
    Account {
        id: Uuid::from_u128(1),
        slot: Slot::new(1).unwrap(),
        name: text(),
        status: AccountStatus::Open,
        balance: balance(amount, 0),
        low_below: None,
        is_low: false,
        auto_top_up: None,
    }
}

fn plan(wallet: &Wallet, amount: TopUpAmount, source: TopUpSource) -> Result<Plan, CoreError> {
    top_up(Uuid::nil(), wallet, &account(2_000), amount, source)
}

fn reason(result: Result<Plan, CoreError>) -> (MoneyReason, Option<i64>) {
    match result {
        Err(CoreError::Money { refusal }) => (refusal.reason, refusal.amount.map(Fen::get)),
        other => panic!("{other:?}"),
    }
}

fn exactly(amount: i64) -> TopUpAmount {
    TopUpAmount::Exactly {
        amount: Fen::new(amount),
    }
}

#[test]
fn what_the_wallet_lacks_comes_off_the_default_card_with_its_fee() {
    let plan = plan(&wallet(3_500, 500), exactly(10_000), TopUpSource::default()).unwrap();
    assert_eq!(
        plan.funding,
        Funding {
            wallet: Fen::new(3_000),
            bank: Fen::new(7_007),
            card_id: Some(CARD),
            fee: Fen::new(7),
        }
    );
}

#[test]
fn a_wallet_that_suffices_pays_alone() {
    let plan = plan(&wallet(20_000, 0), exactly(10_000), TopUpSource::default()).unwrap();
    assert_eq!((plan.funding.bank, plan.funding.card_id), (Fen::ZERO, None));
}

#[test]
fn a_target_balance_is_reached_and_not_passed() {
    let to = |target| TopUpAmount::ToBalance {
        balance: Fen::new(target),
    };
    let wallet = wallet(20_000, 0);
    assert_eq!(
        plan(&wallet, to(5_000), TopUpSource::default()).unwrap().amount,
        Fen::new(3_000)
    );
    assert_eq!(
        reason(plan(&wallet, to(2_000), TopUpSource::default())),
        (MoneyReason::TargetReached, Some(2_000))
    );
    let unknown = Account {
        balance: None,
        ..account(0)
    };
    assert_eq!(
        reason(top_up(
            Uuid::nil(),
            &wallet,
            &unknown,
            to(5_000),
            TopUpSource::default()
        ))
        .0,
        MoneyReason::BalanceUnknown
    );
}

#[test]
fn what_is_not_possible_says_why() {
    let rich = wallet(100_000, 0);
    let any = TopUpSource::default();
    for (amount, expected) in [
        (99, (MoneyReason::AmountOutOfRange, Some(100))),
        (50_001, (MoneyReason::AmountOutOfRange, Some(50_000))),
    ] {
        assert_eq!(reason(plan(&rich, exactly(amount), any)), expected);
    }
    for amount in [0, -1, i64::MIN] {
        assert_eq!(
            plan(&rich, exactly(amount), any),
            Err(CoreError::InvalidInput {
                field: InputField::Amount
            })
        );
    }
    let mut late = rich.clone();
    late.limits.day_used = Fen::new(79_000);
    assert_eq!(
        reason(plan(&late, exactly(5_000), any)),
        (MoneyReason::DayLimitReached, Some(1_000))
    );
    let poor = wallet(1_000, 400);
    assert_eq!(
        reason(plan(&poor, exactly(5_000), TopUpSource::Wallet)),
        (MoneyReason::InsufficientFunds, Some(600))
    );
    let cardless = Wallet {
        cards: Vec::new(),
        ..poor.clone()
    };
    assert_eq!(
        reason(plan(&cardless, exactly(5_000), any)),
        (MoneyReason::InsufficientFunds, Some(600))
    );
    assert_eq!(
        reason(plan(
            &poor,
            exactly(5_000),
            TopUpSource::Card {
                card_id: Uuid::from_u128(9)
            }
        ))
        .0,
        MoneyReason::CardNotBound
    );
    for status in [WalletStatus::None, WalletStatus::Frozen, WalletStatus::Closed] {
        let shut = Wallet {
            status,
            ..rich.clone()
        };
        assert_eq!(
            reason(plan(&shut, exactly(5_000), any)).0,
            MoneyReason::WalletNotOpen
        );
    }
    let frozen = Account {
        status: AccountStatus::Frozen,
        ..account(0)
    };
    assert_eq!(
        reason(top_up(Uuid::nil(), &rich, &frozen, exactly(5_000), any)).0,
        MoneyReason::AccountNotOpen
    );
}

#[test]
fn a_utility_is_paid_by_an_account_that_has_it_or_like_a_top_up() {
    let place = Uuid::from_u128(5);
    let by_account = |amount| utility_by_account(Uuid::nil(), place, &account(2_000), Fen::new(amount), None);
    let plan = by_account(2_000).unwrap();
    assert_eq!((plan.place_id, plan.needs_password()), (Some(place), false));
    assert_eq!(
        reason(by_account(2_001)),
        (MoneyReason::InsufficientFunds, Some(2_000))
    );
    let limits = SpendLimits {
        single: Fen::new(500),
        day: Fen::new(900),
        most_single: Fen::new(1_000),
        most_day: Fen::new(2_000),
        day_used: Fen::new(900),
    };
    let limited = |amount| {
        let (account, amount) = (account(2_000), Fen::new(amount));
        utility_by_account(Uuid::nil(), place, &account, amount, Some(&limits))
    };
    // What is used of a day may be of another day: that is the platform's to say.
    assert!(!limited(500).unwrap().needs_step_up);
    assert!(limited(501).unwrap().needs_step_up);
    assert_eq!(
        reason(limited(1_001)),
        (MoneyReason::AmountOutOfRange, Some(1_000))
    );
    let wallet = wallet(3_000, 0);
    let any = TopUpSource::default();
    let plan = utility_by_bank(Uuid::nil(), place, &wallet, Fen::new(5_000), any).unwrap();
    assert_eq!(
        (plan.funding.wallet, plan.funding.card_id, plan.needs_password()),
        (Fen::new(3_000), Some(CARD), true)
    );
}

#[test]
fn a_withdrawal_takes_what_is_free_and_no_more() {
    let wallet = wallet(9_000, 1_000);
    let all = withdrawal(Uuid::nil(), &wallet, None, None).unwrap();
    assert_eq!((all.amount, all.funding.card_id), (Fen::new(8_000), Some(CARD)));
    assert_eq!(
        reason(withdrawal(Uuid::nil(), &wallet, Some(Fen::new(8_001)), None)),
        (MoneyReason::InsufficientFunds, Some(8_000))
    );
    let empty = self::wallet(0, 0);
    assert_eq!(
        reason(withdrawal(Uuid::nil(), &empty, None, None)),
        (MoneyReason::InsufficientFunds, Some(0))
    );
}

proptest! {
    #[test]
    fn the_parts_of_a_plan_are_its_amount_and_todays_fee(
        amount in 1..60_000i64, in_wallet in 0..60_000i64, pending in 0..60_000i64, rate in 0..100u16,
    ) {
        let mut wallet = wallet(in_wallet, pending);
        wallet.fee = CardFee { per_ten_thousand: rate };
        if let Ok(plan) = plan(&wallet, exactly(amount), TopUpSource::default()) {
            let Funding { wallet: part, bank, card_id, fee } = plan.funding;
            prop_assert_eq!(part.get() + bank.get() - fee.get(), amount);
            prop_assert!(part.get() >= 0 && part.get() <= (in_wallet - pending).max(0));
            prop_assert_eq!(fee, wallet.fee.on(Fen::new(amount - part.get())).unwrap());
            prop_assert_eq!(card_id.is_some(), bank.is_positive());
        }
    }
}
