//! Stalls from a card's point of view, against a platform that is as strict and as faulty as a test wants.

use super::*;
use crate::testing::platform::Fault;
use crate::testing::stalls::{SALE, STALL};
use crate::testing::{TestPhone, block_on};
use yika_api::{Fen, ProblemCode};

const REFUND: &str = "POST /v1/merchants/7/payments/00000000-0000-0000-0000-000000005a1e/refund";

fn days() -> StallDays {
    StallDays::default()
}

#[test]
fn without_a_card_there_are_no_stalls() {
    let card = TestPhone::new().open();
    let known = block_on(card.merchant().known_stalls());
    assert_eq!(known.unwrap_err().code(), "not_bound");
}

#[test]
fn what_was_told_is_kept_with_its_time_for_when_there_is_no_network() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let service = card.merchant();
    assert_eq!(block_on(service.known_stalls()).unwrap(), None);
    assert_eq!(block_on(service.known_income(STALL, days())).unwrap(), None);
    let stalls = block_on(service.stalls()).unwrap();
    let income = block_on(service.income(STALL, days())).unwrap();
    let payments = block_on(service.payments(STALL, days(), None)).unwrap();
    let statements = block_on(service.statements(STALL, None)).unwrap();
    phone.advance(60_000);
    phone.platform.unplug();
    assert_eq!(
        block_on(service.income(STALL, days())).unwrap_err().code(),
        "network"
    );
    assert_eq!(block_on(service.known_stalls()).unwrap(), Some(stalls));
    let known = block_on(service.known_income(STALL, days())).unwrap();
    assert_eq!(known.as_ref(), Some(&income));
    assert_eq!(
        block_on(service.known_payments(STALL, days())).unwrap(),
        Some(payments)
    );
    assert_eq!(
        block_on(service.known_statements(STALL)).unwrap(),
        Some(statements)
    );
    let other = StallDays {
        from: Some("2026-11-17".to_owned()),
        ..days()
    };
    assert_eq!(block_on(service.known_income(STALL, other)).unwrap(), None);
}

#[test]
fn who_works_there_no_more_keeps_nothing_of_it() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let service = card.merchant();
    block_on(service.stalls()).unwrap();
    block_on(service.income(STALL, days())).unwrap();
    block_on(service.payments(STALL, days(), None)).unwrap();
    phone.platform.campus().stalls.role = None;
    let refused = block_on(service.income(STALL, days()));
    assert_eq!(refused.unwrap_err().code(), "refused");
    assert_eq!(block_on(service.known_income(STALL, days())).unwrap(), None);
    assert_eq!(block_on(service.known_payments(STALL, days())).unwrap(), None);
    assert!(
        block_on(service.known_stalls())
            .unwrap()
            .unwrap()
            .stalls
            .is_empty()
    );
}

#[test]
fn a_refund_whose_reply_is_lost_waits_and_is_one() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let service = card.merchant();
    // The first try and its two retries.
    for _ in 0..3 {
        phone.platform.fail(REFUND, Fault::LoseReply);
    }
    let amount = Fen::new(500);
    assert_eq!(block_on(service.refund(STALL, SALE, amount, None)).unwrap(), None);
    let waiting = block_on(service.waiting()).unwrap();
    assert_eq!((waiting.len(), waiting[0].payment_id), (1, SALE));
    let twice = block_on(service.refund(STALL, SALE, amount, None));
    assert_eq!(twice.unwrap_err().code(), "refund_under_way");
    block_on(card.synchronise()).unwrap();
    assert!(block_on(service.waiting()).unwrap().is_empty());
    assert_eq!(phone.platform.campus().stalls.sale.refunded, amount);
}

#[test]
fn a_refund_that_waits_outlives_the_process_and_says_why_it_was_refused() {
    let phone = TestPhone::new();
    let card = phone.bound();
    phone
        .platform
        .fail(REFUND, Fault::Problem(ProblemCode::SessionExpired));
    phone
        .platform
        .fail(REFUND, Fault::Problem(ProblemCode::SessionExpired));
    let refunded = block_on(card.merchant().refund(STALL, SALE, Fen::new(1_200), None));
    assert_eq!(refunded.unwrap(), None);
    drop(card);
    phone.platform.campus().stalls.sale.refunded = Fen::new(1_200);
    let card = phone.open();
    block_on(card.synchronise()).unwrap();
    let waiting = block_on(card.merchant().waiting()).unwrap();
    assert_eq!(waiting[0].refusal.as_deref(), Some("not_refundable"));
    block_on(card.merchant().discard(waiting[0].id)).unwrap();
    assert!(block_on(card.merchant().waiting()).unwrap().is_empty());
}

#[test]
fn what_the_platform_refuses_at_once_does_not_wait() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let service = card.merchant();
    let refused = block_on(service.void_sale(STALL, SALE, None)).unwrap_err();
    assert_eq!((refused.code(), refused.retryable()), ("not_voidable", false));
    phone
        .platform
        .fail(REFUND, Fault::Problem(ProblemCode::AmountOutOfRange));
    let refused = block_on(service.refund(STALL, SALE, Fen::new(1_300), None)).unwrap_err();
    assert_eq!(refused.code(), "amount_out_of_range");
    assert!(block_on(service.waiting()).unwrap().is_empty());
}

#[test]
fn a_file_comes_as_it_is() {
    let phone = TestPhone::new();
    let card = phone.bound();
    let service = card.merchant();
    let export = service.export(
        STALL,
        StallDays {
            from: Some("2026-11-18".to_owned()),
            ..days()
        },
        StallExportOf::Income,
        StallExportFormat::Csv,
    );
    let export = block_on(export).unwrap();
    assert_eq!(
        (
            export.file_name.as_str(),
            export.media_type.as_str(),
            export.bytes.as_slice()
        ),
        ("stall-7-income-2026-11-18.csv", "text/csv", &b"day\r\n"[..])
    );
}
