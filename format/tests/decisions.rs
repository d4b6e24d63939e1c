//! What holds for every approval and every refusal, whatever is asked.

// Strategies keep to the ranges of the types.
#![allow(clippy::unwrap_used)]

mod strategies;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use strategies as any_of;
use yika_format::code::{Code, Dynamic, Use};
use yika_format::confirmation::Confirmation;
use yika_format::credential::{Attributes, Scopes};
use yika_format::verifier::{
    Authenticated, Decision, Purpose, Request, SaleId, Standing, TerminalKind, TerminalProfile, TerminalTime,
    authorise,
};
use yika_format::{Amount, LimitUnits, SchoolHash, UnixMillis, UnixSeconds};

/// The second around which everything plays.
const NOON: u32 = 1_800_000_000;

/// All that a decision looks at.
#[derive(Clone, Debug)]
struct Scene {
    genuine: Authenticated,
    request: Request,
    terminal: TerminalProfile,
    time: TerminalTime,
    standing: Standing,
}

impl Scene {
    fn is_approved(&self) -> bool {
        let decision = authorise(
            &self.genuine,
            &self.request,
            &self.terminal,
            &self.time,
            &self.standing,
        );
        decision == Ok(Decision::Approve)
    }

    fn dynamic(&self) -> Dynamic {
        self.genuine.code.moment().dynamic
    }
}

fn genuine() -> impl Strategy<Value = Authenticated> {
    let code = (any_of::code_for(any_of::usage()), -70..20_i64).prop_map(|(mut code, offset)| {
        let time = UnixSeconds(u32::try_from(i64::from(NOON) + offset).unwrap());
        match &mut code {
            Code::Short(code) => code.moment.dynamic.time = time,
            Code::Full(code) => code.dynamic.time = time,
        }
        code
    });
    // Mostly every scope and account, so that something is approved.
    let attributes =
        (any_of::attributes(), prop::bool::weighted(0.8)).prop_map(|(mut attributes, is_wide)| {
            if is_wide {
                attributes.scopes = Scopes::from_bits(0x3f).unwrap();
                attributes.accounts.0 = 0xff;
            }
            attributes
        });
    (
        code,
        attributes,
        10..=120_u8,
        any_of::policy(),
        prop::bool::weighted(0.9),
        1..60_000_u64,
    )
        .prop_map(
            |(code, attributes, code_life_s, policy, revocations_in_date, amount)| Authenticated {
                code,
                school: SchoolHash([7; 16]),
                attributes,
                code_life_s,
                confirmed: code
                    .moment()
                    .dynamic
                    .usage
                    .is_confirmed()
                    .then_some(Confirmation {
                        terminal: 1,
                        nonce: 1,
                        amount: Amount(amount),
                    }),
                policy,
                revocations_in_date,
                table_version: 1,
                revocations_version: 1,
            },
        )
}

