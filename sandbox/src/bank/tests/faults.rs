//! Each of the nine faults, and what is left of it.

use super::*;

#[tokio::test]
async fn refused_before_debit_moves_nothing_and_stays_refused() {
    let mut world = World::new().await;
    let order = world.order(5_000);
    let told = world.place(&order, Some("refused-before-debit")).await.unwrap();
    assert_eq!(reason(&told), Some(RefusalReason::BankRefused));
    assert_eq!(world.place(&order, None).await, Some(told.clone()));
    assert_eq!(world.notice().await.state, told);
    assert_eq!(world.balance("school").await, 0);
}

#[tokio::test]
async fn a_time_out_before_debit_leaves_the_bank_without_a_trace_of_the_order() {
    let world = World::new().await;
    let order = world.order(5_000);
    assert_eq!(world.place(&order, Some("timeout-before-debit")).await, None);
    assert_eq!(world.state(order.id).await, None);
    assert!(is_done(&world.place(&order, None).await));
    assert_eq!(world.balance("school").await, 5_000);
}

#[tokio::test]
async fn a_time_out_after_debit_is_found_out_by_asking() {
    let world = World::new().await;
    let order = world.order(5_000);
    assert_eq!(world.place(&order, Some("timeout-after-debit")).await, None);
    let state = world.state(order.id).await;
    assert!(is_done(&state));
    assert_eq!(world.place(&order, None).await, state);
    assert_eq!(world.balance("school").await, 5_000);
}

#[tokio::test]
async fn a_duplicate_reply_is_old_by_the_time_it_comes() {
    let world = World::new().await;
    let order = world.order(5_000);
    let pending = Some(OrderState::Pending);
    assert_eq!(world.place(&order, Some("duplicate-reply")).await, pending);
    assert_eq!(world.balance("school").await, 5_000);
    assert_eq!(world.state(order.id).await, pending);
    assert!(is_done(&world.state(order.id).await));
}

#[tokio::test]
async fn a_duplicate_callback_says_the_same_twice() {
    let mut world = World::new().await;
    let order = world.order(5_000);
    assert!(is_done(&world.place(&order, Some("duplicate-callback")).await));
    assert_eq!(world.notice().await, world.notice().await);
    assert_eq!(world.balance("school").await, 5_000);
}

#[tokio::test]
async fn a_late_callback_waits_for_the_console() {
    let mut world = World::new().await;
    let order = world.order(5_000);
    assert_eq!(
        world.place(&order, Some("late-callback")).await,
        Some(OrderState::Pending)
    );
    assert_eq!(world.balance("school").await, 0);
    world.reopen().await;
    assert_eq!(world.settle().await, 1);
    assert!(is_done(&Some(world.notice().await.state)));
    assert_eq!(world.balance("school").await, 5_000);
    assert_eq!(world.settle().await, 0);
}

#[tokio::test]
async fn a_late_order_that_was_called_off_is_never_carried_out() {
    let world = World::new().await;
    let order = world.order(5_000);
    world.place(&order, Some("late-callback")).await;
    assert_eq!(
        reason(&world.end(order.id, "cancel").await),
        Some(RefusalReason::TimedOut)
    );
    assert_eq!(world.settle().await, 0);
    assert_eq!(world.balance("school").await, 0);
}

#[tokio::test]
async fn a_callback_before_the_reply_is_there_when_the_reply_is() {
    let mut world = World::new().await;
    let order = world.order(5_000);
    let told = world.place(&order, Some("callback-before-reply")).await;
    let notice = world.notices.try_recv().unwrap();
    assert_eq!(Some(world.read(&notice).state), told);
}

#[tokio::test]
async fn a_success_is_taken_back_when_the_console_says_so() {
    let mut world = World::new().await;
    let order = world.order(5_000);
    assert!(is_done(&world.place(&order, Some("success-then-reversal")).await));
    assert!(is_done(&Some(world.notice().await.state)));
    assert_eq!(world.settle().await, 1);
    assert!(matches!(world.notice().await.state, OrderState::Reversed { .. }));
    assert_eq!(world.balance("school").await, 0);
    let rows = world.today("bank").await;
    let reversals: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["is_reversal"].clone())
        .collect();
    assert_eq!(reversals, [false, true]);
}

#[tokio::test]
async fn the_statement_leaves_out_adds_and_changes_rows_as_it_is_told() {
    let world = World::new().await;
    let orders = [
        world.order(100),
        world.order(200),
        world.order(300),
        world.order(400),
    ];
    let faults = [
        None,
        Some("statement-missing"),
        Some("statement-extra"),
        Some("statement-different"),
    ];
    for (order, fault) in orders.iter().zip(faults) {
        assert!(is_done(&world.place(order, fault).await));
    }
    let amounts = |rows: &Value| -> Vec<i64> {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["wallet"].as_i64().unwrap()).collect()
    };
    assert_eq!(amounts(&world.today("admin/bank").await), [100, 200, 300, 400]);
    let file = world.today("bank").await;
    assert_eq!(amounts(&file), [100, 300, 300, 401]);
    assert_ne!(file[1]["id"], file[2]["id"]);
    assert_eq!(
        world.call("GET", "bank/statements/today", &Value::Null).await.0,
        404
    );
}

#[tokio::test]
async fn the_console_plans_faults_by_number_and_by_order() {
    let world = World::new().await;
    let plan = async |body: Value| world.call("PUT", "admin/bank/fault", &body).await;
    let [first, second, third, named] = [world.order(1), world.order(2), world.order(3), world.order(4)];
    plan(json!({"fault": "timeout-after-debit", "order": named.id})).await;
    plan(json!({"fault": "timeout-before-debit", "count": 2})).await;
    assert_eq!(world.place(&first, None).await, None);
    assert_eq!(world.place(&named, None).await, None);
    assert!(is_done(&world.state(named.id).await), "a plan of its own");
    assert_eq!(world.console("/fault").await["count"], 1);
    assert_eq!(world.place(&second, None).await, None);
    assert!(is_done(&world.place(&third, None).await));
    assert_eq!(plan(json!({"fault": "sunshine"})).await.0, 422);
    let unknown = call(world.address, ("POST", "bank/orders"), &first, Some("sunshine")).await;
    assert_eq!(unknown.unwrap().0, 400);
}
