//! Second half: whether a genuine code is good for this, here and now. Time, memory, place and limits.

use super::{Authenticated, Reason, Refusal, TerminalKind, TerminalTime};
use crate::code::{Site, Use};
use crate::credential::Scopes;
use crate::{Amount, Sequence, Slot, UnixSeconds};

/// What a code is shown for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To show who the holder is.
    Identity,
    /// To pay this much.
    Payment {
        /// Above zero.
        amount: Amount,
    },
}

/// The till's own number for a sale: asked again with the same one, the terminal answers as before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SaleId(pub [u8; 16]);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// What for.
    pub purpose: Purpose,
    /// For which sale.
    pub sale: SaleId,
}

/// What the terminal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerminalProfile {
    /// What it stands for.
    pub kind: TerminalKind,
    /// The groups of sites that it belongs to.
    pub sites: Vec<u8>,
    /// Whether somebody attends it.
    pub is_attended: bool,
    /// Where its memory begins: codes made before are refused, since it can't know whether they were used.
    pub installed: UnixSeconds,
}

/// What the terminal remembers of a holder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The highest sequence accepted here.
    pub last: Option<Sequence>,
    /// The sum of payments approved here that are not settled.
    pub spent: Amount,
    /// The sale for which exactly this code, by its dynamic bytes, was accepted.
    pub accepted_for: Option<SaleId>,
}

/// The answer, where it isn't a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Good. It counts once it is durably recorded.
    Approve,
    /// The same code was accepted for the same sale: answer as then, record nothing.
    AnswerAsBefore,
}

/// Checks that an authenticated code is good for this request at this terminal.
pub fn authorise(
    genuine: &Authenticated,
    request: &Request,
    terminal: &TerminalProfile,
    time: &TerminalTime,
    standing: &Standing,
) -> Result<Decision, Refusal> {
    let moment = genuine.code.moment();
    let pays = matches!(request.purpose, Purpose::Payment { .. });
    if !genuine.revocations_in_date && (pays || !genuine.policy.identity_without_revocations) {
        return Err(Reason::ListsStale.into());
    }
    if pays && !time.is_anchored {
        return Err(Reason::NoTime.into());
    }
    if standing.accepted_for == Some(request.sale) {
        return Ok(Decision::AnswerAsBefore);
    }
    check_window(genuine, time)?;
    if moment.dynamic.time < terminal.installed {
        return Err(Reason::BeforeInstall.into());
    }
    if standing.last.is_some_and(|last| moment.sequence() <= last) {
        return Err(Reason::Replay.into());
    }
    check_place(genuine, request, terminal)?;
    if let Purpose::Payment { amount } = request.purpose {
        check_limits(genuine, amount, standing.spent)?;
    }
    Ok(Decision::Approve)
}

/// Checks that the code is not too old and not from the future, as far as both clocks can say.
pub fn check_window(genuine: &Authenticated, time: &TerminalTime) -> Result<(), Refusal> {
    let dynamic = genuine.code.moment().dynamic;
    let max_skew = u32::from(genuine.policy.max_skew_s);
    let skew = match (dynamic.clock.uncertainty_s(), time.is_anchored) {
        (Some(phone), true) => phone.saturating_add(time.uncertainty_s).min(max_skew),
        _ => max_skew,
    };
    let life = i64::from(genuine.code_life_s.min(120));
    let now = i64::try_from(time.now.seconds()).unwrap_or(i64::MAX);
    let offset_s = i64::from(dynamic.time.0).saturating_sub(now);
    let reason = match offset_s {
        _ if offset_s < -life - i64::from(skew) => Reason::Stale,
        _ if offset_s > i64::from(skew) => Reason::Future,
        _ => return Ok(()),
    };
    Err(Refusal {
        reason,
        offset_s: Some(offset_s),
    })
}

/// Checks kind, scope, site and account, in this order.
fn check_place(genuine: &Authenticated, request: &Request, terminal: &TerminalProfile) -> Result<(), Reason> {
    let dynamic = genuine.code.moment().dynamic;
    let (scope, slot) = match (request.purpose, terminal.kind, dynamic.usage) {
        (Purpose::Identity, TerminalKind::Gate, Use::Identity) => (Scopes::GATE, None),
        (Purpose::Identity, TerminalKind::Library, Use::Identity) => (Scopes::LIBRARY, None),
        (Purpose::Payment { .. }, TerminalKind::Pos, usage) => (Scopes::POS, Some(paying_slot(usage)?)),
        (Purpose::Payment { .. }, TerminalKind::Library, usage) => {
            (Scopes::LIBRARY_FEE, Some(paying_slot(usage)?))
        }
        _ => return Err(Reason::WrongKind),
    };
    let mut needed = scope;
    if slot.is_some() && !terminal.is_attended {
        needed = needed.union(Scopes::UNATTENDED);
    }
    if dynamic.usage.is_confirmed() {
        needed = needed.union(Scopes::CONFIRMED);
    }
    if !genuine.attributes.scopes.contains(needed) {
        return Err(Reason::Scope);
    }
    match dynamic.site {
        Site::Group(group) if !terminal.sites.contains(&group) => return Err(Reason::Site),
        Site::Group(_) | Site::Any => {}
    }
    match slot {
        Some(slot) if !genuine.attributes.accounts.contains(slot) => Err(Reason::Account),
        _ => Ok(()),
    }
}

fn paying_slot(usage: Use) -> Result<Slot, Reason> {
    usage.slot().ok_or(Reason::WrongKind)
}

/// Checks the amount. A confirmed payment takes what was confirmed; it may pass the limit per use, never the sum.
fn check_limits(genuine: &Authenticated, amount: Amount, spent: Amount) -> Result<(), Reason> {
    let attributes = &genuine.attributes;
    let is_unanchored = genuine.code.moment().dynamic.clock.uncertainty_s().is_none();
    let sum = spent.0.checked_add(amount.0).ok_or(Reason::Limit)?;
    let within_use = match genuine.confirmed {
        Some(confirmed) => amount == confirmed.amount,
        None => amount <= attributes.per_use.amount(),
    };
    let within_unanchored = !is_unanchored || amount <= genuine.policy.unanchored_limit.amount();
    let within_sum = sum <= attributes.cumulative.amount().0;
    if amount.0 > 0 && within_use && within_unanchored && within_sum {
        Ok(())
    } else {
        Err(Reason::Limit)
    }
}
