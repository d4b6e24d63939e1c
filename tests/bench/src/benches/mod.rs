//! The benches, in the order in which they run. A new one is a file beside this one and its row in the table.

mod code;
pub(crate) mod cold_open;
mod face;
mod history;
mod jvm;
mod merchant;
mod settlement;
pub(crate) mod table;
mod terminal;
mod top_up;

use crate::report::Report;
use crate::{Context, Result};

/// One thing that is measured.
pub(crate) struct Bench {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it is called above its tables.
    pub title: &'static str,
    pub run: fn(&Context) -> Result<Outcome>,
}

/// What came of a bench.
pub(crate) enum Outcome {
    Measured(Report),
    /// It can't run here, and the text says why.
    Skipped(String),
}

/// Every bench there is.
pub(crate) const ALL: &[Bench] = &[
    Bench {
        name: "code",
        title: "A code: sign, encode, draw",
        run: code::run,
    },
    Bench {
        name: "jvm",
        title: "A code, against the JVM",
        run: jvm::run,
    },
    Bench {
        name: "cold-open",
        title: "From a cold start to the first code",
        run: cold_open::run,
    },
    Bench {
        name: "face",
        title: "Face photos",
        run: face::run,
    },
    Bench {
        name: "terminal",
        title: "A terminal's decision",
        run: terminal::run,
    },
    Bench {
        name: "table",
        title: "A terminal's table",
        run: table::run,
    },
    Bench {
        name: "settlement",
        title: "Settlement of offline records",
        run: settlement::run,
    },
    Bench {
        name: "top-up",
        title: "Top-ups",
        run: top_up::run,
    },
    Bench {
        name: "history",
        title: "A page of history",
        run: history::run,
    },
    Bench {
        name: "merchant",
        title: "What a stall has earned",
        run: merchant::run,
    },
];
