//! `run`: JSON requests, one a line, answered one a line, with the lists loaded once.
//!
//! Requests are answered in their order, except `sync` and `upload`: those use the network, so they are done beside, one
//! at a time, and answered when they are done. A request's `id`, whatever it is, comes back with its answer.

use std::io::{self, BufRead, Read as _, Write};
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::Deserialize;
use serde_json::Value;
use yika_terminal::{Purpose, Request, SaleId, Terminal, new_sale_id};

use super::answer::{Answer, Failure};
use super::{CommandError, args, online};

/// The longest line, in bytes: several times a request with a full code.
const MAX_LINE: u64 = 16 * 1024;

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Op {
    Pay {
        amount: String,
        code: String,
        sale: Option<String>,
    },
    Identity {
        code: String,
        sale: Option<String>,
    },
    Void,
    Confirm {
        amount: String,
    },
    Status,
    Sync,
    Upload,
}

/// Something that uses the network.
#[derive(Clone, Copy)]
enum Errand {
    Sync,
    Upload,
}

/// Answers until the input ends, and waits for what is still being done.
pub(super) fn run(
    terminal: &Terminal,
    mut input: impl BufRead,
    output: impl Write + Send,
) -> Result<(), CommandError> {
    let output = Mutex::new(output);
    let (errands, inbox) = mpsc::channel::<(Errand, Option<Value>)>();
    thread::scope(|scope| {
        let beside = scope.spawn(|| {
            inbox.into_iter().try_for_each(|(errand, id)| {
                let answer = match errand {
                    Errand::Sync => online(terminal.sync()).map(|report| Answer::synced(&report)),
                    Errand::Upload => online(terminal.upload()).map(|report| Answer::uploaded(&report)),
                };
                write_answer(&output, answer, id)
            })
        });
        let read = answer_lines(terminal, &mut input, &output, &errands);
        drop(errands);
        let done = beside
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("a worker failed")));
        read.and(done)
    })?;
    Ok(())
}

fn answer_lines(
    terminal: &Terminal,
    input: &mut impl BufRead,
    output: &Mutex<impl Write>,
    errands: &mpsc::Sender<(Errand, Option<Value>)>,
) -> io::Result<()> {
    let mut line = Vec::new();
    while let Some(is_whole) = read_line(input, &mut line)? {
        if is_whole && line.trim_ascii().is_empty() {
            continue;
        }
        let (id, op) = if is_whole {
            parse(&line)
        } else {
            (None, Err(malformed(&"the line is too long")))
        };
        let errand = match op {
            Ok(Op::Sync) => Errand::Sync,
            Ok(Op::Upload) => Errand::Upload,
            Ok(op) => {
                write_answer(output, answer(terminal, &op), id)?;
                continue;
            }
            Err(error) => {
                write_answer(output, Err(error), id)?;
                continue;
            }
        };
        errands.send((errand, id)).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Reads a line, without its end. `None` at the end of the input, `false` for a line that was too long and is left out.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    let mut is_whole = true;
    loop {
        line.clear();
        let read = input.by_ref().take(MAX_LINE).read_until(b'\n', line)?;
        match (read, line.last()) {
            (0, _) => return Ok((!is_whole).then_some(false)),
            (_, Some(b'\n')) => return Ok(Some(is_whole)),
            // The last line may lack its end.
            _ if u64::try_from(read).is_ok_and(|read| read < MAX_LINE) => return Ok(Some(is_whole)),
            _ => is_whole = false,
        }
    }
}

fn malformed(why: &impl ToString) -> CommandError {
    CommandError::Request(why.to_string())
}

fn parse(line: &[u8]) -> (Option<Value>, Result<Op, CommandError>) {
    match serde_json::from_slice::<Value>(line) {
        Ok(request) => (
            request.get("id").cloned(),
            Op::deserialize(request).map_err(|error| malformed(&error)),
        ),
        Err(error) => (None, Err(malformed(&error))),
    }
}

fn answer(terminal: &Terminal, op: &Op) -> Result<Answer, CommandError> {
    let amount = |text: &str| args::amount(text).map_err(CommandError::Request);
    match op {
        Op::Pay {
            amount: yuan,
            code,
            sale,
        } => {
            let purpose = Purpose::Payment {
                amount: amount(yuan)?,
            };
            verify(terminal, code, purpose, sale.as_deref())
        }
        Op::Identity { code, sale } => verify(terminal, code, Purpose::Identity, sale.as_deref()),
        Op::Void => Ok(Answer::voided(terminal.void_last())),
        Op::Confirm { amount: yuan } => Ok(Answer::asked(&terminal.ask_confirmation(amount(yuan)?)?)),
        Op::Status => Ok(Answer::status(terminal)?),
        Op::Sync | Op::Upload => Err(malformed(&"not answered in order")),
    }
}

fn verify(
    terminal: &Terminal,
    code: &str,
    purpose: Purpose,
    sale: Option<&str>,
) -> Result<Answer, CommandError> {
    let sale: SaleId = match sale {
        Some(text) => args::sale(text).map_err(CommandError::Request)?,
        None => new_sale_id(),
    };
    let request = Request { purpose, sale };
    Ok(Answer::verdict(&terminal.verify(code.as_bytes(), request)?))
}

/// Writes one line, whole.
fn write_answer(
    output: &Mutex<impl Write>,
    answer: Result<Answer, CommandError>,
    id: Option<Value>,
) -> io::Result<()> {
    let answer = answer.unwrap_or_else(|error| Answer::Failed(Failure::of(&error)));
    let mut value = serde_json::to_value(&answer)?;
    if let (Some(fields), Some(id)) = (value.as_object_mut(), id) {
        fields.insert("id".to_owned(), id);
    }
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(output, "{value}")?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<Option<Vec<u8>>> {
        let (mut input, mut line, mut lines) = (input, Vec::new(), Vec::new());
        while let Some(is_whole) = read_line(&mut input, &mut line).unwrap() {
            lines.push(is_whole.then(|| line.trim_ascii().to_vec()));
        }
        lines
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_and_the_next_one_read() {
        let long = vec![b'x'; 3 * usize::try_from(MAX_LINE).unwrap() + 5];
        let input = [b"one\n", &long[..], b"\ntwo\n\nthree"].concat();
        let expected = [
            Some(b"one".to_vec()),
            None,
            Some(b"two".to_vec()),
            Some(Vec::new()),
            Some(b"three".to_vec()),
        ];
        assert_eq!(lines(&input), expected);
        assert_eq!(lines(&long), [None]);
    }

    #[test]
    fn an_id_comes_back_even_where_the_request_is_not_understood() {
        let (id, op) = parse(br#"{"id":[1,"a"],"op":"dance"}"#);
        assert_eq!(id, Some(serde_json::json!([1, "a"])));
        assert!(matches!(op, Err(CommandError::Request(_))), "{op:?}");
        assert!(matches!(parse(b"\xff{"), (None, Err(CommandError::Request(_)))));
        assert!(matches!(parse(b"7"), (None, Err(CommandError::Request(_)))));
    }
}
