//! Limits that holders set for themselves: of payments off card accounts, and of top-ups. Lowering works at once; raising
//! needs a step-up. The platform decides, and terminals know the credential's.

use std::sync::Arc;

use uuid::Uuid;
use yika_api::Fen;
use yika_api::approval::Act;
use yika_api::limit::SetLimits;

pub use yika_api::limit::SpendLimits;

use crate::approvals::{Approvals, StepUp};
use crate::error::CoreError;
use crate::http::{Answer, Call};
use crate::session::Sessions;
use crate::store::{Snapshot, Store};
use crate::wallet::{MoneyReason, Wallet, Wallets};

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
    pub step_up: Option<StepUp>,
}

/// In whose name limits are set.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub sessions: &'a Sessions,
    pub wallets: &'a Wallets,
    pub approvals: &'a Approvals,
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

    pub(crate) async fn set(&self, setting: Setting<'_>, new: NewLimits) -> Result<SpendLimits, CoreError> {
        let act = Act::SpendLimits {
            single: new.single,
            day: new.day,
        };
        let limits = setting.put("/v1/limits", act, new).await?.json()?;
        self.store.put_snapshot(&limits)?;
        Ok(limits)
    }

    /// Sets the limits of top-ups, which are the wallet's.
    pub(crate) async fn set_top_up(&self, setting: Setting<'_>, new: NewLimits) -> Result<Wallet, CoreError> {
        let act = Act::TopUpLimits {
            single: new.single,
            day: new.day,
        };
        let told = setting.put("/v1/wallet/limits", act, new).await?.json()?;
        setting.wallets.keep_told(told)
    }
}

impl Setting<'_> {
    async fn put(self, path: &'static str, act: Act, new: NewLimits) -> Result<Answer, CoreError> {
        let Self {
            sessions,
            wallets,
            approvals,
        } = self;
        let operation = Uuid::now_v7();
        let step_up = match &new.step_up {
            Some(step_up) => {
                let proven = approvals.prove(sessions, wallets, operation, act, step_up);
                Some(proven.await?)
            }
            None => None,
        };
        let request = SetLimits {
            single: new.single,
            day: new.day,
            step_up,
        };
        let call = Call::put(path).json(&request)?.operation(operation);
        let answer = sessions.send(&call).await;
        if let Err(error) = &answer {
            approvals.heard(error).await?;
        }
        Ok(answer?)
    }
}
