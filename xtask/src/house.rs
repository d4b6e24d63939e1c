//! The house rules that no linter knows: files stay short enough to read, every Rust file says what it is, and nothing
//! is left for later in a comment.

use std::fs;
use std::path::Path;

use crate::error::Error;
use crate::workspace::Workspace;

/// A source file longer than this has more than one idea in it.
const MAX_LINES: usize = 600;

/// Words that promise work instead of doing it. Put together here, so that this file isn't among those found.
const PROMISES: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("unimpl", "emented"),
];

/// Checks every source file of the tree and prints each place that breaks a rule.
pub(crate) fn check(workspace: &Workspace) -> Result<(), Error> {
    let mut count = 0;
    for file in workspace.files(&["rs", "kt", "swift", "py"])? {
        let text = fs::read_to_string(workspace.path("").join(&file)).map_err(|source| Error::File {
            path: file.clone(),
            source,
        })?;
        for finding in findings(&file, &text) {
            eprintln!("{}: {finding}", file.display());
            count += 1;
        }
    }
    if count == 0 {
        Ok(())
    } else {
        Err(Error::House(count))
    }
}

fn findings(file: &Path, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES {
        findings.push(format!(
            "{lines} lines; more than {MAX_LINES} are hard to read, so divide it"
        ));
    }
    if file.extension().is_some_and(|extension| extension == "rs") && !text.starts_with("//!") {
        findings.push("begins without a `//!` paragraph that says what lives here".to_owned());
    }
    for (number, line) in text.lines().enumerate() {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        if let Some(word) = words.find(|word| PROMISES.contains(word)) {
            findings.push(format!(
                "line {}: `{word}`; do it now or open an issue",
                number + 1
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(file: &str, text: &str) -> Vec<String> {
        findings(Path::new(file), text)
    }

    #[test]
    fn a_rust_file_without_an_opening_paragraph_is_found() {
        assert_eq!(check_text("a.rs", "// No.\nfn a() {}\n").len(), 1);
    }

    #[test]
    fn a_file_one_line_too_long_is_found() {
        assert_eq!(check_text("a.py", &"x = 1\n".repeat(MAX_LINES + 1)).len(), 1);
        assert!(check_text("a.py", &"x = 1\n".repeat(MAX_LINES)).is_empty());
    }

    #[test]
    fn a_promise_is_found_where_it_stands() {
        for promise in PROMISES {
            let found = check_text("a.kt", &format!("val a = 1\n// {promise}: later\n"));
            assert_eq!(found.len(), 1);
            assert!(found[0].starts_with("line 2:"), "{found:?}");
        }
    }

    #[test]
    fn a_longer_word_that_contains_a_promise_is_none() {
        let text = format!("val {}_LIST = 1\nval MAS{}_ = 2\n", PROMISES[0], PROMISES[0]);
        assert!(check_text("a.kt", &text).is_empty());
    }

    #[test]
    fn a_short_file_that_says_what_it_is_passes() {
        assert!(check_text("a.rs", "//! What lives here.\nfn a() {}\n").is_empty());
    }
}
