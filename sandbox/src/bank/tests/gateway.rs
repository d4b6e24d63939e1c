//! The platform's own client against the bank, over loopback: every message, and every way of not being answered.

use super::*;
use std::time::Duration;
use yika_api::bank::{CardCode, CloseCustomer, NewCard, OpenCustomer, SetPassword};
use yika_api::wallet::ChangePassword;
use yika_platform::{BankConfig, BankError as Answer, BankGateway as _, HttpBank};

fn gateway(world: &World, address: SocketAddr, timeout: Duration) -> HttpBank {
    HttpBank::new(&BankConfig {
        url: format!("http://{address}/sandbox/bank").parse().unwrap(),
        timeout,
        root: *world.bank.0.keys.root(),
    })
    .unwrap()
}

const PATIENT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn the_platforms_client_and_the_bank_understand_each_other_in_every_message() {
    let mut world = World::without_wallet().await;
    let (customer, bank) = (world.customer, gateway(&world, world.address, PATIENT));
    let certificate = bank.key().await.unwrap();
    assert_eq!(KnownKeys::open(&certificate, bank.root()), Ok(world.keys));

    let operation = Uuid::new_v4();
    let identity = json!({"name": "李明", "id_number": "990101200504121103"}).to_string();
    let opening = OpenCustomer {
        operation,
        customer,
        identity: world.seal(Field::Identity, operation, 0, &identity),
        password: world.seal(Field::Password, operation, 0, PASSWORD),
    };
    assert_eq!(bank.open_customer(&opening).await, Ok(()));
    assert_eq!(bank.open_customer(&opening).await, Ok(()), "the same again");

    let card = Uuid::new_v4();
    let data = json!({"number": "9900100000000010372", "name": "李明",
        "id_number": "990101200504121103", "phone": "19900000001"});
    let new_card = NewCard {
        operation: card,
        card: world.seal(Field::Card, card, 0, &data.to_string()),
    };
    let challenge = bank.begin_card(customer, &new_card).await.unwrap();
    assert_eq!((challenge.tail.as_str(), challenge.tries_left), ("0372", 3));
    let right = world.last_code().await;
    let wrong = format!("{:06}", (right.parse::<u32>().unwrap() + 1) % 1_000_000);
    for (code, reason) in [(wrong, Some(RefusalReason::CodeWrong)), (right, None)] {
        let operation = Uuid::new_v4();
        let code = CardCode {
            operation,
            code: world.seal(Field::Code, operation, 0, &code),
        };
        let refused = match bank.confirm_card(customer, card, &code).await {
            Err(Answer::Refused(refusal)) => Some(refusal.reason),
            other => other.map(|()| None).unwrap(),
        };
        assert_eq!(refused, reason);
    }

    let recharge = Order {
        direction: OrderDirection::IntoWallet,
        card_amount: Fen::new(700),
        card: Some(card),
        ..world.order(700)
    };
    let done = bank.submit(&recharge).await.unwrap();
    assert!(is_done(&Some(done.clone())));
    assert_eq!(bank.query(recharge.id).await, Ok(Some(done.clone())));
    assert_eq!(bank.call_off(recharge.id).await, Ok(Some(done)), "too late");
    assert!(matches!(
        bank.give_back(recharge.id).await,
        Ok(Some(OrderState::Reversed { .. }))
    ));
    let unknown = Uuid::new_v4();
    assert_eq!(bank.query(unknown).await, Ok(None));
    let called_off = bank.call_off(unknown).await.unwrap().unwrap();
    assert_eq!(reason(&called_off), Some(RefusalReason::TimedOut));
    assert!(is_done(&Some(world.notice().await.state)), "and it tells unasked");

    let operation = Uuid::new_v4();
    let change = SetPassword {
        operation,
        change: ChangePassword::Old {
            old: world.seal(Field::Password, operation, 0, PASSWORD),
            new: world.seal(Field::NewPassword, operation, 0, "739104"),
        },
    };
    assert_eq!(bank.set_password(customer, &change).await, Ok(()));
    assert_eq!(bank.unbind_card(customer, card).await, Ok(()));
    let again = bank.submit(&recharge_of(&world, card)).await.unwrap();
    assert_eq!(reason(&again), Some(RefusalReason::PasswordWrong));
    let operation = Uuid::new_v4();
    let closing = CloseCustomer {
        operation,
        password: world.seal(Field::Password, operation, 0, "739104"),
    };
    assert_eq!(bank.close_customer(customer, &closing).await, Ok(()));
}

