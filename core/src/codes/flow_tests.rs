//! Counters under crashes and restored stores, forms over time, and what is due when.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use yika_format::{Epoch, Pseudonym};

const DAY: i64 = 86_400_000;
const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

fn mark(ceiling: u32) -> WitnessMark {
    WitnessMark {
        pseudonym: Pseudonym([1, 2, 3, 4, 5]),
        epoch: Epoch::FIRST,
        ceiling,
    }
}

/// A phone's two memories, and everything that was ever shown.
struct Phone {
    journal: u32,
    witness: u32,
    shown: BTreeSet<u32>,
}

impl Phone {
    fn new() -> Self {
        Self {
            journal: Counters::FIRST,
            witness: Counters::FIRST_CEILING,
            shown: BTreeSet::new(),
        }
    }

    /// One run of the process: shows `codes`, and dies before the witness was brought ahead where `lazy`. Returns how
    /// often a code waited for the witness.
    fn run(&mut self, codes: u32, lazy: bool) -> u32 {
        let mut counters = Counters::resume(self.journal, mark(0), Some(mark(self.witness))).unwrap();
        let mut waits = 0;
        let mut shown = 0;
        while shown < codes {
            match counters.take() {
                Take::Counter(counter) => {
                    let counter = u32::from(counter.get());
                    assert!(
                        counter < self.journal && counter < self.witness,
                        "{counter} is not durable"
                    );
                    assert!(self.shown.insert(counter), "{counter} is shown twice");
                    shown += 1;
                }
                Take::Witness { ceiling } => {
                    self.witness = ceiling;
                    counters.witnessed(ceiling);
                    waits += 1;
                }
                Take::Reserve { reserved } => {
                    self.journal = reserved;
                    if let Some(ceiling) = counters.reserved(reserved).filter(|_| !lazy) {
                        self.witness = ceiling;
                        counters.witnessed(ceiling);
                    }
                }
                Take::Exhausted => panic!("exhausted"),
            }
        }
        waits
    }
}

proptest! {
    #[test]
    fn no_counter_is_shown_twice_whenever_the_process_dies(
        runs in proptest::collection::vec((0u32..100, any::<bool>()), 1..40),
    ) {
        let mut phone = Phone::new();
        for (codes, lazy) in runs {
            phone.run(codes, lazy);
        }
    }

    #[test]
    fn no_counter_is_shown_twice_after_any_older_journal_is_put_back(
        before in 0u32..200, between in 1u32..200, after in 1u32..100,
    ) {
        let mut phone = Phone::new();
        phone.run(before, false);
        let copy = phone.journal;
        phone.run(between, false);
        phone.journal = copy;
        phone.run(after, false);
    }
}

#[test]
fn a_witness_kept_one_block_ahead_is_never_waited_for() {
    let mut phone = Phone::new();
    for codes in [1, 31, 32, 33, 64, 1] {
        assert_eq!(phone.run(codes, false), 0);
    }
    assert_eq!(phone.run(1, true), 0);
    assert_eq!(
        phone.run(1, true),
        1,
        "the process died before the witness was ahead"
    );
}

#[test]
fn without_its_witness_or_with_anothers_a_store_is_a_restored_one() {
    assert_eq!(Counters::resume(33, mark(0), None), Err(Restored));
    let next_epoch = WitnessMark {
        epoch: Epoch::new(2).unwrap(),
        ..mark(65)
    };
    assert_eq!(Counters::resume(33, mark(0), Some(next_epoch)), Err(Restored));
    let other = WitnessMark {
        pseudonym: Pseudonym([9; 5]),
        ..mark(65)
    };
    assert_eq!(Counters::resume(33, mark(0), Some(other)), Err(Restored));
}

#[test]
fn the_last_counter_of_an_epoch_is_65535() {
    let mut counters = Counters::resume(65_530, mark(0), Some(mark(65_562))).unwrap();
    let mut last = 0;
    loop {
        match counters.take() {
            Take::Counter(counter) => last = counter.get(),
            Take::Witness { ceiling } => counters.witnessed(ceiling),
            Take::Reserve { reserved } => {
                counters.reserved(reserved);
            }
            Take::Exhausted => break,
        }
    }
    assert_eq!(last, 65_535);
    assert_eq!(counters.take(), Take::Exhausted);
}

fn counter(value: u16) -> Option<Counter> {
    Some(Counter::new(value).unwrap())
}

fn validity() -> Validity {
    let (certificate_until, row_until) = (NOW.plus_millis(3 * DAY), NOW.plus_millis(30 * DAY));
    Validity {
        certificate_until,
        row_until,
        epoch_began: NOW.plus_millis(-10 * DAY),
    }
}

#[test]
fn once_the_certificate_has_ended_only_the_short_form_is_shown() {
    let after = NOW.plus_millis(3 * DAY);
    let expired = CoreError::CredentialExpired {
        since: after,
        short_form_until: Some(NOW.plus_millis(30 * DAY)),
    };
    assert_eq!(
        form(FormChoice::Full, validity(), after, counter(1)),
        Err(expired)
    );
    assert_eq!(
        form(FormChoice::Short, validity(), after, counter(1)),
        Ok(CodeForm::Short)
    );
    assert_eq!(
        form(FormChoice::Automatic, validity(), after, counter(2)),
        Ok(CodeForm::Short)
    );
    assert_eq!(
        form(FormChoice::Full, validity(), after.plus_millis(-1), counter(1)),
        Ok(CodeForm::Full)
    );
}

