//! The rules of settlement through the router: records that a terminal signed, with codes that a phone signed.

use crate::clock::{DAY, HOUR, MINUTE};
use crate::db::StoredEnum as _;
use crate::testing::{TestKey, TestPhone, TestPlatform, TestTerminal, credential, short};
use sqlx::Row as _;
use std::collections::BTreeMap;
use uuid::Uuid;
use yika_api::credential::{CredentialStatus, IssueRequest};
use yika_api::payment::{Payment, PaymentKind, PaymentPage, PaymentStatus};
use yika_api::terminal::{SaleResult, SaleUploadReply, TerminalKind, TerminalStatus};
use yika_api::{Fen, ProblemCode};
use yika_format::credential::Credential;
use yika_format::lists::{Revocations, SettledMark, Table};
use yika_format::sale::SaleKind;
use yika_format::{Amount, Pseudonym};

const STUDENT: &str = "20260001";
/// What the student begins with on slot 1.
const OPENING: i64 = 10_000;
/// Where the merchants stand in [`Audit::earned`].
const STALL: usize = 0;
const LIBRARY: usize = 1;

/// A phone with a credential, and a terminal of the stall.
async fn cast(campus: &TestPlatform) -> (TestPhone<'_>, Credential, TestTerminal<'_>) {
    let phone = campus.bind(STUDENT).await;
    let credential = phone.enrol().await;
    (phone, credential, campus.terminal(TerminalKind::Pos).await)
}

fn results(reply: &SaleUploadReply) -> Vec<SaleResult> {
    reply.outcomes.iter().map(|outcome| outcome.result).collect()
}

/// The books in the eyes of the card office, in fen.
struct Audit {
    /// What the student has on slot 1, less debts.
    balance: i64,
    /// What each merchant earned.
    earned: Vec<i64>,
    school_risk: i64,
    receivable: i64,
    alarms: Vec<(String, u64)>,
}

/// Reads the books, after checking what holds at all times: all postings sum to zero, and each balance is the sum of its
/// account's postings.
async fn audit(campus: &TestPlatform) -> Audit {
    let admin = campus.platform.admin();
    let books = admin.books().await.unwrap();
    assert_eq!(books.grand_sum, Fen::ZERO);
    let mut reader = campus.platform.db().read().await.unwrap();
    let wrong = sqlx::query(
        "SELECT a.id FROM ledger_account a \
         WHERE a.balance <> (SELECT COALESCE(SUM(p.amount), 0) FROM posting p WHERE p.account = a.id)",
    )
    .fetch_all(&mut *reader)
    .await
    .unwrap();
    assert!(wrong.is_empty(), "accounts that differ from their postings");
    let totals = books.accounts.iter().map(|total| (total.kind, total.sum.get()));
    let sums: BTreeMap<_, _> = totals.collect();
    let merchants = admin.merchants().await.unwrap();
    Audit {
        balance: admin.holders().await.unwrap()[0].accounts[0].balance.amount.get(),
        earned: merchants.iter().map(|merchant| merchant.earned.get()).collect(),
        school_risk: sums["school_risk"],
        receivable: sums["receivable"],
        alarms: books.alarms.into_iter().collect(),
    }
}

/// Why records were refused, in the order of terminals and numbers.
async fn refusals(campus: &TestPlatform) -> Vec<String> {
    let mut reader = campus.platform.db().read().await.unwrap();
    let rows = sqlx::query("SELECT reason FROM sale WHERE result = $1 ORDER BY terminal, sequence")
        .bind(SaleResult::Refused.to_stored())
        .fetch_all(&mut *reader)
        .await
        .unwrap();
    rows.iter().map(|row| row.get("reason")).collect()
}

/// The bills of sales, oldest first.
async fn bills(phone: &TestPhone<'_>) -> Vec<Payment> {
    let page: PaymentPage = phone.get("/v1/payments").await.ok();
    let sales = page.payments.into_iter();
    sales
        .filter(|payment| payment.kind != PaymentKind::Deposit)
        .collect()
}

/// Lets the terminal decide by the newest revocations from now on.
async fn fetch_revocations(till: &mut TestTerminal<'_>) {
    let bytes = till.get("/v1/terminals/revocations").await.body;
    let list = Revocations::open(&bytes, &till.campus.keyset()).unwrap();
    till.revocations_version = list.header().version;
}

