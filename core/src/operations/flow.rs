//! What an answer, or none, means for an operation that the platform may not have. Only what was certainly not taken may
//! end here: everything else stays as it is and is sent again in the same bytes.

use yika_api::operation::Operation as Told;
use yika_api::{ProblemCode, UnixMillis};

use super::model::{Draft, OperationRefusal};
use crate::http::HttpError;
use crate::session::HttpOrCore;

/// What came of sending a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The platform has it.
    Taken(Box<Told>),
    /// The platform looked at it and did not take it.
    Refused(OperationRefusal),
    /// It certainly reached nobody.
    Unsent,
    /// Nobody knows.
    Unknown,
}

/// What an error says of the operation that was sent.
pub(super) fn heard(error: &HttpOrCore) -> Outcome {
    match error {
        HttpOrCore::Http(HttpError::Problem(refusal)) if refusal.is_final() => {
            let code = refusal.code.map_or("refused", ProblemCode::as_str);
            let bank = refusal.bank.as_ref();
            Outcome::Refused(OperationRefusal {
                reason: bank.map(|bank| bank.reason),
                code: bank.map_or(code, |bank| bank.reason.as_str()).to_owned(),
                message: bank.and_then(|bank| bank.message.clone()),
                amount: refusal.amount,
                tries_left: bank.and_then(|bank| bank.tries_left),
                until: bank.and_then(|bank| bank.until),
            })
        }
        // The session could not be used, so that nothing was sent in its name.
        HttpOrCore::Core(_) => Outcome::Unsent,
        HttpOrCore::Http(error) if error.never_arrived() => Outcome::Unsent,
        HttpOrCore::Http(_) => Outcome::Unknown,
    }
}

/// The draft after an outcome of its first try or a later one; `None` where the platform's word replaces it.
pub(super) fn after(draft: Draft, outcome: &Outcome, is_first: bool, now: UnixMillis) -> Option<Draft> {
    match outcome {
        Outcome::Taken(_) => None,
        // What has ended has ended.
        _ if draft.refused.is_some() => Some(draft),
        Outcome::Unsent if is_first => Some(Draft {
            sent_at: None,
            ..draft
        }),
        Outcome::Unsent | Outcome::Unknown => Some(draft),
        Outcome::Refused(refusal) => Some(Draft {
            request: None,
            refused: Some((now, refusal.clone())),
            ..draft
        }),
    }
}

/// Whether what was told is newer than what is known: a higher version, or anything where nothing is.
pub(super) const fn is_newer(known: Option<u64>, told: &Told) -> bool {
    match known {
        Some(known) => told.version > known,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Refusal;
    use crate::operations::Plan;
    use proptest::prelude::*;
    use uuid::Uuid;
    use yika_api::Fen;
    use yika_api::operation::{Funding, OperationKind, Phase, Step};

    fn draft() -> Draft {
        Draft {
            plan: Plan {
                id: Uuid::nil(),
                kind: OperationKind::TopUp,
                amount: Fen::new(1),
                funding: Funding {
                    wallet: Fen::new(1),
                    bank: Fen::ZERO,
                    card_id: None,
                    fee: Fen::ZERO,
                },
                account_id: None,
                place_id: None,
                needs_step_up: false,
            },
            created_at: UnixMillis(0),
            sent_at: None,
            request: Some(b"request".as_slice().into()),
            refused: None,
        }
    }

    fn told(version: u64) -> Told {
        Told {
            id: Uuid::nil(),
            kind: OperationKind::TopUp,
            amount: Fen::new(1),
            funding: draft().plan.funding,
            account_id: None,
            place_id: None,
            is_automatic: false,
            phase: Phase::Sent,
            steps: vec![Step {
                phase: Phase::Sent,
                at: UnixMillis(0),
            }],
            refusal: None,
            reference: "1".to_owned(),
            version,
        }
    }

    fn problem(code: Option<ProblemCode>, status: u16) -> HttpOrCore {
        HttpOrCore::Http(HttpError::Problem(Box::new(Refusal {
            status,
            code,
            reference: None,
            retry_at: None,
            amount: None,
            bank: None,
        })))
    }

    #[test]
    fn only_the_platforms_word_on_the_request_itself_ends_it() {
        for &code in ProblemCode::ALL {
            let ends = matches!(heard(&problem(Some(code), code.status())), Outcome::Refused(_));
            assert!(!(ends && code.is_retryable()), "{code:?}");
        }
        for error in [
            problem(None, 400),
            problem(None, 502),
            problem(Some(ProblemCode::SessionExpired), 401),
            problem(Some(ProblemCode::CardFrozen), 403),
            HttpOrCore::Http(HttpError::Network),
            HttpOrCore::Http(HttpError::Malformed),
            HttpOrCore::Http(HttpError::TooLarge),
        ] {
            assert_eq!(heard(&error), Outcome::Unknown, "{error:?}");
        }
        for error in [
            HttpOrCore::Http(HttpError::Unreachable),
            HttpOrCore::Http(HttpError::Tls),
            HttpOrCore::Core(crate::CoreError::SessionExpired),
        ] {
            assert_eq!(heard(&error), Outcome::Unsent, "{error:?}");
        }
        assert!(matches!(
            heard(&problem(Some(ProblemCode::InsufficientFunds), 422)),
            Outcome::Refused(_)
        ));
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            4 => Just(Outcome::Unknown),
            4 => Just(Outcome::Unsent),
            1 => Just(heard(&problem(Some(ProblemCode::CardNotBound), 409))),
            1 => (1..5u64).prop_map(|version| Outcome::Taken(Box::new(told(version)))),
        ]
    }

    proptest! {
        #[test]
        fn a_request_lives_until_somebody_has_decided_and_no_longer(
            outcomes in proptest::collection::vec(outcome(), 0..12),
        ) {
            let mut draft = Some(draft());
            let (mut decided, mut may_have_arrived) = (false, false);
            for (at, outcome) in (1..).zip(&outcomes) {
                let Some(mut current) = draft else { break };
                let is_first = current.sent_at.is_none();
                current.sent_at.get_or_insert(UnixMillis(at));
                draft = after(current, outcome, is_first, UnixMillis(at));
                decided |= matches!(outcome, Outcome::Taken(_) | Outcome::Refused(_));
                may_have_arrived |= *outcome != Outcome::Unsent;
                prop_assert_eq!(draft.as_ref().is_some_and(Draft::is_waiting), !decided);
                // What may have arrived is never again taken for something that was not sent.
                if let Some(draft) = &draft {
                    prop_assert_eq!(draft.sent_at.is_some(), may_have_arrived);
                }
            }
        }
    }
}
