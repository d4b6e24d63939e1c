//! Bills as a table that spreadsheets open: RFC 4180, UTF-8 with a byte order mark (else Excel takes it for another encoding).

use std::fmt::Write as _;

use serde::Serialize;
use yika_api::UnixMillis;

use super::model::Bill;

const HEAD: &str = "\u{feff}time,account,kind,status,amount_yuan,merchant,merchant_en,terminal,place,reference,refunded_yuan\r\n";

/// The table's beginning.
pub(super) fn head() -> String {
    HEAD.to_owned()
}

/// Adds a bill's row; times are those of a place that is `offset_s` seconds ahead of UTC.
pub(super) fn add_row(table: &mut String, bill: &Bill, offset_s: i32) {
    let merchant =
        |pick: fn(&yika_api::LocalizedText) -> &String| bill.merchant.as_ref().map_or("", |name| pick(name));
    let cells = [
        iso_time(bill.occurred_at, offset_s),
        bill.account_id.to_string(),
        name(&bill.kind),
        name(&bill.status),
        bill.amount.to_string(),
        text(merchant(|name| &name.zh)),
        text(merchant(|name| &name.en)),
        text(bill.terminal.as_deref().unwrap_or("")),
        text(bill.place.as_ref().map_or("", |place| &place.zh)),
        text(&bill.reference),
        bill.refunded.to_string(),
    ];
    table.push_str(&cells.join(","));
    table.push_str("\r\n");
}

/// A cell that is text whatever stands in it: what a spreadsheet would take for a formula gets an apostrophe before it.
fn text(value: &str) -> String {
    let guarded = match value.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{value}"),
        false => value.to_owned(),
    };
    match guarded.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", guarded.replace('"', "\"\"")),
        false => guarded,
    }
}

/// The stable name of a kind or a status, as the platform writes it.
fn name(variant: &impl Serialize) -> String {
    serde_json::to_value(variant)
        .ok()
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// ISO 8601 with the offset, such as `2026-11-18T12:00:00+08:00`.
fn iso_time(instant: UnixMillis, offset_s: i32) -> String {
    let local_s = instant.0.div_euclid(1000).saturating_add(offset_s.into());
    let (days, second) = (local_s.div_euclid(86_400), local_s.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (sign, offset) = (if offset_s < 0 { '-' } else { '+' }, offset_s.unsigned_abs() / 60);
    let mut time = String::with_capacity(25);
    // Writing to a string doesn't fail.
    let _ = write!(
        time,
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60,
        offset / 60,
        offset % 60
    );
    time
}

/// Year, month and day of a day counted from 1970-01-01: `civil_from_days` of Howard Hinnant's "chrono-Compatible Low-Level
/// Date Algorithms".
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::platform::{MAIN, payment};
    use yika_api::LocalizedText;

    #[test]
    fn times_are_those_of_the_place() {
        for (ms, offset_s, expected) in [
            (0, 0, "1970-01-01T00:00:00+00:00"),
            (1_795_017_600_999, 28_800, "2026-11-19T00:00:00+08:00"),
            (951_782_400_000, 0, "2000-02-29T00:00:00+00:00"),
            (-1, 0, "1969-12-31T23:59:59+00:00"),
            (0, -12_600, "1969-12-31T20:30:00-03:30"),
        ] {
            assert_eq!(iso_time(UnixMillis(ms), offset_s), expected);
        }
    }

    #[test]
    fn a_merchant_cannot_put_a_formula_or_a_column_into_somebodys_spreadsheet() {
        let mut bill = payment(1, MAIN, UnixMillis(0));
        bill.merchant = Some(LocalizedText {
            zh: "=HYPERLINK(\"http://x\")".to_owned(),
            en: "a, \"b\"".to_owned(),
        });
        let mut table = head();
        add_row(&mut table, &bill, 0);
        let row = table.lines().nth(1).unwrap();
        assert!(
            row.contains("\"'=HYPERLINK(\"\"http://x\"\")\",\"a, \"\"b\"\"\",,,R1"),
            "{row}"
        );
        // A negative amount stays a number.
        assert!(row.contains(",purchase,posted,-12.50,"), "{row}");
    }
}
