//! Whatever a holder does, and whenever: no limit is passed, and nothing below one is refused.

use super::*;
use crate::testing::START;
use proptest::sample::select;
use yika_api::operation::{Funding, Operation, Phase};

const SECOND_MS: i64 = 1_000;
const HOUR_MS: i64 = 3_600 * SECOND_MS;
/// Asia/Shanghai is eight hours ahead of UTC, all year.
const SHANGHAI_MS: i64 = 8 * HOUR_MS;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// To the card, off the bank card.
    TopUp,
    /// Electricity, off the bank card: it counts as a top-up.
    RoomByBank,
    /// Electricity, off the card account.
    RoomOffAccount,
}

impl Kind {
    fn purpose(self) -> Purpose {
        match self {
            Self::TopUp | Self::RoomByBank => Purpose::TopUp,
            Self::RoomOffAccount => Purpose::Spend,
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Pay {
        kind: Kind,
        yuan: i64,
        is_proven: bool,
        fault: Fault,
    },
    Set {
        purpose: Purpose,
        single: i64,
        more: i64,
        is_proven: bool,
    },
    Wait {
        ms: i64,
    },
    /// Until this many milliseconds after the next midnight.
    Midnight {
        plus_ms: i64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let faults = vec![
        Fault::Clear,
        Fault::LostAfter,
        Fault::Refuses(RefusalReason::Insufficient),
    ];
    let kinds = vec![Kind::TopUp, Kind::RoomByBank, Kind::RoomOffAccount];
    prop_oneof![
        6 => (select(kinds), 1_i64..=520, any::<bool>(), select(faults))
            .prop_map(|(kind, yuan, is_proven, fault)| Act::Pay { kind, yuan, is_proven, fault }),
        1 => (select(vec![Purpose::TopUp, Purpose::Spend]), 1_i64..=500, 0_i64..=700, any::<bool>())
            .prop_map(|(purpose, single, more, is_proven)| Act::Set { purpose, single, more, is_proven }),
        1 => (0..30 * HOUR_MS).prop_map(|ms| Act::Wait { ms }),
        2 => (-1_i64..=1).prop_map(|plus_ms| Act::Midnight { plus_ms }),
    ]
}

/// What a holder may still do, by the rule and nothing else.
struct Model {
    now: i64,
    own: [Bounds; 2],
    /// The purpose, the day and the fen of everything that was taken on and not refused.
    counted: Vec<(Purpose, i64, i64)>,
}

impl Model {
    const MOST: [(i64, i64); 2] = [(50_000, 120_000), (30_000, 60_000)];

    fn new() -> Self {
        Self {
            now: START.0,
            own: Self::MOST.map(|(single, day)| bounds(single, day)),
            counted: Vec::new(),
        }
    }

    fn day(&self) -> i64 {
        (self.now + SHANGHAI_MS).div_euclid(24 * HOUR_MS)
    }

    fn used(&self, purpose: Purpose) -> i64 {
        let today = (purpose, self.day());
        let of_today = self.counted.iter().filter(|(of, day, _)| (*of, *day) == today);
        of_today.map(|(_, _, amount)| amount).sum()
    }

    fn allows(&self, purpose: Purpose, amount: i64, is_proven: bool) -> bool {
        let bounds = match is_proven {
            true => Self::MOST.map(|(single, day)| bounds(single, day))[purpose as usize],
            false => self.own[purpose as usize],
        };
        amount <= bounds.single.get() && self.used(purpose) + amount <= bounds.day.get()
    }

    fn ms_to_midnight(&self) -> i64 {
        24 * HOUR_MS - (self.now + SHANGHAI_MS).rem_euclid(24 * HOUR_MS)
    }
}

struct World<'a> {
    campus: &'a TestPlatform,
    phone: TestPhone<'a>,
    card: Uuid,
    place: Uuid,
    model: Model,
}

impl<'a> World<'a> {
    async fn new(campus: &'a TestPlatform) -> Self {
        let phone = campus.bind("20260001").await;
        let (_, card) = with_card(&phone).await;
        let place = bind_room(&phone).await.id;
        Self {
            campus,
            phone,
            card,
            place,
            model: Model::new(),
        }
    }

    async fn account(&self) -> (Uuid, i64) {
        let list: AccountList = self.phone.get("/v1/accounts").await.ok();
        (list.accounts[0].id, list.accounts[0].balance.amount.get())
    }

    async fn perform(&mut self, act: Act) {
        match act {
            Act::Pay {
                kind,
                yuan,
                is_proven,
                fault,
            } => self.pay(kind, yuan * 100, is_proven, fault).await,
            Act::Set {
                purpose,
                single,
                more,
                is_proven,
            } => {
                let path = match purpose {
                    Purpose::TopUp => TOP_UP,
                    Purpose::Spend => SPEND,
                };
                let (single, day) = (single * 100, (single + more) * 100);
                let request = match is_proven {
                    true => with_password(single, day),
                    false => limits(single, day),
                };
                if put(&self.phone, path, &request).await.status.is_success() {
                    self.model.own[purpose as usize] = bounds(single, day);
                }
            }
            Act::Wait { ms } => self.wait(ms).await,
            Act::Midnight { plus_ms } => self.wait(self.model.ms_to_midnight() + plus_ms).await,
        }
    }

    /// Lets time pass, and the platform ask after what hangs. The phone needs a new session then.
    async fn wait(&mut self, ms: i64) {
        self.campus.clock.advance(ms);
        self.model.now += ms;
        self.campus.platform.drive_due_operations().await.unwrap();
        // A sign-in of the same second would be the same sign-in.
        if ms >= SECOND_MS {
            self.phone = self.campus.bind("20260001").await;
        }
    }

    async fn pay(&mut self, kind: Kind, amount: i64, is_proven: bool, fault: Fault) {
        let (account, balance) = self.account().await;
        let by_bank = Funding {
            wallet: Fen::ZERO,
            bank: Fen::new(amount + fee(amount)),
            card_id: Some(self.card),
            fee: Fen::new(fee(amount)),
        };
        let step_up = is_proven.then(|| StepUp::Password { password: password() });
        let room = |paid_by| OperationRequest::Utility {
            place_id: self.place,
            amount: Fen::new(amount),
            paid_by,
        };
        let request = match kind {
            Kind::TopUp => OperationRequest::TopUp {
                account_id: account,
                amount: Fen::new(amount),
                funding: by_bank,
                password: password(),
            },
            Kind::RoomByBank => room(UtilityPayment::Wallet {
                funding: by_bank,
                password: password(),
            }),
            Kind::RoomOffAccount => room(UtilityPayment::Account {
                account_id: account,
                step_up,
            }),
        };
        let purpose = kind.purpose();
        let is_by_bank = purpose == Purpose::TopUp;
        let is_allowed = self.model.allows(purpose, amount, is_proven && !is_by_bank);
        if is_by_bank && is_allowed {
            self.campus.bank.weather(&[fault]);
        }
        let reply = send(&self.phone, Uuid::new_v4(), &request).await;
        let what = format!("{kind:?} {amount} {reply:?}");
        if !reply.status.is_success() {
            match reply.problem().code {
                ProblemCode::AmountOutOfRange
                | ProblemCode::DayLimitReached
                | ProblemCode::StepUpRequired => {
                    assert!(!is_allowed, "it is below every limit: {what}");
                }
                ProblemCode::InsufficientFunds => {
                    assert!(is_allowed && !is_by_bank && balance < amount, "{what}");
                }
                _ => panic!("{what}"),
            }
            return;
        }
        assert!(is_allowed, "it passes a limit: {what}");
        let phase = reply.ok::<Operation>().phase;
        assert_eq!(
            phase == Phase::Refused,
            is_by_bank && matches!(fault, Fault::Refuses(_)),
            "{what}"
        );
        if phase != Phase::Refused {
            self.model.counted.push((purpose, self.model.day(), amount));
        }
    }

    /// What the phone is shown as used is what counts.
    async fn check(&self) {
        let wallet: Wallet = self.phone.get("/v1/wallet").await.ok();
        let spend: SpendLimits = self.phone.get(SPEND).await.ok();
        let used = |purpose| Fen::new(self.model.used(purpose));
        assert_eq!(wallet.limits.day_used, used(Purpose::TopUp));
        assert_eq!(spend.day_used, used(Purpose::Spend));
    }
}

/// A tenth of a per cent, rounded up.
fn fee(amount: i64) -> i64 {
    (amount + 999) / 1_000
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_is_done_and_whenever_no_limit_is_passed(acts in prop::collection::vec(act(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let campus = TestPlatform::open().await;
            let mut world = World::new(&campus).await;
            for act in acts {
                world.perform(act).await;
                world.check().await;
            }
        });
    }
}
