//! Operations that a utility has a part in: a utility that keeps its word behind a wire that doesn't, a platform that is
//! killed after any word, and a bank that may take its money back at any time.

use super::*;
use yika_api::utility::CreditState;

fn credited() -> CreditState {
    CreditState::Credited {
        at: UnixMillis(3),
        trace: "U1".into(),
    }
}

fn not_credited(reason: RefusalReason) -> CreditState {
    CreditState::Refused {
        refusal: Refusal::of(reason),
    }
}

fn by(route: Route) -> Circumstances {
    Circumstances { route, ..FINE }
}

#[test]
fn what_the_bank_took_is_on_its_way_until_the_utility_has_it() {
    let around = by(Route::BankThenUtility);
    let step = Stage::Ordering(Contact::None).step(Event::Told(&done()), around);
    assert_eq!(
        (step.stage.phase(), step.next, step.entry),
        (Phase::Paid, Next::Credit, None)
    );
    let step = step.stage.step(Event::Silence, around);
    assert_eq!(
        (step.stage.phase(), step.next, step.entry),
        (Phase::Confirming, Next::QueryCredit, None)
    );
    let step = step.stage.step(Event::Credit(&credited()), around);
    assert_eq!(
        (step.stage.phase(), step.next, step.entry),
        (Phase::Credited, Next::Rest, Some(Entry::Settle))
    );
}

#[test]
fn what_the_utility_refuses_goes_back_to_where_it_came_from() {
    let refusal = not_credited(RefusalReason::AccountUnusable);
    let crediting = || Stage::Crediting(Contact::Unknown);
    let step = crediting().step(Event::Credit(&refusal), by(Route::Utility));
    assert_eq!(
        (step.stage.phase(), step.entry),
        (Phase::Refunded, Some(Entry::Release))
    );
    let step = crediting().step(Event::Credit(&refusal), by(Route::BankThenUtility));
    assert_eq!(
        (step.stage.phase(), step.next, step.entry),
        (Phase::Paid, Next::GiveBack, None)
    );
    let step = step
        .stage
        .step(Event::Told(&reversed()), by(Route::BankThenUtility));
    assert_eq!(
        (step.stage.phase(), step.entry),
        (Phase::Refunded, Some(Entry::Release))
    );
}

#[test]
fn nothing_goes_back_before_the_utility_promises_never_to_credit_it() {
    for route in [Route::Utility, Route::BankThenUtility] {
        let around = Circumstances {
            is_overdue: true,
            ..by(route)
        };
        for event in [Event::Silence, Event::Unheard, Event::Unreachable] {
            let step = Stage::Crediting(Contact::None).step(event, around);
            assert_eq!(
                (step.stage.phase(), step.entry),
                (Phase::Confirming, None),
                "{event:?}"
            );
        }
        for event in [Event::Silence, Event::Unheard, Event::Unreachable] {
            let step = Stage::Recalling.step(event, around);
            assert_eq!((step.next, step.entry), (Next::Recall, None), "{event:?}");
        }
    }
}

#[test]
fn a_bank_that_takes_its_money_back_too_late_leaves_the_school_with_the_loss() {
    let around = by(Route::BankThenUtility);
    let step = Stage::Crediting(Contact::Pending).step(Event::Told(&reversed()), around);
    assert_eq!((step.next, step.entry), (Next::Recall, None));
    let lost = step.stage.clone().step(Event::Credit(&credited()), around);
    assert_eq!(
        (lost.stage.phase(), lost.entry),
        (Phase::Refunded, Some(Entry::Lose))
    );
    let stopped = step
        .stage
        .step(Event::Credit(&not_credited(RefusalReason::TimedOut)), around);
    assert_eq!(stopped.entry, Some(Entry::Release));
}

#[test]
fn a_bank_has_no_say_in_what_a_card_account_pays() {
    let around = by(Route::Utility);
    for stage in [
        Stage::Crediting(Contact::None),
        Stage::Crediting(Contact::Pending),
        Stage::Recalling,
        Stage::Credited,
        Stage::Refunded(Refusal::of(RefusalReason::TimedOut)),
    ] {
        for state in [
            done(),
            reversed(),
            refused(RefusalReason::BankRefused),
            OrderState::Pending,
        ] {
            let step = stage.clone().step(Event::Told(&state), around);
            assert_eq!((step.stage, step.entry), (stage.clone(), None), "{state:?}");
        }
    }
}

/// What happens to one exchange with the utility.
#[derive(Clone, Copy, Debug)]
enum Weather {
    Clear,
    Unreachable,
    LostBefore,
    LostAfter,
    Pends,
    /// The platform dies after the utility has heard it and before it stored the answer.
    Killed,
    /// The bank takes its money back, and tells.
    BankTakesBack,
}

