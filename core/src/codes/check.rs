//! Whether what was issued is what was asked for, and the school's own word for it. Everything that is signed is checked before it
//! replaces what the phone shows codes with.

use yika_api::UnixMillis;
use yika_api::credential::IssueRequest;
use yika_format::credential::Credential;
use yika_format::lists::{Keyset, Role};
use yika_format::{Profile, PublicKey};

use crate::trust::{TrustFault, format_millis};

/// What a credential is held against.
pub(super) struct Expected<'a> {
    /// The school's keys.
    pub keyset: &'a Keyset,
    /// This phone's code key.
    pub device_key: PublicKey,
    /// What was asked for.
    pub request: &'a IssueRequest,
    /// The credential in use, and when it ends.
    pub previous: Option<(&'a Credential, UnixMillis)>,
    pub now: UnixMillis,
}

/// Checks a credential, and returns when it ends.
///
/// One that has ended meanwhile is taken: where an answer was lost and asked for again much later, it is still the
/// platform's last word, and a renewal is due at once. What must not come back is one from before the one in use.
pub(super) fn check(credential: &Credential, expected: &Expected<'_>) -> Result<UnixMillis, TrustFault> {
    let Expected { keyset, now, .. } = *expected;
    let body = &credential.body;
    let issuer = keyset
        .key(body.issuer, Role::Credential, format_millis(now))
        .ok_or(TrustFault::Issuer)?;
    credential
        .verify(&keyset.header().school, &issuer.key)
        .map_err(|_| TrustFault::Signature)?;
    if body.profile != Profile::P256 || body.device_key != expected.device_key {
        return Err(TrustFault::DeviceKey);
    }
    let (starts, ends) = body.validity(issuer.from);
    let (starts, ends) = (api_millis(starts), api_millis(ends));
    if starts > now {
        return Err(TrustFault::Times);
    }
    let previous = expected.previous;
    let same_pseudonym = previous.is_some_and(|(before, _)| before.body.pseudonym == body.pseudonym);
    let least_step = match expected.request {
        IssueRequest::Enrol { .. } if same_pseudonym => return Err(TrustFault::Pseudonym),
        IssueRequest::Enrol { .. } => return Ok(ends),
        IssueRequest::Renew => 0,
        IssueRequest::NextEpoch { .. } => 1,
    };
    let Some((before, before_ends)) = previous.filter(|_| same_pseudonym) else {
        return Err(TrustFault::Pseudonym);
    };
    let before_starts = before_ends.plus_millis(-i64::from(before.body.life_hours) * 3_600_000);
    if body.epoch.get() < before.body.epoch.get() + least_step {
        Err(TrustFault::Epoch)
    } else if starts < before_starts {
        Err(TrustFault::Times)
    } else {
        Ok(ends)
    }
}

fn api_millis(seconds: u64) -> UnixMillis {
    UnixMillis(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000))
}
