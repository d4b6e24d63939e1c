//! The meters as the platform sees them: over loopback, through the platform's own client of the protocol.

use super::*;
use serde_json::{Value, json};
use uuid::Uuid;
use yika_api::Fen;
use yika_api::operation::RefusalReason;
use yika_api::utility::{Credit, CreditState};
use yika_platform::{AdapterError, HttpUtility, UtilityConfig, UtilityGateway as _};

struct World {
    folder: tempfile::TempDir,
    clock: Arc<ShiftedClock>,
    meters: Meters,
    utility: HttpUtility,
}

async fn client(meters: &Meters) -> HttpUtility {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/sandbox/meters", socket.local_addr().unwrap());
    let routes = meters.routes();
    tokio::spawn(async move { axum::serve(socket, routes).await });
    HttpUtility::new(&UtilityConfig::at(&url).unwrap()).unwrap()
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ShiftedClock::open(folder.path().join("clock")).unwrap());
        let meters = Meters::open(&folder.path().join("meters.db"), Arc::clone(&clock))
            .await
            .unwrap();
        Self {
            utility: client(&meters).await,
            folder,
            clock,
            meters,
        }
    }

    /// The meters after their process ended.
    async fn reopen(&mut self) {
        self.meters.0.db.close().await;
        let file = self.folder.path().join("meters.db");
        self.meters = Meters::open(&file, Arc::clone(&self.clock)).await.unwrap();
        self.utility = client(&self.meters).await;
    }

    fn plan(&self, fault: &str) {
        let plan = serde_json::from_value(json!({"fault": fault, "count": 1})).unwrap();
        self.meters.0.faults.set(plan);
    }

    async fn meter(&self, code: &str) -> Value {
        let all = serde_json::to_value(self.meters.all().await.unwrap()).unwrap();
        let found = all.as_array().unwrap().iter().find(|meter| meter["code"] == code);
        found.unwrap().clone()
    }

    async fn credited(&self, code: &str) -> i64 {
        self.meter(code).await["credited"].as_i64().unwrap()
    }
}

fn credit(code: &str, amount: i64) -> Credit {
    Credit {
        id: Uuid::new_v4(),
        provider: "power".to_owned(),
        code: code.to_owned(),
        amount: Fen::new(amount),
    }
}

fn reason(state: &CreditState) -> Option<RefusalReason> {
    match state {
        CreditState::Refused { refusal } => Some(refusal.reason),
        _ => None,
    }
}

#[tokio::test]
async fn a_room_is_found_and_a_network_account_only_by_its_number() {
    let world = World::new().await;
    let providers = world.utility.providers().await.unwrap();
    assert_eq!(providers.len(), 2);
    let buildings = world.utility.places("power", None).await.unwrap().unwrap();
    let rooms = world.utility.places("power", Some(&buildings[0].code)).await;
    assert!(rooms.unwrap().unwrap().iter().all(|room| room.is_payable));
    assert_eq!(
        world.utility.places("network", None).await.unwrap(),
        Some(Vec::new())
    );
    assert!(
        world
            .utility
            .place("network", "20260001")
            .await
            .unwrap()
            .is_some()
    );
    for (provider, code) in [("network", "1"), ("power", "20260001"), ("gas", "b1-101")] {
        assert_eq!(world.utility.place(provider, code).await.unwrap(), None, "{code}");
    }
}

#[tokio::test]
async fn a_meter_that_nobody_has_read_tells_nothing_and_one_that_owes_says_so() {
    let world = World::new().await;
    assert_eq!(world.utility.balance("power", "b3-302").await.unwrap(), None);
    let owing = world.utility.balance("power", "b3-301").await.unwrap().unwrap();
    assert_eq!(owing.amount, Fen::new(-1_260));
    let unread = credit("b3-302", 500);
    world.utility.credit(&unread).await.unwrap();
    assert_eq!(world.credited("b3-302").await, 500);
    assert_eq!(world.utility.balance("power", "b3-302").await.unwrap(), None);
}

