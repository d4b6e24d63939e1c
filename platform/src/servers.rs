//! Several servers on one PostgreSQL at once: what one of them hands out another accepts, what one does none does again.

mod away;

use crate::config::TerminalEnrolment;
use crate::db::transact;
use crate::error::{Error, Result};
use crate::testing::{ORIGIN, Reply, TestDatabase, TestPhone, TestPlatform, TestTerminal, credential, short};
use axum::http::{Method, StatusCode};
use futures_util::future::join_all;
use sqlx::Row as _;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use uuid::Uuid;
use yika_api::account::AccountList;
use yika_api::dpop::ProofClaims;
use yika_api::payment::{PaymentPage, PaymentStatus};
use yika_api::terminal::{SaleResult, SaleUploadReply, TerminalKind};
use yika_api::{Base64Url, DPOP, DPOP_NONCE, Fen, ProblemCode};
use yika_format::RecipientKey;
use yika_format::lists::{Revocations, Table};

async fn campus() -> TestPlatform {
    TestPlatform::open_on(TestDatabase::on_postgres().await, TerminalEnrolment::Open).await
}

/// The same phone, asking another server.
fn phone_at<'a>(phone: &TestPhone<'_>, campus: &'a TestPlatform) -> TestPhone<'a> {
    TestPhone {
        campus,
        session_key: phone.session_key.copy(),
        code_key: phone.code_key.copy(),
        tokens: phone.tokens.clone(),
    }
}

/// The same terminal, asking another server.
fn terminal_at<'a>(terminal: &TestTerminal<'_>, campus: &'a TestPlatform) -> TestTerminal<'a> {
    TestTerminal {
        campus,
        key: terminal.key.copy(),
        directory_key: RecipientKey::from_bytes(&terminal.directory_key.to_bytes()).unwrap(),
        enrolled: terminal.enrolled.clone(),
        ..*terminal
    }
}

async fn sums_are_zero(campus: &TestPlatform) {
    let books = campus.platform.admin().books().await.unwrap();
    assert_eq!(books.grand_sum, Fen::ZERO);
    assert!(
        books.accounts.iter().all(|total| total.sum == total.postings),
        "{:?}",
        books.accounts
    );
}

