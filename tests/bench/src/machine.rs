//! Where it was measured: what a reader needs to compare figures with their own.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::report::Report;

/// The table of this machine, with the file system that `data` lies on.
pub(crate) fn describe(data: &Path, memory: &Path) -> Report {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: Option<String>| {
        rows.push([name.to_owned(), value.unwrap_or_else(|| "unknown".to_owned())]);
    };
    row("processor", field("/proc/cpuinfo", "model name"));
    let threads = std::thread::available_parallelism().ok();
    row("threads", threads.map(|threads| threads.to_string()));
    row("memory", field("/proc/meminfo", "MemTotal"));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
    row("kernel", kernel.map(|text| format!("Linux {}", text.trim())));
    row("files on", file_system(data));
    row("what is kept in memory on", file_system(memory));
    row("compiler", first_line("rustc", "--version"));
    row(
        "profile",
        Some("release (thin LTO, one codegen unit, no target features beyond the baseline)".to_owned()),
    );
    row(
        "load when it began",
        fs::read_to_string("/proc/loadavg")
            .ok()
            .and_then(|text| text.split(' ').next().map(ToOwned::to_owned)),
    );
    let mut report = Report::default();
    report.table(["", ""], rows);
    report
}

/// The value of a line `name : value`.
pub(crate) fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

fn first_line(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(ToOwned::to_owned)
}

/// The type of the file system that a path lies on: that of the longest mount point above it.
fn file_system(path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let above = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (fields.next()?, fields.next()?);
        path.starts_with(point).then_some((point.len(), kind))
    });
    above
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind.to_owned())
}
