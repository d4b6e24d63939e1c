//! Moving money: top-ups, recharges, withdrawals, and payments for utilities.

use crate::approvals::{StepUp, into_core};
use crate::error::YikaError;
use crate::refusals::RefusalReason;
use crate::types::{Fen, LocalizedText, UnixMillis, Uuid};

pub use yika_core::operations::{
    Funding, Operation, OperationCursor, OperationKind, OperationPage, OperationRefusal, Phase, Plan, Step,
    TopUpAmount, TopUpSource, UtilitySource,
};

/// Top-ups, recharges, withdrawals, and payments for utilities. Each is planned, shown, confirmed and followed. A plan has the operation's id:
/// confirming it twice is one operation. Planning and confirming need no network; what was confirmed without one is sent
/// by the next `sync`. From then on it reaches an end whatever becomes of this phone, and of whoever awaits it.
#[derive(uniffi::Object)]
pub struct OperationService {
    pub(crate) core: yika_core::OperationService,
}

#[uniffi::export]
impl OperationService {
    /// Plans a top-up of a card account. Touches the disk; no network. Fails with `AccountUnknown`, `InvalidInput`, or with
    /// `Money` and why it is not possible.
    pub async fn plan_top_up(
        &self,
        account: Uuid,
        amount: TopUpAmount,
        source: TopUpSource,
    ) -> Result<Plan, YikaError> {
        Ok(self.core.plan_top_up(account, amount, source).await?)
    }

    /// Plans a recharge of the wallet off a bank card; the default one if absent. Touches the disk; no network. Fails with
    /// `InvalidInput`, or with `Money` and why it is not possible.
    pub async fn plan_recharge(&self, amount: Fen, card: Option<Uuid>) -> Result<Plan, YikaError> {
        Ok(self.core.plan_recharge(amount, card).await?)
    }

    /// Plans a withdrawal onto a bank card (the default one if absent), of all that is free if `amount` is absent. Touches the
    /// disk; no network. Fails with `InvalidInput`, or with `Money` and why it is not possible.
    pub async fn plan_withdrawal(&self, amount: Option<Fen>, card: Option<Uuid>) -> Result<Plan, YikaError> {
        Ok(self.core.plan_withdrawal(amount, card).await?)
    }

    /// Plans a payment for a bound place of a utility. Touches the disk; no network. Fails with `AccountUnknown`,
    /// `InvalidInput`, or with `Money` and why it is not possible.
    pub async fn plan_utility(
        &self,
        place: Uuid,
        amount: Fen,
        source: UtilitySource,
    ) -> Result<Plan, YikaError> {
        Ok(self.core.plan_utility(place, amount, source).await?)
    }

    /// Confirms a plan: on the disk first, then sent. All take the payment password but those by which a card account pays
    /// for a utility, which take any step-up where they are above the holder's limits. Answers how it stands, also where
    /// nobody answered: then it is sent again later, and is still one. Touches the disk and the network, with an approval the
    /// keystore.
    ///
    /// Fails with `InvalidInput` without the password that it takes, `Money` where nothing was written down, `Untrusted` where
    /// the bank's keys are not the bank's, `StorageFull` and the like, and with an approval as the keystore fails. After any
    /// of these nothing was sent.
    pub async fn confirm(&self, plan: Plan, step_up: Option<StepUp>) -> Result<Operation, YikaError> {
        Ok(self.core.confirm(plan, into_core(step_up)?).await?)
    }

    /// Takes back an operation that was never sent. Touches the disk; no network. Fails with `Money` and `AlreadySent` or
    /// `OperationUnknown`.
    pub async fn cancel(&self, id: Uuid) -> Result<(), YikaError> {
        Ok(self.core.cancel(id).await?)
    }

    /// An operation as far as is known. Touches the disk; no network. Fails with `Money` and `OperationUnknown`.
    pub async fn get(&self, id: Uuid) -> Result<Operation, YikaError> {
        Ok(self.core.get(id).await?)
    }

    /// A page of at most `limit` (1–500) operations, newest first. Touches the disk; no network.
    pub async fn page(&self, after: Option<OperationCursor>, limit: u32) -> Result<OperationPage, YikaError> {
        Ok(self
            .core
            .page(after, u16::try_from(limit).unwrap_or(u16::MAX))
            .await?)
    }

    /// An operation as soon as it stands elsewhere than at `seen`, or as it stands after half a minute: call it again until it
    /// has ended. Without a network it waits for one that long. Touches the network and the disk. Fails with `Money` and
    /// `OperationUnknown`, `SessionExpired` and the like.
    pub async fn watch(&self, id: Uuid, seen: Phase) -> Result<Operation, YikaError> {
        Ok(self.core.watch(id, seen).await?)
    }
}