async fn count(campus: &TestPlatform, sql: &'static str) -> i64 {
    let mut reader = campus.platform.db().read().await.unwrap();
    sqlx::query(sql).fetch_one(&mut *reader).await.unwrap().get(0)
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn a_client_may_be_answered_by_another_server_each_time() {
    let one = campus().await;
    let two = one.twin().await;
    let phone = one.bind("20260001").await;
    let mut nonce = one
        .send(Method::GET, "/v1/time", &[], Vec::new())
        .await
        .header(DPOP_NONCE)
        .to_owned();
    for server in [&two, &one, &two, &two, &one] {
        let proof = proof(&phone, one.clock_now_s(), &nonce);
        let reply = get_accounts(server, &phone, &proof).await;
        reply.ok::<AccountList>();
        nonce = reply.header(DPOP_NONCE).to_owned();
        for other in [&one, &two] {
            let again = get_accounts(other, &phone, &proof).await;
            assert_eq!(again.problem().code, ProblemCode::InvalidDpopProof, "a copy");
        }
    }
}

fn proof(phone: &TestPhone<'_>, now_s: i64, nonce: &str) -> String {
    phone.session_key.proof(&ProofClaims {
        jti: Uuid::new_v4().to_string(),
        htm: "GET".to_owned(),
        htu: format!("{ORIGIN}/v1/accounts"),
        iat: now_s,
        nonce: Some(nonce.to_owned()),
        ath: Some(Base64Url::from(crate::random::sha256(phone.tokens.access_token.as_bytes())).encode()),
    })
}

async fn get_accounts(server: &TestPlatform, phone: &TestPhone<'_>, proof: &str) -> Reply {
    let headers = [
        (DPOP, proof.to_owned()),
        ("Authorization", format!("DPoP {}", phone.tokens.access_token)),
    ];
    server
        .send(Method::GET, "/v1/accounts", &headers, Vec::new())
        .await
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn when_the_database_has_lost_its_notes_every_proof_of_before_is_refused() {
    let one = campus().await;
    let two = one.twin().await;
    let phone = one.bind("20260001").await;
    let nonce = |server: &TestPlatform| server.platform.nonces().issue(server.platform.now());
    let before = nonce(&one);
    let used = proof(&phone, one.clock_now_s(), &before);
    get_accounts(&one, &phone, &used).await.ok::<AccountList>();
    // What recovery from a crash does to unlogged tables.
    let notes = one.platform.db().notes().unwrap();
    sqlx::raw_sql("TRUNCATE proof_key, proof_seen")
        .execute(notes)
        .await
        .unwrap();
    for server in [&two, &one] {
        let refused = get_accounts(server, &phone, &used).await;
        assert_eq!(refused.problem().code, ProblemCode::UseDpopNonce);
        let fresh = proof(&phone, one.clock_now_s(), refused.header(DPOP_NONCE));
        get_accounts(server, &phone, &fresh).await.ok::<AccountList>();
    }
    assert_ne!(nonce(&one), before);
    assert_eq!(nonce(&one), nonce(&two));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn a_thousand_requests_with_one_key_at_two_servers_have_one_effect_and_one_reply() {
    let one = campus().await;
    let two = one.twin().await;
    let phone = one.bind("20260001").await;
    let (there, operation) = (phone_at(&phone, &two), Uuid::new_v4());
    let request = &phone.enrol_request().await;
    let requests = (0..1000).map(|number| {
        let phone = [&phone, &there][number % 2];
        async move {
            // So many at once may be more than a slow machine answers in time. A client then asks again.
            for _ in 0..20 {
                let reply = phone.issue(operation, request).await;
                if reply.status != StatusCode::SERVICE_UNAVAILABLE {
                    return reply;
                }
            }
            phone.issue(operation, request).await
        }
    });
    // Held up until a crowd has gathered, of which none can have seen what another does.
    let watcher = one.twin().await;
    let gate = watcher.platform.db().lone_writer().begin().await.unwrap();
    let opening = async {
        let waiting = "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = 'write_gate'::regclass";
        while count(&watcher, waiting).await < 10 {
            tokio::task::yield_now().await;
        }
        drop(gate);
    };
    let (replies, ()) = futures_util::future::join(join_all(requests), opening).await;
    let replies: BTreeSet<Vec<u8>> = replies
        .into_iter()
        .map(|reply| {
            credential(&reply);
            reply.body
        })
        .collect();
    assert_eq!(replies.len(), 1);
    assert_eq!(count(&one, "SELECT COUNT(*) FROM enrolment").await, 1);
    assert_eq!(count(&one, "SELECT COUNT(*) FROM idempotency").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn an_upload_that_reaches_all_servers_at_once_is_settled_once() {
    let one = campus().await;
    let two = one.twin().await;
    let phone = one.bind("20260001").await;
    let enrolled = phone.enrol().await;
    let mut till = one.terminal(TerminalKind::Pos).await;
    let sales: Vec<_> = (1..=20)
        .map(|counter| till.sale(short(&phone.code(&enrolled, counter)), 100))
        .collect();
    let there = terminal_at(&till, &two);
    let uploads = (0..10).map(|number| [&till, &there][number % 2].upload(&sales));
    let mut first_time = 0;
    for reply in join_all(uploads).await {
        let reply: SaleUploadReply = reply.ok();
        assert_eq!((reply.outcomes.len(), reply.next_sequence), (20, 21));
        assert!(
            reply
                .outcomes
                .iter()
                .all(|outcome| outcome.result == SaleResult::Posted)
        );
        first_time += reply.outcomes.iter().filter(|outcome| !outcome.repeated).count();
    }
    assert_eq!(first_time, 20, "each record is new in one reply");
    let accounts: AccountList = phone.get("/v1/accounts").await.ok();
    assert_eq!(accounts.accounts[0].balance.amount, Fen::new(10_000 - 2_000));
    sums_are_zero(&one).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn servers_that_charge_and_fund_the_same_accounts_lose_nothing() {
    const TILLS: u16 = 6;
    const UPLOADS: u16 = 8;
    let one = campus().await;
    let two = one.twin().await;
    let servers = [&one, &two];
    let phones = [one.bind("20260001").await, one.bind("20260002").await];
    let cards = [phones[0].enrol().await, phones[1].enrol().await];
    let mut tills = Vec::new();
    for number in 0..usize::from(TILLS) {
        tills.push(servers[number % 2].terminal(TerminalKind::Pos).await);
    }
    let charging = tills.iter_mut().zip(0..).map(|(till, number): (_, u16)| {
        let (phones, cards) = (&phones, &cards);
        async move {
            for round in 0..UPLOADS {
                let sales: Vec<_> = [0, 1]
                    .map(|who: usize| {
                        let code = phones[who].code(&cards[who], 1 + number * UPLOADS + round);
                        till.sale(short(&code), 10)
                    })
                    .into();
                let reply = till.settle(&sales).await;
                assert!(
                    reply
                        .outcomes
                        .iter()
                        .all(|outcome| outcome.result == SaleResult::Posted)
                );
            }
        }
    });
    let funding = (0..40_usize).map(|number| {
        let admin = servers[number % 2].platform.admin();
        async move {
            admin
                .fund(["20260001", "20260002"][number / 2 % 2], 1, Fen::new(7))
                .await
        }
    });
    let (_, funded) = futures_util::future::join(join_all(charging), join_all(funding)).await;
    funded.into_iter().collect::<Result<Vec<_>>>().unwrap();

    let charged = i64::from(TILLS * UPLOADS) * 10;
    for (server, phone) in servers.into_iter().zip(&phones) {
        let phone = phone_at(phone, server);
        let accounts: AccountList = phone.get("/v1/accounts").await.ok();
        assert_eq!(
            accounts.accounts[0].balance.amount,
            Fen::new(10_000 - charged + 20 * 7)
        );
        let page: PaymentPage = phone.get("/v1/payments?limit=500").await.ok();
        // Two deposits of the opening, twenty more, and a bill of each sale.
        assert_eq!(page.payments.len(), 2 + 20 + usize::from(TILLS * UPLOADS));
        assert!(
            page.payments
                .iter()
                .all(|payment| payment.status == PaymentStatus::Posted)
        );
    }
    sums_are_zero(&one).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn servers_that_publish_at_once_publish_one_version() {
    let one = campus().await;
    let two = one.twin().await;
    let phone = one.bind("20260001").await;
    phone.enrol().await;
    one.platform.admin().suspend("20260001").await.unwrap();
    let here = one.terminal(TerminalKind::Gate).await;
    let there = terminal_at(&here, &two);
    let both = |path: &'static str| {
        let terminals = [&here, &there];
        join_all((0..20).map(move |number| terminals[number % 2].get(path)))
    };
    for reply in both("/v1/terminals/table").await {
        let table = Table::open(&reply.body, &one.keyset()).unwrap();
        assert_eq!((table.header().version, table.rows().count()), (1, 1));
    }
    let lists: BTreeSet<Vec<u8>> = both("/v1/terminals/revocations")
        .await
        .into_iter()
        .map(|reply| reply.body)
        .collect();
    assert_eq!(lists.len(), 1, "the same bytes from both");
    let list = Revocations::open(lists.first().unwrap(), &one.keyset()).unwrap();
    assert_eq!((list.header().version, list.entries().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn servers_that_start_at_once_make_one_set_of_keys_and_accounts() {
    let database = TestDatabase::on_postgres().await;
    let folder = tempfile::tempdir().unwrap();
    let starts = (0..6).map(|_| {
        let config = TestPlatform::config(&folder, &database, TerminalEnrolment::Open);
        crate::Platform::open(config)
    });
    let servers: Vec<_> = join_all(starts).await.into_iter().map(Result::unwrap).collect();
    for server in &servers {
        assert_eq!(server.keys().keyset, servers[0].keys().keyset);
        assert_eq!(server.admin().books().await.unwrap().accounts.len(), 6);
        server.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn a_transaction_that_another_came_between_is_run_again_whole() {
    let campus = campus().await;
    let db = campus.platform.db();
    let runs = AtomicUsize::new(0);
    let outcome: Result<i64> = transact!(db.writer(), |tx| {
        let read = sqlx::query("SELECT value FROM counter WHERE name = 'alarm'")
            .fetch_one(&mut *tx)
            .await?
            .get::<i64, _>(0);
        if runs.fetch_add(1, Ordering::SeqCst) == 0 {
            // Another writer changes what was read, and commits first.
            let other: Result<()> = transact!(db.writer(), |tx| {
                sqlx::query("UPDATE counter SET value = value + 10 WHERE name = 'alarm'")
                    .execute(tx)
                    .await?;
                Ok(())
            });
            other?;
        }
        sqlx::query("UPDATE counter SET value = $1 WHERE name = 'alarm'")
            .bind(read + 1)
            .execute(tx)
            .await?;
        Ok(read + 1)
    });
    assert_eq!((outcome.unwrap(), runs.into_inner()), (11, 2));
    let row = count(&campus, "SELECT value FROM counter WHERE name = 'alarm'").await;
    assert_eq!(
        row, 11,
        "nothing of the first run stayed, and nothing of the other was lost"
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn a_refusal_is_not_tried_again() {
    let campus = campus().await;
    let runs = AtomicUsize::new(0);
    let outcome: Result<()> = transact!(campus.platform.db().writer(), |tx| {
        runs.fetch_add(1, Ordering::SeqCst);
        sqlx::query("UPDATE counter SET value = 99 WHERE name = 'alarm'")
            .execute(tx)
            .await?;
        Err(Error::refused(ProblemCode::NotFound))
    });
    assert!(matches!(outcome, Err(Error::Refused(_))));
    assert_eq!(runs.into_inner(), 1);
    assert_eq!(
        count(&campus, "SELECT value FROM counter WHERE name = 'alarm'").await,
        0
    );
}

#[tokio::test]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn the_database_itself_refuses_to_commit_what_does_not_sum_to_zero() {
    let campus = campus().await;
    let outcome: Result<()> = transact!(campus.platform.db().writer(), |tx| {
        for sql in [
            "INSERT INTO ledger_transaction (id, kind, at) VALUES (1, 'sale', 0)",
            "INSERT INTO posting (transaction_id, line, account, amount) SELECT 1, id, id, 5 FROM ledger_account",
        ] {
            sqlx::query(sql).execute(&mut *tx).await?;
        }
        Ok(())
    });
    let refused = outcome.unwrap_err().to_string();
    assert!(refused.contains("sum to zero"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a PostgreSQL server: set YIKA_TEST_POSTGRES and run with --include-ignored"]
async fn a_request_that_goes_away_leaves_no_transaction_behind() {
    let campus = campus().await;
    let db = campus.platform.db();
    let open = async || {
        let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND state LIKE 'idle in transaction%'";
        let row = sqlx::query(sql).fetch_one(db.notes().unwrap()).await.unwrap();
        row.get::<i64, _>(0)
    };
    // Connected already, it goes away ever later: before, while and after the transaction is begun.
    drop(db.snapshot().await.unwrap());
    for patience in (1..8).cycle().take(40) {
        let (mut snapshot, mut polls) = (Box::pin(db.snapshot()), 0);
        std::future::poll_fn(|context| {
            polls += 1;
            match snapshot.as_mut().poll(context) {
                Poll::Pending if polls < patience => Poll::Pending,
                Poll::Pending | Poll::Ready(_) => Poll::Ready(()),
            }
        })
        .await;
        drop(snapshot);
        // Its connection goes back to the pool beside this test.
        let all_closed = async {
            while open().await > 0 {
                tokio::task::yield_now().await;
            }
        };
        let closed = tokio::time::timeout(std::time::Duration::from_secs(20), all_closed).await;
        assert!(closed.is_ok(), "a transaction stays open");
    }
}
