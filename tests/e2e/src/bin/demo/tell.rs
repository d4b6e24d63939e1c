//! What the demo prints, and the checks before each line.

use serde_json::Value;
use yika_e2e::{Error, Result, Verdict};

/// A heading.
pub(crate) fn chapter(title: &str) {
    println!("\n{title}");
}

/// One thing that happened, with what came of it.
pub(crate) fn line(what: &str, outcome: impl std::fmt::Display) {
    // Chinese characters take two columns of a terminal.
    let columns: usize = what
        .chars()
        .map(|character| if character >= '\u{2e80}' { 2 } else { 1 })
        .sum();
    let dots = ".".repeat(64_usize.saturating_sub(columns).max(2));
    println!("  {what} {dots} {outcome}");
}

/// Prints an approval; a refusal ends the demo.
pub(crate) fn approved(what: &str, verdict: Verdict) -> Result<Value> {
    let answer = verdict.approved().map_err(|error| Error::answer(what, error))?;
    match answer["amount"].as_str() {
        Some(amount) => line(what, format_args!("approved ¥{amount}")),
        None => line(what, "approved"),
    }
    Ok(answer)
}

/// Prints a refusal for this reason; anything else ends the demo.
pub(crate) fn refused(what: &str, reason: &str, verdict: Verdict) -> Result<()> {
    let found = verdict.refused().map_err(|error| Error::answer(what, error))?;
    if found != reason {
        return Err(Error::answer(format!("{what}: expected {reason}"), found));
    }
    line(what, format_args!("refused: {found}"));
    Ok(())
}

/// Prints a value that must be this one; anything else ends the demo.
pub(crate) fn expect(
    what: &str,
    expected: impl std::fmt::Display,
    found: impl std::fmt::Display,
) -> Result<()> {
    let (expected, found) = (expected.to_string(), found.to_string());
    if found != expected {
        return Err(Error::answer(format!("{what}: expected {expected}"), found));
    }
    line(what, found);
    Ok(())
}

/// An amount of fen as yuan.
pub(crate) fn yuan(fen: i64) -> String {
    let (sign, fen) = (if fen < 0 { "-" } else { "" }, fen.unsigned_abs());
    format!("{sign}¥{}.{:02}", fen / 100, fen % 100)
}
