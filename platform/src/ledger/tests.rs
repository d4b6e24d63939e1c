//! The ledger against a real database: sums stay zero, balances equal postings, booked rows never change.

use super::*;
use crate::db::{Connection, Db, transact};
use crate::testing::TestDatabase;
use proptest::prelude::*;
use sqlx::Row as _;
use yika_api::LocalizedText;

const AT: UnixMillis = UnixMillis(1_795_000_000_000);

struct Books {
    _database: TestDatabase,
    db: Db,
    merchant: AccountId,
    funding: AccountId,
    holders: Vec<HolderFunds>,
}

async fn books() -> Books {
    let database = TestDatabase::new().await;
    let db = database.open().await;
    let opened: Result<_> = transact!(db.writer(), |tx| { open_accounts(tx).await });
    let (merchant, funding, holders) = opened.unwrap();
    Books {
        _database: database,
        db,
        merchant,
        funding,
        holders,
    }
}

async fn open_accounts(tx: &mut Connection) -> Result<(AccountId, AccountId, Vec<HolderFunds>)> {
    sqlx::query("INSERT INTO merchant (id, name_zh, name_en, created_at) VALUES (1, '一', 'One', 0)")
        .execute(&mut *tx)
        .await
        .unwrap();
    let blank = NewAccount {
        public_id: uuid::Uuid::new_v4(),
        kind: AccountKind::Funding,
        holder: None,
        slot: None,
        card_account: None,
        merchant: None,
        name: LocalizedText {
            zh: "账".into(),
            en: "Account".into(),
        },
    };
    let open = |change: NewAccount| NewAccount {
        public_id: uuid::Uuid::new_v4(),
        ..change
    };
    let funding = create_account(tx, &blank).await.unwrap();
    let merchant = NewAccount {
        kind: AccountKind::Merchant,
        merchant: Some(1),
        ..blank.clone()
    };
    let merchant = create_account(tx, &open(merchant)).await.unwrap();
    let mut holders = Vec::new();
    for id in 1..=3_i64 {
        sqlx::query(
            "INSERT INTO holder (id, subject, number, name, class, status, created_at) \
             VALUES ($1, $2, $2, 'n', 1, 'active', 0)",
        )
        .bind(id)
        .bind(id.to_string())
        .execute(&mut *tx)
        .await
        .unwrap();
        let card = NewAccount {
            kind: AccountKind::Card,
            holder: Some(id),
            slot: Some(1),
            ..blank.clone()
        };
        let card = create_account(tx, &open(card)).await.unwrap();
        let receivable = NewAccount {
            kind: AccountKind::Receivable,
            holder: Some(id),
            card_account: Some(card),
            ..blank.clone()
        };
        let receivable = create_account(tx, &open(receivable)).await.unwrap();
        holders.push(HolderFunds::new(card, receivable, Fen::ZERO, Fen::ZERO));
    }
    Ok((merchant, funding, holders))
}

/// Books these in one transaction.
async fn commit(db: &Db, bookings: &[Booking]) -> Result<TransactionId> {
    transact!(db.writer(), |tx| { book(tx, bookings).await })
}

fn against(mut postings: Vec<Posting>, account: AccountId, amount: i64) -> Vec<Posting> {
    postings.push(Posting {
        account,
        amount: Fen::new(amount),
    });
    postings
}

#[test]
fn postings_that_do_not_sum_to_zero_are_never_booked() {
    let posting = |account, amount| Posting {
        account: AccountId(account),
        amount: Fen::new(amount),
    };
    for postings in [
        vec![],
        vec![posting(1, 5)],
        vec![posting(1, 5), posting(2, -4)],
        vec![posting(1, 0)],
    ] {
        assert!(matches!(
            Booking::new(TransactionKind::Sale, AT, postings),
            Err(Error::Unbalanced)
        ));
    }
    let overflow = vec![posting(1, i64::MAX), posting(2, 1)];
    assert!(matches!(
        Booking::new(TransactionKind::Sale, AT, overflow),
        Err(Error::Amount(_))
    ));
}

#[tokio::test]
async fn what_was_booked_cannot_be_changed_or_deleted() {
    let books = books().await;
    let mut holder = books.holders[0];
    let postings = against(holder.credit(Fen::new(100)).unwrap(), books.funding, -100);
    let deposit = Booking::new(TransactionKind::Deposit, AT, postings).unwrap();
    commit(&books.db, &[deposit]).await.unwrap();
    for sql in [
        "UPDATE posting SET amount = 1",
        "DELETE FROM posting",
        "UPDATE ledger_transaction SET kind = 'void'",
        "DELETE FROM ledger_transaction",
    ] {
        let mut tx = books.db.writer().begin().await.unwrap();
        let refused = sqlx::query(sql).execute(&mut *tx).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn the_database_refuses_a_card_account_below_zero() {
    let books = books().await;
    let card = Posting {
        account: books.holders[0].card(),
        amount: Fen::new(-1),
    };
    let booking = Booking::new(TransactionKind::Sale, AT, against(vec![card], books.merchant, 1)).unwrap();
    assert!(matches!(
        commit(&books.db, &[booking]).await,
        Err(Error::Database(_))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_sequence_keeps_the_grand_sum_zero_and_balances_equal_to_postings(
        batches in proptest::collection::vec(
            proptest::collection::vec((0_usize..3, any::<bool>(), 1_i64..50_000), 1..20), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut books = books().await;
            let mut postings_made = 0_i64;
            for batch in batches {
                let mut bookings = Vec::new();
                for (who, is_sale, amount) in batch {
                    let holder = &mut books.holders[who];
                    bookings.push(if is_sale {
                        let charge = holder.charge(Fen::new(amount)).unwrap();
                        Booking::new(TransactionKind::Sale, AT, against(charge.postings, books.merchant, amount))
                    } else {
                        let credit = holder.credit(Fen::new(amount)).unwrap();
                        Booking::new(TransactionKind::Deposit, AT, against(credit, books.funding, -amount))
                    }.unwrap());
                }
                postings_made += bookings.iter().map(|b| i64::try_from(b.postings.len()).unwrap()).sum::<i64>();
                commit(&books.db, &bookings).await.unwrap();
            }
            let mut reader = books.db.read().await.unwrap();
            let totals = totals(&mut reader).await.unwrap();
            assert_eq!(totals.iter().map(|total| total.sum.get()).sum::<i64>(), 0);
            assert!(totals.iter().all(|total| total.sum == total.postings), "{totals:?}");
            let versions = sqlx::query("SELECT CAST(SUM(version) AS BIGINT) FROM ledger_account")
                .fetch_one(&mut *reader).await.unwrap().get::<i64, _>(0);
            assert_eq!(versions, postings_made);
            for holder in &books.holders {
                let row = sqlx::query(
                    "SELECT c.balance + r.balance FROM ledger_account c JOIN ledger_account r ON r.card_account = c.id \
                     WHERE c.id = $1",
                ).bind(holder.card().0).fetch_one(&mut *reader).await.unwrap();
                assert_eq!(row.get::<i64, _>(0), holder.net().unwrap().get());
            }
        });
    }
}
