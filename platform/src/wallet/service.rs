//! What a holder does with the wallet. The bank is told first, under the request's key as the operation's name; what it
//! did is stored afterwards. Whatever dies in between, the same request sent again comes to the same.

use super::store;
use crate::Platform;
use crate::approvals::{Presence, prove};
use crate::auto_top_up;
use crate::bank::BankGateway;
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::idempotency::{Deed, Operation};
use crate::ledger::{AccountKind, NewAccount, create_account};
use crate::limits::{self, Bounds, top_up_bounds};
use crate::operations::{check_sealed, top_ups_of_today, under_way};
use crate::random::new_id;
use crate::sessions::Session;
use uuid::Uuid;
use yika_api::approval::Act;
use yika_api::bank::{CardChallenge, CardCode, CloseCustomer, NewCard, OpenCustomer, SetPassword};
use yika_api::limit::SetLimits;
use yika_api::wallet::{
    BindCard, CardBinding, ChangePassword, CloseBlocker, CloseWallet, ConfirmCard, OpenWallet, TopUpLimits,
    Wallet, WalletStatus,
};
use yika_api::{Base64Url, Fen, LocalizedText, ProblemCode, UnixMillis};

/// One request about the wallet.
pub(super) struct Visit<'a> {
    platform: &'a Platform,
    session: &'a Session,
    holder: i64,
}

/// How the wallet must be for something to be done.
#[derive(Clone, Copy)]
enum Wanted {
    NotOpen,
    Open,
    /// Open, and these limits can be set.
    Settable(Bounds, Presence),
    /// Open, with nothing in it and nothing under way.
    Empty,
    /// Open, with this card bound or waiting for its code.
    Known(Uuid),
    /// Open, with this card bound.
    Bound(Uuid),
}

/// What a deed changes once the bank has done it.
#[derive(Clone, Copy)]
enum Change<'a> {
    Open {
        terms_version: u32,
    },
    Close,
    /// The bank alone keeps it.
    Nothing,
    Limits(Bounds, Presence),
    Begin(Uuid, &'a CardChallenge),
    Bind(Uuid),
    Default(Uuid),
    Unbind(Uuid),
}

impl<'a> Visit<'a> {
    pub(super) fn new(platform: &'a Platform, session: &'a Session) -> Self {
        Self {
            platform,
            session,
            holder: session.holder,
        }
    }

