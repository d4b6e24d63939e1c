//! Whatever is sold, voided, refunded, uploaded late and paid out on whichever day, the sums that are kept are those of what
//! was booked.

use super::*;
use crate::testing::TestTerminal;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use std::collections::BTreeMap;
use yika_format::code::Code;
use yika_format::sale::SaleKind;

#[tokio::test]
async fn a_sale_counts_on_the_day_and_in_the_hour_of_the_school_at_which_it_was_made() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    // From 19:06:40 to a second before midnight in Shanghai, where the day in UTC has long begun.
    campus.clock.advance(4 * HOUR + 53 * 60_000 + 19_000);
    let before = world.sell(100);
    campus.clock.advance(1_000);
    let after = world.sell(200);
    campus.clock.advance(DAY);
    world.settle(&[before, after]).await;
    let income = world.income("?from=2026-11-18&to=2026-11-20").await;
    let days: Vec<_> = income
        .days
        .iter()
        .map(|day| (day.day.as_str(), day.takings.income.get()))
        .collect();
    assert_eq!(days, [("2026-11-18", 100), ("2026-11-19", 200)]);
    let hours: Vec<_> = income
        .hours
        .iter()
        .map(|hour| (hour.hour, hour.takings.income.get()))
        .collect();
    assert_eq!(hours, [(0, 200), (23, 100)]);
    let of = |query| world.income(query);
    assert_eq!(of("?from=2026-11-18").await.total.income, Fen::new(100));
    assert_eq!(of("?from=2026-11-19").await.total.income, Fen::new(200));
    assert_eq!(of("").await.total.income, Fen::ZERO, "today");
    world.check().await;
}

#[tokio::test]
async fn a_void_counts_with_its_sale_a_refund_when_it_is_made_and_what_is_not_paid_when_it_came() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    campus.clock.advance(4 * HOUR + 50 * 60_000);
    let sales = [world.sell(100), world.sell(200)];
    campus.clock.advance(5 * 60_000);
    let void = world.till.record(SaleKind::Void { sequence: 1 }, 100);
    // Nobody's code.
    let wrong = world
        .till
        .record(SaleKind::LibraryFee(world.phone.code(&world.credential, 9)), 300);
    world.settle(&[&sales[..], &[void, wrong]].concat()).await;
    let sold = world.payments("?from=2026-11-18").await.payments;
    let kept = sold.iter().find(|line| line.amount == Fen::new(200)).unwrap();
    let owner = world.as_owner().await;
    let _back: StallPayment = refund(&owner, 1, kept.id, Uuid::new_v4(), 50).await.ok();
    let income = world.income("?from=2026-11-18&to=2026-11-19").await;
    let takings = |day: usize| income.days[day].takings;
    let amounts = |takings: yika_api::merchant::Takings| {
        [takings.sales, takings.voids, takings.refunds, takings.unpaid].map(|tally| tally.amount.get())
    };
    assert_eq!(amounts(takings(0)), [300, 100, 0, 0]);
    assert_eq!(amounts(takings(1)), [0, 0, 50, 300]);
    world.check().await;
}

#[tokio::test]
async fn sums_are_told_by_terminal_and_kind() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    world.pay(100).await;
    world.till = campus.terminal(TerminalKind::Pos).await;
    world.pay(200).await;
    let income = world.income("").await;
    let by: Vec<_> = income
        .terminals
        .iter()
        .map(|one| (one.terminal.0, one.label.as_str(), one.takings.income.get()))
        .collect();
    assert_eq!(by, [(1, "POS 1", 100), (2, "POS 2", 200)]);
    assert_eq!(income.kinds.len(), 1);
    assert_eq!(world.income("?terminal=2").await.total.income, Fen::new(200));
    assert_eq!(world.payments("?terminal=1").await.payments.len(), 1);
    assert_eq!(world.income("?terminal=3").await.total.income, Fen::ZERO);
}

#[tokio::test]
async fn payments_come_page_by_page_without_loss() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    // Five at one instant, for the order among these.
    let sales: Vec<_> = (1..=5).map(|amount| world.sell(amount)).collect();
    world.settle(&sales).await;
    campus.clock.advance(1);
    for amount in 6..=9 {
        world.pay(amount).await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = world.payments(&format!("?limit=2{after}")).await;
        seen.extend(page.payments.iter().map(|line| line.amount.get()));
        match page.cursor {
            Some(cursor) => after = format!("&after={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen[..4], [9, 8, 7, 6]);
    seen.sort_unstable();
    assert_eq!(seen, (1..=9).collect::<Vec<_>>());
}

/// What happens.
#[derive(Clone, Copy, Debug)]
enum Act {
    Sell(usize, u64),
    /// The code of the sale before once more, at another till.
    Replay(usize),
    /// A till takes its last sale back.
    TakeBack(usize),
    Upload(usize),
    Wait(i64),
    Void,
    Refund(i64),
    OfficeRefund(i64),
    PayOut,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0_usize..2, 1_u64..3_000).prop_map(|(till, amount)| Act::Sell(till, amount)),
        1 => (0_usize..2).prop_map(Act::Replay),
        2 => (0_usize..2).prop_map(Act::TakeBack),
        4 => (0_usize..2).prop_map(Act::Upload),
        3 => prop_oneof![(0_i64..12).prop_map(|minutes| minutes * 60_000), (1_i64..9).prop_map(|hours| hours * HOUR)].prop_map(Act::Wait),
        2 => Just(Act::Void),
        2 => (-10_i64..2_000).prop_map(Act::Refund),
        1 => (-10_i64..2_000).prop_map(Act::OfficeRefund),
        1 => Just(Act::PayOut),
    ]
}

