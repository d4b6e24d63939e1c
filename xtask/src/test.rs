//! `cargo xtask test`: runs the stages one after another, goes on after a failure, and ends with a table. A stage whose
//! tools are missing is skipped and says how to get them; with `--all` the tools are installed first, and a stage that
//! still can't run has failed.

use std::time::Instant;

use crate::error::Error;
use crate::report::{Outcome, Report, Row};
use crate::stages::{self, Effort, Stage};
use crate::tools::{self, Tool};
use crate::workspace::Workspace;

/// Runs the command with its arguments.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    let request = Request::parse(arguments)?;
    let selected = request.select(workspace)?;
    if request.gaps == Gaps::Install {
        let tools: Vec<&Tool> = selected
            .iter()
            .flat_map(|stage| stage.needs.iter().chain(stage.wants))
            .copied()
            .collect();
        // Whatever is still missing fails the stage that needs it, by name; the others run.
        if let Err(error) = tools::install(workspace, &tools) {
            eprintln!("error: {error}");
        }
    }
    let mut report = Report::default();
    for stage in selected {
        println!("\n==== {}: {}", stage.name, stage.about);
        let started = Instant::now();
        let outcome = attempt(stage, workspace, &request);
        report.push(Row {
            stage: stage.name,
            outcome,
            elapsed: started.elapsed(),
            budget_minutes: stage.budget_minutes,
        });
    }
    println!("\n{report}");
    if report.skips() > 0 {
        println!("`cargo xtask test --all` installs what is missing for the skipped stages.");
    }
    match report.failures() {
        0 => Ok(()),
        count => Err(Error::Stages(count)),
    }
}

fn attempt(stage: &Stage, workspace: &Workspace, request: &Request) -> Outcome {
    let missing: Vec<&Tool> = stage
        .needs
        .iter()
        .copied()
        .filter(|tool| !tool.is_here(workspace))
        .collect();
    if !missing.is_empty() {
        let needs: Vec<String> = missing.iter().map(|tool| format!("needs {tool}")).collect();
        // What was asked for and could not be installed is a failure, but for what a machine may have no way to.
        return match request.gaps {
            Gaps::Install if !missing.iter().all(|tool| tool.is_elsewhere()) => {
                Outcome::Failed(needs.join(", "))
            }
            Gaps::Install | Gaps::Skip => Outcome::Skipped(needs.join(", ")),
        };
    }
    match (stage.run)(workspace, request.effort) {
        Ok(()) => Outcome::Passed,
        Err(error) => {
            eprintln!("error: {}: {error}", stage.name);
            Outcome::Failed(error.to_string())
        }
    }
}

/// What to do about a stage whose tools are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gaps {
    Skip,
    Install,
}

/// The command line, understood.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    gaps: Gaps,
    effort: Effort,
    stages: Vec<String>,
}

impl Request {
    fn parse(arguments: &[String]) -> Result<Self, Error> {
        let mut request = Self {
            gaps: Gaps::Skip,
            effort: Effort::Usual,
            stages: Vec::new(),
        };
        for argument in arguments {
            match argument.as_str() {
                "--all" => request.gaps = Gaps::Install,
                "--long" => request.effort = Effort::Long,
                name if stages::ALL.iter().any(|stage| stage.name == name) => {
                    request.stages.push(name.to_owned());
                }
                other => return Err(Error::Usage(format!("`{other}` is no option or stage of `test`"))),
            }
        }
        Ok(request)
    }

    /// The stages to run, in their own order: those named, or else all that this tree has.
    fn select(&self, workspace: &Workspace) -> Result<Vec<&'static Stage>, Error> {
        let named = |stage: &&Stage| self.stages.iter().any(|name| name == stage.name);
        if let Some(absent) = stages::ALL
            .iter()
            .filter(named)
            .find(|stage| !(stage.exists)(workspace))
        {
            return Err(Error::Usage(format!(
                "there is nothing to run yet for the stage `{}`",
                absent.name
            )));
        }
        let selected = stages::ALL
            .iter()
            .filter(|stage| self.stages.is_empty() || named(stage));
        Ok(selected.filter(|stage| (stage.exists)(workspace)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Request, Error> {
        Request::parse(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn an_unknown_option_or_stage_is_refused() {
        assert!(matches!(parse(&["--al"]), Err(Error::Usage(_))));
        assert!(matches!(parse(&["lint", "no-such-stage"]), Err(Error::Usage(_))));
    }

    #[test]
    fn options_and_stages_mix_in_any_order() {
        let expected = Request {
            gaps: Gaps::Install,
            effort: Effort::Long,
            stages: vec!["rust".to_owned()],
        };
        assert_eq!(parse(&["--long", "rust", "--all"]).unwrap(), expected);
    }

    #[test]
    fn without_arguments_gaps_are_skipped_and_the_usual_is_run() {
        let expected = Request {
            gaps: Gaps::Skip,
            effort: Effort::Usual,
            stages: Vec::new(),
        };
        assert_eq!(parse(&[]).unwrap(), expected);
    }

    #[test]
    fn no_two_stages_share_a_name() {
        let mut names: Vec<_> = stages::ALL.iter().map(|stage| stage.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), stages::ALL.len());
    }
}
