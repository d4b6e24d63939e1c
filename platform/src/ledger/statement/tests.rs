//! Statements of everything that moves on a campus: each begins where the one before ends, and ends with what is on the account.

use super::*;
use crate::operations::testing::{recharge, send, top_up_request};
use crate::testing::TestPlatform;
use crate::wallet::testing::with_card;
use uuid::Uuid;
use yika_api::account::AccountList;
use yika_api::terminal::TerminalKind;

const HOLDER: &str = "20260001";
const DAY_MS: i64 = 24 * 3_600_000;

fn card() -> StatementOf {
    StatementOf::Card {
        number: HOLDER.to_owned(),
        slot: 1,
    }
}

/// The day of now, and the one after.
async fn day(campus: &TestPlatform) -> (String, String) {
    let zone = &campus.platform.config().school.time_zone;
    let name = |at| days::written(at, zone).unwrap()[..10].to_owned();
    let now = campus.platform.now();
    (name(now), name(now.plus_millis(DAY_MS)))
}

#[tokio::test]
async fn a_day_follows_the_one_before_and_ends_with_what_is_there() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    let phone = campus.bind(HOLDER).await;
    let (_, bank_card) = with_card(&phone).await;
    let credential = phone.enrol().await;
    let mut till = campus.terminal(TerminalKind::Pos).await;
    let accounts: AccountList = phone.get("/v1/accounts").await.ok();
    let (account, opening) = (&accounts.accounts[0], accounts.accounts[0].balance.amount);
    recharge(&phone, bank_card, 20_000).await;
    let top_up = top_up_request(account.id, 3_000, 0, 0, None);
    send(&phone, Uuid::new_v4(), &top_up).await;
    let sale = till.sale(phone.code(&credential, 1), 500);
    till.settle(&[sale]).await;

    let (today, tomorrow) = day(&campus).await;
    let statement = admin.statement(&card(), &today, &today).await.unwrap();
    let kinds: Vec<_> = statement.lines.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, ["deposit", "top_up", "sale"]);
    assert_eq!(
        (statement.opening, statement.closing),
        (Fen::ZERO, Fen::new(opening.get() + 2_500))
    );
    let table = statement.to_csv().unwrap();
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(rows[0], "time,transaction,kind,amount,balance");
    assert_eq!(rows[1], format!("{today}T00:00:00+08:00,,opening,,0.00"));
    assert!(rows[3].contains(",top_up,30.00,"), "{table}");
    assert!(
        rows[5].starts_with(&format!("{tomorrow}T00:00:00+08:00,,closing,,")),
        "{table}"
    );

    campus.clock.advance(DAY_MS);
    admin.fund(HOLDER, 1, Fen::new(700)).await.unwrap();
    let next = admin.statement(&card(), &tomorrow, &tomorrow).await.unwrap();
    assert_eq!((next.opening, next.lines.len()), (statement.closing, 1));
    assert_eq!(next.closing, Fen::new(statement.closing.get() + 700));
    let both = admin.statement(&card(), &today, &tomorrow).await.unwrap();
    assert_eq!((both.lines.len(), both.closing), (4, next.closing));
    // Whatever account it is, the statement says what the books do.
    let wallet = StatementOf::Wallet {
        number: HOLDER.to_owned(),
    };
    let wallet = admin.statement(&wallet, &today, &tomorrow).await.unwrap();
    assert_eq!(wallet.closing, Fen::new(17_000));
    let stall = admin
        .statement(&StatementOf::Merchant(1), &today, &tomorrow)
        .await;
    assert_eq!(stall.unwrap().closing, Fen::new(500));
    for total in admin.books().await.unwrap().accounts {
        if ["card", "receivable", "wallet", "merchant"].contains(&total.kind) {
            continue;
        }
        let of = StatementOf::School(total.kind.to_owned());
        let statement = admin.statement(&of, &today, &tomorrow).await.unwrap();
        assert_eq!(statement.closing, total.sum, "{}", total.kind);
    }
}

#[tokio::test]
async fn what_is_owed_beside_an_account_is_on_its_statement() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    let phone = campus.bind(HOLDER).await;
    let credential = phone.enrol().await;
    let mut till = campus.terminal(TerminalKind::Pos).await;
    admin.set_balance(HOLDER, 1, Fen::new(200)).await.unwrap();
    let sale = till.sale(phone.code(&credential, 1), 500);
    till.settle(&[sale]).await;
    let (today, _) = day(&campus).await;
    let statement = admin.statement(&card(), &today, &today).await.unwrap();
    assert_eq!(statement.closing, Fen::new(-300));
    let last = statement.lines.last().unwrap();
    assert_eq!(
        (last.kind, last.amount),
        ("sale", Fen::new(-500)),
        "one line, not two"
    );
}

#[tokio::test]
async fn accounts_and_days_that_are_none_are_refused() {
    let campus = TestPlatform::open().await;
    let admin = campus.platform.admin();
    let (today, tomorrow) = day(&campus).await;
    let code = async |of: StatementOf, from: &str, to: &str| {
        admin.statement(&of, from, to).await.unwrap_err().code()
    };
    let other_slot = StatementOf::Card {
        number: HOLDER.to_owned(),
        slot: 8,
    };
    let nobody = StatementOf::Wallet {
        number: "99999999".to_owned(),
    };
    for none in [
        other_slot,
        nobody,
        StatementOf::Merchant(999),
        StatementOf::School("card".to_owned()),
    ] {
        assert_eq!(code(none, &today, &today).await, ProblemCode::NotFound);
    }
    assert_eq!(code(card(), &tomorrow, &today).await, ProblemCode::InvalidRequest);
    assert_eq!(
        code(card(), "yesterday", &today).await,
        ProblemCode::InvalidRequest
    );
}
