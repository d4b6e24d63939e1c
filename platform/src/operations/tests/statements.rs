//! The bank's statement of a day against the books, and what the bank takes back or does against its word.

use super::*;
use crate::DifferenceKind;
use yika_api::bank::{Order, StatementRow};
use yika_api::operation::RefusalReason;

fn row(order: &Order, at: UnixMillis, is_reversal: bool) -> StatementRow {
    StatementRow {
        id: order.id,
        direction: order.direction,
        is_reversal,
        wallet: order.wallet,
        card_amount: order.card_amount,
        fee: order.fee,
        at,
        trace: "B1".to_owned(),
    }
}

const DAY: &str = "2026-11-18";

#[tokio::test]
async fn a_statement_ends_what_hangs_and_names_what_differs() {
    let campus = TestPlatform::open().await;
    let mut holder = holder(&campus).await;
    let recharge = campus.bank.heard().pop().unwrap();
    let credited = Uuid::new_v4();
    holder.send(credited, &holder.out_of_wallet(1_000)).await;
    let missing = Uuid::new_v4();
    holder.send(missing, &holder.out_of_wallet(500)).await;
    let hanging = Uuid::new_v4();
    campus.bank.weather(&[Fault::LostAfter]);
    assert_eq!(
        holder.send(hanging, &holder.out_of_both()).await.phase,
        Phase::Confirming
    );
    let heard = campus.bank.heard();
    let order = |id: Uuid| heard.iter().find(|order| order.id == id).unwrap().clone();
    let unknown = Order {
        id: Uuid::new_v4(),
        ..order(missing)
    };
    let other = Order {
        wallet: Fen::new(900),
        ..order(credited)
    };
    let statement = [
        row(&recharge, START, false),
        row(&other, START, false),
        row(&order(hanging), START, false),
        row(&unknown, START, false),
        row(&order(hanging), START, false),
    ];
    let admin = campus.platform.admin();
    let found = admin.reconcile(DAY, &statement).await.unwrap();
    assert_eq!(holder.operation(hanging).await.phase, Phase::Credited);
    assert_eq!((found.agreed, found.resolved), (2, vec![hanging]));
    let kinds: Vec<_> = found
        .differences
        .iter()
        .map(|found| (found.order, found.kind))
        .collect();
    let expected = [
        (credited, DifferenceKind::Amounts),
        (unknown.id, DifferenceKind::Extra),
        (hanging, DifferenceKind::Extra),
        (missing, DifferenceKind::Missing),
    ];
    assert_eq!(
        kinds.iter().collect::<BTreeSet<_>>(),
        expected.iter().collect::<BTreeSet<_>>()
    );
    for difference in &found.differences {
        let sum: i64 = difference.proposal.iter().map(|(_, amount)| amount.get()).sum();
        assert_eq!(sum, 0, "{difference}");
    }
    let again = admin.reconcile(DAY, &statement).await.unwrap();
    assert_eq!(
        (again.agreed, again.resolved.len(), again.differences.len()),
        (2, 0, 4)
    );
    assert!(admin.reconcile("yesterday", &[]).await.is_err());
    settle(&campus, &mut holder).await;
    check_books(&campus).await;
}

#[tokio::test]
async fn a_success_that_the_bank_took_back_leaves_card_wallet_and_bills_as_before() {
    let campus = TestPlatform::open().await;
    let holder = holder(&campus).await;
    let recharge = campus.bank.heard().pop().unwrap();
    let id = Uuid::new_v4();
    holder.send(id, &holder.out_of_both()).await;
    let order = campus.bank.heard().pop().unwrap();
    let rows = [
        row(&recharge, START, false),
        row(&order, START, false),
        row(&order, START, true),
    ];
    let found = campus.platform.admin().reconcile(DAY, &rows).await.unwrap();
    assert_eq!(
        (found.agreed, found.resolved, found.differences),
        (3, vec![id], vec![])
    );
    let end = holder.operation(id).await;
    assert_eq!(
        (end.phase, end.refusal.unwrap().reason),
        (Phase::Refunded, RefusalReason::ReversedByBank)
    );
    assert_eq!(holder.balances().await, (10_000, 6_000));
    check_books(&campus).await;
    // The recharge too, of which a part was spent: the wallet gives what it has, and somebody is told.
    assert_eq!(
        withdraw(&holder.phone, holder.card, 2_000).await.phase,
        Phase::Credited
    );
    let back = [row(&recharge, START, true)];
    campus.platform.admin().reconcile(DAY, &back).await.unwrap();
    assert_eq!(holder.balances().await, (10_000, 0));
    assert_eq!(
        campus.platform.admin().books().await.unwrap().alarms["wallet_short"],
        1
    );
    check_books(&campus).await;
}

#[tokio::test]
async fn a_bank_that_moved_money_after_it_refused_is_told_to_give_it_back_and_reported() {
    let campus = TestPlatform::open().await;
    let mut holder = holder(&campus).await;
    let id = Uuid::new_v4();
    campus
        .bank
        .weather(&[Fault::Refuses(RefusalReason::Insufficient)]);
    assert_eq!(holder.send(id, &holder.out_of_both()).await.phase, Phase::Refused);
    let order = campus.bank.heard().pop().unwrap();
    campus
        .platform
        .admin()
        .reconcile(DAY, &[row(&order, START, false)])
        .await
        .unwrap();
    let alarms = campus.platform.admin().books().await.unwrap().alarms;
    assert_eq!(alarms["bank_contradiction"], 1);
    assert_eq!(
        campus.platform.drive_due_operations().await.unwrap(),
        1,
        "give it back"
    );
    settle(&campus, &mut holder).await;
    assert_eq!(holder.operation(id).await.phase, Phase::Refused);
    assert_eq!(holder.balances().await, (10_000, 6_000));
}
