//! `cargo xtask bench`: builds what is released, lets `yika-bench` measure it, and looks at the size of the library that
//! phones carry. With `--save` the tables in `docs/performance.md` are written anew, all of them from one run.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::postgres::{Durability, PostgresServer};
use crate::process;
use crate::tools;
use crate::workspace::Workspace;

/// Where the figures are written down.
const DOCUMENT: &str = "docs/performance.md";
/// The JVM's side of the comparison.
const JVM: &str = "tests/bench/jvm";
/// The bench that is done here: it is cargo's work.
const SIZE: &str = "size";
/// The largest that the library may be, in bytes.
const SIZE_TARGET: u64 = 6_000_000;

/// What SQLite is built without for a phone: search in text and in space, and statistics, which nothing there asks for.
const SQLITE_WITHOUT: &str = "-USQLITE_ENABLE_FTS3 -USQLITE_ENABLE_FTS3_PARENTHESIS -USQLITE_ENABLE_FTS5 \
    -USQLITE_ENABLE_RTREE -USQLITE_ENABLE_DBSTAT_VTAB -USQLITE_ENABLE_STAT4";

/// Runs the command with its arguments.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<(), Error> {
    let request = Request::parse(arguments)?;
    let out = workspace.in_target("bench/results");
    if request.wants_others() {
        process::run(&mut workspace.cargo("build --release --package yika-bench"))?;
        let mut bench = workspace.command(workspace.in_target("release/yika-bench"));
        bench.arg("--data").arg(workspace.in_target("bench/data"));
        bench.arg("--out").arg(&out);
        if request.wants("jvm")
            && let Some(class_path) = build_jvm(workspace)?
        {
            bench.arg("--jvm").arg(class_path);
        }
        let postgres = start_postgres(workspace)?;
        if let Some(server) = &postgres {
            bench.args(["--postgres", &server.url()]);
        }
        if request.is_quick {
            bench.arg("--quick");
        }
        bench.args(request.names.iter().filter(|name| *name != SIZE));
        process::run(&mut bench)?;
    }
    if request.wants(SIZE) {
        let text = size(workspace)?;
        println!("\n## Size of the library (`{SIZE}`)\n\n{text}");
        write(&out.join(format!("{SIZE}.md")), &text)?;
    }
    if request.saves {
        save(workspace, &out)?;
    }
    Ok(())
}

/// The command line, understood. Which benches there are, `yika-bench` knows.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    is_quick: bool,
    saves: bool,
    names: Vec<String>,
}

impl Request {
    fn parse(arguments: &[String]) -> Result<Self, Error> {
        let mut request = Self {
            is_quick: false,
            saves: false,
            names: Vec::new(),
        };
        for argument in arguments {
            match argument.as_str() {
                "--quick" => request.is_quick = true,
                "--save" => request.saves = true,
                option if option.starts_with('-') => {
                    return Err(Error::Usage(format!("`{option}` is no option of `bench`")));
                }
                name => request.names.push(name.to_owned()),
            }
        }
        if request.saves && (request.is_quick || !request.names.is_empty()) {
            let why = "`bench --save` takes a whole run: no names, and not `--quick`";
            return Err(Error::Usage(why.to_owned()));
        }
        Ok(request)
    }

    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }

    fn wants_others(&self) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted != SIZE)
    }
}

/// Builds the JVM's side and returns its class path; none where the tools for it are missing.
fn build_jvm(workspace: &Workspace) -> Result<Option<String>, Error> {
    for tool in [&tools::JAVA, &tools::MAVEN] {
        if !tool.is_here(workspace) {
            println!("the bench `jvm` needs {tool}");
            return Ok(None);
        }
    }
    process::run(tools::maven(workspace, &format!("{JVM}/pom.xml")).arg("compile"))?;
    let target = workspace.path(JVM).join("target");
    let paths = [target.join("classes"), target.join("libraries/*")];
    Ok(Some(paths.map(|path| path.display().to_string()).join(":")))
}

/// Starts the other database; none where it is missing.
fn start_postgres(workspace: &Workspace) -> Result<Option<PostgresServer>, Error> {
    match tools::POSTGRES.is_here(workspace) {
        true => PostgresServer::start(workspace, Durability::Full).map(Some),
        false => {
            println!("the benches on PostgreSQL need {}", tools::POSTGRES);
            Ok(None)
        }
    }
}

/// A target whose library is measured, and what puts it together and takes its symbols away.
struct Architecture {
    name: &'static str,
    target: &'static str,
    linker: &'static str,
    strip: &'static str,
}

const ARCHITECTURES: [Architecture; 2] = [
    Architecture {
        name: "x86-64",
        target: "x86_64-unknown-linux-gnu",
        linker: "x86_64-linux-gnu-gcc",
        strip: "x86_64-linux-gnu-strip",
    },
    Architecture {
        name: "arm64",
        target: "aarch64-unknown-linux-gnu",
        linker: "aarch64-linux-gnu-gcc",
        strip: "aarch64-linux-gnu-strip",
    },
];

