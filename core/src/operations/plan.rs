//! What an operation will do, before anybody confirms it: its parts, fee and limits, as a function of what the phone knows.
//! The platform decides anew, and refuses where what was shown does not hold.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::approval::Act;
use yika_api::operation::{Funding, OperationKind};
use yika_api::{Fen, FenError};

use crate::accounts::{Account, AccountStatus};
use crate::error::CoreError;
use crate::limits::SpendLimits;
use crate::wallet::{InputField, MoneyReason, MoneyRefusal, Wallet, WalletStatus};

/// An operation that was shown and is not confirmed. Confirming it twice is one operation: it has its id already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The bound place, for a utility.
    pub place_id: Option<Uuid>,
    /// A card account is to pay more than the holder's own limit of one payment, as far as the phone knows that: confirm it
    /// with a step-up. Where the limit of the day is reached too, the platform says so.
    #[serde(default)]
    pub needs_step_up: bool,
}

impl Plan {
    /// What the holder approves by it, where that is to be said.
    pub(crate) fn act(&self) -> Option<Act> {
        let (amount, place, account) = (self.amount, self.place_id?, self.account_id?);
        Some(Act::PayUtility {
            amount,
            place,
            account,
        })
    }

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
pub(crate) fn top_up(
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
        place_id: None,
        needs_step_up: false,
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
pub(crate) fn utility_by_account(
    id: Uuid,
    place: Uuid,
    account: &Account,
    amount: Fen,
    limits: Option<&SpendLimits>,
) -> Result<Plan, CoreError> {
    check_positive(amount)?;
    if account.status != AccountStatus::Open {
        return Err(MoneyReason::AccountNotOpen.into());
    }
    let free = account.balance.ok_or(MoneyReason::BalanceUnknown)?.amount;
    if amount > free {
        return Err(MoneyRefusal::about(MoneyReason::InsufficientFunds, free).into());
    }
    if let Some(limits) = limits
        && amount > limits.most_single
    {
        return Err(MoneyRefusal::about(MoneyReason::AmountOutOfRange, limits.most_single).into());
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
        place_id: Some(place),
        needs_step_up: limits.is_some_and(|limits| amount > limits.single),
    })
}

/// Plans a payment by way of the bank for a bound place.
pub(crate) fn utility_by_bank(
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
        place_id: Some(place),
        needs_step_up: false,
    })
}

/// Plans a recharge of the wallet off a bank card; the default one if absent.
pub(crate) fn recharge(
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
        place_id: None,
        needs_step_up: false,
    })
}

/// Plans a withdrawal onto a bank card, of all that is free if `amount` is absent.
pub(crate) fn withdrawal(
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
        place_id: None,
        needs_step_up: false,
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
mod tests;
