//! Orders: once, whole or not at all, and money that is never made or lost.

use super::*;
use proptest::prelude::*;

#[tokio::test]
async fn two_hundred_who_name_one_order_at_once_move_money_once() {
    let world = World::new().await;
    let order = world.order(5_000);
    let callers = (0..200).map(|_| {
        let (address, order) = (world.address, order.clone());
        tokio::spawn(async move {
            call(address, ("POST", "bank/orders"), &order, None)
                .await
                .unwrap()
        })
    });
    let callers: Vec<_> = callers.collect();
    let mut answers = std::collections::HashSet::new();
    for caller in callers {
        answers.insert(caller.await.unwrap());
    }
    assert_eq!(answers.len(), 1, "one answer to all");
    assert_eq!(world.balance("school").await, 5_000);
    assert_eq!(world.balance(&world.wallet()).await, 45_000);
}

#[tokio::test]
async fn an_order_that_was_called_off_before_it_came_is_refused_when_it_comes() {
    let mut world = World::new().await;
    let order = world.order(5_000);
    assert_eq!(
        reason(&world.end(order.id, "cancel").await),
        Some(RefusalReason::TimedOut)
    );
    world.reopen().await;
    let told = world.place(&order, None).await.unwrap();
    assert_eq!(reason(&told), Some(RefusalReason::TimedOut));
    assert_eq!(world.balance("school").await, 0);
}

#[tokio::test]
async fn what_is_done_is_not_called_off_but_given_back_once() {
    let world = World::new().await;
    let order = world.order(5_000);
    let done = world.place(&order, None).await.unwrap();
    assert_eq!(world.end(order.id, "cancel").await, done);
    let back = world.end(order.id, "refund").await;
    assert!(matches!(back, OrderState::Reversed { .. }));
    assert_eq!(world.end(order.id, "refund").await, back);
    assert_eq!(world.place(&order, None).await, Some(back));
    assert_eq!(world.balance(&world.wallet()).await, 50_000);
}

#[tokio::test]
async fn a_payment_from_wallet_and_card_takes_both_parts_or_neither() {
    let world = World::new().await;
    let card = world.bound_card().await;
    let with_card = |wallet: i64, card_amount: i64, fee: i64| Order {
        wallet: Fen::new(wallet),
        card_amount: Fen::new(card_amount),
        fee: Fen::new(fee),
        card: Some(card),
        ..world.order(wallet + card_amount - fee)
    };
    let before = world.balance("card:20260001-1").await;
    assert!(is_done(&world.place(&with_card(20_000, 10_025, 25), None).await));
    assert_eq!(world.balance("card:20260001-1").await, before - 10_025);
    assert_eq!(
        (world.balance("school").await, world.balance("fees").await),
        (30_000, 25)
    );
    let short = world.place(&with_card(20_000, 900_000, 0), None).await.unwrap();
    assert_eq!(reason(&short), Some(RefusalReason::Insufficient));
    assert_eq!(
        world.balance(&world.wallet()).await,
        30_000,
        "the wallet's part stayed too"
    );
}

#[tokio::test]
async fn money_goes_into_the_wallet_and_onto_the_card() {
    let world = World::new().await;
    let card = world.bound_card().await;
    let order = |direction, wallet: i64, card_amount: i64, fee: i64| Order {
        direction,
        card_amount: Fen::new(card_amount),
        fee: Fen::new(fee),
        card: Some(card),
        ..world.order(wallet)
    };
    assert!(is_done(
        &world
            .place(&order(OrderDirection::IntoWallet, 1_000, 1_003, 3), None)
            .await
    ));
    assert_eq!(world.balance(&world.wallet()).await, 51_000);
    assert!(is_done(
        &world
            .place(&order(OrderDirection::OntoCard, 51_000, 51_000, 0), None)
            .await
    ));
    assert_eq!(world.balance(&world.wallet()).await, 0);
    assert_eq!(world.console("").await["total"], 8 * 215_000);
}

