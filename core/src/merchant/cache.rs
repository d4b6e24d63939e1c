//! What was told about stalls, kept for when there is no network: the last few answers of each kind, sealed.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::model::{StallIncome, StallPaymentPage, StallStatementPage};
use crate::error::CoreError;
use crate::store::{Snapshot, Store};

/// Answers of a kind that are kept.
const MOST_KEPT: usize = 12;

/// A kind of answer that is kept.
pub(super) trait Shelf: Clone + Serialize + DeserializeOwned {
    /// The name of its row. Part of the file's format.
    const NAME: &'static str;
}

impl Shelf for StallIncome {
    const NAME: &'static str = "stall_incomes";
}

impl Shelf for StallPaymentPage {
    const NAME: &'static str = "stall_payments";
}

impl Shelf for StallStatementPage {
    const NAME: &'static str = "stall_statements";
}

/// Answers by what was asked, the one told last at the end.
#[derive(Serialize, Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct Kept<T> {
    answers: Vec<(String, T)>,
}

impl<T: Shelf> Snapshot for Kept<T> {
    const NAME: &'static str = T::NAME;
}

/// What was told last for this question.
pub(super) fn get<T: Shelf>(store: &Store, asked: &str) -> Result<Option<T>, CoreError> {
    let kept: Option<Kept<T>> = store.snapshot()?;
    let answers = kept.map(|kept| kept.answers).unwrap_or_default();
    let mut found = answers.into_iter().filter(|(known, _)| known == asked);
    Ok(found.next().map(|(_, answer)| answer))
}

/// Keeps an answer in place of the one before; the one that was told longest ago makes way.
pub(super) fn put<T: Shelf>(store: &Store, asked: String, answer: T) -> Result<(), CoreError> {
    let kept: Option<Kept<T>> = store.snapshot()?;
    let mut answers = kept.map(|kept| kept.answers).unwrap_or_default();
    answers.retain(|(known, _)| *known != asked);
    if answers.len() >= MOST_KEPT {
        answers.remove(0);
    }
    answers.push((asked, answer));
    Ok(store.put_snapshot(&Kept { answers })?)
}

/// Forgets all answers about stalls but which there are.
pub(super) fn forget(store: &Store) -> Result<(), CoreError> {
    store.remove_snapshot::<Kept<StallIncome>>()?;
    store.remove_snapshot::<Kept<StallPaymentPage>>()?;
    Ok(store.remove_snapshot::<Kept<StallStatementPage>>()?)
}
