//! The table at the end of a test run: each stage, how it ended, how long it took, and how long it may take on a
//! machine with two cores and nothing built yet. Going over a budget is shown, not failed: machines differ.

use std::fmt;
use std::time::Duration;

/// How a stage ended.
pub(crate) enum Outcome {
    Passed,
    /// It ran, or should have, and the text says what was wrong.
    Failed(String),
    /// It couldn't run here, and the text says what is missing and where to get it.
    Skipped(String),
}

/// One row of the table.
pub(crate) struct Row {
    pub(crate) stage: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) elapsed: Duration,
    pub(crate) budget_minutes: u32,
}

/// All rows, in the order of the run.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds a stage that has ended.
    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// How many stages failed.
    pub(crate) fn failures(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failed(_)))
    }

    /// How many stages were skipped.
    pub(crate) fn skips(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Skipped(_)))
    }

    fn count(&self, wanted: fn(&Outcome) -> bool) -> usize {
        self.rows.iter().filter(|row| wanted(&row.outcome)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:16} {:8} {:>7} {:>6}",
            "stage", "result", "minutes", "budget"
        )?;
        for row in &self.rows {
            let (result, note) = match &row.outcome {
                Outcome::Passed => ("passed", ""),
                Outcome::Failed(why) => ("FAILED", why.as_str()),
                Outcome::Skipped(why) => ("skipped", why.as_str()),
            };
            let minutes = minutes(row.elapsed);
            let over = if minutes > f64::from(row.budget_minutes) {
                "over its budget"
            } else {
                ""
            };
            let notes = [note, over]
                .into_iter()
                .filter(|note| !note.is_empty())
                .collect::<Vec<_>>()
                .join("; ");
            let line = format!(
                "{:16} {result:8} {minutes:>7.1} {:>6}  {notes}",
                row.stage, row.budget_minutes
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        let total = self.rows.iter().map(|row| row.elapsed).sum();
        let budget: u32 = self.rows.iter().map(|row| row.budget_minutes).sum();
        write!(f, "{:25} {:>7.1} {budget:>6}", "total", minutes(total))
    }
}

fn minutes(duration: Duration) -> f64 {
    duration.as_secs_f64() / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(stage: &'static str, outcome: Outcome, seconds: u64) -> Row {
        Row {
            stage,
            outcome,
            elapsed: Duration::from_secs(seconds),
            budget_minutes: 2,
        }
    }

    #[test]
    fn passes_skips_and_failures_are_told_apart() {
        let mut report = Report::default();
        report.push(row("a", Outcome::Passed, 1));
        report.push(row(
            "b",
            Outcome::Skipped("mvn (apt-get install maven)".to_owned()),
            0,
        ));
        assert_eq!((report.failures(), report.skips()), (0, 1));
        report.push(row("c", Outcome::Failed("clippy".to_owned()), 1));
        assert_eq!((report.failures(), report.skips()), (1, 1));
    }

    #[test]
    fn the_table_shows_reasons_budgets_and_the_total() {
        let mut report = Report::default();
        report.push(row("lint", Outcome::Failed("failed: clippy".to_owned()), 150));
        report.push(row(
            "kotlin",
            Outcome::Skipped("mvn (apt-get install maven)".to_owned()),
            0,
        ));
        let expected = "\
stage            result   minutes budget
lint             FAILED       2.5      2  failed: clippy; over its budget
kotlin           skipped      0.0      2  mvn (apt-get install maven)
total                         2.5      4";
        assert_eq!(report.to_string(), expected);
    }
}
