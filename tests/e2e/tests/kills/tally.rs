//! Who is to die where, who did, and how often each point was met.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Variables of a process.
pub(crate) type Environment = Vec<(&'static str, String)>;

/// The kills of a run.
pub(crate) struct Tally {
    /// Where processes note the points that they meet.
    log: PathBuf,
    kills: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub(crate) fn new(log: PathBuf) -> Self {
        Self {
            log,
            kills: BTreeMap::new(),
        }
    }

    /// What a process is started with: to die when it passes this point for the so-manieth time, or to live.
    pub(crate) fn environment(&self, dies: Option<(&'static str, usize)>) -> Environment {
        let log = ("YIKA_FAULT_LOG", self.log.display().to_string());
        let kill = dies.map(|(point, pass)| ("YIKA_KILL_AT", format!("{point}:{pass}")));
        std::iter::once(log).chain(kill).collect()
    }

    /// Somebody died there.
    pub(crate) fn died(&mut self, point: &'static str) {
        *self.kills.entry(point).or_default() += 1;
    }

    /// How many processes died at a point.
    pub(crate) fn killed(&self, point: &str) -> usize {
        self.kills.get(point).copied().unwrap_or(0)
    }

    /// How many died.
    pub(crate) fn dead(&self) -> usize {
        self.kills.values().sum()
    }

    /// A table of these points.
    pub(crate) fn table(&self, points: &[&str]) -> String {
        let mut met: BTreeMap<String, usize> = BTreeMap::new();
        for line in std::fs::read_to_string(&self.log).unwrap_or_default().lines() {
            *met.entry(line.to_owned()).or_default() += 1;
        }
        let mut table = "| point | met | killed |\n|---|---:|---:|\n".to_owned();
        for point in points {
            let met = met.get(*point).copied().unwrap_or(0);
            // Writing to a string does not fail.
            let _ = writeln!(table, "| `{point}` | {met} | {} |", self.killed(point));
        }
        table
    }
}
