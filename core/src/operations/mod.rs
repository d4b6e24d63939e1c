//! Operations on money: top-ups, recharges, withdrawals. An operation is in the journal before it is sent and is sent in the same
//! bytes until the platform has decided, so that no death, reinstalled process or lost reply makes two of one or none of
//! one. What the platform tells of them later is kept for days without a network.

mod cache;
mod flow;
mod model;
pub(crate) mod plan;
mod remote;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;
use yika_api::UnixMillis;
use yika_api::approval::StepUp;
use yika_api::operation::{Operation as Told, OperationRequest, UtilityPayment};
use yika_api::wallet::SealedField;
use yika_format::bank::Field;
use zeroize::Zeroizing;

pub use model::{
    Funding, Operation, OperationCursor, OperationKind, OperationPage, OperationRefusal, Phase,
    RefusalReason, Step,
};
pub use plan::{Plan, TopUpAmount, TopUpSource, UtilitySource};

use crate::approvals::Approvals;
use crate::clock::TrustedClock;
use crate::error::{CoreError, InternalFault};
use crate::feed;
use crate::session::Sessions;
use crate::store::{Changes, Store};
use crate::wallet::{MoneyReason, PaymentPassword, Sealing};
use flow::Outcome;
use model::Draft;
pub(crate) use model::Drafts;

/// Operations that may wait for a network at once.
const MAX_WAITING: usize = 16;
/// Operations that were refused without the platform having them, kept for the list.
const MAX_REFUSED: usize = 20;
/// How long a look for a change lasts: a shell that is gone is not served for longer.
const WATCH: Duration = Duration::from_secs(25);
/// Between two looks, at first; doubled up to [`SLOWEST`].
const QUICKEST: Duration = Duration::from_millis(500);
const SLOWEST: Duration = Duration::from_secs(5);

/// A request on its way.
struct Sending {
    request: Zeroizing<Vec<u8>>,
    /// Whether no try before may have arrived.
    is_first: bool,
}

/// What the phone knows about operations.
pub(crate) struct Operations {
    store: Arc<Store>,
    clock: Arc<TrustedClock>,
    approvals: Arc<Approvals>,
    /// One change of the drafts at a time.
    writing: Mutex<()>,
}

impl Operations {
    pub(crate) fn new(store: Arc<Store>, clock: Arc<TrustedClock>, approvals: Arc<Approvals>) -> Self {
        Self {
            store,
            clock,
            approvals,
            writing: Mutex::new(()),
        }
    }

    /// Writes a confirmed plan down, with what it is allowed by, for [`Self::send`]. One that is known already stays as it is.
    pub(crate) fn write_down(&self, plan: Plan, authority: Authority) -> Result<(), CoreError> {
        let request = request(&plan, authority)?;
        let now = self.clock.now_or_floor()?;
        let _writing = self.writing();
        let mut drafts = self.drafts()?;
        if drafts.drafts.iter().any(|draft| draft.plan.id == plan.id) || self.told(plan.id)?.is_some() {
            return Ok(());
        }
        if drafts.drafts.iter().filter(|draft| draft.is_waiting()).count() >= MAX_WAITING {
            return Err(MoneyReason::TooManyWaiting.into());
        }
        drafts
            .drafts
            .push(Draft::new(plan, request.as_slice().into(), now));
        self.keep(&drafts)
    }

    /// Sends an operation that was written down, and says how it stands: also where nobody answered.
    pub(crate) async fn send(&self, sessions: &Sessions, id: Uuid) -> Result<Operation, CoreError> {
        if let Some(sending) = self.mark_sent(id)? {
            let outcome = match remote::start(sessions, id, sending.request.to_vec()).await {
                Ok(told) if told.id == id => Outcome::Taken(Box::new(told)),
                Ok(_) => Outcome::Unknown,
                Err(error) => {
                    self.approvals.heard(&error).await?;
                    flow::heard(&error)
                }
            };
            self.take(id, &outcome, sending.is_first)?;
        }
        self.one(id)
    }

    /// The request of a draft that waits, after the journal says that it may have arrived.
    fn mark_sent(&self, id: Uuid) -> Result<Option<Sending>, CoreError> {
        let now = self.clock.now_or_floor()?;
        let _writing = self.writing();
        let mut drafts = self.drafts()?;
        let Some(draft) = drafts.drafts.iter_mut().find(|draft| draft.plan.id == id) else {
            return Ok(None);
        };
        let Some(request) = &draft.request else {
            return Ok(None);
        };
        let sending = Sending {
            request: Zeroizing::new(request.expose().to_vec()),
            is_first: draft.sent_at.is_none(),
        };
        if sending.is_first {
            draft.sent_at = Some(now);
            self.keep(&drafts)?;
        }
        Ok(Some(sending))
    }

