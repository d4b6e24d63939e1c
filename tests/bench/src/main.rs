//! `yika-bench`: what the targets of speed and memory are measured with, run by `cargo xtask bench`. One file a bench in
//! `benches/`; `harness` lets subject and reference take turns, `report` prints. Everything measured is reached as
//! its users reach it, through public interfaces, in the profile that is released.

mod bank;
mod benches;
mod bills;
mod books;
mod bytes;
mod campus;
mod child;
mod client;
mod harness;
mod machine;
mod report;
mod school;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use url::Url;

use benches::{ALL, Bench, Outcome};
use books::Books;
use harness::Effort;

/// Whatever goes wrong ends the run: a figure from half a run would be worse than none.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What every bench is told.
#[derive(Debug)]
pub(crate) struct Context {
    pub effort: Effort,
    /// On the file system whose durability is part of what is measured.
    data: tempfile::TempDir,
    /// On one where durability costs nothing, as far as the machine has one.
    memory: tempfile::TempDir,
    /// A PostgreSQL server for this run, where there is one.
    postgres: Option<Url>,
    /// The class path of the JVM's side, where it was built.
    pub jvm_class_path: Option<String>,
}

impl Context {
    /// A new folder on the disk.
    pub(crate) fn on_disk(&self, name: &str) -> Result<PathBuf> {
        make(self.data.path().join(name))
    }

    /// A new folder in memory.
    pub(crate) fn in_memory(&self, name: &str) -> Result<PathBuf> {
        make(self.memory.path().join(name))
    }

    /// New books of each kind that there can be, for the bench of this name.
    pub(crate) fn books(&self, name: &str) -> Result<Vec<Books>> {
        let mut books = vec![Books::in_folder(&self.on_disk(name)?)];
        if let Some(server) = &self.postgres {
            books.push(Books::on_server(server, name)?);
        }
        Ok(books)
    }
}

fn make(folder: PathBuf) -> Result<PathBuf> {
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The command line: `[--quick] [--data DIR] [--out DIR] [--jvm CLASS_PATH] [--postgres URL] [NAME…]`.
struct Arguments {
    effort: Effort,
    data: PathBuf,
    /// Where each bench leaves its text as `NAME.md`.
    out: Option<PathBuf>,
    jvm: Option<String>,
    postgres: Option<Url>,
    names: Vec<String>,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = Self {
            effort: Effort::Full,
            data: std::env::temp_dir(),
            out: None,
            jvm: None,
            postgres: None,
            names: Vec::new(),
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("`{word}` needs a value"));
            match word.as_str() {
                "--quick" => arguments.effort = Effort::Quick,
                "--data" => arguments.data = value()?.into(),
                "--out" => arguments.out = Some(value()?.into()),
                "--jvm" => arguments.jvm = Some(value()?),
                "--postgres" => arguments.postgres = Some(value()?.parse()?),
                name if ALL.iter().any(|bench| bench.name == name) => arguments.names.push(word),
                other => return Err(format!("`{other}` is no option or bench").into()),
            }
        }
        Ok(arguments)
    }

    fn selected(&self) -> impl Iterator<Item = &'static Bench> + '_ {
        ALL.iter()
            .filter(|bench| self.names.is_empty() || self.names.iter().any(|name| name == bench.name))
    }
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let outcome = match words.next_if(|word| word == child::COMMAND) {
        Some(_) => child::run(&words.collect::<Vec<_>>()),
        None => Arguments::parse(words).and_then(|arguments| run(&arguments)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    std::fs::create_dir_all(&arguments.data)?;
    let shared_memory = Path::new("/dev/shm");
    let memory = if shared_memory.is_dir() {
        shared_memory
    } else {
        &arguments.data
    };
    let context = Context {
        effort: arguments.effort,
        data: tempfile::tempdir_in(&arguments.data)?,
        memory: tempfile::tempdir_in(memory)?,
        postgres: arguments.postgres.clone(),
        jvm_class_path: arguments.jvm.clone(),
    };
    let machine = machine::describe(context.data.path(), context.memory.path());
    publish(arguments, "machine", "Machine", &machine.to_string())?;
    for bench in arguments.selected() {
        eprintln!("… {}", bench.name);
        let text = match (bench.run)(&context)? {
            Outcome::Measured(report) => report.to_string(),
            Outcome::Skipped(why) => format!("Not run on this machine: {why}."),
        };
        publish(arguments, bench.name, bench.title, &text)?;
    }
    Ok(())
}

fn publish(arguments: &Arguments, name: &str, title: &str, text: &str) -> Result<()> {
    println!("\n## {title} (`{name}`)\n\n{text}");
    if let Some(folder) = &arguments.out {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join(format!("{name}.md")), format!("{text}\n"))?;
    }
    Ok(())
}
