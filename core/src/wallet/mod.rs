//! The e-wallet: money of the holder at the school's bank, with the debit cards bound to it. The phone keeps what was told
//! last, and seals to the bank what only the bank may read. Moving money is [`crate::operations`].

mod input;
mod model;
mod refusal;
mod remote;
mod seal;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use uuid::Uuid;
use yika_api::Fen;
use yika_api::wallet::{BindCard, ChangePassword, CloseWallet, ConfirmCard, OpenWallet, SchoolBank};
use yika_format::PublicKey;
use yika_format::bank::Field;

pub use input::{CardDetails, Identity, InputField, NewPaymentPassword, PaymentPassword, SmsCode};
pub use model::{BankCard, CardBinding, CardFee, CloseBlocker, Terms, TopUpLimits, Wallet, WalletStatus};
pub use refusal::{MoneyReason, MoneyRefusal};

use crate::clock::TrustedClock;
use crate::error::CoreError;
use crate::session::Sessions;
use crate::store::{Changes, Store};
use crate::trust::TrustFault;
pub(crate) use model::{BankRecord, WalletRecord};
use remote::Action;
pub(crate) use seal::Sealing;

/// What the phone knows about the wallet.
pub(crate) struct Wallets {
    store: Arc<Store>,
    clock: Arc<TrustedClock>,
    /// The root key of the bank, where the app knows it.
    root: Option<PublicKey>,
}

/// How the holder shows that the payment password may be changed.
#[derive(Clone, Debug)]
pub enum PasswordProof {
    /// By the one that holds now.
    Old(PaymentPassword),
    /// By the identity data given when the wallet was opened, where it is forgotten.
    Identity(Identity),
}

impl Wallets {
    pub(crate) fn new(store: Arc<Store>, clock: Arc<TrustedClock>, root: Option<PublicKey>) -> Self {
        Self { store, clock, root }
    }

    /// The wallet as last told.
    fn known(&self) -> Result<WalletRecord, CoreError> {
        self.store
            .snapshot()?
            .ok_or_else(|| MoneyReason::BalanceUnknown.into())
    }

    /// The wallet as last told, for the screen.
    pub(crate) fn shown(&self) -> Result<Wallet, CoreError> {
        Ok(self.known()?.shown(self.bank()?.bank.presets))
    }

    /// Brings the wallet up to date. A school without one has none, which is no error.
    pub(crate) async fn synchronise(&self, sessions: &Sessions) -> Result<(), CoreError> {
        let Some(bank) = remote::school_bank(sessions).await? else {
            return Ok(self.store.remove_snapshot::<WalletRecord>()?);
        };
        self.keep_bank(bank)?;
        self.refresh(sessions).await
    }

    /// Reads the wallet alone, after money has moved.
    pub(crate) async fn refresh(&self, sessions: &Sessions) -> Result<(), CoreError> {
        match remote::wallet(sessions).await? {
            Some(told) => self.keep(told).map(drop),
            None => Ok(()),
        }
    }

    /// Pins the bank's root at the first look; another one later is refused.
    fn keep_bank(&self, bank: SchoolBank) -> Result<(), CoreError> {
        let kept = self.store.get::<BankRecord>()?;
        let pinned = match self.root {
            Some(root) => Some(root.as_bytes().as_slice().into()),
            None => kept.as_ref().map(|kept| kept.root().clone()),
        };
        if pinned.is_some_and(|pinned| pinned != bank.root_key) {
            return Err(TrustFault::BankRoot.into());
        }
        let record = BankRecord { bank };
        if kept.as_ref() != Some(&record) {
            self.store.commit(&Changes::new().put(&record)?)?;
        }
        Ok(())
    }

    fn keep(&self, told: yika_api::wallet::Wallet) -> Result<WalletRecord, CoreError> {
        let as_of = match told.balance {
            Some(balance) => balance.as_of,
            None => self.clock.now_or_floor()?,
        };
        let record = WalletRecord { told, as_of };
        self.store.put_snapshot(&record)?;
        Ok(record)
    }

    /// Takes what an answer tells of the wallet.
    pub(crate) fn keep_told(&self, told: yika_api::wallet::Wallet) -> Result<Wallet, CoreError> {
        Ok(self.keep(told)?.shown(self.bank()?.bank.presets))
    }

    fn bank(&self) -> Result<BankRecord, CoreError> {
        self.store
            .get::<BankRecord>()?
            .ok_or(MoneyReason::WalletNotOffered.into())
    }

    /// What seals to the bank, as far as the phone knows the bank. Needs no network.
    pub(crate) fn sealing(&self, sessions: &Sessions) -> Result<Sealing, CoreError> {
        let (known, bank) = (self.known()?, self.bank()?);
        let root = bank
            .root()
            .to_array()
            .and_then(|bytes| PublicKey::from_compressed(bytes).ok())
            .ok_or(TrustFault::BankRoot)?;
        let school = sessions.bound()?.school_hash();
        let (customer, now) = (known.told.customer, self.clock.now_or_floor()?);
        Ok(Sealing::new(&known.told.bank_key, &root, school, customer, now)?)
    }

