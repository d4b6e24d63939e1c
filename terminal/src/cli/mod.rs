//! The commands: what each needs, what it prints and how it ends.

mod answer;
mod args;
#[cfg(feature = "test-clock")]
mod controls;
mod run;

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use yika_api::terminal::{EnrolTerminal, EnrolledTerminal, MerchantId};
use yika_terminal::{
    Authority, Enrol, Purpose, Request, Terminal, TerminalError, TerminalOptions, enrol, new_sale_id,
};

use answer::{Answer, Failure};
pub(crate) use args::Args;
use args::{Command, Enroll, Shown, Verify};

/// The longest code that is read from standard input, with its line end.
const MAX_CODE: u64 = 4096;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The terminal could not do it.
    #[error(transparent)]
    Terminal(#[from] TerminalError),
    /// The code could not be read from standard input, or an answer not be written.
    #[error("standard input or output failed: {0}")]
    Io(#[from] io::Error),
    /// A request on a line was not understood.
    #[error("the request is not understood: {0}")]
    Request(String),
}

impl CommandError {
    const fn code(&self) -> &'static str {
        match self {
            Self::Terminal(error) => error.code(),
            Self::Io(_) => "IO",
            Self::Request(_) => "MALFORMED_REQUEST",
        }
    }

    fn exit_code(&self) -> u8 {
        match self {
            Self::Terminal(error) if error.is_misuse() => 2,
            _ => 3,
        }
    }
}

/// Does what the arguments say, prints what came of it, and says how to end.
pub(crate) fn perform(args: &Args) -> ExitCode {
    let (answer, code) = match command(args) {
        Ok(Some(answer)) => {
            let code = u8::from(answer.is_refusal());
            (answer, code)
        }
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit_code();
            (Answer::Failed(Failure::of(&error)), code)
        }
    };
    yika_fault::reach("terminal.answer.before-print");
    let printed = match (args.json, &answer) {
        (true, answer) => print_json(answer),
        (false, Answer::Failed(failure)) => writeln!(io::stderr(), "{failure}"),
        (false, answer) => writeln!(io::stdout(), "{answer}"),
    };
    yika_fault::reach("terminal.answer.after-print");
    ExitCode::from(if printed.is_ok() { code } else { 3 })
}

fn print_json(answer: &Answer) -> io::Result<()> {
    writeln!(io::stdout(), "{}", serde_json::to_string(answer)?)
}

/// The answer of a command; none where it has answered line by line.
fn command(args: &Args) -> Result<Option<Answer>, CommandError> {
    let options = options(args);
    if let Command::Enroll(enroll) = &args.command {
        return Ok(Some(Answer::enrolled(&enroll_terminal(args, &options, enroll)?)));
    }
    let terminal = Terminal::open(&args.home, &options)?;
    let answer = match &args.command {
        Command::Enroll(_) => return Err(TerminalError::NotEnrolled.into()),
        Command::Run => return run::run(&terminal, io::stdin().lock(), io::stdout()).map(|()| None),
        Command::Sync => Answer::synced(&online(terminal.sync())?),
        Command::Upload => Answer::uploaded(&online(terminal.upload())?),
        Command::Verify(Verify::Pay { amount, shown }) => {
            verify(&terminal, Purpose::Payment { amount: *amount }, shown)?
        }
        Command::Verify(Verify::Identity { shown }) => verify(&terminal, Purpose::Identity, shown)?,
        Command::Void => Answer::voided(terminal.void_last()),
        Command::Confirm { amount } => Answer::asked(&terminal.ask_confirmation(*amount)?),
        Command::Status => Answer::status(&terminal)?,
    };
    Ok(Some(answer))
}

fn options(args: &Args) -> TerminalOptions {
    #[cfg(feature = "test-clock")]
    return TerminalOptions::new(std::sync::Arc::new(args.clock.clone()));
    #[cfg(not(feature = "test-clock"))]
    {
        let _ = args;
        TerminalOptions::default()
    }
}

fn enroll_terminal(
    args: &Args,
    options: &TerminalOptions,
    enroll: &Enroll,
) -> Result<EnrolledTerminal, CommandError> {
    let authorities = enroll.ca_file.as_ref().map_or(Ok(Vec::new()), |path| {
        Authority::all_in_file(path).map_err(|source| TerminalError::Authorities {
            path: path.clone(),
            source,
        })
    })?;
    let request = Enrol {
        platform: enroll.platform.clone(),
        request: EnrolTerminal {
            kind: enroll.kind.into(),
            merchant: enroll.merchant.map(MerchantId),
            label: enroll.label.clone(),
            enrolment_code: enroll.enrolment_code.clone(),
            directory_key: None,
        },
        root_key: enroll.root_key,
        authorities,
    };
    online(enrol(&args.home, options, &request))
}

/// Runs one thing that uses the network.
fn online<T>(future: impl Future<Output = Result<T, TerminalError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(future)?)
}

fn verify(terminal: &Terminal, purpose: Purpose, shown: &Shown) -> Result<Answer, CommandError> {
    let request = Request {
        purpose,
        sale: shown.sale.unwrap_or_else(new_sale_id),
    };
    let code = match shown.code.as_str() {
        "-" => {
            let mut text = Vec::new();
            io::stdin().lock().take(MAX_CODE).read_to_end(&mut text)?;
            text
        }
        code => code.as_bytes().to_vec(),
    };
    Ok(Answer::verdict(&terminal.verify(&code, request)?))
}