/// Whether the newest table lets a credential pay offline.
async fn may_pay_offline(till: &TestTerminal<'_>, pseudonym: Pseudonym) -> bool {
    let bytes = till.get("/v1/terminals/table").await.body;
    let table = Table::open(&bytes, &till.campus.keyset()).unwrap();
    table.row(pseudonym).unwrap().flags.offline_payment
}

#[tokio::test]
async fn a_record_that_its_terminal_did_not_sign_books_nothing() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let record = till.sale(phone.code(&credential, 1), 500).record;
    let forged = record.with_signature(TestKey::new().sign(&record.preimage()));
    assert_eq!(results(&till.settle(&[forged]).await), [SaleResult::Refused]);
    assert_eq!(refusals(&campus).await, ["TERMINAL_SIG"]);
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING, 0));
}

#[tokio::test]
async fn a_code_that_another_phone_signed_books_nothing() {
    let campus = TestPlatform::open().await;
    let (_, credential, mut till) = cast(&campus).await;
    let stranger = campus.bind("20260002").await;
    let sale = till.sale(stranger.code(&credential, 1), 500);
    assert_eq!(results(&till.settle(&[sale]).await), [SaleResult::Refused]);
    assert_eq!(refusals(&campus).await, ["DEVICE_SIG"]);
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING, 0));
}

#[tokio::test]
async fn a_sale_that_the_terminal_should_have_refused_books_nothing_and_the_next_one_is_posted() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let limit = u64::from(credential.body.attributes.per_use.0) * 10;
    let too_much = till.sale(phone.code(&credential, 1), limit + 1);
    let wrong_place = till.record(SaleKind::LibraryFee(phone.code(&credential, 2)), 500);
    let old_code = phone.code(&credential, 3);
    campus.clock.advance(HOUR);
    let stale = till.sale(old_code, 500);
    let good = till.sale(phone.code(&credential, 4), 500);
    let reply = till.settle(&[too_much, wrong_place, stale, good]).await;
    let refused = SaleResult::Refused;
    assert_eq!(results(&reply), [refused, refused, refused, SaleResult::Posted]);
    assert_eq!(refusals(&campus).await, ["LIMIT", "WRONG_KIND", "STALE"]);
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING - 500, 500));
}

#[tokio::test]
async fn records_of_others_or_out_of_order_are_not_taken() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let mut other = campus.terminal(TerminalKind::Pos).await;
    let first = till.sale(phone.code(&credential, 1), 500);
    let second = till.sale(phone.code(&credential, 2), 500);
    let foreign = other.sale(phone.code(&credential, 3), 500);
    for upload in [
        vec![second],
        vec![foreign],
        vec![first, first],
        vec![second, first],
    ] {
        assert_eq!(
            till.upload(&upload).await.problem().code,
            ProblemCode::InvalidRequest
        );
    }
    let mut gate = campus.terminal(TerminalKind::Gate).await;
    let sale = gate.sale(phone.code(&credential, 4), 500);
    assert_eq!(gate.upload(&[sale]).await.problem().code, ProblemCode::Forbidden);
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING, 0));
}

#[tokio::test]
async fn a_sale_is_charged_to_the_holder_and_paid_to_the_merchant() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let code = phone.code(&credential, 1);
    let sale = till.sale(code, 500);
    let reply = till.settle(&[sale]).await;
    assert_eq!(results(&reply), [SaleResult::Posted]);
    let mark = SettledMark::open(&reply.settled_mark.0, &campus.keyset()).unwrap();
    assert_eq!(
        (mark.terminal, mark.sequence, reply.next_sequence),
        (till.enrolled.id.0, 1, 2)
    );
    let bills = bills(&phone).await;
    assert_eq!(bills.len(), 1);
    assert_eq!(
        (bills[0].amount, bills[0].status),
        (Fen::new(-500), PaymentStatus::Posted)
    );
    let status: CredentialStatus = phone.get("/v1/credentials/current").await.ok();
    assert_eq!(status.highest_settled, code.moment().sequence().get());
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING - 500, 500));
    assert_eq!(books.alarms, []);
}

