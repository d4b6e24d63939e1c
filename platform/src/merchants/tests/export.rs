//! Files: what is in them, and how they are asked for.

use super::*;

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The cells of a CSV without quotes in it.
fn cells(reply: &Reply) -> Vec<Vec<String>> {
    let text = String::from_utf8(reply.body.clone()).unwrap();
    let text = text.strip_prefix('\u{feff}').unwrap();
    text.lines()
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

#[tokio::test]
async fn a_file_has_the_payments_that_make_up_the_income() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    world.pay(1_250).await;
    let last = world.pay(300).await;
    let owner = world.as_owner().await;
    let _voided: StallPayment = void(&owner, 1, last.id, Uuid::new_v4()).await.ok();
    let reply = owner.get("/v1/merchants/1/export?what=payments&format=csv").await;
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        reply
            .header("content-disposition")
            .contains("stall-1-payments-2026-11-18-2026-11-18.csv")
    );
    let rows = cells(&reply);
    assert_eq!(rows.len(), 3);
    let income: Vec<_> = rows[1..]
        .iter()
        .map(|row| (row[4].as_str(), row[5].as_str(), row[6].as_str()))
        .collect();
    assert_eq!(income, [("voided", "3.00", "0.00"), ("paid", "12.50", "12.50")]);
    assert!(
        rows[2][0].starts_with("2026-11-18T19:06:41+08:00"),
        "{:?}",
        rows[2]
    );

    let income = owner.get("/v1/merchants/1/export").await;
    let rows = cells(&income);
    assert_eq!(rows[1][..5], ["2026-11-18", "19", "1", "POS 1", "purchase"]);
    assert_eq!(rows[1].last().unwrap(), "12.50");
    let events = campus.platform.admin().merchant_events(STALL).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.what == "exported").count(), 2);
}

#[tokio::test]
async fn a_workbook_is_asked_for_by_name_or_by_what_is_accepted() {
    let campus = TestPlatform::open().await;
    let mut world = World::new(&campus).await;
    world.pay(1_250).await;
    let owner = world.as_owner().await;
    let path = "/v1/merchants/1/export";
    let by_name = owner.get(&format!("{path}?format=xlsx")).await;
    let accepting = |what: &str| [("accept", what.to_owned())];
    let by_header = owner
        .request((Method::GET, path), &accepting(XLSX), Vec::new())
        .await;
    for reply in [&by_name, &by_header] {
        assert_eq!(reply.header("content-type"), XLSX);
        assert_eq!(reply.body[..4], *b"PK\x03\x04");
    }
    for accept in ["*/*", "text/csv", &format!("text/csv, {XLSX}")] {
        let reply = owner
            .request((Method::GET, path), &accepting(accept), Vec::new())
            .await;
        assert_eq!(
            reply.header("content-type"),
            "text/csv; charset=utf-8",
            "{accept}"
        );
    }
}