#[tokio::test]
async fn a_credit_counts_once_however_often_it_is_sent_also_after_a_restart() {
    let mut world = World::new().await;
    let credit = credit("b1-101", 700);
    let told = world.utility.credit(&credit).await.unwrap();
    assert!(matches!(told, CreditState::Credited { .. }));
    assert_eq!(world.utility.credit(&credit).await.unwrap(), told);
    world.reopen().await;
    let other = Credit {
        amount: Fen::new(9_900),
        ..credit.clone()
    };
    assert_eq!(
        world.utility.credit(&other).await.unwrap(),
        told,
        "the first one counts"
    );
    assert_eq!(world.utility.query(credit.id).await.unwrap(), Some(told.clone()));
    assert_eq!(
        world.utility.cancel(credit.id).await.unwrap(),
        Some(told),
        "too late"
    );
    assert_eq!(world.credited("b1-101").await, 700);
}

#[tokio::test]
async fn what_was_called_off_before_it_came_is_refused_for_ever() {
    let world = World::new().await;
    let credit = credit("b1-102", 700);
    assert_eq!(world.utility.query(credit.id).await.unwrap(), None);
    let called_off = world.utility.cancel(credit.id).await.unwrap().unwrap();
    assert_eq!(reason(&called_off), Some(RefusalReason::TimedOut));
    assert_eq!(world.utility.credit(&credit).await.unwrap(), called_off);
    assert_eq!(world.credited("b1-102").await, 0);
}

#[tokio::test]
async fn what_is_no_place_or_no_amount_is_refused() {
    let world = World::new().await;
    for credit in [
        credit("b1", 100),
        credit("b9-101", 100),
        credit("b1-101", 0),
        credit("b1-101", -100),
        credit("b1-101", i64::MAX),
    ] {
        let told = world.utility.credit(&credit).await.unwrap();
        assert_eq!(reason(&told), Some(RefusalReason::AccountUnusable), "{credit:?}");
    }
    assert_eq!(world.credited("b1-101").await, 0);
}

#[tokio::test]
async fn a_credit_that_was_lost_leaves_no_trace() {
    let world = World::new().await;
    let credit = credit("b2-101", 300);
    world.plan("timeout-before-credit");
    assert_eq!(world.utility.credit(&credit).await, Err(AdapterError::Silent));
    assert_eq!(world.utility.query(credit.id).await.unwrap(), None);
    let sent_again = world.utility.credit(&credit).await.unwrap();
    assert!(matches!(sent_again, CreditState::Credited { .. }));
    assert_eq!(world.credited("b2-101").await, 300);
}

#[tokio::test]
async fn a_credit_whose_answer_was_lost_is_found_out_by_asking() {
    let world = World::new().await;
    let credit = credit("b2-102", 300);
    world.plan("timeout-after-credit");
    assert_eq!(world.utility.credit(&credit).await, Err(AdapterError::Silent));
    let state = world.utility.query(credit.id).await.unwrap();
    assert!(matches!(state, Some(CreditState::Credited { .. })));
    assert_eq!(world.credited("b2-102").await, 300);
}

#[tokio::test]
async fn a_duplicate_reply_is_old_by_the_time_it_comes() {
    let world = World::new().await;
    let credit = credit("b2-201", 300);
    world.plan("duplicate-reply");
    assert_eq!(world.utility.credit(&credit).await.unwrap(), CreditState::Pending);
    assert_eq!(world.utility.credit(&credit).await.unwrap(), CreditState::Pending);
    let state = world.utility.query(credit.id).await.unwrap();
    assert!(matches!(state, Some(CreditState::Credited { .. })));
    assert_eq!(world.credited("b2-201").await, 300);
}

#[tokio::test]
async fn a_refusal_stays_one() {
    let world = World::new().await;
    let credit = credit("b2-202", 300);
    world.plan("refused");
    let told = world.utility.credit(&credit).await.unwrap();
    assert_eq!(reason(&told), Some(RefusalReason::UtilityRefused));
    assert_eq!(world.utility.credit(&credit).await.unwrap(), told);
    assert_eq!(world.credited("b2-202").await, 0);
}
