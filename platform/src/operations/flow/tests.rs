//! The rules one by one, and a bank that loses, delays, repeats and reorders every word, with a platform that is killed
//! between any two steps.

mod utility;

use super::*;
use proptest::prelude::*;
use yika_api::UnixMillis;

const FINE: Circumstances = Circumstances {
    route: Route::Bank,
    is_overdue: false,
    can_credit: true,
};
const OVERDUE: Circumstances = Circumstances {
    route: Route::Bank,
    is_overdue: true,
    can_credit: true,
};

fn done() -> OrderState {
    OrderState::Done {
        at: UnixMillis(1),
        trace: "T1".into(),
    }
}

fn reversed() -> OrderState {
    OrderState::Reversed {
        at: UnixMillis(2),
        trace: "T1".into(),
    }
}

fn refused(reason: RefusalReason) -> OrderState {
    OrderState::Refused {
        refusal: Refusal::of(reason),
    }
}

#[test]
fn silence_leads_to_a_question_and_never_to_a_refusal() {
    let mut stage = Stage::Ordering(Contact::None);
    for around in [FINE, OVERDUE, OVERDUE, OVERDUE] {
        let step = stage.step(Event::Silence, around);
        assert_eq!((step.next, step.entry), (Next::Query, None));
        assert_eq!(step.stage.phase(), Phase::Confirming);
        stage = step.stage;
    }
}

#[test]
fn an_order_that_the_bank_never_heard_of_is_sent_again_until_the_time_is_over() {
    let unknown = || Stage::Ordering(Contact::Unknown);
    assert_eq!(unknown().step(Event::Unheard, FINE).next, Next::Submit);
    let step = unknown().step(Event::Unheard, OVERDUE);
    assert_eq!(
        (step.stage.clone(), step.next, step.entry),
        (Stage::CallingOff, Next::CallOff, None)
    );
    assert_eq!(
        step.stage.step(Event::Told(&done()), OVERDUE).entry,
        Some(Entry::Settle)
    );
}

#[test]
fn nothing_is_refused_without_the_banks_word() {
    // Not even what this server knows nobody to have sent: one that died after sending may have left it so.
    let step = Stage::Ordering(Contact::None).step(Event::Unreachable, OVERDUE);
    assert_eq!(
        (step.stage.phase(), step.next, step.entry),
        (Phase::Confirming, Next::CallOff, None)
    );
    let end = step.stage.step(Event::Told(&done()), OVERDUE);
    assert_eq!(end.entry, Some(Entry::Settle));
    let step = Stage::Ordering(Contact::Unknown).step(Event::Unreachable, OVERDUE);
    assert_eq!(step.stage.phase(), Phase::Confirming);
}

#[test]
fn money_that_nobody_can_get_goes_back() {
    let closed = Circumstances {
        can_credit: false,
        ..FINE
    };
    let step = Stage::Ordering(Contact::None).step(Event::Told(&done()), closed);
    assert_eq!(
        (step.stage.phase(), step.next, step.entry),
        (Phase::Paid, Next::GiveBack, None)
    );
    let again = step.stage.step(Event::Told(&done()), FINE);
    assert_eq!(again.next, Next::GiveBack, "what was decided stays decided");
    let end = again.stage.step(Event::Told(&reversed()), closed);
    assert_eq!(
        (end.stage.phase(), end.entry),
        (Phase::Refunded, Some(Entry::Release))
    );
}

#[test]
fn a_success_that_the_bank_takes_back_is_taken_back_once() {
    let step = Stage::Credited.step(Event::Told(&reversed()), FINE);
    assert_eq!(step.entry, Some(Entry::TakeBack));
    assert_eq!(step.stage.step(Event::Told(&reversed()), FINE).entry, None);
}

#[test]
fn a_bank_that_charges_after_it_refused_is_told_to_give_it_back() {
    let step = Stage::Refused(Refusal::of(RefusalReason::PasswordWrong)).step(Event::Told(&done()), FINE);
    assert!(step.is_contradiction);
    assert_eq!((step.next, step.entry), (Next::GiveBack, None));
    let unanswered = step.stage.step(Event::Silence, FINE);
    assert_eq!(unanswered.next, Next::GiveBack, "until it answers");
    assert_eq!(
        unanswered.stage.step(Event::Told(&reversed()), FINE).next,
        Next::Rest
    );
}

/// What the wire or the bank does to one exchange.
#[derive(Clone, Copy, Debug)]
enum Weather {
    Clear,
    Unreachable,
    LostBefore,
    LostAfter,
    Pends,
}

/// A bank that keeps its word, behind a wire that doesn't, and a platform that may die.
struct World {
    stage: Stage,
    order: Option<OrderState>,
    /// Notices on their way, to be delivered in any order and more than once.
    notices: Vec<OrderState>,
    held: bool,
    credited: i32,
    taken: i32,
    will_refuse: bool,
}

