//! Balances and bills over bad networks, lost caches and many rows.

use super::*;
use crate::CampusCard;
use crate::testing::platform::{Fault, MAIN, SUBSIDY, account, payment};
use crate::testing::{FakeClock, TestPhone, block_on};
use crate::wallet::MoneyReason;
use std::fs;
use uuid::Uuid;
use yika_api::{Fen, ProblemCode, UnixMillis};

const START: UnixMillis = FakeClock::START;

fn balances(card: &CampusCard) -> Vec<Option<i64>> {
    let accounts = block_on(card.accounts().list()).unwrap();
    accounts
        .iter()
        .map(|account| account.balance.map(|balance| balance.amount.get()))
        .collect()
}

fn bills(card: &CampusCard, query: BillQuery, limit: u16) -> BillPage {
    block_on(card.bills().page(query, limit)).unwrap()
}

fn numbers(page: &BillPage) -> Vec<u128> {
    page.bills.iter().map(|bill| bill.id.as_u128()).collect()
}

#[test]
fn without_a_card_there_are_no_accounts_and_no_bills() {
    let card = TestPhone::new().open();
    assert_eq!(block_on(card.accounts().list()), Err(CoreError::NotBound));
    assert_eq!(
        block_on(card.bills().page(BillQuery::default(), 10)),
        Err(CoreError::NotBound)
    );
}

#[test]
fn an_older_answer_never_replaces_a_newer_balance() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.platform.campus().accounts = vec![account(MAIN, 1, 700, 5), account(SUBSIDY, 2, 1, 2)];
    block_on(card.synchronise()).unwrap();
    phone.platform.campus().accounts = vec![account(MAIN, 1, 10_000, 4), account(SUBSIDY, 2, 2, 3)];
    block_on(card.synchronise()).unwrap();
    assert_eq!(balances(&card), [Some(700), Some(2)]);
}

#[test]
fn an_account_that_is_gone_is_gone_and_a_swapped_slot_is_no_trouble() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.platform.campus().accounts = vec![account(SUBSIDY, 1, 3, 9), account(MAIN, 2, 4, 9)];
    block_on(card.synchronise()).unwrap();
    assert_eq!(balances(&card), [Some(3), Some(4)]);
    phone.platform.campus().accounts = vec![account(MAIN, 2, 4, 9)];
    block_on(card.synchronise()).unwrap();
    assert_eq!(balances(&card), [Some(4)]);
}

#[test]
fn a_lost_cache_makes_balances_unknown_and_not_zero() {
    let phone = TestPhone::new();
    phone.platform.campus().payments = vec![payment(1, MAIN, START)];
    drop(phone.bound());
    for name in ["cache.db", "cache.db-wal"] {
        // Closing may have emptied the log already.
        let _ = fs::remove_file(phone.folder().join(name));
    }
    fs::write(
        phone.folder().join("cache.db"),
        b"rubbish that is longer than nothing at all",
    )
    .unwrap();
    let card = phone.open();
    assert_eq!(balances(&card), [None, None]);
    block_on(card.synchronise()).unwrap();
    assert_eq!(balances(&card), [Some(10_000), Some(5_000)]);
    assert_eq!(
        numbers(&bills(&card, BillQuery::default(), 10)),
        [1],
        "the feed is followed from its beginning"
    );
}

#[test]
fn bills_come_newest_first_page_by_page_and_without_a_network() {
    let phone = TestPhone::new();
    phone.platform.campus().payments = (1..=8)
        .map(|n| {
            payment(
                n,
                if n % 2 == 0 { MAIN } else { SUBSIDY },
                START.plus_millis(i64::try_from(n / 3).unwrap()),
            )
        })
        .collect();
    drop(phone.bound());
    let card = phone.open();
    let first = bills(&card, BillQuery::default(), 5);
    assert_eq!(numbers(&first), [8, 7, 6, 5, 4]);
    let second = bills(
        &card,
        BillQuery {
            after: first.next,
            ..BillQuery::default()
        },
        5,
    );
    assert_eq!((numbers(&second), second.next), (vec![3, 2, 1], None));
    let whole = bills(&card, BillQuery::default(), 8);
    assert_eq!(
        whole.next, None,
        "a page that ends with the last bill has no next one"
    );
    assert_eq!(whole.as_of, Some(START));
    let main = bills(
        &card,
        BillQuery {
            account: Some(MAIN),
            ..BillQuery::default()
        },
        10,
    );
    assert_eq!(numbers(&main), [8, 6, 4, 2]);
    let range = BillQuery {
        from: Some(START.plus_millis(1)),
        until: Some(START.plus_millis(2)),
        ..BillQuery::default()
    };
    assert_eq!(numbers(&bills(&card, range, 10)), [5, 4, 3]);
}

