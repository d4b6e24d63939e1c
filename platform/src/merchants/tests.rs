//! The merchant centre through the router: who sees what, what money comes back, what is paid out. What sums come to is in
//! `sums`, how they are found in `plans`.

mod export;
mod plans;
mod returns;
mod sums;

use crate::testing::{Reply, TestPhone, TestPlatform, TestTerminal, short};
use axum::http::Method;
use serde_json::json;
use uuid::Uuid;
use yika_api::merchant::{
    StallIncome, StallList, StallPayment, StallPaymentPage, StallRole, StallStatementPage,
};
use yika_api::terminal::{MerchantId, SaleUploadReply, TerminalKind};
use yika_api::{Fen, ProblemCode};
use yika_format::credential::Credential;
use yika_format::sale::SignedSale;

const STUDENT: &str = "20260001";
const OWNER: &str = "20260002";
const CASHIER: &str = "19870003";
const STALL: MerchantId = MerchantId(1);
const LIBRARY: MerchantId = MerchantId(2);
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A stall with an owner, a cashier, a till and a student who buys there; and a library with another owner.
struct World<'a> {
    campus: &'a TestPlatform,
    phone: TestPhone<'a>,
    credential: Credential,
    till: TestTerminal<'a>,
    counter: u16,
}

impl<'a> World<'a> {
    async fn new(campus: &'a TestPlatform) -> Self {
        let admin = campus.platform.admin();
        for (number, name) in [(CASHIER, "Cashier"), ("19870004", "Librarian")] {
            admin.add_student(number, name, &[]).await.unwrap();
        }
        for (merchant, number, role) in [
            (STALL, OWNER, StallRole::Owner),
            (STALL, CASHIER, StallRole::Cashier),
            (LIBRARY, "19870004", StallRole::Owner),
        ] {
            admin.set_merchant_staff(merchant, number, role).await.unwrap();
        }
        let phone = campus.bind(STUDENT).await;
        Self {
            campus,
            credential: phone.enrol().await,
            phone,
            till: campus.terminal(TerminalKind::Pos).await,
            counter: 0,
        }
    }

    /// A sale that is not uploaded yet.
    fn sell(&mut self, amount: u64) -> SignedSale {
        self.counter += 1;
        let code = short(&self.phone.code(&self.credential, self.counter));
        self.till.sale(code, amount)
    }

    async fn settle(&self, sales: &[SignedSale]) -> SaleUploadReply {
        self.till.settle(sales).await
    }

    /// A sale that is settled a second later, as the stall's list shows it.
    async fn pay(&mut self, amount: u64) -> StallPayment {
        self.campus.clock.advance(1_000);
        let sale = self.sell(amount);
        self.settle(&[sale]).await;
        self.payments("").await.payments.remove(0)
    }

    async fn as_owner(&self) -> TestPhone<'a> {
        self.campus.bind(OWNER).await
    }

    async fn income(&self, query: &str) -> StallIncome {
        let owner = self.as_owner().await;
        owner.get(&format!("/v1/merchants/1/days{query}")).await.ok()
    }

    async fn payments(&self, query: &str) -> StallPaymentPage {
        let owner = self.as_owner().await;
        owner.get(&format!("/v1/merchants/1/payments{query}")).await.ok()
    }

    async fn statements(&self) -> StallStatementPage {
        let owner = self.as_owner().await;
        owner.get("/v1/merchants/1/statements").await.ok()
    }

    async fn earned(&self) -> i64 {
        self.campus.platform.admin().merchants().await.unwrap()[0]
            .earned
            .get()
    }

    /// The sums that are kept are what was booked.
    async fn check(&self) {
        let differences = self.campus.platform.admin().check_takings().await.unwrap();
        assert!(differences.is_empty(), "{differences:#?}");
    }
}

async fn refund(phone: &TestPhone<'_>, stall: u64, payment: Uuid, key: Uuid, amount: i64) -> Reply {
    let path = format!("/v1/merchants/{stall}/payments/{payment}/refund");
    phone
        .named((Method::POST, &path), key, &json!({ "amount": amount }))
        .await
}

