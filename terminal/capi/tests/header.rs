//! The committed header is the one that the code makes.

// Helpers of tests stop where a test would.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use cbindgen::{Builder, Config, EnumConfig, Language, RenameRule, Style};

/// The header, made from the sources.
fn header() -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let config = Config {
        language: Language::C,
        cpp_compat: true,
        include_guard: Some("YIKA_TERMINAL_H".to_owned()),
        header: Some(
            "/* The Yika terminal in C: verifies campus codes offline. Generated from the Rust sources; do not edit. */"
                .to_owned(),
        ),
        no_includes: true,
        sys_includes: vec!["stdbool.h".to_owned(), "stdint.h".to_owned()],
        style: Style::Type,
        enumeration: EnumConfig {
            rename_variants: RenameRule::QualifiedScreamingSnakeCase,
            ..EnumConfig::default()
        },
        ..Config::default()
    };
    let mut made = Vec::new();
    Builder::new()
        .with_config(config)
        .with_src(source)
        .generate()
        .unwrap()
        .write(&mut made);
    String::from_utf8(made).unwrap()
}

#[test]
fn the_committed_header_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/yika_terminal.h");
    let made = header();
    if std::env::var_os("YIKA_WRITE_HEADER").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        made,
        "run `YIKA_WRITE_HEADER=1 cargo test -p yika-terminal-capi --test header` and commit the header"
    );
}
