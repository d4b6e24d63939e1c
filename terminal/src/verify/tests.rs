//! Verifying, with the store and the lists around it: replays, limits, the time, restarts, a store that fails.

use super::*;
use crate::testing::{Desk, identity, pay, pay_for};
use proptest::prelude::*;
use std::collections::HashSet;
use yika_api::terminal::TerminalKind as Kind;
use yika_format::code::{Site, Use};
use yika_format::lists::Revocation;
use yika_format::{AccountMask, Epoch, MinEpoch, Pseudonym};
use yika_testkit::{CodeBuilder, ListBuilder, SignerKit, TestKey, slot};

#[test]
fn what_is_no_code_is_refused() {
    let desk = Desk::new(Kind::Pos);
    for text in ["", "C1", "C9AAAA", "hello"] {
        assert_eq!(desk.refusal(text, pay(1250)), Reason::Malformed, "{text:?}");
    }
}

#[test]
fn a_code_shown_again_after_a_later_one_is_a_replay() {
    let desk = Desk::new(Kind::Pos);
    let (first, second) = (desk.code(100), desk.code(101));
    let approval = desk.approval(&first, pay(1250));
    desk.approval(&second, pay(1250));
    match desk.verify(first.as_bytes(), pay(1250)).unwrap() {
        Verdict::Refused { refusal, earlier } => {
            assert_eq!(refusal.reason, Reason::Replay);
            assert_eq!(earlier, Some(approval), "the till can show what it was used for");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.records().len(), 2);
}

#[test]
fn a_replay_after_a_restart_is_refused() {
    let mut desk = Desk::new(Kind::Pos);
    let code = desk.code(100);
    desk.approval(&code, pay(1250));
    desk.restart();
    assert_eq!(desk.refusal(&code, pay(1250)), Reason::Replay);
    assert_eq!(
        desk.refusal(&desk.code(99), pay(1250)),
        Reason::Replay,
        "an earlier one, never seen"
    );
}

#[test]
fn the_same_code_in_the_other_form_is_a_replay() {
    let desk = Desk::new(Kind::Pos);
    desk.approval(&desk.shown(100).short().to_text(), pay(1250));
    assert_eq!(
        desk.refusal(&desk.shown(100).full().to_text(), pay(1250)),
        Reason::Replay
    );
}

#[test]
fn a_changed_account_selector_breaks_the_signature() {
    let desk = Desk::new(Kind::Pos);
    let mut code = desk.shown(100).short();
    code.moment.dynamic.usage = Use::Payment(slot(2));
    assert_eq!(desk.refusal(&code.to_text(), pay(1250)), Reason::DeviceSignature);
}

#[test]
fn a_code_of_another_school_is_nothing_here() {
    let desk = Desk::new(Kind::Pos);
    let other = SignerKit::new("other.example");
    let mut same_keys = desk.shown(100);
    same_keys.school = other.school;
    assert_eq!(
        desk.refusal(&same_keys.short().to_text(), pay(1250)),
        Reason::DeviceSignature
    );
    let full = CodeBuilder::new(&other).full().to_text();
    assert_eq!(desk.refusal(&full, pay(1250)), Reason::IssuerSignature);
}

#[test]
fn who_is_not_in_the_table_shows_the_full_code() {
    let desk = Desk::new(Kind::Pos);
    let mut code = desk.shown(100);
    code.credential.body.pseudonym = Pseudonym(*b"newer");
    assert_eq!(desk.refusal(&code.short().to_text(), pay(1250)), Reason::Unknown);
    desk.approval(&code.full().to_text(), pay(1250));
}

#[test]
fn past_the_tables_date_only_the_full_code_is_good() {
    let desk = Desk::without_lists(Kind::Pos);
    let mut lists = ListBuilder::new(&desk.kit);
    desk.accept_revocations(&lists.revocations()).unwrap();
    lists.good_until = yika_testkit::at_ms(-1);
    desk.accept_table(&lists.table()).unwrap();
    assert_eq!(desk.refusal(&desk.code(100), pay(1250)), Reason::Unknown);
    desk.approval(&desk.shown(100).full().to_text(), pay(1250));
}

#[test]
fn a_revocation_counts_before_the_table_has_it() {
    let desk = Desk::new(Kind::Pos);
    let mut lists = ListBuilder::new(&desk.kit);
    lists.version = 8;
    lists.revoked = vec![Revocation {
        pseudonym: Pseudonym(*b"alice"),
        min_epoch: MinEpoch::new(4).unwrap(),
    }];
    desk.accept_revocations(&lists.revocations()).unwrap();
    assert_eq!(desk.refusal(&desk.code(100), pay(1250)), Reason::Revoked);
    assert_eq!(
        desk.refusal(&desk.shown(100).full().to_text(), pay(1250)),
        Reason::Revoked
    );
}

#[test]
fn without_revocations_in_date_no_payment_is_taken_but_identity_is_by_policy() {
    let desk = Desk::without_lists(Kind::Library);
    let lists = ListBuilder::new(&desk.kit);
    desk.accept_table(&lists.table()).unwrap();
    assert_eq!(desk.refusal(&desk.code(100), pay(1250)), Reason::ListsStale);
    let mut code = desk.shown(100);
    code.dynamic.usage = Use::Identity;
    desk.approval(&code.short().to_text(), identity());
}

#[test]
fn each_kind_of_terminal_takes_its_own_kind_of_code() {
    let identity_code = |desk: &Desk| {
        let mut code = desk.shown(100);
        code.dynamic.usage = Use::Identity;
        code.short().to_text()
    };
    let (pos, gate, library) = (
        Desk::new(Kind::Pos),
        Desk::new(Kind::Gate),
        Desk::new(Kind::Library),
    );
    assert_eq!(pos.refusal(&identity_code(&pos), identity()), Reason::WrongKind);
    assert_eq!(pos.refusal(&identity_code(&pos), pay(1250)), Reason::WrongKind);
    assert_eq!(gate.refusal(&gate.code(100), pay(1250)), Reason::WrongKind);
    assert_eq!(gate.refusal(&gate.code(100), identity()), Reason::WrongKind);
    assert_eq!(gate.approval(&identity_code(&gate), identity()).payment, None);
    library.approval(&identity_code(&library), identity());
    let fee = library.approval(&library.code(101), pay(300));
    assert_eq!(
        fee.payment.unwrap().record,
        1,
        "identities are not in the journal"
    );
    assert!(matches!(
        library.records()[0].record.kind,
        SaleKind::LibraryFee(_)
    ));
}

#[test]
fn an_identity_burns_its_sequence_too() {
    let mut desk = Desk::new(Kind::Library);
    let mut code = desk.shown(100);
    code.dynamic.usage = Use::Identity;
    let text = code.short().to_text();
    desk.approval(&text, identity());
    desk.restart();
    assert_eq!(desk.refusal(&text, identity()), Reason::Replay);
    assert_eq!(desk.refusal(&desk.code(100), pay(300)), Reason::Replay);
}

#[test]
fn a_code_for_another_site_or_account_is_refused() {
    let desk = Desk::new(Kind::Pos);
    let mut code = desk.shown(100);
    code.dynamic.site = Site::Group(4);
    assert_eq!(desk.refusal(&code.short().to_text(), pay(1250)), Reason::Site);
    code.dynamic.site = Site::Group(3);
    code.dynamic.usage = Use::Payment(slot(4));
    assert_eq!(desk.refusal(&code.short().to_text(), pay(1250)), Reason::Account);
    code.dynamic.usage = Use::Payment(slot(3));
    assert_eq!(
        desk.approval(&code.short().to_text(), pay(1250))
            .payment
            .unwrap()
            .slot,
        slot(3)
    );
}

#[test]
fn a_refused_code_is_not_burnt() {
    let desk = Desk::new(Kind::Pos);
    let code = desk.code(100);
    assert_eq!(desk.refusal(&code, pay(5_001)), Reason::Limit);
    desk.approval(&code, pay(5_000));
}

#[test]
fn the_sum_counts_across_restarts_until_it_is_settled() {
    let mut desk = Desk::new(Kind::Pos);
    desk.approval(&desk.code(100), pay(5_000));
    desk.restart();
    desk.approval(&desk.code(101), pay(4_999));
    desk.restart();
    assert_eq!(desk.refusal(&desk.code(102), pay(2)), Reason::Limit);
    let mark = ListBuilder::new(&desk.kit).mark(crate::testing::TERMINAL, 1);
    desk.store().keep_outcomes(&[], 1, &mark).unwrap();
    desk.approval(&desk.code(102), pay(5_000));
    desk.restart();
    assert_eq!(desk.refusal(&desk.code(103), pay(2)), Reason::Limit);
    desk.approval(&desk.code(103), pay(1));
}

#[test]
fn the_same_sale_gets_the_same_answer_also_with_the_next_code() {
    let mut desk = Desk::new(Kind::Pos);
    let sale = SaleId([5; 16]);
    let code = desk.code(100);
    let first = desk.approval(&code, pay_for(1250, sale));
    desk.restart();
    for text in [code, desk.code(101)] {
        let again = desk.verify(text.as_bytes(), pay_for(1250, sale)).unwrap();
        let expected = Verdict::Approved {
            approval: first.clone(),
            repeated: true,
            holder: None,
        };
        assert_eq!(again, expected);
    }
    assert_eq!(desk.records().len(), 1);
}

#[test]
fn a_sale_number_for_another_amount_or_holder_is_an_error() {
    let desk = Desk::new(Kind::Pos);
    let sale = SaleId([5; 16]);
    desk.approval(&desk.code(100), pay_for(1250, sale));
    let mut other = desk.shown(100);
    other.credential.body.pseudonym = Pseudonym(*b"other");
    for (text, amount) in [(desk.code(100), 1251), (other.full().to_text(), 1250)] {
        let verdict = desk.verify(text.as_bytes(), pay_for(amount, sale));
        assert!(matches!(verdict, Err(TerminalError::SaleConflict)), "{verdict:?}");
    }
}

#[test]
fn after_an_offline_restart_of_the_machine_payments_wait_for_the_time() {
    let mut desk = Desk::new(Kind::Library);
    desk.clock.reboot();
    desk.restart();
    assert_eq!(desk.refusal(&desk.code(100), pay(1250)), Reason::NoTime);
    let mut code = desk.shown(100);
    code.dynamic.usage = Use::Identity;
    desk.approval(&code.short().to_text(), identity());
    let question = desk.ask_time().unwrap();
    let answer = ListBuilder::new(&desk.kit).time(question.nonce(), yika_testkit::at_ms(5));
    desk.accept_time(&question, &answer).unwrap();
    desk.approval(&desk.code(101), pay(1250));
}

#[test]
fn a_wall_clock_set_back_does_not_bring_old_codes_back() {
    let mut desk = Desk::new(Kind::Gate);
    let mut code = desk.shown(100);
    code.dynamic.usage = Use::Identity;
    let old = code.short().to_text();
    desk.clock.advance(3_600_000);
    let mut newer = desk.shown(101);
    newer.dynamic.usage = Use::Identity;
    newer.credential.body.pseudonym = Pseudonym(*b"other");
    desk.approval(&newer.full().to_text(), identity());
    desk.clock.reboot();
    desk.clock.set_wall(crate::testing::NOW_MS.0);
    desk.restart();
    assert_eq!(
        desk.refusal(&old, identity()),
        Reason::Stale,
        "the floor stands at the last approval"
    );
}

#[test]
fn times_too_far_off_are_refused_with_the_offset() {
    let desk = Desk::new(Kind::Pos);
    for (offset, reason) in [(-31 - 3, Reason::Stale), (4, Reason::Future)] {
        let mut code = desk.shown(100);
        code.dynamic.time = yika_testkit::at(offset);
        let verdict = desk.verify(code.short().to_text().as_bytes(), pay(1250)).unwrap();
        let expected = Refusal {
            reason,
            offset_s: Some(offset),
        };
        assert!(
            matches!(verdict, Verdict::Refused { refusal, .. } if refusal == expected),
            "{verdict:?}"
        );
    }
}

#[test]
fn a_code_from_before_the_installation_is_refused() {
    let desk = Desk::new(Kind::Pos);
    let mut code = desk.shown(100);
    code.dynamic.time = yika_testkit::at(-61);
    code.dynamic.clock = yika_format::code::ClockConfidence::anchored(60);
    assert_eq!(
        desk.refusal(&code.short().to_text(), pay(1250)),
        Reason::BeforeInstall
    );
}

#[test]
fn a_phone_without_anchored_time_pays_little() {
    let desk = Desk::new(Kind::Pos);
    let mut code = desk.shown(100);
    code.dynamic.clock = yika_format::code::ClockConfidence::Rebooted;
    assert_eq!(desk.refusal(&code.short().to_text(), pay(2_001)), Reason::Limit);
    desk.approval(&code.short().to_text(), pay(2_000));
}

#[test]
fn a_store_that_fails_refuses_and_leaves_nothing_behind() {
    let desk = Desk::new(Kind::Pos);
    let code = desk.code(100);
    desk.store().forbid_writing(true);
    assert_eq!(desk.refusal(&code, pay(1250)), Reason::Storage);
    desk.store().forbid_writing(false);
    assert!(desk.records().is_empty());
    desk.approval(&code, pay(1250));
}

#[test]
fn the_record_says_what_it_was_decided_by() {
    let desk = Desk::new(Kind::Pos);
    desk.clock.advance(1_234);
    desk.approval(&desk.code(100), pay(1250));
    let record = desk.records()[0].record;
    assert_eq!(
        (record.terminal, record.merchant, record.amount),
        (7, 42, Amount(1250))
    );
    assert_eq!(
        (record.table_version, record.revocations_version, record.nonce),
        (7, 7, 0)
    );
    assert_eq!((record.time, record.uncertainty_s), (desk.now(), 1));
    assert_eq!(record.code().unwrap().moment().dynamic.counter.get(), 100);
}

/// One thing that can happen at a till.
#[derive(Clone, Copy, Debug)]
enum Step {
    Pay { holder: u8, counter: u16, sale: u8 },
    Void,
    Restart,
    Wait { ms: u16 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0_u8..3, 1_u16..12, 0_u8..20).prop_map(|(holder, counter, sale)| Step::Pay { holder, counter, sale }),
        2 => Just(Step::Void),
        1 => Just(Step::Restart),
        1 => any::<u16>().prop_map(|ms| Step::Wait { ms }),
    ];
    proptest::collection::vec(step, 1..30)
}