#[tokio::test]
async fn an_order_of_other_parts_than_were_sealed_is_refused() {
    let world = World::new().await;
    let refused = async |change: &dyn Fn(&mut Order)| {
        let mut order = world.order(5_000);
        change(&mut order);
        reason(&world.place(&order, None).await.unwrap())
    };
    let bank_refused = Some(RefusalReason::BankRefused);
    assert_eq!(
        refused(&|order| order.wallet = Fen::new(6_000)).await,
        bank_refused
    );
    assert_eq!(
        refused(&|order| order.wallet = Fen::new(i64::MAX)).await,
        bank_refused
    );
    assert_eq!(refused(&|order| order.fee = Fen::new(-1)).await, bank_refused);
    assert_eq!(
        refused(&|order| order.card = Some(Uuid::nil())).await,
        bank_refused
    );
    let raised = |order: &mut Order| {
        (order.wallet, order.arrives) = (Fen::new(6_000), Fen::new(6_000));
    };
    assert_eq!(refused(&raised).await, Some(RefusalReason::SealRefused));
    assert_eq!(
        refused(&|order| {
            if let Authority::Password { password } = &mut order.authority {
                password.kid = 2;
            }
        })
        .await,
        Some(RefusalReason::SealRefused)
    );
    assert_eq!(
        refused(&|order| order.customer = Uuid::nil()).await,
        Some(RefusalReason::SealRefused)
    );
    let unbound = |order: &mut Order| {
        (order.wallet, order.card_amount) = (Fen::ZERO, Fen::new(5_000));
        order.card = Some(Uuid::nil());
    };
    assert_eq!(refused(&unbound).await, Some(RefusalReason::CardUnusable));
    assert_eq!(world.balance("school").await, 0);
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Pay(i64, Option<BankFault>),
    Again(usize),
    Cancel(usize),
    Refund(usize),
    Settle,
    /// Ends in the middle of an order, after so many steps of it.
    Kill(i64, u8),
}

fn moves() -> impl Strategy<Value = Move> {
    let fault = proptest::option::of(proptest::sample::select(vec![
        BankFault::RefusedBeforeDebit,
        BankFault::TimeoutBeforeDebit,
        BankFault::TimeoutAfterDebit,
        BankFault::DuplicateReply,
        BankFault::LateCallback,
        BankFault::SuccessThenReversal,
    ]));
    prop_oneof![
        4 => (1_i64..30_000, fault).prop_map(|(amount, fault)| Move::Pay(amount, fault)),
        1 => (0_usize..8).prop_map(Move::Again),
        1 => (0_usize..8).prop_map(Move::Cancel),
        1 => (0_usize..8).prop_map(Move::Refund),
        1 => Just(Move::Settle),
        1 => (1_i64..30_000, 0_u8..40).prop_map(|(amount, steps)| Move::Kill(amount, steps)),
    ]
}

/// Plays the moves and compares what is where with what the orders say.
async fn play(moves: Vec<Move>) {
    let mut world = World::new().await;
    let total = world.console("").await["total"].clone();
    let mut orders: Vec<Order> = Vec::new();
    for step in moves {
        let nth = |at: usize| orders.get(at % orders.len().max(1)).cloned();
        match step {
            Move::Pay(amount, fault) => {
                let order = world.order(amount);
                world.place(&order, fault.map(BankFault::name).as_deref()).await;
                orders.push(order);
            }
            Move::Again(at) => {
                if let Some(order) = nth(at) {
                    world.place(&order, None).await;
                }
            }
            Move::Cancel(at) | Move::Refund(at) => {
                if let Some(order) = nth(at) {
                    let how = if matches!(step, Move::Cancel(_)) {
                        "cancel"
                    } else {
                        "refund"
                    };
                    world.end(order.id, how).await;
                }
            }
            Move::Settle => drop(world.settle().await),
            Move::Kill(amount, steps) => {
                let order = world.order(amount);
                let (bank, sent) = (world.bank.clone(), order.clone());
                let task = tokio::spawn(async move { bank.place(&sent, None).await });
                for _ in 0..steps {
                    tokio::task::yield_now().await;
                }
                task.abort();
                let _ = task.await;
                world.reopen().await;
                orders.push(order);
            }
        }
    }
    let (mut paid, mut rows) = (0, 0);
    for order in &orders {
        let state = match world.state(order.id).await {
            // A duplicate reply comes once more; what is asked again is answered as it is.
            Some(OrderState::Pending) => world.state(order.id).await,
            state => state,
        };
        rows += match state {
            Some(OrderState::Done { .. }) => 1,
            Some(OrderState::Reversed { .. }) => 2,
            _ => 0,
        };
        if is_done(&state) {
            paid += order.wallet.get();
        }
    }
    assert_eq!(world.balance("school").await, paid);
    assert_eq!(world.balance(&world.wallet()).await, 50_000 - paid);
    assert_eq!(world.console("").await["total"], total);
    assert_eq!(world.today("admin/bank").await.as_array().unwrap().len(), rows);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn whatever_happens_money_in_is_money_out(moves in proptest::collection::vec(moves(), 1..16)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(play(moves));
    }
}
