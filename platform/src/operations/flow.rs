//! Where an operation stands, and what each word of the bank or the utility, or their silence, does to it: a function of
//! values.
//!
//! The one idea: *no answer* is never taken for *no*. Silence leads to a question, a question that the bank can't answer to
//! the same order once more, and only a bank that promises never to carry it out lets the platform say that nothing was
//! charged. A utility is asked in the same way, once the money for it has been taken.

use yika_api::bank::OrderState;
use yika_api::operation::{Phase, Refusal, RefusalReason};
use yika_api::utility::CreditState;

/// How far an operation has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Money is held, the bank is to carry it out.
    Ordering(Contact),
    /// The time for it is over: the bank is asked never to carry it out.
    CallingOff,
    /// The money has been taken, the utility is to credit it.
    Crediting(Contact),
    /// The time for that is over: the utility is asked never to credit it.
    Recalling,
    /// The bank took its money back meanwhile: the utility is asked never to credit it.
    RecallingUnpaid,
    /// The bank took the money, nobody can get it: the bank is asked to give it back.
    GivingBack(Refusal),
    /// The money arrived.
    Credited,
    /// The money had left and is back.
    Refunded(Refusal),
    /// No money moved.
    Refused(Refusal),
}

/// What the bank may know of an order, or the utility of a credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contact {
    /// Nothing: it was never reached.
    None,
    /// Perhaps it, perhaps not: it was sent and nothing came back.
    Unknown,
    /// It is there and not decided.
    Pending,
}

/// Whom an operation goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The bank moves the money, and that is all.
    Bank,
    /// The bank takes the money, then the utility credits it.
    BankThenUtility,
    /// A card account has paid when it begins; the utility credits it.
    Utility,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// The bank says how the order stands: in a reply, a notice or a statement.
    Told(&'a OrderState),
    /// The utility says how the credit stands.
    Credit(&'a CreditState),
    /// Who was asked never heard of it.
    Unheard,
    /// Something was sent and nothing came back in time.
    Silence,
    /// Nothing could be sent.
    Unreachable,
}

/// What the operation's surroundings say at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Circumstances {
    /// Whom it goes by.
    pub(crate) route: Route,
    /// The time for reaching the bank, or then the utility, is over.
    pub(crate) is_overdue: bool,
    /// Whoever is to get the money can get it now.
    pub(crate) can_credit: bool,
}

/// What is booked, in the transaction that stores the new stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// What was held is free again; what a card account had paid is back on it.
    Release,
    /// What was held has left, the money has arrived.
    Settle,
    /// What had arrived is taken back, what had left is back.
    TakeBack,
    /// What was held is free again, though the money has arrived: the school bears it.
    Lose,
}

/// What is to be said next: to the bank, or of a credit, to the utility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing.
    Rest,
    /// The order, byte for byte as before.
    Submit,
    /// How does it stand?
    Query,
    /// Never carry it out.
    CallOff,
    /// Give it back.
    GiveBack,
    /// The credit, as before.
    Credit,
    /// How does the credit stand?
    QueryCredit,
    /// Never make the credit.
    Recall,
}

/// What follows from an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) stage: Stage,
    pub(crate) entry: Option<Entry>,
    pub(crate) next: Next,
    /// The bank contradicts itself: somebody has to look.
    pub(crate) is_contradiction: bool,
}

impl Stage {
    /// As the holder sees it.
    pub(crate) fn phase(&self) -> Phase {
        match self {
            Self::Ordering(Contact::None) => Phase::Sent,
            Self::Ordering(Contact::Unknown | Contact::Pending)
            | Self::CallingOff
            | Self::Crediting(Contact::Unknown | Contact::Pending)
            | Self::Recalling
            | Self::RecallingUnpaid => Phase::Confirming,
            Self::Crediting(Contact::None) | Self::GivingBack(_) => Phase::Paid,
            Self::Credited => Phase::Credited,
            Self::Refunded(_) => Phase::Refunded,
            Self::Refused(_) => Phase::Refused,
        }
    }