    /// Where the phone has never looked, or the bank's keys have ended since, it looks first.
    pub(crate) async fn fresh_sealing(&self, sessions: &Sessions) -> Result<Sealing, CoreError> {
        if let Ok(sealing) = self.sealing(sessions) {
            return Ok(sealing);
        }
        self.synchronise(sessions).await?;
        match self.sealing(sessions) {
            Err(CoreError::Money { refusal }) if refusal.reason == MoneyReason::BalanceUnknown => {
                Err(MoneyReason::WalletNotOffered.into())
            }
            other => other,
        }
    }

    pub(crate) async fn open(
        &self,
        sessions: &Sessions,
        terms_version: u32,
        identity: &Identity,
        password: &NewPaymentPassword,
    ) -> Result<Wallet, CoreError> {
        refuse_own_number(identity, password)?;
        let (operation, sealing) = (Uuid::now_v7(), self.fresh_sealing(sessions).await?);
        let request = OpenWallet {
            terms_version,
            identity: sealing.seal_identity(operation, identity)?,
            password: sealing.seal(operation, Fen::ZERO, Field::Password, password.expose())?,
        };
        self.act(sessions, operation, Action::Open(&request)).await
    }

    pub(crate) async fn close(
        &self,
        sessions: &Sessions,
        password: &PaymentPassword,
    ) -> Result<Wallet, CoreError> {
        let (operation, sealing) = (Uuid::now_v7(), self.fresh_sealing(sessions).await?);
        let password = sealing.seal(operation, Fen::ZERO, Field::Password, password.expose())?;
        self.act(sessions, operation, Action::Close(&CloseWallet { password }))
            .await
    }

    pub(crate) async fn change_password(
        &self,
        sessions: &Sessions,
        proof: &PasswordProof,
        new: &NewPaymentPassword,
    ) -> Result<Wallet, CoreError> {
        let (operation, sealing) = (Uuid::now_v7(), self.fresh_sealing(sessions).await?);
        let new_sealed = sealing.seal(operation, Fen::ZERO, Field::NewPassword, new.expose())?;
        let request = match proof {
            PasswordProof::Old(old) => ChangePassword::Old {
                old: sealing.seal(operation, Fen::ZERO, Field::Password, old.expose())?,
                new: new_sealed,
            },
            PasswordProof::Identity(identity) => {
                refuse_own_number(identity, new)?;
                ChangePassword::Identity {
                    identity: sealing.seal_identity(operation, identity)?,
                    new: new_sealed,
                }
            }
        };
        self.act(sessions, operation, Action::Password(&request)).await
    }

    pub(crate) async fn begin_card(
        &self,
        sessions: &Sessions,
        card: &CardDetails,
    ) -> Result<CardBinding, CoreError> {
        let (operation, sealing) = (Uuid::now_v7(), self.fresh_sealing(sessions).await?);
        let card = sealing.seal_card(operation, card)?;
        remote::begin_card(sessions, operation, &BindCard { card }).await
    }

    pub(crate) async fn confirm_card(
        &self,
        sessions: &Sessions,
        card: Uuid,
        code: &SmsCode,
    ) -> Result<Wallet, CoreError> {
        let (operation, sealing) = (Uuid::now_v7(), self.fresh_sealing(sessions).await?);
        let code = sealing.seal(operation, Fen::ZERO, Field::Code, code.expose())?;
        self.act(sessions, operation, Action::Confirm(card, &ConfirmCard { code }))
            .await
    }

    pub(crate) async fn set_default_card(
        &self,
        sessions: &Sessions,
        card: Uuid,
    ) -> Result<Wallet, CoreError> {
        self.act(sessions, Uuid::now_v7(), Action::Default(card)).await
    }

    pub(crate) async fn unbind_card(&self, sessions: &Sessions, card: Uuid) -> Result<Wallet, CoreError> {
        self.act(sessions, Uuid::now_v7(), Action::Unbind(card)).await
    }

    async fn act(
        &self,
        sessions: &Sessions,
        operation: Uuid,
        action: Action<'_>,
    ) -> Result<Wallet, CoreError> {
        self.keep_told(remote::act(sessions, operation, action).await?)
    }
}

/// A password out of the holder's own identity number is one that others guess.
fn refuse_own_number(identity: &Identity, password: &NewPaymentPassword) -> Result<(), CoreError> {
    match password.is_part_of(identity.id_number.expose()) {
        true => Err(CoreError::WeakPassword),
        false => Ok(()),
    }
}
