//! What a bench has to say: tables in Markdown, read as well on a terminal as in the documentation. Ratios come first,
//! each with the tenth that was lowest and the tenth that was highest cut off, and with its target where it has one.

use std::fmt::{self, Write as _};
use std::time::Duration;

use crate::harness::Samples;

/// Where a figure has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Target {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }

    /// Whether `value` is there, beside where it has to be: `≤ 10 ms: met`.
    pub(crate) fn verdict(self, value: f64, show: impl Fn(f64) -> String) -> String {
        let (sign, bound) = match self {
            Self::AtMost(bound) => ('≤', bound),
            Self::AtLeast(bound) => ('≥', bound),
        };
        let outcome = if self.is_met(value) { "met" } else { "**missed**" };
        format!("{sign} {}: {outcome}", show(bound))
    }
}

/// The text of one bench.
#[derive(Debug, Default)]
pub(crate) struct Report(String);

impl Report {
    /// Adds a table.
    pub(crate) fn table<const N: usize>(&mut self, head: [&str; N], rows: Vec<[String; N]>) {
        let widths: [usize; N] = std::array::from_fn(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([head[column].chars().count(), 3]).max().unwrap_or(0)
        });
        self.row(head, widths);
        self.row(widths.map(|width| "-".repeat(width)), widths);
        for row in rows {
            self.row(row, widths);
        }
        self.0.push('\n');
    }

    fn row<const N: usize>(&mut self, cells: [impl fmt::Display; N], widths: [usize; N]) {
        for (cell, width) in cells.into_iter().zip(widths) {
            // Text can always be written to.
            let _ = write!(self.0, "| {:width$} ", cell.to_string());
        }
        self.0.push_str("|\n");
    }

    /// Adds a paragraph.
    pub(crate) fn note(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push_str("\n\n");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.trim_end())
    }
}

/// A number with three digits that count.
pub(crate) fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Seconds in the unit that fits.
pub(crate) fn time(seconds: f64) -> String {
    let (value, unit) = match seconds.abs() {
        size if size >= 1.0 => (seconds, "s"),
        size if size >= 1e-3 => (seconds * 1e3, "ms"),
        size if size >= 1e-6 => (seconds * 1e6, "µs"),
        _ => (seconds * 1e9, "ns"),
    };
    format!("{} {unit}", digits(value))
}

/// A duration in the unit that fits.
pub(crate) fn duration(duration: Duration) -> String {
    time(duration.as_secs_f64())
}

/// A share in per cent.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", digits(share * 100.0))
}

/// The median, and between which values eight tenths lie.
pub(crate) fn spread(samples: &Samples, show: impl Fn(f64) -> String) -> String {
    let [low, middle, high] = [0.1, 0.5, 0.9].map(|share| show(samples.quantile(share)));
    format!("{middle} ({low} – {high})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let mut report = Report::default();
        report.table(["what", "µ"], vec![["a".to_owned(), "long one".to_owned()]]);
        let expected = "\
| what | µ        |
| ---- | -------- |
| a    | long one |";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn a_target_says_whether_it_is_met() {
        assert_eq!(Target::AtMost(1.2).verdict(1.2, digits), "≤ 1.20: met");
        assert_eq!(
            Target::AtLeast(0.95).verdict(0.94, percent),
            "≥ 95.0 %: **missed**"
        );
    }

    #[test]
    fn times_are_shown_in_their_unit() {
        let shown = [2.5, 0.0123, 45.6e-6, 7e-9].map(time);
        assert_eq!(shown, ["2.50 s", "12.3 ms", "45.6 µs", "7.00 ns"]);
    }
}
