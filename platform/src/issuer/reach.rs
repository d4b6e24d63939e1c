//! How long a terminal that hears nothing may still accept what has just been suspended: pure, from what it can have heard before.

use super::lists::ListsUntil;
use yika_api::UnixMillis;

/// When a credential ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// After it, full codes are refused.
    pub(super) certificate_until: UnixMillis,
    /// After it, short ones are.
    pub(super) row_until: UnixMillis,
}

/// The worst case at terminals that hear nothing. Never before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Until when payments may be taken.
    pub(crate) payments_by: UnixMillis,
    /// Until when identities may be; not before that.
    pub(crate) identities_by: UnixMillis,
}

impl Reach {
    /// Nothing is accepted any more.
    pub(crate) const fn none(now: UnixMillis) -> Self {
        Self {
            payments_by: now,
            identities_by: now,
        }
    }

    /// Whichever is later.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            payments_by: self.payments_by.max(other.payments_by),
            identities_by: self.identities_by.max(other.identities_by),
        }
    }

    /// By the terminal's algorithm (code format, section 8): payments need revocations in date, short codes a table in date;
    /// full codes need neither where the policy lets identities go without revocations, and the policy is the table's.
    pub(super) fn of(
        endings: &[Ending],
        lists: ListsUntil,
        identity_without_revocations: bool,
        now: UnixMillis,
    ) -> Self {
        endings.iter().fold(Self::none(now), |reach, ending| {
            let by_table = lists.table.map(|table| table.min(ending.row_until));
            let shown = by_table.map_or(ending.certificate_until, |short| {
                short.max(ending.certificate_until)
            });
            let payments_by = lists.revocations.map_or(now, |until| until.min(shown)).max(now);
            let has_policy = lists.table.is_some() && identity_without_revocations;
            let identities_by = if has_policy {
                shown.max(payments_by)
            } else {
                payments_by
            };
            reach.max(Self {
                payments_by,
                identities_by,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixMillis = UnixMillis(1_000);

    fn at(ms: i64) -> UnixMillis {
        UnixMillis(ms)
    }

    fn lists(revocations: Option<i64>, table: Option<i64>) -> ListsUntil {
        ListsUntil {
            revocations: revocations.map(UnixMillis),
            table: table.map(UnixMillis),
        }
    }

    fn ending(certificate_until: i64, row_until: i64) -> Ending {
        Ending {
            certificate_until: at(certificate_until),
            row_until: at(row_until),
        }
    }

    fn reach(payments_by: i64, identities_by: i64) -> Reach {
        Reach {
            payments_by: at(payments_by),
            identities_by: at(identities_by),
        }
    }

    #[test]
    fn the_worst_case_is_what_a_terminal_can_still_have() {
        let one = [ending(5_000, 9_000)];
        for (endings, lists, goes_on, expected) in [
            // No terminal has ever had a list, or there is no credential.
            (&one[..], lists(None, None), true, reach(1_000, 1_000)),
            (
                &[][..],
                lists(Some(3_000), Some(4_000)),
                true,
                reach(1_000, 1_000),
            ),
            // Lists that have ended count for nothing; identities go on by the table's policy.
            (&one[..], lists(Some(500), Some(400)), true, reach(1_000, 5_000)),
            (&one[..], lists(Some(500), Some(400)), false, reach(1_000, 1_000)),
            // Revocations end first, then the certificate, or the table's row.
            (
                &one[..],
                lists(Some(3_000), Some(4_000)),
                true,
                reach(3_000, 5_000),
            ),
            (
                &one[..],
                lists(Some(3_000), Some(4_000)),
                false,
                reach(3_000, 3_000),
            ),
            (
                &one[..],
                lists(Some(8_000), Some(4_000)),
                true,
                reach(5_000, 5_000),
            ),
            (
                &one[..],
                lists(Some(8_000), Some(7_000)),
                true,
                reach(7_000, 7_000),
            ),
            (
                &one[..],
                lists(Some(20_000), Some(20_000)),
                true,
                reach(9_000, 9_000),
            ),
            // A gate without a table takes no identity without revocations.
            (&one[..], lists(Some(3_000), None), true, reach(3_000, 3_000)),
        ] {
            assert_eq!(
                Reach::of(endings, lists, goes_on, NOW),
                expected,
                "{lists:?} {goes_on}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_worst_of_several_phones_is_told_and_nothing_before_now(
            several in proptest::collection::vec((0_i64..9_000, 0_i64..9_000), 0..4),
            revocations in proptest::option::of(0_i64..9_000),
            table in proptest::option::of(0_i64..9_000),
            goes_on: bool,
        ) {
            let endings: Vec<_> = several.iter().map(|&(certificate, row)| ending(certificate, row)).collect();
            let lists = lists(revocations, table);
            let whole = Reach::of(&endings, lists, goes_on, NOW);
            let worst = endings
                .iter()
                .map(|one| Reach::of(std::slice::from_ref(one), lists, goes_on, NOW))
                .fold(Reach::none(NOW), Reach::max);
            prop_assert_eq!(whole, worst);
            prop_assert!(NOW <= whole.payments_by && whole.payments_by <= whole.identities_by);
            prop_assert!(whole.payments_by <= at(revocations.unwrap_or(0)).max(NOW), "no payment without revocations in date");
        }
    }
}