    fn take(&self, id: Uuid, outcome: &Outcome, is_first: bool) -> Result<(), CoreError> {
        // First the platform's word, then without the draft: dying in between, it is sent again and answered the same.
        if let Outcome::Taken(told) = outcome {
            self.store
                .with_cache(|cache, sealer| cache::put(cache, sealer, told))?;
        }
        let now = self.clock.now_or_floor()?;
        let _writing = self.writing();
        let before = self.drafts()?;
        let changed = |draft: Draft| match draft.plan.id == id {
            true => flow::after(draft, outcome, is_first, now),
            false => Some(draft),
        };
        let mut drafts: Vec<Draft> = before.drafts.clone().into_iter().filter_map(changed).collect();
        let mut refused = drafts.iter().filter(|draft| !draft.is_waiting()).count();
        // Oldest first, so the newest ones stay.
        drafts.retain(|draft| {
            let goes = !draft.is_waiting() && refused > MAX_REFUSED;
            refused -= usize::from(goes);
            !goes
        });
        let after = Drafts { drafts };
        match after == before {
            true => Ok(()),
            false => self.keep(&after),
        }
    }

    /// Takes back an operation that was never sent.
    pub(crate) fn cancel(&self, id: Uuid) -> Result<(), CoreError> {
        let _writing = self.writing();
        let mut drafts = self.drafts()?;
        let draft = drafts.drafts.iter().find(|draft| draft.plan.id == id);
        match draft {
            Some(draft) if draft.is_waiting() && draft.sent_at.is_none() => {
                drafts.drafts.retain(|draft| draft.plan.id != id);
                self.keep(&drafts)
            }
            Some(_) => Err(MoneyReason::AlreadySent.into()),
            None if self.told(id)?.is_some() => Err(MoneyReason::AlreadySent.into()),
            None => Err(MoneyReason::OperationUnknown.into()),
        }
    }

    /// Sends what waits, then hears what changed of all others.
    pub(crate) async fn synchronise(&self, sessions: &Sessions) -> Result<(), CoreError> {
        let waiting = self.drafts()?.drafts.into_iter().filter(Draft::is_waiting);
        for draft in waiting {
            self.send(sessions, draft.plan.id).await?;
        }
        feed::follow(
            || Ok(self.store.with_cache(|cache, _| cache::feed_cursor(cache))?),
            |after| remote::page(sessions, after),
            |after, page| {
                Ok(self
                    .store
                    .with_cache(|cache, sealer| cache::put_page(cache, sealer, after, page))?)
            },
        )
        .await?;
        self.drop_told()
    }

    /// The feed may tell of a draft whose reply was lost.
    fn drop_told(&self) -> Result<(), CoreError> {
        let _writing = self.writing();
        let before = self.drafts()?.drafts;
        let mut kept = Vec::with_capacity(before.len());
        for draft in &before {
            if self.told(draft.plan.id)?.is_none() {
                kept.push(draft.clone());
            }
        }
        match kept.len() == before.len() {
            true => Ok(()),
            false => self.keep(&Drafts { drafts: kept }),
        }
    }

    /// How an operation stands, asking the platform once: what was not taken yet is sent again.
    pub(crate) async fn refresh(&self, sessions: &Sessions, id: Uuid) -> Result<Operation, CoreError> {
        if self.told(id)?.is_none() {
            return self.send(sessions, id).await;
        }
        let told = remote::one(sessions, id).await?;
        self.store
            .with_cache(|cache, sealer| cache::put(cache, sealer, &told))?;
        self.one(id)
    }

    /// The operation once it stands elsewhere than at `seen`, or as it stands after a while.
    pub(crate) async fn watch(
        &self,
        sessions: &Sessions,
        id: Uuid,
        seen: Phase,
    ) -> Result<Operation, CoreError> {
        let deadline = tokio::time::Instant::now() + WATCH;
        let mut pause = QUICKEST;
        loop {
            let known = match self.refresh(sessions, id).await {
                Err(error) if error.retryable() => self.one(id)?,
                other => other?,
            };
            let over = tokio::time::Instant::now() + pause > deadline;
            if known.phase != seen || known.phase.is_end() || over {
                return Ok(known);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SLOWEST);
        }
    }