#[test]
fn a_bill_that_changes_is_one_bill() {
    let phone = TestPhone::new();
    phone.platform.campus().payments = vec![payment(1, MAIN, START), payment(2, MAIN, START)];
    let card = phone.bound();
    let voided = Bill {
        status: BillStatus::Voided,
        amount: Fen::ZERO,
        ..payment(1, MAIN, START)
    };
    phone.platform.campus().payments.push(voided.clone());
    block_on(card.synchronise()).unwrap();
    let page = bills(&card, BillQuery::default(), 10);
    assert_eq!(numbers(&page), [2, 1]);
    assert_eq!(page.bills[1], voided);
}

#[test]
fn a_feed_that_breaks_off_is_followed_on_from_there() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone.platform.campus().payments = (1..=7).map(|n| payment(n, MAIN, START)).collect();
    // The first page of three comes; the second does not.
    let before = phone.platform.count("GET /v1/payments");
    phone.platform.fail("GET /v1/payments", Fault::LoseReply);
    phone
        .platform
        .fail("GET /v1/payments", Fault::Problem(ProblemCode::NotFound));
    assert!(block_on(card.synchronise()).is_err());
    block_on(card.synchronise()).unwrap();
    assert_eq!(
        numbers(&bills(&card, BillQuery::default(), 10)),
        [7, 6, 5, 4, 3, 2, 1]
    );
    assert!(phone.platform.count("GET /v1/payments") - before >= 5);
}

#[test]
fn a_bill_whose_clear_columns_were_changed_is_damage() {
    let phone = TestPhone::new();
    phone.platform.campus().payments = vec![payment(1, MAIN, START)];
    drop(phone.bound());
    for change in [
        "occurred_at = occurred_at + 1",
        "account_id = zeroblob(16)",
        "id = zeroblob(16)",
    ] {
        let card = phone.open();
        block_on(card.synchronise()).unwrap();
        assert_eq!(
            numbers(&bills(&card, BillQuery::default(), 10)),
            [1],
            "before {change}"
        );
        drop(card);
        let raw = rusqlite::Connection::open(phone.folder().join("cache.db")).unwrap();
        raw.execute(&format!("UPDATE bills SET {change}"), []).unwrap();
        drop(raw);
        let card = phone.open();
        assert_eq!(
            numbers(&bills(&card, BillQuery::default(), 10)),
            [],
            "the cache is begun anew after {change}"
        );
    }
}

