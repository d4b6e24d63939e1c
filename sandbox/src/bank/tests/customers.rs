//! Wallets, passwords and cards.

use super::*;

async fn try_to_pay(world: &World, password: &str) -> Refusal {
    let mut order = world.order(100);
    world.reseal(&mut order, password);
    match world.place(&order, None).await.unwrap() {
        OrderState::Refused { refusal } => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_third_wrong_password_locks_it_for_half_an_hour_also_over_a_restart() {
    let mut world = World::new().await;
    for left in [2, 1] {
        let refusal = try_to_pay(&world, "739104").await;
        assert_eq!(
            (refusal.reason, refusal.tries_left),
            (RefusalReason::PasswordWrong, Some(left))
        );
    }
    let locked = try_to_pay(&world, "739104").await;
    assert_eq!(locked.reason, RefusalReason::PasswordLocked);
    world.reopen().await;
    let again = try_to_pay(&world, PASSWORD).await;
    assert_eq!(
        (again.reason, again.until),
        (RefusalReason::PasswordLocked, locked.until)
    );
    world.clock.shift(password::LOCK_MS).unwrap();
    assert!(is_done(&world.place(&world.order(100), None).await));
}

#[tokio::test]
async fn a_wrong_password_that_is_sent_again_is_one_wrong_try() {
    let world = World::new().await;
    let mut order = world.order(100);
    world.reseal(&mut order, "739104");
    let first = world.place(&order, None).await;
    assert_eq!(world.place(&order, None).await, first);
    assert_eq!(try_to_pay(&world, "739104").await.tries_left, Some(1));
}

#[tokio::test]
async fn a_wallet_with_a_weak_password_is_not_opened() {
    let world = World::without_wallet().await;
    for weak in ["111111", "123456", "050412"] {
        let (status, refusal) = world.open_with(weak).await;
        assert_eq!(
            (status, &refusal["reason"]),
            (422, &json!("password_weak")),
            "{weak}"
        );
    }
    world.open_wallet().await;
}

#[tokio::test]
async fn a_card_is_bound_with_the_code_that_came_and_no_other() {
    let world = World::new().await;
    let (_, status, refusal) = world.begin_card("9900100000000010372", "19900000002").await;
    assert_eq!((status, &refusal["reason"]), (422, &json!("identity_mismatch")));
    let (card, _, challenge) = world.begin_card("9900200000000050534", "19900000001").await;
    assert_eq!(challenge["tail"], "0534");
    assert_eq!(challenge["phone_masked"], "199****0001");
    let code = world.last_code().await;
    let wrong = if code == "739104" { "739105" } else { "739104" };
    let (status, refusal) = world.confirm(card, wrong).await;
    assert_eq!(
        (status, &refusal["reason"], &refusal["tries_left"]),
        (422, &json!("code_wrong"), &json!(2))
    );
    assert_eq!(world.confirm(card, &code).await.0, 204);
    assert_eq!(
        world.confirm(card, &code).await.1["reason"],
        "code_expired",
        "a code is used once"
    );
    let path = format!("bank/customers/{}/cards/{card}", world.customer);
    assert_eq!(world.call("DELETE", &path, &Value::Null).await.0, 204);
    let order = Order {
        wallet: Fen::ZERO,
        card_amount: Fen::new(100),
        card: Some(card),
        ..world.order(100)
    };
    assert_eq!(
        reason(&world.place(&order, None).await.unwrap()),
        Some(RefusalReason::CardUnusable)
    );
}

#[tokio::test]
async fn a_password_is_checked_once_for_a_request_however_often_it_comes() {
    let world = World::new().await;
    let path = format!("bank/customers/{}/password/check", world.customer);
    let check = |password: &str| {
        let operation = Uuid::new_v4();
        json!({"operation": operation, "password": world.seal(Field::Password, operation, 0, password)})
    };
    assert_eq!(world.call("POST", &path, &check(PASSWORD)).await.0, 204);
    let wrong = check("918273");
    for _ in 0..4 {
        let (status, refusal) = world.call("POST", &path, &wrong).await;
        assert_eq!(
            (status, &refusal["reason"], &refusal["tries_left"]),
            (422, &json!("password_wrong"), &json!(2)),
            "sent again, it is one try"
        );
    }
    let moves_money = Uuid::new_v4();
    let sealed_for_more = world.seal(Field::Password, moves_money, 100, PASSWORD);
    let body = json!({"operation": moves_money, "password": sealed_for_more});
    let (status, refusal) = world.call("POST", &path, &body).await;
    assert_eq!((status, &refusal["reason"]), (422, &json!("seal_refused")));
}

#[tokio::test]
async fn a_code_is_good_for_five_minutes_and_three_tries() {
    let world = World::new().await;
    let (card, _, _) = world.begin_card("9900100000000010372", "19900000001").await;
    let code = world.last_code().await;
    let wrong = if code == "739104" { "739105" } else { "739104" };
    for _ in 0..3 {
        world.confirm(card, wrong).await;
    }
    assert_eq!(world.confirm(card, &code).await.1["reason"], "code_expired");
    let (card, _, _) = world.begin_card("9900100000000010372", "19900000001").await;
    let code = world.last_code().await;
    world.clock.shift(5 * 60_000).unwrap();
    assert_eq!(world.confirm(card, &code).await.1["reason"], "code_expired");
}

#[tokio::test]
async fn a_password_is_changed_with_the_old_one_or_with_the_identity() {
    let world = World::new().await;
    let path = format!("bank/customers/{}/password", world.customer);
    let change = async |by: &str, with: &str, new: &str| {
        let operation = Uuid::new_v4();
        let (name, field) = match by {
            "old" => ("old", Field::Password),
            _ => ("identity", Field::Identity),
        };
        let body = json!({
            "operation": operation, "by": by, name: world.seal(field, operation, 0, with),
            "new": world.seal(Field::NewPassword, operation, 0, new),
        });
        let first = world.call("PUT", &path, &body).await;
        assert_eq!(
            world.call("PUT", &path, &body).await,
            first,
            "once, and the same answer again"
        );
        first
    };
    assert_eq!(change("old", "739104", "384756").await.1["tries_left"], 2);
    assert_eq!(
        change("old", PASSWORD, "222222").await.1["reason"],
        "password_weak"
    );
    assert_eq!(change("old", PASSWORD, "384756").await.0, 204);
    assert_eq!(
        try_to_pay(&world, PASSWORD).await.reason,
        RefusalReason::PasswordWrong
    );
    let stranger = json!({"name": "王芳", "id_number": "990101200601231232"}).to_string();
    assert_eq!(
        change("identity", &stranger, PASSWORD).await.1["reason"],
        "identity_mismatch"
    );
    let holder = json!({"name": "李明", "id_number": "990101200504121103"}).to_string();
    assert_eq!(change("identity", &holder, PASSWORD).await.0, 204);
    assert!(is_done(&world.place(&world.order(100), None).await));
}

#[tokio::test]
async fn a_wallet_is_closed_only_when_it_is_empty_and_can_be_opened_again() {
    let world = World::new().await;
    let close = async || {
        let operation = Uuid::new_v4();
        let body =
            json!({"operation": operation, "password": world.seal(Field::Password, operation, 0, PASSWORD)});
        world
            .call("POST", &format!("bank/customers/{}/close", world.customer), &body)
            .await
    };
    assert_eq!(close().await.1["reason"], "bank_refused");
    assert!(is_done(&world.place(&world.order(50_000), None).await));
    assert_eq!(close().await.0, 204);
    assert_eq!(close().await.0, 204, "whoever did not hear of it asks anew");
    assert_eq!(
        try_to_pay(&world, PASSWORD).await.reason,
        RefusalReason::WalletUnusable
    );
    world.open_wallet().await;
}

#[tokio::test]
async fn opening_an_open_wallet_anew_sets_the_password_and_moves_nothing() {
    let world = World::new().await;
    world.bound_card().await;
    assert!(is_done(&world.place(&world.order(100), None).await));
    assert_eq!(world.open_with("739104").await.0, 204);
    assert_eq!(
        try_to_pay(&world, PASSWORD).await.reason,
        RefusalReason::PasswordWrong
    );
    let mut order = world.order(100);
    world.reseal(&mut order, "739104");
    assert!(is_done(&world.place(&order, None).await));
}

#[tokio::test]
async fn no_secret_is_in_the_bank_s_files() {
    let world = World::new().await;
    world.bound_card().await;
    world.place(&world.order(100), None).await;
    let folder = world.folder.path().join("bank");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in [PASSWORD, "990101200504121103", "9900100000000010372", "李明"] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
    }
}