    /// An operation as far as is known.
    pub(crate) fn one(&self, id: Uuid) -> Result<Operation, CoreError> {
        if let Some(told) = self.told(id)? {
            return Ok(model::shown(&told));
        }
        let drafts = self.drafts()?.drafts;
        let draft = drafts.iter().find(|draft| draft.plan.id == id);
        draft
            .map(Draft::shown)
            .ok_or_else(|| MoneyReason::OperationUnknown.into())
    }

    /// A page of operations, newest first.
    pub(crate) fn page(
        &self,
        after: Option<OperationCursor>,
        limit: u16,
    ) -> Result<OperationPage, CoreError> {
        let limit = limit.clamp(1, 500);
        let told = self
            .store
            .with_cache(|cache, sealer| cache::read(cache, sealer, after, limit + 1))?;
        let mut rows: Vec<(UnixMillis, Operation)> = told
            .iter()
            .map(|told| (cache::began_at(told), model::shown(told)))
            .collect();
        for draft in self.drafts()?.drafts {
            let comes =
                after.is_none_or(|after| (draft.created_at, draft.plan.id) < (after.began_at, after.id));
            if comes && self.told(draft.plan.id)?.is_none() {
                rows.push((draft.created_at, draft.shown()));
            }
        }
        rows.sort_by_key(|(at, operation)| std::cmp::Reverse((*at, operation.id)));
        let more = rows.len() > usize::from(limit);
        rows.truncate(limit.into());
        let next = rows.last().filter(|_| more).map(|(at, last)| OperationCursor {
            began_at: *at,
            id: last.id,
        });
        Ok(OperationPage {
            operations: rows.into_iter().map(|(_, operation)| operation).collect(),
            next,
        })
    }

    fn told(&self, id: Uuid) -> Result<Option<Told>, CoreError> {
        Ok(self
            .store
            .with_cache(|cache, sealer| cache::find(cache, sealer, id))?)
    }

    fn drafts(&self) -> Result<Drafts, CoreError> {
        Ok(self.store.get()?.unwrap_or_default())
    }

    fn keep(&self, drafts: &Drafts) -> Result<(), CoreError> {
        Ok(self.store.commit(&Changes::new().put(drafts)?)?)
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By what an operation is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Authority {
    /// By the payment password, which the bank checks.
    Password(SealedField),
    /// By the session, and by more above the holder's own limits.
    Session { step_up: Option<StepUp> },
}

/// The payment password, sealed for a plan.
pub(crate) fn seal_password(
    plan: &Plan,
    sealing: &Sealing,
    password: &PaymentPassword,
) -> Result<SealedField, CoreError> {
    sealing.seal(plan.id, plan.amount, Field::Password, password.expose())
}

/// The request of a plan, as it will be sent each time.
fn request(plan: &Plan, authority: Authority) -> Result<Zeroizing<Vec<u8>>, CoreError> {
    let fault = CoreError::Internal {
        fault: InternalFault::Encoding,
    };
    let Plan { amount, funding, .. } = *plan;
    let request = match (
        plan.kind,
        plan.account_id,
        funding.card_id,
        plan.place_id,
        authority,
    ) {
        (OperationKind::TopUp, Some(account_id), _, _, Authority::Password(password)) => {
            OperationRequest::TopUp {
                account_id,
                amount,
                funding,
                password,
            }
        }
        (OperationKind::Recharge, _, Some(card_id), _, Authority::Password(password)) => {
            OperationRequest::Recharge {
                amount,
                card_id,
                password,
            }
        }
        (OperationKind::Withdraw, _, Some(card_id), _, Authority::Password(password)) => {
            OperationRequest::Withdraw {
                amount,
                card_id,
                password,
            }
        }
        (OperationKind::Utility, None, _, Some(place_id), Authority::Password(password)) => {
            OperationRequest::Utility {
                place_id,
                amount,
                paid_by: UtilityPayment::Wallet { funding, password },
            }
        }
        (OperationKind::Utility, Some(account_id), _, Some(place_id), Authority::Session { step_up }) => {
            OperationRequest::Utility {
                place_id,
                amount,
                paid_by: UtilityPayment::Account { account_id, step_up },
            }
        }
        _ => return Err(fault),
    };
    Ok(Zeroizing::new(serde_json::to_vec(&request).map_err(|_| fault)?))
}