    /// What to say after a start, when nobody remembers what was said last.
    pub(crate) fn resume(&self) -> Next {
        match self {
            Self::Ordering(Contact::None) => Next::Submit,
            Self::Ordering(Contact::Unknown | Contact::Pending) => Next::Query,
            Self::CallingOff => Next::CallOff,
            Self::Crediting(Contact::None) => Next::Credit,
            Self::Crediting(Contact::Unknown | Contact::Pending) => Next::QueryCredit,
            Self::Recalling | Self::RecallingUnpaid => Next::Recall,
            Self::GivingBack(_) => Next::GiveBack,
            Self::Credited | Self::Refunded(_) | Self::Refused(_) => Next::Rest,
        }
    }

    /// What an event makes of it.
    pub(crate) fn step(self, event: Event<'_>, around: Circumstances) -> Step {
        match (self, event) {
            // The bank has no part in it: whatever it says is about something else.
            (stage, Event::Told(_)) if around.route == Route::Utility => Step::resuming(stage),
            // The bank has carried it out.
            (Self::Ordering(_) | Self::CallingOff, Event::Told(OrderState::Done { .. })) => {
                match (around.route, around.can_credit) {
                    (Route::BankThenUtility, _) => Step::resuming(Self::Crediting(Contact::None)),
                    (Route::Bank | Route::Utility, true) => Step::end(Self::Credited, Entry::Settle),
                    (Route::Bank | Route::Utility, false) => {
                        Step::resuming(Self::GivingBack(Refusal::of(RefusalReason::AccountUnusable)))
                    }
                }
            }
            // It has not and won't.
            (Self::Ordering(_), Event::Told(OrderState::Refused { refusal })) => {
                Step::end(Self::Refused(refusal.clone()), Entry::Release)
            }
            (Self::CallingOff, Event::Told(OrderState::Refused { .. })) => Step::end(
                Self::Refused(Refusal::of(RefusalReason::TimedOut)),
                Entry::Release,
            ),
            // It had, and took it back before we heard of either.
            (Self::Ordering(_) | Self::CallingOff, Event::Told(OrderState::Reversed { .. })) => Step::end(
                Self::Refunded(Refusal::of(RefusalReason::ReversedByBank)),
                Entry::Release,
            ),
            // It has the order and takes its time: only it can say when.
            (Self::Ordering(_) | Self::CallingOff, Event::Told(OrderState::Pending)) => {
                Step::on(Self::Ordering(Contact::Pending), Next::Query)
            }
            (Self::Ordering(contact), Event::Silence) => match contact {
                Contact::Pending => Step::on(Self::Ordering(Contact::Pending), Next::Query),
                Contact::None | Contact::Unknown => Step::on(Self::Ordering(Contact::Unknown), Next::Query),
            },
            (Self::Ordering(_), Event::Unheard) if around.is_overdue => {
                Step::on(Self::CallingOff, Next::CallOff)
            }
            (Self::Ordering(_), Event::Unheard) => Step::on(Self::Ordering(Contact::Unknown), Next::Submit),
            // Even where it wasn't reached: a server that died may have reached it before.
            (Self::Ordering(Contact::None), Event::Unreachable) if around.is_overdue => {
                Step::resuming(Self::CallingOff)
            }
            (Self::CallingOff, Event::Silence | Event::Unreachable | Event::Unheard) => {
                Step::on(Self::CallingOff, Next::CallOff)
            }
            // The money is there; what the utility does with it is asked as the bank is.
            (Self::Crediting(_) | Self::Recalling, Event::Credit(CreditState::Credited { .. })) => {
                Step::end(Self::Credited, Entry::Settle)
            }
            (Self::Crediting(_), Event::Credit(CreditState::Refused { refusal })) => {
                around.route.back(refusal.clone())
            }
            (Self::Recalling, Event::Credit(CreditState::Refused { .. })) => {
                around.route.back(Refusal::of(RefusalReason::TimedOut))
            }
            (Self::Crediting(_) | Self::Recalling, Event::Credit(CreditState::Pending)) => {
                Step::resuming(Self::Crediting(Contact::Pending))
            }
            (Self::Crediting(Contact::None), Event::Unreachable) if around.is_overdue => {
                Step::resuming(Self::Recalling)
            }
            (Self::Crediting(Contact::None | Contact::Unknown), Event::Silence) => {
                Step::resuming(Self::Crediting(Contact::Unknown))
            }
            (Self::Crediting(_), Event::Unheard) if around.is_overdue => Step::resuming(Self::Recalling),
            (Self::Crediting(_), Event::Unheard) => Step::on(Self::Crediting(Contact::Unknown), Next::Credit),
            // The bank took its money back before the credit was decided.
            (
                Self::Crediting(_) | Self::Recalling,
                Event::Told(OrderState::Reversed { .. } | OrderState::Refused { .. }),
            ) => Step::resuming(Self::RecallingUnpaid),
            (Self::RecallingUnpaid, Event::Credit(CreditState::Credited { .. })) => Step::end(
                Self::Refunded(Refusal::of(RefusalReason::ReversedByBank)),
                Entry::Lose,
            ),
            (Self::RecallingUnpaid, Event::Credit(CreditState::Refused { .. })) => Step::end(
                Self::Refunded(Refusal::of(RefusalReason::ReversedByBank)),
                Entry::Release,
            ),
            // The way back. A bank that says it never took anything has nothing to give back.
            (
                Self::GivingBack(refusal),
                Event::Told(OrderState::Reversed { .. } | OrderState::Refused { .. }),
            ) => Step::end(Self::Refunded(refusal), Entry::Release),
            (stage @ Self::GivingBack(_), _) => Step::on(stage, Next::GiveBack),
            // After the end only a reversal changes anything.
            (Self::Credited, Event::Told(OrderState::Reversed { .. })) => Step::end(
                Self::Refunded(Refusal::of(RefusalReason::ReversedByBank)),
                Entry::TakeBack,
            ),
            (Self::Credited, Event::Told(OrderState::Refused { .. })) => {
                Step::contradiction(Self::Credited, Next::Rest)
            }
            (stage @ Self::Refused(_), Event::Told(OrderState::Done { .. })) => {
                Step::contradiction(stage, Next::GiveBack)
            }
            // Nothing is said after a refusal but "give it back": until the bank answers, once more.
            (stage @ Self::Refused(_), Event::Silence | Event::Unreachable) => {
                Step::on(stage, Next::GiveBack)
            }
            (stage, _) => Step::resuming(stage),
        }
    }
}

impl Route {
    /// The way back of money that the utility will not credit.
    fn back(self, refusal: Refusal) -> Step {
        match self {
            Self::Utility => Step::end(Stage::Refunded(refusal), Entry::Release),
            Self::Bank | Self::BankThenUtility => Step::resuming(Stage::GivingBack(refusal)),
        }
    }
}

impl Step {
    /// What is said next follows from the stage.
    fn resuming(stage: Stage) -> Self {
        let next = stage.resume();
        Self::on(stage, next)
    }

    fn on(stage: Stage, next: Next) -> Self {
        Self {
            stage,
            entry: None,
            next,
            is_contradiction: false,
        }
    }

    fn end(stage: Stage, entry: Entry) -> Self {
        Self {
            entry: Some(entry),
            ..Self::on(stage, Next::Rest)
        }
    }

    fn contradiction(stage: Stage, next: Next) -> Self {
        Self {
            is_contradiction: true,
            ..Self::on(stage, next)
        }
    }
}

#[cfg(test)]
mod tests;
