//! What becomes of a request for a credential: pure decisions from how the enrolment stands.

use crate::clock::HOUR;
use crate::config::CredentialPolicy;
use yika_api::UnixMillis;
use yika_api::credential::EpochReason;
use yika_format::credential::Attributes;
use yika_format::{Epoch, MinEpoch};

/// At this epoch no further one is issued: the phone enrols a new key and gets a new pseudonym.
const LAST_EPOCH: u8 = 250;

/// Whether an enrolment's codes are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnrolmentState {
    /// They are.
    Active,
    /// Not until its holder is found again.
    Suspended,
    /// Never again.
    Revoked,
    /// Another key took its place.
    Replaced,
}

/// How an enrolment stands, as far as issuing goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: EnrolmentState,
    pub(crate) epoch: Epoch,
    /// Whether the platform itself wants a new epoch: after a suspension, or because counters were used twice.
    pub(crate) epoch_due: bool,
    pub(crate) attributes: Attributes,
    pub(crate) certificate_from: UnixMillis,
    pub(crate) certificate_until: UnixMillis,
}

/// What the phone wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Renew,
    NextEpoch(EpochReason),
}

/// What it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The certificate that it has.
    Keep,
    /// The same epoch with later times.
    Renew,
    /// The next epoch. From `old_until` on, the epochs before it are refused.
    NextEpoch { epoch: Epoch, old_until: UnixMillis },
    /// Nothing: it enrols a new key.
    EnrolAgain,
    /// Nothing while the card is frozen.
    Frozen,
}

/// Decides on a wish. `wanted` are the attributes that the holder has today.
pub(crate) fn step(
    standing: &Standing,
    wish: Wish,
    wanted: &Attributes,
    policy: &CredentialPolicy,
    now: UnixMillis,
) -> Step {
    match standing.state {
        EnrolmentState::Suspended => return Step::Frozen,
        EnrolmentState::Revoked | EnrolmentState::Replaced => return Step::EnrolAgain,
        EnrolmentState::Active => {}
    }
    let loses = standing.attributes.least(*wanted) != standing.attributes;
    let is_urgent = standing.epoch_due || loses || wish == Wish::NextEpoch(EpochReason::StoreRestored);
    let is_wanted = wish == Wish::NextEpoch(EpochReason::Counter) || standing.attributes != *wanted;
    if is_urgent || is_wanted {
        return match standing
            .epoch
            .next()
            .filter(|_| standing.epoch.get() < LAST_EPOCH)
        {
            Some(epoch) => Step::NextEpoch {
                epoch,
                old_until: if is_urgent {
                    now
                } else {
                    standing.certificate_until
                },
            },
            None => Step::EnrolAgain,
        };
    }
    let life = standing.certificate_until.0 - standing.certificate_from.0;
    let left = standing.certificate_until.0 - now.0;
    match left * 100 < life * i64::from(policy.codes.renew_below_percent) {
        true => Step::Renew,
        false => Step::Keep,
    }
}

/// Whether a renewal would bring a new epoch.
pub(crate) fn is_renewal_due(standing: &Standing, wanted: &Attributes) -> bool {
    standing.state == EnrolmentState::Active && (standing.epoch_due || standing.attributes != *wanted)
}

/// The lowest accepted epoch of a suspended enrolment: all that it has shown is dead, what it gets next is not.
pub(crate) fn min_epoch_of_suspended(epoch: Epoch) -> MinEpoch {
    epoch
        .next()
        .and_then(|next| MinEpoch::new(next.get()).ok())
        .unwrap_or(MinEpoch::DEAD)
}