#[tokio::test]
async fn the_same_records_again_get_the_same_outcomes_and_are_booked_once() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let sales = [1, 2].map(|counter| till.sale(phone.code(&credential, counter), 500));
    let first = till.settle(&sales).await;
    // A signature is no identity: the same record signed anew is the same record.
    let again = till.settle(&sales.map(|sale| till.sign(sale.record))).await;
    assert_eq!(
        (results(&again), again.next_sequence),
        (results(&first), first.next_sequence)
    );
    assert!(first.outcomes.iter().all(|outcome| !outcome.repeated));
    assert!(again.outcomes.iter().all(|outcome| outcome.repeated));
    // What is new behind them is settled too.
    let third = till.sale(phone.code(&credential, 3), 500);
    let more = till.settle(&[sales[1], third]).await;
    let repeated: Vec<bool> = more.outcomes.iter().map(|outcome| outcome.repeated).collect();
    assert_eq!((repeated, more.next_sequence), (vec![true, false], 4));
    assert_eq!(bills(&phone).await.len(), 3);
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING - 1_500, 1_500));
    assert_eq!(books.alarms, []);
}

#[tokio::test]
async fn a_terminal_that_signs_two_records_of_one_number_is_frozen() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let sale = till.sale(phone.code(&credential, 1), 500);
    till.settle(&[sale]).await;
    let mut other = sale.record;
    other.amount = Amount(5);
    // Whoever holds no key of the terminal cannot freeze it.
    let forged = other.with_signature(TestKey::new().sign(&other.preimage()));
    assert_eq!(
        till.upload(&[forged]).await.problem().code,
        ProblemCode::InvalidRequest
    );
    assert_eq!(audit(&campus).await.alarms, []);

    let contradiction = till.sign(other);
    for sale in [contradiction, sale, till.sale(phone.code(&credential, 2), 500)] {
        assert_eq!(
            till.upload(&[sale]).await.problem().code,
            ProblemCode::TerminalFrozen
        );
    }
    assert!(
        till.get("/v1/terminals/current")
            .await
            .ok::<TerminalStatus>()
            .frozen
    );
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING - 500, 500));
    assert_eq!(books.alarms, [("terminal_conflict".to_owned(), 1)]);
}

#[tokio::test]
async fn a_code_that_was_settled_before_is_disputed_and_the_school_pays_the_merchant() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let mut other = campus.terminal(TerminalKind::Pos).await;
    let code = phone.code(&credential, 1);
    let first = till.sale(code, 500);
    // The short form of the same moment is the same code.
    let relayed = other.sale(short(&code), 700);
    assert_eq!(results(&till.settle(&[first]).await), [SaleResult::Posted]);
    assert_eq!(results(&other.settle(&[relayed]).await), [SaleResult::Disputed]);
    let statuses: Vec<_> = bills(&phone).await.iter().map(|bill| bill.status).collect();
    assert_eq!(statuses, [PaymentStatus::Posted, PaymentStatus::Disputed]);
    let books = audit(&campus).await;
    assert_eq!(
        (books.balance, books.earned[STALL], books.school_risk),
        (OPENING - 500, 1_200, -700)
    );
    assert_eq!(books.alarms, [("code_replayed".to_owned(), 1)]);
}

#[tokio::test]
async fn a_counter_that_was_used_twice_is_charged_twice_and_brings_a_new_epoch() {
    let campus = TestPlatform::open().await;
    let (phone, old, mut till) = cast(&campus).await;
    let first = till.sale(phone.code(&old, 1), 500);
    campus.clock.advance(MINUTE);
    let second = till.sale(phone.code(&old, 1), 700);
    let reply = till.settle(&[first, second]).await;
    assert_eq!(
        results(&reply),
        [SaleResult::Posted, SaleResult::PostedCounterReuse]
    );
    let books = audit(&campus).await;
    assert_eq!(
        (books.balance, books.earned[STALL], books.school_risk),
        (OPENING - 1_200, 1_200, 0)
    );
    assert_eq!(books.alarms, [("counter_reuse".to_owned(), 1)]);
    let status: CredentialStatus = phone.get("/v1/credentials/current").await.ok();
    assert!(status.renewal_due);
    let new = credential(&phone.issue(Uuid::new_v4(), &IssueRequest::Renew).await);
    assert_eq!(new.body.epoch.get(), old.body.epoch.get() + 1);
}