fn size(workspace: &Workspace) -> Result<String, Error> {
    let mut text = "\
| library | stripped | target | before | without face photos, stripped |
| ------- | -------- | ------ | ------ | ----------------------------- |
"
    .to_owned();
    for architecture in &ARCHITECTURES {
        let name = architecture.name;
        match missing(workspace, architecture)? {
            Some(what) => text.push_str(&format!(
                "| {name} | not built on this machine: needs {what} | | | |\n"
            )),
            None => {
                // The whole library last: that is the one that is left to be looked at.
                let (without_face, _) = sizes(workspace, architecture, "--no-default-features")?;
                let (stripped, before) = sizes(workspace, architecture, "")?;
                let verdict = if stripped <= SIZE_TARGET {
                    "met"
                } else {
                    "**missed**"
                };
                text.push_str(&format!(
                    "| {name} | {} | ≤ {}: {verdict} | {} | {} |\n",
                    megabytes(stripped),
                    megabytes(SIZE_TARGET),
                    megabytes(before),
                    megabytes(without_face)
                ));
            }
        }
    }
    text.push_str(
        "\n`libyika`, the shared library that phones load, with everything that exists so far, in the profile `mobile` \
         ([ADR 10](adr/0010-profile-for-phones.md)); 1 MB is 1,000,000 bytes. Without its feature `face` it has no face photos.\n",
    );
    Ok(text)
}

/// What this machine lacks for an architecture.
fn missing(workspace: &Workspace, architecture: &Architecture) -> Result<Option<String>, Error> {
    let Architecture {
        target,
        linker,
        strip,
        ..
    } = architecture;
    if !tools::has_target(workspace, target) {
        return Ok(Some(format!("`rustup target add {target}`")));
    }
    let is_here = |program: &str| {
        workspace
            .search_path()
            .iter()
            .any(|folder| folder.join(program).is_file())
    };
    Ok([linker, strip]
        .into_iter()
        .find(|program| !is_here(program))
        .map(|program| format!("`{program}`")))
}

/// The bytes of a library without symbols, and with those that the profile leaves.
fn sizes(workspace: &Workspace, architecture: &Architecture, features: &str) -> Result<(u64, u64), Error> {
    let Architecture {
        target,
        linker,
        strip,
        ..
    } = architecture;
    let variable = target.to_uppercase().replace('-', "_");
    process::run(
        workspace
            // As the one kind of library that is loaded: beside others, rustc leaves out link-time optimisation.
            .cargo(&format!(
                "rustc --crate-type cdylib --profile mobile --package yika --lib {features} --target"
            ))
            .arg(target)
            .env("LIBSQLITE3_FLAGS", SQLITE_WITHOUT)
            .env(format!("CARGO_TARGET_{variable}_LINKER"), linker),
    )?;
    let library = workspace.in_target(target).join("mobile/libyika.so");
    let stripped = library.with_extension("so.stripped");
    process::run(workspace.command(strip).arg("-o").arg(&stripped).arg(&library))?;
    Ok((length(&stripped)?, length(&library)?))
}

fn length(path: &Path) -> Result<u64, Error> {
    fs::metadata(path).map(|file| file.len()).map_err(at(path))
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{:02} MB", bytes / 1_000_000, bytes % 1_000_000 / 10_000)
}

/// Puts each result between its marks in the document.
fn save(workspace: &Workspace, results: &Path) -> Result<(), Error> {
    let path = workspace.path(DOCUMENT);
    let mut document = fs::read_to_string(&path).map_err(at(&path))?;
    for name in marked(&document) {
        let result = results.join(format!("{name}.md"));
        let text = fs::read_to_string(&result).map_err(at(&result))?;
        document = replaced(&document, &name, &text);
    }
    write(&path, &document)
}

/// The names for which the document has a place.
fn marked(document: &str) -> Vec<String> {
    let marks = document
        .lines()
        .filter_map(|line| line.strip_prefix("<!-- bench:")?.strip_suffix(" -->"));
    marks.map(ToOwned::to_owned).collect()
}

/// The document with `text` between the marks of `name`.
fn replaced(document: &str, name: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- bench:{name} -->\n"), "<!-- end -->");
    let Some((before, rest)) = document.split_once(&begin) else {
        return document.to_owned();
    };
    let after = rest.find(end).map_or("", |at| &rest[at..]);
    format!("{before}{begin}\n{}\n\n{after}", text.trim())
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    fs::write(path, text).map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path: PathBuf = path.to_owned();
    move |source| Error::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Request, Error> {
        Request::parse(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn only_a_whole_run_is_saved() {
        assert!(parse(&["--save"]).unwrap().saves);
        assert!(matches!(parse(&["--save", "--quick"]), Err(Error::Usage(_))));
        assert!(matches!(parse(&["code", "--save"]), Err(Error::Usage(_))));
        assert!(matches!(parse(&["--fast"]), Err(Error::Usage(_))));
    }

    #[test]
    fn the_size_alone_needs_no_measuring_program() {
        let size = parse(&["size"]).unwrap();
        assert!(size.wants("size") && !size.wants_others() && !size.wants("code"));
        let all = parse(&[]).unwrap();
        assert!(all.wants("size") && all.wants_others() && all.wants("code"));
    }

    #[test]
    fn a_result_takes_the_place_of_the_one_before_and_nothing_else() {
        let document =
            "# A\n<!-- bench:code -->\n\nold\n\n<!-- end -->\nB\n<!-- bench:size -->\n<!-- end -->\n";
        assert_eq!(marked(document), ["code", "size"]);
        let once = replaced(document, "code", "| new |\n");
        assert_eq!(
            once,
            "# A\n<!-- bench:code -->\n\n| new |\n\n<!-- end -->\nB\n<!-- bench:size -->\n<!-- end -->\n"
        );
        assert_eq!(replaced(&once, "code", "| new |\n"), once);
        assert_eq!(replaced(document, "none", "x"), document);
    }

    #[test]
    fn megabytes_have_two_decimals() {
        assert_eq!(megabytes(6_000_000), "6.00 MB");
        assert_eq!(megabytes(2_049_999), "2.04 MB");
    }
}