struct World {
    stage: Stage,
    route: Route,
    credit: Option<CreditState>,
    /// Money of the holder's that the platform holds or has passed on.
    is_held: bool,
    /// How often the place was credited.
    credited: i32,
    /// What the books say has reached the utility.
    settled: i32,
    /// What the school bears.
    lost: i32,
    bank_has: bool,
    will_refuse: bool,
}

impl World {
    fn decide(&mut self) {
        self.credit = Some(if self.will_refuse {
            not_credited(RefusalReason::UtilityRefused)
        } else {
            self.credited += 1;
            credited()
        });
    }

    fn serve(&mut self, request: Next, weather: Weather) {
        match (request, &self.credit) {
            (Next::Credit, None) if matches!(weather, Weather::Pends) => {
                self.credit = Some(CreditState::Pending);
            }
            (Next::Credit, None) | (Next::QueryCredit, Some(CreditState::Pending)) => self.decide(),
            (Next::Recall, None | Some(CreditState::Pending)) => {
                self.credit = Some(not_credited(RefusalReason::TimedOut));
            }
            _ => {}
        }
    }

    fn hear(&mut self, event: Event<'_>, around: Circumstances) {
        let step = self.stage.clone().step(event, around);
        assert!(
            !step.is_contradiction,
            "honest partners never contradict themselves"
        );
        match step.entry {
            None => {}
            Some(entry) => {
                assert!(self.is_held || entry == Entry::TakeBack, "booked twice");
                self.is_held = false;
                match entry {
                    Entry::Release => {}
                    Entry::Settle => self.settled += 1,
                    Entry::TakeBack => self.lost += 1,
                    Entry::Lose => (self.settled, self.lost) = (self.settled + 1, self.lost + 1),
                }
            }
        }
        self.stage = step.stage;
    }

    fn exchange(&mut self, weather: Weather, around: Circumstances) {
        let request = self.stage.resume();
        match (request, weather) {
            (_, Weather::BankTakesBack) => {
                if self.bank_has {
                    self.bank_has = false;
                    self.hear(Event::Told(&reversed()), around);
                }
            }
            (Next::Rest, _) => {}
            (Next::GiveBack, _) => {
                self.bank_has = false;
                self.hear(Event::Told(&reversed()), around);
            }
            (_, Weather::Unreachable) => self.hear(Event::Unreachable, around),
            (_, Weather::LostBefore) => self.hear(Event::Silence, around),
            (_, Weather::LostAfter) => {
                self.serve(request, weather);
                self.hear(Event::Silence, around);
            }
            (_, Weather::Killed) => self.serve(request, weather),
            (_, Weather::Clear | Weather::Pends) => {
                self.serve(request, weather);
                match self.credit.clone() {
                    Some(state) => self.hear(Event::Credit(&state), around),
                    None => {
                        self.hear(Event::Unheard, around);
                        // The flow answers an unheard credit by making it: do so, as the worker does.
                        if self.stage == Stage::Crediting(Contact::Unknown) {
                            self.serve(Next::Credit, weather);
                            if let Some(state) = self.credit.clone() {
                                self.hear(Event::Credit(&state), around);
                            }
                        }
                    }
                }
            }
        }
    }
}

fn weather() -> impl Strategy<Value = Weather> {
    prop_oneof![
        Just(Weather::Clear),
        Just(Weather::Unreachable),
        Just(Weather::LostBefore),
        Just(Weather::LostAfter),
        Just(Weather::Pends),
        Just(Weather::Killed),
        Just(Weather::BankTakesBack),
    ]
}

proptest! {
    #[test]
    fn a_utility_is_paid_once_or_the_money_is_back_whatever_happens(
        by_bank: bool,
        will_refuse: bool,
        patience in 0_usize..12,
        days in prop::collection::vec(weather(), 0..20),
    ) {
        let route = if by_bank { Route::BankThenUtility } else { Route::Utility };
        let mut world = World {
            stage: Stage::Crediting(Contact::None),
            route,
            credit: None,
            is_held: true,
            credited: 0,
            settled: 0,
            lost: 0,
            bank_has: by_bank,
            will_refuse,
        };
        for (day, weather) in days.into_iter().enumerate() {
            world.exchange(weather, Circumstances { is_overdue: day >= patience, ..by(world.route) });
        }
        let around = Circumstances { is_overdue: true, ..by(world.route) };
        for _ in 0..5 {
            world.exchange(Weather::Clear, around);
        }
        prop_assert!(world.stage.phase().is_end(), "{:?}", world.stage);
        prop_assert!(!world.is_held);
        prop_assert!(world.credited <= 1, "credited twice");
        prop_assert_eq!(world.settled, world.credited, "the books say what the meter says");
        if by_bank {
            // Whoever has the money: the bank gave it, or it is back and the school bears what was credited.
            prop_assert_eq!(world.credited - world.lost, i32::from(world.bank_has));
        } else {
            prop_assert_eq!(world.lost, 0);
        }
        let is_credited = world.stage == Stage::Credited;
        prop_assert_eq!(is_credited, world.credited == 1 && world.lost == 0);
    }
}
