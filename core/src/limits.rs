//! Limits that holders set for themselves: of payments off card accounts, and of top-ups. Lowering works at once; raising
//! needs the payment password. The platform decides, and terminals know the credential's.

use std::sync::Arc;

use uuid::Uuid;
use yika_api::Fen;
use yika_api::limit::SetLimits;
use yika_format::bank::Field;

pub use yika_api::limit::SpendLimits;

use crate::error::CoreError;
use crate::http::Call;
use crate::session::Sessions;
use crate::store::{Snapshot, Store};
use crate::wallet::{MoneyReason, PaymentPassword, Wallet, Wallets};

impl Snapshot for SpendLimits {
    const NAME: &'static str = "spend_limits";
}

/// What the phone knows about limits.
pub(crate) struct Limits {
    store: Arc<Store>,
}

/// Limits to be set.
#[derive(Clone, Debug)]
pub(crate) struct NewLimits {
    pub single: Fen,
    pub day: Fen,
    pub password: Option<PaymentPassword>,
}

impl Limits {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// The limits of payments, as last told.
    pub(crate) fn known(&self) -> Result<SpendLimits, CoreError> {
        self.store
            .snapshot()?
            .ok_or_else(|| MoneyReason::BalanceUnknown.into())
    }

    /// The limits of payments, as they are.
    pub(crate) async fn synchronise(&self, sessions: &Sessions) -> Result<SpendLimits, CoreError> {
        let limits = sessions.send(&Call::get("/v1/limits")).await?.json()?;
        self.store.put_snapshot(&limits)?;
        Ok(limits)
    }

    pub(crate) async fn set(
        &self,
        sessions: &Sessions,
        wallets: &Wallets,
        new: NewLimits,
    ) -> Result<SpendLimits, CoreError> {
        let call = put("/v1/limits", sessions, wallets, new).await?;
        let limits = sessions.send(&call).await?.json()?;
        self.store.put_snapshot(&limits)?;
        Ok(limits)
    }

    /// Sets the limits of top-ups, which are the wallet's.
    pub(crate) async fn set_top_up(
        &self,
        sessions: &Sessions,
        wallets: &Wallets,
        new: NewLimits,
    ) -> Result<Wallet, CoreError> {
        let call = put("/v1/wallet/limits", sessions, wallets, new).await?;
        wallets.keep_told(sessions.send(&call).await?.json()?)
    }
}

async fn put(
    path: &'static str,
    sessions: &Sessions,
    wallets: &Wallets,
    new: NewLimits,
) -> Result<Call, CoreError> {
    let operation = Uuid::now_v7();
    let password = match &new.password {
        Some(password) => {
            let sealing = wallets.fresh_sealing(sessions).await?;
            Some(sealing.seal(operation, Fen::ZERO, Field::Password, password.expose())?)
        }
        None => None,
    };
    let request = SetLimits {
        single: new.single,
        day: new.day,
        password,
    };
    Ok(Call::put(path).json(&request)?.operation(operation))
}
