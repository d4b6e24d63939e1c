//! Accounts and bills through the router.

use crate::testing::TestPlatform;
use axum::http::Method;
use uuid::Uuid;
use yika_api::account::{AccountList, LowBalance};
use yika_api::payment::{PaymentKind, PaymentPage};
use yika_api::{Fen, ProblemCode};

#[tokio::test]
async fn queries_that_are_no_page_of_the_feed_are_refused() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    for query in ["after=x", "after=-1", "limit=0", "limit=501", "limit=x"] {
        let reply = phone.get(&format!("/v1/payments?{query}")).await;
        assert_eq!(reply.problem().code, ProblemCode::InvalidRequest, "{query}");
    }
}

#[tokio::test]
async fn a_holder_sees_only_own_accounts_in_the_order_of_slots() {
    let campus = TestPlatform::open().await;
    let lists: Vec<AccountList> = [
        campus.bind("20260001").await.get("/v1/accounts").await.ok(),
        campus.bind("20260002").await.get("/v1/accounts").await.ok(),
    ]
    .into();
    for list in &lists {
        assert_eq!(
            list.accounts
                .iter()
                .map(|account| account.slot)
                .collect::<Vec<_>>(),
            [1, 2]
        );
        assert!(
            list.accounts
                .iter()
                .all(|account| account.balance.amount == Fen::new(10_000))
        );
    }
    assert!(
        lists[0]
            .accounts
            .iter()
            .all(|a| lists[1].accounts.iter().all(|b| a.id != b.id))
    );
}

#[tokio::test]
async fn a_low_balance_is_remembered_for_one_account_of_the_holders_own() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let before: AccountList = phone.get("/v1/accounts").await.ok();
    let path = format!("/v1/accounts/{}/low-balance", before.accounts[0].id);
    let below = |amount| LowBalance {
        below: Some(Fen::new(amount)),
    };
    let (key, first) = (Uuid::new_v4(), below(2_000));
    let told: AccountList = phone.named((Method::PUT, &path), key, &first).await.ok();
    let thresholds = |list: &AccountList| list.accounts.iter().map(|a| a.low_below).collect::<Vec<_>>();
    assert_eq!(thresholds(&told), [Some(Fen::new(2_000)), None]);
    let none = LowBalance { below: None };
    phone
        .named((Method::PUT, &path), Uuid::new_v4(), &none)
        .await
        .ok::<AccountList>();
    let again: AccountList = phone.named((Method::PUT, &path), key, &first).await.ok();
    assert_eq!(again, told, "the reply of then");
    let now: AccountList = phone.get("/v1/accounts").await.ok();
    assert_eq!(thresholds(&now), [None, None], "and nothing is set anew");
    let conflict = phone.named((Method::PUT, &path), key, &below(1)).await;
    assert_eq!(conflict.problem().code, ProblemCode::IdempotencyConflict);
    for amount in [0, -1, 10_000_001, i64::MAX, i64::MIN] {
        let refused = phone
            .named((Method::PUT, &path), Uuid::new_v4(), &below(amount))
            .await;
        assert_eq!(refused.problem().code, ProblemCode::AmountOutOfRange, "{amount}");
    }
    let stranger = campus.bind("20260002").await;
    let refused = stranger
        .named((Method::PUT, &path), Uuid::new_v4(), &below(1))
        .await;
    assert_eq!(refused.problem().code, ProblemCode::NotFound);
    campus.clock.advance(86_400_000);
    let late = phone.named((Method::PUT, &path), Uuid::new_v4(), &below(1)).await;
    assert_eq!(late.problem().code, ProblemCode::SessionExpired);
}

#[tokio::test]
async fn each_deposit_raises_balance_and_version_and_appears_as_a_bill() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    let before: AccountList = phone.get("/v1/accounts").await.ok();
    campus
        .platform
        .admin()
        .fund("20260001", 1, Fen::new(250))
        .await
        .unwrap();
    let after: AccountList = phone.get("/v1/accounts").await.ok();
    assert_eq!(after.accounts[0].balance.amount, Fen::new(10_250));
    assert_eq!(
        after.accounts[0].balance.version,
        before.accounts[0].balance.version + 1
    );
    assert_eq!(after.accounts[1].balance, before.accounts[1].balance);
    let page: PaymentPage = phone.get("/v1/payments").await.ok();
    let last = page.payments.last().unwrap();
    assert_eq!(
        (last.kind, last.amount, last.account_id),
        (PaymentKind::Deposit, Fen::new(250), after.accounts[0].id)
    );
}

#[tokio::test]
async fn the_feed_goes_on_where_the_cursor_stands() {
    let campus = TestPlatform::open().await;
    let phone = campus.bind("20260001").await;
    for amount in 1..=4 {
        campus
            .platform
            .admin()
            .fund("20260001", 1, Fen::new(amount))
            .await
            .unwrap();
    }
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::from("0"), 0);
    loop {
        let page: PaymentPage = phone
            .get(&format!("/v1/payments?after={cursor}&limit=4"))
            .await
            .ok();
        seen.extend(page.payments.iter().map(|payment| payment.amount.get()));
        (cursor, pages) = (page.cursor, pages + 1);
        if !page.more {
            break;
        }
    }
    assert_eq!((seen, pages), (vec![10_000, 10_000, 1, 2, 3, 4], 2));
    let empty: PaymentPage = phone.get(&format!("/v1/payments?after={cursor}")).await.ok();
    assert_eq!((empty.payments.len(), empty.cursor), (0, cursor.clone()));
    campus
        .platform
        .admin()
        .fund("20260001", 2, Fen::new(9))
        .await
        .unwrap();
    let next: PaymentPage = phone.get(&format!("/v1/payments?after={cursor}")).await.ok();
    assert_eq!(next.payments.len(), 1);
}

#[tokio::test]
async fn the_card_office_cannot_book_nothing_or_to_nobody() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    for (number, slot, amount) in [
        ("nobody", 1, 5),
        ("20260001", 8, 5),
        ("20260001", 0, 5),
        ("20260001", 1, 0),
    ] {
        assert!(
            admin.fund(number, slot, Fen::new(amount)).await.is_err(),
            "{number} {slot} {amount}"
        );
    }
    assert!(admin.set_balance("20260001", 1, Fen::new(-1)).await.is_err());
    assert_eq!(admin.books().await.unwrap().grand_sum, Fen::ZERO);
}

#[tokio::test]
async fn a_balance_that_is_set_is_booked_as_the_difference() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    for target in [0, 7, 12_345, 12_345] {
        admin.set_balance("20260001", 1, Fen::new(target)).await.unwrap();
        let holders = admin.holders().await.unwrap();
        assert_eq!(holders[0].accounts[0].balance.amount, Fen::new(target));
        let books = admin.books().await.unwrap();
        assert_eq!(books.grand_sum, Fen::ZERO);
        assert!(books.accounts.iter().all(|total| total.sum == total.postings));
    }
}