fn scene() -> impl Strategy<Value = Scene> {
    let kind = prop::sample::select(vec![TerminalKind::Pos, TerminalKind::Gate, TerminalKind::Library]);
    let amounts = prop_oneof![1 => Just(None), 3 => (0..60_000_u64).prop_map(Some)];
    let standing = (prop::option::of(any_of::sequence()), 0..20_000_u64);
    let time = (0..200_u32, prop::bool::weighted(0.9));
    (
        genuine(),
        amounts,
        kind,
        any::<bool>(),
        time,
        standing,
        prop::bool::weighted(0.5),
    )
        .prop_map(
            |(genuine, pays, kind, is_attended, (uncertainty_s, is_anchored), (last, spent), fits)| {
                let asked = genuine.confirmed.map_or(pays, |asked| {
                    pays.map(|other| if fits { asked.amount.0 } else { other })
                });
                Scene {
                    request: Request {
                        purpose: asked
                            .map_or(Purpose::Identity, |fen| Purpose::Payment { amount: Amount(fen) }),
                        sale: SaleId([1; 16]),
                    },
                    terminal: TerminalProfile {
                        kind,
                        sites: (1..=200).collect(),
                        is_attended,
                        installed: UnixSeconds(NOON - 100),
                    },
                    time: TerminalTime {
                        now: UnixMillis(u64::from(NOON) * 1000 + 999),
                        uncertainty_s,
                        is_anchored,
                    },
                    standing: Standing {
                        last: if fits { None } else { last },
                        spent: Amount(spent),
                        accepted_for: None,
                    },
                    genuine,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_approved_code_is_new_here_and_in_its_window(scene in scene()) {
        if scene.is_approved() {
            let (time, sequence) = (scene.dynamic().time.0, scene.genuine.code.moment().sequence());
            prop_assert!(scene.standing.last.is_none_or(|last| sequence > last));
            prop_assert!(time >= scene.terminal.installed.0);
            let skew = u32::from(scene.genuine.policy.max_skew_s);
            prop_assert!(time <= NOON + skew);
            prop_assert!(time >= NOON - skew - u32::from(scene.genuine.code_life_s));
        }
    }

    #[test]
    fn an_approved_payment_is_within_every_limit(scene in scene()) {
        if let Purpose::Payment { amount } = scene.request.purpose
            && scene.is_approved()
        {
            let attributes = scene.genuine.attributes;
            prop_assert!(amount.0 > 0);
            prop_assert!(scene.standing.spent.0 + amount.0 <= attributes.cumulative.amount().0);
            prop_assert!(scene.time.is_anchored && scene.genuine.revocations_in_date);
            match scene.dynamic().usage {
                Use::Payment(slot) => {
                    prop_assert!(amount <= attributes.per_use.amount() && attributes.accounts.contains(slot));
                }
                Use::ConfirmedPayment(slot) => {
                    prop_assert_eq!(scene.genuine.confirmed.map(|asked| asked.amount), Some(amount));
                    prop_assert!(attributes.accounts.contains(slot));
                    prop_assert!(attributes.scopes.contains(Scopes::CONFIRMED));
                }
                Use::Identity => prop_assert!(false, "an identity paid"),
            }
        }
    }

    #[test]
    fn an_approved_identity_was_asked_for_where_identity_counts(scene in scene()) {
        if scene.request.purpose == Purpose::Identity && scene.is_approved() {
            prop_assert_eq!(scene.dynamic().usage, Use::Identity);
            prop_assert!(scene.terminal.kind != TerminalKind::Pos);
        }
    }

    #[test]
    fn what_is_refused_stays_refused_with_less(scene in scene(), other in any_of::attributes(), more in 1..100_000_u64) {
        if !scene.is_approved() {
            let with = |change: &dyn Fn(&mut Scene)| {
                let mut less = scene.clone();
                change(&mut less);
                less.is_approved()
            };
            let less_rights: &dyn Fn(&mut Scene) = &|scene| {
                scene.genuine.attributes = Attributes::least(scene.genuine.attributes, other);
            };
            prop_assert!(!with(less_rights));
            prop_assert!(!with(&|scene| scene.standing.spent.0 += more));
            prop_assert!(!with(&|scene| scene.standing.last = scene.standing.last.max(Some(scene.genuine.code.moment().sequence()))));
            prop_assert!(!with(&|scene| scene.genuine.revocations_in_date = false));
            prop_assert!(!with(&|scene| scene.genuine.policy.unanchored_limit = LimitUnits(0)));
            prop_assert!(!with(&|scene| scene.genuine.policy.max_skew_s = 0));
            prop_assert!(!with(&|scene| scene.terminal.sites.clear()));
        }
    }

    #[test]
    fn an_approved_code_is_refused_once_it_is_remembered(scene in scene()) {
        let mut after = scene.clone();
        after.standing.last = Some(scene.genuine.code.moment().sequence());
        prop_assert!(!after.is_approved());
        after.standing.accepted_for = Some(scene.request.sale);
        prop_assert!(!after.is_approved(), "it is answered as before, and nothing is taken again");
    }
}

#[test]
fn scenes_of_every_use_are_approved_and_refused() {
    let mut runner = TestRunner::deterministic();
    let scenes: Vec<_> = (0..4000)
        .map(|_| scene().new_tree(&mut runner).unwrap().current())
        .collect();
    let approved = |is_meant: fn(Use) -> bool| {
        let meant = scenes.iter().filter(|scene| is_meant(scene.dynamic().usage));
        meant.filter(|scene| scene.is_approved()).count()
    };
    let counts = [
        approved(|usage| usage == Use::Identity),
        approved(|usage| matches!(usage, Use::Payment(_))),
        approved(Use::is_confirmed),
    ];
    assert!(
        counts.iter().all(|count| (40..1000).contains(count)),
        "{counts:?} of 4000 are approved: the properties say little"
    );
}
