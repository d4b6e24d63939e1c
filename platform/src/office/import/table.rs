//! A CSV file as rows of named columns, each with its line.

use super::{Fault, ImportKind};
use csv::{ReaderBuilder, StringRecord, Trim};

/// What spreadsheets put at the beginning of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A row, its columns found by name.
pub(super) struct Line<'a> {
    file: ImportKind,
    number: u64,
    record: StringRecord,
    places: &'a [usize],
    columns: &'static [&'static str],
}

impl Line<'_> {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// What stands in a column; nothing where the row ends before it.
    pub(super) fn get(&self, column: &'static str) -> &str {
        let place = self.columns.iter().position(|name| *name == column);
        let place = place.and_then(|place| self.places.get(place));
        place
            .and_then(|place| self.record.get(*place))
            .unwrap_or_default()
    }

    pub(super) fn fault(&self, why: impl Into<String>) -> Fault {
        Fault {
            file: self.file,
            line: self.number,
            why: why.into(),
        }
    }
}

/// Reads a file of exactly these columns, in any order, and makes of each row what `make` makes of it. Rows that are none become
/// faults, and the others are read on.
pub(super) fn read<T>(
    file: ImportKind,
    bytes: &[u8],
    columns: &'static [&'static str],
    faults: &mut Vec<Fault>,
    make: impl Fn(&Line<'_>) -> Result<T, Fault>,
) -> Vec<T> {
    let fault = |line: u64, why: String| Fault { file, line, why };
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else {
        let good = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let line = 1 + good.matches('\n').count() as u64;
        let why = "the file is not in UTF-8; save it as \"CSV UTF-8\"".to_owned();
        faults.push(fault(line, why));
        return Vec::new();
    };
    let mut reader = ReaderBuilder::new()
        .trim(Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let places = match reader.headers().map(|heading| places(heading, columns)) {
        Ok(Ok(places)) => places,
        Ok(Err(why)) => {
            faults.push(fault(1, why));
            return Vec::new();
        }
        Err(error) => {
            faults.push(fault(1, error.to_string()));
            return Vec::new();
        }
    };
    let mut made = Vec::new();
    for record in reader.into_records() {
        match record {
            // A row of commas alone, as spreadsheets leave them below the last.
            Ok(record) if record.iter().all(str::is_empty) => {}
            Ok(record) => {
                let line = Line {
                    file,
                    number: record.position().map_or(0, csv::Position::line),
                    record,
                    places: &places,
                    columns,
                };
                if line.record.len() > columns.len() {
                    faults.push(line.fault(format!(
                        "{} values for {} columns; put text with commas into quotation marks",
                        line.record.len(),
                        columns.len()
                    )));
                    continue;
                }
                match make(&line) {
                    Ok(row) => made.push(row),
                    Err(fault) => faults.push(fault),
                }
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                faults.push(fault(line, error.to_string()));
            }
        }
    }
    made
}

/// Where each column is, or why the heading is none.
fn places(heading: &StringRecord, columns: &[&str]) -> Result<Vec<usize>, String> {
    let is_right = heading.len() == columns.len();
    let found = columns
        .iter()
        .map(|column| heading.iter().position(|name| name.eq_ignore_ascii_case(column)));
    let found: Option<Vec<usize>> = found.collect();
    found
        .filter(|_| is_right)
        .ok_or_else(|| format!("the first line must be {}", columns.join(",")))
}
