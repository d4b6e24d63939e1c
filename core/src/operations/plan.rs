//! What an operation will do, before anybody confirms it: its parts, fee and limits, as a function of what the phone knows.
//! The platform decides anew, and refuses where what was shown does not hold.

use uuid::Uuid;
use yika_api::operation::{Funding, OperationKind};
use yika_api::{Fen, FenError};

use crate::accounts::{Account, AccountStatus};
use crate::error::CoreError;
use crate::wallet::{InputField, MoneyReason, MoneyRefusal, Wallet, WalletStatus};

/// An operation that was shown and is not confirmed. Confirming it twice is one operation: it has its id already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The operation's id.
    pub id: Uuid,
    /// What it will be.
    pub kind: OperationKind,
    /// What will arrive where it is to go.
    pub amount: Fen,
    /// Where the money will come from, fee included.
    pub funding: Funding,
    /// The card account that gets the money, or that pays for a utility.
    pub account_id: Option<Uuid>,
    /// The bank card, where one has a part in it.
    pub card_id: Option<Uuid>,
    /// The bound place, for a utility.
    pub place_id: Option<Uuid>,
}

impl Plan {
    /// Whether it takes the payment password: the bank has a part in it.
    pub const fn needs_password(&self) -> bool {
        !matches!(self.kind, OperationKind::Utility)
            || self.funding.wallet.is_positive()
            || self.funding.bank.is_positive()
    }
}

/// How much a top-up is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopUpAmount {
    /// This much.
    Exactly {
        /// The amount.
        amount: Fen,
    },
    /// As much as brings the account to this balance.
    ToBalance {
        /// The balance.
        balance: Fen,
    },
}

/// What pays a top-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TopUpSource {
    /// The wallet, and the default bank card for what is short.
    #[default]
    WalletThenCard,
    /// The wallet alone.
    Wallet,
    /// A bank card alone.
    Card {
        /// Which.
        card_id: Uuid,
    },
}

/// Plans a top-up of a card account.
pub(super) fn top_up(
    id: Uuid,
    wallet: &Wallet,
    account: &Account,
    amount: TopUpAmount,
    source: TopUpSource,
) -> Result<Plan, CoreError> {
    if account.status != AccountStatus::Open {
        return Err(MoneyReason::AccountNotOpen.into());
    }
    let amount = amount_of(account, amount)?;
    let funding = funding_of(wallet, amount, source)?;
    Ok(Plan {
        id,
        kind: OperationKind::TopUp,
        amount,
        funding,
        account_id: Some(account.id),
        card_id: funding.card_id,
        place_id: None,
    })
}

/// The parts of an amount by way of the bank, with today's fee, within the limits.
fn funding_of(wallet: &Wallet, amount: Fen, source: TopUpSource) -> Result<Funding, CoreError> {
    check_open(wallet)?;
    check_limits(wallet, amount)?;
    let free = free_in(wallet)?;
    let (from_wallet, card) = match source {
        TopUpSource::Card { card_id } => (Fen::ZERO, Some(card_id)),
        TopUpSource::Wallet => (amount, None),
        TopUpSource::WalletThenCard if free >= amount => (amount, None),
        TopUpSource::WalletThenCard => (free, wallet.cards.first().map(|card| card.id)),
    };
    let rest = difference(amount, from_wallet)?;
    let short = from_wallet > free || (rest.is_positive() && card.is_none());
    if short {
        return Err(MoneyRefusal::about(MoneyReason::InsufficientFunds, free).into());
    }
    let card = card.filter(|_| rest.is_positive());
    card.map_or(Ok(()), |card| check_card(wallet, card))?;
    let fee = wallet.fee.on(rest).map_err(too_large)?;
    Ok(Funding {
        wallet: from_wallet,
        bank: rest.checked_add(fee).map_err(too_large)?,
        card_id: card,
        fee,
    })
}

/// What pays for a utility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UtilitySource {
    /// A card account, which must have all of it.
    Account {
        /// Which.
        account_id: Uuid,
    },
    /// By way of the bank, like a top-up.
    Bank {
        /// What pays.
        source: TopUpSource,
    },
}

/// Plans a payment off a card account for a bound place.
pub(super) fn utility_by_account(
    id: Uuid,
    place: Uuid,
    account: &Account,
    amount: Fen,
) -> Result<Plan, CoreError> {
    check_positive(amount)?;
    if account.status != AccountStatus::Open {
        return Err(MoneyReason::AccountNotOpen.into());
    }
    let free = account.balance.ok_or(MoneyReason::BalanceUnknown)?.amount;
    if amount > free {
        return Err(MoneyRefusal::about(MoneyReason::InsufficientFunds, free).into());
    }
    let funding = Funding {
        wallet: Fen::ZERO,
        bank: Fen::ZERO,
        card_id: None,
        fee: Fen::ZERO,
    };
    Ok(Plan {
        id,
        kind: OperationKind::Utility,
        amount,
        funding,
        account_id: Some(account.id),
        card_id: None,
        place_id: Some(place),
    })
}

/// Plans a payment by way of the bank for a bound place.
pub(super) fn utility_by_bank(
    id: Uuid,
    place: Uuid,
    wallet: &Wallet,
    amount: Fen,
    source: TopUpSource,
) -> Result<Plan, CoreError> {
    check_positive(amount)?;
    let funding = funding_of(wallet, amount, source)?;
    Ok(Plan {
        id,
        kind: OperationKind::Utility,
        amount,
        funding,
        account_id: None,
        card_id: funding.card_id,
        place_id: Some(place),
    })
}