#[tokio::test]
async fn who_has_too_little_owes_the_rest_and_pays_online_only_until_it_is_settled() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let (admin, pseudonym) = (campus.platform.admin(), credential.body.pseudonym);
    admin.set_balance(STUDENT, 1, Fen::new(300)).await.unwrap();
    assert!(may_pay_offline(&till, pseudonym).await);
    let sale = till.sale(phone.code(&credential, 1), 500);
    assert_eq!(results(&till.settle(&[sale]).await), [SaleResult::PostedShort]);
    let books = audit(&campus).await;
    assert_eq!(
        (books.balance, books.receivable, books.earned[STALL]),
        (-200, -200, 500)
    );
    assert!(!may_pay_offline(&till, pseudonym).await);

    admin.fund(STUDENT, 1, Fen::new(250)).await.unwrap();
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.receivable), (50, 0));
    assert!(may_pay_offline(&till, pseudonym).await);
}

#[tokio::test]
async fn the_school_bears_a_sale_after_a_revocation_of_which_the_terminal_could_not_know() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    fetch_revocations(&mut till).await;
    campus.clock.advance(MINUTE);
    campus.platform.admin().revoke(STUDENT).await.unwrap();
    campus.clock.advance(MINUTE);
    let sale = till.sale(phone.code(&credential, 1), 500);
    let again = till.sale(phone.code(&credential, 1), 500);
    let reply = till.settle(&[sale, again]).await;
    assert_eq!(results(&reply), [SaleResult::PaidBySchool, SaleResult::Disputed]);
    let books = audit(&campus).await;
    assert_eq!(
        (books.balance, books.earned[STALL], books.school_risk),
        (OPENING, 1_000, -1_000)
    );
    assert!(books.alarms.contains(&("paid_after_revocation".to_owned(), 1)));
}

#[tokio::test]
async fn the_merchant_bears_a_sale_after_a_revocation_of_which_the_terminal_should_have_known() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    fetch_revocations(&mut till).await;
    campus.clock.advance(MINUTE);
    campus.platform.admin().revoke(STUDENT).await.unwrap();
    campus.clock.advance(4 * DAY);
    let by_old_list = till.sale(phone.code(&credential, 1), 500);
    fetch_revocations(&mut till).await;
    let by_new_list = till.sale(phone.code(&credential, 2), 500);
    till.revocations_version = 0;
    let by_none = till.sale(phone.code(&credential, 3), 500);
    let reply = till.settle(&[by_old_list, by_new_list, by_none]).await;
    assert_eq!(results(&reply), [SaleResult::BorneByMerchant; 3]);
    let books = audit(&campus).await;
    assert_eq!(
        (books.balance, books.earned[STALL], books.school_risk),
        (OPENING, 0, 0)
    );
}

#[tokio::test]
async fn a_sale_before_a_revocation_is_the_holder_s_however_late_it_comes() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let sale = till.sale(phone.code(&credential, 1), 500);
    campus.clock.advance(MINUTE);
    campus.platform.admin().revoke(STUDENT).await.unwrap();
    campus.clock.advance(399 * DAY);
    assert_eq!(results(&till.settle(&[sale]).await), [SaleResult::Posted]);
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING - 500, 500));
}

#[tokio::test]
async fn a_sale_of_more_than_400_days_ago_is_not_settled_any_more() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let sale = till.sale(phone.code(&credential, 1), 500);
    campus.clock.advance(401 * DAY);
    assert_eq!(results(&till.settle(&[sale]).await), [SaleResult::Refused]);
    assert_eq!(refusals(&campus).await, ["TOO_LATE"]);
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING, 0));
}