impl World {
    fn new(will_refuse: bool) -> Self {
        Self {
            stage: Stage::Ordering(Contact::None),
            order: None,
            notices: Vec::new(),
            held: true,
            credited: 0,
            taken: 0,
            will_refuse,
        }
    }

    fn decide(&mut self) {
        let state = if self.will_refuse {
            refused(RefusalReason::Insufficient)
        } else {
            self.taken += 1;
            done()
        };
        self.notices.push(state.clone());
        self.order = Some(state);
    }

    /// The bank's side of one request.
    fn serve(&mut self, request: Next, weather: Weather) -> Option<OrderState> {
        match (request, &self.order) {
            (Next::Submit, None) => {
                if matches!(weather, Weather::Pends) {
                    self.order = Some(OrderState::Pending);
                } else {
                    self.decide();
                }
            }
            (Next::Query, Some(OrderState::Pending)) => self.decide(),
            (Next::CallOff, None | Some(OrderState::Pending)) => {
                self.order = Some(refused(RefusalReason::TimedOut));
            }
            (Next::GiveBack, Some(OrderState::Done { .. })) => {
                self.taken -= 1;
                self.notices.push(reversed());
                self.order = Some(reversed());
            }
            _ => {}
        }
        self.order.clone()
    }

    fn hear(&mut self, event: Event<'_>, around: Circumstances) {
        let step = self.stage.clone().step(event, around);
        assert!(!step.is_contradiction, "an honest bank never contradicts itself");
        match step.entry {
            None => {}
            Some(Entry::Release) => {
                assert!(self.held, "released twice");
                self.held = false;
            }
            Some(Entry::Settle) => {
                assert!(self.held, "settled twice");
                self.held = false;
                self.credited += 1;
            }
            Some(Entry::TakeBack) => self.credited -= 1,
            Some(Entry::Lose) => panic!("no utility has a part in it"),
        }
        self.stage = step.stage;
    }

    fn exchange(&mut self, weather: Weather, around: Circumstances) {
        // What is said follows from the stage alone: a platform that was killed says the same.
        let request = self.stage.resume();
        if request == Next::Rest {
            return;
        }
        match weather {
            Weather::Unreachable => self.hear(Event::Unreachable, around),
            Weather::LostBefore => self.hear(Event::Silence, around),
            Weather::LostAfter => {
                self.serve(request, weather);
                self.hear(Event::Silence, around);
            }
            Weather::Clear | Weather::Pends => match self.serve(request, weather) {
                Some(state) => self.hear(Event::Told(&state), around),
                None => {
                    self.hear(Event::Unheard, around);
                    // The flow answers an unheard order by sending it: do so, as the worker does.
                    if self.stage == Stage::Ordering(Contact::Unknown) {
                        let state = self.serve(Next::Submit, weather);
                        if let Some(state) = state {
                            self.hear(Event::Told(&state), around);
                        }
                    }
                }
            },
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
    ]
}

proptest! {
    #[test]
    fn whatever_is_lost_delayed_repeated_or_killed_it_ends_and_both_sides_agree(
        will_refuse: bool,
        can_credit: bool,
        patience in 0_usize..12,
        days in prop::collection::vec((weather(), any::<Option<prop::sample::Index>>()), 0..20),
        bank_takes_back: bool,
    ) {
        let mut world = World::new(will_refuse);
        for (day, (weather, notice)) in days.into_iter().enumerate() {
            let around = Circumstances { is_overdue: day >= patience, can_credit, ..FINE };
            if let Some(index) = notice.filter(|_| !world.notices.is_empty()) {
                // Delivered, and still there to be delivered again.
                let state = index.get(&world.notices).clone();
                if !matches!((&state, &world.order), (OrderState::Done { .. }, Some(OrderState::Reversed { .. }))) {
                    world.hear(Event::Told(&state), around);
                }
            }
            world.exchange(weather, around);
        }
        // The network comes back; a few exchanges later every operation has its end.
        let around = Circumstances { is_overdue: true, can_credit, ..FINE };
        for _ in 0..4 {
            world.exchange(Weather::Clear, around);
        }
        if bank_takes_back && world.stage == Stage::Credited {
            world.taken -= 1;
            world.order = Some(reversed());
            for _ in 0..2 {
                world.hear(Event::Told(&reversed()), around);
            }
        }
        prop_assert!(world.stage.phase().is_end(), "{:?}", world.stage);
        prop_assert!(!world.held);
        prop_assert_eq!(world.credited, world.taken);
        prop_assert_eq!(world.credited, i32::from(world.stage == Stage::Credited));
    }
}
