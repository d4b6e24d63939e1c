//! How the program ends where there is no terminal: scripts depend on exit codes and on JSON for every failure.

#![cfg(target_os = "linux")]
// Helpers of tests stop where a test would.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use serde_json::Value;

fn run(home: &std::path::Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_yika-terminal"))
        .arg("--home")
        .arg(home)
        .args(words)
        .output()
        .unwrap()
}

#[test]
fn a_home_without_enrolment_is_wrong_usage_and_stays_empty() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("till");
    for words in [
        &["verify", "pay", "--amount", "12.50", "C1", "--json"][..],
        &["verify", "identity", "C1", "--json"],
        &["status", "--json"],
        &["sync", "--json"],
        &["upload", "--json"],
        &["void", "--json"],
        &["run", "--json"],
    ] {
        let output = run(&home, words);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["error"], "NOT_ENROLLED", "{words:?}");
    }
    assert!(!home.join("store.db").exists());
}

#[test]
fn arguments_that_make_no_sense_are_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        &["dance"][..],
        &["verify", "pay", "C1"],
        &["verify", "pay", "--amount", "12.505", "C1"],
        &["verify", "pay", "--amount", "0", "C1"],
        &["verify", "pay", "--amount", "1.00", "--sale", "7", "C1"],
        &["enroll", "--platform", "http://card.example.org", "--kind", "pos"],
        &[
            "enroll",
            "--platform",
            "https://card.example.org",
            "--kind",
            "kiosk",
        ],
    ] {
        let output = run(folder.path(), words);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{words:?}");
    }
}

#[test]
fn a_platform_that_is_not_there_could_not_be_reached() {
    // A port that was free a moment ago, and to which nothing listens.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let folder = tempfile::tempdir().unwrap();
    let platform = format!("http://127.0.0.1:{port}");
    let output = run(
        &folder.path().join("till"),
        &["enroll", "--platform", &platform, "--kind", "gate", "--json"],
    );
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["error"], "UNREACHABLE");
}