/// Hours since the issuer key's `from` at which a certificate made now begins: an hour back.
pub(crate) fn not_before_hours(issuer_from_s: u32, now: UnixMillis) -> Option<u16> {
    let since = now.0 - HOUR - i64::from(issuer_from_s) * 1000;
    u16::try_from(since.div_euclid(HOUR)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use yika_format::credential::{HolderClass, KeyStorage, Scopes};
    use yika_format::{AccountMask, LimitUnits};

    const FROM: UnixMillis = UnixMillis(1_795_000_000_000);

    fn attributes() -> Attributes {
        Attributes {
            per_use: LimitUnits(100),
            cumulative: LimitUnits(200),
            accounts: AccountMask(0b11),
            scopes: Scopes::POS,
            class: HolderClass::Student,
            key_storage: KeyStorage::Software,
        }
    }

    fn standing() -> Standing {
        Standing {
            state: EnrolmentState::Active,
            epoch: Epoch::FIRST,
            epoch_due: false,
            attributes: attributes(),
            certificate_from: FROM,
            certificate_until: FROM.plus_millis(100 * HOUR),
        }
    }

    fn decide(standing: &Standing, wish: Wish, wanted: &Attributes, hours: i64) -> Step {
        step(
            standing,
            wish,
            wanted,
            &CredentialPolicy::default(),
            FROM.plus_millis(hours * HOUR),
        )
    }

    fn second() -> Epoch {
        Epoch::new(2).unwrap()
    }

    #[test]
    fn nothing_is_issued_to_the_suspended_the_revoked_and_the_replaced() {
        for (state, expected) in [
            (EnrolmentState::Suspended, Step::Frozen),
            (EnrolmentState::Revoked, Step::EnrolAgain),
            (EnrolmentState::Replaced, Step::EnrolAgain),
        ] {
            for wish in [Wish::Renew, Wish::NextEpoch(EpochReason::Counter)] {
                assert_eq!(
                    decide(&Standing { state, ..standing() }, wish, &attributes(), 99),
                    expected
                );
            }
        }
    }

    #[test]
    fn no_epoch_follows_the_last_one() {
        let last = Standing {
            epoch: Epoch::new(LAST_EPOCH).unwrap(),
            ..standing()
        };
        assert_eq!(
            decide(&last, Wish::NextEpoch(EpochReason::Counter), &attributes(), 1),
            Step::EnrolAgain
        );
        assert_eq!(decide(&last, Wish::Renew, &attributes(), 99), Step::Renew);
    }

    #[test]
    fn a_renewal_comes_when_less_than_the_policy_s_part_is_left() {
        assert_eq!(decide(&standing(), Wish::Renew, &attributes(), 25), Step::Keep);
        assert_eq!(decide(&standing(), Wish::Renew, &attributes(), 26), Step::Renew);
    }

    #[test]
    fn more_attributes_let_the_old_epoch_live_out_fewer_end_it_at_once() {
        let more = Attributes {
            accounts: AccountMask(0b111),
            ..attributes()
        };
        let until = standing().certificate_until;
        let next = |old_until| Step::NextEpoch {
            epoch: second(),
            old_until,
        };
        assert_eq!(decide(&standing(), Wish::Renew, &more, 1), next(until));
        for fewer in [
            Attributes {
                accounts: AccountMask(0b01),
                ..attributes()
            },
            Attributes {
                per_use: LimitUnits(99),
                ..attributes()
            },
            Attributes {
                scopes: Scopes::default(),
                accounts: AccountMask(0b111),
                ..attributes()
            },
        ] {
            assert_eq!(
                decide(&standing(), Wish::Renew, &fewer, 1),
                next(FROM.plus_millis(HOUR))
            );
        }
    }

    #[test]
    fn a_restored_store_and_reused_counters_end_the_old_epoch_at_once_a_full_counter_does_not() {
        let now = FROM.plus_millis(HOUR);
        let next = |old_until| Step::NextEpoch {
            epoch: second(),
            old_until,
        };
        let restored = Wish::NextEpoch(EpochReason::StoreRestored);
        assert_eq!(decide(&standing(), restored, &attributes(), 1), next(now));
        let due = Standing {
            epoch_due: true,
            ..standing()
        };
        assert_eq!(decide(&due, Wish::Renew, &attributes(), 1), next(now));
        let counter = Wish::NextEpoch(EpochReason::Counter);
        assert_eq!(
            decide(&standing(), counter, &attributes(), 1),
            next(standing().certificate_until)
        );
    }

    #[test]
    fn suspension_of_the_last_possible_epoch_kills_for_good() {
        assert_eq!(min_epoch_of_suspended(Epoch::FIRST), MinEpoch::new(2).unwrap());
        assert_eq!(min_epoch_of_suspended(Epoch::new(254).unwrap()), MinEpoch::DEAD);
    }

    #[test]
    fn a_certificate_begins_an_hour_back_and_never_before_its_key() {
        assert_eq!(not_before_hours(3600, UnixMillis(3 * HOUR + 1)), Some(1));
        assert_eq!(not_before_hours(3600, UnixMillis(HOUR)), None);
    }
}