#[test]
fn once_the_row_has_ended_too_nothing_is_shown() {
    let after = NOW.plus_millis(30 * DAY);
    for choice in [FormChoice::Short, FormChoice::Full, FormChoice::Automatic] {
        assert!(matches!(
            form(choice, validity(), after, counter(1)),
            Err(CoreError::CredentialExpired {
                short_form_until: None,
                ..
            })
        ));
    }
}

#[test]
fn where_only_the_certificate_is_left_the_full_form_is_shown() {
    let validity = Validity {
        row_until: NOW,
        ..validity()
    };
    assert_eq!(
        form(FormChoice::Automatic, validity, NOW, counter(1)),
        Ok(CodeForm::Full)
    );
    let expired = CoreError::CredentialExpired {
        since: NOW,
        short_form_until: None,
    };
    assert_eq!(form(FormChoice::Short, validity, NOW, counter(1)), Err(expired));
}

#[test]
fn for_a_day_after_a_new_epoch_the_forms_take_turns() {
    let validity = Validity {
        epoch_began: NOW,
        ..validity()
    };
    let at = |ms, value| {
        form(
            FormChoice::Automatic,
            validity,
            NOW.plus_millis(ms),
            counter(value),
        )
        .unwrap()
    };
    assert_eq!(
        [at(0, 1), at(0, 2), at(0, 3)],
        [CodeForm::Short, CodeForm::Full, CodeForm::Short]
    );
    assert_eq!([at(DAY, 1), at(DAY, 2)], [CodeForm::Short, CodeForm::Short]);
}

fn known() -> Known {
    Known {
        epoch: 2,
        next_counter: 100,
        certificate_until: NOW.plus_millis(8 * DAY),
        life_ms: 10 * DAY,
        renew_below_percent: 75,
        restored: false,
        stopped: false,
    }
}

fn told() -> CredentialStatus {
    CredentialStatus {
        state: CredentialState::Active,
        epoch: 2,
        highest_settled: 0,
        renewal_due: false,
    }
}

#[test]
fn what_is_as_it_should_be_is_left_alone() {
    assert_eq!(due(Some(known()), Some(told()), NOW), Due::Nothing);
    let all_but_settled = CredentialStatus {
        highest_settled: (2 << 16) + 99,
        ..told()
    };
    assert_eq!(due(Some(known()), Some(all_but_settled), NOW), Due::Nothing);
}

#[test]
fn what_the_platform_does_not_know_or_has_revoked_is_enrolled() {
    assert_eq!(due(Some(known()), None, NOW), Due::Enrol);
    assert_eq!(due(None, Some(told()), NOW), Due::Enrol);
    let revoked = CredentialStatus {
        state: CredentialState::Revoked,
        ..told()
    };
    assert_eq!(due(Some(known()), Some(revoked), NOW), Due::Enrol);
    assert_eq!(
        due(
            Some(Known {
                epoch: 250,
                ..known()
            }),
            Some(told()),
            NOW
        ),
        Due::Enrol
    );
}

#[test]
fn a_suspended_credential_stops_codes_and_found_again_is_renewed() {
    let suspended = CredentialStatus {
        state: CredentialState::Suspended,
        ..told()
    };
    assert_eq!(
        due(Some(known()), Some(suspended), NOW),
        Due::Stop(Stop::CardFrozen)
    );
    assert_eq!(
        due(
            Some(Known {
                stopped: true,
                ..known()
            }),
            Some(told()),
            NOW
        ),
        Due::Renew
    );
}

#[test]
fn codes_that_this_store_knows_nothing_of_call_for_the_next_epoch() {
    let restored = Due::NextEpoch(EpochReason::StoreRestored);
    assert_eq!(
        due(
            Some(Known {
                restored: true,
                ..known()
            }),
            Some(told()),
            NOW
        ),
        restored
    );
    assert_eq!(
        due(Some(known()), Some(CredentialStatus { epoch: 3, ..told() }), NOW),
        restored
    );
    let settled = CredentialStatus {
        highest_settled: (2 << 16) + 100,
        ..told()
    };
    assert_eq!(due(Some(known()), Some(settled), NOW), restored);
}

#[test]
fn a_counter_past_the_mark_calls_for_the_next_epoch() {
    let at = |next_counter| {
        due(
            Some(Known {
                next_counter,
                ..known()
            }),
            Some(told()),
            NOW,
        )
    };
    assert_eq!(at(16_383), Due::Nothing);
    assert_eq!(at(16_384), Due::NextEpoch(EpochReason::Counter));
}

#[test]
fn a_certificate_is_renewed_when_too_little_is_left_or_the_platform_wants_it() {
    let with_left = |ms| {
        due(
            Some(Known {
                certificate_until: NOW.plus_millis(ms),
                ..known()
            }),
            Some(told()),
            NOW,
        )
    };
    assert_eq!(with_left(75 * DAY / 10), Due::Nothing);
    assert_eq!(with_left(75 * DAY / 10 - 1), Due::Renew);
    assert_eq!(with_left(-DAY), Due::Renew);
    assert_eq!(
        due(
            Some(known()),
            Some(CredentialStatus {
                renewal_due: true,
                ..told()
            }),
            NOW
        ),
        Due::Renew
    );
}
