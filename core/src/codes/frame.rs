//! From a signed moment to something that can be drawn. A moment is signed once; short and full form of it share the
//! counter and the signature.

use std::time::Duration;

use uuid::Uuid;
use yika_api::UnixMillis;
use yika_format::Signature;
use yika_format::code::{FullCode, Moment, ShortCode};
use yika_format::credential::Credential;

use super::model::{CodeForm, CodeFrame};
use super::qr::{Symbol, encode_alphanumeric};
use crate::clock::Reading;
use crate::error::{CoreError, InternalFault};

/// No countdown is shorter: a frame that waits for its successor is asked about again after this.
const SHORTEST_WAIT: Duration = Duration::from_millis(250);

/// A moment that was signed and may be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignedMoment {
    pub moment: Moment,
    pub signature: Signature,
    pub plan: MomentPlan,
}

/// When a moment is to be shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct MomentPlan {
    /// The account by name.
    pub account: Option<Uuid>,
    /// The clock when it was planned.
    pub planned: Reading,
    pub shown_at: UnixMillis,
    pub refresh_at: UnixMillis,
    pub expires_at: UnixMillis,
}

impl SignedMoment {
    /// Epoch and counter as one number that rises.
    pub(super) fn sequence(&self) -> u32 {
        self.moment.sequence().get()
    }

    /// Whether `next` was made to follow this one.
    pub(super) fn precedes(&self, next: &Self) -> bool {
        let (ours, theirs) = (&self.moment, &next.moment);
        let same = (ours.pseudonym, ours.epoch, ours.dynamic.usage)
            == (theirs.pseudonym, theirs.epoch, theirs.dynamic.usage);
        same && self.sequence() < next.sequence()
    }

    /// The frame at `now`.
    pub(super) fn frame(
        &self,
        credential: &Credential,
        form: CodeForm,
        now: &Reading,
    ) -> Result<CodeFrame, CoreError> {
        let Self {
            moment,
            signature,
            plan,
        } = *self;
        let (text, symbol) = match form {
            CodeForm::Short => (ShortCode { moment, signature }.to_text(), Symbol::SHORT_CODE),
            CodeForm::Full => {
                let code = FullCode {
                    credential: *credential,
                    dynamic: moment.dynamic,
                    signature,
                };
                (code.to_text(), Symbol::FULL_CODE)
            }
        };
        let modules = encode_alphanumeric(&text, symbol).map_err(|_| CoreError::Internal {
            fault: InternalFault::Encoding,
        })?;
        Ok(CodeFrame {
            modules,
            form,
            text,
            account: plan.account,
            slot: moment.dynamic.usage.slot(),
            shown_at: plan.shown_at,
            refresh_at: plan.refresh_at,
            expires_at: plan.expires_at,
            refresh_in: until(plan.refresh_at, now).max(SHORTEST_WAIT),
            expires_in: until(plan.expires_at, now),
            clock: now.quality(),
        })
    }
}

fn until(at: UnixMillis, now: &Reading) -> Duration {
    Duration::from_millis(u64::try_from(at.0.saturating_sub(now.now.0)).unwrap_or(0))
}