/// A desk whose table has three holders, with a key each.
fn desk_with_holders() -> (Desk, Vec<(Pseudonym, TestKey)>) {
    let desk = Desk::without_lists(Kind::Pos);
    let holders: Vec<_> = (0..3_u8)
        .map(|number| {
            (
                Pseudonym([number; 5]),
                TestKey::named(&format!("holder {number}")),
            )
        })
        .collect();
    let mut lists = ListBuilder::new(&desk.kit);
    let row = ListBuilder::row(&desk.kit);
    lists.rows = holders
        .iter()
        .map(|(pseudonym, key)| yika_format::lists::Row {
            pseudonym: *pseudonym,
            key: key.public(),
            ..row
        })
        .collect();
    desk.accept_table(&lists.table()).unwrap();
    desk.accept_revocations(&lists.revocations()).unwrap();
    (desk, holders)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_order_of_payments_voids_and_restarts_accepts_a_sequence_twice(steps in steps()) {
        let (mut desk, holders) = desk_with_holders();
        let mut accepted = HashSet::new();
        let mut last = [0_u16; 3];
        let (mut payments, mut voids) = (0, 0);
        for step in steps {
            match step {
                Step::Pay { holder, counter, sale } => {
                    let mut code = desk.shown(counter);
                    let (pseudonym, key) = &holders[usize::from(holder)];
                    code.credential.body.pseudonym = *pseudonym;
                    code.device = key.clone();
                    let text = code.short().to_text();
                    let verdict = desk.verify(text.as_bytes(), pay_for(100, SaleId([sale + 1; 16])));
                    if let Ok(Verdict::Approved { repeated: false, .. }) = verdict {
                        prop_assert!(accepted.insert((holder, counter)));
                        prop_assert!(counter > last[usize::from(holder)]);
                        last[usize::from(holder)] = counter;
                        payments += 1;
                    }
                }
                Step::Void => voids += usize::from(desk.void_last().is_ok()),
                Step::Restart => desk.restart(),
                Step::Wait { ms } => desk.clock.advance(u64::from(ms)),
            }
        }
        // `records` checks numbers, chain and signatures.
        prop_assert_eq!(desk.records().len(), payments + voids);
        prop_assert!(voids <= payments);
    }
}

#[test]
fn an_older_epoch_is_accepted_until_a_newer_one_was_seen() {
    let desk = Desk::new(Kind::Pos);
    let mut older = desk.shown(100);
    older.credential.body.epoch = Epoch::new(2).unwrap();
    desk.approval(&older.short().to_text(), pay(100));
    desk.approval(&desk.code(1), pay(100));
    assert_eq!(
        desk.refusal(&older.counter(101).short().to_text(), pay(100)),
        Reason::Replay
    );
}

#[test]
fn a_certificate_that_promises_more_than_the_table_is_a_conflict() {
    let desk = Desk::new(Kind::Pos);
    let mut code = desk.shown(100);
    code.credential.body.attributes.accounts = AccountMask(0xff);
    assert_eq!(
        desk.refusal(&code.full().to_text(), pay(100)),
        Reason::AttributeConflict
    );
}