async fn void(phone: &TestPhone<'_>, stall: u64, payment: Uuid, key: Uuid) -> Reply {
    let path = format!("/v1/merchants/{stall}/payments/{payment}/void");
    phone.named((Method::POST, &path), key, &json!({})).await
}

fn code(reply: &Reply) -> ProblemCode {
    reply.problem().code
}

/// What somebody is answered by every endpoint of a stall.
async fn answers(phone: &TestPhone<'_>, stall: u64, payment: Uuid) -> Vec<Reply> {
    let mut replies = Vec::new();
    for path in [
        "days",
        "days?from=2026-11-17",
        "payments",
        "payments?from=2026-11-17&to=2026-11-18",
        "statements",
        "export",
        "export?what=payments&format=xlsx",
    ] {
        replies.push(phone.get(&format!("/v1/merchants/{stall}/{path}")).await);
    }
    replies.push(refund(phone, stall, payment, Uuid::new_v4(), 1).await);
    replies.push(void(phone, stall, payment, Uuid::new_v4()).await);
    replies
}

#[tokio::test]
async fn to_who_does_not_work_there_no_stall_is_there() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let sale = world.pay(1_200).await;
    let librarian = campus.bind("19870004").await;
    for stranger in [&world.phone, &librarian] {
        for reply in answers(stranger, STALL.0, sale.id).await {
            assert_eq!(code(&reply), ProblemCode::NotFound);
        }
    }
    let owner = world.as_owner().await;
    for nobodys in [LIBRARY.0, 0, 99, u64::MAX] {
        for reply in answers(&owner, nobodys, sale.id).await {
            assert_eq!(code(&reply), ProblemCode::NotFound, "{nobodys}");
        }
    }
    // A sale of this stall under the name of another that is one's own.
    for reply in [
        refund(&librarian, LIBRARY.0, sale.id, Uuid::new_v4(), 1).await,
        void(&librarian, LIBRARY.0, sale.id, Uuid::new_v4()).await,
    ] {
        assert_eq!(code(&reply), ProblemCode::NotFound);
    }
    let list: StallList = world.phone.get("/v1/merchants").await.ok();
    assert!(list.stalls.is_empty());
    let open = campus
        .send(Method::GET, "/v1/merchants/1/days", &[], Vec::new())
        .await;
    assert_eq!(open.status, 401);
    assert_eq!(world.earned().await, 1_200);
}

#[tokio::test]
async fn a_cashier_sees_today_and_what_the_owner_alone_sees_is_forbidden() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let sale = world.pay(1_200).await;
    let cashier = campus.bind(CASHIER).await;
    let allowed: Vec<bool> = answers(&cashier, STALL.0, sale.id)
        .await
        .iter()
        .map(|reply| match reply.status.is_success() {
            true => true,
            false => {
                assert_eq!(code(reply), ProblemCode::Forbidden);
                false
            }
        })
        .collect();
    assert_eq!(
        allowed,
        [true, false, true, false, false, false, false, false, true]
    );
    let list: StallList = cashier.get("/v1/merchants").await.ok();
    let stall = &list.stalls[0];
    assert_eq!(
        (stall.id, stall.role, stall.may_void, stall.may_refund),
        (STALL, StallRole::Cashier, true, false)
    );
    let today: StallIncome = cashier.get("/v1/merchants/1/days").await.ok();
    assert_eq!((today.settled, today.pending, today.balance), (None, None, None));
    assert_eq!(today.total.voids.amount, Fen::new(1_200));
}

