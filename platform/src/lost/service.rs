//! What a holder does: reports something lost, looks how it stands, reports it found.

use super::effect::{self, Source, is_suspended};
use super::store;
use crate::Platform;
use crate::approvals::{Presence, prove};
use crate::clock::MINUTE;
use crate::db::{Connection, transact};
use crate::error::{Error, Result};
use crate::http::IdempotencyKey;
use crate::idempotency::{Deed, Operation};
use crate::sessions::{Session, has_signed_in_since, own_device};
use uuid::Uuid;
use yika_api::approval::{Act, StepUp};
use yika_api::lost::{Lost, ReportFound, ReportLost, SuspendedBy, Suspension, SuspensionList};
use yika_api::{ProblemCode, UnixMillis};

/// How long ago a sign-in at the host still shows that the holder is there.
const SIGN_IN_MS: i64 = 5 * MINUTE;

/// Everything of a holder that is suspended.
pub(super) async fn list(platform: &Platform, holder: i64) -> Result<SuspensionList> {
    let mut snapshot = platform.db().snapshot().await?;
    listed(&mut snapshot, holder, platform.now()).await
}

async fn listed(db: &mut Connection, holder: i64, as_of: UnixMillis) -> Result<SuspensionList> {
    Ok(SuspensionList {
        suspensions: store::open(db, holder).await?,
        version: store::version(db, holder).await?,
        as_of,
    })
}

/// Takes a report, named by the phone. The same one again changes nothing, also after what it began has ended.
pub(super) async fn report(
    platform: &Platform,
    session: &Session,
    id: Uuid,
    request: &ReportLost,
) -> Result<Suspension> {
    let holder = session.holder;
    let reported: Result<Suspension> = transact!(platform.db().writer(), |tx| {
        if let Some(known) = store::suspension(tx, id).await? {
            let Suspension {
                lost, by, decided_at, ..
            } = known.suspension;
            let reported = (known.holder, lost, by, decided_at);
            return match reported == (holder, request.lost, SuspendedBy::Holder, request.decided_at) {
                true => Ok(known.suspension),
                false => Err(Error::refused(ProblemCode::IdempotencyConflict)),
            };
        }
        if let Lost::Phone { device_id } = request.lost
            && own_device(tx, holder, device_id).await?.is_none()
        {
            return Err(Error::refused(ProblemCode::NotFound));
        }
        let new = (id, request.lost, request.decided_at);
        effect::begin(tx, platform, holder, new, Source::Phone(session.device)).await
    });
    let suspension = reported?;
    tracing::info!(%id, device = %session.device, "something is reported lost");
    Ok(suspension)
}

/// Ends whatever the holder reported of the same thing. Needs the holder, unless it has ended already.
pub(super) async fn found(
    platform: &Platform,
    session: &Session,
    key: IdempotencyKey,
    id: Uuid,
    request: &ReportFound,
) -> Result<String> {
    let holder = session.holder;
    let deed = Deed::new("found", holder, key, &(id, request))?;
    let given = Presence::if_given(request.step_up.as_ref());
    let before: Result<Before> = transact!(platform.db().writer(), |tx| {
        if let Some(reply) = deed.reply(tx).await? {
            return Ok(Before::Done(reply));
        }
        // What can't be ended costs no try of the password.
        let suspension = endable(tx, holder, id, given).await?;
        let reported_at = store::last_reported_at(tx, holder, suspension.lost).await?;
        Ok(Before::Known(suspension, reported_at))
    });
    let (suspension, reported_at) = match before? {
        Before::Done(reply) => return Ok(reply),
        Before::Known(suspension, reported_at) => (suspension, reported_at),
    };
    let claim = Claim {
        key,
        act: Act::ReportFound { suspension: id },
        signed_in_since: reported_at,
    };
    let presence = match suspension.ended_at {
        Some(_) => Presence::Unproven,
        None => prove_holder(platform, session, claim, request.step_up.as_ref()).await?,
    };
    let now = platform.now();
    transact!(platform.db().writer(), |tx| {
        let slot = match deed.begin(tx).await? {
            Operation::Done(reply) => return Ok(reply),
            Operation::New(slot) => slot,
        };
        let suspension = endable(tx, holder, id, presence).await?;
        // One that had ended before ends nothing that was reported since, for which nobody had to be there.
        if suspension.ended_at.is_none() {
            let mut ended = store::open(tx, holder).await?;
            ended.retain(|other| other.by == SuspendedBy::Holder && other.lost == suspension.lost);
            effect::end(tx, holder, &ended, SuspendedBy::Holder, now).await?;
        }
        let list = listed(tx, holder, now).await?;
        slot.store(tx, &list, now).await
    })
}

enum Before {
    /// It was done before: this was the reply.
    Done(String),
    /// This is to end, and was last reported then.
    Known(Suspension, UnixMillis),
}

/// The suspension, if this holder may end it.
async fn endable(db: &mut Connection, holder: i64, id: Uuid, presence: Presence) -> Result<Suspension> {
    let known = store::suspension(db, id).await?;
    let known = known.filter(|known| known.holder == holder);
    let known = known.ok_or_else(|| Error::refused(ProblemCode::NotFound))?;
    match (known.suspension.by, known.suspension.ended_at, presence) {
        (SuspendedBy::Office, ..) => Err(Error::refused_because(
            ProblemCode::Forbidden,
            "the card office froze it, and the card office alone undoes that",
        )),
        (SuspendedBy::Holder, None, Presence::Unproven) => Err(Error::refused(ProblemCode::StepUpRequired)),
        (SuspendedBy::Holder, ..) => Ok(known.suspension),
    }
}

/// What the holder is asked to be there for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) key: IdempotencyKey,
    pub(crate) act: Act,
    /// A sign-in at the host counts from here on, and if it is not long ago.
    pub(crate) signed_in_since: UnixMillis,
}

/// Whether the holder is there, for what concerns the holder's phones themselves: a phone that is suspended approves nothing, for
/// whoever has it may know how it is unlocked; and who has no payment password may sign in at the host instead.
pub(crate) async fn prove_holder(
    platform: &Platform,
    session: &Session,
    claim: Claim,
    step_up: Option<&StepUp>,
) -> Result<Presence> {
    let not_so = |why: &str| Err(Error::refused_because(ProblemCode::StepUpRequired, why));
    match step_up {
        Some(StepUp::SignIn { id_token }) => {
            let since = claim.signed_in_since.max(platform.now().plus_millis(-SIGN_IN_MS));
            match has_signed_in_since(platform, session.holder, id_token, since).await? {
                true => Ok(Presence::Proven),
                false => not_so("sign in at the host anew, and send the ID token of that"),
            }
        }
        Some(StepUp::Approval { .. }) => {
            let mut reader = platform.db().read().await?;
            let is_suspended = is_suspended(&mut reader, session.holder, session.device).await?;
            drop(reader);
            match is_suspended {
                true => not_so("a phone that is suspended approves nothing; use the payment password"),
                false => prove(platform, session, claim.key, claim.act, step_up).await,
            }
        }
        Some(StepUp::Password { .. }) | None => prove(platform, session, claim.key, claim.act, step_up).await,
    }
}