/// A recharge under the password of the beginning.
fn recharge_of(world: &World, card: Uuid) -> Order {
    Order {
        direction: OrderDirection::IntoWallet,
        card_amount: Fen::new(100),
        card: Some(card),
        ..world.order(100)
    }
}

#[tokio::test]
async fn certainly_not_sent_is_told_from_perhaps_sent_and_refused() {
    let world = World::new().await;
    let bank = gateway(&world, world.address, PATIENT);
    let order = world.order(1_000);
    for (fault, answer, then) in [
        ("timeout-before-debit", Answer::Silent, None),
        ("timeout-after-debit", Answer::Silent, Some(true)),
    ] {
        let order = world.order(1_000);
        world.plan(fault, order.id).await;
        assert_eq!(bank.submit(&order).await, Err(answer), "{fault}");
        let state = bank.query(order.id).await.unwrap();
        assert_eq!(state.map(|state| is_done(&Some(state))), then, "{fault}");
    }
    let broken = Router::new().fallback(async || axum::http::StatusCode::BAD_GATEWAY);
    let proxy = gateway(&world, listen(broken).await, PATIENT);
    assert_eq!(proxy.submit(&order).await, Err(Answer::Silent));
    let deaf = Router::new().fallback(async || std::future::pending::<()>().await);
    let deaf = gateway(&world, listen(deaf).await, Duration::from_millis(1));
    assert_eq!(deaf.submit(&order).await, Err(Answer::Silent), "its time is over");
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    let gone = gateway(&world, address, PATIENT);
    assert_eq!(gone.submit(&order).await, Err(Answer::Unreachable));
    assert_eq!(bank.query(order.id).await, Ok(None), "none of them got through");
}

#[tokio::test]
async fn what_customers_ask_for_meets_the_first_three_faults_where_it_is_named() {
    let world = World::without_wallet().await;
    let bank = gateway(&world, world.address, PATIENT);
    let opening_as = |operation: Uuid, name: &str, id_number: &str| OpenCustomer {
        operation,
        customer: world.customer,
        identity: world.seal(
            Field::Identity,
            operation,
            0,
            &json!({"name": name, "id_number": id_number}).to_string(),
        ),
        password: world.seal(Field::Password, operation, 0, PASSWORD),
    };
    let opening = |operation| opening_as(operation, "李明", "990101200504121103");
    world.plan_for_all("timeout-before-debit").await;
    let (refused, lost, late) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    world.plan("refused-before-debit", refused).await;
    world.plan("timeout-before-debit", lost).await;
    world.plan("timeout-after-debit", late).await;
    let first = opening(refused);
    for _ in 0..2 {
        let answer = bank.open_customer(&first).await;
        assert!(matches!(answer, Err(Answer::Refused(_))), "{answer:?}");
    }
    assert_eq!(bank.open_customer(&opening(lost)).await, Err(Answer::Silent));
    let last = opening(late);
    assert_eq!(bank.open_customer(&last).await, Err(Answer::Silent));
    assert_eq!(bank.open_customer(&last).await, Ok(()), "it was done");
    let again = bank.open_customer(&opening(Uuid::new_v4())).await;
    assert_eq!(again, Ok(()), "who did not hear of it asks anew");
    let other = opening_as(Uuid::new_v4(), "王芳", "990101200601231232");
    let other = bank.open_customer(&other).await;
    assert!(matches!(other, Err(Answer::Refused(_))), "it is another's");
}