#[tokio::test]
async fn who_is_not_there_any_more_sees_nothing_any_more() {
    let campus = TestPlatform::open().await;
    let world = World::new(&campus).await;
    let admin = campus.platform.admin();
    let owner = world.as_owner().await;
    admin
        .set_merchant_staff(STALL, OWNER, StallRole::Cashier)
        .await
        .unwrap();
    assert_eq!(
        code(&owner.get("/v1/merchants/1/statements").await),
        ProblemCode::Forbidden
    );
    for _ in 0..2 {
        admin.remove_merchant_staff(STALL, OWNER).await.unwrap();
    }
    assert_eq!(
        code(&owner.get("/v1/merchants/1/days").await),
        ProblemCode::NotFound
    );
    let staff = admin.merchant_staff(STALL).await.unwrap();
    assert_eq!(
        staff.iter().map(|one| one.number.as_str()).collect::<Vec<_>>(),
        [CASHIER]
    );
    let what: Vec<_> = admin.merchant_events(STALL).await.unwrap();
    let what: Vec<_> = what
        .iter()
        .map(|event| (event.what, event.whom.as_deref()))
        .collect();
    assert_eq!(
        what,
        [
            ("staff_set", Some(OWNER)),
            ("staff_set", Some(CASHIER)),
            ("staff_set", Some(OWNER)),
            ("staff_removed", Some(OWNER)),
        ]
    );
    for (merchant, number) in [(MerchantId(99), OWNER), (STALL, "nobody")] {
        let refused = admin.set_merchant_staff(merchant, number, StallRole::Owner).await;
        assert_eq!(refused.unwrap_err().code(), ProblemCode::NotFound);
    }
    assert!(
        admin
            .set_merchant_staff(STALL, OWNER, StallRole::Other)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn days_limits_and_cursors_that_are_none_are_refused() {
    let campus = TestPlatform::open().await;
    let world = World::new(&campus).await;
    let owner = world.as_owner().await;
    for path in [
        "days?from=tomorrow",
        "days?from=2026-02-30",
        "days?from=2026-11-18&to=2026-11-17",
        "days?from=2025-01-01&to=2026-01-02",
        "days?from=-009999-01-01",
        "days?terminal=x",
        "payments?limit=0",
        "payments?limit=501",
        "payments?after=x",
        "payments?after=1_x",
        "statements?after=-1",
        "statements?limit=101",
        "export?format=pdf",
        "export?what=everything",
    ] {
        let reply = owner.get(&format!("/v1/merchants/1/{path}")).await;
        assert_eq!(code(&reply), ProblemCode::InvalidRequest, "{path}");
    }
    for path in [
        "days?terminal=18446744073709551615",
        "days?from=2999-12-31",
        "payments?after=9223372036854775807_ffffffff-ffff-ffff-ffff-ffffffffffff",
        "payments?after=-9223372036854775808_00000000-0000-0000-0000-000000000000",
        "statements?after=9223372036854775807",
    ] {
        let reply = owner.get(&format!("/v1/merchants/1/{path}")).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.status);
    }
}

#[tokio::test]
async fn what_is_settled_is_paid_out_once_and_what_comes_later_is_pending() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let admin = campus.platform.admin();
    let first = world.pay(1_200).await;
    let late = world.sell(500);
    let early = admin.settle_merchant(STALL, "2026-11-18", "T1").await;
    assert_eq!(
        early.unwrap_err().code(),
        ProblemCode::InvalidRequest,
        "the day is not over"
    );
    campus.clock.advance(DAY);
    let statement = admin.settle_merchant(STALL, "2026-11-18", "T1").await.unwrap();
    assert_eq!(
        (statement.number, statement.from.as_str(), statement.to.as_str()),
        (Some(1), "2026-11-18", "2026-11-18")
    );
    assert_eq!(
        (
            statement.opening,
            statement.earned,
            statement.paid_out,
            statement.closing
        ),
        (Fen::ZERO, Fen::new(1_200), Fen::new(1_200), Fen::ZERO)
    );
    assert_eq!(
        admin.settle_merchant(STALL, "2026-11-18", "T1").await.unwrap(),
        statement
    );
    let other = admin.settle_merchant(STALL, "2026-11-18", "T2").await;
    assert_eq!(other.unwrap_err().code(), ProblemCode::IdempotencyConflict);
    let before = admin.settle_merchant(STALL, "2026-11-17", "T2").await;
    assert_eq!(before.unwrap_err().code(), ProblemCode::InvalidRequest);
    assert_eq!(world.earned().await, 0);

    // Sold on the settled day, uploaded after it.
    world.settle(&[late]).await;
    let day = world.income("?from=2026-11-18").await;
    assert_eq!(
        (day.total.income, day.settled, day.pending, day.balance),
        (
            Fen::new(1_700),
            Some(Fen::new(1_200)),
            Some(Fen::new(500)),
            Some(Fen::new(500))
        )
    );
    // More goes back than there is: the stall owes.
    let owner = world.as_owner().await;
    let back: StallPayment = refund(&owner, 1, first.id, Uuid::new_v4(), 900).await.ok();
    assert_eq!(back.refunded, Fen::new(900));
    let open = world.statements().await.open.unwrap();
    assert_eq!(
        (open.number, open.from.as_str(), open.to.as_str()),
        (None, "2026-11-19", "2026-11-19")
    );
    assert_eq!(
        (open.opening, open.sales.amount, open.refunds.amount, open.closing),
        (Fen::ZERO, Fen::new(500), Fen::new(900), Fen::new(-400))
    );
    campus.clock.advance(DAY);
    let owing = admin.settle_merchant(STALL, "2026-11-19", "T2").await.unwrap();
    assert_eq!((owing.paid_out, owing.closing), (Fen::ZERO, Fen::new(-400)));
    let page = world.statements().await;
    let numbers: Vec<_> = page
        .statements
        .iter()
        .map(|one| (one.number, one.reference.as_deref()))
        .collect();
    assert_eq!(numbers, [(Some(2), Some("T2")), (Some(1), Some("T1"))]);
    assert_eq!(page.open.unwrap().opening, Fen::new(-400));
    world.check().await;
}

