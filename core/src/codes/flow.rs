//! The decisions about codes, as functions of what is known: which counter is next, which form is still good, and what to ask the
//! platform for. The numbers are those of the code format, sections 6 and 7.

use yika_api::UnixMillis;
use yika_api::credential::{CredentialState, CredentialStatus, EpochReason};
use yika_format::Counter;

use super::cache::WitnessMark;
use super::model::{CodeForm, FormChoice, Stop};
use crate::error::CoreError;

/// Counters that one commit reserves.
pub(super) const BLOCK: u32 = 32;
/// From this counter on the next epoch is asked for: a certificate's life needs up to 45,900 more.
const EPOCH_DUE: u32 = 16_384;
/// No counter is as large.
const COUNTER_END: u32 = 65_536;
/// From this epoch on a new pseudonym is due.
const LAST_EPOCH: u8 = 250;
/// For so long after a new epoch some terminals may not have its row yet.
const SPREAD_MS: i64 = 24 * 3_600_000;

/// The counters of one epoch: all bounds are the first counter beyond.
///
/// `next ≤ reserved`, and whatever is shown was below both `reserved` in the journal and `ceiling` in the witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counters {
    next: u32,
    reserved: u32,
    ceiling: u32,
}

/// What must happen before a counter can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// Nothing: here it is.
    Counter(Counter),
    /// The witness must vouch for this ceiling first.
    Witness { ceiling: u32 },
    /// The journal must reserve up to here.
    Reserve { reserved: u32 },
    /// The epoch has no counter left.
    Exhausted,
}

/// The store is older than what the phone has shown, or nobody can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Restored;

impl Counters {
    /// A new epoch's, with the ceiling that its witness has.
    pub(super) const FIRST: u32 = 1;
    /// The ceiling that the witness of a new epoch is given before the journal knows of it.
    pub(super) const FIRST_CEILING: u32 = Self::FIRST + BLOCK;

    /// Goes on after a start of the process, given what the journal reserved and what the witness says. The rest of the
    /// last block is skipped: some of it may have been shown.
    pub(super) fn resume(
        reserved: u32,
        expected: WitnessMark,
        witness: Option<WitnessMark>,
    ) -> Result<Self, Restored> {
        let witness = witness.ok_or(Restored)?;
        if (witness.pseudonym, witness.epoch) != (expected.pseudonym, expected.epoch) {
            return Err(Restored);
        }
        // One block ahead is where the witness always is. Further ahead means that the journal has fallen back.
        let next = if witness.ceiling > reserved + BLOCK {
            witness.ceiling
        } else {
            reserved
        };
        Ok(Self {
            next,
            reserved: next,
            ceiling: witness.ceiling,
        })
    }

    /// The next counter, or what is needed for one.
    pub(super) fn take(&mut self) -> Take {
        if self.next < self.reserved {
            let counter = u16::try_from(self.next)
                .ok()
                .and_then(|next| Counter::new(next).ok());
            self.next += 1;
            return counter.map_or(Take::Exhausted, Take::Counter);
        }
        if self.next >= COUNTER_END {
            return Take::Exhausted;
        }
        let reserved = (self.next + BLOCK).min(COUNTER_END);
        if self.ceiling < reserved {
            Take::Witness {
                ceiling: reserved + BLOCK,
            }
        } else {
            Take::Reserve { reserved }
        }
    }

    /// The journal has reserved. Returns the ceiling that the witness should get when there is time.
    pub(super) fn reserved(&mut self, reserved: u32) -> Option<u32> {
        self.reserved = reserved;
        let ahead = reserved + BLOCK;
        (self.ceiling < ahead).then_some(ahead)
    }

    /// The witness vouches.
    pub(super) fn witnessed(&mut self, ceiling: u32) {
        self.ceiling = self.ceiling.max(ceiling);
    }

    /// Whether the witness vouches for this ceiling already.
    pub(super) fn is_witnessed(&self, ceiling: u32) -> bool {
        self.ceiling >= ceiling
    }