/// Two tills of the stall with what they have not handed in.
struct Tills<'a> {
    tills: Vec<(TestTerminal<'a>, Vec<SignedSale>)>,
    last: Option<(Code, u64)>,
    /// The number and the amount of each till's newest record, handed in or not.
    newest: [Option<(u64, u64)>; 2],
}

impl Tills<'_> {
    async fn upload(&mut self, till: usize) {
        let (till, waiting) = &mut self.tills[till];
        till.settle(&std::mem::take(waiting)).await;
    }

    fn record(&mut self, till: usize, kind: SaleKind, amount: u64) {
        let (terminal, waiting) = &mut self.tills[till];
        let record = terminal.record(kind, amount);
        self.newest[till] = Some((record.record.sequence, amount));
        waiting.push(record);
    }
}

async fn perform(world: &mut World<'_>, tills: &mut Tills<'_>, paid_out: &mut i64, act: Act) {
    match act {
        Act::Sell(till, amount) => {
            world.counter += 1;
            let code = short(&world.phone.code(&world.credential, world.counter));
            tills.last = Some((code, amount));
            tills.record(till, SaleKind::Purchase(code), amount);
        }
        Act::Replay(till) => {
            if let Some((code, amount)) = tills.last {
                tills.record(till, SaleKind::Purchase(code), amount);
            }
        }
        Act::TakeBack(till) => {
            if let Some((sequence, amount)) = tills.newest[till] {
                tills.record(till, SaleKind::Void { sequence }, amount);
            }
        }
        Act::Upload(till) => tills.upload(till).await,
        Act::Wait(ms) => world.campus.clock.advance(ms),
        Act::Void | Act::Refund(_) | Act::OfficeRefund(_) => {
            let page = world.payments("?from=2026-11-18&to=2026-12-31").await;
            let Some(newest) = page.payments.first() else {
                return;
            };
            // Or refused; either way the books hold.
            let owner = world.as_owner().await;
            match act {
                Act::Refund(amount) => {
                    refund(&owner, 1, newest.id, Uuid::new_v4(), amount).await;
                }
                Act::OfficeRefund(amount) => {
                    let admin = world.campus.platform.admin();
                    let _refused_or_not = admin
                        .refund_payment(Uuid::new_v4(), newest.id, Fen::new(amount))
                        .await;
                }
                _ => {
                    void(&owner, 1, newest.id, Uuid::new_v4()).await;
                }
            }
        }
        Act::PayOut => {
            let yesterday = day_of(world.campus.platform.now().0 - DAY);
            let admin = world.campus.platform.admin();
            let reference = format!("T{yesterday}");
            if admin.settle_merchant(STALL, &yesterday, &reference).await.is_ok() {
                let page = world.statements().await;
                *paid_out = page.statements.iter().map(|one| one.paid_out.get()).sum();
            }
        }
    }
}

/// The day as people in Shanghai write it, worked out apart from the code that is tested.
fn day_of(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap();
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    at.to_zoned(zone).strftime("%Y-%m-%d").to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_sums_are_those_of_what_was_booked(acts in prop::collection::vec(act(), 5..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let campus = TestPlatform::open().await;
            let mut world = World::new(&campus).await;
            let mut tills = Tills { tills: Vec::new(), last: None, newest: [None; 2] };
            for _ in 0..2 {
                tills.tills.push((campus.terminal(TerminalKind::Pos).await, Vec::new()));
            }
            let mut paid_out = 0;
            for act in acts {
                perform(&mut world, &mut tills, &mut paid_out, act).await;
            }
            for till in 0..2 {
                tills.upload(till).await;
            }
            world.check().await;

            let range = "?from=2026-11-18&to=2026-12-31";
            let income = world.income(range).await;
            let page = world.payments(&format!("{range}&limit=500")).await;
            assert!(page.cursor.is_none());
            let mut listed: BTreeMap<String, i64> = BTreeMap::new();
            for line in &page.payments {
                *listed.entry(day_of(line.occurred_at.0)).or_default() += line.income.get();
                assert!(line.refunded <= line.amount && !line.refunded.is_negative());
            }
            let kept: BTreeMap<String, i64> = income
                .days
                .iter()
                .map(|day| (day.day.clone(), day.takings.income.get()))
                .collect();
            listed.retain(|day, sum| *sum != 0 || kept.contains_key(day));
            for (day, sum) in &kept {
                assert_eq!(listed.get(day).copied().unwrap_or_default(), *sum, "{day}");
            }
            assert_eq!(listed.values().sum::<i64>(), kept.values().sum::<i64>());
            let total = income.total.income.get();
            assert_eq!(total - paid_out, world.earned().await);
            assert_eq!(income.balance.map(Fen::get), Some(total - paid_out));
            assert_eq!(income.settled.unwrap().get() + income.pending.unwrap().get(), total);
            let by = |takings: Vec<yika_api::merchant::Takings>| -> i64 {
                takings.iter().map(|takings| takings.income.get()).sum()
            };
            assert_eq!(by(income.hours.iter().map(|hour| hour.takings).collect()), total);
            assert_eq!(by(income.terminals.iter().map(|one| one.takings).collect()), total);
            assert_eq!(by(income.kinds.iter().map(|one| one.takings).collect()), total);
        });
    }
}