#[tokio::test]
async fn statements_come_page_by_page() {
    let campus = TestPlatform::open().await;
    let world = World::new(&campus).await;
    let admin = campus.platform.admin();
    campus.clock.advance(10 * DAY);
    for day in 18..23 {
        let (through, reference) = (format!("2026-11-{day}"), format!("T{day}"));
        admin.settle_merchant(STALL, &through, &reference).await.unwrap();
    }
    let owner = world.as_owner().await;
    let (mut after, mut numbers) = (String::new(), Vec::new());
    loop {
        let path = format!("/v1/merchants/1/statements?limit=2{after}");
        let page: StallStatementPage = owner.get(&path).await.ok();
        assert_eq!(page.open.is_some(), after.is_empty());
        numbers.extend(page.statements.iter().filter_map(|one| one.number));
        match page.cursor {
            Some(cursor) => after = format!("&after={cursor}"),
            None => break,
        }
    }
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn tills_say_when_they_were_heard() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    let till = |income: StallIncome| income.tills[0].clone();
    let before = till(world.income("").await);
    assert_eq!((before.last_upload, before.is_late), (None, false));
    campus.clock.advance(HOUR);
    world.pay(100).await;
    let heard = till(world.income("").await);
    assert_eq!(heard.last_upload, Some(campus.platform.now()));
    campus.clock.advance(DAY + 1);
    assert!(till(world.income("").await).is_late);
    // Nothing to hand in is a sign too.
    world.settle(&[]).await;
    assert!(!till(world.income("").await).is_late);
}

#[tokio::test]
async fn an_older_database_gets_its_sums_when_it_is_opened() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    world.pay(1_200).await;
    let db = campus.platform.db();
    let cleared: crate::Result<()> = crate::db::transact!(db.writer(), |tx| {
        for sql in [
            "DELETE FROM merchant_takings",
            "DELETE FROM setting WHERE name = 'merchant_takings_zone'",
        ] {
            sqlx::query(sql).execute(&mut *tx).await?;
        }
        Ok(())
    });
    cleared.unwrap();
    let found = campus.platform.admin().check_takings().await.unwrap();
    assert_eq!(found.len(), 2, "an hour and the account: {found:#?}");
    let again = campus.twin().await;
    assert!(again.platform.admin().check_takings().await.unwrap().is_empty());
    assert_eq!(world.income("").await.total.income, Fen::new(1_200));
}