    fn bank(&self) -> Result<&'a dyn BankGateway> {
        Ok(self.platform.bank()?.gateway())
    }

    /// How the wallet stands.
    pub(super) async fn show(&self) -> Result<Wallet> {
        let bank_key = self.platform.bank()?.certificate(self.platform.now()).await?;
        self.customer().await?;
        let mut snapshot = self.platform.db().snapshot().await?;
        self.wallet(&mut snapshot, bank_key).await
    }

    /// The holder's number at the bank, which the first question makes.
    async fn customer(&self) -> Result<Uuid> {
        let mut reader = self.platform.db().read().await?;
        if let Some(wallet) = store::find(&mut reader, self.holder).await? {
            return Ok(wallet.customer);
        }
        drop(reader);
        transact!(self.platform.db().writer(), |tx| {
            if let Some(wallet) = store::find(tx, self.holder).await? {
                return Ok(wallet.customer);
            }
            let customer = Uuid::new_v4();
            store::insert(tx, self.holder, customer, self.platform.now()).await?;
            Ok(customer)
        })
    }

    async fn wallet(&self, db: &mut Connection, bank_key: Base64Url) -> Result<Wallet> {
        let now = self.platform.now();
        let row = store::find(db, self.holder).await?;
        let row = row.ok_or_else(|| Error::refused(ProblemCode::WalletNotOpen))?;
        let policy = &self.platform.config().wallet;
        let bounds = top_up_bounds(db, self.platform, self.holder).await?;
        let (count, held) = under_way(db, self.holder).await?;
        let (account_id, balance) = match row.shown {
            Some((id, amount, version)) => (Some(id), Some(store::balance(amount, version, held, now)?)),
            None => (None, None),
        };
        let amount = balance.map_or(Fen::ZERO, |balance| balance.amount);
        let mut close_blockers = Vec::new();
        if amount.is_positive() {
            close_blockers.push(CloseBlocker::Money { amount });
        }
        if count > 0 {
            close_blockers.push(CloseBlocker::PendingOperations { count });
        }
        Ok(Wallet {
            status: row.status,
            customer: row.customer,
            account_id,
            balance,
            cards: store::cards(db, self.holder).await?,
            limits: TopUpLimits {
                least: policy.least,
                single: bounds.single,
                day: bounds.day,
                day_used: top_ups_of_today(db, self.platform, self.holder).await?,
                most_single: policy.single,
                most_day: policy.day,
            },
            fee: policy.fee,
            bank_key,
            close_blockers,
            terms: policy.terms.clone(),
        })
    }

    /// The reply of a deed that was done before. A new one is let through where the wallet is as it must be.
    async fn done_before(&self, deed: &Deed, wanted: Wanted) -> Result<Option<String>> {
        self.customer().await?;
        transact!(self.platform.db().writer(), |tx| {
            if let Some(reply) = deed.reply(tx).await? {
                return Ok(Some(reply));
            }
            self.check(tx, wanted).await?;
            Ok(None)
        })
    }

    async fn check(&self, tx: &mut Connection, wanted: Wanted) -> Result<()> {
        let status = store::find(tx, self.holder).await?.map(|wallet| wallet.status);
        match (wanted, status) {
            (Wanted::NotOpen, Some(WalletStatus::Open | WalletStatus::Frozen)) => {
                Err(Error::refused(ProblemCode::WalletAlreadyOpen))
            }
            (Wanted::NotOpen, _) => Ok(()),
            (_, None | Some(WalletStatus::None | WalletStatus::Frozen | WalletStatus::Closed)) => {
                Err(Error::refused(ProblemCode::WalletNotOpen))
            }
            (Wanted::Open, Some(WalletStatus::Open)) => Ok(()),
            (Wanted::Settable(bounds, raise), Some(WalletStatus::Open)) => {
                limits::check_top_up_bounds(tx, self.platform, self.holder, bounds, raise).await
            }
            (Wanted::Empty, Some(WalletStatus::Open)) => {
                let (count, held) = under_way(tx, self.holder).await?;
                let wallet = store::find(tx, self.holder)
                    .await?
                    .and_then(|wallet| wallet.shown);
                let amount = wallet.map_or(Fen::ZERO, |(_, amount, _)| amount);
                match count == 0 && amount == Fen::ZERO && held == Fen::ZERO {
                    true => Ok(()),
                    false => Err(Error::refused_amount(
                        ProblemCode::WalletInUse,
                        amount.checked_add(held)?,
                    )),
                }
            }
            (Wanted::Known(card), Some(WalletStatus::Open)) => {
                match store::is_known(tx, self.holder, card).await? {
                    true => Ok(()),
                    false => Err(Error::refused(ProblemCode::CardNotBound)),
                }
            }
            (Wanted::Bound(card), Some(WalletStatus::Open)) => {
                match store::is_bound(tx, self.holder, card).await? {
                    true => Ok(()),
                    false => Err(Error::refused(ProblemCode::CardNotBound)),
                }
            }
        }
    }

    /// Stores what the bank has done, with the reply to it.
    async fn store(&self, deed: &Deed, change: Change<'_>) -> Result<String> {
        let now = self.platform.now();
        let bank_key = self.platform.bank()?.certificate(now).await?;
        transact!(self.platform.db().writer(), |tx| {
            let slot = match deed.begin(tx).await? {
                Operation::Done(reply) => return Ok(reply),
                Operation::New(slot) => slot,
            };
            self.apply(tx, change).await?;
            match change {
                Change::Begin(card, challenge) => slot.store(tx, &binding(card, challenge), now).await,
                _ => {
                    let wallet = self.wallet(tx, bank_key.clone()).await?;
                    slot.store(tx, &wallet, now).await
                }
            }
        })
    }

    async fn apply(&self, tx: &mut Connection, change: Change<'_>) -> Result<()> {
        let (holder, now) = (self.holder, self.platform.now());
        match change {
            Change::Open { terms_version } => {
                let known = store::find(tx, holder).await?.and_then(|wallet| wallet.account);
                let account = match known {
                    Some(account) => account,
                    None => create_account(tx, &wallet_account(holder, now)).await?,
                };
                store::open(tx, holder, account, terms_version, now).await
            }
            Change::Close => {
                auto_top_up::end_with_wallet(tx, holder).await?;
                store::close(tx, holder, now).await
            }
            Change::Nothing => Ok(()),
            Change::Limits(bounds, raise) => {
                limits::set_top_up_bounds(tx, self.platform, holder, bounds, raise).await
            }
            Change::Begin(card, challenge) => store::insert_card(tx, holder, card, challenge).await,
            Change::Bind(card) => store::bind_card(tx, holder, card, now).await,
            Change::Default(card) => store::set_default(tx, holder, card).await,
            Change::Unbind(card) => store::unbind_card(tx, holder, card).await,
        }
    }

    /// Opens the wallet, or opens it again.
    pub(super) async fn open(&self, key: IdempotencyKey, request: &OpenWallet) -> Result<String> {
        let (bank, deed) = (self.bank()?, Deed::new("wallet.open", self.holder, key, request)?);
        if let Some(reply) = self.done_before(&deed, Wanted::NotOpen).await? {
            return Ok(reply);
        }
        if request.terms_version != self.platform.config().wallet.terms.version {
            return Err(Error::refused(ProblemCode::TermsChanged));
        }
        let customer = OpenCustomer {
            operation: key.0,
            customer: self.customer().await?,
            identity: check_sealed(&request.identity)?.clone(),
            password: check_sealed(&request.password)?.clone(),
        };
        bank.open_customer(&customer).await?;
        yika_fault::reach("platform.wallet.told");
        let terms_version = request.terms_version;
        self.store(&deed, Change::Open { terms_version }).await
    }

    /// Closes it, where nothing is in it and nothing under way.
    pub(super) async fn close(&self, key: IdempotencyKey, request: &CloseWallet) -> Result<String> {
        let (bank, deed) = (
            self.bank()?,
            Deed::new("wallet.close", self.holder, key, request)?,
        );
        if let Some(reply) = self.done_before(&deed, Wanted::Empty).await? {
            return Ok(reply);
        }
        let close = CloseCustomer {
            operation: key.0,
            password: check_sealed(&request.password)?.clone(),
        };
        bank.close_customer(self.customer().await?, &close).await?;
        self.store(&deed, Change::Close).await
    }

    /// Sets another payment password.
    pub(super) async fn set_password(&self, key: IdempotencyKey, request: &ChangePassword) -> Result<String> {
        let (bank, deed) = (
            self.bank()?,
            Deed::new("wallet.password", self.holder, key, request)?,
        );
        if let Some(reply) = self.done_before(&deed, Wanted::Open).await? {
            return Ok(reply);
        }
        let (ChangePassword::Old { old: proof, new } | ChangePassword::Identity { identity: proof, new }) =
            request;
        check_sealed(proof)?;
        check_sealed(new)?;
        let password = SetPassword {
            operation: key.0,
            change: request.clone(),
        };
        bank.set_password(self.customer().await?, &password).await?;
        self.store(&deed, Change::Nothing).await
    }

    /// Sets the limits of top-ups. What can't be set costs no try of the password.
    pub(super) async fn set_limits(&self, key: IdempotencyKey, request: &SetLimits) -> Result<String> {
        let deed = Deed::new("wallet.limits", self.holder, key, request)?;
        let (single, day) = (request.single, request.day);
        let bounds = Bounds { single, day };
        let wanted = Wanted::Settable(bounds, Presence::if_given(request.step_up.as_ref()));
        if let Some(reply) = self.done_before(&deed, wanted).await? {
            return Ok(reply);
        }
        let act = Act::TopUpLimits { single, day };
        let presence = prove(self.platform, self.session, key, act, request.step_up.as_ref()).await?;
        self.store(&deed, Change::Limits(bounds, presence)).await
    }

    /// Begins binding a card: the bank sends a code.
    pub(super) async fn begin_card(&self, key: IdempotencyKey, request: &BindCard) -> Result<String> {
        let (bank, deed) = (self.bank()?, Deed::new("wallet.card", self.holder, key, request)?);
        if let Some(reply) = self.done_before(&deed, Wanted::Open).await? {
            return Ok(reply);
        }
        let card = NewCard {
            operation: key.0,
            card: check_sealed(&request.card)?.clone(),
        };
        let challenge = bank.begin_card(self.customer().await?, &card).await?;
        self.store(&deed, Change::Begin(key.0, &challenge)).await
    }

    /// Binds a card with the code that the holder read.
    pub(super) async fn confirm_card(
        &self,
        key: IdempotencyKey,
        card: Uuid,
        request: &ConfirmCard,
    ) -> Result<String> {
        let (bank, deed) = (
            self.bank()?,
            Deed::new("wallet.card.confirm", self.holder, key, &(card, request))?,
        );
        if let Some(reply) = self.done_before(&deed, Wanted::Known(card)).await? {
            return Ok(reply);
        }
        let code = CardCode {
            operation: key.0,
            code: check_sealed(&request.code)?.clone(),
        };
        bank.confirm_card(self.customer().await?, card, &code).await?;
        self.store(&deed, Change::Bind(card)).await
    }

    /// Makes a card the one that pays where none is named.
    pub(super) async fn set_default(&self, key: IdempotencyKey, card: Uuid) -> Result<String> {
        let deed = Deed::new("wallet.card.default", self.holder, key, &card)?;
        if let Some(reply) = self.done_before(&deed, Wanted::Bound(card)).await? {
            return Ok(reply);
        }
        self.store(&deed, Change::Default(card)).await
    }

    /// Unbinds a card.
    pub(super) async fn unbind_card(&self, key: IdempotencyKey, card: Uuid) -> Result<String> {
        let (bank, deed) = (
            self.bank()?,
            Deed::new("wallet.card.unbind", self.holder, key, &card)?,
        );
        if let Some(reply) = self.done_before(&deed, Wanted::Known(card)).await? {
            return Ok(reply);
        }
        bank.unbind_card(self.customer().await?, card).await?;
        self.store(&deed, Change::Unbind(card)).await
    }
}

fn binding(id: Uuid, challenge: &CardChallenge) -> CardBinding {
    CardBinding {
        id,
        bank: challenge.bank.clone(),
        tail: challenge.tail.clone(),
        phone_masked: challenge.phone_masked.clone(),
        expires_at: challenge.expires_at,
        tries_left: challenge.tries_left,
    }
}

fn wallet_account(holder: i64, now: UnixMillis) -> NewAccount {
    NewAccount {
        public_id: new_id(now),
        kind: AccountKind::Wallet,
        holder: Some(holder),
        slot: None,
        card_account: None,
        merchant: None,
        name: LocalizedText {
            zh: "电子钱包".to_owned(),
            en: "Wallet".to_owned(),
        },
    }
}