/// Plans a recharge of the wallet off a bank card; the default one if absent.
pub(super) fn recharge(
    id: Uuid,
    wallet: &Wallet,
    amount: Fen,
    card: Option<Uuid>,
) -> Result<Plan, CoreError> {
    check_positive(amount)?;
    check_open(wallet)?;
    let card = card_or_default(wallet, card)?;
    let funding = Funding {
        wallet: Fen::ZERO,
        bank: amount,
        card_id: Some(card),
        fee: Fen::ZERO,
    };
    Ok(Plan {
        id,
        kind: OperationKind::Recharge,
        amount,
        funding,
        account_id: None,
        card_id: Some(card),
        place_id: None,
    })
}

/// Plans a withdrawal onto a bank card, of all that is free if `amount` is absent.
pub(super) fn withdrawal(
    id: Uuid,
    wallet: &Wallet,
    amount: Option<Fen>,
    card: Option<Uuid>,
) -> Result<Plan, CoreError> {
    check_open(wallet)?;
    let free = free_in(wallet)?;
    if let Some(amount) = amount {
        check_positive(amount)?;
    }
    let amount = amount.unwrap_or(free);
    if amount > free || !amount.is_positive() {
        return Err(MoneyRefusal::about(MoneyReason::InsufficientFunds, free).into());
    }
    let card = card_or_default(wallet, card)?;
    let funding = Funding {
        wallet: amount,
        bank: Fen::ZERO,
        card_id: Some(card),
        fee: Fen::ZERO,
    };
    Ok(Plan {
        id,
        kind: OperationKind::Withdraw,
        amount,
        funding,
        account_id: None,
        card_id: Some(card),
        place_id: None,
    })
}

fn amount_of(account: &Account, amount: TopUpAmount) -> Result<Fen, CoreError> {
    match amount {
        TopUpAmount::Exactly { amount } => {
            check_positive(amount)?;
            Ok(amount)
        }
        TopUpAmount::ToBalance { balance: target } => {
            check_positive(target)?;
            let balance = account.balance.ok_or(MoneyReason::BalanceUnknown)?.amount;
            let missing = difference(target, balance)?;
            match missing.is_positive() {
                true => Ok(missing),
                false => Err(MoneyRefusal::about(MoneyReason::TargetReached, balance).into()),
            }
        }
    }
}

fn check_positive(amount: Fen) -> Result<(), CoreError> {
    match amount.is_positive() {
        true => Ok(()),
        false => Err(InputField::Amount.into()),
    }
}

fn check_open(wallet: &Wallet) -> Result<(), CoreError> {
    match wallet.status {
        WalletStatus::Open => Ok(()),
        WalletStatus::None | WalletStatus::Frozen | WalletStatus::Closed => {
            Err(MoneyReason::WalletNotOpen.into())
        }
    }
}

fn check_limits(wallet: &Wallet, amount: Fen) -> Result<(), CoreError> {
    let limits = &wallet.limits;
    let left = difference(limits.day, limits.day_used)?.max(Fen::ZERO);
    let refusal = if amount < limits.least {
        MoneyRefusal::about(MoneyReason::AmountOutOfRange, limits.least)
    } else if amount > limits.single {
        MoneyRefusal::about(MoneyReason::AmountOutOfRange, limits.single)
    } else if amount > left {
        MoneyRefusal::about(MoneyReason::DayLimitReached, left)
    } else {
        return Ok(());
    };
    Err(refusal.into())
}

/// What operations under way leave of the wallet.
fn free_in(wallet: &Wallet) -> Result<Fen, CoreError> {
    let balance = wallet.balance.ok_or(MoneyReason::BalanceUnknown)?;
    Ok(difference(balance.amount, balance.pending)?.max(Fen::ZERO))
}

fn card_or_default(wallet: &Wallet, card: Option<Uuid>) -> Result<Uuid, CoreError> {
    let card = card
        .or_else(|| wallet.cards.first().map(|card| card.id))
        .ok_or(MoneyReason::CardNotBound)?;
    check_card(wallet, card)?;
    Ok(card)
}

fn check_card(wallet: &Wallet, card: Uuid) -> Result<(), CoreError> {
    match wallet.cards.iter().any(|bound| bound.id == card) {
        true => Ok(()),
        false => Err(MoneyReason::CardNotBound.into()),
    }
}

fn difference(from: Fen, less: Fen) -> Result<Fen, CoreError> {
    from.checked_sub(less).map_err(too_large)
}

fn too_large(_: FenError) -> CoreError {
    InputField::Amount.into()
}

#[cfg(test)]
mod tests {
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
        let by_account = |amount| utility_by_account(Uuid::nil(), place, &account(2_000), Fen::new(amount));
        let plan = by_account(2_000).unwrap();
        assert_eq!((plan.place_id, plan.needs_password()), (Some(place), false));
        assert_eq!(
            reason(by_account(2_001)),
            (MoneyReason::InsufficientFunds, Some(2_000))
        );
        let wallet = wallet(3_000, 0);
        let any = TopUpSource::default();
        let plan = utility_by_bank(Uuid::nil(), place, &wallet, Fen::new(5_000), any).unwrap();
        assert_eq!(
            (plan.funding.wallet, plan.card_id, plan.needs_password()),
            (Fen::new(3_000), Some(CARD), true)
        );
    }

    #[test]
    fn a_withdrawal_takes_what_is_free_and_no_more() {
        let wallet = wallet(9_000, 1_000);
        let all = withdrawal(Uuid::nil(), &wallet, None, None).unwrap();
        assert_eq!((all.amount, all.card_id), (Fen::new(8_000), Some(CARD)));
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
}