    /// The next counter, whether or not it can be had yet.
    pub(super) fn next(&self) -> u32 {
        self.next
    }
}

/// How long a credential is good, in either form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Validity {
    pub certificate_until: UnixMillis,
    pub row_until: UnixMillis,
    pub epoch_began: UnixMillis,
}

/// The form to show at `now` for `counter`, or without one, whether there will be a form.
pub(super) fn form(
    choice: FormChoice,
    validity: Validity,
    now: UnixMillis,
    counter: Option<Counter>,
) -> Result<CodeForm, CoreError> {
    let Validity {
        certificate_until,
        row_until,
        epoch_began,
    } = validity;
    let (short_is_good, full_is_good) = (now < row_until, now < certificate_until);
    let spreading = now < epoch_began.plus_millis(SPREAD_MS);
    let is_even = counter.is_some_and(|counter| counter.get() % 2 == 0);
    match choice {
        FormChoice::Short | FormChoice::Automatic if !short_is_good && !full_is_good => {
            Err(CoreError::CredentialExpired {
                since: row_until.max(certificate_until),
                short_form_until: None,
            })
        }
        FormChoice::Short if !short_is_good => Err(CoreError::CredentialExpired {
            since: row_until,
            short_form_until: None,
        }),
        FormChoice::Short => Ok(CodeForm::Short),
        FormChoice::Full if full_is_good => Ok(CodeForm::Full),
        FormChoice::Full => Err(CoreError::CredentialExpired {
            since: certificate_until,
            short_form_until: short_is_good.then_some(row_until),
        }),
        FormChoice::Automatic if !short_is_good => Ok(CodeForm::Full),
        FormChoice::Automatic if spreading && full_is_good && is_even => Ok(CodeForm::Full),
        FormChoice::Automatic => Ok(CodeForm::Short),
    }
}

/// What the phone knows of its credential when it asks how things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub epoch: u8,
    /// The next counter to be shown.
    pub next_counter: u32,
    pub certificate_until: UnixMillis,
    pub life_ms: i64,
    pub renew_below_percent: u8,
    /// Whether the store is older than what was shown.
    pub restored: bool,
    /// Whether codes were stopped.
    pub stopped: bool,
}

/// What to do about the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing: it is as it should be.
    Nothing,
    /// No codes until further notice.
    Stop(Stop),
    /// A first credential, or a new key and pseudonym.
    Enrol,
    /// A later end.
    Renew,
    /// The next epoch.
    NextEpoch(EpochReason),
}

/// What is due, given what the phone knows and what the platform says (nothing: it knows no credential).
pub(super) fn due(known: Option<Known>, told: Option<CredentialStatus>, now: UnixMillis) -> Due {
    let Some(told) = told else { return Due::Enrol };
    match told.state {
        CredentialState::Suspended => return Due::Stop(Stop::CardFrozen),
        CredentialState::Revoked => return Due::Enrol,
        CredentialState::Active => {}
    }
    let Some(known) = known.filter(|known| known.epoch < LAST_EPOCH) else {
        return Due::Enrol;
    };
    let next_sequence = u32::from(known.epoch) << 16 | known.next_counter;
    let left_ms = known.certificate_until.0.saturating_sub(now.0);
    let left_is_little =
        i128::from(left_ms) * 100 < i128::from(known.life_ms) * i128::from(known.renew_below_percent);
    if known.restored || told.epoch > known.epoch || told.highest_settled >= next_sequence {
        Due::NextEpoch(EpochReason::StoreRestored)
    } else if known.next_counter >= EPOCH_DUE {
        Due::NextEpoch(EpochReason::Counter)
    } else if told.renewal_due || known.stopped || left_is_little {
        Due::Renew
    } else {
        Due::Nothing
    }
}

#[cfg(test)]
#[path = "flow_tests.rs"]
mod tests;
