//! The same code the way a JVM makes it: JCA's ECDSA and ZXing, warmed up, in a process that takes its turns when it is
//! asked to. Its source is in `tests/bench/jvm`.

use std::fs;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use yika_format::SchoolHash;

use super::Outcome;
use super::code::{CODES, FORMS, Form, new_code, signed_bytes};
use crate::campus::Campus;
use crate::harness::{per_operation, take_turns};
use crate::report::{Report, Target, digits, spread, time};
use crate::{Context, Result};

pub(super) fn run(context: &Context) -> Result<Outcome> {
    let Some(class_path) = &context.jvm_class_path else {
        return Ok(Outcome::Skipped("a JDK or Maven is missing".to_owned()));
    };
    let campus = Campus::open(&context.in_memory("jvm/campus")?)?;
    let card = campus.phone("1", &context.in_memory("jvm/phone")?)?;
    let (warm_up, turns) = (context.effort.pick(100, 600), context.effort.pick(20, 100));
    let (mut ratios, mut times) = (Vec::new(), Vec::new());
    for form in FORMS {
        let work = context.in_memory("jvm")?.join("work");
        write_work(&work, &card, form)?;
        let mut jvm = Jvm::start(class_path, &work, form)?;
        for _ in 0..warm_up {
            jvm.turn()?;
        }
        let [theirs, ours] = take_turns(
            turns,
            [
                Box::new(|_| jvm.turn()),
                Box::new(|_| {
                    per_operation(CODES, |_| {
                        black_box(new_code(&card, form.choice)?);
                        Ok(())
                    })
                }),
            ],
        )?;
        let ratio = theirs.over(&ours);
        ratios.push([
            format!("{}: JVM ÷ ours", form.name),
            spread(&ratio, digits),
            Target::AtLeast(10.0).verdict(ratio.median(), digits),
        ]);
        times.push([format!("{}: JVM", form.name), spread(&theirs, time)]);
        times.push([format!("{}: ours", form.name), spread(&ours, time)]);
    }
    let mut report = Report::default();
    report.table(["ratio", "median (10 % – 90 %)", "target"], ratios);
    report.table(["time of one", "median (10 % – 90 %)"], times);
    report.note(&format!(
        "{turns} turns of {CODES} codes each, after {} codes to warm the JVM up. The JVM signs the bytes that our phone \
         signed (`SHA256withECDSA`, P-256) and encodes the same texts with ZXing's `Encoder` at the same version and \
         level; ours does all that the bench `code` says, with the store in memory. {}.",
        warm_up * CODES,
        version()?
    ));
    Ok(Outcome::Measured(report))
}

/// Leaves the JVM its work: a line for each code, what is signed in hexadecimal and what is drawn.
fn write_work(file: &Path, card: &yika_core::CampusCard, form: Form) -> Result<()> {
    let school = SchoolHash::of_domain("campus.example");
    let mut lines = String::new();
    for _ in 0..CODES {
        let text = new_code(card, form.choice)?.text;
        for byte in signed_bytes(&text, &school)? {
            lines.push_str(&format!("{byte:02x}"));
        }
        lines.push_str(&format!("\t{text}\n"));
    }
    Ok(fs::write(file, lines)?)
}

fn version() -> Result<String> {
    let output = Command::new("java").arg("-version").output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(text.lines().next().unwrap_or("unknown JVM").to_owned())
}

/// A JVM that waits for its turns.
struct Jvm {
    process: Child,
    turns: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Jvm {
    fn start(class_path: &str, work: &Path, form: Form) -> Result<Self> {
        let mut process = Command::new("java")
            .args(["-cp", class_path, "app.yika.bench.CodeBench"])
            .arg(work)
            .arg(form.symbol_version().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let turns = process.stdin.take().ok_or("no pipe to the JVM")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no pipe from the JVM")?);
        Ok(Self {
            process,
            turns,
            answers,
        })
    }

    /// How long one code took it in this turn.
    fn turn(&mut self) -> Result<Duration> {
        writeln!(self.turns, "turn")?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        let nanos: u64 = answer
            .trim()
            .parse()
            .map_err(|_| format!("the JVM said {answer:?}"))?;
        Ok(Duration::from_nanos(nanos) / u32::try_from(CODES)?)
    }
}

impl Drop for Jvm {
    fn drop(&mut self) {
        // It may have ended by itself; nothing is left to do about it either way.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
