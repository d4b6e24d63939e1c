//! Mandates: what they allow, and until when.

use super::*;

const DAY_MS: i64 = 24 * 60 * 60_000;

struct Mandate<'a> {
    world: &'a World,
    id: Uuid,
}

impl<'a> Mandate<'a> {
    fn path(&self) -> String {
        format!("bank/customers/{}/mandates/{}", self.world.customer, self.id)
    }

    /// Gives one for orders of 2,000 and 5,000 a day, sealed to this amount.
    async fn give(world: &'a World, password: &str, sealed: i64) -> (Self, u16, Value) {
        let mandate = Self {
            world,
            id: Uuid::new_v4(),
        };
        let password = world.seal(Field::Password, mandate.id, sealed, password);
        let body = json!({"single": 2_000, "day": 5_000, "password": password});
        let (status, body) = world.call("PUT", &mandate.path(), &body).await;
        (mandate, status, body)
    }

    async fn given(world: &'a World) -> Self {
        let (mandate, status, _) = Self::give(world, PASSWORD, 5_000).await;
        assert_eq!(status, 204);
        mandate
    }

    fn order(&self, amount: i64) -> Order {
        Order {
            authority: Authority::Mandate { mandate: self.id },
            ..self.world.order(amount)
        }
    }

    /// Why an order of this amount is refused, if it is.
    async fn try_order(&self, amount: i64) -> Option<RefusalReason> {
        self.place(&self.order(amount), None).await
    }

    async fn place(&self, order: &Order, fault: Option<&str>) -> Option<RefusalReason> {
        match self.world.place(order, fault).await.unwrap() {
            OrderState::Refused { refusal } => Some(refusal.reason),
            _ => None,
        }
    }

    async fn end(&self) {
        let (status, _) = self.world.call("DELETE", &self.path(), &Value::Null).await;
        assert_eq!(status, 204);
    }
}

#[tokio::test]
async fn it_moves_money_to_the_school_without_the_password_within_its_limits() {
    let world = World::new().await;
    let mandate = Mandate::given(&world).await;
    assert_eq!(mandate.try_order(2_001).await, Some(RefusalReason::BankLimit));
    assert_eq!(mandate.try_order(2_000).await, None);
    assert_eq!(mandate.try_order(2_000).await, None);
    assert_eq!(mandate.try_order(1_001).await, Some(RefusalReason::BankLimit));
    assert_eq!(mandate.try_order(1_000).await, None);
    assert_eq!(mandate.try_order(1).await, Some(RefusalReason::BankLimit));
    assert_eq!(world.balance("school").await, 5_000);
    world.clock.shift(DAY_MS).unwrap();
    assert_eq!(mandate.try_order(2_000).await, None);
}

#[tokio::test]
async fn the_same_order_counts_once_and_a_refused_or_returned_one_not_at_all() {
    let world = World::new().await;
    let mandate = Mandate::given(&world).await;
    let order = mandate.order(2_000);
    for _ in 0..3 {
        assert_eq!(mandate.place(&order, None).await, None);
    }
    let refused = mandate
        .place(&mandate.order(2_000), Some("refused-before-debit"))
        .await;
    assert_eq!(refused, Some(RefusalReason::BankRefused));
    let back = format!("bank/orders/{}/refund", order.id);
    assert_eq!(world.call("POST", &back, &Value::Null).await.0, 200);
    for _ in 0..2 {
        assert_eq!(mandate.try_order(2_000).await, None);
    }
    assert_eq!(mandate.try_order(2_000).await, Some(RefusalReason::BankLimit));
    assert_eq!(world.balance("school").await, 4_000);
}

#[tokio::test]
async fn an_order_that_is_not_decided_counts() {
    let world = World::new().await;
    let mandate = Mandate::given(&world).await;
    for _ in 0..2 {
        assert_eq!(
            mandate.place(&mandate.order(2_000), Some("late-callback")).await,
            None
        );
    }
    assert_eq!(mandate.try_order(2_000).await, Some(RefusalReason::BankLimit));
}

#[tokio::test]
async fn nothing_but_a_live_mandate_of_the_customer_moves_money_and_only_to_the_school() {
    let world = World::new().await;
    let card = world.bound_card().await;
    let mandate = Mandate::given(&world).await;
    let unusable = Some(RefusalReason::MandateUnusable);
    let unknown = Mandate {
        world: &world,
        id: Uuid::new_v4(),
    };
    assert_eq!(unknown.try_order(100).await, unusable);
    let onto_card = Order {
        direction: OrderDirection::OntoCard,
        card_amount: Fen::new(100),
        card: Some(card),
        ..mandate.order(100)
    };
    assert_eq!(mandate.place(&onto_card, None).await, unusable);
    let of_another = Order {
        customer: Uuid::new_v4(),
        ..mandate.order(100)
    };
    assert_eq!(mandate.place(&of_another, None).await, unusable);
    mandate.end().await;
    mandate.end().await;
    assert_eq!(mandate.try_order(100).await, unusable);
    assert_eq!(world.balance("school").await, 0);
}

#[tokio::test]
async fn it_is_given_once_with_the_password_sealed_to_its_cap() {
    let world = World::new().await;
    for (password, sealed, reason) in [
        (PASSWORD, 4_999, "seal_refused"),
        ("739104", 5_000, "password_wrong"),
    ] {
        let (mandate, status, refusal) = Mandate::give(&world, password, sealed).await;
        assert_eq!((status, &refusal["reason"]), (422, &json!(reason)));
        assert_eq!(mandate.try_order(100).await, Some(RefusalReason::MandateUnusable));
    }
    let id = Uuid::new_v4();
    let mandate = Mandate { world: &world, id };
    let password = world.seal(Field::Password, id, 5_000, PASSWORD);
    let body = json!({"single": 2_000, "day": 5_000, "password": password});
    for _ in 0..2 {
        assert_eq!(world.call("PUT", &mandate.path(), &body).await.0, 204);
    }
    mandate.end().await;
    // What was answered is answered again, and changes nothing.
    assert_eq!(world.call("PUT", &mandate.path(), &body).await.0, 204);
    assert_eq!(mandate.try_order(100).await, Some(RefusalReason::MandateUnusable));
}

#[tokio::test]
async fn it_ends_with_the_wallet() {
    let mut world = World::without_wallet().await;
    world.open_wallet().await;
    let id = Mandate::given(&world).await.id;
    let operation = Uuid::new_v4();
    let password = world.seal(Field::Password, operation, 0, PASSWORD);
    let path = format!("bank/customers/{}/close", world.customer);
    let body = json!({"operation": operation, "password": password});
    assert_eq!(world.call("POST", &path, &body).await.0, 204);
    world.open_wallet().await;
    world.grant(5_000).await;
    let mandate = Mandate { world: &world, id };
    assert_eq!(mandate.try_order(100).await, Some(RefusalReason::MandateUnusable));
}
