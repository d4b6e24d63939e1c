//! What of an answer is newer than what is known, and which bills a search finds.

use yika_api::account::Balance as Told;

use super::model::{Balance, Bill};

/// The balance after an answer: a lower version is old news, the same one is told again later.
pub(super) fn newer(known: Option<Balance>, told: Told) -> Balance {
    let told = Balance::told(told);
    match known {
        Some(known) if known.version > told.version => known,
        Some(known) if known.version == told.version && known.as_of > told.as_of => known,
        _ => told,
    }
}

/// Whether a text, in lower case, stands in what a holder knows a bill by.
pub(super) fn has_text(bill: &Bill, text: &str) -> bool {
    let has = |part: &str| part.to_lowercase().contains(text);
    let names = bill.merchant.iter().chain(&bill.place);
    let names = names.flat_map(|name| [&name.zh, &name.en]);
    text.is_empty()
        || names
            .chain(&bill.terminal)
            .chain([&bill.reference])
            .any(|part| has(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use yika_api::{Fen, UnixMillis};

    fn told() -> impl Strategy<Value = Told> {
        (any::<i64>(), 0..100i64, 0..5u64, 0..10i64).prop_map(|(amount, as_of, version, pending)| Told {
            amount: Fen::new(amount),
            as_of: UnixMillis(as_of),
            version,
            pending: Fen::new(pending),
        })
    }

    proptest! {
        #[test]
        fn the_version_never_falls_and_neither_does_the_time_of_one_version(
            answers in proptest::collection::vec(told(), 1..20),
        ) {
            let mut known: Option<Balance> = None;
            for answer in answers {
                let next = newer(known, answer);
                if let Some(known) = known {
                    prop_assert!(next.version >= known.version);
                    prop_assert!(next.version > known.version || next.as_of >= known.as_of);
                }
                prop_assert!(next.version >= answer.version);
                known = Some(next);
            }
        }
    }
}
