//! `cargo xtask bindings`: generates Kotlin and Swift from the built library, with the options of `uniffi.toml`. The
//! generator reads the interface out of the library itself, so what is generated is always what is linked.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::Path;
use std::{fs, io};

use crate::error::Error;
use crate::process;
use crate::programs;
use crate::workspace::Workspace;

/// A language the generator can write.
#[derive(Clone, Copy)]
pub(crate) enum Language {
    Kotlin,
    Swift,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Self::Kotlin => "kotlin",
            Self::Swift => "swift",
        }
    }
}

/// Runs the command; it takes no arguments.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    if let Some(argument) = arguments.first() {
        return Err(Error::Usage(format!("`bindings` takes no `{argument}`")));
    }
    programs::build(workspace)?;
    for language in [Language::Kotlin, Language::Swift] {
        generate(
            workspace,
            language,
            &workspace.in_target("bindings").join(language.name()),
        )?;
    }
    Ok(())
}

/// Writes one language's sources into `directory`, in place of what was there.
pub(crate) fn generate(workspace: &Workspace, language: Language, directory: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(directory) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(Error::File {
                path: directory.to_owned(),
                source,
            });
        }
        _ => {}
    }
    let library = format!("{DLL_PREFIX}yika{DLL_SUFFIX}");
    process::run(
        workspace
            .command(workspace.build_dir().join("yika-bindgen"))
            .args(["generate", "--no-format", "--language", language.name()])
            .args(["--config", "uniffi.toml", "--out-dir"])
            .arg(directory)
            .arg(workspace.build_dir().join(library)),
    )
}
