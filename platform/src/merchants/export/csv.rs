//! A sheet as comma-separated values: RFC 4180, UTF-8 with a byte order mark (else Excel takes it for another encoding).

use super::{Sheet, Value};

pub(super) fn write(sheet: &Sheet) -> Vec<u8> {
    let mut table = "\u{feff}".to_owned();
    push(&mut table, sheet.head.iter().map(|head| text(head)));
    for row in &sheet.rows {
        push(&mut table, row.iter().map(cell));
    }
    table.into_bytes()
}

fn push(table: &mut String, cells: impl Iterator<Item = String>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            table.push(',');
        }
        table.push_str(&cell);
    }
    table.push_str("\r\n");
}

fn cell(value: &Value) -> String {
    match value {
        Value::Text(value) => text(value),
        Value::Count(count) => count.to_string(),
        Value::Yuan(amount) => amount.to_string(),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use yika_api::Fen;

    #[test]
    fn a_label_cannot_put_a_formula_or_a_column_into_somebodys_spreadsheet() {
        let sheet = Sheet {
            name: "s",
            head: vec!["label", "yuan", "count"],
            rows: vec![vec![
                Value::text("=HYPERLINK(\"http://x\"),a"),
                Value::Yuan(Fen::new(-1_250)),
                Value::Count(3),
            ]],
        };
        let expected = "\u{feff}label,yuan,count\r\n\"'=HYPERLINK(\"\"http://x\"\"),a\",-12.50,3\r\n";
        assert_eq!(String::from_utf8(write(&sheet)).unwrap(), expected);
    }
}