#[tokio::test]
async fn a_sale_is_taken_back_once_and_whole() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let sale = till.sale(phone.code(&credential, 1), 500);
    till.settle(&[sale]).await;
    campus.clock.advance(9 * MINUTE);
    let part = till.record(SaleKind::Void { sequence: 1 }, 499);
    let void = till.record(SaleKind::Void { sequence: 1 }, 500);
    let second = till.record(SaleKind::Void { sequence: 1 }, 500);
    let reply = till.settle(&[part, void, second]).await;
    let (refused, voided) = (SaleResult::Refused, SaleResult::Voided);
    assert_eq!(results(&reply), [refused, voided, refused]);
    let third = till.record(SaleKind::Void { sequence: 1 }, 500);
    assert_eq!(results(&till.settle(&[third]).await), [refused]);
    assert_eq!(refusals(&campus).await, ["NOTHING_TO_VOID"; 3]);
    let statuses: Vec<_> = bills(&phone).await.iter().map(|bill| bill.status).collect();
    assert_eq!(statuses, [PaymentStatus::Voided]);
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING, 0));
}

#[tokio::test]
async fn a_sale_cannot_be_taken_back_after_ten_minutes() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let sale = till.sale(phone.code(&credential, 1), 500);
    campus.clock.advance(10 * MINUTE + 1);
    let void = till.record(SaleKind::Void { sequence: 1 }, 500);
    let reply = till.settle(&[sale, void]).await;
    assert_eq!(results(&reply), [SaleResult::Posted, SaleResult::Refused]);
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING - 500, 500));
}

#[tokio::test]
async fn taking_a_short_sale_back_frees_the_holder_of_the_debt() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    campus
        .platform
        .admin()
        .set_balance(STUDENT, 1, Fen::new(300))
        .await
        .unwrap();
    let sale = till.sale(phone.code(&credential, 1), 500);
    let void = till.record(SaleKind::Void { sequence: 1 }, 500);
    till.settle(&[sale]).await;
    assert!(!may_pay_offline(&till, credential.body.pseudonym).await);
    assert_eq!(results(&till.settle(&[void]).await), [SaleResult::Voided]);
    let books = audit(&campus).await;
    assert_eq!(
        (books.balance, books.receivable, books.earned[STALL]),
        (300, 0, 0)
    );
    assert!(may_pay_offline(&till, credential.body.pseudonym).await);
}

#[tokio::test]
async fn a_disputed_sale_that_is_taken_back_gives_the_school_its_money_back() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let code = phone.code(&credential, 1);
    let sales = [till.sale(code, 500), till.sale(code, 500)];
    till.settle(&sales).await;
    let void = till.record(SaleKind::Void { sequence: 2 }, 500);
    assert_eq!(results(&till.settle(&[void]).await), [SaleResult::Voided]);
    let books = audit(&campus).await;
    assert_eq!(
        (books.balance, books.earned[STALL], books.school_risk),
        (OPENING - 500, 500, 0)
    );
}

#[tokio::test]
async fn a_library_fee_is_paid_to_the_library() {
    let campus = TestPlatform::open().await;
    let (phone, credential, _) = cast(&campus).await;
    let mut desk = campus.terminal(TerminalKind::Library).await;
    let fee = desk.record(SaleKind::LibraryFee(phone.code(&credential, 1)), 150);
    assert_eq!(results(&desk.settle(&[fee]).await), [SaleResult::Posted]);
    let bills = bills(&phone).await;
    assert_eq!(
        (bills[0].kind, bills[0].amount),
        (PaymentKind::LibraryFee, Fen::new(-150))
    );
    let books = audit(&campus).await;
    assert_eq!(
        (books.balance, books.earned[STALL], books.earned[LIBRARY]),
        (OPENING - 150, 0, 150)
    );
}

#[tokio::test]
async fn a_record_that_does_not_follow_the_one_before_it_is_posted_and_reported() {
    let campus = TestPlatform::open().await;
    let (phone, credential, mut till) = cast(&campus).await;
    let first = till.sale(phone.code(&credential, 1), 500);
    till.previous = [7; 32];
    let second = till.sale(phone.code(&credential, 2), 500);
    let reply = till.settle(&[first, second]).await;
    assert_eq!(results(&reply), [SaleResult::Posted; 2]);
    let books = audit(&campus).await;
    assert_eq!((books.balance, books.earned[STALL]), (OPENING - 1_000, 1_000));
    assert_eq!(books.alarms, [("chain_broken".to_owned(), 1)]);
}
