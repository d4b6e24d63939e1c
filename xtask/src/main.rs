//! The project's own commands, run as `cargo xtask COMMAND`. Here is only the table of commands and how one is found
//! in it; each command lives in a file of its own. A new command is one function and one row.

mod bench;
mod bindings;
mod demo;
mod error;
mod face_eval;
mod fmt;
mod house;
mod postgres;
mod process;
mod programs;
mod report;
mod stages;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use error::Error;
use workspace::Workspace;

/// One row of the command table.
struct Subcommand {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&Workspace, &[String]) -> Result<(), Error>,
}

const COMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "demo",
        usage: "demo [--keep]",
        about: "play the main job with the real programs on loopback; --keep leaves the sandbox running",
        run: demo::run,
    },
    Subcommand {
        name: "test",
        usage: "test [--all] [--long] [STAGE…]",
        about: "run every stage this machine has the tools for; --all installs them and forgives no gap",
        run: test::run,
    },
    Subcommand {
        name: "bench",
        usage: "bench [--quick] [--save] [NAME…]",
        about: "measure speed, memory and size beside references; --save writes docs/performance.md",
        run: bench::run,
    },
    Subcommand {
        name: "bindings",
        usage: "bindings",
        about: "generate Kotlin and Swift from the library into target/bindings",
        run: bindings::run,
    },
    Subcommand {
        name: "face-eval",
        usage: "face-eval DIR",
        about: "judge the photos that a folder's manifest.csv names; count, and draw them on a sheet",
        run: face_eval::run,
    },
    Subcommand {
        name: "fmt",
        usage: "fmt",
        about: "format all Rust and hand-written Kotlin",
        run: fmt::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Usage(text)) => {
            eprintln!("{text}\n\n{}", usage());
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<(), Error> {
    let Some((name, rest)) = arguments.split_first() else {
        return Err(Error::Usage("which command?".to_owned()));
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        println!("{}", usage());
        return Ok(());
    }
    let command = COMMANDS
        .iter()
        .find(|command| command.name == name)
        .ok_or_else(|| Error::Usage(format!("there is no command `{name}`")))?;
    (command.run)(&Workspace::find()?, rest)
}

fn usage() -> String {
    let width = COMMANDS
        .iter()
        .map(|command| command.usage.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = "usage: cargo xtask COMMAND\n".to_owned();
    for command in COMMANDS {
        text.push_str(&format!("\n  {:width$}  {}", command.usage, command.about));
    }
    text.push_str("\n\nstages of `test`:");
    for stage in stages::ALL {
        text.push_str(&format!("\n  {:width$}  {}", stage.name, stage.about));
    }
    text
}
