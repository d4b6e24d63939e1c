//! The wallet as the phone knows it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use yika_api::wallet::{SchoolBank, Wallet as Told};
use yika_api::{Base64Url, Fen, UnixMillis};

use crate::accounts::Balance;
use crate::store::{Record, Snapshot};

pub use yika_api::wallet::{BankCard, CardBinding, CardFee, CloseBlocker, Terms, TopUpLimits, WalletStatus};

/// The holder's wallet, as last told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// Whether there is one.
    pub status: WalletStatus,
    /// Under which account its bills stand; absent before it is opened.
    pub account_id: Option<Uuid>,
    /// What is in it; absent where that is unknown, which is not zero.
    pub balance: Option<Balance>,
    /// The bound cards, the default one first.
    pub cards: Vec<BankCard>,
    /// The limits that the platform enforces.
    pub limits: TopUpLimits,
    /// What the bank takes for a payment off a bank card.
    pub fee: CardFee,
    /// Amounts to offer for a top-up, the smallest first.
    pub presets: Vec<Fen>,
    /// Why it can't be closed now; empty where it can.
    pub close_blockers: Vec<CloseBlocker>,
    /// The terms that opening one accepts.
    pub terms: Terms,
    /// When the platform told.
    pub as_of: UnixMillis,
}

/// What is cached of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WalletRecord {
    pub told: Told,
    pub as_of: UnixMillis,
}

impl WalletRecord {
    /// The wallet for the screen, with the amounts that the bank offers.
    pub(crate) fn shown(self, presets: Vec<Fen>) -> Wallet {
        let told = self.told;
        Wallet {
            status: told.status,
            account_id: told.account_id,
            balance: told.balance.map(Balance::told),
            cards: told.cards,
            limits: told.limits,
            fee: told.fee,
            presets,
            close_blockers: told.close_blockers,
            terms: told.terms,
            as_of: self.as_of,
        }
    }
}

impl Snapshot for WalletRecord {
    const NAME: &'static str = "wallet";

    /// The version of its balance; 0 before there is one.
    fn version(&self) -> u64 {
        self.told.balance.map_or(0, |balance| balance.version)
    }
}

/// The root by which the phone knows the school's bank, and what the bank offers to everyone. The root is pinned: given by
/// the app, or else told at the first look and never another one after that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BankRecord {
    pub bank: SchoolBank,
}

impl Record for BankRecord {
    const NAME: &'static str = "bank";
}

impl BankRecord {
    pub(crate) fn root(&self) -> &Base64Url {
        &self.bank.root_key
    }
}
