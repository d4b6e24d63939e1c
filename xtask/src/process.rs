//! Running other programs: their output goes straight through to ours, and a stage's steps go on after a failure, so
//! that one run shows everything there is to repair.

use std::process::{Command, Stdio};

use crate::error::Error;

/// Prints the command, runs it to its end with its output streamed, and fails unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<(), Error> {
    println!("\n$ {}", shown(command));
    let status = command.status().map_err(|source| Error::Start {
        program: program(command),
        source,
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::Exit {
            program: program(command),
            status,
        })
    }
}

/// Runs a command to its end and returns what it wrote to stdout; what it wrote to stderr is streamed.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::Start {
            program: program(command),
            source,
        })?;
    if !output.status.success() {
        return Err(Error::Exit {
            program: program(command),
            status: output.status,
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a command can be started and succeeds; what it says is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The steps of a stage: all are tried, and the failed ones are named at the end.
#[derive(Default)]
pub(crate) struct Steps {
    failed: Vec<String>,
}

impl Steps {
    /// Runs a command as the step `name`.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) {
        self.note(name, run(command));
    }

    /// Takes a result as the step `name`.
    pub(crate) fn note(&mut self, name: &str, result: Result<(), Error>) {
        if let Err(error) = result {
            eprintln!("error: {name}: {error}");
            self.failed.push(name.to_owned());
        }
    }

    /// Succeeds if every step did.
    pub(crate) fn finish(self) -> Result<(), Error> {
        if self.failed.is_empty() {
            Ok(())
        } else {
            Err(Error::Steps(self.failed))
        }
    }
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn shown(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    std::iter::once(command.get_program().to_string_lossy())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_does_not_stop_the_next_and_is_named() {
        let mut steps = Steps::default();
        steps.run("first", &mut Command::new("false"));
        steps.run("second", &mut Command::new("true"));
        steps.run("third", &mut Command::new("no-such-program-anywhere"));
        assert_eq!(steps.finish().unwrap_err().to_string(), "failed: first, third");
    }

    #[test]
    fn steps_that_all_succeed_make_a_success() {
        let mut steps = Steps::default();
        steps.run("only", &mut Command::new("true"));
        assert!(steps.finish().is_ok());
    }

    #[test]
    fn output_of_a_failed_program_is_not_taken_for_an_answer() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo half an answer; exit 3"]);
        assert!(matches!(output(&mut command), Err(Error::Exit { .. })));
    }
}