/// How much a top-up is.
#[uniffi::remote(Enum)]
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
#[uniffi::remote(Enum)]
pub enum TopUpSource {
    /// The wallet, and the default bank card for what is short.
    WalletThenCard,
    /// The wallet alone.
    Wallet,
    /// A bank card alone.
    Card {
        /// Which.
        card_id: Uuid,
    },
}

/// What pays for a utility.
#[uniffi::remote(Enum)]
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

/// An operation that was shown and is not confirmed.
#[uniffi::remote(Record)]
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
    /// with a step-up. Where the limit of the day is reached too, the operation is refused with `step_up_required`.
    pub needs_step_up: bool,
}

/// Where the money of an operation comes from.
#[uniffi::remote(Record)]
pub struct Funding {
    /// Out of the wallet, zero or more.
    pub wallet: Fen,
    /// Off the bank card, fee included, zero or more. The bank takes both parts in one payment, or neither.
    pub bank: Fen,
    /// The bank card.
    pub card_id: Option<Uuid>,
    /// The bank's fee, part of `bank`.
    pub fee: Fen,
}

/// One operation on money, as far as the phone knows it.
#[uniffi::remote(Record)]
pub struct Operation {
    /// Its id, from before it was sent.
    pub id: Uuid,
    /// What it is.
    pub kind: OperationKind,
    /// What arrives where it is to go.
    pub amount: Fen,
    /// Where the money comes from.
    pub funding: Funding,
    /// The card account that gets the money, or that pays for a utility.
    pub account_id: Option<Uuid>,
    /// The bound place, for a utility.
    pub place_id: Option<Uuid>,
    /// The platform began it, by the holder's rule for the account.
    pub is_automatic: bool,
    /// Where it stands.
    pub phase: Phase,
    /// How it came there, oldest first; the last is `phase`.
    pub steps: Vec<Step>,
    /// Why it was refused or refunded.
    pub refusal: Option<OperationRefusal>,
    /// The number that a receipt shows; absent until the platform has it.
    pub reference: Option<String>,
}

/// What an operation is.
#[uniffi::remote(Enum)]
pub enum OperationKind {
    /// Onto a card account.
    TopUp,
    /// From a bank card into the wallet.
    Recharge,
    /// From the wallet onto a bank card.
    Withdraw,
    /// For a room's electricity or a network account.
    Utility,
    /// A kind that this version does not know.
    Other,
}

/// Where an operation stands.
#[uniffi::remote(Enum)]
pub enum Phase {
    /// Written down here, and never sent. It can still be taken back.
    Created,
    /// Sent, or with the platform, which tells the bank.
    Sent,
    /// The bank, or the utility, did not answer: whether money moved is being found out. Nobody needs to do anything.
    Confirming,
    /// The money has been taken; it is on its way.
    Paid,
    /// The money arrived. An end.
    Credited,
    /// The money had left and is back where it came from. An end.
    Refunded,
    /// Nothing was charged. An end.
    Refused,
    /// A phase that this version does not know: update the app to see more.
    Other,
}

/// A phase that an operation reached.
#[uniffi::remote(Record)]
pub struct Step {
    /// Which.
    pub phase: Phase,
    /// When: by the platform's clock, and for `Created` by the phone's.
    pub at: UnixMillis,
}

/// Why an operation was refused or refunded.
#[uniffi::remote(Record)]
pub struct OperationRefusal {
    /// The bank's reason; absent where it was the platform that refused.
    pub reason: Option<RefusalReason>,
    /// The stable code of the reason, the bank's or the platform's.
    pub code: String,
    /// What the bank says to a person, where it says something.
    pub message: Option<LocalizedText>,
    /// The amount that it is about, such as a limit.
    pub amount: Option<Fen>,
    /// Tries that are left, for a wrong password.
    pub tries_left: Option<u8>,
    /// Until when the password is locked.
    pub until: Option<UnixMillis>,
}

/// Where a page of operations ended.
#[uniffi::remote(Record)]
pub struct OperationCursor {
    /// When the last one began.
    pub began_at: UnixMillis,
    /// The last one.
    pub id: Uuid,
}

/// Operations, newest first.
#[uniffi::remote(Record)]
pub struct OperationPage {
    /// At most as many as were asked for.
    pub operations: Vec<Operation>,
    /// Where the next page begins; absent at the end of what the phone has.
    pub next: Option<OperationCursor>,
}
