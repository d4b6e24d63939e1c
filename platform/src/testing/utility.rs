//! A utility in memory that keeps its word, with two rooms and a network account, behind a wire that the test can make bad.

use super::{Fault, START, text};
use crate::{AdapterError, UtilityAnswer, UtilityGateway};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Mutex;
use uuid::Uuid;
use yika_api::operation::{Refusal, RefusalReason};
use yika_api::utility::{Credit, CreditState, MeterBalance, Place, PlaceLookup, Provider, UtilityKind};
use yika_api::{Fen, UnixMillis};

/// The provider of electricity, and a room of its.
pub(crate) const POWER: &str = "power";
pub(crate) const ROOM: &str = "b3-402";

#[derive(Default)]
struct Meters {
    credits: HashMap<Uuid, CreditState>,
    /// Every credit that reached it.
    heard: HashMap<Uuid, Credit>,
    /// What each place was credited with.
    credited: BTreeMap<String, i64>,
    /// How often money was credited for an operation.
    moved: HashMap<Uuid, u32>,
    faults: VecDeque<Fault>,
    now: i64,
}

/// The utility.
#[derive(Default)]
pub(crate) struct TestUtility(Mutex<Meters>);

impl TestUtility {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// What is done to the next exchanges about credits, one each; after them all is well.
    pub(crate) fn weather(&self, faults: &[Fault]) {
        self.0.lock().unwrap().faults.extend(faults);
    }

    /// How often money was credited for an operation.
    pub(crate) fn moved(&self, credit: Uuid) -> u32 {
        let meters = self.0.lock().unwrap();
        meters.moved.get(&credit).copied().unwrap_or_default()
    }

    pub(crate) fn state(&self, credit: Uuid) -> Option<CreditState> {
        self.0.lock().unwrap().credits.get(&credit).cloned()
    }

    /// What all places were credited with.
    pub(crate) fn credited(&self) -> i64 {
        self.0.lock().unwrap().credited.values().sum()
    }

    fn exchange<T: Send + 'static>(
        &self,
        serve: impl FnOnce(&mut Meters, Fault) -> T,
    ) -> UtilityAnswer<'_, T> {
        let mut meters = self.0.lock().unwrap();
        meters.now += 1;
        let fault = meters.faults.pop_front().unwrap_or(Fault::Clear);
        let answered = match fault {
            Fault::Unreachable => Err(AdapterError::Unreachable),
            Fault::LostBefore => Err(AdapterError::Silent),
            Fault::LostAfter => {
                serve(&mut meters, fault);
                Err(AdapterError::Silent)
            }
            Fault::Garbled => {
                serve(&mut meters, fault);
                Err(AdapterError::Malformed("test".to_owned()))
            }
            Fault::Clear | Fault::Pends | Fault::Refuses(_) => Ok(serve(&mut meters, fault)),
        };
        Box::pin(std::future::ready(answered))
    }
}

fn decide(meters: &mut Meters, id: Uuid, fault: Fault) {
    let state = match fault {
        Fault::Pends => CreditState::Pending,
        Fault::Refuses(reason) => CreditState::Refused {
            refusal: Refusal::of(reason),
        },
        _ => {
            *meters.moved.entry(id).or_default() += 1;
            if let Some(credit) = meters.heard.get(&id) {
                *meters.credited.entry(credit.code.clone()).or_default() += credit.amount.get();
            }
            CreditState::Credited {
                at: UnixMillis(START.0 + meters.now),
                trace: format!("U{}", meters.now),
            }
        }
    };
    meters.credits.insert(id, state);
}

fn places() -> Vec<Place> {
    [
        ("b3", "三号楼", "Building 3", false),
        (ROOM, "三号楼402", "Building 3, room 402", true),
    ]
    .into_iter()
    .map(|(code, zh, en, is_payable)| Place {
        code: code.to_owned(),
        name: text(zh, en),
        is_payable,
    })
    .collect()
}

impl UtilityGateway for TestUtility {
    fn providers(&self) -> UtilityAnswer<'_, Vec<Provider>> {
        let provider = Provider {
            code: POWER.to_owned(),
            kind: UtilityKind::Electricity,
            name: text("电费", "Electricity"),
            lookup: PlaceLookup::Browse,
        };
        self.exchange(|_, _| vec![provider])
    }

    fn places<'a>(
        &'a self,
        provider: &'a str,
        below: Option<&'a str>,
    ) -> UtilityAnswer<'a, Option<Vec<Place>>> {
        let answer = match (provider, below) {
            (POWER, None) => Some(places()[..1].to_vec()),
            (POWER, Some("b3")) => Some(places()[1..].to_vec()),
            _ => None,
        };
        self.exchange(|_, _| answer)
    }

    fn place<'a>(&'a self, provider: &'a str, code: &'a str) -> UtilityAnswer<'a, Option<Place>> {
        let found = places().into_iter().find(|place| place.code == code);
        let answer = found.filter(|_| provider == POWER);
        self.exchange(|_, _| answer)
    }

    fn balance<'a>(&'a self, _: &'a str, code: &'a str) -> UtilityAnswer<'a, Option<MeterBalance>> {
        self.exchange(|meters, _| {
            let credited = meters.credited.get(code).copied().unwrap_or_default();
            Some(MeterBalance {
                amount: Fen::new(credited - 250),
                as_of: UnixMillis(START.0 + meters.now),
            })
        })
    }

    fn credit<'a>(&'a self, credit: &'a Credit) -> UtilityAnswer<'a, CreditState> {
        self.exchange(|meters, fault| {
            if !meters.credits.contains_key(&credit.id) {
                meters.heard.insert(credit.id, credit.clone());
                decide(meters, credit.id, fault);
            }
            meters.credits[&credit.id].clone()
        })
    }

    fn query(&self, id: Uuid) -> UtilityAnswer<'_, Option<CreditState>> {
        self.exchange(|meters, fault| {
            if meters.credits.get(&id) == Some(&CreditState::Pending) {
                decide(meters, id, fault);
            }
            meters.credits.get(&id).cloned()
        })
    }

    fn cancel(&self, id: Uuid) -> UtilityAnswer<'_, Option<CreditState>> {
        self.exchange(|meters, _| {
            let is_decided = meters
                .credits
                .get(&id)
                .is_some_and(|state| *state != CreditState::Pending);
            if !is_decided {
                let refusal = Refusal::of(RefusalReason::TimedOut);
                meters.credits.insert(id, CreditState::Refused { refusal });
            }
            meters.credits.get(&id).cloned()
        })
    }
}