#[test]
fn a_page_is_found_by_an_index_however_many_bills_there_are() {
    let phone = TestPhone::new();
    let card = phone.bound();
    drop(card);
    let raw = rusqlite::Connection::open(phone.folder().join("cache.db")).unwrap();
    let after = Some(BillCursor {
        occurred_at: START,
        id: Uuid::nil(),
    });
    for query in [
        BillQuery::default(),
        BillQuery {
            after,
            ..BillQuery::default()
        },
        BillQuery {
            account: Some(MAIN),
            after,
            until: Some(START),
            ..BillQuery::default()
        },
    ] {
        let (sql, values) = cache::bills_sql(&query);
        let mut statement = raw.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = statement
            .query_map(rusqlite::params_from_iter(values), |row| row.get("detail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(
            plan.iter()
                .all(|step| step.starts_with("SEARCH bills USING INDEX bills_by_")),
            "{plan:?}"
        );
    }
}

#[test]
fn a_search_finds_by_text_and_kind_whatever_page_it_is_on() {
    let phone = TestPhone::new();
    let mut payments: Vec<Bill> = (1..=9).map(|number| payment(number, MAIN, START)).collect();
    for at in [2, 5, 8] {
        payments[at].merchant.as_mut().unwrap().en = format!("Noodles {at}");
    }
    payments[5].kind = BillKind::LibraryFee;
    phone.platform.campus().payments = payments;
    let card = phone.bound();
    let noodles = BillQuery {
        text: Some(" nOOdles".to_owned()),
        ..BillQuery::default()
    };
    let first = bills(&card, noodles.clone(), 2);
    assert_eq!(numbers(&first), [9, 6]);
    let second = BillQuery {
        after: first.next,
        ..noodles.clone()
    };
    assert_eq!(numbers(&bills(&card, second, 2)), [3]);
    let fees = BillQuery {
        kind: Some(BillKind::LibraryFee),
        ..noodles
    };
    assert_eq!(numbers(&bills(&card, fees, 10)), [6]);
    let reference = BillQuery {
        text: Some("r7".to_owned()),
        ..BillQuery::default()
    };
    assert_eq!(numbers(&bills(&card, reference, 10)), [7]);
}

#[test]
fn a_month_comes_to_what_moved_money() {
    let phone = TestPhone::new();
    let mut payments: Vec<Bill> = (1..=5)
        .map(|number| payment(number, MAIN, START.plus_millis(i64::try_from(number).unwrap())))
        .collect();
    payments[1].status = BillStatus::Voided;
    payments[2].amount = Fen::new(50_000);
    (payments[2].kind, payments[2].merchant) = (BillKind::TopUp, None);
    phone.platform.campus().payments = payments;
    let card = phone.bound();
    let month = BillQuery {
        from: Some(START),
        until: Some(START.plus_millis(5)),
        ..BillQuery::default()
    };
    let summary = block_on(card.bills().summary(month.clone())).unwrap();
    assert_eq!(
        (summary.out, summary.income, summary.count),
        (Fen::new(-2_500), Fen::new(50_000), 3)
    );
    assert_eq!(summary.merchants[0].amount, Fen::new(-2_500));
    assert_eq!(summary.kinds[0].kind, BillKind::Purchase);
    let table = block_on(card.bills().export(month, 28_800)).unwrap();
    assert_eq!(table.lines().count(), 5);
}

#[test]
fn a_dispute_that_reaches_nobody_waits_once_for_its_payment_until_it_is_forgotten() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let bills = card.bills();
    let dispute = |payment: u128, reason, text: &str| {
        block_on(bills.dispute(Uuid::from_u128(payment), reason, text.to_owned()))
    };
    // What can't be said is not written down.
    for (reason, words) in [
        (DisputeReason::Other, "  ".to_owned()),
        (DisputeReason::Twice, "长".repeat(501)),
    ] {
        assert_eq!(dispute(1, reason, &words), Err(InputField::Text.into()));
    }
    // This platform knows no disputes, which is no word on them.
    for payment in 1..=20 {
        assert_eq!(dispute(payment, DisputeReason::Twice, " "), Ok(None));
    }
    let again = dispute(1, DisputeReason::NotMe, "");
    assert_eq!(again, Err(MoneyReason::DisputeUnderWay.into()));
    let one_more = dispute(21, DisputeReason::Twice, "");
    assert_eq!(one_more, Err(MoneyReason::TooManyWaiting.into()));
    drop((bills, card));

    let card = phone.open();
    let drafts = block_on(card.bills().dispute_drafts()).unwrap();
    let payments: Vec<u128> = drafts.iter().map(|draft| draft.payment_id.as_u128()).collect();
    assert_eq!(payments, (1..=20).collect::<Vec<_>>());
    block_on(card.synchronise()).unwrap();
    assert_eq!(block_on(card.bills().dispute_drafts()).unwrap(), drafts);
    block_on(card.bills().discard_dispute(drafts[0].id)).unwrap();
    assert_eq!(
        block_on(card.bills().discard_dispute(drafts[0].id)),
        Err(MoneyReason::OperationUnknown.into())
    );
    assert_eq!(block_on(card.bills().dispute_drafts()).unwrap(), drafts[1..]);
    let stranger = crate::testing::id_token("20260002");
    block_on(card.session().bind(phone.platform.url(), stranger)).unwrap();
    assert_eq!(block_on(card.bills().dispute_drafts()).unwrap(), []);
}
